// @ts-check

/** Words for what feeds says of itself, and for why it says nothing. */

import { age } from "./format.js";

/** @typedef {Wire.FeedsAnswer} Answer */
/** @typedef {Wire.FeedsPort} Port */
/** @typedef {{secondsSince: (time: string | null | undefined) => number | null}} Clock */

/** @type {Record<NonNullable<Answer["reason"]>, string>} */
const ABSENCES = {
  refused: "Feeds is not running: nobody listens at",
  unreachable: "Feeds cannot be reached at",
  silent: "Feeds does not answer within a second at",
  unreadable: "Another program answers at",
  other_desk: "The feeds of another desk answers at",
};
/** @type {Partial<Record<NonNullable<Answer["reason"]>, string>>} */
const CURES = {
  refused: " make run and make serve start it, unless FEEDS=0.",
  unreadable: " Give feeds a free FEEDS_PORT, or name its address in FEEDS_URL.",
  other_desk: " Give this desk's feeds ports of its own: whoever connects there hears the other desk.",
};

/**
 * One sentence about the whole program.
 *
 * @param {Answer} answer
 * @param {Clock} clock
 */
export function headline(answer, clock) {
  const { state, health, url } = answer;
  if (state === "off") return "FEEDS_URL is off: web asks no feeds.";
  if (state === "unknown" || (health === null && answer.reason === null)) return `Asking feeds at ${url} …`;
  if (health === null) return absence(answer, clock);
  return health.status === "ok" && health.ok ? "Running. It hears the desk." : troubles(health, clock);
}

/**
 * @param {Answer} answer
 * @param {Clock} clock
 */
function absence({ reason, url, since }, clock) {
  const why = reason ?? "unreachable";
  return `${ABSENCES[why]} ${url}${forSo(since, clock)}.${CURES[why] ?? ""}`;
}

/**
 * @param {Wire.FeedsHealth} health
 * @param {Clock} clock
 */
function troubles({ web, ports }, clock) {
  const said = [];
  if (!web.is_up) said.push(`it does not hear the desk${whyWords(web.why)}${forSo(web.since, clock)}`);
  const taken = ports.filter(({ state }) => state === "taken").map(({ port }) => port);
  if (taken.length > 0) said.push(`another program has port ${taken.join(", ")}`);
  return said.length > 0 ? `Running, but ${said.join(", and ")}.` : "Running, but it says that it is not well.";
}

/**
 * What can be mended by hand; else it goes on trying.
 *
 * @param {string | null} why
 */
function whyWords(why) {
  if (why === "refused") return ", which refuses its SERVICE_SECRET: both programs need the same one";
  return why === "unreachable" ? ", which LOCKSTEP_URL must lead to" : "";
}

/**
 * @param {string | null | undefined} since
 * @param {Clock} clock
 */
function forSo(since, clock) {
  const seconds = clock.secondsSince(since);
  return seconds === null ? "" : ` (noticed ${age(seconds)} ago)`;
}

/**
 * A feed's port as feeds knows it; none when feeds says nothing.
 *
 * @param {Answer} answer
 * @param {string} name
 * @returns {Port | undefined}
 */
export function portOf({ health }, name) {
  return health?.ports.find((port) => port.name === name);
}

/**
 * @param {Answer} answer
 * @param {Port | undefined} port
 * @param {string} setting
 */
export function stateWords(answer, port, setting) {
  if (!port) return answer.state === "away" ? "away" : "not known";
  if (port.state === "taken") return `another program has the port; tried again every 5 s, or set ${setting}`;
  if (port.state === "listening") return "listening";
  return port.port === 0 ? `off (${setting}=0)` : "off";
}

/**
 * Who is connected; of the journal, which is asked and not listened to, how often it answered.
 *
 * @param {Port | undefined} port
 */
export function clientWords(port) {
  if (port?.state !== "listening") return "";
  return port.name === "journal" ? ` · answered ${port.sent} times` : ` · ${port.clients} connected`;
}

/**
 * @param {Port | undefined} port
 * @param {Clock} clock
 */
export function ageWords(port, clock) {
  if (port?.state !== "listening") return "";
  const seconds = clock.secondsSince(port.last_sent_at);
  if (seconds === null) return "no message yet";
  return seconds < 2 ? "message now" : `last message ${age(seconds)} ago`;
}
