/**
 * The desk's live stream, and what to do without it.
 *
 * The server pings every 2 s, so 5 s of silence mean the stream is dead whatever the socket believes: it is
 * opened anew, and until it speaks the document is polled every 2 s. A page nobody sees lets the stream go
 * after a while: browsers allow six connections to a server, and hidden tabs must not use up the exits'.
 */

import { get, NoAnswer } from "./api.js";
import * as clock from "./clock.js";
import * as store from "./store.js";

export const SILENT_AFTER_MS = 5_000;
const POLL_EVERY_MS = 2_000;
const POLL_ANSWER_WITHIN_MS = 4_000;
const REOPEN_EVERY_MS = 5_000;
const HIDDEN_FOR_MS = 30_000;

let source = null;
let openedAt = 0;
let heardAt = performance.now(); // the page itself came from the desk a moment ago
let answeredAt = heardAt;
let pollTimer = null;
let hiddenTimer = null;
let onNews = () => {};

/**
 * Begin. `listener` is called with what is new: "document", "price", "log", "clock", "brick" and the brick, or
 * "opened" when events may have been missed.
 */
export function start(listener) {
  onNews = listener;
  open();
  clock.everySecond(watch);
  document.addEventListener("visibilitychange", followVisibility);
  window.addEventListener("pagehide", close);
  window.addEventListener("pageshow", (event) => event.persisted && open());
}

/** Milliseconds since the stream last spoke. */
export function ageMs() {
  return performance.now() - heardAt;
}

export function isSilent() {
  return ageMs() > SILENT_AFTER_MS;
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

function open() {
  close();
  openedAt = performance.now();
  source = new EventSource("/api/stream");
  source.addEventListener("open", () => onNews("opened"));
  on("state", (state) => store.takeState(state) && onNews("document"));
  on("change", (change) => store.takeChange(change) && onNews("document"));
  on("log", (line) => (store.takeLogLine(line), onNews("log")));
  on("quote", (quote) => (store.takeQuote(quote), onNews("price")));
  on("brick", (brick) => onNews("brick", brick));
  on("ping", () => onNews("clock"));
  on("resync", open);
}

function on(event, take) {
  const opened = source;
  opened.addEventListener(event, (message) => {
    if (opened !== source) return; // a stream already given up
    const told = message.data ? JSON.parse(message.data) : {};
    heardAt = performance.now();
    if (told.now) clock.hear(told.now);
    take(told);
  });
}

function close() {
  source?.close();
  source = null;
}

function watch() {
  if (!isSilent()) return stopPolling();
  startPolling();
  const isDue = performance.now() - openedAt > REOPEN_EVERY_MS;
  if (isDue && !document.hidden) open();
}

function startPolling() {
  if (pollTimer !== null) return;
  pollTimer = setInterval(refresh, POLL_EVERY_MS);
  refresh();
}

function stopPolling() {
  clearInterval(pollTimer);
  pollTimer = null;
}

function followVisibility() {
  clearTimeout(hiddenTimer);
  if (document.hidden) {
    hiddenTimer = setTimeout(close, HIDDEN_FOR_MS);
  } else if (source === null) {
    open();
    refresh();
  }
}
