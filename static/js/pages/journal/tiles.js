// @ts-check

/** The headline and the figures beneath it. */

import { percent, points, signedPoints, signedUsd, UNKNOWN, usd } from "../../reading/format.js";
import { count, duration, say, signedR, tint } from "../../reading/words.js";
import { byId } from "../../ui/dom.js";

/** @typedef {[title: string, value: string, explanation: string, money?: number | null]} Tile */

const headline = byId("headline");
const note = byId("headline-note");
const list = byId("tiles");

/** @param {Wire.StatisticsAnswer} statistics */
export function draw({ figures, deepest_fall_usd: fall, truncated }) {
  drawHeadline(figures);
  note.textContent = truncated ? "Of the newest 5,000 trades: narrow the days to see older ones." : "";
  list.replaceChildren(...(figures.trades ? tilesOf(figures, fall).map(tile) : []));
}

/** @param {Wire.FiguresRow} figures */
function drawHeadline(figures) {
  if (figures.trades === 0) {
    headline.textContent = "No trades";
    return;
  }
  const money = tint(say("span", ""), signedUsd(figures.usd), figures.usd);
  const tail = `${figures.trades === 1 ? "" : `, ${signedUsd(figures.expectancy_usd)} a trade`}, ${percent((figures.win_rate ?? 0) * 100, 0)} won`;
  headline.replaceChildren(money, ` in ${count(figures.trades, "trade")}${tail}`);
}

/**
 * @param {Wire.FiguresRow} figures
 * @param {number | null} fall
 * @returns {Tile[]}
 */
function tilesOf(figures, fall) {
  const scratches = figures.trades - figures.wins - figures.losses;
  const withoutStop = figures.trades - figures.trades_with_r;
  return [
    ["Net", signedUsd(figures.usd), costWords(figures), figures.usd],
    ["Expectancy", signedPoints(figures.expectancy_points), pointsOf(figures, "a trade"), figures.expectancy_points],
    [
      "In R",
      signedR(figures.expectancy_r),
      withoutStop ? `${withoutStop} without a known risk` : "net over risk at entry",
      figures.expectancy_r,
    ],
    [
      "Profit factor",
      figures.profit_factor === null ? UNKNOWN : figures.profit_factor.toFixed(2),
      figures.profit_factor === null ? "needs a loss" : "won over lost",
    ],
    [
      "Won / lost",
      `${figures.wins} / ${figures.losses}`,
      scratches ? `${scratches} neither` : percent(share(figures.win_rate), 1),
    ],
    ["Average win", signedPoints(figures.average_win_points), pointsOf(figures), figures.average_win_points],
    ["Average loss", signedPoints(figures.average_loss_points), pointsOf(figures), figures.average_loss_points],
    [
      "Worst / best",
      `${points(figures.average_mae_points)} / ${points(figures.average_mfe_points)}`,
      pointsOf(figures, "on the way, average"),
    ],
    ["Held", duration(figures.average_hold_s), "average"],
    ["Deepest fall", fall === null ? UNKNOWN : usd(-fall), "from a peak of the curve", fall === null ? 0 : -fall],
  ];
}

/**
 * What was taken from the gross result, and of how many trades nobody told it.
 *
 * @param {Wire.FiguresRow} figures
 */
function costWords({ gross_usd, commission_usd, commission_unknown }) {
  const unknown = commission_unknown ? `, of ${count(commission_unknown, "trade")} not known` : "";
  return `${signedUsd(gross_usd)} gross, ${usd(commission_usd)} commission${unknown}`;
}

/**
 * The unit of a figure in points; points of several assets are not added.
 *
 * @param {Wire.FiguresRow} figures
 * @param {string} [more]
 */
function pointsOf({ points: sum }, more = "") {
  return sum === null ? "points: choose one asset" : `points ${more}`.trim();
}

/** @param {number | null} value */
function share(value) {
  return value === null ? null : value * 100;
}

/** @param {Tile} tile */
function tile([title, value, explanation, money]) {
  const box = document.createElement("div");
  const figure = say("dd", value, "tile-value");
  if (money !== undefined) tint(figure, value, money);
  box.append(say("dt", title), figure, say("dd", explanation, "tile-note"));
  return box;
}
