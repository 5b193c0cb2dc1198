/** The session's end: which click it swallowed, and the other pages of this browser that it ends too. */

import * as kept from "./kept.js";

const OUT = "lockstep.out";
const UNSENT = "lockstep.unsent";
const LOGIN = "/login";

export function goToLogin() {
  window.location.assign(LOGIN);
}

/** Tell the other pages that nobody is logged in any more. */
export function end() {
  kept.keep(OUT, String(Date.now())); // they hear only of a value that is new
}

/** A command was refused because the session had ended: the login page tells it, for this one is gone by then. */
export function rememberUnsent(path, command) {
  try {
    window.sessionStorage.setItem(UNSENT, nameOf(path, command));
  } catch (refusal) {
    console.info(`${path} was not sent and is not remembered: ${refusal.message}`);
  }
}

/** A click in words, from where it went: "BUY ES", "exit all", "dead letters replay". */
function nameOf(path, { direction = "", asset = "" }) {
  const words = path.replace("/api/", "").split(/[/-]/).filter((word) => /^[a-z]+$/.test(word));
  return (direction ? [direction, asset] : [...words, asset]).filter(Boolean).join(" ");
}

/** What the click was that the session's end swallowed; empty when there was none. */
export function unsent() {
  try {
    return window.sessionStorage.getItem(UNSENT) ?? "";
  } catch {
    return "";
  }
}

export function forgetUnsent() {
  try {
    window.sessionStorage.removeItem(UNSENT);
  } catch {
    // what could not be kept need not be forgotten
  }
}

window.addEventListener("storage", ({ key }) => {
  if (key === OUT && window.location.pathname !== LOGIN) goToLogin();
});
