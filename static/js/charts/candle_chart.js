// @ts-check

/**
 * The candle chart, drawn by lightweight-charts as the Renko charts are, but with wicks, an axis of time, and empty
 * places where prices are missing.
 */

import { crossWords, tickWords } from "../reading/candles.js";
import { MARKET_ZONE } from "../reading/format.js";
import { placesBehind, placesOf } from "./candles.js";
import * as renko from "./renko_chart.js";
import { marksOf } from "./trade_marks.js";

const ASK_WITHIN_PLACES = 60; // of the oldest candle: the next page is there before the hand is
const LABEL_LETTERS = 8;
const zone = new Intl.DateTimeFormat("en-GB", { timeZone: MARKET_ZONE, timeZoneName: "longOffset" });

/**
 * Make a chart in an element. `whenAtOldest` is called when what is in sight comes near the oldest candle, `whenPointed`
 * with the place under the cross, null when there is none.
 *
 * @param {Library.Module} library
 * @param {HTMLElement} element
 * @param {string} timeframe
 * @param {{whenAtOldest: () => void, whenPointed: (place: Page.Place | null) => void}} listener
 * @returns {Page.CandleView}
 */
export function makeChart(library, element, timeframe, { whenAtOldest, whenPointed }) {
  const view = renko.makeChart(library, element, { bricks: [] }, true);
  /** @type {Page.CandleView} */
  const chart = { view, timeframe, places: [], byTime: new Map() };
  view.chart.timeScale().subscribeVisibleLogicalRangeChange((range) => {
    if (range && chart.places.length > 0 && range.from < ASK_WITHIN_PLACES) whenAtOldest();
  });
  view.chart.subscribeCrosshairMove(({ time }) => whenPointed(chart.byTime.get(Number(time)) ?? null));
  return chart;
}

/**
 * @param {Page.CandleView} chart
 * @param {Page.Colors} colors
 */
export function dress(chart, colors) {
  const { view, timeframe } = chart;
  renko.dress(view, colors, true, true);
  view.series.applyOptions({ wickUpColor: colors.green, wickDownColor: colors.red });
  view.chart.applyOptions({
    timeScale: {
      timeVisible: true,
      tickMarkFormatter: (/** @type {number} */ time, /** @type {number} */ kind) => tickWords(time, kind, timeframe),
      tickMarkMaxCharacterLength: LABEL_LETTERS,
    },
    localization: {
      timeFormatter: (/** @type {number} */ time) => crossWords(chart.byTime.get(time) ?? null, timeframe),
    },
  });
}

/**
 * Draw all candles anew; what is in sight stays there.
 *
 * @param {Page.CandleView} chart
 * @param {Page.Candle[]} candles
 * @param {number} tickSize
 */
export function setCandles(chart, candles, tickSize) {
  const isFirst = chart.places.length === 0;
  chart.places = placesOf(candles, chart.timeframe, offsetOf);
  chart.byTime = new Map(chart.places.map((place) => [place.time, place]));
  renko.setTickSize(chart.view, tickSize);
  chart.view.series.setData(/** @type {Library.CandlestickData[]} */ (chart.places.map(barOf)));
  if (isFirst) renko.widen(chart.view, chart.places.length); // later the hand's own zoom stays
}

/**
 * Draw the newest candle, which a price has moved or begun.
 *
 * @param {Page.CandleView} chart
 * @param {Page.Candle} candle
 */
export function setNewest(chart, candle) {
  const last = chart.places.at(-1);
  const isHeld = last?.at === candle.at;
  const added = isHeld ? [{ ...last, candle }] : placesBehind(last, candle, chart.timeframe, offsetOf);
  if (isHeld) chart.places.pop();
  for (const place of added) {
    chart.places.push(place);
    chart.byTime.set(place.time, place);
    chart.view.series.update(/** @type {Library.CandlestickData} */ (barOf(place)));
  }
}

/**
 * Where the asset's trades went in and out: on the candle of that moment.
 *
 * @param {Page.CandleView} chart
 * @param {string} symbol
 * @param {Wire.TradeRow[]} history
 * @param {Wire.TradeState | null} trade
 */
export function setTrades({ view, places }, symbol, history, trade) {
  const held = places.filter(({ candle }) => candle !== null);
  const bricks = held.map(({ time }, number) => ({ n: time, ts: endOf(held, number) }));
  renko.setMarks(view, marksOf({ bricks }, symbol, history, trade).marks);
}

/**
 * The last instant before the next candle.
 *
 * @param {Page.Place[]} places
 * @param {number} number
 */
function endOf(places, number) {
  const next = places[number + 1];
  return new Date(next ? next.at - 1 : 8.64e15).toISOString();
}

/** @param {Page.Place} place */
function barOf({ time, candle }) {
  if (candle === null) return { time };
  const { open, high, low, close } = candle;
  return { time, open, high, low, close };
}

/** @type {Map<number, number>} hour of the epoch → New York's distance from UTC */
const offsets = new Map();

/**
 * New York's distance from UTC at an instant, in milliseconds. It changes at a full hour.
 *
 * @param {number} at
 */
function offsetOf(at) {
  const hour = Math.floor(at / 3_600_000);
  const known = offsets.get(hour);
  if (known !== undefined) return known;
  const name = zone.formatToParts(at).find(({ type }) => type === "timeZoneName")?.value ?? "GMT";
  const [, sign, hours, minutes] = /^GMT(?:([+-])(\d\d):(\d\d))?/.exec(name) ?? [];
  const offset = sign ? (sign === "-" ? -1 : 1) * (Number(hours) * 60 + Number(minutes)) * 60_000 : 0;
  offsets.set(hour, offset);
  return offset;
}
