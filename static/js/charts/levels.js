// @ts-check

/**
 * Bricks as bars: where each opens and closes. Alerts may come without a price; then the levels follow from the
 * colours alone, because a brick begins where the last one ended, or where it began when the direction turns.
 */

/**
 * The bars of some bricks, and what they stand on: "sent" prices, "some" of them, or "none".
 *
 * @param {Wire.BrickRow[]} bricks
 * @param {number} height
 */
export function barsOf(bricks, height) {
  /** @type {Page.Bar[]} */
  const bars = [];
  for (const brick of bricks) bars.push(nextBar(bars.at(-1), brick, height));
  const firstPriced = bricks.findIndex((brick) => brick.close !== null);
  if (firstPriced > 0) joinLevels(bars, firstPriced, bricks);
  return { bars, prices: pricesOf(bricks, firstPriced) };
}

/**
 * @param {Wire.BrickRow[]} bricks
 * @param {number} firstPriced
 * @returns {Page.Prices}
 */
function pricesOf(bricks, firstPriced) {
  if (bricks.length === 0) return "sent";
  if (firstPriced === -1) return "none";
  return bricks.every((brick) => brick.close !== null) ? "sent" : "some";
}

/**
 * The bar of a brick behind another bar; without both price and neighbour it begins at zero.
 *
 * @param {Page.Bar | undefined} before
 * @param {Wire.BrickRow} brick
 * @param {number} height
 * @returns {Page.Bar}
 */
export function nextBar(before, brick, height) {
  const isUp = brick.color === "green";
  const open = brick.open ?? levelBehind(before, isUp);
  const close = brick.close ?? open + (isUp ? height : -height);
  return { time: brick.n, open, high: Math.max(open, close), low: Math.min(open, close), close };
}

/**
 * @param {Page.Bar | undefined} before
 * @param {boolean} isUp
 */
function levelBehind(before, isUp) {
  if (!before) return 0;
  const wasUp = before.close > before.open;
  return wasUp === isUp ? before.close : before.open;
}

/**
 * Lift the bars before the first price so that they meet it.
 *
 * @param {Page.Bar[]} bars
 * @param {number} firstPriced
 * @param {Wire.BrickRow[]} bricks
 */
function joinLevels(bars, firstPriced, bricks) {
  const [last, first] = [bars[firstPriced - 1], bars[firstPriced]];
  const lift = first.open - levelBehind(last, bricks[firstPriced].color === "green");
  for (const bar of bars.slice(0, firstPriced)) {
    for (const level of /** @type {const} */ (["open", "high", "low", "close"])) bar[level] += lift;
  }
}
