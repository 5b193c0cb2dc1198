// @ts-check

/** A talk with the agent: what was heard of an answer, and what is said of it. */

import { toolWords } from "./statements.js";
import { count, plain, whole } from "./words.js";

/** @type {Record<string, string>} */
const ANSWERERS = {
  rules: "Answered by fixed rules",
  ollama: "Worded by a local model (Ollama), checked against the desk's own words below",
  openai: "Worded by a model (OpenAI-compatible), checked against the desk's own words below",
};
/** Why a model's words were dropped, by the code of the wire. @type {Record<Page.WhyReplaced, string>} */
const DROPPED = {
  number: "it named a number that no tool gave",
  copied: "it took up words of a note or an alert",
  claim: "it said what the desk's own words do not say",
  no_prose: "it wrote no plain sentences",
  no_figure: "it named no figure although there are some",
  no_facts: "the tools found nothing that it could speak of",
  repeated: "it repeated itself",
  too_long: "it did not come to an end",
  provider: "it fell silent or broke off",
};

/**
 * A talk's turn before anything was answered.
 *
 * @param {string} asked
 * @returns {Page.Turn}
 */
export function newTurn(asked) {
  return {
    asked,
    said: "",
    results: [],
    source: null,
    isReplaced: false,
    why: null,
    facts: "",
    trouble: "",
    isOver: false,
  };
}

/**
 * The turn after an event. What the end says replaces what was streamed before.
 *
 * @param {Page.Turn} turn
 * @param {Page.ChatEvent} event
 * @returns {Page.Turn}
 */
export function heard(turn, event) {
  if (event.type === "token") return { ...turn, said: turn.said + event.text };
  if (event.type === "tool_result") return { ...turn, results: [...turn.results, event.result] };
  if (event.type === "error") return { ...turn, trouble: whole(event.detail || plain(event.error)), isOver: true };
  if (event.type !== "done") return turn;
  const { response, tool_calls: calls, source, replaced, why = null, facts } = event;
  const results = calls.map(({ result }) => result);
  const told = { said: response, results, source, isReplaced: replaced === true, why, facts: facts ?? "" };
  return { ...turn, ...told, isOver: true };
}

/**
 * Who answered, and whether a model's words were dropped.
 *
 * @param {Page.Turn} turn
 */
export function byWords({ source, isReplaced, why }) {
  if (source === null) return "";
  return `${ANSWERERS[source] ?? `Answered by ${source}`}.${isReplaced ? ` ${droppedWords(why)}` : ""}`;
}

/**
 * @param {Page.WhyReplaced | null} why
 */
function droppedWords(why) {
  const reason = why === null ? undefined : DROPPED[why];
  return `The model's answer was dropped${reason ? `: ${reason}` : ""}. These are the facts.`;
}

/**
 * @param {Page.Turn} turn
 */
export function standsOnWords({ results }) {
  return `Stands on ${count(results.length, "result")}: ${[...new Set(results.map(({ tool }) => toolWords(tool)))].join(", ")}`;
}

/**
 * Why there is no answer.
 *
 * @param {number} status
 * @param {{error?: string}} body
 */
export function refusalWords(status, { error }) {
  return whole(error || `The desk answered ${status}`);
}
