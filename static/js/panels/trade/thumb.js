// @ts-check

/** The bar under a phone's thumb: what is held in view, and every other position as a way to it. */

import * as stream from "../../desk/stream.js";
import { clockTime, moneyTone, signedPoints } from "../../reading/format.js";
import { orderUnderWay } from "../../reading/under_way.js";
import { around, byId, copyOf, follow, mark, show, slots, write, writeMoney } from "../../ui/dom.js";

const bar = byId("thumb-bar");
const slot = slots(bar);

/**
 * `choose(symbol)` is called when the operator turns to another position.
 *
 * @param {(symbol: string) => void} choose
 */
export function start(choose) {
  slot.others.addEventListener("click", (/** @type {Event} */ event) => {
    const button = around(event, "button");
    if (button) choose(button.dataset.key ?? "");
  });
}

/**
 * @param {Page.State} state
 * @param {string} symbol
 */
export function draw({ global: desk, assets }, symbol) {
  const others = Object.values(assets).filter(
    (other) => other.symbol !== symbol && (other.position !== 0 || orderUnderWay(other)),
  );
  const asset = assets[symbol];
  const words =
    asset.position === 0 &&
    others.length === 0 &&
    Object.keys(assets).length > 1 &&
    !Object.values(assets).some(orderUnderWay)
      ? "All flat"
      : held(asset);
  show(slot.live, desk.env === "LIVE");
  mark(bar, "data-stale", stream.isSilent());
  write(slot.held, stream.isSilent() ? `${words} at ${clockTime(stream.asOf()).slice(0, 5)}` : words);
  writePoints(slot.points, asset);
  show(slot.others, others.length > 0);
  follow(slot.others, others, {
    key: (other) => other.symbol,
    make: () => copyOf("thumb-other"),
    fill: (button, other) => {
      write(slots(button)["other-held"], held(other));
      writePoints(slots(button)["other-points"], other);
    },
  });
}

/** @param {Wire.AssetState} asset */
function held({ symbol, position }) {
  if (position === 0) return `${symbol} flat`;
  return `${symbol} ${position > 0 ? "long" : "short"} ${Math.abs(position)}`;
}

/**
 * @param {HTMLElement} element
 * @param {Wire.AssetState} asset
 */
function writePoints(element, asset) {
  const { position, rithmic_open_points: points } = asset;
  if (position === 0 && orderUnderWay(asset)) return writeMoney(element, orderUnderWay(asset), "");
  writeMoney(element, position === 0 ? "" : `${signedPoints(points)} pt`, position === 0 ? "" : moneyTone(points));
}
