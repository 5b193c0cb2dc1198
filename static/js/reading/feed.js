// @ts-check

/** Words for the market that an asset hears: where its bricks come from, what is wrong, and how it became whole again. */

import { age, clockTime, price as priceWords, tradingDay } from "./format.js";

const WARN_DAYS = 3;
/** By the base of the bars: how long each is, and how long after its end the feed is silent. In seconds, as the desk counts. */
const BARS = new Map([
  ["15S", { length: 15, silentAfter: 180 }],
  ["1", { length: 60, silentAfter: 300 }],
]);
/** @type {`${Page.StreamName}_ts`[]} */
const BRICK_TIMES = [
  "one_renko_ts",
  "two_half_renko_ts",
  "renko_ts",
  "main_renko_ts",
  "high_renko_ts",
  "macro_renko_ts",
];
const SIGNS = { green: "▲ G", red: "▼ R" };
/** @type {Record<string, string>} */
const SOURCES = {
  "15S": "bars of 15 s",
  1: "bars of 1 min",
  ticks: "ticks of the bridge",
  single: "an alert for each size",
};
/** @type {Record<Wire.StreamFeedState["state"], string>} */
const CONDITIONS = {
  whole: "whole",
  gapped: "bricks may be missing",
  unsettled: "not certain yet",
  unknown: "its ends were never told",
  stale: "too old to count",
};
/** @type {Record<Verdict, string>} */
const VERDICTS = {
  closed: "Closes entries",
  waiting: "Waiting",
  silent: "Open, though silent",
  unjudged: "Not judged",
  whole: "Whole",
};
/** @type {Record<string, string>} what ended, by the kind of its fault */
const ENDED = {
  missed_bar: "messages were missing",
  broken_chain: "a brick did not continue the one before",
  silent: "nothing was heard",
  delayed: "bars came late",
  other_contract: "another contract was sent",
  roll: "the feed changed its contract",
  source: "the bricks came from elsewhere",
  restart: "nothing was heard since the desk began",
  unsettled: "bricks were not certain",
};
/** @type {Record<string, string>} by what it ended */
const ENDS = {
  continued: "the next message agreed",
  heard: "a bar was heard",
  on_time: "bars come in time",
  own_contract: "the traded contract is sent",
  not_live: "in DEMO silence is no fault",
  aged: "the colour became too old to count",
  unjudged: "a brick came without its close",
  settled: "enough bricks have formed",
  confirmed: "another price agreed",
  other_source: "the bricks come from elsewhere",
};

/** What shows the bricks to be right again. What else ends a fault only ends the judging. */
const MADE_WHOLE = ["continued", "heard", "on_time", "own_contract", "settled", "confirmed"];

/**
 * Where an asset's bricks come from, and how old the newest of them is: its last bar, without bars its last brick. Prices
 * that come another way say nothing of it.
 *
 * @param {Wire.AssetState} asset
 * @param {number} now epoch milliseconds
 */
export function sourceWords(asset, now) {
  const { source } = asset.feed;
  if (source === null) return "nothing heard yet";
  const words = SOURCES[source] ?? source;
  if (BARS.has(source)) {
    const seconds = barAge(asset.feed, now);
    return seconds === null ? words : `${words}, the last ended ${age(seconds)} ago`;
  }
  const seconds = brickAge(asset, now);
  return seconds === null ? words : `${words}, the last brick ${age(seconds)} ago`;
}

/**
 * Seconds since the newest bar ended, null where no bars make the bricks.
 *
 * @param {Wire.FeedState} feed
 * @param {number} now
 */
function barAge({ source, newest_bar: newest }, now) {
  const bar = source === null ? undefined : BARS.get(source);
  if (bar === undefined || newest === null) return null;
  return Math.max(0, Math.floor((now - Date.parse(newest)) / 1000) - bar.length);
}

/**
 * Seconds since the newest brick of any size, null before the first.
 *
 * @param {Wire.AssetState} asset
 * @param {number} now
 */
function brickAge(asset, now) {
  const times = BRICK_TIMES.map((name) => asset[name]).filter((time) => time !== null);
  if (times.length === 0) return null;
  return Math.max(0, Math.floor((now - Math.max(...times.map((time) => Date.parse(time)))) / 1000));
}

/** @typedef {"closed" | "waiting" | "silent" | "unjudged" | "whole"} Verdict */

/**
 * What a feed is worth. Silence closes nothing in DEMO, nor while the market rests: it is not called whole all the same.
 * Nor is a feed of which no size can be relied on, as alerts without closes.
 *
 * @param {Wire.FeedState} feed
 * @param {number} now epoch milliseconds
 * @returns {Verdict}
 */
