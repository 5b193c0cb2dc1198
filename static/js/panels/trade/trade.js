// @ts-check

/** What is held, and what will take it out. */

import * as clock from "../../desk/clock.js";
import * as store from "../../desk/store.js";
import * as stream from "../../desk/stream.js";
import * as bridge from "../../reading/bridge.js";
import {
  age,
  averagePrice,
  clockTime,
  countdown,
  moneyTone,
  price,
  signedPoints,
  signedQuantity,
  signedUsd,
} from "../../reading/format.js";
import { liveSentence } from "../../reading/gates.js";
import { stopWords } from "../../reading/resting_stop.js";
import { isUnclaimedEntry, orderUnderWay } from "../../reading/under_way.js";
import { byId, mark, show, slots, write, writeMoney } from "../../ui/dom.js";
import * as unfilled from "../entry/unfilled.js";
import { drawRail } from "./rail.js";
import * as reconciled from "./reconciled.js";

const ENDS = ["exit_refused", "order_rejected", "entry_expired", "entry_cancelled", "exit_unclaimed"];
const ENDED_STAYS_SECONDS = 120;
const WORD_JOINER = "\u2060";
const root = byId("trade");
const page = byId("desk");
const slot = slots(root);

/**
 * @param {Page.State} state
 * @param {string} symbol
 */
export function draw(state, symbol) {
  const { assets, orders, history, alerts } = state;
  const asset = assets[symbol];
  const order = orders.find((candidate) => candidate.id === asset.pending_order_id);
  show(slot["order-line"], order !== undefined);
  write(slot.order, order ? orderSentence(order) : "");
  write(slot["order-times"], order ? orderTimes(order) : "");
  tell(slot.due, asset.due_exit ? dueSentence(asset.due_exit) : "");
  tell(slot.ended, endedSentence(unfilled.among(alerts, symbol), asset));
  tell(slot.mismatch, asset.disagreement === null ? doubtSentence(asset) : mismatchSentence(asset));
  reconciled.draw(slot.reconciled, asset);
  mark(page, "data-holding", asset.trade !== null);
  mark(page, "data-stale", stream.isSilent());
  show(slot.flat, asset.trade === null);
  show(slot.holding, asset.trade !== null);
  show(slot.managing, asset.trade !== null);
  if (asset.trade === null) drawFlat(asset, history);
  else drawHolding(asset, asset.trade);
  const stop = asset.trade === null ? null : stopOf(state, asset, asset.trade);
  tell(slot.bare, stop?.standing === "missing" ? bareSentence(asset, stop) : "");
  if (asset.trade !== null && stop !== null) drawRail(slot, asset, asset.trade, stop);
}

/**
 * What is known of the stop at the broker.
 *
 * @param {Page.State} state
 * @param {Wire.AssetState} asset
 * @param {Wire.TradeState} trade
 */
export function stopOf(state, asset, trade) {
  const isSilent = bridge.isSilent(state, stream.asOf());
  return stopWords(asset, trade, clock.secondsSince(trade.opened_at) ?? 0, isSilent);
}

/**
 * @param {Wire.AssetState} asset
 * @param {import("../../reading/resting_stop.js").StopWords} stop
 */
function bareSentence({ position, contract }, { words }) {
  return `NO FULL STOP AT THE BROKER for ${signedQuantity(position)} ${contract}: ${words}. Rest one there yourself, or exit.`;
}

/**
 * @param {HTMLElement} line
 * @param {string} sentence
 */
function tell(line, sentence) {
  show(line, sentence !== "");
  write(line, sentence);
}

/** @param {Wire.OrderRow} order */
function orderSentence(order) {
  const filled = order.filled_qty > 0 ? `, ${order.filled_qty} filled` : "";
  const stands = order.status === "PENDING" ? "waits for the bridge" : `is ${order.status.replaceAll("_", " ")}`;
  return `${order.kind.replace("_", "-")} ${order.side} ${order.qty} ${order.symbol} ${stands}${filled}`;
}

/**
 * How an order of the asset ended when it was not filled: the newest of which that still matters.
 *
 * @param {unfilled.Ending[]} alerts
 * @param {Wire.AssetState} asset
 */
function endedSentence(alerts, asset) {
  const isOfAsset = (/** @type {unfilled.Ending} */ alert) => alert.asset === asset.symbol && ENDS.includes(alert.code);
  const last = alerts.find((alert) => isOfAsset(alert) && stillMatters(alert));
  return last === undefined ? "" : `${clockTime(last.at)} ${last.sentence}`;
}

