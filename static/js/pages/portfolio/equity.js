// @ts-check

/** The course of an account's equity. Pointer or arrow keys read it point by point. */

import { element, keepDrawn, picture, rows, scale, ticks } from "../../charts/plot.js";
import { usd } from "../../reading/format.js";
import { courses } from "../../reading/portfolio.js";
import { axisUsd, newYork } from "../../reading/words.js";
import { byId, follow, write } from "../../ui/dom.js";

const DAY_MS = 86_400_000;
const HEIGHT = 240;
const EDGE = { top: 12, right: 14, bottom: 24, left: 74 };
const place = byId("equity");
const readout = byId("equity-readout");
const account = byId("equity-account", HTMLSelectElement);
const days = byId("equity-days", HTMLSelectElement);
/** @type {[string, Wire.EquityPoint[]][]} */
let known = [];

/** @param {() => void} whenAsked another span of the past is wanted */
export function start(whenAsked) {
  account.addEventListener("change", () => known.length > 0 && drawChosen());
  days.addEventListener("change", whenAsked);
}

/**
 * What is asked for.
 *
 * @param {number} now
 */
export function query(now) {
  return new URLSearchParams({ from: new Date(now - Number(days.value) * DAY_MS).toISOString() });
}

/** @param {Wire.PortfolioHistoryAnswer} told */
export function draw(told) {
  known = courses(told.points);
  const chosen = account.value;
  follow(account, known, {
    key: ([name]) => name,
    make: () => document.createElement("option"),
    fill: (option, [name]) => {
      option.setAttribute("value", name);
      write(option, name);
    },
  });
  if (known.some(([name]) => name === chosen)) account.value = chosen;
  drawChosen();
}

/** Take away what is drawn, until there is an answer. */
export function forget() {
  known = [];
  place.hidden = true;
  write(readout, "Reading…");
}

/** @param {string} words */
export function drawNothing(words) {
  write(readout, words);
}

function drawChosen() {
  const points = known.find(([name]) => name === account.value)?.[1] ?? [];
  place.hidden = points.length < 2;
  write(readout, spanWords(points));
  if (points.length >= 2) keepDrawn(place, () => drawCourse(points));
}

/** @param {Wire.EquityPoint[]} points */
function spanWords(points) {
  if (points.length === 0) return "No account was heard in these days.";
  const [first, last] = [points[0], points[points.length - 1]].map(({ equity_usd: equity }) => usd(equity));
  return points.length === 1 ? `${first}, the only point so far.` : `From ${first} to ${last}`;
}

/**
 * An account's equity has a sign only when it is a debt.
 *
 * @param {number} value
 */
function balance(value) {
  return value < 0 ? axisUsd(value) : axisUsd(value).replace(/^\+/, "");
}

/** @param {Wire.EquityPoint[]} points */
function drawCourse(points) {
  const values = points.map(({ equity_usd: equity }) => equity);
  const times = points.map(({ at }) => Date.parse(at));
  const [low, high] = [Math.min(...values), Math.max(...values)];
  const label = `Equity of ${account.value}, between ${usd(low)} and ${usd(high)}. Arrow keys read it point by point.`;
  const { svg, width } = picture(place, HEIGHT, label);
  const air = (high - low || 1) * 0.1;
  const x = scale([times[0], times[times.length - 1]], [EDGE.left, width - EDGE.right]);
  const y = scale([low - air, high + air], [HEIGHT - EDGE.bottom, EDGE.top]);
  rows(svg, ticks(low - air, high + air, 4), { y, left: EDGE.left, right: width - EDGE.right, words: balance });
  const d = values.map((value, at) => `${at ? "L" : "M"}${x(times[at]).toFixed(1)} ${y(value).toFixed(1)}`).join("");
  svg.append(element("path", { class: "curve", d }));
  svg.append(element("text", { class: "tick", x: EDGE.left, y: HEIGHT - 6 }, newYork(points[0].at)));
  const end = { class: "tick", x: width - EDGE.right, y: HEIGHT - 6, "text-anchor": "end" };
  svg.append(element("text", end, newYork(points[points.length - 1].at)));
  makeReadable(svg, points, { x: (at) => x(times[at]), y, width });
}

/**
 * @param {SVGElement} svg
 * @param {Wire.EquityPoint[]} points
 * @param {{x: (at: number) => number, y: (value: number) => number, width: number}} scales
 */
function makeReadable(svg, points, { x, y, width }) {
  const line = element("line", { class: "reader", y1: EDGE.top, y2: HEIGHT - EDGE.bottom, visibility: "hidden" });
  const dot = element("circle", { class: "reader-dot", r: 4, visibility: "hidden" });
  svg.append(line, dot);
  svg.setAttribute("tabindex", "0");
  let chosen = points.length - 1;
  const choose = (/** @type {number} */ at) => {
    chosen = Math.min(points.length - 1, Math.max(0, at));
    const { at: moment, equity_usd: equity } = points[chosen];
    for (const name of ["x1", "x2"]) line.setAttribute(name, String(x(chosen)));
    dot.setAttribute("cx", String(x(chosen)));
    dot.setAttribute("cy", String(y(equity)));
    for (const drawn of [line, dot]) drawn.setAttribute("visibility", "visible");
    write(readout, `${usd(equity)} · ${newYork(moment)}`);
  };
  svg.addEventListener("pointermove", (event) => {
    const box = svg.getBoundingClientRect();
    const along = ((event.clientX - box.left) / box.width) * width;
    choose(nearest(points.length, x, along));
  });
  svg.addEventListener("keydown", (event) => {
    /** @type {Record<string, number>} */
    const steps = { ArrowLeft: chosen - 1, ArrowRight: chosen + 1, Home: 0, End: points.length - 1 };
    if (!(event.key in steps)) return;
    event.preventDefault();
    choose(steps[event.key]);
  });
  svg.addEventListener("focus", () => svg.matches(":focus-visible") && choose(chosen));
}

/**
 * The point whose place is nearest; places grow with their number.
 *
 * @param {number} many
 * @param {(at: number) => number} x
 * @param {number} along
 */
function nearest(many, x, along) {
  let [low, high] = [0, many - 1];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (x(middle) < along) low = middle + 1;
    else high = middle;
  }
  return low > 0 && along - x(low - 1) < x(low) - along ? low - 1 : low;
}
