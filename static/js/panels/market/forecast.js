// @ts-check

/**
 * What the advisor expects of the asset in view: the usual range of the next bar, here and as lines of the charts, and as
 * information signals and phases. Nothing here orders. When the advisor is off or away it says so and nothing else waits.
 */

import { linesOf, nextLines, nextOrder } from "../../charts/trade_marks.js";
import * as clock from "../../desk/clock.js";
import * as forecasts from "../../desk/forecasts.js";
import * as store from "../../desk/store.js";
import { phaseWords, signalWords } from "../../reading/advice.js";
import { price as priceWords } from "../../reading/format.js";
import * as ranges from "../../reading/ranges.js";
import { all, byId, copyOf, follow, mark, show, slots, write } from "../../ui/dom.js";
import { chosen } from "../entry/entry_kinds.js";

const root = byId("forecast");
const slot = slots(root);
const line = byId("chart-range");
const ASKING = "Asking the advisor …";
const NEXT_MOVES_EVERY_MS = 1_000; // lines that follow each price would flicker

/** @typedef {{stop: number | null, target: number | null}} Order */
/** @type {{order: Order | null, at: number, about: string}} where the next entry's stop and target would lie */
let next = { order: null, at: -Infinity, about: "" };

/**
 * @param {() => void} whenChanged
 * @param {(timeframe: string) => void} choose
 */
export function start(whenChanged, choose) {
  forecasts.start(() => {
    redraw();
    whenChanged();
  });
  root.addEventListener("change", ({ target }) => choose(/** @type {HTMLInputElement} */ (target).value));
}

let drawn = { symbol: "", timeframe: "" };

/**
 * @param {Page.State} state
 * @param {string} symbol
 * @param {string} timeframe as the candles have it
 */
export function draw(state, symbol, timeframe) {
  drawn = { symbol, timeframe };
  const asset = state.assets[symbol];
  if (asset.simulated || !ranges.TIMEFRAMES.includes(timeframe)) forecasts.drop();
  else forecasts.follow(symbol, timeframe);
  redraw();
}

function redraw() {
  const state = store.current();
  const asset = state.assets[drawn.symbol];
  if (!asset) return;
  for (const input of all(root, "[name=forecast-timeframe]", HTMLInputElement)) {
    input.checked = input.value === drawn.timeframe;
  }
  followPrice(state, asset);
  drawRange(asset);
  drawAdvice(asset);
}

/**
 * The lines that the charts of an asset have besides its trade's; none when no forecast is for this moment.
 *
 * @param {Wire.AssetState} asset
 * @returns {Page.PriceLine[]}
 */
export function linesFor(asset) {
  const told = valid(asset);
  return told ? [...ranges.rangeLines(told), ...nextLines(next.order)] : [];
}

/**
 * The forecast for this moment, null when there is none. A simulated market has none.
 *
 * @param {Wire.AssetState} asset
 */
function valid({ symbol, simulated }) {
  const { answer } = forecasts.current().range;
  if (answer === null || simulated || symbol !== drawn.symbol) return null;
  const holds = ranges.holds(answer, symbol, drawn.timeframe, clock.now());
  return holds && ranges.isOfThisMarket(answer, store.priceOf(symbol).price) ? answer : null;
}

/**
 * @param {Page.State} state
 * @param {Wire.AssetState} asset
 */
function followPrice({ global: { limits } }, asset) {
  const mode = chosen("trade_mode");
  const about = `${asset.symbol} ${asset.may_enter} ${asset.trade?.id} ${mode}`;
  if (about === next.about && performance.now() - next.at < NEXT_MOVES_EVERY_MS) return;
  const targetPoints = mode === "SCALP" ? limits?.points_tp_target : null;
  const order = nextOrder(asset, store.priceOf(asset.symbol).price, { stopPoints: limits?.stop_points, targetPoints });
  next = { order, at: performance.now(), about };
}

/** @param {Wire.AssetState} asset */
function drawRange(asset) {
  const told = valid(asset);
  const why = told ? "" : whyNone(asset);
  show(slot.table, told !== null);
  write(slot.none, why);
  write(slot.origin, told ? `${ranges.nextWords(told.timeframe)}, ${ranges.originWords(told)}` : "");
  follow(slot.bands, told ? [...told.bands].sort((one, other) => other.quantile - one.quantile) : [], {
    key: ({ quantile }) => quantile,
    make: () => copyOf("forecast-band"),
    fill: (row, band) => fillBand(row, band, asset.tick_size),
  });
  const inside = told ? insideWords(told, asset) : "";
  write(slot.inside, inside);
  write(line, told ? [inside, ranges.rangeLine(told, asset.tick_size)].filter(Boolean).join(" ") : why);
  mark(line, "data-told", told !== null);
}

/**
 * @param {HTMLElement} row
 * @param {Wire.RangeBand} band
 * @param {number} tickSize
 */
function fillBand(row, band, tickSize) {
  const cell = slots(row);
  write(cell.quantile, ranges.quantileWords(band));
  write(cell.low, priceWords(band.low, tickSize));
  write(cell.high, priceWords(band.high, tickSize));
  write(cell.held, ranges.heldWords(band));
}

/**
 * @param {Wire.RangeBands} told
 * @param {Wire.AssetState} asset
 */
function insideWords(told, asset) {
  const order = orderOf(asset);
  return order ? ranges.insideWords(told, order).join(" ") : "";
}

/**
 * Stop and target of the open trade, else of the entry that could be made.
 *
 * @param {Wire.AssetState} asset
 */
function orderOf(asset) {
  if (!asset.trade) return next.order && { ...next.order, isOpen: false };
  const lines = linesOf(asset);
  const priceOf = (/** @type {string} */ kind) => lines.find((one) => one.kind === kind)?.price ?? null;
  return { stop: priceOf("stop"), target: priceOf("target"), isOpen: true };
}

/** @param {Wire.AssetState} asset */
function whyNone({ symbol, simulated, tick_size: tickSize }) {
  if (simulated) return `No usual range: the market of ${symbol} is simulated, and nothing is learned from it.`;
  if (!ranges.TIMEFRAMES.includes(drawn.timeframe)) {
    return `No usual range: ${drawn.timeframe} is too long, 1m to 1h have one.`;
  }
  const { answer, trouble } = forecasts.current().range;
  if (trouble) return ranges.noRangeWords(trouble);
  if (answer === null) return ASKING;
  const isOver = !ranges.holds(answer, symbol, drawn.timeframe, clock.now());
  const over = `No usual range: that of ${symbol} ${drawn.timeframe} is over, the next is asked for.`;
  return isOver ? over : ranges.elsewhereWords(answer, tickSize);
}

/** @param {Wire.AssetState} asset */
function drawAdvice(asset) {
  const { signals, phase } = forecasts.current();
  const isTold = !asset.simulated;
  writeAdvice("signal", isTold ? signals : null, (answer) => signalWords(answer, asset.symbol, asset.tick_size));
  writeAdvice("phase", isTold ? phase : null, phaseWords);
}

/**
 * @template T
 * @param {string} name
 * @param {Page.Told<T> | null} told
 * @param {(answer: T) => {says: string, beside: string}} words
 */
function writeAdvice(name, told, words) {
  const { says, beside } = told?.answer ? words(told.answer) : { says: "", beside: adviceTrouble(told) };
  write(slot[name], says);
  write(slot[`${name}-beside`], beside);
}

/** @param {Page.Told<any> | null} told */
function adviceTrouble(told) {
  if (told === null) return "Not told of a simulated market.";
  return told.trouble ? `Not told: ${ranges.reasonOf(told.trouble)}.` : "";
}
