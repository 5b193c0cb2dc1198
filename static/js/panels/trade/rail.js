// @ts-check

/** The trade as a rail from stop to target: where it began, how far it went, where it is. */

import { averagePrice, points, price, signedPoints } from "../../reading/format.js";
import { mark, write } from "../../ui/dom.js";

/** @typedef {import("../../reading/resting_stop.js").StopWords} StopWords */

/** @type {Record<import("../../reading/resting_stop.js").Standing, string>} */
const STOP_TITLES = { rests: "Stop", asked: "Stop asked for", untold: "Stop planned", missing: "NO STOP, planned" };
const WIDTH = 400;
const MARGIN = 8;

/**
 * Points along the rail run from just beyond the stop to just beyond the target or the best seen.
 *
 * @param {Page.Slots} slot
 * @param {Wire.AssetState} asset
 * @param {Wire.TradeState} trade
 * @param {StopWords} known what is known of the stop
 */
export function drawRail(slot, asset, trade, known) {
  const stop = pointsFromEntry(asset, trade, known.price);
  const target = asset.points_tp_enabled ? asset.points_tp_target : null;
  const open = trade.open_points ?? 0;
  const best = Math.max(trade.mfe_points ?? 0, open, 0);
  const worst = Math.min(trade.mae_points ?? 0, open, 0);
  const from = Math.min(stop, worst);
  const to = Math.max(target ?? trade.stop_points, best);
  const x = (/** @type {number} */ value) =>
    (MARGIN + ((value - from) / (to - from)) * (WIDTH - 2 * MARGIN)).toFixed(1);

  post(slot["rail-stop"], x(stop));
  post(slot["rail-entry"], x(0));
  post(slot["rail-now"], x(open));
  post(slot["rail-target"], target === null ? null : x(target));
  stretch(slot["rail-range"], x(worst), x(best));
  stretch(slot["rail-open"], x(0), x(open));
  mark(slot["rail-open"], "data-tone", open >= 0 ? "gain" : "loss");
  const upTo = target === null ? "no target" : `target at ${signedPoints(target)}`;
  mark(
    slot.rail,
    "aria-label",
    `Open ${signedPoints(open)} points, ${STOP_TITLES[known.standing]} at ${signedPoints(stop)}, ${upTo}`,
  );
  mark(slot.rail, "data-stop", known.standing);
  drawLegend(slot, asset, trade, { target, stop: known });
}

/**
 * @param {Page.Slots} slot
 * @param {Wire.AssetState} asset
 * @param {Wire.TradeState} trade
 * @param {{target: number | null, stop: StopWords}} levels
 */
function drawLegend(slot, asset, trade, { target, stop }) {
  const tick = asset.tick_size;
  const isPast = trade.open_points !== null && trade.open_points < pointsFromEntry(asset, trade, stop.price);
  const title = STOP_TITLES[stop.standing];
  write(slot["legend-stop"], `${title} ${averagePrice(stop.price, tick)}${isPast ? ": price is past it" : ""}`);
  mark(slot["legend-stop"], "data-standing", stop.standing);
  write(slot["legend-entry"], `Entry ${averagePrice(trade.entry_price, tick)}`);
  write(
    slot["legend-target"],
    target === null ? "No points target" : `Target ${price(targetPrice(asset, trade), tick)}`,
  );
}

/**
 * @param {Wire.AssetState} asset
 * @param {Wire.TradeState} trade
 * @param {number} level
 */
function pointsFromEntry(asset, trade, level) {
  return ((trade.side === "BUY" ? 1 : -1) * (level - trade.entry_price)) / asset.point_size;
}

/**
 * Where the points target lies in price.
 *
 * @param {Wire.AssetState} asset
 * @param {Wire.TradeState} trade
 */
export function targetPrice(asset, trade) {
  const direction = trade.side === "BUY" ? 1 : -1;
  return trade.entry_price + direction * (asset.points_tp_target ?? 0) * asset.point_size;
}

/**
 * How far the newest price has to go with (+1) or against (−1) the trade to a level, or how far it went past it.
 *
 * @param {Wire.AssetState} asset
 * @param {Wire.TradeState} trade
 * @param {number} level
 * @param {1 | -1} way
 */
export function pointsAway(asset, trade, level, way) {
  if (asset.last_price === null) return "";
  const ahead = (way * (trade.side === "BUY" ? 1 : -1) * (level - asset.last_price)) / asset.point_size;
  return ahead >= 0 ? `${points(ahead)} pt away` : `${points(-ahead)} pt PAST IT`;
}

/**
 * @param {Element} line
 * @param {string | null} x
 */
function post(line, x) {
  mark(line, "x1", x ?? -10);
  mark(line, "x2", x ?? -10);
}

/**
 * @param {Element} line
 * @param {string} from
 * @param {string} to
 */
function stretch(line, from, to) {
  mark(line, "x1", from);
  mark(line, "x2", to);
}
