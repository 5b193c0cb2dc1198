// @ts-check

/** The session's end: which click it swallowed or left unanswered, and the other pages that it ends too. */

import * as kept from "../ui/kept.js";

const OUT = "lockstep.out";
const UNSENT = "lockstep.unsent";
const LOGIN = "/login";
const SWALLOWED = "was NOT carried out: the session had ended. Log in and look again.";
const UNANSWERED = "was not answered before the session ended: whether it was carried out is unknown. Log in and look.";

/** @type {Set<Promise<unknown>>} */
const underWay = new Set(); // clicks that the desk has not answered yet
let leaving = 0;

/** Leave once every click under way was answered: a poll may hear first that the session is over, and would cut it off. */
export async function goToLogin() {
  leaving += 1;
  while (underWay.size > 0) await Promise.allSettled(underWay);
  leaving -= 1;
  window.location.assign(LOGIN);
}

/**
 * Let a click be answered before the page is left. The login page tells of one that never was.
 *
 * @param {Promise<any>} click
 * @param {string} path
 * @param {object} command
 */
export async function finishBeforeLogin(click, path, command) {
  underWay.add(click);
  try {
    return await click;
  } catch (failure) {
    if (leaving > 0) remember(path, command, UNANSWERED);
    throw failure;
  } finally {
    underWay.delete(click);
  }
}

/** Tell the other pages that nobody is logged in any more. */
export function end() {
  kept.keep(OUT, String(Date.now())); // they hear only of a value that is new
}

/**
 * A command was refused because the session had ended: the login page tells it, for this one is gone by then.
 *
 * @param {string} path
 * @param {object} command
 */
export function rememberUnsent(path, command) {
  remember(path, command, SWALLOWED);
}

/**
 * @param {string} path
 * @param {object} command
 * @param {string} fate
 */
function remember(path, command, fate) {
  try {
    window.sessionStorage.setItem(UNSENT, `Your last click (${nameOf(path, command)}) ${fate}`);
  } catch (refusal) {
    console.info(`${path} ${fate} It is not remembered: ${refusal}`);
  }
}

/**
 * A click in words, from where it went: "BUY ES", "exit all", "dead letters replay".
 *
 * @param {string} path
 * @param {{direction?: string, asset?: string}} command
 */
function nameOf(path, { direction = "", asset = "" }) {
  const words = path
    .replace("/api/", "")
    .split(/[/-]/)
    .filter((word) => /^[a-z]+$/.test(word));
  return (direction ? [direction, asset] : [...words, asset]).filter(Boolean).join(" ");
}

/** What became of the click that the session's end swallowed, as a sentence; empty when there was none. */
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
