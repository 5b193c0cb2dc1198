// @ts-check

/**
 * When two documents are compared, and when not: a burst of stale tones is worse than none.
 *
 * Nothing is told of the first document, of one that comes after more than a few seconds without the desk, or of one
 * that is itself old (a stream that resumes repeats what was missed). What was missed stands on the page.
 */

import * as clock from "../../desk/clock.js";
import * as store from "../../desk/store.js";
import * as stream from "../../desk/stream.js";
import { signalsOf } from "../../reading/signals.js";

const FRESH_MS = 6_000;
const SURE_AFTER_TICKS = 2; // a computer that wakes up finds its clock ahead of its stream for a moment

/** @type {(signals: Page.Signal[]) => void} */
let tell = () => {};
/** @type {Page.State | null} */
let before = null;
let inTouchAt = performance.now();
let silentTicks = 0;
/** @type {number | null} */
let lostAt = null;

/**
 * `whenSignalled` gets the signals, the gravest first.
 *
 * @param {(signals: Page.Signal[]) => void} whenSignalled
 */
export function start(whenSignalled) {
  tell = whenSignalled;
  clock.everySecond(watch);
}

/**
 * Take the stream's news: "document" is compared, everything shows that the desk is there.
 *
 * @param {Page.News} news
 */
export function hear(news) {
  if (performance.now() - inTouchAt > FRESH_MS) before = null; // whatever comes first, the next document is old news
  inTouchAt = performance.now();
  if (news !== "document") return;
  const after = store.current();
  const isFresh = clock.now() - Date.parse(after.now) < FRESH_MS;
  const signals = before !== null && isFresh ? signalsOf(before, after) : [];
  before = after;
  if (signals.length > 0) tell(signals);
}

/** A page nobody sees lets a stream of its own go: that one is not lost. */
function watch() {
  if (stream.isSilent() && stream.lostSince() === null) inTouchAt = performance.now(); // it is polled, and answers
  if (stream.isResting()) return;
  silentTicks = stream.isSilent() ? silentTicks + 1 : 0;
  if (lostAt === null && silentTicks >= SURE_AFTER_TICKS) {
    lostAt = Math.round(clock.now());
    tell([
      {
        kind: "lost",
        id: `lost ${lostAt}`,
        title: "The stream is silent",
        body: "Entries wait for it. Exits are sent.",
      },
    ]);
  } else if (lostAt !== null && silentTicks === 0) {
    tell([
      {
        kind: "back",
        id: `back ${lostAt}`,
        title: "The stream is back",
        body: "What happened meanwhile is on the page.",
      },
    ]);
    lostAt = null;
  }
}
