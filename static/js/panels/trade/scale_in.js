// @ts-check

/** Adding to the open trade, once, after the market has unlocked it. */

import * as clock from "../../desk/clock.js";
import { ask, forgetWithin, isPending, tell } from "../../desk/controls.js";
import { signedPoints, UNKNOWN } from "../../reading/format.js";
import { firstClosedFor, headline } from "../../reading/gates.js";
import { dollars } from "../../reading/risk.js";
import { byId, mark, markBusy, slots, write } from "../../ui/dom.js";
import * as orderButton from "../../ui/order_button.js";
import { liveMark } from "../entry/entry_kinds.js";

const root = byId("scale-in");
const slot = slots(root);
const OFFER_HAS_CHANGED = "Not sent: the offer changed as you clicked. Read it, then click again.";
const WAITS = "after a 6pt brick with the trade or a 4pt flip against it";
let symbolInView = () => "";

/** @param {() => string} symbol */
export function start(symbol) {
  symbolInView = symbol;
  const button = slot["scale-button"];
  orderButton.guard(button, (sentence) => tell(slot["scale-answer"], sentence));
  button.addEventListener("click", (/** @type {MouseEvent} */ click) => {
    if (orderButton.isOfAnotherOffer(button, click)) tell(slot["scale-answer"], OFFER_HAS_CHANGED);
    else scale();
    orderButton.leave(button);
  });
}

function scale() {
  const command = { asset: symbolInView(), clicked_at: new Date(clock.now()).toISOString() };
  ask(slot["scale-answer"], "/api/scale-in", command, { needsStream: true });
}

export function forget() {
  orderButton.leave(slot["scale-button"]);
  forgetWithin(root);
}

/**
 * @param {Page.State} state
 * @param {string} symbol
 */
export function draw({ global: desk, assets }, symbol) {
  const asset = assets[symbol];
  if (asset.trade === null) return;
  const { state, label, note } = scaleIn(desk, asset, asset.trade);
  orderButton.follow(slot["scale-button"], `${symbol} ${state} ${label}`);
  mark(slot["scale-button"], "data-state", state);
  mark(slot["scale-button"], "aria-disabled", state === "open" ? "false" : "true");
  markBusy(slot["scale-button"], isPending(slot["scale-answer"]));
  write(slot["scale-label"], label);
  write(slot["scale-note"], note);
}

/**
 * @param {Wire.GlobalState} desk
 * @param {Wire.AssetState} asset
 * @param {Wire.TradeState} trade
 */
function scaleIn(desk, asset, trade) {
  const quantity = asset.risk.scale_in?.quantity ?? "";
  const label = `Scale in: ${trade.side === "BUY" ? "▲ BUY" : "▼ SELL"} ${quantity} more${liveMark(desk)}`;
  if (asset.scale_in_used) return { state: "used", label: "Scale-in used", note: "once per trade" };
  const closed = firstClosedFor(asset, "scale_in");
  if (!asset.scale_in_unlocked) return { state: "locked", label, note: WAITS };
  if (closed) return { state: "locked", label, note: headline(closed) };
  if (!asset.scale_in_available) return { state: "locked", label, note: lossWords(asset) };
  return { state: "open", label, note: `unlocked, once per trade · risk ${riskUsd(asset)} USD` };
}

/**
 * Nothing is added to a loser, nor to a trade of which nobody knows whether it is one.
 *
 * @param {Wire.AssetState} asset
 */
function lossWords({ rithmic_open_points: open }) {
  return open === null ? "open points are not known" : `not at ${signedPoints(open)} pt: nothing is added to a loser`;
}

/** @param {Wire.AssetState} asset */
function riskUsd({ risk }) {
  return risk.scale_in ? dollars(risk.scale_in.risk_usd) : UNKNOWN;
}
