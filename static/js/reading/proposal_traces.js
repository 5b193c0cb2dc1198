// @ts-check

/** Words for proposals that have ended: how each did, and what would have become of it. */

import { price as priceWords, signedPoints, signedUsd } from "./format.js";
import { WITHDRAWN } from "./proposals.js";
import { count, newYork, plain } from "./words.js";

/** @type {Record<NonNullable<Wire.ProposalTrace["outcome"]>, string>} */
const OUTCOMES = { target: "target", stop: "stop", day_end: "the day's end" };
/** @type {Record<NonNullable<Wire.ProposalTrace["unfollowed"]>, string>} */
const UNFOLLOWED = {
  no_price: "no price was fresh when it was opened",
  past_its_levels: "the price was past its levels when it was opened",
  no_prices_after: "no price came after it",
  contract_changed: "the contract changed",
  not_followed: "it was not followed",
};

/**
 * Which of them the journal's filters select. Mode, reason and tag are of trades alone: with one of them none is.
 *
 * @param {readonly Wire.ProposalTrace[]} traces
 * @param {URLSearchParams} chosen
 */
export function selected(traces, chosen) {
  if (["mode", "reason", "tag"].some((name) => chosen.has(name))) return [];
  const isChosen = (/** @type {string} */ name, /** @type {string} */ value) =>
    !chosen.has(name) || chosen.get(name) === value;
  return traces.filter(
    ({ proposal }) =>
      isChosen("env", proposal.env) && isChosen("asset", proposal.asset) && isChosen("side", proposal.direction),
  );
}

/**
 * The days of the journal's filters as this call names them.
 *
 * @param {URLSearchParams} chosen
 * @param {number} limit
 */
export function daysOf(chosen, limit) {
  const asked = new URLSearchParams({ limit: String(limit) });
  if (chosen.has("first_day")) asked.set("from", chosen.get("first_day") ?? "");
  if (chosen.has("last_day")) asked.set("to", chosen.get("last_day") ?? "");
  return asked;
}

/**
 * How many ended how: 5 proposals: 2 taken, 3 expired.
 *
 * @param {readonly Wire.ProposalTrace[]} traces
 * @param {boolean} isMore the desk has older ones
 */
export function countWords(traces, isMore) {
  /** @type {Map<string, number>} */
  const ends = new Map();
  for (const { proposal } of traces) ends.set(proposal.status, (ends.get(proposal.status) ?? 0) + 1);
  const parts = [...ends].map(([end, some]) => `${some} ${plain(end)}`);
  return `${isMore ? "the newest " : ""}${count(traces.length, "proposal")}: ${parts.join(", ")}`;
}

/** @param {Wire.ProposalRow} proposal */
export function endWords({ status, gate, why }) {
  if (status === "REFUSED" && gate) return `refused by ${plain(gate)}`;
  if (status === "WITHDRAWN" && why) return `withdrawn: ${WITHDRAWN[why] ?? plain(why)}`;
  return plain(status);
}

/**
 * Entry, stop and target as it was proposed.
 *
 * @param {Wire.ProposalRow} proposal
 * @param {number} tickSize
 */
export function levelWords({ entry, stop, target }, tickSize) {
  const [from, out, to] = [entry, stop, target].map((value) => priceWords(value, tickSize));
  return `${from}, stop ${out}${target === null ? "" : `, target ${to}`}`;
}

/**
 * What would have become of it; `value` gives the text its colour, null when nobody knows.
 *
 * @param {Wire.ProposalTrace} trace
 * @returns {{says: string, result: string, value: number | null}}
 */
export function outcomeWords({ outcome, outcome_ts: at, points, usd, unfollowed, simulated }) {
  if (outcome === null) {
    const why = unfollowed ? `unknown: ${UNFOLLOWED[unfollowed] ?? plain(unfollowed)}` : "not decided yet";
    return { says: why, result: "", value: null };
  }
  const when = at ? ` ${newYork(at)}` : "";
  const result = `${signedPoints(points)} pt${usd === null ? "" : `, ${signedUsd(usd)}`}`;
  return {
    says: `${OUTCOMES[outcome] ?? plain(outcome)}${when}${simulated ? ", simulated" : ""}`,
    result,
    value: points,
  };
}
