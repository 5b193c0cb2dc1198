// @ts-check

/** Words for how the programs of a desk are. What web has not heard is said so, and never looks well. */

import { age } from "./format.js";

/** @typedef {Wire.ProgramRow} Program */
/** @typedef {Wire.ProgramPort} Port */

const NOT_SAID = "not said";
/** @type {Record<Program["name"], string>} */
const TITLES = { web: "Web", bridge: "Bridge", feeds: "Feeds", advisor: "Advisor", tape: "Tape" };
/** @type {Record<NonNullable<Program["why"]>, string>} */
const REASONS = {
  refused: "nobody listens at its address",
  unreachable: "its address cannot be reached",
  silent: "nothing was heard of it lately",
  unreadable: "another program answers at its address",
  other_desk: "what answers belongs to another desk",
  read_on_the_way: "it is not asked, for the secret would be read on the way",
  never_heard: "",
  store_down: "the store cannot be written",
  broker_unreached: "it does not reach the broker",
  desk_unheard: "it does not hear the desk",
  port_taken: "another program has one of its ports",
  one_port_away: "one of its ports does not answer",
  feeds_unheard: "feeds gives it no bars",
  models_refused: "it does not take one of its models",
  provider_away: "its language model is away, fixed rules answer",
  not_well: "it says that it is not well",
};
/** @type {Partial<Record<Program["name"], string>>} */
const NEVER_HEARD = {
  bridge: "Not heard: no bridge has called since web began",
  tape: "Not heard: no tape plays here, real alerts need none",
};
/** @type {Record<Program["state"], string>} */
const STATES = { up: "Up", degraded: "Up", away: "Away", off: "Off", unknown: "Asking …", not_heard: "Not heard" };
/** @type {Partial<Record<Program["name"], string>>} */
const SWITCHED_OFF = { feeds: "Off: FEEDS_URL is off", advisor: "Off: ADVISOR_URL and AGENT_URL are off" };

/** @param {Program} program */
export function titleWords({ name }) {
  return TITLES[name] ?? name;
}

/** @param {Program} program */
export function stateWords({ name, state, why }) {
  if (state === "not_heard") return NEVER_HEARD[name] ?? STATES.not_heard;
  if (state === "off") return SWITCHED_OFF[name] ?? STATES.off;
  const reason = why === null ? "" : (REASONS[why] ?? why);
  if (reason === "") return STATES[state] ?? state;
  return state === "degraded" ? `Up, but ${reason}` : `${STATES[state] ?? state}: ${reason}`;
}

/**
 * @param {Program} program
 * @param {string} own the version of web
 */
export function versionWords({ version }, own) {
  if (version === null) return NOT_SAID;
  return version === own ? version : `${version}, not ${own} as web`;
}

/**
 * @param {Program} program
 * @param {string} own
 */
export function differs({ version }, own) {
  return version !== null && version !== own;
}

/**
 * How long ago it was heard.
 *
 * @param {Program} program
 */
export function heardWords({ age_s: seconds }) {
  if (seconds === null) return "not heard";
  return seconds < 2 ? "now" : `${age(seconds)} ago`;
}

/** @param {Program} program */
export function uptimeWords({ uptime_s: seconds }) {
  return seconds === null ? NOT_SAID : age(seconds);
}

/** @param {Program} program */
export function portsWords({ ports }) {
  return ports.length === 0 ? "none" : ports.map(portWords).join(", ");
}

/** @param {Port} port */
function portWords({ name, port, state }) {
  if (state === "off" || port === 0) return `${name} off`;
  const where = port === null ? name : `${name} ${port}`;
  if (state === "listening") return where;
  return state === "taken" ? `${where} taken by another program` : `${where} not heard`;
}
