// @ts-check

/**
 * The bricks of one asset and size that the page holds. The desk numbers them: the stream's next brick is one more
 * than the last, a number already held is no news, and a jump means that bricks were missed: all are asked for anew.
 */

import { get, NoAnswer } from "../desk/api.js";

export const BRICKS_ASKED = 2_000;
const NEWEST_ASKED = 50; // more than close while a page opens, or while a stream is interrupted for a moment
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
 * Ask for all of it: at the start and after a gap.
 *
 * @param {Page.Book} book
 */
export function read(book) {
  return ask(book, BRICKS_ASKED, take);
}

/**
 * The stream was opened anew, and bricks may have been missed: ask for the newest, and for all of it only when they do
 * not join what is held. An answer that is under way may be older than the stream, so this waits for it.
 *
 * @param {Page.Book} book
 */
export function catchUp(book) {
  return book.isRead || book.isReading ? ask(book, NEWEST_ASKED, join) : read(book);
}

/**
 * One question at a time: whoever asks meanwhile has the newest bricks asked for afterwards.
 *
 * @param {Page.Book} book
 * @param {number} limit
 * @param {(book: Page.Book, answer: Wire.BricksAnswer) => void} takeAnswer
 */
async function ask(book, limit, takeAnswer) {
  if (book.isClosed) return;
  if (book.isReading) {
    book.isOutdated = true;
    return;
  }
  book.isReading = true;
  book.isOutdated = false;
  clearTimeout(book.timer);
  const answer = await answerTo(book, limit);
  book.isReading = false;
  if (book.isClosed) return;
  if (answer === null) return askAgain(book);
  takeAnswer(book, answer);
  if (book.isOutdated) return void catchUp(book);
  if (!answer.complete && !book.isReading) askAgain(book); // the desk has just started and still reads its past
}

/**
 * @param {Page.Book} book
 * @param {number} limit
 * @returns {Promise<Wire.BricksAnswer | null>}
 */
async function answerTo({ asset, size }, limit) {
  const path = `/api/bricks?asset=${encodeURIComponent(asset)}&size=${size}&limit=${limit}`;
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
 * @param {Wire.BricksAnswer} answer
 */
function take(book, { bricks }) {
  book.bricks = bricks;
  book.fresh = [];
  book.isRead = true;
  book.edition += 1;
  hearWaiting(book);
  book.whenChanged();
}

/**
 * Add the newest bricks to those that are held.
 *
 * @param {Page.Book} book
 * @param {Wire.BricksAnswer} answer
 */
function join(book, { bricks, complete }) {
  const [first] = bricks;
  const isJoined = complete && first !== undefined && isSame(brickOf(book, first.n), first);
  if (!isJoined) return void read(book);
  for (const brick of bricks) hear(book, brick);
  hearWaiting(book);
  book.whenChanged();
}

/**
 * A desk that was started anew counts anew: the number alone does not tell that it is the same brick.
 *
 * @param {Wire.BrickRow | undefined} held
 * @param {Wire.BrickRow} brick
 */
function isSame(held, brick) {
  return held?.ts === brick.ts && held.color === brick.color && held.close === brick.close;
}

/** @param {Page.Book} book */
function hearWaiting(book) {
  const waiting = book.waiting;
  book.waiting = [];
  for (const brick of waiting) hear(book, brick);
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
 * @param {{bricks: Page.Closing[]}} book
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
