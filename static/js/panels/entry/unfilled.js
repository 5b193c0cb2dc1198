// @ts-check

/**
 * Entries that ended without a fill. One that expired or was rejected leaves an alert; of one that was cancelled the
 * journal's events say when and why.
 */

import * as clock from "../../desk/clock.js";
import * as facts from "../../desk/facts.js";
import { clockTime } from "../../reading/format.js";
import { cancelledSentence, lastCancelled } from "../../reading/order_ends.js";
import { show, write } from "../../ui/dom.js";

/** @typedef {Pick<Wire.AlertRow, "at" | "code" | "asset" | "over" | "sentence">} Ending how an order ended */

const CANCELLED = "entry_cancelled";
const ENDS = ["order_rejected", "entry_expired", CANCELLED];
const STAYS_SECONDS = 120;

/** @type {Page.Sizes} */
let sizes = {};

/** @param {Page.Sizes} sizesOfStreams */
export function start(sizesOfStreams) {
  sizes = sizesOfStreams;
}

/**
 * The alerts, newest first, with the asset's last cancelled entry among them.
 *
 * @param {Wire.AlertRow[]} alerts
 * @param {string} symbol
 * @returns {Ending[]}
 */
export function among(alerts, symbol) {
  const events = facts.ofOrders();
  const ended = lastCancelled(events, symbol);
  if (ended === null) return alerts;
  const sentence = cancelledSentence(ended, events, sizes);
  const own = { at: ended.ts, code: CANCELLED, asset: symbol, over: null, sentence };
  return [...alerts, own].sort((one, other) => Date.parse(other.at) - Date.parse(one.at));
}

/**
 * Say at the way in how the last entry ended, until another one is on its way or filled.
 *
 * @param {HTMLElement} line
 * @param {Page.State} state
 * @param {Wire.AssetState} asset
 */
export function draw(line, { alerts }, asset) {
  const isOver = (/** @type {Page.Instant} */ at) =>
    asset.pending_order_id !== null || Date.parse(asset.trade?.opened_at ?? "") > Date.parse(at);
  const isNews = (/** @type {Ending} */ { code, asset: symbol, at }) =>
    symbol === asset.symbol && ENDS.includes(code) && (clock.secondsSince(at) ?? 0) < STAYS_SECONDS && !isOver(at);
  const told = among(alerts, asset.symbol).find(isNews);
  show(line, told !== undefined);
  write(line, told ? `${clockTime(told.at)} ${told.sentence}` : "");
}
