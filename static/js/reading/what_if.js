// @ts-check

/** Words for a day decided again: what became of the entries that the desk refused, and how little that may say. */

import { price as priceWords, signedPoints, signedUsd, UNKNOWN, wholeNumber } from "./format.js";
import { share } from "./ranges.js";
import { count, plain } from "./words.js";

const ENOUGH = 20; // entries; fewer say nothing of the next ones
const Z = 1.96;
/** @type {Record<string, string>} */
const OUTCOMES = { target: "target", stop: "stop", day_end: "end of the day" };
/** @type {Record<string, string>} */
const UNJUDGED = {
  no_direction: "it waited for a colour",
  no_price: "no price was known",
  no_prices_after: "no price came after it",
  in_position: "a position was held",
  repeated: "an earlier one would have been open still",
};

/**
 * The sums as sentences, the first the answer.
 *
 * @param {Wire.WhatIfDay} day
 * @returns {string[]}
 */
export function sumWords({ sums, taken, replay_equal: isEqual, unequal_rows: unequal, truncated, refused }) {
  const { judged, targets, stops, day_ends: dayEnds } = sums;
  if (sums.refused === 0) return ["No entry was refused on this day.", takenWords(taken)];
  const sentences = [
    `${count(sums.refused, "refused entry", "refused entries")}, ${judged} of them judged: ${signedUsd(sums.usd)}, ${signedPoints(sums.points)} points together.`,
  ];
  if (judged > 0)
    sentences.push(`${count(targets, "target")}, ${count(stops, "stop")}, ${dayEnds} at the end of the day.`);
  sentences.push(rateWords(targets, judged));
  if (sums.limits_only > 0) {
    sentences.push(`Refused by limits alone: ${sums.limits_only}, worth ${signedUsd(sums.limits_only_usd)}.`);
  }
  sentences.push(takenWords(taken));
  if (truncated) sentences.push(`The first ${refused.length} are listed, the sums count all.`);
  if (!isEqual)
    sentences.push(`This program decides ${count(unequal, "row")} of the day otherwise than the journal says.`);
  return sentences.filter(Boolean);
}

/** @param {Wire.TakenSums} taken */
function takenWords({ entries, trades, usd }) {
  return `Taken: ${count(entries, "entry", "entries")}, ${count(trades, "closed trade")}, ${signedUsd(usd)}.`;
}

/**
 * How often the target came first, with Wilson's 95 % interval; below twenty that it says nothing yet.
 *
 * @param {number} targets
 * @param {number} judged
 */
function rateWords(targets, judged) {
  if (judged === 0) return "";
  const { low, high } = interval(targets, judged);
  const rate = `Target first in ${share(targets / judged)} of ${judged} (95 %: ${share(low)} to ${share(high)})`;
  return judged < ENOUGH ? `${rate}: fewer than ${ENOUGH}, so it says nothing of the next ones.` : `${rate}.`;
}

/**
 * Wilson's interval of a share.
 *
 * @param {number} hits
 * @param {number} n above 0
 */
export function interval(hits, n) {
  const rate = hits / n;
  const middle = rate + (Z * Z) / (2 * n);
  const reach = Z * Math.sqrt((rate * (1 - rate)) / n + (Z * Z) / (4 * n * n));
  const whole = 1 + (Z * Z) / n;
  return { low: Math.max(0, (middle - reach) / whole), high: Math.min(1, (middle + reach) / whole) };
}

/**
 * What became of a refused entry, in a few words.
 *
 * @param {Wire.RefusedEntry} entry
 */
export function outcomeWords({ outcome, why, points, usd }) {
  if (outcome === null) return `not judged: ${UNJUDGED[why ?? ""] ?? plain(why ?? "unknown")}`;
  return `${OUTCOMES[outcome] ?? plain(outcome)}, ${signedPoints(points)}, ${signedUsd(usd)}`;
}

/**
 * What was tried: BUY ES 5,250.25.
 *
 * @param {Wire.RefusedEntry} entry
 */
export function tryWords({ direction, asset, price, simulated }) {
  const level = price === null ? UNKNOWN : priceWords(price);
  return `${direction ?? "either side"} ${asset} at ${level}${simulated ? " · simulated" : ""}`;
}

/** @param {number} number */
export function progressWords(number) {
  return `The day is decided again from its journal, row by row: ${wholeNumber(number)} s so far. The desk goes on meanwhile.`;
}
