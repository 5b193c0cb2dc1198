// @ts-check

/** What broker and desk have not settled: orders nobody reports on, foreign positions, and who claims orders. */

import { age, clockTime, price, signedQuantity } from "./format.js";

const SHORTEST_REASON = 3; // a word: a stray letter is no reason

/**
 * Orders that a bridge has taken and nobody knows the state of (SPEC 8.1).
 *
 * @param {Wire.OrderRow[]} orders
 */
export function unsettled(orders) {
  const isSilent = (/** @type {Wire.OrderRow} */ { claimed_at: at, reported_at: reported }) => at !== null && !reported;
  return orders.filter((order) => order.fate_unknown_at !== null || isSilent(order));
}

/** @param {Wire.OrderRow} order */
export function orderName({ asset, kind, side, qty, symbol }) {
  return `${asset} ${kind.replace("_", "-")} ${side} ${qty} ${symbol}`;
}

/**
 * How old the last word about an order is; `seconds` are those since its claim.
 *
 * @param {Wire.OrderRow} order
 * @param {number | null} seconds
 */
export function silence({ fate_unknown_at: lostAt, reported_at: reportedAt }, seconds) {
  const claimed = `claimed ${age(seconds)} ago`;
  if (lostAt === null) return `${claimed}, no report yet`;
  return `${claimed}, ${reportedAt === null ? "never reported" : `last report ${clockTime(reportedAt)}`}, fate unknown since ${clockTime(lostAt)}`;
}

/** @param {Wire.ForeignPosition} held */
export function positionName({ position, symbol }) {
  return `${signedQuantity(position)} ${symbol}`;
}

/** @param {Wire.ForeignPosition} held */
export function positionState({ since, expired, accepted }) {
  const seen = `seen since ${clockTime(since)}`;
  if (accepted) return `${seen}, accepted until it changes`;
  return `${seen}, ${expired ? "a contract that has expired" : "a contract that the desk does not trade"}`;
}

/**
 * @typedef {{key: string, what: string, state: string, label: string, waits: string, path: string, command: object}}
 *   Word what the operator can settle by saying it: that an order went so (once more), or that a price is right
 */

/**
 * The words that the desk waits for, of every asset (SPEC 8.1, 8.3). `until` gives the seconds until a time.
 *
 * @param {Wire.StateDocument} state
 * @param {(time: string | null) => number | null} until
 * @returns {Word[]}
 */
export function words({ assets }, until) {
  return Object.values(assets).flatMap((asset) => asset.words_awaited.map((word) => wordOf(asset, word, until)));
}

/**
 * @param {Wire.AssetState} asset
 * @param {Wire.WordAwaited} word
 * @param {(time: string | null) => number | null} until
 * @returns {Word}
 */
function wordOf({ symbol, tick_size: tick }, word, until) {
  const { order_id: id, about, outcome, qty, price: told, last_price: last, since, from_ts: from } = word;
  const seconds = until(from) ?? 0;
  const at = told === null ? "" : ` at ${price(told, tick)}`;
  const said = {
    key: `${id} ${told ?? ""}`,
    waits: seconds > 0 ? `The same again counts in ${seconds} s` : "",
    path: `/api/orders/${encodeURIComponent(id)}/resolve`,
    command: {
      outcome,
      ...(about === "resolved" && qty !== null ? { qty } : {}),
      ...(told === null ? {} : { price: told }),
    },
  };
  if (about === "fill_price") {
    const what = `${symbol} filled ${qty}${at}`;
    const state = `not believed since ${clockTime(since)}: the last price was ${price(last, tick)}`;
    return { ...said, what, state, label: "Hold: this price is right" };
  }
  const how = outcome === "filled" ? `filled${qty === null ? "" : ` ${qty}`}${at}` : "not filled";
  const what = `${symbol} order resolved as ${how}`;
  const state = `said at ${clockTime(since)}; no snapshot of the broker has agreed yet`;
  return { ...said, what, state, label: "Hold: I looked again, it is so" };
}

/**
 * @typedef {{key: string, what: string, state: string, label: string}} Takeover why another bridge process should claim
 */

/**
 * Whether the operator may have to say who claims (SPEC 8.2): a second bridge is refused, or the one that claimed an
 * exit is silent.
 *
 * @param {Wire.StateDocument} state
 * @param {boolean} isSilent no bridge is heard
 * @returns {Takeover | null}
 */
export function takeover({ global: desk, orders }, isSilent) {
  const { holder, holder_ts: heardAt, refused } = desk.bridge_fence;
  if (refused !== null) {
    const what = "A second bridge asks for orders";
    const state = `${shortName(refused)} gets none: ${shortName(holder)} claims, last heard ${clockTime(heardAt)}`;
    return { key: refused, what, state, label: "Hold: the second bridge claims from now on" };
  }
  const isHeld = orders.some(({ kind, status }) => kind === "EXIT" && status === "CLAIMED");
  if (!isSilent || !isHeld) return null;
  const what = "An exit is with a bridge that is silent";
  return {
    key: "silent",
    what,
    state: "no other gets it before 60 s",
    label: "Hold: the next bridge that asks claims",
  };
}

/**
 * The first letters of an instance, enough to tell two apart.
 *
 * @param {string | null} instance
 */
function shortName(instance) {
  return instance === null ? "none" : instance.slice(0, 12);
}

/**
 * What the fields say, as `POST /api/orders/<id>/resolve` takes it; empty quantity and price are left to the desk.
 *
 * @param {{outcome: string | null, qty: string, price: string, reason: string}} said
 * @returns {{obstacle: string, command: object}}
 */
export function resolution({ outcome, qty, price, reason }) {
  const numbers = outcome === "filled" ? { qty: numberOf(qty), price: numberOf(price) } : {};
  const command = { outcome, reason: reason.trim(), ...numbers };
  if (outcome === null) return { obstacle: "Choose Filled or Not filled first", command };
  if (Object.values(numbers).some(Number.isNaN)) return { obstacle: "Contracts and price must be numbers", command };
  return { obstacle: obstacleOfReason(reason), command };
}

/**
 * What is missing of a reason, empty when nothing is.
 *
 * @param {string} reason
 */
export function obstacleOfReason(reason) {
  return reason.trim().length >= SHORTEST_REASON ? "" : "Write why first";
}

/**
 * A number as it was typed; undefined for an empty field, which is then not sent.
 *
 * @param {string} text
 */
function numberOf(text) {
  return text.trim() === "" ? undefined : Number(text.replace(",", "."));
}
