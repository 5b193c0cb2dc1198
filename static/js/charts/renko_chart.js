// @ts-check

/**
 * One Renko chart, drawn by lightweight-charts: candles without wicks, all of one width. A bar's `time` is the brick's
 * number: TradingView closes several bricks in one instant, and an axis of time has one place for each.
 */

import { beginsDay, crossWords, LONGEST_LABEL, tickWords, valueWords } from "./axis_words.js";
import { makeShade, setShade } from "./band_shade.js";

const BIG = { barSpacing: 11, minBarSpacing: 0.5, rightOffset: 4 };
const ROOM_FOR_TITLES = 9; // bricks: the lines' titles stand right of the newest one
const SMALL = { barSpacing: 6, minBarSpacing: 0.5, rightOffset: 2 };
const WIDEST = 2;
const PRICES_WIDE_PX = 64;
const TITLES_WIDE_PX = 48;
const NARROWEST_PX = 4.5; // one brick of a picture of the past, and the widest
const WIDEST_PX = 30;
const STEP = 10;
/** @type {Record<Page.PriceLine["kind"], Library.LineStyle>} */
const DASHES = {
  ...{ average: 0, stop: 2, target: 3, protect: 1, exit: 4 }, // whole, short and long dashes, dots: not colour alone
  ...{ "next-stop": 4, "next-target": 4, usual: 0, "usual-half": 1 },
};
/** @type {Partial<Record<Page.MarkKind, Library.MarkerShape>>} */
const SHAPES = { exit: "square", added: "circle" }; // an entry is an arrow, a gap the word alone
const WAYS_IN = ["entry", "added"];

/**
 * Make a chart in an element, for the bricks of a book; candles have wicks.
 *
 * @param {Library.Module} library
 * @param {HTMLElement} element
 * @param {Page.Bricks} book
 * @param {boolean} [hasWicks]
 * @returns {Page.ChartView}
 */
export function makeChart(library, element, book, hasWicks = false) {
  /** @type {Omit<Page.ChartView, "colors" | "chart" | "series" | "markers" | "shade">} */
  const empty = { element, book, lines: [], prices: "sent", tickSize: 0.01, isBig: false, priceLines: [] };
  const view = /** @type {Page.ChartView} */ (empty);
  const layout = { attributionLogo: false }; // it would inject a style; the page links to TradingView itself
  view.chart = library.createChart(element, { autoSize: true, layout });
  view.series = view.chart.addSeries(library.CandlestickSeries, {
    wickVisible: hasWicks,
    priceLineVisible: false,
    autoscaleInfoProvider: (/** @type {() => Library.AutoscaleInfo | null} */ original) => withLines(original(), view),
    priceFormat: { type: "custom", minMove: 0.01, formatter: (/** @type {number} */ value) => valueWords(view, value) },
  });
  view.markers = library.createSeriesMarkers(view.series, []);
  view.shade = makeShade(view.series);
  return view;
}

/** @param {Page.ChartView} view */
export function removeChart(view) {
  view.chart.remove();
}

/**
 * Dress the chart in the page's colours, as a big one with axes or a small one without.
 *
 * @param {Page.ChartView} view
 * @param {Page.Colors} colors
 * @param {boolean} isBig
 * @param {boolean} mayDrag
 */
