import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";

import "../browser.js";

const { brickAt, brickOf, catchUp, closeBook, hear, openBook, read } = await import(
  "../../../static/js/charts/book.js"
);

const brick = (n) => ({
  n,
  ts: new Date(Date.UTC(2031, 0, 6, 15, n)).toISOString(),
  color: "green",
  open: null,
  close: null,
});
const numbers = (book) => book.bricks.map(({ n }) => n);

/** The desk's answers to the page's questions, in order: `{bricks, complete}`. */
let answers;
let asked;
let changes;

globalThis.fetch = async (path) => {
  asked.push(path);
  return Response.json({ ok: true, ...answers.shift() });
};

/** A book that has read bricks 1 to 3. */
async function bookOfThree() {
  answers.push({ bricks: [brick(1), brick(2), brick(3)], complete: true });
  const book = openBook("ES", "6", () => {
    changes += 1;
  });
  await settled();
  return book;
}

const settled = () => new Promise((resolve) => setTimeout(resolve, 20));

beforeEach(() => {
  answers = [];
  asked = [];
  changes = 0;
});

test("a book asks for its series once and says that it has changed", async () => {
  const book = await bookOfThree();
  assert.deepEqual(numbers(book), [1, 2, 3]);
  assert.deepEqual(asked, ["/api/bricks?asset=ES&size=6&limit=2000"]);
  assert.equal(changes, 1);
});

test("the stream's next brick is added; one that is held already is no news", async () => {
  const book = await bookOfThree();
  hear(book, brick(4));
  hear(book, brick(4));
  hear(book, brick(2));
  assert.deepEqual(numbers(book), [1, 2, 3, 4]);
  assert.deepEqual(
    book.fresh.map(({ n }) => n),
    [4],
    "the only one to draw",
  );
  assert.equal(asked.length, 1);
});

test("a stream that opens while the series is read: a brick between the two is not lost, and the rest is not read twice", async () => {
  answers.push({ bricks: [brick(1)], complete: true }, { bricks: [brick(1), brick(2)], complete: true });
  const book = openBook("ES", "6", () => {});
  catchUp(book);
  await settled();
  assert.deepEqual(numbers(book), [1, 2]);
  assert.deepEqual(asked, ["/api/bricks?asset=ES&size=6&limit=2000", "/api/bricks?asset=ES&size=6&limit=50"]);
});

test("of a stream that was opened anew only the newest bricks are asked for, and what joins is drawn behind the rest", async () => {
  const book = await bookOfThree();
  book.fresh = [];
  const { edition } = book;
  answers.push({ bricks: [brick(3), brick(4)], complete: true });
  const asking = catchUp(book);
  hear(book, brick(5));
  await asking;
  assert.deepEqual(numbers(book), [1, 2, 3, 4, 5]);
  assert.deepEqual(
    book.fresh.map(({ n }) => n),
    [4, 5],
  );
  assert.equal(book.edition, edition, "nothing has to be drawn anew");
  assert.equal(changes, 2);
});

test("newest bricks that do not join what is held have all asked for: more were missed", async () => {
  const book = await bookOfThree();
  answers.push({ bricks: [brick(5)], complete: true }, { bricks: [brick(1), brick(5)], complete: true });
  catchUp(book);
  await settled();
  assert.deepEqual(numbers(book), [1, 5]);
  assert.equal(asked.length, 3);
});

test("a desk that was started anew counts anew: the same number of another time has all asked for", async () => {
  const book = await bookOfThree();
  const later = { ...brick(3), ts: brick(30).ts };
  answers.push({ bricks: [later, brick(4)], complete: true }, { bricks: [later, brick(4)], complete: true });
  catchUp(book);
  await settled();
  assert.deepEqual(book.bricks, [later, brick(4)]);
});

test("a desk that still reads its past is asked for all of it", async () => {
  const book = await bookOfThree();
  answers.push({ bricks: [brick(3)], complete: false }, { bricks: [brick(2), brick(3)], complete: true });
  catchUp(book);
  await settled();
  assert.deepEqual(numbers(book), [2, 3]);
});

test("a series without a brick stays empty", async () => {
  answers.push(...Array(3).fill({ bricks: [], complete: true }));
  const book = openBook("ES", "6", () => {});
  await settled();
  catchUp(book);
  await settled();
  assert.deepEqual([numbers(book), asked.length], [[], 3]);
});

test("a jump means that bricks were missed: all are asked for anew", async () => {
  const book = await bookOfThree();
  answers.push({ bricks: [brick(1), brick(2), brick(3), brick(4), brick(5)], complete: true });
  hear(book, brick(5));
  await settled();
  assert.deepEqual(numbers(book), [1, 2, 3, 4, 5]);
  assert.equal(asked.length, 2);
});

test("what the stream says while the book is read waits, and nothing of it is lost or doubled", async () => {
  const book = await bookOfThree();
  answers.push({ bricks: [brick(1), brick(2), brick(3), brick(4)], complete: true });
  const reading = read(book);
  hear(book, brick(4));
  hear(book, brick(5));
  await reading;
  assert.deepEqual(numbers(book), [1, 2, 3, 4, 5]);
});

test("a closed book takes no answer any more", async () => {
  const book = await bookOfThree();
  answers.push({ bricks: [], complete: true });
  const reading = read(book);
  closeBook(book);
  await reading;
  assert.deepEqual(numbers(book), [1, 2, 3]);
  assert.equal(changes, 1);
});

test("a long day is kept to the newest two thousand", async () => {
  const book = await bookOfThree();
  for (let n = 4; n <= 2_501; n += 1) hear(book, brick(n));
  assert.equal(book.bricks.length, 2_000);
  assert.deepEqual([book.bricks[0].n, book.bricks.at(-1).n], [502, 2_501]);
  assert.equal(brickOf(book, 502).n, 502);
});

test("a brick is found by its number, and by a moment", async () => {
  const book = await bookOfThree();
  assert.equal(brickOf(book, 2).n, 2);
  assert.equal(brickOf(book, 9), undefined);
  assert.equal(brickAt(book, "2031-01-06T15:01:30Z").n, 2, "the first that closed then or later");
  assert.equal(brickAt(book, "2031-01-06T15:02:00Z").n, 2);
  assert.equal(brickAt(book, "2031-01-06T15:09:00Z").n, 3, "the last one while none has closed since");
  assert.equal(brickAt(book, "2031-01-06T15:00:59Z"), null, "before all of them");
});
