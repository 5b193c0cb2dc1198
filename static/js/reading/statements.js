// @ts-check

/** Words beside a statement of the advisor: how much it counts, how sure it is, and the facts that it is made of. */

import { clockMoment, wholeNumber } from "./format.js";
import { count, plain } from "./words.js";

const INSTANT = /^\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:\d\d)$/;
/** @type {Record<string, string>} */
const TOOLS = {
  explain_blocks: "the ladder",
  journal_statistics: "the journal's figures",
  day_review: "the day's journal",
  blocked_attempts: "refused attempts",
  what_if_day: "the day decided again",
  range_forecast: "the usual range",
  signal: "signals",
  amd_phase: "the phase",
  positions: "positions",
  consensus: "the consensus feed",
};

/**
 * What a tool is called.
 *
 * @param {string} tool
 */
export function toolWords(tool) {
  return TOOLS[tool] ?? plain(tool);
}

/**
 * How much a statement counts; empty of one that counts nothing. Its interval stands in the sentence, with its unit.
 *
 * @param {Wire.Statement} statement
 */
export function weightWords({ n }) {
  return n === null || n === undefined ? "" : `counts ${wholeNumber(n)}`;
}

/**
 * The facts of a statement as pairs, its interval among them.
 *
 * @param {Wire.Statement} statement
 * @param {number} now epoch milliseconds
 */
export function statementPairs({ facts, low, high }, now) {
  const hasInterval = low !== null && low !== undefined && high !== null && high !== undefined;
  return factPairs(hasInterval ? { ...facts, "95 % from": low, "95 % to": high } : facts, now);
}

/**
 * Facts as pairs of a name and a value in words.
 *
 * @param {Record<string, unknown>} facts
 * @param {number} now epoch milliseconds
 * @returns {[string, string][]}
 */
export function factPairs(facts, now) {
  return Object.entries(facts).map(([name, value]) => [plain(name), valueWords(value, now)]);
}

/**
 * @param {unknown} value
 * @param {number} now
 * @returns {string}
 */
function valueWords(value, now) {
  if (value === null || value === undefined) return "unknown";
  if (typeof value === "boolean") return value ? "yes" : "no";
  if (typeof value === "string" && INSTANT.test(value)) return clockMoment(value, now);
  return typeof value === "object" ? JSON.stringify(value) : String(value);
}

/**
 * Who answered, when, and for which account.
 *
 * @param {Wire.Explained} explained
 * @param {number} now
 */
export function sourceWords({ source, as_of: asOf, env, silent }, now) {
  const left = silent.length === 0 ? "" : ` · ${count(silent.length, "question")} left out: fewer than 20 trades`;
  return `By ${source === "rules" ? "fixed rules, no model" : source} · as of ${clockMoment(asOf, now)}${env ? ` · ${env}` : ""}${left}`;
}
