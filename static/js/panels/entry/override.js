// @ts-check

/** Entering against the zone: a side, the reason, and a button that must be held. Every other gate still holds. */

import * as store from "../../desk/store.js";
import * as stream from "../../desk/stream.js";
import { deskInTheWay, headline } from "../../reading/gates.js";
import { sized } from "../../reading/risk.js";
import { all, mark, one, show, slots, write } from "../../ui/dom.js";
import { makeHoldable } from "../../ui/hold.js";
import * as orderButton from "../../ui/order_button.js";
import { isAsking, placeOrder, tell } from "./entry_ask.js";
import { chosen, chosenKind, isWaitingKind, liveMark, quantity, whatWaits } from "./entry_kinds.js";

const root = one(document, "#entry .override", HTMLDetailsElement);
const slot = slots(root);
const reason = one(root, "[name=override_reason]", HTMLInputElement);
const sides = all(root, "[name=override_side]", HTMLInputElement);
const SHORTEST_REASON = 3; // a word: a stray letter is no reason
const OFFER_HAS_CHANGED = "Not sent: the offer changed while you pressed. Read it, then hold again.";
let symbolInView = () => "";

/** @param {() => string} symbol */
export function start(symbol) {
  symbolInView = symbol;
  reason.addEventListener("input", () => draw(store.current().global, assetInView()));
  orderButton.guard(slot["override-button"], (sentence) => tell(slot["override-answer"], sentence));
  makeHoldable(slot["override-button"], {
    mayHold: () => obstacle() === "" && !isAsking(),
    whenHeld: enter,
    whenClicked: (cut) => tell(slot["override-answer"], obstacle() || cut || "Hold the button for 1.5 s to override."),
    whenCut: (sentence) => tell(slot["override-answer"], sentence),
    about: offer,
    whenOther: () => tell(slot["override-answer"], OFFER_HAS_CHANGED),
  });
}

export function forget() {
  orderButton.leave(slot["override-button"]);
  for (const radio of sides) radio.checked = false;
  close();
  write(slot["override-answer"], "");
}

/**
 * @param {Wire.GlobalState} desk
 * @param {Wire.AssetState} asset
 */
export function draw(desk, asset) {
  const kind = chosenKind();
  show(root, asset.zone_type !== "FREE" && kind.closedButZone !== undefined);
  if (root.hidden) return;
  for (const radio of sides) offerSide(radio, asset);
  write(slot["override-left"], `${desk.overrides_left_today} of ${desk.limits.overrides_per_day} left today.`);
  const obstacleNow = obstacle();
  const verb = (kind.verb ?? "").toLowerCase();
  mark(slot["override-button"], "aria-disabled", obstacleNow === "" && !isAsking() ? "false" : "true");
  write(
    slot["override-label"],
    obstacleNow ||
      `Hold to ${verb}${chosen("override_side")} ${quantity(desk)} ${asset.contract} against the rule${liveMark(desk)}`,
  );
}

/**
 * To enter now on the structure's own side overrides nothing. A pre-order may: by its brick the structure may have turned.
 *
 * @param {HTMLInputElement} radio
 * @param {Wire.AssetState} asset
 */
function offerSide(radio, asset) {
  const isRule = !isWaitingKind() && asset.zone_type === "NORMAL" && asset.zone_direction === radio.value;
  show(/** @type {HTMLElement} */ (radio.closest("label")), !isRule);
  if (isRule) radio.checked = false;
}

/** What keeps an override from being held down, empty when nothing does. */
function obstacle() {
  const asset = assetInView();
  const closed = chosenKind().closedButZone?.(asset);
  if (stream.isSilent()) return "Entries wait for the stream";
  if (deskInTheWay()) return deskInTheWay();
  if (closed) return headline(closed);
  if (isWaitingKind() && whatWaits(asset)) return whatWaits(asset);
  if (store.current().global.overrides_left_today === 0) return "No override is left today";
  if (!chosen("override_side")) return "Choose BUY or SELL first";
  return reason.value.trim().length >= SHORTEST_REASON ? "" : "Write why first";
}

/** What a press would send. */
function offer() {
  const { symbol, contract } = assetInView();
  return [symbol, contract, chosen("order_type"), chosen("override_side"), quantity(store.current().global)].join(" ");
}

async function enter() {
  orderButton.leave(slot["override-button"]);
  const override = { reason: reason.value.trim() };
  const isTaken = await placeOrder(slot["override-answer"], assetInView(), chosen("override_side"), override);
  if (isTaken) close();
}

function close() {
  reason.value = "";
  root.open = false;
}

function assetInView() {
  return sized(store.current().assets[symbolInView()], chosen("entry_size_mode"));
}
