/** What a trade leaves on a chart: where it went in and out, and the lines that would take it out. */

import { signedPoints } from "../format.js";
import { brickAt } from "./book.js";

/** Marks of the asset's trades, in the order of bricks. `isOpenEnded` while one stands on a brick still to come. */
export function marksOf(book, symbol, history, trade) {
  const moments = history.filter((past) => past.asset === symbol).flatMap(pastMoments);
  if (trade) moments.push(entry(trade.opened_at, trade.side, trade.quantity));
  const marks = [];
  let isOpenEnded = false;
  for (const moment of moments) {
    const brick = brickAt(book, moment.at);
    if (brick === null) continue;
    isOpenEnded ||= Date.parse(brick.ts) < Date.parse(moment.at);
    marks.push({ ...moment, time: brick.n });
  }
  marks.sort((one, other) => one.time - other.time);
  return { marks, isOpenEnded };
}

function pastMoments(past) {
  const exit = { at: past.exit_ts, kind: "exit", isBelow: past.side !== "BUY", text: `out ${signedPoints(past.pnl_points)}` };
  return [entry(past.entry_ts, past.side, past.size), exit];
}

function entry(at, side, quantity) {
  return { at, kind: "entry", isBelow: side === "BUY", text: `${side} ${quantity}` };
}

/** The price lines of the open trade. */
export function linesOf(asset) {
  const { trade } = asset;
  if (!trade) return [];
  const sign = trade.side === "BUY" ? 1 : -1;
  const away = (points) => trade.entry_price + sign * points * asset.point_size;
  const lines = [
    { kind: "average", title: "average", price: trade.entry_price },
    { kind: "stop", title: "stop", price: trade.stop_price },
  ];
  if (asset.points_tp_enabled) lines.push({ kind: "target", title: "target", price: away(asset.points_tp_target) });
  if (asset.protect_enabled) lines.push({ kind: "protect", title: "protect", price: away(asset.protect_threshold_points) });
  return lines;
}