/**
 * For as long as it lasts; a while when it does not last, or nobody can tell.
 *
 * @param {unfilled.Ending} ending
 */
function stillMatters({ at, over }) {
  return over === false || (over !== true && (clock.secondsSince(at) ?? 0) < ENDED_STAYS_SECONDS);
}

/**
 * Apart from the sentence: that one is read out when it changes, and these change every second.
 *
 * @param {Wire.OrderRow} order
 */
function orderTimes(order) {
  const since = age(clock.secondsSince(order.created_at));
  if (order.fate_unknown_at) return `${since}, fate unknown since ${clockTime(order.fate_unknown_at)}`;
  const mayExpire = order.status === "PENDING" && order.expires_at;
  return mayExpire ? `${since}, expires in ${countdown(clock.secondsUntil(order.expires_at) ?? 0)}` : since;
}

/** @param {Wire.DueExitState} due */
function dueSentence(due) {
  const retry = due.retry_at
    ? `tries again in ${countdown(clock.secondsUntil(due.retry_at) ?? 0)}`
    : "waits for the open order to become final";
  return `EXIT latched by ${due.source.replaceAll("_", " ")}: ${retry}`;
}

/** @param {Wire.AssetState} asset */
function mismatchSentence(asset) {
  return `POSITION MISMATCH — the broker holds ${asset.disagreement}, the desk ${asset.position}`;
}

/**
 * Why broker and desk may disagree unseen: the gate says it in its own words.
 *
 * @param {Wire.AssetState} asset
 */
function doubtSentence({ doubt, ladder }) {
  const rung = ladder.find(({ gate }) => gate === "reconcile");
  return doubt !== null && rung?.state === "closed" ? liveSentence(rung) : "";
}

/**
 * @param {Wire.AssetState} asset
 * @param {Wire.TradeRow[]} history
 */
function drawFlat(asset, history) {
  const last = history.find((trade) => trade.asset === asset.symbol);
  write(slot.note, "");
  write(slot["flat-title"], ["Flat", orderUnderWay(asset)].filter(Boolean).join(" — "));
  if (asset.pending_order_id) write(slot["flat-note"], riskSentence(asset));
  else write(slot["flat-note"], last ? lastSentence(last) : `Nothing is at risk in ${asset.symbol}.`);
}

/**
 * Flat with an order under way is at risk: a fill may come any moment.
 *
 * @param {Wire.AssetState} asset
 */
function riskSentence(asset) {
  const recall = isUnclaimedEntry(asset)
    ? "Until a bridge claims it, it can be cancelled."
    : "It cannot be cancelled any more.";
  return `A fill can come at any moment. ${recall}`;
}

/** @param {Wire.TradeRow} trade */
function lastSentence(trade) {
  const side = trade.side === "BUY" ? "long" : "short";
  const money = signedUsd(trade.pnl_usd).replace("$", `${WORD_JOINER}$`); // no line ends between the sign and its number
  return `Last: ${side} ${trade.size}, ${signedPoints(trade.pnl_points)} pt, ${money}`;
}

/**
 * @param {Wire.AssetState} asset
 * @param {Wire.TradeState} trade
 */
function drawHolding(asset, trade) {
  const isLong = trade.side === "BUY";
  const last = store.priceOf(asset.symbol).price;
  const about = `${trade.contract} · ${trade.zone} zone${trade.override ? " · override" : ""}`;
  write(slot.note, stream.isSilent() ? `as of ${clockTime(stream.asOf())}` : about);
  mark(slot.side, "data-side", trade.side);
  write(slot.side, `${isLong ? "▲ LONG" : "▼ SHORT"} ${trade.quantity}`);
  writeMoney(slot.points, `${signedPoints(trade.open_points)} pt`, moneyTone(trade.open_points));
  writeMoney(slot.usd, signedUsd(asset.pnl), moneyTone(asset.pnl));
  write(slot.average, averagePrice(trade.entry_price, asset.tick_size));
  write(slot.last, price(last, asset.tick_size));
  write(slot.mae, signedPoints(trade.mae_points));
  write(slot.mfe, signedPoints(trade.mfe_points));
  write(slot.held, countdown(clock.secondsSince(trade.opened_at) ?? 0));
  write(slot.mode, trade.mode);
}
