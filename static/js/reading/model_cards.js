// @ts-check

/** Words for a model's card: what is served and why, what it was measured against, how often it was right. */

import { wholeNumber } from "./format.js";
import { share } from "./ranges.js";
import { newYork, plain, whole } from "./words.js";

/** @type {Record<string, string>} */
const VERDICTS = {
  not_trained: "Not trained",
  flat: "Serves one width for all hours",
  hour: "Serves the table by hour and ATR",
  model: "Serves the trained model",
};
/** @type {Record<string, string>} */
const BASE_RATE_VERDICTS = { ...VERDICTS, flat: "Gives the base rate only", hour: "Gives the base rate only" };
/** @type {Record<string, string>} */
const AGAINST = { flat: "one width", hour: "the table", base_rate: "the base rate" };
/** @type {Record<string, string>} */
const SERVED = { flat: "one width", hour: "table by hour and ATR", model: "trained model", base_rate: "base rate" };
const BESIDE = "_beside_model"; // a simple rule's loss on the bars that the model forecast
/** @type {Record<string, string>} */
const RATIOS = { rr_1_1: "1 : 1", rr_2_1: "2 : 1", rr_3_1: "3 : 1" };
/** @type {Record<string, string>} */
const SOURCES = {
  ticks: "ticks",
  bridge: "the bridge's history",
  provider: "a data provider",
  heartbeat: "TradingView's bars",
};

/**
 * What a card is of: ES 5m, usual range.
 *
 * @param {Wire.ModelCard} card
 */
export function titleWords({ symbol, timeframe, target, rr }) {
  const what = target === "range" ? "usual range" : `target before stop${rr ? `, ${RATIOS[rr] ?? rr}` : ""}`;
  return `${symbol} ${timeframe}, ${what}`;
}

/** @param {Wire.ModelCard} card */
export function verdictWords({ verdict, target }) {
  const words = target === "range" ? VERDICTS : BASE_RATE_VERDICTS;
  return words[verdict] ?? plain(verdict);
}

/** @param {Wire.ModelCard} card */
export function servingWords({ serving }) {
  return serving ? "answers now" : "does not answer";
}

/**
 * The mean losses, in the order of the ladder; a smaller one is better.
 *
 * @param {Wire.ModelCard} card
 * @returns {[string, string][]}
 */
export function lossPairs({ losses, target }) {
  const words = target === "range" ? SERVED : { ...SERVED, flat: "base rate" };
  return Object.entries(losses).map(([name, value]) => {
    const [served, isBeside] = name.endsWith(BESIDE) ? [name.slice(0, -BESIDE.length), true] : [name, false];
    const said = words[served] ?? plain(served);
    return [isBeside ? `${said}, on the model's own bars` : said, significant(value)];
  });
}

/**
 * Why this is served, as a sentence.
 *
 * @param {Wire.ModelCard} card
 */
export function whyWords({ why }) {
  return whole(why);
}

/**
 * Those that answer first, ranges before targets; else the order that they came in.
 *
 * @param {readonly Wire.ModelCard[]} cards
 */
export function inOrder(cards) {
  const rank = (/** @type {Wire.ModelCard} */ { serving, target }) => (serving ? 0 : 2) + (target === "range" ? 0 : 1);
  return [...cards].sort((one, other) => rank(one) - rank(other));
}

/**
 * A skill in words: a share by which a loss is smaller, with its interval.
 *
 * @param {Wire.Skill} skill
 */
export function skillWords({ against, value, low, high }) {
  const proven = low > 0 ? "better" : high < 0 ? "worse" : "no proven difference";
  return `against ${AGAINST[against] ?? plain(against)}: ${percent(value)} (95 %: ${percent(low)} to ${percent(high)}), ${proven}`;
}

/**
 * Where a skill and its interval lie on a bar from −1 to 1 of `reach`, as parts of its width from 0 to 1.
 *
 * @param {Wire.Skill} skill
 * @param {number} reach the largest skill that the bar shows
 */
export function skillPlaces({ value, low, high }, reach) {
  const place = (/** @type {number} */ share) => (Math.max(-reach, Math.min(reach, share)) / reach + 1) / 2;
  return { value: place(value), low: place(low), high: place(high) };
}

/**
 * The reach that bars of these skills need, so that all of them can be compared.
 *
 * @param {readonly Wire.Skill[]} skills
 */
export function reachOf(skills) {
  return Math.max(0.05, ...skills.flatMap(({ low, high }) => [Math.abs(low), Math.abs(high)]));
}

/**
 * Which share held out of sample beside the share that should: one row for each quantile.
 *
 * @param {Wire.ModelCard} card
 * @returns {{quantile: string, high: string, low: string}[]}
 */
export function coverageRows({ coverage }) {
  const quantiles = [...new Set(Object.keys(coverage).map((name) => name.split("_")[1] ?? ""))].sort();
  const words = (/** @type {string} */ name) => (name in coverage ? share(coverage[name]) : "–");
  return quantiles.map((quantile) => ({
    quantile: share(Number(quantile)),
    high: words(`high_${quantile}`),
    low: words(`low_${quantile}`),
  }));
}

/**
 * What a card was made of, as pairs.
 *
 * @param {Wire.ModelCard} card
 * @returns {[string, string][]}
 */
export function dataPairs({
  data,
  n,
  base_rate: rate,
  made_at: madeAt,
  program,
  libraries,
  features,
  protocol,
  horizon,
}) {
  const { sources, first, last, sessions, rows, sha256 } = data;
  const minutes = Object.entries(sources).map(([name, held]) => `${wholeNumber(held)} of ${SOURCES[name] ?? name}`);
  /** @type {[string, string][]} */
  const pairs = [
    ["From", newYork(first)],
    ["To", newYork(last)],
    ["Sessions", wholeNumber(sessions)],
    ["Bars", wholeNumber(rows)],
    ["Minutes", minutes.join(", ")],
    ["Forecast out of sample", wholeNumber(n)],
    ...(rate === null ? [] : [/** @type {[string, string]} */ (["Base rate", share(rate)])]),
    ["Horizon", horizon === 1 ? "1 bar" : `${horizon} bars`],
    ["Made", newYork(madeAt)],
    ["By", [program, ...Object.entries(libraries).map(([name, version]) => `${name} ${version}`)].join(", ")],
    ["Features", features],
    ["Protocol", protocol],
    ["Bars' SHA-256", sha256],
  ];
  return pairs;
}

/**
 * A share as percents with a tenth, signed: +1.3 %.
 *
 * @param {number} value
 */
function percent(value) {
  const tenths = Math.round(value * 1000) / 10;
  return `${tenths > 0 ? "+" : tenths < 0 ? "−" : ""}${Math.abs(tenths).toFixed(1)} %`;
}

/** @param {number} value */
function significant(value) {
  return String(Number(Number(value).toPrecision(4)));
}
