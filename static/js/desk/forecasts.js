// @ts-check

/**
 * What the advisor says of the asset in view. It is asked once for each bar that closes, once a minute while it has no
 * answer, and only while somebody sees the page. Of a simulated market it is never asked: nothing is learned from one.
 */

import { get, inquire, NoAnswer } from "./api.js";
import * as clock from "./clock.js";

const ANSWERS_WITHIN_MS = 4_000;
const AFTER_BAR_MS = 4_000; // feeds stores a minute a moment after its last second
const OUTDATED_AGAIN_MS = 20_000;
const AGAIN_MS = 60_000;
const MINUTE_MS = 60_000;
/** @type {Record<string, number>} */
const BAR_MS = {
  "1m": MINUTE_MS,
  "5m": 5 * MINUTE_MS,
  "15m": 15 * MINUTE_MS,
  "30m": 30 * MINUTE_MS,
  "1h": 60 * MINUTE_MS,
};
const NO_ANSWER = "no_answer";
const WHOLE_ADVISOR_IS_AWAY = ["advisor_away", NO_ANSWER];

/** @type {Page.Forecasts} */
let held = nothing("", "");
let isAsking = false;
let dueAt = 0; // by the desk's clock
/** @type {() => void} */
let tell = () => {};

/** @param {() => void} whenChanged */
export function start(whenChanged) {
  tell = whenChanged;
}

/** What is known of the asset and timeframe that were asked for last. */
export function current() {
  return held;
}

/**
 * Ask what is due. The page calls it whenever it draws.
 *
 * @param {string} asset
 * @param {string} timeframe
 */
export function follow(asset, timeframe) {
  if (held.asset !== asset || held.timeframe !== timeframe) {
    held = nothing(asset, timeframe);
    dueAt = 0;
  }
  if (isAsking || document.visibilityState === "hidden" || clock.now() < dueAt) return;
  askAll(held);
}

/** Forget everything: what is in view now has no forecasts. */
export function drop() {
  if (held.asset !== "") held = nothing("", "");
  dueAt = 0;
}

/**
 * @param {string} asset
 * @param {string} timeframe
 * @returns {Page.Forecasts}
 */
function nothing(asset, timeframe) {
  const none = { answer: null, trouble: null };
  return { asset, timeframe, range: none, signals: none, phase: none };
}

/** @param {Page.Forecasts} asked */
async function askAll(asked) {
  const { asset, timeframe } = asked;
  const which = `timeframe=${timeframe}`;
  isAsking = true;
  asked.range = await answerTo(() =>
    get(`/api/ml/range?asset=${encodeURIComponent(asset)}&${which}`, ANSWERS_WITHIN_MS),
  );
  if (WHOLE_ADVISOR_IS_AWAY.includes(asked.range.trouble?.code ?? "")) {
    asked.signals = asked.phase = { answer: null, trouble: asked.range.trouble };
  } else {
    tell();
    const symbols = `symbols=${encodeURIComponent(asset)}`;
    asked.signals = await answerTo(() => get(`/api/ml/signals/active?${symbols}&${which}`, ANSWERS_WITHIN_MS));
    asked.phase = await answerTo(() =>
      inquire(`/api/ml/amd/${encodeURIComponent(asset)}?${which}`, {}, ANSWERS_WITHIN_MS),
    );
  }
  isAsking = false;
  if (asked === held) dueAt = nextAt(asked);
  tell();
}

/**
 * When to ask again: after the bar that the forecast is for.
 *
 * @param {Page.Forecasts} asked
 */
function nextAt({ range: { answer }, timeframe }) {
  const now = clock.now();
  if (answer === null) return now + AGAIN_MS;
  const ends = Date.parse(answer.valid_until) + AFTER_BAR_MS;
  if (!(ends > now)) return now + OUTDATED_AGAIN_MS;
  return Math.min(ends, now + (BAR_MS[timeframe] ?? MINUTE_MS) + AFTER_BAR_MS);
}

/**
 * @param {() => Promise<{status: number, body: any}>} ask
 * @returns {Promise<{answer: any, trouble: Page.Trouble | null}>}
 */
export async function answerTo(ask) {
  try {
    const { status, body } = await ask();
    if (status === 200) return { answer: body, trouble: null };
    const trouble = { status, code: body.code ?? "", sentence: body.error ?? "", againS: body.retry_after_s };
    return { answer: null, trouble };
  } catch (failure) {
    if (!(failure instanceof NoAnswer)) throw failure;
    return { answer: null, trouble: { status: 0, code: NO_ANSWER, sentence: "" } };
  }
}
