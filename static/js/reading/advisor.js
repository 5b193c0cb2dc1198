// @ts-check

/** Words for how the advisor is: its ML engine and its agent, each with why it is silent. */

import { age } from "./format.js";
import { count, plain } from "./words.js";

/** @typedef {{secondsSince: (time: string | null | undefined) => number | null}} Clock */

/** @type {Record<string, string>} */
const ABSENCES = {
  refused: "nobody listens at its address",
  unreachable: "its address cannot be reached",
  silent: "it does not answer within a second",
  unreadable: "what answers there is no advisor",
  read_on_the_way: "it is not asked, for the secret would be read on the way",
};
/** @type {Record<string, string>} */
const PROVIDERS = { rules: "fixed rules", ollama: "Ollama", openai: "an OpenAI-compatible server" };

/**
 * The ML engine in a line.
 *
 * @param {Wire.MlFound} ml
 * @param {Clock} clock
 */
export function mlWords(ml, clock) {
  const { health } = ml;
  if (health === null) return absenceWords(ml, clock);
  const models = health.models.length === 0 ? "no model yet" : `${count(health.models.length, "model")} answer`;
  const feeds = health.feeds ? "" : ", feeds gives it no bars";
  const trouble = health.trouble.map(
    ({ symbol, timeframe, target, reason }) => `${symbol} ${timeframe} ${plain(target)} not taken: ${plain(reason)}`,
  );
  return [`Up: ${models}${feeds}`, ...trouble].join("; ");
}

/**
 * The agent in a line.
 *
 * @param {Wire.AgentFound} agent
 * @param {Clock} clock
 */
export function agentWords(agent, clock) {
  const { health } = agent;
  if (health === null) return absenceWords(agent, clock);
  const { llm_provider: provider, model, web, reason } = health;
  const who = PROVIDERS[provider] ?? provider;
  const named = provider === "rules" ? who : `${who}, ${model}`;
  const deaf = web ? "" : ", it does not hear the desk";
  return `Up: ${named}${deaf}${reason ? `, ${plain(reason)}` : ""}`;
}

/**
 * @param {{state: string, reason: string | null, since: string | null}} found
 * @param {Clock} clock
 */
function absenceWords({ state, reason, since }, clock) {
  if (state === "off") return "Off";
  if (state === "unknown" || reason === null) return "Asking …";
  const seconds = clock.secondsSince(since);
  return `Away: ${ABSENCES[reason] ?? plain(reason)}${seconds === null ? "" : ` (noticed ${age(seconds)} ago)`}`;
}
