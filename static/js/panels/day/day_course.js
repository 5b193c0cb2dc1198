// @ts-check

/** The account over the trading day, between where it started and where the daily stop fires. */

import { element, keepDrawn, picture, scale } from "../../charts/plot.js";
import { highest, lowest, thinned } from "../../reading/day_points.js";
import { clockTime, signedUsd, usd } from "../../reading/format.js";
import { byId, mark, show, slots, write } from "../../ui/dom.js";
import * as record from "./day_record.js";

const slot = slots(byId("day-course"));
const HEIGHT = 132;
const EDGE = { top: 8, right: 34, bottom: 18, left: 2 }; // the name of the start stands at the right, off the curve
let drawn = "";

/** @typedef {{last: Page.Point, high: Page.Point, low: Page.Point}} Figures */
/** @typedef {{start: number, stop: number}} Levels the equity at which the day started and at which its stop fires */

/** @param {Page.State} state */
export function draw({ global: desk }) {
  const start = desk.daily_start_equity;
  const points = start === null ? [] : record.course();
  show(slot["course-none"], points.length === 0);
  show(slot["course-figures"], points.length > 0);
  show(slot["course-plot"], points.length > 0);
  if (start === null || points.length === 0) {
    drawn = "";
    write(slot["course-room"], "");
    return;
  }
  const levels = { start, stop: stopLevel(start, desk.daily_stop_limit_pct) };
  const last = points[points.length - 1];
  const news = `${points.length} ${points[0].at} ${last.at} ${last.equity} ${levels.start} ${levels.stop} ${desk.daily_stop_triggered}`;
  if (news === drawn) return;
  drawn = news;
  const told = figuresOf(points);
  writeFigures(told, levels, desk.daily_stop_triggered);
  keepDrawn(slot["course-plot"], () => drawPicture(points, levels, wordsOf(told, levels)));
}

/**
 * The equity at which the desk's drawdown reaches its limit: percent of the day's start (`engine/day.py`).
 *
 * @param {number} start
 * @param {number} limit
 */
function stopLevel(start, limit) {
  return start * (1 - limit / 100);
}

/** @param {Page.Point[]} points */
function figuresOf(points) {
  return { last: points[points.length - 1], high: highest(points), low: lowest(points) };
}

/**
 * @param {Figures} told
 * @param {Levels} levels
 * @param {boolean} isTriggered
 */
function writeFigures({ last, high, low }, { stop }, isTriggered) {
  write(slot["course-last"], usd(last.equity));
  write(slot["course-high"], usd(high.equity));
  write(slot["course-high-at"], minute(high.at));
  write(slot["course-low"], usd(low.equity));
  write(slot["course-low-at"], minute(low.at));
  const room = usd(Math.max(0, last.equity - stop));
  write(slot["course-room"], isTriggered ? "the daily stop has fired" : `${room} above the daily stop`);
  mark(slot["course-room"], "data-triggered", isTriggered ? "yes" : null);
}

/**
 * @param {Figures} told
 * @param {Levels} levels
 */
function wordsOf({ last, high, low }, { start, stop }) {
  const extremes = `high ${usd(high.equity)} at ${minute(high.at)}, low ${usd(low.equity)} at ${minute(low.at)}`;
  const since = `${signedUsd(last.equity - start)} since the start of the day at ${usd(start)}`;
  return `Account equity today: now ${usd(last.equity)}, ${since}, ${extremes}. The daily stop is at ${usd(stop)}.`;
}

/** @param {number} at */
function minute(at) {
  return clockTime(at).slice(0, 5);
}

/**
 * @param {Page.Point[]} points
 * @param {Levels} levels
 * @param {string} words
 */
function drawPicture(points, levels, words) {
  const { svg, width } = picture(slot["course-plot"], HEIGHT, words);
  const values = [...points.map(({ equity }) => equity), levels.start, levels.stop];
  const [low, high] = [Math.min(...values), Math.max(...values)];
  const air = (high - low || 1) * 0.06;
  const x = scale([points[0].at, points[points.length - 1].at], [EDGE.left, width - EDGE.right]);
  const y = scale([low - air, high + air], [HEIGHT - EDGE.bottom, EDGE.top]);
  const shown = thinned(points, Math.floor(width / 2));
  const path = shown
    .map(({ at, equity }, place) => `${place ? "L" : "M"}${x(at).toFixed(1)} ${y(equity).toFixed(1)}`)
    .join("");
  fillFromStart(svg, `${path}V${y(levels.start).toFixed(1)}H${x(points[0].at).toFixed(1)}Z`, y(levels.start), width);
  for (const name of /** @type {const} */ (["start", "stop"]))
    svg.append(line(name, y(levels[name]), width - EDGE.right));
  svg.append(element("path", { class: "course-line", d: path }));
  const last = points[points.length - 1];
  svg.append(
    element("circle", {
      class: "course-end",
      cx: points.length > 1 ? x(last.at) : EDGE.left + 4,
      cy: y(last.equity),
      r: 3.5,
    }),
  );
  svg.append(element("text", { class: "course-name", x: width - EDGE.right + 6, y: y(levels.start) + 3.5 }, "start"));
  svg.append(
    element(
      "text",
      { class: "course-name stop", x: EDGE.left, y: y(levels.stop) - 4 },
      `daily stop ${usd(levels.stop)}`,
    ),
  );
  nameTimes(svg, points, width);
}

/**
 * What was won is green above the start, what was lost red below it: two windows onto one area.
 *
 * @param {SVGElement} svg
 * @param {string} d
 * @param {number} start
 * @param {number} width
 */
function fillFromStart(svg, d, start, width) {
  const windows = { gain: [0, start], loss: [start, HEIGHT - start] };
  for (const [tone, [top, height]] of Object.entries(windows)) {
    const clip = element("clipPath", { id: `course-${tone}` });
    clip.append(element("rect", { x: 0, y: top, width, height: Math.max(0, height) }));
    svg.append(clip, element("path", { class: `course-area ${tone}`, d, "clip-path": `url(#course-${tone})` }));
  }
}

/**
 * @param {string} name
 * @param {number} at
 * @param {number} until
 */
function line(name, at, until) {
  const place = Math.round(at) + 0.5;
  return element("line", { class: `course-level ${name}`, x1: 0, x2: until, y1: place, y2: place });
}

/**
 * @param {SVGElement} svg
 * @param {Page.Point[]} points
 * @param {number} width
 */
function nameTimes(svg, points, width) {
  const base = HEIGHT - 4;
  svg.append(element("text", { class: "course-time", x: EDGE.left, y: base }, minute(points[0].at)));
  if (points.length < 2) return;
  svg.append(
    element(
      "text",
      { class: "course-time", x: width - EDGE.right, y: base, "text-anchor": "end" },
      minute(points[points.length - 1].at),
    ),
  );
}
