// @ts-check

/**
 * Candles as the page holds them: pages of the past are joined, quotes move the newest, and where the market had no
 * prices a hole stays a hole. A candle's `at` is its start in epoch milliseconds.
 */

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;
/** Those that begin by the clock (UTC). The others begin with the market's session, which feeds knows and the page does not. */
const BY_CLOCK_MS = new Map([
  ["1m", MINUTE_MS],
  ["5m", 5 * MINUTE_MS],
  ["15m", 15 * MINUTE_MS],
  ["30m", 30 * MINUTE_MS],
  ["1h", HOUR_MS],
]);
/** Of the others: how far apart two neighbours may begin before prices are missing. A weekend with a holiday is none. */
const NEIGHBOURS_WITHIN_MS = new Map([
  ["4h", 4 * DAY_MS],
  ["1d", 5 * DAY_MS],
  ["1w", 11 * DAY_MS],
]);
const STEPS_MS = new Map([...BY_CLOCK_MS, ["4h", 4 * HOUR_MS], ["1d", DAY_MS], ["1w", 7 * DAY_MS]]);
const EMPTY_PLACES_AT_MOST = 12; // a weekend of minutes would push everything else out of sight
/** Every trading day has this date in New York that many hours later: sessions begin at 17:00, 18:00 or 00:00 UTC. */
const DATE_AFTER_MS = 7 * HOUR_MS;

/**
 * A candle of an answer.
 *
 * @param {Wire.StoredCandle} row
 * @returns {Page.Candle}
 */
export function candleOf({ t, o, h, l, c, v, complete, source }) {
  return { at: Date.parse(t), open: o, high: h, low: l, close: c, volume: v, isComplete: complete, source };
}

/**
 * Whether candles of this timeframe begin by the clock.
 *
 * @param {string} timeframe
 */
export function isByClock(timeframe) {
  return BY_CLOCK_MS.has(timeframe);
}

/**
 * Both in one row, ascending. What is `told` replaces what is held, but for a candle that still forms: of that the page
 * may have heard more.
 *
 * @param {Page.Candle[]} held
 * @param {Page.Candle[]} told
 */
export function joined(held, told) {
  const byStart = new Map(held.map((candle) => [candle.at, candle]));
  for (const candle of told) {
    const known = byStart.get(candle.at);
    byStart.set(candle.at, known && !known.isComplete && !candle.isComplete ? widened(candle, known) : candle);
  }
  return [...byStart.values()].sort((one, other) => one.at - other.at);
}

/**
 * A forming candle as feeds tells it, with what the page has heard since.
 *
 * @param {Page.Candle} told
 * @param {Page.Candle} heard
 * @returns {Page.Candle}
 */
function widened(told, heard) {
  const { high, low, close } = heard;
  return { ...told, high: Math.max(told.high, high), low: Math.min(told.low, low), close };
}

/**
 * The newest candle after a quote, null when the quote says nothing of it: it is older, or nobody here knows which
 * candle it belongs to.
 *
 * @param {Page.Candle | undefined} last
 * @param {string} timeframe
 * @param {number} price
 * @param {number} at when the quote was, epoch milliseconds
 * @returns {Page.Candle | null}
 */
export function movedBy(last, timeframe, price, at) {
  const start = startOf(last, timeframe, at);
  if (start === null || (last && start < last.at)) return null;
  if (last === undefined || start > last.at) return begun(start, price);
  if (last.isComplete) return null;
  const { high, low } = last;
  return { ...last, high: Math.max(high, price), low: Math.min(low, price), close: price };
}

/**
 * @param {Page.Candle | undefined} last
 * @param {string} timeframe
 * @param {number} at
 */
function startOf(last, timeframe, at) {
  const length = BY_CLOCK_MS.get(timeframe);
  if (length !== undefined) return Math.floor(at / length) * length;
  return last && !last.isComplete && at >= last.at ? last.at : null;
}

/**
 * @param {number} start
 * @param {number} price
 * @returns {Page.Candle}
 */
function begun(start, price) {
  const level = { open: price, high: price, low: price, close: price };
  return { at: start, ...level, volume: null, isComplete: false, source: "quotes" };
}

// -- places on the axis -----------------------------------------------------------------------------------------

/**
 * The places of the axis: one for each candle, and empty ones where prices are missing, a few for a long time. A place's
 * `time` is its wall clock in New York (of a day its date) as if that were UTC, in seconds: the axis writes no other.
 *
 * @param {Page.Candle[]} candles
 * @param {string} timeframe
 * @param {(at: number) => number} offsetOf New York's distance from UTC at an instant, both in milliseconds
 * @returns {Page.Place[]}
 */
export function placesOf(candles, timeframe, offsetOf) {
  /** @type {Page.Place[]} */
  const places = [];
  for (const candle of candles) places.push(...placesBehind(places.at(-1), candle, timeframe, offsetOf));
  return places;
}

/**
 * The places that a candle adds behind the last one.
 *
 * @param {Page.Place | undefined} last
 * @param {Page.Candle} candle
 * @param {string} timeframe
 * @param {(at: number) => number} offsetOf
 */
export function placesBehind(last, candle, timeframe, offsetOf) {
  /** @type {Page.Place[]} */
  const added = [];
  const put = (
    /** @type {number} */ at,
    /** @type {Page.Candle | null} */ held,
    /** @type {Page.Hole | null} */ hole,
  ) => {
    const before = added.at(-1) ?? last;
    const wall = Math.floor((at + offsetOf(at) + (isByDate(timeframe) ? DATE_AFTER_MS : 0)) / 1000);
    // Where clocks are put back an hour comes twice: its places follow each other all the same.
    added.push({ time: before ? Math.max(wall, before.time + 1) : wall, at, candle: held, hole });
  };
  const hole = last?.candle ? holeBetween(last.candle, candle, timeframe) : null;
  if (hole) for (const at of startsOf(hole, timeframe)) put(at, null, hole);
  put(candle.at, candle, null);
  return added;
}

/** @param {string} timeframe */
function isByDate(timeframe) {
  return timeframe === "1d" || timeframe === "1w";
}

/**
 * The time without prices between two candles, null between neighbours.
 *
 * @param {Page.Candle} one
 * @param {Page.Candle} next
 * @param {string} timeframe
 * @returns {Page.Hole | null}
 */
function holeBetween(one, next, timeframe) {
  const step = STEPS_MS.get(timeframe) ?? MINUTE_MS;
  const reach = NEIGHBOURS_WITHIN_MS.get(timeframe) ?? step;
  return next.at - one.at > reach ? { from: one.at + step, to: next.at } : null;
}

/**
 * @param {Page.Hole} hole
 * @param {string} timeframe
 */
function startsOf({ from, to }, timeframe) {
  const step = STEPS_MS.get(timeframe) ?? MINUTE_MS;
  const count = Math.min(Math.floor((to - from) / step), EMPTY_PLACES_AT_MOST);
  return Array.from({ length: count }, (_, place) => from + place * step);
}

/**
 * How many holes there are among some places.
 *
 * @param {Page.Place[]} places
 */
export function holesIn(places) {
  return new Set(places.flatMap(({ hole }) => (hole ? [hole.from] : []))).size;
}
