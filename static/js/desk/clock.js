// @ts-check

/**
 * The desk's time. Every countdown runs from it: the local wall clock is never asked.
 *
 * Each message carries the server's `now`. A message can only arrive late, never early, so the largest
 * difference to the page's own steady counter among the recent ones is the one nearest to the truth. (A stream
 * that resumes repeats old messages, so it is the last half minute that counts, not the last few messages.)
 */

const SAMPLE_LASTS_MS = 30_000;
/** @type {{heardAt: number, ahead: number}[]} what the latest messages say of the desk's clock */
let samples = [];
/** @type {Set<() => void>} */
const listeners = new Set();
let isTicking = false;

/**
 * Learn from the `now` of a message (RFC 3339).
 *
 * @param {string} serverTime
 */
export function hear(serverTime) {
  const at = Date.parse(serverTime);
  if (Number.isNaN(at)) return;
  const heardAt = performance.now();
  samples = samples.filter((sample) => heardAt - sample.heardAt < SAMPLE_LASTS_MS);
  samples.push({ heardAt, ahead: at - heardAt });
}

/** The desk's time in milliseconds of the epoch. */
export function now() {
  return performance.now() + Math.max(...samples.map((sample) => sample.ahead));
}

/**
 * Seconds from now until an RFC 3339 time, rounded up so that 00:00 means over; null without a time.
 *
 * @param {string | null | undefined} time
 */
export function secondsUntil(time) {
  return time ? Math.max(0, Math.ceil((Date.parse(time) - now()) / 1000)) : null;
}

/**
 * Whole seconds since an RFC 3339 time; null without a time.
 *
 * @param {string | null | undefined} time
 */
export function secondsSince(time) {
  return time ? Math.max(0, Math.floor((now() - Date.parse(time)) / 1000)) : null;
}

/**
 * Call the listener at every full second of the desk's time. All share one timer.
 *
 * @param {() => void} listener
 */
export function everySecond(listener) {
  listeners.add(listener);
  if (!isTicking) {
    isTicking = true;
    waitForNextSecond();
  }
}

function waitForNextSecond() {
  const untilNext = 1000 - (now() % 1000);
  setTimeout(tick, untilNext + 5); // a little after, or the timer's own rounding shows a second twice
}

function tick() {
  waitForNextSecond();
  for (const listener of listeners) listener();
}
