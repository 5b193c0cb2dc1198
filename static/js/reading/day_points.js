// @ts-check

/** The account's course as points `{at, equity}` in order of time (`at` in milliseconds). Nothing here draws or asks. */

const KEPT_AT_MOST = 3_000;
const COLUMNS_KEPT = 700;

/**
 * Put points together: each instant once, in order, and never more than a day needs.
 *
 * @param {Page.Point[]} points
 * @param {Page.Point[]} more
 */
export function joined(points, more) {
  if (more.length === 0) return points;
  const byTime = new Map([...points, ...more].map((point) => [point.at, point]));
  const all = [...byTime.values()].sort((one, other) => one.at - other.at);
  return all.length > KEPT_AT_MOST ? thinned(all, COLUMNS_KEPT) : all;
}

/**
 * As many points as columns can show: of each column the lowest and the highest, and always first and last.
 *
 * @param {Page.Point[]} points
 * @param {number} columns
 */
export function thinned(points, columns) {
  if (points.length <= 2 * columns) return points;
  const first = points[0];
  const last = points[points.length - 1];
  const width = (last.at - first.at) / columns || 1;
  const kept = new Set([first, last]);
  /** @type {Page.Point[]} */
  let column = [];
  let number = 0;
  for (const point of points) {
    const own = Math.floor((point.at - first.at) / width);
    if (own !== number) keepExtremes(column, kept);
    if (own !== number) column = [];
    number = own;
    column.push(point);
  }
  keepExtremes(column, kept);
  return points.filter((point) => kept.has(point));
}

/**
 * @param {Page.Point[]} column
 * @param {Set<Page.Point>} kept
 */
function keepExtremes(column, kept) {
  if (column.length === 0) return;
  kept.add(lowest(column));
  kept.add(highest(column));
}

/** @param {Page.Point[]} points */
export function lowest(points) {
  return points.reduce((low, point) => (point.equity < low.equity ? point : low));
}

/** @param {Page.Point[]} points */
export function highest(points) {
  return points.reduce((high, point) => (point.equity > high.equity ? point : high));
}
