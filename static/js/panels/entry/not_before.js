// @ts-check

/**
 * What more than one closed gate comes to: the latest of their instants, and the events that the others wait for. The
 * headline names the first closed gate; an entry is possible only when all of them are open.
 */

import * as clock from "../../desk/clock.js";
import { clockTime, marketDay, weekday } from "../../reading/format.js";
import { show, write } from "../../ui/dom.js";

/** @type {Record<string, string>} */
const EVENTS = {
  pending_order: "the open order's report",
  position: "a flat position",
  heartbeat: "a heartbeat of TradingView",
  tempo: "a 6pt brick",
  zone: "a zone",
  two_half_filter: "a turn of the 2.5pt brick",
  reconcile: "broker and desk agreeing",
  account: "a balance that is believed",
  risk: "a smaller size or less open risk",
  window: "the end of what closes your window",
  bridge: "the bridge back",
  feed: "the stream whole again",
};

/**
 * Draw the line beneath the headline; it is empty when one gate at most is closed, for that one says it all.
 *
 * @param {HTMLElement} line
 * @param {Wire.Rung[]} closed
 */
export function draw(line, closed) {
  const words = closed.length > 1 ? sentence(closed) : "";
  show(line, words !== "");
  write(line, words);
}

/**
 * An instant of today by its time, of another day with its weekday.
 *
 * @param {Page.Instant} instant
 */
export function opening(instant) {
  const isToday = marketDay(instant) === marketDay(clock.now());
  return isToday ? clockTime(instant) : `${weekday(instant)} ${clockTime(instant)}`;
}

/** @param {Wire.Rung[]} closed */
function sentence(closed) {
  const timed = closed.flatMap(({ gate, reopens_at: at }) => (at ? [{ gate, at }] : []));
  const events = listed(closed.filter((rung) => !rung.reopens_at).map((rung) => EVENTS[rung.gate] ?? rung.reopens));
  if (timed.length === 0) return `Not before ${events}.`;
  const last = timed.reduce((late, rung) => (Date.parse(rung.at) > Date.parse(late.at) ? rung : late));
  const until = `Not before ${opening(last.at)} (${last.gate.replaceAll("_", " ")})`;
  return events ? `${until}, and not without ${events}.` : `${until}.`;
}

/** @param {(string | null)[]} words */
function listed(words) {
  return words.length > 1 ? `${words.slice(0, -1).join(", ")} and ${words.at(-1)}` : (words[0] ?? "");
}
