// @ts-check

/** Words for candles: what the axis and the cross say, what a candle was made of, and why there are none. */

import { MARKET_ZONE, price as priceWords, UNKNOWN, wholeNumber } from "./format.js";
import { count } from "./words.js";

const DAY = 2; // the library's kinds of labels: 0 years, 1 months, 2 days, 3 times, 4 times with seconds
/** @type {Intl.DateTimeFormatOptions} */
const CLOCK = { hour: "2-digit", minute: "2-digit", hour12: false };
/** @param {Intl.DateTimeFormatOptions} parts of a wall clock that is written as if it were UTC */
const onTheWall = (parts) => new Intl.DateTimeFormat("en-GB", { ...parts, timeZone: "UTC" });
const labels = [
  onTheWall({ year: "numeric" }),
  onTheWall({ month: "short" }),
  onTheWall({ day: "numeric", month: "short" }),
  onTheWall(CLOCK),
];
const dates = onTheWall({ weekday: "short", day: "numeric", month: "short", year: "numeric" });
const moments = new Intl.DateTimeFormat("en-GB", { ...CLOCK, day: "numeric", month: "short", timeZone: MARKET_ZONE });
const UNAVAILABLE = 503;
const SIMULATED = "simulated"; // said once for all of them
const BY_DATE = ["1d", "1w"];
/** @type {Record<string, string>} */
const SOURCES = {
  ticks: "ticks",
  bridge: "the bridge's history",
  provider: "a data provider",
  heartbeat: "TradingView's bars",
  sampled: "prices now and then",
  quotes: "prices that this page heard",
};
const AGAIN = "It is asked again.";

/**
 * The label beneath a place of the axis.
 *
 * @param {number} time the wall clock as if it were UTC, in seconds
 * @param {number} kind
 * @param {string} timeframe
 */
export function tickWords(time, kind, timeframe) {
  const most = BY_DATE.includes(timeframe) ? DAY : labels.length - 1;
  return labels[Math.min(kind, most)].format(time * 1000);
}

/**
 * The label of the place under the cross.
 *
 * @param {Page.Place | null} place
 * @param {string} timeframe
 */
export function crossWords(place, timeframe) {
  if (place === null) return "";
  if (place.hole) return `no prices ${spanWords(place.hole)}`;
  return BY_DATE.includes(timeframe) ? dates.format(place.time * 1000) : moments.format(place.at);
}

/** @param {Page.Hole} hole */
function spanWords({ from, to }) {
  const [begins, ends] = [moments.format(from), moments.format(to)];
  const isOneDay = begins.slice(0, -5) === ends.slice(0, -5);
  return `${begins} to ${isOneDay ? ends.slice(-5) : ends}`;
}

/**
 * A place in a line: its four prices, volume and source.
 *
 * @param {Page.Place | null} place
 * @param {string} timeframe
 * @param {number} tickSize
 */
export function placeWords(place, timeframe, tickSize) {
  if (place === null) return "";
  const { candle } = place;
  if (candle === null) return crossWords(place, timeframe);
  const { open, high, low, close, volume, isComplete, source } = candle;
  const words = (/** @type {number} */ value) => priceWords(value, tickSize);
  const traded = volume === null ? UNKNOWN : wholeNumber(volume);
  const prices = `O ${words(open)} H ${words(high)} L ${words(low)} C ${words(close)} V ${traded}`;
  if (!isComplete) return `${prices} · forming`;
  return source === SIMULATED ? prices : `${prices} · of ${SOURCES[source] ?? source}`;
}

/**
 * What a chart shows, in a sentence for who cannot see it.
 *
 * @param {Page.CandleBook} book
 * @param {Page.Place[]} places
 * @param {number} holes
 * @param {number} tickSize
 */
export function chartWords({ asset, timeframe, candles, isSimulated, isRead }, places, holes, tickSize) {
  const name = `${asset} candles of ${timeframe}`;
  const last = places.at(-1) ?? null;
  if (last === null) return `${name}: ${isRead ? "no candle yet" : "being read"}`;
  const gaps = holes === 0 ? "" : `, ${count(holes, "time")} without prices between them`;
  const told = `the last ${crossWords(last, timeframe)} ${placeWords(last, timeframe, tickSize)}`;
  return `${name}${isSimulated ? ", simulated" : ""}: ${count(candles.length, "candle")}${gaps}, ${told}`;
}

/**
 * Why there is no answer.
 *
 * @param {Page.Trouble} trouble
 */
export function troubleWords({ status, sentence }) {
  if (status === 0) return `The desk does not answer. ${AGAIN}`;
  const said = sentence || `the desk answered ${status}`;
  const unneeded = status === UNAVAILABLE ? "Bricks and orders do not need it. " : "";
  return `No candles: ${said}. ${unneeded}${AGAIN}`;
}
