import assert from "node:assert/strict";
import { afterEach, beforeEach, mock, test } from "node:test";

import "../browser.js";

const { closeBook, hearPrice, openBook, readNewest, readOlder, readSwitched } = await import(
  "../../../static/js/charts/candle_book.js"
);

const MINUTE = 60_000;
const START = Date.UTC(2031, 0, 6, 15, 0);
const row = (minute, more = {}) => ({
  t: new Date(START + minute * MINUTE).toISOString(),
  ...{ o: 100, h: 102, l: 99, c: 101, v: null, complete: true, source: "ticks" },
  ...more,
});
const page = (rows, before = null) => ({ ok: true, simulated: false, candles: rows, before });
const minutes = (book) => book.candles.map(({ at }) => (at - START) / MINUTE);
/** Let every answer that is under way arrive. */
const settled = async () => {
  for (let turn = 0; turn < 20; turn += 1) await new Promise((resolve) => setImmediate(resolve));
};

let answers;
let asked;
let book;

globalThis.fetch = async (path) => {
  asked.push(new URL(path, "http://desk").searchParams.toString());
  const answer = answers.shift();
  if (answer === undefined) throw new TypeError("nobody answers");
  return Response.json(answer, { status: answer.ok ? 200 : 503 });
};

async function opened(...first) {
  answers.push(...first);
  book = openBook("ES", "1m", () => {});
  await settled();
  return book;
}

beforeEach(() => {
  mock.timers.enable({ apis: ["setTimeout"] });
  answers = [];
  asked = [];
});
afterEach(() => {
  closeBook(book);
  mock.timers.reset();
});

test("a book asks for the newest page, and for older ones until there are none", async () => {
  await opened(page([row(3), row(4)], row(3).t));
  answers.push(page([row(1), row(2)]));
  await readOlder(book);
  await readOlder(book);
  assert.deepEqual(minutes(book), [1, 2, 3, 4]);
  assert.deepEqual(asked, [
    "asset=ES&timeframe=1m&limit=500",
    "asset=ES&timeframe=1m&limit=500&before=2031-01-06T15%3A03%3A00.000Z",
  ]);
});

test("feeds that are away are a trouble that is known, and asked again ever more seldom", async () => {
  await opened({ ok: false, code: "feeds_away", error: "feeds does not answer" });
  assert.deepEqual(book.trouble, { status: 503, code: "feeds_away", sentence: "feeds does not answer" });
  assert.equal(book.isRead, false);
  mock.timers.tick(2_000);
  await settled();
  assert.equal(book.trouble.status, 0); // this time nobody answered at all
  mock.timers.tick(4_999);
  assert.equal(asked.length, 2);
  answers.push(page([row(0)]));
  mock.timers.tick(1);
  await settled();
  assert.equal(book.trouble, null);
  assert.deepEqual(minutes(book), [0]);
});

test("what is held stays while feeds is away, and nothing older is asked for meanwhile", async () => {
  await opened(page([row(3)], row(3).t));
  await readNewest(book);
  assert.equal(book.trouble.status, 0);
  await readOlder(book);
  assert.equal(asked.length, 2);
  assert.deepEqual(minutes(book), [3]);
});

test("a quote of the next minute begins its candle, and feeds is asked for the one that ended", async () => {
  await opened(page([row(0), row(1, { complete: false })]));
  assert.equal(hearPrice(book, 105, START + 2 * MINUTE + 10)?.open, 105);
  answers.push(page([row(0), row(1, { h: 120 }), row(2, { complete: false, o: 104 })]));
  mock.timers.tick(2_500);
  await settled();
  assert.deepEqual(minutes(book), [0, 1, 2]);
  assert.equal(book.candles[1].high, 120);
  assert.deepEqual([book.candles[2].open, book.candles[2].close], [104, 105]);
});

test("within a longer candle each minute that ended is asked for: the page may have come in the middle of one", async () => {
  answers.push(page([row(0, { complete: false })]));
  book = openBook("ES", "5m", () => {});
  await settled();
  hearPrice(book, 101, START + 30_000);
  const before = asked.length;
  hearPrice(book, 101, START + 50_000);
  mock.timers.tick(2_500);
  assert.equal(asked.length, before);
  answers.push(page([row(0, { complete: false, h: 130 })]));
  hearPrice(book, 101, START + MINUTE);
  mock.timers.tick(2_500);
  await settled();
  assert.equal(book.candles[0].high, 130);
});

test("the newest that do not join what is held have all asked for anew", async () => {
  await opened(page([row(0), row(1)]));
  answers.push(page([row(100), row(101)]), page([row(99), row(100), row(101)]));
  await readNewest(book);
  assert.deepEqual(minutes(book), [99, 100, 101]);
});

test("another market's candles replace these: simulated and real ones are never joined", async () => {
  await opened(page([row(0), row(1)]));
  const simulated = { ...page([row(0, { source: "simulated" })]), simulated: true };
  answers.push(simulated, simulated);
  await readNewest(book);
  assert.equal(book.isSimulated, true);
  assert.deepEqual(
    book.candles.map(({ source }) => source),
    ["simulated"],
  );
});

test("an older page of another market is not joined: all are asked for anew", async () => {
  await opened(page([row(3), row(4)], row(3).t));
  const simulated = (rows) => ({ ...page(rows.map((each) => ({ ...each, source: "simulated" }))), simulated: true });
  answers.push(simulated([row(1), row(2)]), simulated([row(4), row(5)]));
  await readOlder(book);
  assert.deepEqual(minutes(book), [4, 5]);
  assert.equal(book.isSimulated, true);
  assert.equal(asked.at(-1), "asset=ES&timeframe=1m&limit=500");
});

test("an older page that is asked for at the end of a minute leaves that minute to be asked for", async () => {
  await opened(page([row(0), row(1, { complete: false })], row(0).t));
  hearPrice(book, 105, START + 2 * MINUTE + 10);
  answers.push(page([row(-1)]));
  await readOlder(book);
  answers.push(page([row(0), row(1, { h: 120 }), row(2, { complete: false })]));
  mock.timers.tick(2_500);
  await settled();
  assert.deepEqual(minutes(book), [-1, 0, 1, 2]);
  assert.equal(book.candles[2].high, 120);
});

test("a market that was switched is asked for again, but not with each picture", async () => {
  await opened(page([row(0)]));
  for (let picture = 0; picture < 10; picture += 1) readSwitched(book);
  assert.equal(asked.length, 1);
  book.askedAt -= 5_001;
  answers.push(page([row(0)]));
  for (let picture = 0; picture < 10; picture += 1) readSwitched(book);
  await settled();
  assert.equal(asked.length, 2);
});

test("whoever asks while an older page is under way has the newest asked for afterwards", async () => {
  await opened(page([row(3)], row(3).t));
  answers.push(page([row(2)]), page([row(3), row(4)]));
  const older = readOlder(book);
  readNewest(book);
  await older;
  mock.timers.tick(0);
  await settled();
  assert.deepEqual(minutes(book), [2, 3, 4]);
});

test("a closed book hears nothing more", async () => {
  await opened(page([row(0)]));
  closeBook(book);
  await readNewest(book);
  assert.equal(asked.length, 1);
});
