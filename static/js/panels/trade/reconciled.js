// @ts-check

/** What the broker's positions made of the open trade: a quantity that no order of the desk explains is explained here. */

import * as facts from "../../desk/facts.js";
import { followings } from "../../reading/broker_followed.js";
import { clockTime } from "../../reading/format.js";
import { show, write } from "../../ui/dom.js";

/**
 * Draw the line; it stays as long as the trade that it is about.
 *
 * @param {HTMLElement} line
 * @param {Wire.AssetState} asset
 */
export function draw(line, asset) {
  const words = followings(facts.ofTrades(), asset).map(sentence).join(" · ");
  show(line, words !== "");
  write(line, words);
}

/** @param {import("../../reading/broker_followed.js").Following} following */
function sentence({ at, broker, desk }) {
  const held = (/** @type {number} */ position) => String(position).replace("-", "−");
  const before = desk === null ? "" : `, the desk ${held(desk)}`;
  return `The broker held ${held(broker)}${before}: followed the broker ${clockTime(at)}`;
}
