// @ts-check

/** Words for signals and phases. They are information: how often, of how many, beside what is usual without them. */

import { clockTime, price as priceWords } from "./format.js";
import { share } from "./ranges.js";
import { capital } from "./words.js";

const NO_SIGNAL = "No signal: nothing has proven skill.";
/** @type {Record<string, string>} */
const SIDES = { long: "Long", short: "Short" };
/** @type {Record<string, string>} */
const SOURCES = { base_rate: "a base rate, no forecast", model: "a proven model" };
/** @type {Record<string, string>} */
const SEEN = {
  range_compression: "narrow range",
  low_volume: "low volume",
  false_break: "false break",
};

/**
 * The signal of an asset and what stands beside it; the usual answer is that there is none, and why.
 *
 * @param {Wire.ActiveSignals} told
 * @param {string} symbol
 * @param {number} tickSize
 * @returns {{says: string, beside: string}}
 */
export function signalWords({ signals, errors }, symbol, tickSize) {
  const signal = signals.find((one) => one.symbol === symbol);
  if (!signal) return { says: NO_SIGNAL, beside: capital(errors.find((one) => one.symbol === symbol)?.detail ?? "") };
  const words = (/** @type {number} */ value) => priceWords(value, tickSize);
  const { direction, entry_price: entry, stop_loss: stop, take_profit: target } = signal;
  const rate = `target before stop in ${share(signal.prob_tp_first)}, by ${SOURCES[signal.prob_source] ?? signal.prob_source}`;
  return {
    says: `${SIDES[direction] ?? direction} from ${words(entry)}: stop ${words(stop)}, target ${words(target)}`,
    beside: `${rate}; ${share(signal.base_rate)} of all ${signal.n} bars · until ${clockTime(signal.valid_until).slice(0, 5)}`,
  };
}

/**
 * The phase of an asset's market, what it was read from and what it was worth.
 *
 * @param {Wire.AmdAnswer} told
 * @returns {{says: string, beside: string}}
 */
export function phaseWords({ phase, start_time: since, signals, lift, lift_low: low, lift_high: high, base_rate, n }) {
  const seen = signals.map((code) => SEEN[code] ?? code.replaceAll("_", " ")).join(", ");
  const begun = since ? ` since ${clockTime(since).slice(0, 5)}` : "";
  const says = phase === "unknown" ? "No phase can be read." : `${capital(phase)}${begun}${seen ? `: ${seen}` : ""}`;
  if (lift === null || low === null || high === null || base_rate === null) {
    return { says, beside: "What it is worth is not measured." };
  }
  const interval = `${signedShare(low)} to ${signedShare(high)}`;
  const worth = low > 0 ? "more often" : "no proven difference";
  return {
    says,
    beside: `${signedShare(lift)} targets before stops (95 %: ${interval}) over ${share(base_rate)} in all bars, ${n} entries: ${worth}`,
  };
}

/**
 * A difference of shares: +2 %.
 *
 * @param {number} value
 */
export function signedShare(value) {
  const whole = Math.round(value * 100);
  return `${whole > 0 ? "+" : whole < 0 ? "−" : ""}${Math.abs(whole)} %`;
}
