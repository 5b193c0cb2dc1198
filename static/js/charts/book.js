// @ts-check

/**
 * The bricks of one asset and size that the page holds. The desk numbers them: the stream's next brick is one more
 * than the last, a number already held is no news, and a jump means that bricks were missed: all are asked for anew.
 */

import { get, NoAnswer } from "../desk/api.js";

export const BRICKS_ASKED = 2_000;
const BRICKS_AT_MOST = 2_500;
const ASK_AGAIN_MS = 1_000;
const WAITING_AT_MOST = 5_000;

/**
 * A book for a series; `whenChanged` is called after it was read anew. `fresh` are the bricks not drawn yet.
 *
 * @param {string} asset
 * @param {string} size
 * @param {() => void} whenChanged
 */
export function openBook(asset, size, whenChanged) {
  const now = { edition: 0, isRead: false, isReading: false, isClosed: false, isOutdated: false };
  /** @type {Page.Book} */
  const book = { asset, size, bricks: [], fresh: [], waiting: [], ...now, whenChanged };
  read(book);
  return book;
}

/** @param {Page.Book} book */
export function closeBook(book) {
  book.isClosed = true;
  clearTimeout(book.timer);
}

/**
 * Ask for all of it: at the start, after a gap, and whenever the stream was opened anew.
 *
 * @param {Page.Book} book
 */
export async function read(book) {
  if (book.isClosed) return;
  if (book.isReading) {
    book.isOutdated = true; // the answer under way may be older than the stream that was opened meanwhile
    return;
  }
  book.isReading = true;
  book.isOutdated = false;
  clearTimeout(book.timer);
  const answer = await ask(book);
  book.isReading = false;
  if (book.isClosed) return;
  if (answer === null) return askAgain(book);
  take(book, answer.bricks);
  if (book.isOutdated) return void read(book);
  if (!answer.complete) askAgain(book); // the desk has just started and still reads its past
}

/**
 * @param {Page.Book} book
 * @returns {Promise<Wire.BricksAnswer | null>}
 */
async function ask({ asset, size }) {
  const path = `/api/bricks?asset=${encodeURIComponent(asset)}&size=${size}&limit=${BRICKS_ASKED}`;
  try {
    const { status, body } = await get(path);
    return status === 200 ? body : null;
  } catch (failure) {
    if (!(failure instanceof NoAnswer)) throw failure;
    return null;
  }
}

/** @param {Page.Book} book */
function askAgain(book) {
  book.timer = setTimeout(read, ASK_AGAIN_MS, book);
}

/**
 * @param {Page.Book} book
 * @param {Wire.BrickRow[]} bricks
 */
function take(book, bricks) {
  book.bricks = bricks;
  book.fresh = [];
  book.isRead = true;
  book.edition += 1;
  const waiting = book.waiting;
  book.waiting = [];
  for (const brick of waiting) hear(book, brick);
  book.whenChanged();
}

/**
 * Take a brick from the stream.
 *
 * @param {Page.Book} book
 * @param {Wire.BrickRow} brick
 */
export function hear(book, brick) {
  if (book.isReading || !book.isRead) {
    if (book.waiting.length < WAITING_AT_MOST) book.waiting.push(brick);
    return;
  }
  const last = book.bricks.at(-1);
  if (last && brick.n <= last.n) return;
  if (!last || brick.n > last.n + 1) return void read(book);
  book.bricks.push(brick);
  book.fresh.push(brick);
  if (book.bricks.length > BRICKS_AT_MOST) shorten(book);
}

/** @param {Page.Book} book */
function shorten(book) {
  book.bricks = book.bricks.slice(-BRICKS_ASKED);
  book.fresh = [];
  book.edition += 1;
}

/**
 * The brick of a number; numbers have no holes within a book.
 *
 * @param {Page.Bricks} book
 * @param {number} number
 * @returns {Wire.BrickRow | undefined}
 */
export function brickOf({ bricks }, number) {
  return bricks.length ? bricks[number - bricks[0].n] : undefined;
}

/**
 * The first brick that closed at or after a moment, the last one when none has yet, null before all of them.
 *
 * @param {Page.Bricks} book
 * @param {Page.Instant} moment
 */
export function brickAt({ bricks }, moment) {
  const at = Date.parse(moment);
  if (bricks.length === 0 || at < Date.parse(bricks[0].ts)) return null;
  let [low, high] = [0, bricks.length - 1];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (Date.parse(bricks[middle].ts) < at) low = middle + 1;
    else high = middle;
  }
  return bricks[low];
}