export function verdictOf(feed, now) {
  const { source, whole, faults, streams } = feed;
  if (!whole) return "closed";
  if (source === null) return "waiting";
  const bars = barAge(feed, now);
  if (faults.length > 0 || (bars !== null && bars >= (BARS.get(source)?.silentAfter ?? 0))) return "silent";
  return streams.some(({ state }) => state === "whole") ? "whole" : "unjudged";
}

/**
 * Whether entries are closed by it, in a few words.
 *
 * @param {Wire.FeedState} feed
 * @param {Wire.GlobalState["env"]} env
 * @param {number} now epoch milliseconds
 */
export function verdictWords(feed, env, now) {
  const verdict = verdictOf(feed, now);
  return verdict === "silent" && env === "DEMO" ? `${VERDICTS.silent}: closes nothing in DEMO` : VERDICTS[verdict];
}

/**
 * Where an asset's bricks come from, or why that says little: for a row of the ladder that is open.
 *
 * @param {Wire.FeedState} feed
 * @param {number} now epoch milliseconds
 */
export function feedFact(feed, now) {
  const verdict = verdictOf(feed, now);
  if (verdict === "silent") return `not heard for ${age(barAge(feed, now))}`;
  if (verdict === "unjudged") return "not judged";
  return feed.source === null ? "nothing heard yet" : (SOURCES[feed.source] ?? feed.source);
}

/** @typedef {{fault: Wire.FeedFaultState, also: number[]}} Fault the first of a kind, and the other sizes that have it */

/**
 * The faults with each kind once: a message that was lost may leave one of every size.
 *
 * @param {Wire.FeedFaultState[]} faults
 */
export function faultsByKind(faults) {
  /** @type {Map<string, Fault>} */
  const found = new Map();
  for (const fault of faults) {
    const first = found.get(fault.kind);
    if (first === undefined) found.set(fault.kind, { fault, also: [] });
    else if (fault.size !== null) first.also.push(fault.size);
  }
  return [...found.values()];
}

/**
 * @param {Wire.FeedFaultState} fault
 * @param {number | null} seconds since it was found
 */
export function sinceWords({ since }, seconds) {
  return seconds === null ? `since ${clockTime(since)}` : `since ${clockTime(since)}, ${age(seconds)}`;
}

/**
 * One size's last brick: its colour and ends.
 *
 * @param {Wire.StreamFeedState} stream
 * @param {number} tickSize
 */
export function brickWords({ color, lo, hi }, tickSize) {
  if (color === "neutral") return "none yet";
  if (lo === null || hi === null) return SIGNS[color];
  return `${SIGNS[color]} ${priceWords(lo, tickSize)} to ${priceWords(hi, tickSize)}`;
}

/**
 * Whether one size can be relied on, and since when it cannot.
 *
 * @param {Wire.StreamFeedState} stream
 */
export function streamWords({ state, since, to_settle: left }) {
  const words = state === "unsettled" && left > 0 ? `certain after ${left} more` : CONDITIONS[state];
  return since === null ? words : `${words}, since ${clockTime(since)}`;
}

/**
 * How a feed became whole again, or why it is judged no longer: the newest of what ended, in a sentence; empty when
 * nothing did.
 *
 * @param {Page.Event[]} ended oldest first
 * @param {Page.Sizes} sizes by stream
 */
export function recoveryWords(ended, sizes) {
  const last = ended.at(-1);
  if (last === undefined) return "";
  const { kind, how } = last.data;
  const together = ended.filter(({ ts, data }) => ts === last.ts && data.kind === kind && data.how === how);
  const named = together.flatMap(({ data }) => (data.stream ? [`${sizes[data.stream] ?? data.stream}pt`] : []));
  const who = named.length > 0 ? `${named.join(", ")} ` : "";
  const what = ENDED[kind] ?? kind.replaceAll("_", " ");
  const end = ENDS[how] ?? how.replaceAll("_", " ");
  const now = MADE_WHOLE.includes(how) ? "whole again" : "no longer judged";
  return `${who}${now} at ${clockTime(last.ts)}: ${what}, then ${end}.`;
}

/**
 * When the contract gives way to the next one; empty for what never does.
 *
 * @param {Wire.AssetState["roll"]} roll
 */
export function rollWords(roll) {
  if (!roll) return "";
  const { contract, rolls_on: day, days, next_contract: next } = roll;
  if (days > 0) return `${contract} rolls on ${tradingDay(day)}, in ${days} ${days === 1 ? "day" : "days"}`;
  return days === 0 ? `${contract} rolls today to ${next}` : `${contract} rolled on ${tradingDay(day)} to ${next}`;
}

/**
 * Whether that is near.
 *
 * @param {Wire.AssetState["roll"]} roll
 */
export function rollIsNear(roll) {
  return roll ? roll.days <= WARN_DAYS : false;
}
