// @ts-check

/**
 * The desk's live stream, and what to do without it.
 *
 * After 5 s of silence the document is polled every 2 s until the stream speaks again. Where the browser cannot share
 * one connection among its pages, a page nobody sees lets its own go after a while: browsers allow six to a server,
 * and hidden tabs must not use up the exits'.
 */

import { get, NoAnswer } from "./api.js";
import * as clock from "./clock.js";
import { SILENT_AFTER_MS } from "./event_line.js";
import * as facts from "./facts.js";
import { ownLink, sharedLink } from "./links.js";
import * as store from "./store.js";

const POLL_EVERY_MS = 2_000;
const POLL_ANSWER_WITHIN_MS = 4_000;
const HIDDEN_FOR_MS = 30_000;

/** @type {Record<string, (told: any) => void>} what to do with each message of the stream, by its name */
const TAKE = {
  state: (state) => {
    if (store.takeState(state)) onNews("document");
  },
  change: (change) => {
    if (store.takeChange(change)) onNews("document");
  },
  log: (line) => {
    store.takeLogLine(line);
    onNews("log");
  },
  quote: (quote) => {
    store.takeQuote(quote);
    onNews("price");
  },
  brick: (brick) => onNews("brick", brick),
  event: (event) => {
    facts.take(event);
    onNews("event");
  },
  ping: () => onNews("clock"),
  opened: () => onNews("opened"),
};

/** @type {Page.Link} */
let link;
let heardAt = performance.now(); // the page itself came from the desk a moment ago
let answeredAt = heardAt;
/** @type {ReturnType<typeof setInterval> | undefined} */
let pollTimer;
/** @type {ReturnType<typeof setTimeout> | undefined} */
let hiddenTimer;
/** @type {(news: Page.News, brick?: Page.Brick) => void} */
let onNews = () => {};

/**
 * Begin. `listener` is called with what is new: "document", "price", "log", "clock", "brick" and the brick,
 * "event" or "opened" when events may have been missed.
 *
 * @param {(news: Page.News, brick?: Page.Brick) => void} listener
 */
export function start(listener) {
  onNews = listener;
  link = sharedLink(take, useOwn) ?? ownLink(take);
  link.join();
  clock.everySecond(watch);
  document.addEventListener("visibilitychange", followVisibility);
  window.addEventListener("pagehide", () => link.leave());
  window.addEventListener("pageshow", (event) => event.persisted && link.join());
  followVisibility();
}

/** Milliseconds since the stream last spoke. */
export function ageMs() {
  return performance.now() - heardAt;
}

export function isSilent() {
  return ageMs() > SILENT_AFTER_MS;
}

/** Why the page may be looking at the past, in two words; empty while it hears the desk. */
export function outOfSight() {
  if (lostSince() !== null) return "NO ANSWER";
  return isSilent() ? "STREAM SILENT" : "";
}

/** The desk's time of what the page shows. */
export function asOf() {
  return clock.now() - (performance.now() - Math.max(heardAt, answeredAt));
}

/** Whether the page has let its stream go, because nobody sees it. */
export function isResting() {
  return document.hidden && !link.isJoined;
}

/** The desk's time at which the server was last heard, when neither stream nor poll answers; else null. */
export function lostSince() {
  const lastHeard = Math.max(heardAt, answeredAt);
  const silence = performance.now() - lastHeard;
  return silence > SILENT_AFTER_MS ? clock.now() - silence : null;
}

/** Ask for the whole document now, for instance because a countdown ran out. */
export async function refresh() {
  try {
    const { status, body } = await get("/api/state", POLL_ANSWER_WITHIN_MS);
    if (status !== 200) return;
    answeredAt = performance.now();
    clock.hear(body.now);
    if (store.takeAnswer(body)) onNews("document");
  } catch (failure) {
    if (!(failure instanceof NoAnswer)) throw failure; // silence is what lostSince() tells
  }
}

function useOwn() {
  if (link.isOwn) return;
  const { isJoined } = link;
  link.leave();
  link = ownLink(take);
  if (isJoined) link.join();
  followVisibility();
}

/**
 * Take what the stream said; `ageMs` ago when it had said it before this page joined.
 *
 * @param {string} event
 * @param {string} text
 * @param {number} ageMs
 */
function take(event, text, ageMs) {
  const told = text ? JSON.parse(text) : {};
  if (event !== "opened") heardAt = Math.max(heardAt, performance.now() - ageMs);
  if (told.now && ageMs === 0) clock.hear(told.now);
  TAKE[event](told);
}

function watch() {
  if (!isSilent()) return stopPolling();
  startPolling();
  if (link.isJoined && !document.hidden) link.watch();
}

function startPolling() {
  if (pollTimer !== undefined) return;
  pollTimer = setInterval(refresh, POLL_EVERY_MS);
  refresh();
}

function stopPolling() {
  clearInterval(pollTimer);
  pollTimer = undefined;
}

function followVisibility() {
  clearTimeout(hiddenTimer);
  if (document.hidden) {
    if (link.isOwn) hiddenTimer = setTimeout(() => link.leave(), HIDDEN_FOR_MS);
  } else if (!link.isJoined) {
    link.join();
    refresh();
  }
}
