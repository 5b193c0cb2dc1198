// @ts-check

/**
 * The one connection of a browser to the desk's stream, shared by all its pages: browsers open six connections to a
 * server, and a seventh page would wait for one, and with it the click on its exit.
 *
 * A page says "join" and "leave". Who joins is told the whole document first, because changes build on one.
 */

import * as lines from "./event_line.js";
import * as store from "./store.js";

const WATCH_EVERY_MS = 1_000;
/** @type {Set<MessagePort>} */
const pages = new Set();
const line = lines.makeLine(pass);

self.addEventListener("connect", (event) => {
  const [port] = /** @type {MessageEvent} */ (event).ports;
  port.addEventListener("message", ({ data }) => (data === "join" ? join(port) : leave(port)));
  port.start();
});

setInterval(watch, WATCH_EVERY_MS);

function watch() {
  if (pages.size === 0 || lines.ageMs(line) < lines.SILENT_AFTER_MS) return;
  for (const port of pages) port.postMessage({ event: "silent" });
  lines.revive(line);
}

/** @param {MessagePort} port */
function join(port) {
  pages.add(port);
  if (line.source === null) {
    lines.open(line);
    return;
  }
  const document = store.whole();
  if (document === null) return; // the first one is on its way to everybody
  port.postMessage({ event: "state", text: JSON.stringify(document), ageMs: lines.ageMs(line) });
  port.postMessage({ event: "opened", text: "", ageMs: lines.ageMs(line) });
}

/** @param {MessagePort} port */
function leave(port) {
  pages.delete(port);
  if (pages.size === 0) lines.close(line);
}

/**
 * @param {string} event
 * @param {string} text
 */
function pass(event, text) {
  keep(event, text);
  for (const port of pages) port.postMessage({ event, text, ageMs: 0 });
}

/**
 * @param {string} event
 * @param {string} text
 */
function keep(event, text) {
  if (event === "state") store.takeState(JSON.parse(text));
  if (event === "change") store.takeChange(JSON.parse(text));
  if (event === "log") store.takeLogLine(JSON.parse(text));
}
