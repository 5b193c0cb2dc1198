// @ts-check

/** The fills of a trade: listed among its facts, and where they added to it. */

import { averagePrice } from "../../reading/format.js";
import { newYorkToTheSecond, say } from "../../reading/words.js";

const WORDS = { ENTRY: "in", SCALE_IN: "scale-in", EXIT: "out", RESIZE: "resized by the broker" };
/** @typedef {{at: Page.Instant, quantity: number, words: string}} Addition */

const UNKNOWN_ONES = "not known: older than the desk's record of fills";
const SOME_UNKNOWN = "some are not known";
const NOT_TOLD = "not known: the desk did not tell them; choose a size to ask again";

/**
 * List them. `answer`: what the desk said of the bricks around the trade; null: nothing.
 *
 * @param {HTMLElement} list
 * @param {Wire.TradeBricksAnswer | null} answer
 * @param {number} tick
 */
export function draw(list, answer, tick) {
  const lines = (answer?.fills ?? []).map((fill) => line(fill, tick));
  const missing = missingWords(answer);
  if (missing) lines.push(say("li", missing, "panel-note"));
  list.replaceChildren(...lines);
}

/** @param {Wire.TradeBricksAnswer | null} answer */
function missingWords(answer) {
  if (answer === null) return NOT_TOLD;
  if (answer.fills_are_whole) return "";
  return answer.fills.length ? SOME_UNKNOWN : UNKNOWN_ONES;
}

/**
 * @param {Wire.FillRow} fill
 * @param {number} tick
 */
function line(fill, tick) {
  const arrow = fill.side === "BUY" ? "▲" : "▼";
  const who = fill.order_id === null && fill.kind !== "RESIZE" ? ", seen at the broker" : "";
  return say(
    "li",
    `${newYorkToTheSecond(fill.at)} ${WORDS[fill.kind]} ${arrow} ${fill.quantity} at ${averagePrice(fill.price, tick)}${who}`,
  );
}

/**
 * What added to a trade behind its entry, one for each order, however it was filled.
 *
 * @param {Wire.JournalTradeRow} trade
 * @param {Wire.FillRow[]} fills
 * @returns {Addition[]}
 */
export function additionsTo(trade, fills) {
  const added = fills.filter((fill) => fill.side === trade.side && fill.kind !== "ENTRY");
  /** @type {Map<string, Addition>} */
  const byOrder = new Map();
  for (const fill of added) {
    const order = fill.order_id ?? fill.at;
    const earlier = byOrder.get(order);
    const quantity = fill.quantity + (earlier?.quantity ?? 0);
    byOrder.set(order, { at: earlier?.at ?? fill.at, quantity, words: fill.kind === "RESIZE" ? "broker" : "scale-in" });
  }
  return [...byOrder.values()];
}
