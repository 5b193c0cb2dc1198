// @ts-check

/**
 * Words for auto-trade: what its shadow trades became, beside doing nothing and beside a coin. Without enough trades
 * nothing is said of them, and a difference whose interval holds zero is no proven one.
 */

import { clockMoment } from "./format.js";
import { count, plain, signedR, whole } from "./words.js";

/** @type {Record<Wire.AutoStatus["mode"], string>} */
const MODES = {
  paper: "Paper: a shadow book that no broker knows",
  proposals: "Proposals: it suggests, only your click enters",
};
/** @type {Record<string, string>} */
const RESULTS = {
  awaiting: "waits for a yes",
  pending: "open in the shadow book",
  tp: "came to its target",
  sl: "came to its stop",
  timeout: "came to neither",
  unknown: "nobody knows what became of it",
  blocked: "blocked",
  rejected: "rejected",
  expired: "expired without a yes",
  proposed: "proposed to you",
};

/**
 * Whether there is anything to show: what was never on and never decided says nothing.
 *
 * @param {Wire.AutoStatus | null} status
 * @returns {status is Wire.AutoStatus}
 */
export function isTold(status) {
  return status !== null && (status.enabled || status.last_decision !== null);
}

/** @param {Wire.AutoStatus} status */
export function stateWords({ enabled, timeframe, rr_config: config }) {
  return `${enabled ? "on" : "off"} · bars of ${timeframe}, ${ratioWords(config)}`;
}

/**
 * A ratio by its name: rr_2_1 is target 2 : stop 1.
 *
 * @param {Wire.AutoStatus["rr_config"]} config
 */
function ratioWords(config) {
  const [, target, stop] = config.split("_");
  return `target ${target} : stop ${stop}`;
}

/** @param {Wire.AutoStatus} status */
export function modeWords({ mode }) {
  return MODES[mode] ?? mode;
}

/**
 * How many trades of the day it took, and what waits for a yes.
 *
 * @param {Wire.AutoStatus} status
 */
export function todayWords({ trades_today: taken, config, awaiting }) {
  const most = config ? ` of ${config.max_daily_trades} at most` : "";
  const waits = awaiting > 0 ? `; ${count(awaiting, "decision waits", "decisions wait")} for a yes` : "";
  return `${taken}${most}${waits}`;
}

/**
 * The last decision, and why.
 *
 * @param {Wire.LastDecision | null} last
 * @param {number} now epoch milliseconds
 * @returns {{says: string, beside: string}}
 */
export function lastWords(last, now) {
  if (last === null) return { says: "None yet", beside: "" };
  const became = last.result ? `: ${RESULTS[last.result] ?? plain(last.result)}` : "";
  const blocked = last.blocked_by ? `${became ? " by" : ": blocked by"} ${plain(last.blocked_by)}` : "";
  const says = `${last.action} ${last.symbol} at ${clockMoment(last.timestamp, now)}${became}${blocked}`;
  return { says, beside: whole(last.reasoning) };
}

/**
 * The shadow trades and the two baselines: what each made a trade, and how sure that is.
 *
 * @param {Wire.AutoResults} results
 * @returns {{name: string, mean: string, beside: string}[]}
 */
export function resultRows({ r, always_flat: flat, coin_flip: coin }) {
  return [
    { name: "Shadow trades", mean: signedR(r.mean), beside: intervalWords(r) },
    { name: "Doing nothing", mean: signedR(flat.mean), beside: betterWords(flat) },
    { name: "A coin's side", mean: signedR(coin.mean), beside: betterWords(coin) },
  ];
}

/** @param {Wire.MeanR} mean */
function intervalWords({ low, high }) {
  return low === null || high === null ? "" : `95 %: ${signedR(low)} to ${signedR(high)}`;
}

/** @param {Wire.Compared} compared */
function betterWords({ better_by: by }) {
  if (by.mean === null || by.low === null || by.high === null) return "";
  const worth = by.low > 0 ? "better" : by.high < 0 ? "worse" : "no proven difference";
  return `the trades ${signedR(by.mean)} against it, ${intervalWords(by)}: ${worth}`;
}

/**
 * How many trades the figures are of.
 *
 * @param {Wire.AutoResults} results
 */
export function countedWords({ n, won, lost, timed_out: timedOut, not_counted: notCounted, open, r }) {
  const few = r.mean === null ? ", too few to say anything of them" : "";
  const ends = n > 0 ? `: ${won} at the target, ${lost} at the stop, ${timedOut} at neither` : "";
  const others = [open > 0 ? `${open} open` : "", notCounted > 0 ? `${notCounted} not counted` : ""].filter(Boolean);
  const beside = others.length > 0 ? ` Beside them ${others.join(", ")}.` : "";
  return `${count(n, "trade counts", "trades count")}${few}${ends}.${beside}`;
}
