// @ts-check

/**
 * Entries that ended without a fill. One that expired or was rejected leaves an alert; one that was cancelled only
 * leaves the desk's list. The page says what it saw then: an order that was open is gone, and nothing was bought or sold.
 */

import * as clock from "../../desk/clock.js";
import { clockTime } from "../../reading/format.js";
import { show, write } from "../../ui/dom.js";

const CANCELLED = "entry_cancelled";
const ENDS = ["order_rejected", "entry_expired", CANCELLED];
const STAYS_SECONDS = 120;
const CONTINUOUS_MS = 10_000; // the desk speaks more often than that
const AGAINST = { BUY: "red", SELL: "green" };
const EXITING_BRICKS = { "8pt": "high_renko", "6pt": "main_renko" };

const reasons = new Map(); // order id → the desk's reason
const cancelled = new Map(); // asset → the last one, in the form of an alert
let last = null;
let heardAt = performance.now();

/** Call it with whatever is heard: that tells how well the page could follow. */
export function listen(document) {
  follow(document);
  heardAt = performance.now();
}

/** Compare with the document before. */
export function follow(document) {
  if (document === last) return;
  const isLate = performance.now() - heardAt > CONTINUOUS_MS;
  const before = last;
  last = document;
  if (before === null || document.version < before.version) return;
  for (const order of before.orders) {
    if (isCancelled(order, before, document)) cancelled.set(order.asset, endOf(order, before, document, isLate));
  }
}

/** Remember why, when the desk has said so to the click that cancelled it. */
export function hear(...orders) {
  for (const { id, reason } of orders) if (reason) reasons.set(id, reason);
}

/** The alerts, newest first, with the asset's cancelled entry among them. */
export function among(alerts, symbol) {
  const own = cancelled.get(symbol);
  if (own === undefined) return alerts;
  const told = { ...own, sentence: sentence(own) };
  return [...alerts, told].sort((one, other) => Date.parse(other.at) - Date.parse(one.at));
}

/** Say at the way in how the last entry ended, until another one is on its way or filled. */
export function draw(line, { alerts }, asset) {
  const isOver = (at) => asset.pending_order_id !== null || Date.parse(asset.trade?.opened_at ?? "") > Date.parse(at);
  const isNews = ({ code, asset: symbol, at }) =>
    symbol === asset.symbol && ENDS.includes(code) && clock.secondsSince(at) < STAYS_SECONDS && !isOver(at);
  const told = among(alerts, asset.symbol).find(isNews);
  show(line, told !== undefined);
  write(line, told ? `${clockTime(told.at)} ${told.sentence}` : "");
}

/** Of the four ways to end, the other three leave a position, a closed trade or an alert. */
function isCancelled(order, before, after) {
  if (order.kind === "EXIT" || order.filled_qty > 0 || after.orders.some(({ id }) => id === order.id)) return false;
  const isSince = (time) => Date.parse(time) >= Date.parse(order.created_at);
  const isOfOrder = ({ code, asset, at }) => asset === order.asset && ENDS.includes(code) && isSince(at);
  const wasClosed = after.history.some((trade) => trade.asset === order.asset && isSince(trade.exit_ts));
  const grew = Math.abs(after.assets[order.asset].position) > Math.abs(before.assets[order.asset].position);
  return !grew && !wasClosed && !after.alerts.some(isOfOrder);
}

function endOf(order, before, after, isLate) {
  const why = causeOf(order, before, after);
  return { at: after.now, code: CANCELLED, asset: order.asset, over: null, order, why, isLate };
}

/** What happened in the same moment: the document does not name the reason. */
function causeOf(order, { assets, global: wasDesk }, { assets: nowAssets, global: desk }) {
  const [was, is] = [assets[order.asset], nowAssets[order.asset]];
  if (desk.daily_stop_triggered && !wasDesk.daily_stop_triggered) return "with the daily stop";
  const against = Object.entries(EXITING_BRICKS).find(
    ([, name]) => is[`${name}_ts`] !== was[`${name}_ts`] && is[`${name}_color`] === AGAINST[order.side],
  );
  if (against) return `with the ${against[0]} brick that closed ${AGAINST[order.side]}`;
  return order.status === "PENDING" ? "" : "after the bridge had claimed it";
}

function sentence({ order, why, isLate }) {
  const reason = reasons.get(order.id) ?? why;
  const what = `${order.kind.replace("_", "-")} ${order.side} ${order.qty} ${order.symbol} CANCELLED, nothing was filled`;
  const seen = isLate ? " (seen when the desk was heard again)" : "";
  return `${what}${reason ? ` — ${reason}` : " — the desk gave this page no reason"}${seen}`;
}
