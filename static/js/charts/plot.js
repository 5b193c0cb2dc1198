// @ts-check

/** Hands for drawing: SVG elements, a linear scale, round ticks. A plot is drawn at the width it has. */

const SVG = "http://www.w3.org/2000/svg";

/**
 * @param {string} name
 * @param {Record<string, string | number>} [attributes]
 * @param {string | null} [text]
 */
export function element(name, attributes = {}, text = null) {
  const made = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, String(value));
  if (text !== null) made.textContent = text;
  return made;
}

/**
 * An empty picture that fills its place; `label` is what it says to who cannot see it.
 *
 * @param {HTMLElement} place
 * @param {number} height
 * @param {string} label
 */
export function picture(place, height, label) {
  const width = Math.max(240, Math.floor(place.clientWidth));
  const svg = element("svg", { viewBox: `0 0 ${width} ${height}`, width, height, role: "img", "aria-label": label });
  place.replaceChildren(svg);
  return { svg, width, height };
}

/**
 * Turn a value of `domain` into a place of `range`.
 *
 * @param {[number, number]} domain
 * @param {[number, number]} range
 * @returns {(value: number) => number}
 */
export function scale([low, high], [from, to]) {
  const width = high - low || 1;
  return (value) => from + ((value - low) / width) * (to - from);
}

/**
 * Three to seven round values that span from low to high.
 *
 * @param {number} low
 * @param {number} high
 * @param {number} [wanted]
 */
export function ticks(low, high, wanted = 4) {
  const rough = (high - low) / wanted || 1;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 2.5, 5, 10].map((factor) => factor * power).find((candidate) => candidate >= rough) ?? 10 * power;
  const first = Math.ceil(low / step - 1e-9);
  const last = Math.floor(high / step + 1e-9);
  return Array.from({ length: last - first + 1 }, (_, place) => Number(((first + place) * step).toPrecision(12)));
}

/**
 * The least and the greatest with some air around; zero is always in it.
 *
 * @param {number[]} values
 * @returns {[low: number, high: number]}
 */
export function extent(values) {
  const low = Math.min(0, ...values);
  const high = Math.max(0, ...values);
  const air = (high - low || 1) * 0.08;
  return [low < 0 ? low - air : low, high > 0 ? high + air : high];
}

/**
 * Horizontal lines with their values at the left.
 *
 * @param {SVGElement} svg
 * @param {number[]} values
 * @param {{y: (value: number) => number, left: number, right: number, words: (value: number) => string}} how
 */
export function rows(svg, values, { y, left, right, words }) {
  for (const value of values) {
    const place = Math.round(y(value)) + 0.5;
    svg.append(element("line", { class: value === 0 ? "zero" : "grid", x1: left, x2: right, y1: place, y2: place }));
    svg.append(element("text", { class: "tick", x: left - 6, y: place + 3.5, "text-anchor": "end" }, words(value)));
  }
}

/** @typedef {{draw: () => void, width: number}} Drawn how a place is drawn, and the width that it was drawn at */

/** @type {Map<Element, Drawn>} */
const drawers = new Map();
const watcher = new ResizeObserver((entries) => {
  for (const { target } of entries) {
    const drawn = drawers.get(target);
    if (drawn && target.clientWidth && drawn.width !== target.clientWidth) redraw(target, drawn);
  }
});

/**
 * Draw now, and again whenever the place has another width.
 *
 * @param {HTMLElement} place
 * @param {() => void} draw
 */
export function keepDrawn(place, draw) {
  if (!drawers.has(place)) watcher.observe(place);
  const drawn = { draw, width: 0 };
  drawers.set(place, drawn);
  redraw(place, drawn);
}

/**
 * @param {Element} place
 * @param {Drawn} drawn
 */
function redraw(place, drawn) {
  drawn.width = place.clientWidth;
  if (drawn.width) drawn.draw();
}
