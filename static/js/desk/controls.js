// @ts-check

/**
 * What the operator asks of the desk with one control. Nothing is optimistic: the control is pending until the
 * document shows what became of it, and a refusal is shown beside the control in the desk's own words.
 *
 * A control is named by the element that shows its answer.
 */

import { all, mark, write } from "../ui/dom.js";
import { NoAnswer, post } from "./api.js";
import * as store from "./store.js";
import * as stream from "./stream.js";

const ANSWER_STAYS_MS = 15_000;
const DOCUMENT_WITHIN_MS = 1_500;
const NO_ANSWER =
  "No answer from the desk: whether it was changed is unknown. Wait for the state before you click again.";
const PICTURE_MAY_BE_OLD = "Not sent: the live stream is silent, so what you see may be old. Exits work.";

/** @typedef {{reached: number | null}} Question the version that the document must have, null until answered */

/** @type {Map<Element, Question>} answer element → what was asked */
const questions = new Map();
/** @type {Map<Element, ReturnType<typeof setTimeout>>} */
const fadeTimers = new Map();
let redraw = () => {};

/**
 * `whenChanged` draws the page anew.
 *
 * @param {() => void} whenChanged
 */
export function start(whenChanged) {
  redraw = whenChanged;
}

/**
 * Whether the control waits for the desk, or for the document to show what the desk answered.
 *
 * @param {HTMLElement} answer
 */
export function isPending(answer) {
  const question = questions.get(answer);
  if (!question) return false;
  return question.reached === null || question.reached > store.current().version;
}

/**
 * Send a command. Answers the desk's body, or null when there is none to speak of (asked twice, no answer).
 * What turns the present state around is not sent while the picture may be old: `needsStream`.
 *
 * @param {HTMLElement} answer
 * @param {string} path
 * @param {object} command
 * @param {{needsStream?: boolean}} [how]
 */
export async function ask(answer, path, command, { needsStream = false } = {}) {
  if (isPending(answer)) return null;
  if (needsStream && stream.isSilent()) return tell(answer, PICTURE_MAY_BE_OLD);
  /** @type {Question} */
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

/**
 * @param {string} path
 * @param {object} command
 */
async function bodyOf(path, command) {
  try {
    const { body } = await post(path, command);
    return body;
  } catch (failure) {
    if (!(failure instanceof NoAnswer)) throw failure;
    return null;
  }
}

/**
 * The stream brings the document; when it does not, ask for it once.
 *
 * @param {Question} question
 * @param {number} version
 */
function waitForDocument(question, version) {
  question.reached = version;
  setTimeout(() => version > store.current().version && stream.refresh(), DOCUMENT_WITHIN_MS);
}

/**
 * Say something beside a control; it goes by itself. `tone` "info" is no refusal.
 *
 * @param {Element} answer
 * @param {string} sentence
 * @param {string | null} [tone]
 */
export function tell(answer, sentence, tone = null) {
  write(answer, sentence);
  mark(answer, "data-tone", tone);
  clearTimeout(fadeTimers.get(answer));
  const fade = () => write(answer, "");
  if (sentence) fadeTimers.set(answer, setTimeout(fade, ANSWER_STAYS_MS));
  return null;
}

/**
 * Forget what was asked within an element: it belonged to another asset.
 *
 * @param {ParentNode} root
 */
export function forgetWithin(root) {
  for (const answer of root.querySelectorAll(".answer")) {
    questions.delete(answer);
    tell(answer, "");
  }
  for (const input of all(root, "[data-typed]")) delete input.dataset.typed;
}

/**
 * Let a field show the desk's value, unless the operator is typing another one.
 *
 * @param {HTMLInputElement} input
 * @param {number | string | null | undefined} value
 */
export function followValue(input, value) {
  const text = value === null || value === undefined ? "" : String(Number(value));
  if (input.dataset.typed === undefined && input.value !== text) input.value = text;
}

/**
 * Remember in the fields of a form that somebody typed, until `accept`, `forgetWithin` or Escape.
 *
 * @param {HTMLElement} form
 */
export function watchTyping(form) {
  form.addEventListener("input", ({ target }) => {
    /** @type {HTMLInputElement} */ (target).dataset.typed = "";
    redraw();
  });
  form.addEventListener("keydown", ({ key, target }) => {
    const input = /** @type {HTMLInputElement} */ (target);
    if (key !== "Escape" || input.dataset.typed === undefined) return;
    accept(input);
    redraw();
  });
}

/**
 * What was typed is the desk's now: the field follows it again.
 *
 * @param {HTMLInputElement} input
 */
export function accept(input) {
  delete input.dataset.typed;
}

/**
 * What stands in a field as a number; NaN when it is none.
 *
 * @param {HTMLInputElement} input
 */
export function numberIn(input) {
  return input.value.trim() === "" ? NaN : Number(input.value.replace(",", "."));
}
