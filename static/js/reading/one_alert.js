// @ts-check

/** Words for the one alert's checklist: what its newest message says of the chart, the script and the clocks. */

import { verdictOf } from "./feed.js";
import { age } from "./format.js";

const KIND = "tv";
const REFUSED = ["refused", "dead_letter"];
const FRESH_MS = 10 * 60 * 1000;
const JUST_NOW_MS = 4_000;
const MOST_SECONDS_BEHIND = 2;
/** @type {Record<string, string>} */
const BASES = { "15S": "15 s", 1: "1 min" };

/** @type {Partial<Record<import("./feed.js").Verdict, Check>>} what is not whole though nothing is known to be wrong */
const WITHOUT_FAULT = {
  silent: { mark: "unknown", words: "not known: no bar was heard lately" },
  unjudged: { mark: "unknown", words: "not judged: no size has a last brick that can be relied on" },
};

/** @typedef {"done" | "open" | "wrong" | "unknown"} Mark */
/** @typedef {{mark: Mark, words: string}} Check */
/** @typedef {{line: Wire.LogRow | null, refused: Wire.LogRow | null}} Heard */

/**
 * The asset's newest message, and one that was refused after it. A refused one names no asset.
 *
 * @param {Wire.LogRow[]} lines newest first
 * @param {string} symbol
 * @returns {Heard}
 */
export function heardOf(lines, symbol) {
  const own = lines.filter(({ kind }) => kind === KIND);
  const line = own.find(({ asset }) => asset === symbol) ?? null;
  const refused = own.find(({ code, asset }) => asset === null && REFUSED.includes(code)) ?? null;
  const isNewer = refused !== null && (line === null || Date.parse(refused.ts) > Date.parse(line.ts));
  return { line, refused: isNewer ? refused : null };
}

/**
 * Whether a message came.
 *
 * @param {Heard} heard
 * @param {Page.Instant | null} heartbeat when any price of the asset came
 * @param {number} now
 * @returns {Check}
 */
export function arrival({ line, refused }, heartbeat, now) {
  if (refused !== null) return { mark: "wrong", words: `the newest was refused: ${refused.text}` };
  if (line === null && heartbeat === null) return { mark: "open", words: "nothing received yet" };
  if (line === null)
    return { mark: "unknown", words: "none that the log knows of; prices came another way, or earlier" };
  const since = now - Date.parse(line.ts);
  if (since < JUST_NOW_MS) return { mark: "done", words: "received now" };
  const ago = `received ${age(Math.floor(since / 1000))} ago`;
  if (since < FRESH_MS) return { mark: "done", words: ago };
  return { mark: "wrong", words: `${ago}: the market rests, or the alert has stopped` };
}

/**
 * How many sizes the script has a last brick of, and of how many the desk has heard one.
 *
 * @param {Wire.LogRow | null} line
 * @param {Record<string, string>} colors by size, what the desk heard
 * @returns {Check}
 */
export function sizes(line, colors) {
  const all = Object.keys(colors).sort((a, b) => Number(a) - Number(b));
  const awaited = all.filter((size) => colors[size] === "neutral");
  const known = all.length - awaited.length;
  const waits = awaited.length > 0 ? `, none yet of ${awaited.map((size) => `${size}pt`).join(", ")}` : "";
  const desk = `the desk has heard ${known} of ${all.length}${waits}`;
  if (line === null) return { mark: "unknown", words: `of the script nothing is known; ${desk}` };
  const told = Number(line.facts?.sizes ?? 0);
  const isWhole = told === all.length && awaited.length === 0;
  return { mark: isWhole ? "done" : "open", words: `the script knows ${told} of ${all.length}, ${desk}` };
}

/**
 * How long the newest message was on its way by the two clocks.
 *
 * @param {Wire.LogRow | null} line
 * @returns {Check}
 */
export function offset(line) {
  const behind = line?.facts?.behind_s;
  if (typeof behind !== "number") return { mark: "unknown", words: "unknown" };
  const seconds = `${Math.abs(behind).toFixed(1)} s`;
  const isNear = Math.abs(behind) <= MOST_SECONDS_BEHIND;
  const words = behind < 0 ? `TradingView's clock is ${seconds} ahead` : `${seconds} from the alert to the desk`;
  return { mark: isNear ? "done" : "wrong", words: isNear ? words : `${words}: compare the machine's clock` };
}

/**
 * The base timeframe of the chart.
 *
 * @param {Wire.LogRow | null} line
 * @returns {Check}
 */
export function base(line) {
  const tf = line?.facts?.tf;
  return tf === undefined
    ? { mark: "unknown", words: "unknown" }
    : { mark: "done", words: BASES[String(tf)] ?? String(tf) };
}

/**
 * Whether the script's last bricks are the desk's.
 *
 * @param {Wire.LogRow | null} line
 * @returns {Check}
 */
export function agreement(line) {
  if (line === null) return { mark: "unknown", words: "unknown" };
  const differs = line.facts?.differs;
  if (differs === undefined) return { mark: "done", words: "the desk's bricks are the script's" };
  return {
    mark: "wrong",
    words: `the desk had other bricks of size ${differs}: a message was missed, or another alert sends too`,
  };
}

/**
 * Whether the asset's entries are closed by its feed.
 *
 * @param {Wire.FeedState | undefined} feed
 * @param {number} now epoch milliseconds
 * @returns {Check}
 */
export function wholeness(feed, now) {
  if (feed === undefined || (feed.source === null && feed.faults.length === 0)) {
    return { mark: "open", words: "nothing heard yet" };
  }
  const [fault] = feed.faults;
  if (fault === undefined) return WITHOUT_FAULT[verdictOf(feed, now)] ?? { mark: "done", words: "whole" };
  const more = feed.faults.length > 1 ? `, and ${feed.faults.length - 1} more` : "";
  return { mark: feed.whole ? "unknown" : "wrong", words: `${fault.sentence}${more}` };
}

/**
 * Who builds the bricks of an asset, and what that means.
 *
 * @param {string | undefined} builtBy
 */
export function builderWords(builtBy) {
  return builtBy === "desk"
    ? [
        "The desk builds the bricks",
        "of the bars' prices and the bridge's ticks; the script's are compared and make none.",
      ]
    : ["The script builds the bricks;", "the desk checks that each continues the one before."];
}
