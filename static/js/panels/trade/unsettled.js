// @ts-check

/** Orders without a report, words to say, foreign positions and a second bridge, with what settles them. */

import * as clock from "../../desk/clock.js";
import { drawOffer } from "../../desk/offers.js";
import * as store from "../../desk/store.js";
import * as stream from "../../desk/stream.js";
import * as bridge from "../../reading/bridge.js";
import {
  obstacleOfReason,
  orderName,
  positionName,
  positionState,
  resolution,
  silence,
  takeover,
  unsettled,
  words,
} from "../../reading/unsettled.js";
import { all, byId, copyOf, follow, show, slots, write } from "../../ui/dom.js";

const root = byId("unsettled");
const slot = slots(root);

/** @typedef {import("../../desk/offers.js").Offer} Offer */

export function start() {
  root.addEventListener("input", () => draw(store.current()));
  root.addEventListener("submit", (event) => event.preventDefault()); // Enter in a field holds nothing
}

/** @param {Page.State} state */
export function draw(state) {
  const lost = unsettled(state.orders);
  const foreign = state.global.foreign_positions;
  const waiting = takeover(state, bridge.isSilent(state, stream.asOf()));
  const bridges = waiting === null ? [] : [waiting];
  const waited = words(state, clock.secondsUntil);
  show(root, lost.length + waited.length + foreign.length + bridges.length > 0);
  follow(slot.orders, lost, { key: ({ id }) => id, make: () => copyOf("unsettled-order"), fill: fillOrder });
  follow(slot.words, waited, { key: ({ key }) => key, make: () => copyOf("awaited-word"), fill: fillWord });
  follow(slot.positions, foreign, {
    key: ({ symbol }) => symbol,
    make: () => copyOf("foreign-position"),
    fill: fillPosition,
  });
  follow(slot.bridges, bridges, {
    key: ({ key }) => key,
    make: () => copyOf("second-bridge"),
    fill: fillBridge,
  });
}

/**
 * @param {HTMLElement} row
 * @param {Wire.OrderRow} order
 */
function fillOrder(row, order) {
  const cell = slots(row);
  write(cell.what, orderName(order));
  write(cell.age, silence(order, clock.secondsSince(order.claimed_at)));
  show(cell.settling, order.fate_unknown_at !== null);
  for (const radio of all(row, "[type=radio]", HTMLInputElement)) radio.name = `outcome ${order.id}`;
  drawOffer(cell, () => offerOfOrder(row));
}

/**
 * @param {HTMLElement} row
 * @param {import("../../reading/unsettled.js").Word} word
 */
function fillWord(row, { what, state, label, waits, path, command }) {
  const cell = slots(row);
  write(cell.what, what);
  write(cell.age, state);
  drawOffer(cell, () => {
    const reason = field(row, "reason");
    const obstacle = waits || obstacleOfReason(reason);
    return { obstacle, label, path, command: { ...command, reason: reason.trim() } };
  });
}

/**
 * @param {HTMLElement} row
 * @param {Wire.ForeignPosition} held
 */
function fillPosition(row, held) {
  const cell = slots(row);
  write(cell.what, positionName(held));
  write(cell.age, positionState(held));
  show(cell.settling, !held.accepted);
  drawOffer(cell, () => offerOfPosition(row));
}

/**
 * @param {HTMLElement} row
 * @param {import("../../reading/unsettled.js").Takeover} waiting
 */
function fillBridge(row, { what, state, label }) {
  const cell = slots(row);
  write(cell.what, what);
  write(cell.age, state);
  const reason = () => field(row, "reason").trim() || undefined;
  drawOffer(cell, () => ({ obstacle: "", label, path: "/api/bridge/takeover", command: { reason: reason() } }));
}

/**
 * @param {HTMLElement} row
 * @returns {Offer}
 */
function offerOfOrder(row) {
  const id = row.dataset.key ?? "";
  const outcome = all(row, "[type=radio]:checked", HTMLInputElement)[0]?.value ?? null;
  const said = { outcome, qty: field(row, "qty"), price: field(row, "price"), reason: field(row, "reason") };
  const { obstacle, command } = resolution(said);
  const label = `Hold: it was ${outcome === "filled" ? "filled" : "not filled"}`;
  return { obstacle, label, path: `/api/orders/${encodeURIComponent(id)}/resolve`, command };
}

/**
 * @param {HTMLElement} row
 * @returns {Offer}
 */
function offerOfPosition(row) {
  const symbol = row.dataset.key ?? "";
  const held = store.current().global.foreign_positions.find((candidate) => candidate.symbol === symbol);
  const reason = field(row, "reason");
  const command = { symbol, position: held?.position ?? 0, reason: reason.trim() };
  const label = held ? `Hold to accept ${positionName(held)}` : "";
  return { obstacle: obstacleOfReason(reason), label, path: "/api/positions/accept", command };
}

/**
 * @param {HTMLElement} row
 * @param {string} name
 */
function field(row, name) {
  return all(row, `[name=${name}]`, HTMLInputElement)[0].value;
}
