// @ts-check

/** The usual range as a shade behind the bars: from its low to its high, over the whole width. */

const ALPHA = 0.1;
const KINDS = ["usual", "usual-half"];

/**
 * Put an empty shade behind a series.
 *
 * @param {Library.Series} series
 * @returns {Page.Shade}
 */
export function makeShade(series) {
  /** @type {Page.Shade} */
  const shade = { bands: [], color: "", redraw: () => {} };
  const renderer = {
    draw: (/** @type {Library.DrawTarget} */ target) =>
      target.useBitmapCoordinateSpace((scope) => paint(shade, series, scope)),
  };
  const view = { zOrder: () => /** @type {const} */ ("bottom"), renderer: () => renderer };
  series.attachPrimitive({
    attached: ({ requestUpdate }) => {
      shade.redraw = requestUpdate;
    },
    paneViews: () => [view],
  });
  return shade;
}

/**
 * Let it lie between the lines of a range; none when no line is of one.
 *
 * @param {Page.Shade} shade
 * @param {Page.PriceLine[]} lines
 * @param {string} color
 */
export function setShade(shade, lines, color) {
  const bands = KINDS.map((kind) => lines.filter((line) => line.kind === kind).map(({ price }) => price));
  shade.bands = bands.filter((prices) => prices.length > 1);
  shade.color = color;
  shade.redraw();
}

/**
 * @param {Page.Shade} shade
 * @param {Library.Series} series
 * @param {Library.BitmapScope} scope
 */
function paint({ bands, color }, series, { context, bitmapSize, verticalPixelRatio }) {
  context.save();
  context.globalAlpha = ALPHA;
  context.fillStyle = color;
  for (const prices of bands) {
    const top = series.priceToCoordinate(Math.max(...prices));
    const bottom = series.priceToCoordinate(Math.min(...prices));
    if (top === null || bottom === null) continue;
    context.fillRect(0, top * verticalPixelRatio, bitmapSize.width, (bottom - top) * verticalPixelRatio);
  }
  context.restore();
}
