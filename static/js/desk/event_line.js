// @ts-check

/**
 * One connection to the desk's stream. The server pings every 2 s, so 5 s of silence mean that it is dead, whatever
 * the socket believes.
 */

export const SILENT_AFTER_MS = 5_000;
const REOPEN_EVERY_MS = 5_000;
const EVENTS = ["state", "change", "log", "quote", "brick", "event", "ping"];

/**
 * A closed line; `tell(event, text)` hears everything, and "opened" when events may have been missed.
 *
 * @param {(event: string, text: string) => void} tell
 * @returns {Page.Line}
 */
export function makeLine(tell) {
  return { source: null, openedAt: -Infinity, heardAt: -Infinity, tell };
}

/**
 * Open the line; one that is open is closed before.
 *
 * @param {Page.Line} line
 */
export function open(line) {
  close(line);
  const source = new EventSource("/api/stream");
  Object.assign(line, { source, openedAt: performance.now() });
  /** @type {(event: string, act: (message: MessageEvent) => void) => void} */
  const on = (event, act) =>
    source.addEventListener(event, (/** @type {MessageEvent} */ message) => {
      if (source === line.source) act(message);
    });
  on("open", () => line.tell("opened", ""));
  on("resync", () => open(line));
  for (const event of EVENTS) {
    on(event, ({ data }) => {
      line.heardAt = performance.now();
      line.tell(event, data);
    });
  }
}

/** @param {Page.Line} line */
export function close(line) {
  line.source?.close();
  line.source = null;
}

/**
 * Milliseconds since it last spoke.
 *
 * @param {Page.Line} line
 */
export function ageMs(line) {
  return performance.now() - line.heardAt;
}

/**
 * Open a dead line anew, once every few seconds.
 *
 * @param {Page.Line} line
 */
export function revive(line) {
  const isDue = performance.now() - line.openedAt > REOPEN_EVERY_MS;
  if (ageMs(line) > SILENT_AFTER_MS && isDue) open(line);
}
