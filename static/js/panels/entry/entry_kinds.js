// @ts-check

/** The three ways in (market, pre-order, intent): which gates each needs, which sides it offers, how it reads. */

import { firstClosed, firstClosedButZone, firstClosedFor } from "../../reading/gates.js";
import { all, byId } from "../../ui/dom.js";
import * as kept from "../../ui/kept.js";

const form = byId("entry");
/** @type {Record<string, string>} */
const KEPT = {
  order_type: "lockstep.entry.way",
  trade_mode: "lockstep.entry.mode",
  entry_size_mode: "lockstep.entry.size",
};
const BRICK = { BUY: "green", SELL: "red" };
/** @type {Page.Side[]} */
const BOTH = ["BUY", "SELL"];

/**
 * A way in. `closedButZone` is the gate that an override meets; without it none is offered.
 *
 * @typedef {object} Kind
 * @property {(asset: Wire.AssetState) => Wire.Rung | null} closed
 * @property {(asset: Wire.AssetState) => Wire.Rung | null} [closedButZone]
 * @property {(asset: Wire.AssetState) => Page.Side[]} sides
 * @property {string} [verb]
 * @property {(side: Page.Side) => string} [detail]
 * @property {() => string} whenOpen
 */

/** @type {Record<string, Kind>} */
const KINDS = {
  market: {
    closed: firstClosed,
    closedButZone: firstClosedButZone,
    sides: (asset) => (asset.zone_type === "FREE" ? BOTH : [asset.zone_direction ?? "BUY"]),
    verb: "",
    detail: () => `market · ${manner()}`,
    whenOpen: () => "Every gate is open.",
  },
  preorder: {
    closed: (asset) => firstClosedFor(asset, "preorder"),
    closedButZone: (asset) => firstClosedFor(asset, "preorder"),
    sides: (asset) => (asset.zone_direction ? [asset.zone_direction] : BOTH),
    verb: "Pre-order ",
    detail: (side) => `at the next ${BRICK[side]} 6pt brick · ${manner()}`,
    whenOpen: () => "The next 6pt brick decides: the matching colour meets the whole ladder, the other cancels.",
  },
  intent: {
    closed: (asset) => firstClosedFor(asset, "intent"),
    sides: () => [],
    whenOpen: () => "An intent orders nothing: the next 6pt brick makes it READY, the one after lets it expire.",
  },
};

/**
 * Let a reload come back to what was chosen: 9pt that falls back to 6pt would be two contracts more.
 *
 * @param {HTMLElement} root
 */
export function keepChoices(root) {
  for (const [name, place] of Object.entries(KEPT)) {
    const choice = all(root, `[name=${name}]`, HTMLInputElement).find(({ value }) => value === kept.read(place));
    if (choice) choice.checked = true;
  }
  root.addEventListener("change", ({ target }) => {
    const { name, value } = /** @type {HTMLInputElement} */ (target);
    if (name in KEPT) kept.keep(KEPT[name], value);
  });
}

/**
 * The chosen value of a segmented choice; null when none is.
 *
 * @param {string} name
 */
export function chosen(name) {
  return all(form, `[name=${name}]:checked`, HTMLInputElement)[0]?.value ?? null;
}

/** The chosen way in. */
export function chosenKind() {
  return KINDS[chosen("order_type") ?? ""];
}

/**
 * Contracts of the chosen size.
 *
 * @param {Wire.GlobalState} desk
 */
export function quantity(desk) {
  const { limits } = desk;
  return chosen("entry_size_mode") === "6pt" ? limits?.entry_qty_6pt : limits?.entry_qty_9pt;
}

/**
 * Real money is named in every button that asks for it.
 *
 * @param {Wire.GlobalState} desk
 */
export function liveMark(desk) {
  return desk.env === "LIVE" ? " · LIVE" : "";
}

/**
 * What already waits for the asset and keeps another from waiting; empty when nothing does.
 *
 * @param {Wire.AssetState} asset
 */
export function whatWaits(asset) {
  if (asset.preorder_active) return "PRE-ORDER WAITS";
  return asset.intent_active ? `INTENT ${asset.intent_status === "READY" ? "IS READY" : "WAITS"}` : "";
}

/** Whether the chosen way in waits for a brick, so that only one may. */
export function isWaitingKind() {
  return chosen("order_type") !== "market";
}

function manner() {
  return `${chosen("trade_mode")} · ${chosen("entry_size_mode")}`;
}
