// @ts-check

/**
 * The candle chart beside the Renko charts: history that scrolls back, and the newest candle moved by quotes. It is made
 * when the layout shows it, and asks the desk for nothing otherwise.
 */

import * as books from "../../charts/candle_book.js";
import * as candles from "../../charts/candle_chart.js";
import { holesIn } from "../../charts/candles.js";
import * as renko from "../../charts/renko_chart.js";
import { linesOf } from "../../charts/trade_marks.js";
import * as store from "../../desk/store.js";
import { chartWords, placeWords, troubleWords } from "../../reading/candles.js";
import { byId, mark, show, slots, write } from "../../ui/dom.js";
import * as forecast from "./forecast.js";

const DRAWN_EVERY_MS = 200; // prices come ten times a second, and the chart is the dearest thing on the page to paint
const figure = byId("candles");
const slot = slots(figure);
/** @typedef {{edition: number, quote: string, about: string, lines: string, holes: number, at: number}} Drawn what was drawn last */
/** @typedef {{book: Page.CandleBook, chart: Page.CandleView, drawn: Drawn}} Shown */
/** @typedef {{library: Library.Module, symbol: string, timeframe: string, colors: Page.Colors}} Wish */

/** @type {Shown | null} */
let shown = null;
/** @type {Page.Place | null} */
let pointed = null;
/** @type {() => void} */
let drawSoon = () => {};
/** @type {Page.Candle | null} the newest candle as it is to be drawn */
let due = null;
let isDrawDue = false;

/** @param {() => void} whenChanged */
export function start(whenChanged) {
  drawSoon = whenChanged;
  slot.candles.addEventListener("keydown", hearKey);
}

/**
 * Make, change or remove the chart, so that it is what the layout wants; null when it wants none.
 *
 * @param {Wish | null} wish
 */
export function arrange(wish) {
  const isSame = wish && shown?.book.asset === wish.symbol && shown.book.timeframe === wish.timeframe;
  if (shown && !isSame) remove(shown);
  if (wish === null) return;
  shown ??= make(wish);
  candles.dress(shown.chart, wish.colors);
  renko.showNewest(shown.chart.view);
  shown.drawn.edition = -1; // everything is drawn anew
  drawSoon();
}

/** @param {Wish} wish */
function make({ library, symbol, timeframe }) {
  const book = books.openBook(symbol, timeframe, drawSoon);
  const chart = candles.makeChart(library, slot.candles, timeframe, {
    whenAtOldest: () => books.readOlder(book),
    whenPointed: (place) => {
      pointed = place;
      drawSoon();
    },
  });
  pointed = due = null;
  return { book, chart, drawn: { edition: -1, quote: "", about: "", lines: "", holes: 0, at: 0 } };
}

/** @param {Shown} old */
function remove({ book, chart }) {
  books.closeBook(book);
  renko.removeChart(chart.view);
  shown = null;
}

/** The stream was opened anew: prices may have been missed. */
export function catchUp() {
  if (shown) books.readNewest(shown.book);
}

/** @param {Page.State} state */
export function draw({ assets, history }) {
  const asset = shown && assets[shown.book.asset];
  if (!shown || !asset) return;
  if (shown.book.isSimulated !== asset.simulated) books.readSwitched(shown.book);
  const isAnew = drawCandles(shown, asset);
  drawNewest(shown);
  drawTrade(shown, asset, history, isAnew);
  drawWords(shown, asset);
}

/**
 * Whether all were drawn anew.
 *
 * @param {Shown} now
 * @param {Wire.AssetState} asset
 */
function drawCandles({ book, chart, drawn }, asset) {
  const isAnew = drawn.edition !== book.edition;
  const { price, at } = store.priceOf(asset.symbol);
  const quote = `${price} ${at}`;
  const isNews = isAnew || quote !== drawn.quote;
  const isOfThisMarket = book.isSimulated === asset.simulated;
  Object.assign(drawn, { edition: book.edition, quote });
  const moved =
    isNews && isOfThisMarket && price !== null && at !== null ? books.hearPrice(book, price, Date.parse(at)) : null;
  if (isAnew) {
    due = null;
    candles.setCandles(chart, book.candles, asset.tick_size);
    drawn.holes = holesIn(chart.places);
  } else if (moved) {
    if (due && due.at !== moved.at) candles.setNewest(chart, due);
    due = moved;
  }
  return isAnew;
}

/**
 * Draw the newest candle, a few times a second at most.
 *
 * @param {Shown} now
 */
function drawNewest({ chart, drawn }) {
  if (due === null) return;
  const wait = drawn.at + DRAWN_EVERY_MS - performance.now();
  if (wait > 0) return drawLater(wait);
  candles.setNewest(chart, due);
  drawn.at = performance.now();
  due = null;
}

/** @param {number} inMs */
function drawLater(inMs) {
  if (isDrawDue) return;
  isDrawDue = true;
  setTimeout(() => {
    isDrawDue = false;
    drawSoon();
  }, inMs);
}

/**
 * @param {Shown} now
 * @param {Wire.AssetState} asset
 * @param {Wire.TradeRow[]} history
 * @param {boolean} isAnew
 */
function drawTrade({ chart, drawn }, asset, history, isAnew) {
  const { trade } = asset;
  const about = `${history[0]?.id} ${history.length} ${trade?.id} ${chart.places.length}`;
  if (isAnew || drawn.about !== about) candles.setTrades(chart, asset.symbol, history, trade);
  const lines = [...linesOf(asset), ...forecast.linesFor(asset)];
  const places = JSON.stringify(lines);
  if (isAnew || drawn.lines !== places) renko.setLines(chart.view, lines);
  Object.assign(drawn, { about, lines: places });
}

/**
 * @param {Shown} now
 * @param {Wire.AssetState} asset
 */
function drawWords({ book, chart, drawn }, asset) {
  const { trouble, isRead, timeframe } = book;
  const isEmpty = isRead && book.candles.length === 0;
  write(slot["candle-name"], `${book.asset} ${timeframe}`);
  write(slot["candle-prices"], placeWords(pointed ?? chart.places.at(-1) ?? null, timeframe, asset.tick_size));
  show(slot["candle-simulated"], isRead && book.isSimulated);
  const why = trouble === null ? "" : troubleWords(trouble);
  write(slot["candle-trouble"], why);
  mark(figure, "data-empty", chart.places.length === 0);
  show(slot["candle-empty"], trouble === null && (!isRead || isEmpty));
  write(slot["candle-empty"], isEmpty ? `No candle of ${book.asset} yet` : "Asking feeds …");
  const words = chartWords(book, chart.places, drawn.holes, asset.tick_size);
  mark(slot.candles, "aria-label", [words, why].filter(Boolean).join(". "));
}

/** @param {KeyboardEvent} event */
function hearKey(event) {
  if (!shown || event.ctrlKey || event.metaKey || event.altKey) return;
  if (renko.pressKey(shown.chart.view, event.key)) event.preventDefault();
}
