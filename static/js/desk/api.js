// @ts-check

/** Calls to the desk. Nothing here retries: whether a click may be repeated is the operator's decision. */

import { finishBeforeLogin, goToLogin, rememberUnsent } from "./session.js";

const ANSWER_WITHIN_MS = 10_000;

/** The desk gave no answer: whether the request arrived is unknown. */
export class NoAnswer extends Error {}

/**
 * Ask for a document. Answers `{status, body}`; throws NoAnswer.
 *
 * @param {string} path
 * @param {number} [withinMs]
 * @param {AbortSignal} [stop] ends the question
 */
export function get(path, withinMs = ANSWER_WITHIN_MS, stop = undefined) {
  return call(path, { method: "GET", signal: stop }, withinMs);
}

/**
 * Ask for a document that takes a POST and changes nothing: no click is lost with it. Answers `{status, body}`; throws
 * NoAnswer.
 *
 * @param {string} path
 * @param {object} question
 * @param {number} [withinMs]
 */
export function inquire(path, question, withinMs = ANSWER_WITHIN_MS) {
  const request = { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(question) };
  return call(path, request, withinMs);
}

/**
 * Send a command. Answers `{status, body}`; throws NoAnswer. The page is not left for the login before it does.
 *
 * @param {string} path
 * @param {object} command
 * @param {Record<string, string>} [headers]
 */
export function post(path, command, headers = {}) {
  return finishBeforeLogin(send(path, command, headers), path, command);
}

/**
 * Ask the desk to take something out. Answers `{status, body}`; throws NoAnswer.
 *
 * @param {string} path
 */
export function remove(path) {
  return finishBeforeLogin(send(path, {}, {}, "DELETE"), path, {});
}

/**
 * @param {string} path
 * @param {object} command
 * @param {Record<string, string>} headers
 * @param {"POST" | "DELETE"} [method]
 */
async function send(path, command, headers, method = "POST") {
  const request = {
    method,
    headers: { "Content-Type": "application/json", ...headers },
    body: JSON.stringify(command),
  };
  const answer = await call(path, request, ANSWER_WITHIN_MS);
  if (isSessionOver(path, answer)) rememberUnsent(path, command);
  return answer;
}

/**
 * @param {string} path
 * @param {RequestInit} request
 * @param {number} withinMs
 */
async function call(path, request, withinMs) {
  let response;
  let body;
  try {
    const patience = AbortSignal.timeout(withinMs);
    const signal = request.signal ? AbortSignal.any([request.signal, patience]) : patience;
    response = await fetch(path, { ...request, signal, credentials: "same-origin", cache: "no-store" });
    body = await bodyOf(response);
  } catch (failure) {
    throw new NoAnswer(failure instanceof Error ? failure.message : String(failure));
  }
  if (isSessionOver(path, response)) goToLogin();
  return { status: response.status, body };
}

/**
 * @param {string} path
 * @param {{status: number}} answer
 */
function isSessionOver(path, { status }) {
  return status === 401 && path !== "/api/login";
}

/**
 * A proxy in between may answer in HTML: the status is then all we know.
 *
 * @param {Response} response
 */
async function bodyOf(response) {
  const isJson = response.headers.get("Content-Type")?.includes("json");
  if (isJson) return response.json();
  return { ok: response.ok, error: `The server answered ${response.status}` };
}

/** A key that makes one click one order, whatever the network does. */
export function clickKey() {
  if (crypto.randomUUID) return crypto.randomUUID();
  const bytes = crypto.getRandomValues(new Uint8Array(16)); // plain http has no randomUUID
  return [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}
