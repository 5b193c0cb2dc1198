// @ts-check

/** The last closed trades, newest first. */

import * as clock from "../../desk/clock.js";
import { averagePrice, clockMoment, countdown, moneyTone, signedPoints, signedUsd } from "../../reading/format.js";
import { resultOf, resultWords } from "../../reading/results.js";
import { byId, copyOf, follow, mark, show, slots, write, writeMoney } from "../../ui/dom.js";

const slot = slots(byId("history"));
const SHOWN = 20;
/** @type {Wire.TradeRow[] | null} */
let drawn = null;

/** @param {Page.State} state */
export function draw({ history, assets }) {
  if (history === drawn) return; // a closed trade never changes
  drawn = history;
  show(slot.none, history.length === 0);
  show(slot.table, history.length > 0);
  write(slot.count, history.length > SHOWN ? `last ${SHOWN} of ${history.length}` : "");
  follow(slot.rows, history.slice(0, SHOWN), {
    key: (trade) => trade.id,
    make: () => copyOf("history-row"),
    fill: (row, trade) => fillTrade(row, trade, assets[trade.asset]?.tick_size ?? 0.01),
  });
}

/**
 * @param {HTMLElement} row
 * @param {Wire.TradeRow} trade
 * @param {number} tickSize
 */
function fillTrade(row, trade, tickSize) {
  const cell = slots(row);
  write(cell["exit-time"], clockMoment(trade.exit_ts, clock.now()));
  mark(cell["exit-time"], "title", trade.exit_ts);
  write(cell.asset, trade.asset);
  write(cell.side, `${trade.side === "BUY" ? "▲ long" : "▼ short"} ${trade.size}`);
  write(cell.entry, averagePrice(trade.entry_price, tickSize));
  write(cell.exit, averagePrice(trade.exit_price, tickSize));
  writeMoney(cell.points, signedPoints(trade.pnl_points), moneyTone(trade.pnl_points));
  const result = resultOf(trade);
  writeMoney(cell.usd, signedUsd(result), moneyTone(result));
  mark(cell.usd, "title", resultWords(trade));
  write(cell.mae, signedPoints(trade.mae_points));
  write(cell.mfe, signedPoints(trade.mfe_points));
  write(cell.held, countdown(Math.round((Date.parse(trade.exit_ts) - Date.parse(trade.entry_ts)) / 1000)));
  write(cell.mode, trade.mode);
  write(cell.reason, reason(trade));
}

/** @param {Wire.TradeRow} trade */
function reason(trade) {
  const marks = [
    trade.forced_exit && (trade.exit_by ? "forced by a program" : "forced"),
    trade.override && "override",
    trade.estimated && "price estimated",
    trade.env === "LIVE" && "LIVE",
  ].filter(Boolean);
  return [trade.reason.toLowerCase().replaceAll("_", " "), ...marks].join(" · ");
}
