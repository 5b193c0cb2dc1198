// @ts-check

/** How far each trade went against (worst) and with the position (best). Its shape says how it ended. */

import { element, keepDrawn, picture, rows, scale, ticks } from "../../charts/plot.js";
import { points, signedPoints } from "../../reading/format.js";
import { axisPoints, newYork } from "../../reading/words.js";
import { byId } from "../../ui/dom.js";

const place = byId("scatter");
const readout = byId("scatter-readout");
const HEIGHT = 240;
const EDGE = { top: 12, right: 14, bottom: 36, left: 40 };
/** @type {Record<string, [tone: string, path: (x: number, y: number) => string]>} */
const SHAPES = {
  won: ["gain", (x, y) => `M${x} ${y - 5}L${x + 4.6} ${y + 3.4}L${x - 4.6} ${y + 3.4}Z`],
  lost: ["loss", (x, y) => `M${x} ${y + 5}L${x + 4.6} ${y - 3.4}L${x - 4.6} ${y - 3.4}Z`],
  neither: ["neither", (x, y) => `M${x - 3.5} ${y}a3.5 3.5 0 1 0 7 0a3.5 3.5 0 1 0 -7 0Z`],
};

/**
 * `choose(id)` is called when a trade is clicked.
 *
 * @param {Wire.JournalTradeRow[]} trades
 * @param {(id: string) => void} choose
 */
export function draw(trades, choose) {
  readout.textContent = "";
  keepDrawn(place, () => drawTrades(trades, choose));
}

/**
 * @param {Wire.JournalTradeRow[]} trades
 * @param {(id: string) => void} choose
 */
function drawTrades(trades, choose) {
  const label = `${trades.length} trades by worst and best points; the table below lists them.`;
  const { svg, width } = picture(place, HEIGHT, label);
  const furthest = Math.max(1, ...trades.map((trade) => Math.abs(trade.mae_points))) * 1.08;
  const best = Math.max(1, ...trades.map((trade) => trade.mfe_points)) * 1.08;
  const x = scale([0, furthest], [EDGE.left, width - EDGE.right]);
  const y = scale([0, best], [HEIGHT - EDGE.bottom, EDGE.top]);
  rows(svg, ticks(0, best), { y, left: EDGE.left, right: width - EDGE.right, words: axisPoints });
  for (const value of ticks(0, furthest)) {
    svg.append(
      element("text", { class: "tick", x: x(value), y: HEIGHT - 21, "text-anchor": "middle" }, axisPoints(-value)),
    );
  }
  svg.append(
    element("text", { class: "tick", x: width - EDGE.right, y: HEIGHT - 5, "text-anchor": "end" }, "worst, points →"),
  );
  svg.append(element("text", { class: "tick", x: EDGE.left + 4, y: EDGE.top + 2 }, "↑ best"));
  for (const trade of trades) svg.append(markOf(trade, x(-trade.mae_points), y(trade.mfe_points)));
  listen(svg, new Map(trades.map((trade) => [trade.id, trade])), choose);
}

/**
 * @param {Wire.JournalTradeRow} trade
 * @param {number} x
 * @param {number} y
 */
function markOf(trade, x, y) {
  const [tone, shape] = SHAPES[trade.pnl_points > 0 ? "won" : trade.pnl_points < 0 ? "lost" : "neither"];
  return element("path", { class: `mark ${tone}`, d: shape(round(x), round(y)), "data-trade": trade.id });
}

/**
 * @param {SVGElement} svg
 * @param {Map<string, Wire.JournalTradeRow>} trades
 * @param {(id: string) => void} choose
 */
function listen(svg, trades, choose) {
  const tradeAt = (/** @type {Event} */ { target }) =>
    target instanceof SVGElement ? trades.get(target.dataset.trade ?? "") : undefined;
  svg.addEventListener("pointerover", (event) => {
    const trade = tradeAt(event);
    if (trade)
      readout.textContent = `${trade.asset} ${newYork(trade.exit_ts)}: ${signedPoints(trade.pnl_points)}, worst ${points(trade.mae_points)}, best ${points(trade.mfe_points)}`;
  });
  svg.addEventListener("click", (event) => {
    const trade = tradeAt(event);
    if (trade) choose(trade.id);
  });
}

/** @param {number} place */
function round(place) {
  return Math.round(place * 10) / 10;
}
