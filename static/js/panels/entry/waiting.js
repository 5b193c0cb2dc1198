// @ts-check

/** What waits for a brick (intent or pre-order) and can be taken back, and how the last one ended. */

import * as clock from "../../desk/clock.js";
import { ask, forgetWithin, isPending } from "../../desk/controls.js";
import * as store from "../../desk/store.js";
import { countsDown, timeless } from "../../reading/explained.js";
import { countdown } from "../../reading/format.js";
import { byId, mark, markBusy, one, show, slots, write, writeRunning } from "../../ui/dom.js";
import { isWaitingKind } from "./entry_kinds.js";

const root = byId("waiting");
const slot = slots(root);
const BRICK = { BUY: "green", SELL: "red" };
const ARROWS = { BUY: "▲", SELL: "▼" };
let symbolInView = () => "";

/** @param {() => string} symbol */
export function start(symbol) {
  symbolInView = symbol;
  slot["waiting-cancel"].addEventListener("click", cancel);
  slot["waiting-market"].addEventListener("click", () => one(document, "#entry [value=market]").click());
}

export function forget() {
  forgetWithin(root);
}

function cancel() {
  const asset = store.current().assets[symbolInView()];
  const path = asset.preorder_active ? "/api/preorder/cancel" : "/api/intent/cancel";
  ask(slot["waiting-answer"], path, { asset: asset.symbol });
}

/**
 * @param {Page.State} state
 * @param {string} symbol
 */
export function draw({ assets }, symbol) {
  const asset = assets[symbol];
  const isWaiting = asset.preorder_active || asset.intent_active;
  show(slot["waiting-card"], isWaiting);
  const [title, note] = isWaiting ? words(asset) : ["", ""];
  write(slot["waiting-title"], title);
  writeNote(note, asset.preorder_active ? clock.secondsUntil(asset.preorder_ends_ts) : null);
  mark(slot["waiting-card"], "data-status", asset.preorder_active ? asset.preorder_status : asset.intent_status);
  markBusy(slot["waiting-cancel"], isPending(slot["waiting-answer"]));
  show(slot["waiting-market"], asset.intent_status === "READY" && isWaitingKind());
  write(slot["waiting-last"], isWaiting ? "" : lastOutcome(asset));
}

/**
 * @param {string} note
 * @param {number | null} left seconds until it ends by itself; null when no instant is known
 */
function writeNote(note, left) {
  if (left === null) write(slot["waiting-note"], note);
  else writeRunning(slot["waiting-note"], `${note}, ends in `, countdown(left), "");
}

/** @param {Wire.AssetState} asset */
function words(asset) {
  if (asset.preorder_active) {
    const side = /** @type {Page.Side} */ (asset.preorder_direction);
    return [`Pre-order ${asset.preorder_status}: ${ARROWS[side]} ${side}`, `Fires with a ${BRICK[side]} 6pt brick`];
  }
  const isReady = asset.intent_status === "READY";
  return [
    `Intent ${asset.intent_status}`,
    isReady ? "Enter before the next 6pt brick" : "READY with the next 6pt brick",
  ];
}

/**
 * How the last one ended; a pre-order that fired has become a trade and needs no words.
 *
 * @param {Wire.AssetState} asset
 */
function lastOutcome(asset) {
  const ends = [];
  if (asset.preorder_status === "CANCELLED") ends.push(`Pre-order CANCELLED: ${whyCancelled(asset)}`);
  if (asset.intent_status === "EXPIRED") ends.push("Intent EXPIRED: a second 6pt brick came");
  return ends.join(". ");
}

/**
 * A refusal of some time ago is said without the time that was left then.
 *
 * @param {Wire.AssetState} asset
 */
function whyCancelled({ preorder_reason: reason, preorder_refusal: refusal }) {
  return refusal && countsDown(refusal) ? timeless(refusal) : (reason ?? "");
}
