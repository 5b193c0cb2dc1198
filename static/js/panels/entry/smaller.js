// @ts-check

/** The largest size that fits, offered where the gate `risk` refuses the chosen one: one press sends it. */

import { dollars, largestThatFits, orderOf } from "../../reading/risk.js";
import { all, byId, mark, markBusy, show, write } from "../../ui/dom.js";
import * as orderButton from "../../ui/order_button.js";
import { chosen, isWaitingKind, liveMark } from "./entry_kinds.js";

const root = byId("smaller");
const buttons = all(root, "[data-smaller]");
const ARROWS = { BUY: "▲", SELL: "▼" };

/**
 * @param {{isUnread: () => boolean, tell: (sentence: string) => void, place: (side: Page.Side, qty: number) => void}} acts
 */
export function start({ isUnread, tell, place }) {
  for (const button of buttons) {
    const act = () => place(sideOf(button), Number(button.dataset.qty));
    orderButton.onPress(button, { isUnread, tell, act });
  }
}

/** Take the focus off the buttons: they belong to another asset. */
export function leave() {
  for (const button of buttons) orderButton.leave(button);
}

/**
 * @param {Wire.AssetState} asset with the ladder of the chosen size
 * @param {{desk: Wire.GlobalState, sides: Page.Side[], isShut: boolean, isUnread: boolean, isAsking: boolean}} about
 *   `isShut` when something other than a gate keeps every entry out
 */
export function draw(asset, { desk, sides, isShut, isUnread, isAsking }) {
  const hasSide = asset.zone_type !== "NONE" && !isWaitingKind();
  const fit = hasSide && !isShut ? largestThatFits(asset, orderOf(asset, chosen("entry_size_mode"))) : null;
  show(root, fit !== null);
  for (const button of buttons) {
    const side = sideOf(button);
    const label = fit ? `${ARROWS[side]} ${side} ${fit.quantity} ${asset.contract}${liveMark(desk)}` : "";
    show(button, fit !== null && sides.includes(side));
    mark(button, "data-qty", fit ? String(fit.quantity) : null);
    mark(button, "aria-disabled", isUnread ? "true" : "false");
    markBusy(button, isAsking);
    orderButton.follow(button, button.hidden ? "" : `${asset.symbol} ${label}`);
    write(button, fit ? `${label} instead · risk ${dollars(fit.usd)} USD` : "");
  }
}

/** @param {HTMLElement} button */
function sideOf(button) {
  return /** @type {Page.Side} */ (button.dataset.smaller);
}
