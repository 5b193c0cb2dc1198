// @ts-check

/**
 * The login card: one password, the server's sentence when it is wrong, the wait when it was wrong too often. Above it,
 * the click that the session's end swallowed.
 */

import { NoAnswer, post } from "../desk/api.js";
import * as session from "../desk/session.js";
import { countdown } from "../reading/format.js";
import { byId, one } from "../ui/dom.js";

const form = byId("login", HTMLFormElement);
const answer = byId("login-answer");
const button = one(form, "button", HTMLButtonElement);
const field = one(form, "[name=password]", HTMLInputElement);
/** @type {ReturnType<typeof setInterval> | undefined} */
let waitTimer;

tellUnsent();

form.addEventListener("submit", (event) => {
  event.preventDefault();
  if (button.getAttribute("aria-disabled") !== "true") logIn();
});

async function logIn() {
  answer.textContent = "";
  button.setAttribute("aria-disabled", "true");
  try {
    const { status, body } = await post("/api/login", { password: field?.value ?? "" });
    if (body.ok) return enter();
    refuse(status, body);
  } catch (failure) {
    if (!(failure instanceof NoAnswer)) throw failure;
    answer.textContent = "The desk does not answer.";
    button.setAttribute("aria-disabled", "false");
  }
}

/** It stays until somebody is logged in: a reload must not hide it. */
function tellUnsent() {
  byId("login-unsent").textContent = session.unsent();
}

function enter() {
  session.forgetUnsent();
  window.location.assign("/");
}

/**
 * @param {number} status
 * @param {Wire.Problem} body
 */
function refuse(status, body) {
  if ((status === 429 || status === 503) && body.retry_after_s) return wait(body.error, Math.ceil(body.retry_after_s));
  answer.textContent = body.error;
  button.setAttribute("aria-disabled", "false");
  field?.select();
}

/**
 * Too many tries: count down until the next may be made.
 *
 * @param {string} sentence
 * @param {number} seconds
 */
function wait(sentence, seconds) {
  const endsAt = performance.now() + seconds * 1000;
  clearInterval(waitTimer);
  const tell = () => {
    const left = Math.ceil((endsAt - performance.now()) / 1000);
    if (left > 0) {
      answer.textContent = `${sentence} Try again in ${countdown(left)}.`;
      return;
    }
    clearInterval(waitTimer);
    answer.textContent = "";
    button.setAttribute("aria-disabled", "false");
  };
  waitTimer = setInterval(tell, 1000);
  tell();
}
