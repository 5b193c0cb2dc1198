// @ts-check

/** The equity curve of closed trades. Pointer or arrow keys read it trade by trade. */

import { element, extent, keepDrawn, picture, rows, scale, ticks } from "../../charts/plot.js";
import { signedUsd } from "../../reading/format.js";
import { axisUsd, count, newYork } from "../../reading/words.js";
import { byId } from "../../ui/dom.js";

const place = byId("curve");
const readout = byId("curve-readout");
const HEIGHT = 240;
/** @typedef {{at: Page.Instant, value: number}} Value */
/**
 * How a curve is read: its scales, the element that says the value, its size.
 *
 * @typedef {object} Reading
 * @property {(step: number) => number} x
 * @property {(value: number) => number} y
 * @property {HTMLElement} told
 * @property {number} width
 * @property {number} height
 */

const EDGE = { top: 12, right: 14, bottom: 24, left: 62 };

/** @param {Wire.StatisticsAnswer} statistics */
export function draw({ curve }) {
  readout.textContent = "";
  keepDrawn(place, () =>
    drawSteps(
      place,
      readout,
      curve.map(({ at, usd }) => ({ at, value: usd })),
      HEIGHT,
      nameOf(curve),
    ),
  );
}

/** @param {Wire.CurveRow[]} curve */
function nameOf(curve) {
  const last = curve.at(-1);
  return last
    ? `${count(curve.length, "trade")}, ending at ${signedUsd(last.usd)}. Arrow keys read it trade by trade.`
    : "";
}

/**
 * Draw values in order, from zero on, and let them be read one by one.
 *
 * @param {HTMLElement} target
 * @param {HTMLElement} told
 * @param {Value[]} values
 * @param {number} height
 * @param {string} label
 */
function drawSteps(target, told, values, height, label) {
  const { svg, width } = picture(target, height, label);
  const heights = [0, ...values.map(({ value }) => value)];
  const x = scale([0, values.length], [EDGE.left, width - EDGE.right]);
  const domain = extent(heights);
  const y = scale(domain, [height - EDGE.bottom, EDGE.top]);
  rows(svg, ticks(...domain), { y, left: EDGE.left, right: width - EDGE.right, words: axisUsd });
  const path = heights.map((value, step) => `${step ? "L" : "M"}${x(step).toFixed(1)} ${y(value).toFixed(1)}`).join("");
  svg.append(element("path", { class: "area", d: `${path}L${x(values.length).toFixed(1)} ${y(0)}L${x(0)} ${y(0)}Z` }));
  svg.append(element("path", { class: "curve", d: path }));
  nameEnds(svg, values, { width, height });
  makeReadable(svg, values, { x, y, told, width, height });
}

/**
 * @param {SVGElement} svg
 * @param {Value[]} values
 * @param {{width: number, height: number}} size
 */
function nameEnds(svg, values, { width, height }) {
  if (values.length === 0) return;
  const base = height - 6;
  svg.append(element("text", { class: "tick", x: EDGE.left, y: base }, newYork(values[0].at)));
  if (values.length > 1)
    svg.append(
      element(
        "text",
        { class: "tick", x: width - EDGE.right, y: base, "text-anchor": "end" },
        newYork(values[values.length - 1].at),
      ),
    );
}

/**
 * @param {SVGElement} svg
 * @param {Value[]} values
 * @param {Reading} how
 */
function makeReadable(svg, values, { x, y, told, width, height }) {
  const line = element("line", { class: "reader", y1: EDGE.top, y2: height - EDGE.bottom, visibility: "hidden" });
  const dot = element("circle", { class: "reader-dot", r: 4, visibility: "hidden" });
  svg.append(line, dot);
  svg.setAttribute("tabindex", "0");
  let chosen = values.length;
  const choose = (/** @type {number} */ step) => {
    if (values.length === 0) return;
    chosen = Math.min(values.length, Math.max(1, step));
    const { at, value } = values[chosen - 1];
    for (const name of ["x1", "x2"]) line.setAttribute(name, String(x(chosen)));
    dot.setAttribute("cx", String(x(chosen)));
    dot.setAttribute("cy", String(y(value)));
    for (const mark of [line, dot]) mark.setAttribute("visibility", "visible");
    told.textContent = `Trade ${chosen}: ${signedUsd(value)} · ${newYork(at)}`;
  };
  svg.addEventListener("pointermove", (event) => {
    const along = ((event.clientX - svg.getBoundingClientRect().left) / svg.getBoundingClientRect().width) * width;
    choose(Math.round(((along - EDGE.left) / (width - EDGE.left - EDGE.right)) * values.length));
  });
  svg.addEventListener("keydown", (event) => {
    /** @type {Record<string, number>} */
    const steps = { ArrowLeft: chosen - 1, ArrowRight: chosen + 1, Home: 1, End: values.length };
    if (!(event.key in steps)) return;
    event.preventDefault();
    choose(steps[event.key]);
  });
  svg.addEventListener("focus", () => svg.matches(":focus-visible") && choose(chosen));
}
