// @ts-check

/**
 * How a page hears the desk: over the connection that all pages of the browser share, or over one of its own where
 * the browser knows no shared worker. Both call `tell(event, text, ageMs)` while they are joined.
 */

import * as lines from "./event_line.js";

const WORKER_SPEAKS_WITHIN_MS = 10_000; // it says every second that the stream is silent

/**
 * The shared one, or null. `whenBroken` is called when it turns out not to work.
 *
 * @param {(event: string, text: string, ageMs: number) => void} tell
 * @param {() => void} whenBroken
 */
export function sharedLink(tell, whenBroken) {
  if (!("SharedWorker" in window)) return null;
  const worker = new SharedWorker(new URL("./stream_worker.js", import.meta.url), { type: "module", name: "lockstep" });
  /** @type {Page.Link} */
  const link = { isJoined: false, join, leave, watch };
  let workerSpokeAt = 0;
  worker.addEventListener("error", whenBroken);
  worker.port.addEventListener("message", ({ data: { event, text, ageMs } }) => {
    workerSpokeAt = performance.now();
    if (link.isJoined && event !== "silent") tell(event, text, ageMs);
  });
  worker.port.start();

  function join() {
    link.isJoined = true;
    workerSpokeAt = performance.now();
    worker.port.postMessage("join");
  }

  function leave() {
    link.isJoined = false;
    worker.port.postMessage("leave");
  }

  /** The worker opens the connection anew, for all. Is it silent itself, it is the worker that is broken. */
  function watch() {
    if (performance.now() - workerSpokeAt > WORKER_SPEAKS_WITHIN_MS) whenBroken();
  }

  return link;
}

/**
 * A connection of the page's own; it goes while nobody sees the page.
 *
 * @param {(event: string, text: string, ageMs: number) => void} tell
 */
export function ownLink(tell) {
  const line = lines.makeLine((event, text) => tell(event, text, 0));
  const link = { isOwn: true, isJoined: false, join, leave, watch: () => lines.revive(line) };

  function join() {
    link.isJoined = true;
    lines.open(line);
  }

  function leave() {
    link.isJoined = false;
    lines.close(line);
  }

  return link;
}