export function dress(view, colors, isBig, mayDrag) {
  view.isBig = isBig;
  view.colors = colors;
  view.chart.applyOptions({
    layout: {
      background: { type: /** @type {Library.ColorType} */ ("solid"), color: "transparent" },
      textColor: colors["text-faint"],
      fontFamily: colors.font,
      fontSize: 11,
    },
    grid: { vertLines: { visible: false }, horzLines: { visible: isBig, color: colors.line } },
    rightPriceScale: { visible: isBig, borderVisible: false, scaleMargins: { top: 0.12, bottom: 0.12 } },
    timeScale: {
      ...(isBig ? BIG : SMALL),
      rightOffset: room(view),
      visible: isBig,
      borderVisible: false,
      ...labelsOf(view),
      tickMarkMaxCharacterLength: LONGEST_LABEL,
    },
    crosshair: {
      vertLine: {
        visible: isBig,
        labelVisible: isBig,
        color: colors["line-strong"],
        labelBackgroundColor: colors.raised,
      },
      horzLine: {
        visible: isBig,
        labelVisible: isBig,
        color: colors["line-strong"],
        labelBackgroundColor: colors.raised,
      },
    },
    localization: { timeFormatter: (/** @type {number} */ number) => crossWords(view, number) },
    handleScroll: isBig && { mouseWheel: false, pressedMouseMove: true, horzTouchDrag: mayDrag, vertTouchDrag: false },
    handleScale: isBig && { mouseWheel: false, pinch: true, axisPressedMouseMove: true, axisDoubleClickReset: true },
  });
  view.markers.applyOptions?.({ autoScale: isBig }); // a small chart has no room for what stands outside its bricks
  view.series.applyOptions({
    upColor: colors.green,
    downColor: colors.red,
    borderUpColor: colors.green,
    borderDownColor: colors.red,
    lastValueVisible: isBig && view.prices !== "none",
  });
}

/**
 * Draw all bars anew.
 *
 * @param {Page.ChartView} view
 * @param {Page.Bar[]} bars
 * @param {Page.Prices} prices
 * @param {number} tickSize
 */
export function setBars(view, bars, prices, tickSize) {
  view.prices = prices;
  view.series.applyOptions({ lastValueVisible: view.isBig && prices !== "none" });
  setTickSize(view, tickSize);
  view.series.setData(/** @type {Library.CandlestickData[]} */ (bars));
  widen(view, bars.length);
}

/**
 * @param {Page.ChartView} view
 * @param {number} tickSize
 */
export function setTickSize(view, tickSize) {
  view.tickSize = tickSize;
  const formatter = (/** @type {number} */ value) => valueWords(view, value);
  view.series.applyOptions({ priceFormat: { type: "custom", minMove: tickSize, formatter } });
}

/**
 * Few bricks are drawn wider, so that they do not huddle in a corner.
 *
 * @param {Page.ChartView} view
 * @param {number} count
 */
export function widen(view, count) {
  const { barSpacing } = view.isBig ? BIG : SMALL;
  const scale = view.chart.timeScale();
  const width = view.element.clientWidth - (view.isBig ? PRICES_WIDE_PX : 0);
  const fitting = width / (count + room(view) + 1);
  scale.applyOptions({ barSpacing: Math.max(barSpacing, Math.min(WIDEST * barSpacing, fitting)) });
}

/**
 * The price of the newest bar says nothing about a trade that is over.
 *
 * @param {Page.ChartView} view
 */
export function hideNewestPrice(view) {
  view.series.applyOptions({ lastValueVisible: false });
}

/**
 * Show all `count` bars if they are not too narrow then, else the newest of them and at least those from place
 * `wanted` on. They stand in the middle, with room for the lines' titles right of them.
 *
 * @param {Page.ChartView} view
 * @param {number} count
 * @param {number} wanted
 */
export function showFrom(view, count, wanted) {
  const width = view.element.clientWidth - PRICES_WIDE_PX - TITLES_WIDE_PX;
  const first = Math.max(0, Math.min(wanted, count - Math.floor(width / NARROWEST_PX)));
  const spacing = Math.min(width / (count - first), WIDEST_PX);
  const spare = (width / spacing - (count - first)) / 2;
  const from = first - 0.5 - spare; // a bar reaches half its width to either side of its place
  view.chart.timeScale().setVisibleLogicalRange({ from, to: from + (width + TITLES_WIDE_PX) / spacing });
}

/**
 * Draw one more bar behind the last.
 *
 * @param {Page.ChartView} view
 * @param {Page.Bar} bar
 */
export function addBar(view, bar) {
  view.series.update(/** @type {Library.CandlestickData} */ (bar));
  if (beginsDay(view, bar.time)) view.chart.timeScale().applyOptions(labelsOf(view));
}

