// @ts-check

/** What a trade leaves on a chart: where it went in and out, and the lines that would take it out. */

import { signedPoints } from "../reading/format.js";
import { brickAt } from "./book.js";

const WORDS_REACH = 5; // bricks, the narrowest, from the middle of an entry's words to a circle clear of them

/**
 * Marks of the asset's trades, in the order of bricks. `isOpenEnded` while one stands on a brick still to come.
 *
 * @param {{bricks: Page.Closing[]}} book bricks, or candles with their last instants
 * @param {string} symbol
 * @param {Wire.TradeRow[]} history
 * @param {Wire.TradeState | null} trade
 */
export function marksOf(book, symbol, history, trade) {
  const moments = history.filter((past) => past.asset === symbol).flatMap((past) => pastMoments(past));
  if (trade) moments.push(entry(trade.opened_at, trade.side, null)); // how many went in, the state does not tell
  return marksAt(book, moments);
}

/**
 * The same of moments {at, kind, isBelow, text}: each stands on the brick that closed then or next.
 *
 * @param {{bricks: Page.Closing[]}} book
 * @param {Page.Moment[]} moments
 */
export function marksAt(book, moments) {
  /** @type {Page.Mark[]} */
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

/**
 * In and out of a trade that is over, and between them where it was added to: {at, quantity}, if that is known.
 *
 * @param {Wire.TradeRow} past
 * @param {{at: Page.Instant, quantity: number}[]} [additions]
 * @returns {Page.Moment[]}
 */
export function pastMoments(past, additions = []) {
  const isBelow = past.side === "BUY";
  /** @type {Page.Moment[]} */
  const later = additions.map(({ at, quantity }) => ({ at, kind: "added", isBelow, text: `+${quantity}` }));
  const atFirst = additions.reduce((left, { quantity }) => left - quantity, past.size);
  /** @type {Page.Moment} */
  const exit = { at: past.exit_ts, kind: "exit", isBelow: !isBelow, text: `out ${signedPoints(past.pnl_points)} pt` };
  return [entry(past.entry_ts, past.side, atFirst), ...later, exit];
}

/**
 * @param {Page.Instant} at
 * @param {Page.Side} side
 * @param {number | null} quantity
 * @returns {Page.Moment}
 */
function entry(at, side, quantity) {
  return { at, kind: "entry", isBelow: side === "BUY", text: quantity === null ? side : `${side} ${quantity}` };
}

/**
 * The same marks, but none that adds to a trade on the words of its entry: where a pullback would put it there, it
 * stands on the other side of its brick.
 *
 * @param {Page.Mark[]} marks
 * @param {Page.Bar[]} bars
 */
export function clearOfEntry(marks, bars) {
  const into = marks.find((mark) => mark.kind === "entry");
  const edges = new Map(bars.map(({ time, high, low }) => [time, { high, low }]));
  if (!into) return marks;
  /** @param {Page.Mark} mark */
  const hits = ({ kind, time }) => {
    if (kind !== "added" || time === into.time || time - into.time > WORDS_REACH) return false;
    const [one, other] = [edges.get(time), edges.get(into.time)];
    if (!one || !other) return false;
    return into.isBelow ? one.low < other.low : one.high > other.high;
  };
  return marks.map((mark) => (hits(mark) ? { ...mark, isBelow: !mark.isBelow } : mark));
}

/**
 * The stop as the bridge told it, else the planned one, which may not rest.
 *
 * @param {Wire.AssetState} asset
 * @param {Wire.TradeState} trade
 * @returns {Page.PriceLine}
 */
function stopLine({ resting_stop: resting }, { stop_price: planned }) {
  return { kind: "stop", title: resting ? "stop" : "stop planned", price: resting?.price ?? planned };
}

/**
 * Where stop and target of the only entry that no gate refuses would lie, entered at `price`; null when there is none.
 *
 * @param {Wire.AssetState} asset
 * @param {number | null} price
 * @param {{stopPoints: number | null | undefined, targetPoints: number | null | undefined}} distances no target: null
 */
export function nextOrder({ trade, may_enter: sides, point_size: pointSize }, price, { stopPoints, targetPoints }) {
  if (trade || price === null || sides.length !== 1) return null;
  const way = (sides[0] === "BUY" ? 1 : -1) * pointSize;
  const away = (/** @type {number | null | undefined} */ points) => (points ? price + way * points : null);
  return { stop: stopPoints ? away(-stopPoints) : null, target: away(targetPoints) };
}

/**
 * The same as lines of a chart.
 *
 * @param {{stop: number | null, target: number | null} | null} order
 * @returns {Page.PriceLine[]}
 */
export function nextLines(order) {
  /** @type {Page.PriceLine[]} */
  const lines = [];
  if (order?.stop) lines.push({ kind: "next-stop", title: "stop if entered", price: order.stop });
  if (order?.target) lines.push({ kind: "next-target", title: "target if entered", price: order.target });
  return lines;
}

/**
 * The price lines of the open trade.
 *
 * @param {Wire.AssetState} asset
 */
export function linesOf(asset) {
  const { trade } = asset;
  if (!trade) return [];
  const sign = trade.side === "BUY" ? 1 : -1;
  const away = (/** @type {number | null} */ points) => trade.entry_price + sign * (points ?? 0) * asset.point_size;
  /** @type {Page.PriceLine[]} */
  const lines = [{ kind: "average", title: "average", price: trade.entry_price }, stopLine(asset, trade)];
  if (asset.points_tp_enabled) lines.push({ kind: "target", title: "target", price: away(asset.points_tp_target) });
  if (asset.protect_enabled)
    lines.push({ kind: "protect", title: "protect", price: away(asset.protect_threshold_points) });
  return lines;
}
