// @ts-check

/** Orders without a report and positions that the desk does not trade, of every asset, with what settles them. */

import * as clock from "../../desk/clock.js";
import { ask, isPending, tell } from "../../desk/controls.js";
import * as store from "../../desk/store.js";
import {
  obstacleOfReason,
  orderName,
  positionName,
  positionState,
  resolution,
  silence,
  unsettled,
} from "../../reading/unsettled.js";
import { all, byId, copyOf, follow, mark, markBusy, show, slots, write } from "../../ui/dom.js";
import { makeHoldable } from "../../ui/hold.js";

const root = byId("unsettled");
const slot = slots(root);
const CHANGED = "Not sent: what you settle changed while you pressed. Read it, then hold again.";
const HOLD = "Hold the button for 1.5 s.";

/**
 * What holding a row's button sends; `obstacle` says why it sends nothing yet.
 *
 * @typedef {{obstacle: string, label: string, path: string, command: object}} Offer
 */

/** @type {WeakSet<HTMLElement>} rows whose button is bound already, the server's among them */
const bound = new WeakSet();

export function start() {
  root.addEventListener("input", () => draw(store.current()));
  root.addEventListener("submit", (event) => event.preventDefault()); // Enter in a field holds nothing
}

/** @param {Page.State} state */
export function draw({ orders, global: desk }) {
  const lost = unsettled(orders);
  const foreign = desk.foreign_positions;
  show(root, lost.length + foreign.length > 0);
  follow(slot.orders, lost, { key: ({ id }) => id, make: () => copyOf("unsettled-order"), fill: fillOrder });
  follow(slot.positions, foreign, {
    key: ({ symbol }) => symbol,
    make: () => copyOf("foreign-position"),
    fill: fillPosition,
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
  drawButton(row, () => offerOfOrder(row));
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
  drawButton(row, () => offerOfPosition(row));
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

/**
 * @param {HTMLElement} row
 * @param {() => Offer} offer
 */
function drawButton(row, offer) {
  const cell = slots(row);
  if (!bound.has(row)) bind(row, offer);
  const { obstacle, label } = offer();
  mark(cell.hold, "aria-disabled", obstacle ? "true" : "false");
  markBusy(cell.hold, isPending(cell.answer));
  write(cell.label, obstacle || label);
}

/**
 * @param {HTMLElement} row
 * @param {() => Offer} offer
 */
function bind(row, offer) {
  bound.add(row);
  const { hold, answer } = slots(row);
  makeHoldable(hold, {
    mayHold: () => offer().obstacle === "" && !isPending(answer),
    whenHeld: () => send(answer, offer()),
    whenClicked: (cut) => tell(answer, offer().obstacle || cut || HOLD, "info"),
    whenCut: (sentence) => tell(answer, sentence),
    about: () => JSON.stringify(offer()),
    whenOther: () => tell(answer, CHANGED),
  });
}

/**
 * @param {HTMLElement} answer
 * @param {Offer} offer
 */
function send(answer, { path, command }) {
  ask(answer, path, command, { needsStream: true });
}
