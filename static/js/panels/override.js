/** Entering against the zone: a side, the reason, and a button that must be held. Every other gate still holds. */

import { mark, show, slots, write } from "../dom.js";
import { deskInTheWay, headline } from "../gates.js";
import { makeHoldable } from "../hold.js";
import * as store from "../store.js";
import * as stream from "../stream.js";
import { isAsking, placeOrder, tell } from "./entry_ask.js";
import { chosen, chosenKind, isWaitingKind, quantity, whatWaits } from "./entry_kinds.js";

const root = document.querySelector("#entry .override");
const slot = slots(root);
const reason = root.querySelector("[name=override_reason]");
const SHORTEST_REASON = 3; // a word: a stray letter is no reason
let symbolInView = () => "";

export function start(symbol) {
  symbolInView = symbol;
  reason.addEventListener("input", () => draw(store.current().global, assetInView()));
  makeHoldable(slot["override-button"], {
    mayHold: () => obstacle() === "" && !isAsking(),
    whenHeld: enter,
    whenClicked: () => tell(slot["override-answer"], obstacle() || "Hold the button for 1.5 s to override."),
  });
}

export function forget() {
  for (const radio of root.querySelectorAll("[name=override_side]")) radio.checked = false;
  close();
  write(slot["override-answer"], "");
}

export function draw(desk, asset) {
  const kind = chosenKind();
  show(root, asset.zone_type !== "FREE" && kind.closedButZone !== undefined);
  if (root.hidden) return;
  const obstacleNow = obstacle();
  const verb = kind.verb.toLowerCase();
  mark(slot["override-button"], "aria-disabled", obstacleNow === "" && !isAsking() ? "false" : "true");
  write(slot["override-label"], obstacleNow || `Hold to ${verb}${chosen("override_side")} ${quantity(desk)} ${asset.contract} against the rule`);
}

/** What keeps an override from being held down, empty when nothing does. */
function obstacle() {
  const asset = assetInView();
  const closed = chosenKind().closedButZone?.(asset);
  if (stream.isSilent()) return "Entries wait for the stream";
  if (deskInTheWay()) return deskInTheWay();
  if (closed) return headline(closed);
  if (isWaitingKind() && whatWaits(asset)) return whatWaits(asset);
  if (!chosen("override_side")) return "Choose BUY or SELL first";
  return reason.value.trim().length >= SHORTEST_REASON ? "" : "Write why first";
}

async function enter() {
  const override = { reason: reason.value.trim() };
  const isTaken = await placeOrder(slot["override-answer"], assetInView(), chosen("override_side"), override);
  if (isTaken) close();
}

function close() {
  reason.value = "";
  root.open = false;
}

function assetInView() {
  return store.current().assets[symbolInView()];
}
