// @ts-check

/**
 * The candles of one asset and timeframe that the page holds. Feeds makes them, and may be away: then what is held stays,
 * the trouble is known, and it is asked again, ever more seldom. Nothing waits for an answer but the chart itself.
 */

import { get, NoAnswer } from "../desk/api.js";
import { candleOf, isByClock, joined, movedBy } from "./candles.js";

const PAGE = 500;
const NEWEST = 60;
const CANDLES_AT_MOST = 5_000; // more are slow to draw on a small machine
const ANSWERS_WITHIN_MS = 4_000;
const ASK_AGAIN_MS = [2_000, 5_000, 10_000, 30_000];
const MINUTE_MS = 60_000;
const STORED_AFTER_MS = 2_500; // feeds stores a minute a moment after its last second
const NEWS_EVERY_MS = 30_000; // of candles that begin with a session
const SWITCHED_EVERY_MS = 5_000;
const NO_ANSWER = "no_answer";

/** @typedef {{limit: number, before?: Page.Instant}} Question how many candles: the newest, or those before an instant */

/**
 * A book of candles; `whenChanged` is called after anything in it is another.
 *
 * @param {string} asset
 * @param {string} timeframe
 * @param {() => void} whenChanged
 */
export function openBook(asset, timeframe, whenChanged) {
  const now = { edition: 0, tries: 0, minute: 0, isRead: false, isReading: false, isClosed: false, isOutdated: false };
  /** @type {Page.Candles} */
  const empty = { asset, timeframe, candles: [], isSimulated: false };
  /** @type {Page.CandleBook} */
  const book = { ...empty, before: null, trouble: null, askedAt: 0, ...now, whenChanged };
  readAll(book);
  return book;
}

/** @param {Page.CandleBook} book */
export function closeBook(book) {
  book.isClosed = true;
  clearTimeout(book.timer);
}

/**
 * Forget what is held and ask for the newest page: at the start, and when another market feeds the asset.
 *
 * @param {Page.CandleBook} book
 */
export function readAll(book) {
  return ask(book, { limit: PAGE }, (answer) => {
    book.candles = answer.candles.map(candleOf);
    book.before = answer.before;
    book.isSimulated = answer.simulated;
    book.minute = Math.floor((book.candles.at(-1)?.at ?? 0) / MINUTE_MS);
    book.isRead = true;
  });
}

/**
 * The asset's market is simulated now and was not, or the other way round: those candles are others.
 *
 * @param {Page.CandleBook} book
 */
export function readSwitched(book) {
  if (book.isRead && book.trouble === null && performance.now() - book.askedAt > SWITCHED_EVERY_MS) readAll(book);
}

/**
 * Ask for the page before the oldest candle, and for all anew when another market feeds the asset. None is asked for at
 * the end, nor when the page holds as many as it can.
 *
 * @param {Page.CandleBook} book
 */
export async function readOlder(book) {
  const { before } = book;
  if (!book.isRead || before === null || isFull(book) || book.trouble !== null) return;
  let isJoined = true;
  await ask(book, { limit: PAGE, before }, (answer) => {
    isJoined = answer.simulated === book.isSimulated;
    if (!isJoined) return;
    book.candles = joined(answer.candles.map(candleOf), book.candles);
    book.before = answer.before;
  });
  if (!isJoined) await readAll(book);
}

/** @param {Page.CandleBook} book */
export function isFull(book) {
  return book.candles.length >= CANDLES_AT_MOST;
}

/**
 * Ask for the newest candles, and for all anew when they do not join those that are held.
 *
 * @param {Page.CandleBook} book
 */
export async function readNewest(book) {
  if (!book.isRead) return readAll(book);
  let isJoined = true;
  await ask(book, { limit: NEWEST }, (answer) => {
    const told = answer.candles.map(candleOf);
    const last = book.candles.findLast((candle) => candle.isComplete) ?? book.candles.at(-1);
    isJoined = answer.simulated === book.isSimulated && (!last || told.length === 0 || told[0].at <= last.at);
    if (isJoined) book.candles = joined(book.candles, told);
  });
  if (!isJoined) await readAll(book);
}

/**
 * Take a price of the asset. Answers the candle that it moved or began; null when it says nothing of the newest.
 *
 * @param {Page.CandleBook} book
 * @param {number} price
 * @param {number} at epoch milliseconds
 */
export function hearPrice(book, price, at) {
  if (!book.isRead) return null;
  const minute = Math.floor(at / MINUTE_MS);
  if (minute > book.minute) readSoon(book, STORED_AFTER_MS); // the minute before is stored, also within a longer candle
  book.minute = Math.max(book.minute, minute);
  const last = book.candles.at(-1);
  const moved = movedBy(last, book.timeframe, price, at);
  if (moved === null) {
    if (!isByClock(book.timeframe)) askForNews(book);
    return null;
  }
  if (moved.at === last?.at) book.candles[book.candles.length - 1] = moved;
  else book.candles.push(moved);
  return moved;
}

/**
 * A price belongs to a candle that has not begun here: only feeds knows when it does.
 *
 * @param {Page.CandleBook} book
 */
function askForNews(book) {
  if (performance.now() - book.askedAt > NEWS_EVERY_MS) readNewest(book);
}

/**
 * @param {Page.CandleBook} book
 * @param {number} inMs
 */
function readSoon(book, inMs) {
  clearTimeout(book.timer);
  book.timer = setTimeout(readNewest, inMs, book);
}

/**
 * One question at a time: whoever asks meanwhile has the newest candles asked for afterwards.
 *
 * @param {Page.CandleBook} book
 * @param {Question} question
 * @param {(answer: Wire.StoredCandles) => void} take
 */
async function ask(book, question, take) {
  if (book.isClosed) return;
  if (book.isReading) {
    book.isOutdated = true;
    return;
  }
  book.isReading = true;
  book.askedAt = performance.now();
  if (question.before === undefined) clearTimeout(book.timer); // an older page brings no minute that has just ended
  const { answer, trouble } = await answerTo(book, question);
  book.isReading = false;
  if (book.isClosed) return;
  book.trouble = trouble;
  if (answer !== null) take(answer);
  else readSoon(book, ASK_AGAIN_MS[Math.min(book.tries, ASK_AGAIN_MS.length - 1)]);
  if (answer !== null && book.isOutdated) readSoon(book, 0);
  book.isOutdated = false;
  book.tries = answer === null ? book.tries + 1 : 0;
  book.edition += 1;
  book.whenChanged();
}

/**
 * @param {Page.CandleBook} book
 * @param {Question} question
 * @returns {Promise<{answer: Wire.StoredCandles | null, trouble: Page.Trouble | null}>}
 */
async function answerTo({ asset, timeframe }, { limit, before }) {
  const which = `asset=${encodeURIComponent(asset)}&timeframe=${timeframe}&limit=${limit}`;
  const path = `/api/candles?${which}${before === undefined ? "" : `&before=${encodeURIComponent(before)}`}`;
  try {
    const { status, body } = await get(path, ANSWERS_WITHIN_MS);
    if (status === 200) return { answer: body, trouble: null };
    return { answer: null, trouble: { status, code: body.code ?? "", sentence: body.error ?? "" } };
  } catch (failure) {
    if (!(failure instanceof NoAnswer)) throw failure;
    return { answer: null, trouble: { status: 0, code: NO_ANSWER, sentence: "" } };
  }
}
