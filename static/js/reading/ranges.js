// @ts-check

/** Words for the usual range of the next bar: how much of it held before, where it comes from, what lies inside it. */

import { clockTime, price as priceWords } from "./format.js";

/** The timeframes that ranges are told for. */
export const TIMEFRAMES = ["1m", "5m", "15m", "30m", "1h"];
const MEASURED_FROM = 20; // forecasts; before, a share says nothing
const WIDE = 0.8;
const FAR_RANGES = 10;
/** @type {Record<string, string>} */
const NEXT = {
  "1m": "the next minute",
  "5m": "the next 5 min",
  "15m": "the next 15 min",
  "30m": "the next 30 min",
  "1h": "the next hour",
};
/** @type {Record<string, string>} */
const METHODS = {
  flat: "one width for all hours, by ATR",
  hour: "table by hour and ATR",
  model: "trained model on top of the table",
};
/** @type {Record<number, string>} */
const KINDS = { 0.5: "usual-half", 0.8: "usual" };

/**
 * Whether a forecast is of this asset and timeframe and is for this moment.
 *
 * @param {Wire.RangeBands | null} told
 * @param {string} asset
 * @param {string} timeframe
 * @param {number} now epoch milliseconds
 */
export function holds(told, asset, timeframe, now) {
  return told !== null && told.asset === asset && told.timeframe === timeframe && now < Date.parse(told.valid_until);
}

/**
 * Whether a forecast can be of the market that the desk sees: its close lies between its own prices, and those are not
 * many ranges away. Bars in another unit, or of another contract, would squeeze the chart into a line.
 *
 * @param {Wire.RangeBands} told
 * @param {number | null} price the desk's newest
 */
export function isOfThisMarket(told, price) {
  const band = wideOf(told);
  if (!band || !(band.low <= told.close && told.close <= band.high)) return false;
  return price === null || Math.abs(price - told.close) <= FAR_RANGES * Math.max(band.high - band.low, told.atr);
}

/**
 * Why a forecast of other prices is not shown.
 *
 * @param {Wire.RangeBands} told
 * @param {number} tickSize
 */
export function elsewhereWords(told, tickSize) {
  return `No usual range: the advisor's prices, around ${priceWords(told.close, tickSize)}, are far from the desk's.`;
}

/**
 * A share as whole percents: 80 %.
 *
 * @param {number} value
 */
export function share(value) {
  return `${Math.round(value * 100)} %`;
}

/**
 * What the forecast of a quantile is called: 80 %.
 *
 * @param {Wire.RangeBand} band
 */
export function quantileWords({ quantile }) {
  return share(quantile);
}

/**
 * How many of the last forecasts held, as they were counted.
 *
 * @param {Wire.RangeBand} band
 */
export function heldWords({ held_high: high, held_low: low, n }) {
  if (high === null || low === null) return `not yet measured (${n} of ${MEASURED_FROM} forecasts)`;
  if (share(high) === share(low)) return `${share(high)} of the last ${n} held`;
  return `highs ${share(high)}, lows ${share(low)} of the last ${n} held`;
}

/**
 * The time that a forecast is for: the next 5 min.
 *
 * @param {string} timeframe
 */
export function nextWords(timeframe) {
  return NEXT[timeframe] ?? `the next ${timeframe}`;
}

/**
 * Where it comes from and until when it holds.
 *
 * @param {Wire.RangeBands} told
 */
export function originWords({ method, valid_until: until }) {
  return `${METHODS[method] ?? method} · until ${clockTime(until).slice(0, 5)}`;
}

/**
 * The forecast in a line.
 *
 * @param {Wire.RangeBands} told
 * @param {number} tickSize
 */
export function rangeLine(told, tickSize) {
  const band = wideOf(told);
  if (!band) return "";
  const words = (/** @type {number} */ value) => priceWords(value, tickSize);
  const range = `${words(band.low)} to ${words(band.high)}`;
  return `Usual range of ${nextWords(told.timeframe)}: ${range} · ${heldWords(band)} · ${originWords(told)}`;
}

/**
 * The forecast as lines of a chart, the highest first.
 *
 * @param {Wire.RangeBands} told
 * @returns {Page.PriceLine[]}
 */
export function rangeLines({ bands }) {
  return bands.flatMap((band) => {
    const kind = /** @type {Page.PriceLine["kind"]} */ (KINDS[band.quantile] ?? "usual");
    return [
      { kind, title: `${quantileWords(band)} high`, price: band.high },
      { kind, title: `${quantileWords(band)} low`, price: band.low },
    ];
  });
}

/**
 * What lies where: a stop within reach of an usual move, a target beyond it.
 *
 * @param {Wire.RangeBands} told
 * @param {{stop: number | null, target: number | null, isOpen: boolean}} order its prices; not open: the next entry's
 * @returns {string[]}
 */
export function insideWords(told, { stop, target, isOpen }) {
  const band = wideOf(told);
  if (!band) return [];
  const isWithin = (/** @type {number} */ level) => level >= band.low && level <= band.high;
  const [whose, lies] = isOpen ? ["Your", "lies"] : ["The next entry's", "would lie"];
  const range = `the usual range of ${nextWords(told.timeframe)}`;
  const sentences = [];
  if (stop !== null && isWithin(stop)) sentences.push(`${whose} stop ${lies} inside ${range}.`);
  if (target !== null && !isWithin(target)) sentences.push(`${whose} target ${lies} outside ${range}.`);
  return sentences;
}

/** @param {Wire.RangeBands} told */
function wideOf({ bands }) {
  return bands.find(({ quantile }) => quantile === WIDE) ?? null;
}

/**
 * Why there is no range, in the words of whoever said so.
 *
 * @param {Page.Trouble} trouble
 */
export function noRangeWords(trouble) {
  return `No usual range: ${reasonOf(trouble)}.`;
}

/**
 * Why the advisor said nothing.
 *
 * @param {Page.Trouble} trouble
 */
export function reasonOf({ status, sentence }) {
  if (status === 0) return "the desk does not answer";
  return (sentence || `the desk answered ${status}`).replace(/[.\s]+$/, "");
}
