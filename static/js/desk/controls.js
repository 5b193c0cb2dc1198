/**
 * What the operator asks of the desk with one control. Nothing is optimistic: the control is pending until the
 * document shows what became of it, and a refusal is shown beside the control in the desk's own words.
 *
 * A control is named by the element that shows its answer.
 */

import { mark, write } from "../ui/dom.js";
import { NoAnswer, post } from "./api.js";
import * as store from "./store.js";
import * as stream from "./stream.js";

const ANSWER_STAYS_MS = 15_000;
const DOCUMENT_WITHIN_MS = 1_500;
const NO_ANSWER =
  "No answer from the desk: whether it was changed is unknown. Wait for the state before you click again.";
const PICTURE_MAY_BE_OLD = "Not sent: the live stream is silent, so what you see may be old. Exits work.";

const questions = new Map(); // answer element → {reached: version the document must have, null until answered}
const fadeTimers = new Map();
let redraw = () => {};

/** `whenChanged` draws the page anew. */
export function start(whenChanged) {
  redraw = whenChanged;
}

/** Whether the control waits for the desk, or for the document to show what the desk answered. */
export function isPending(answer) {
  const question = questions.get(answer);
  if (!question) return false;
  return question.reached === null || question.reached > store.current().version;
}

/**
 * Send a command. Answers the desk's body, or null when there is none to speak of (asked twice, no answer).
 * What turns the present state around is not sent while the picture may be old: `needsStream`.
 */
export async function ask(answer, path, command, { needsStream = false } = {}) {
  if (isPending(answer)) return null;
  if (needsStream && stream.isSilent()) return tell(answer, PICTURE_MAY_BE_OLD);
  const question = { reached: null };
  questions.set(answer, question);
  tell(answer, "");
  redraw();
  const body = await bodyOf(path, command);
  if (questions.get(answer) !== question) return null; // another asset is in view by now
  if (body?.ok) waitForDocument(question, body.version);
  else questions.delete(answer);
  tell(answer, body === null ? NO_ANSWER : body.ok ? "" : body.error);
  redraw();
  return body;
}

async function bodyOf(path, command) {
  try {
    const { body } = await post(path, command);
    return body;
  } catch (failure) {
    if (!(failure instanceof NoAnswer)) throw failure;
    return null;
  }
}

/** The stream brings the document; when it does not, ask for it once. */
function waitForDocument(question, version) {
  question.reached = version;
  setTimeout(() => question.reached > store.current().version && stream.refresh(), DOCUMENT_WITHIN_MS);
}

/** Say something beside a control; it goes by itself. `tone` "info" is no refusal. */
export function tell(answer, sentence, tone = null) {
  write(answer, sentence);
  mark(answer, "data-tone", tone);
  clearTimeout(fadeTimers.get(answer));
  if (sentence)
    fadeTimers.set(
      answer,
      setTimeout(() => write(answer, ""), ANSWER_STAYS_MS),
    );
  return null;
}

/** Forget what was asked within an element: it belonged to another asset. */
export function forgetWithin(root) {
  for (const answer of root.querySelectorAll(".answer")) {
    questions.delete(answer);
    tell(answer, "");
  }
  for (const input of root.querySelectorAll("[data-typed]")) delete input.dataset.typed;
}

/** Let a field show the desk's value, unless the operator is typing another one. */
export function followValue(input, value) {
  const text = value === null || value === undefined ? "" : String(Number(value));
  if (input.dataset.typed === undefined && input.value !== text) input.value = text;
}

/** Remember in the fields of a form that somebody typed, until `accept`, `forgetWithin` or Escape. */
export function watchTyping(form) {
  form.addEventListener("input", (event) => {
    event.target.dataset.typed = "";
    redraw();
  });
  form.addEventListener("keydown", (event) => {
    if (event.key !== "Escape" || event.target.dataset.typed === undefined) return;
    accept(event.target);
    redraw();
  });
}

export function accept(input) {
  delete input.dataset.typed;
}

/** What stands in a field as a number; NaN when it is none. */
export function numberIn(input) {
  return input.value.trim() === "" ? NaN : Number(input.value.replace(",", "."));
}