/**
 * A new function each time: the library keeps what an old one has said, and with a new day what was today's has a date.
 *
 * @param {Page.ChartView} view
 * @returns {Partial<Library.TimeScaleOptions>}
 */
function labelsOf(view) {
  return { tickMarkFormatter: (number) => tickWords(view, Number(number)) };
}

/** @param {Page.ChartView} view */
export function showNewest(view) {
  view.chart.timeScale().scrollToPosition(room(view), false);
}

/** @param {Page.ChartView} view */
function room({ isBig, lines }) {
  if (!isBig) return SMALL.rightOffset;
  return lines.length > 0 ? ROOM_FOR_TITLES : BIG.rightOffset;
}

/**
 * @param {Page.ChartView} view
 * @param {Page.Mark[]} marks
 */
export function setMarks(view, marks) {
  const { colors, isBig } = view;
  view.markers.setMarkers(
    marks.map((mark) => ({
      time: /** @type {Library.Time} */ (mark.time),
      position: mark.isBelow ? "belowBar" : "aboveBar",
      shape: SHAPES[mark.kind] ?? (mark.isBelow ? "arrowUp" : "arrowDown"),
      color: WAYS_IN.includes(mark.kind) ? colors.blue : colors["text-soft"],
      text: isBig ? mark.text : "",
      size: mark.kind === "gap" ? 0 : isBig ? 1 : 0.6,
    })),
  );
}

/**
 * Draw a trade's lines; without prices there is no place for them.
 *
 * @param {Page.ChartView} view
 * @param {Page.PriceLine[]} lines
 */
export function setLines(view, lines) {
  const { colors, series } = view;
  for (const drawn of view.priceLines) series.removePriceLine(drawn);
  const roomBefore = room(view);
  view.lines = view.prices === "none" ? [] : lines;
  setShade(view.shade, view.lines, colors.blue);
  if (room(view) !== roomBefore) view.chart.timeScale().applyOptions({ rightOffset: room(view) });
  const tone = {
    average: colors.text,
    stop: colors.red,
    target: colors.green,
    protect: colors.amber,
    exit: colors["text-soft"],
    "next-stop": colors.red,
    "next-target": colors.green,
    usual: colors.blue,
    "usual-half": colors.blue,
  };
  view.priceLines = view.lines.map(({ kind, title, price }) =>
    series.createPriceLine({
      price,
      title: view.isBig ? title : "",
      color: tone[kind],
      lineStyle: DASHES[kind],
      lineWidth: 1,
      axisLabelVisible: view.isBig,
      axisLabelTextColor: colors.ground,
    }),
  );
}

/**
 * The keys of a chart in focus: arrows move, plus and minus zoom, End comes back to the newest brick.
 *
 * @param {Page.ChartView} view
 * @param {string} key
 */
export function pressKey(view, key) {
  const scale = view.chart.timeScale();
  const spacing = scale.options().barSpacing;
  /** @type {Record<string, () => void>} */
  const actions = {
    ArrowLeft: () => scale.scrollToPosition(scale.scrollPosition() - STEP, false),
    ArrowRight: () => scale.scrollToPosition(Math.min(scale.scrollPosition() + STEP, room(view)), false),
    End: () => showNewest(view),
    "+": () => scale.applyOptions({ barSpacing: Math.min(spacing * 1.25, 60) }),
    "-": () => scale.applyOptions({ barSpacing: Math.max(spacing / 1.25, 0.5) }),
  };
  actions[key]?.();
  return key in actions;
}

/**
 * Let the lines of the trade into the picture.
 *
 * @param {Library.AutoscaleInfo | null} info
 * @param {Page.ChartView} view
 */
function withLines(info, view) {
  if (info?.priceRange && view.isBig && view.lines.length > 0) {
    const prices = view.lines.map((line) => line.price);
    info.priceRange.minValue = Math.min(info.priceRange.minValue, ...prices);
    info.priceRange.maxValue = Math.max(info.priceRange.maxValue, ...prices);
  }
  return info;
}
