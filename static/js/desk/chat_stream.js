// @ts-check

/** One question to the agent, its answer heard in pieces. It reads only: nothing that is sent here orders. */

import { eventsOf } from "./event_text.js";
import { goToLogin } from "./session.js";

const SILENT_MS = 45_000; // the agent itself gives up after 30 s
const NO_ANSWER = { error: "The desk does not answer." };
const BROKE_OFF = { error: "The answer broke off before its end. What stands here may be half of it." };
const SILENT = { error: "Nothing was heard for 45 s: the question was given up." };

/**
 * Ask, and hand every event to `hear`. Answers null after the end of an answer, else why there is none as
 * `{status, body}`; a question that was stopped has status 0 and an empty body.
 *
 * @param {string} message
 * @param {string | null} conversation
 * @param {AbortSignal} stop
 * @param {(event: Page.ChatEvent) => void} hear
 */
export async function ask(message, conversation, stop, hear) {
  const patience = new AbortController();
  const waits = { timer: setTimeout(() => patience.abort(), SILENT_MS) };
  const still = () => {
    clearTimeout(waits.timer);
    waits.timer = setTimeout(() => patience.abort(), SILENT_MS);
  };
  try {
    const response = await send(message, conversation, AbortSignal.any([stop, patience.signal]));
    if (response.status === 401) goToLogin();
    if (!response.ok) return { status: response.status, body: await refusalOf(response) };
    if (!isStream(response)) return hearWhole(await response.json(), hear);
    return (await hearAll(response, hear, still)) ? null : { status: 0, body: BROKE_OFF };
  } catch (failure) {
    if (stop.aborted) return { status: 0, body: {} };
    if (patience.signal.aborted) return { status: 0, body: SILENT };
    console.info(`the chat got no answer: ${failure}`);
    return { status: 0, body: NO_ANSWER };
  } finally {
    clearTimeout(waits.timer);
  }
}

/**
 * @param {string} message
 * @param {string | null} conversation
 * @param {AbortSignal} signal
 */
function send(message, conversation, signal) {
  const question = { message, stream: true, ...(conversation ? { conversation_id: conversation } : {}) };
  return fetch("/api/chat", {
    method: "POST",
    headers: { "Content-Type": "application/json", Accept: "text/event-stream" },
    body: JSON.stringify(question),
    ...{ signal, credentials: "same-origin", cache: "no-store" },
  });
}

/** @param {Response} response */
function isStream(response) {
  return response.headers.get("Content-Type")?.includes("event-stream") ?? false;
}

/**
 * A proxy in between may answer in HTML: the status is then all we know.
 *
 * @param {Response} response
 * @returns {Promise<{error?: string}>}
 */
async function refusalOf(response) {
  const isJson = response.headers.get("Content-Type")?.includes("json");
  return isJson ? response.json() : {};
}

/**
 * @param {Wire.ChatAnswer} answer
 * @param {(event: Page.ChatEvent) => void} hear
 */
function hearWhole(answer, hear) {
  hear({ type: "done", ...answer });
  return null;
}

/**
 * Whether the answer came to its end, a good one or a bad one.
 *
 * @param {Response} response
 * @param {(event: Page.ChatEvent) => void} hear
 * @param {() => void} still
 */
async function hearAll(response, hear, still) {
  const reader = /** @type {ReadableStream<Uint8Array>} */ (response.body).getReader();
  const letters = new TextDecoder();
  let isOver = false;
  let rest = "";
  while (true) {
    const { value, done } = await reader.read();
    still();
    const parts = eventsOf(rest + (done ? `${letters.decode()}\n\n` : letters.decode(value, { stream: true })));
    rest = parts.rest;
    for (const event of parts.events) {
      isOver ||= event.type === "done" || event.type === "error";
      hear(event);
    }
    if (done) return isOver;
  }
}
