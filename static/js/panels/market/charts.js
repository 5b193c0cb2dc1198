// @ts-check

/**
 * The six Renko series of the asset in view, and its candles beside them when the operator wants them. Bricks come in
 * with the stream and are drawn once a frame at most; charts nobody sees (a phone shows one) are neither loaded nor drawn.
 */

import * as books from "../../charts/book.js";
import { barsOf, nextBar } from "../../charts/levels.js";
import * as renko from "../../charts/renko_chart.js";
import { chosenOf, libraryOf, pageColors } from "../../charts/setting.js";
import { linesOf, marksOf } from "../../charts/trade_marks.js";
import * as store from "../../desk/store.js";
import { clockTime, price } from "../../reading/format.js";
import { all, around, byId, mark, show, slots, write } from "../../ui/dom.js";
import { keep } from "../../ui/kept.js";
import * as candles from "./candles.js";
import * as forecast from "./forecast.js";

const root = byId("charts");
const slot = slots(root);
const figures = all(root, "[data-size]");
const SIZES = figures.map(sizeOf);
const LAYOUTS = ["one", "candles", "grid", "off"];
const TIMEFRAMES = all(root, "[name=chart-timeframe]", HTMLInputElement).map(({ value }) => value);
/** @type {Record<string, string>} */
const KEPT = {
  layout: "lockstep.charts.layout",
  size: "lockstep.charts.size",
  timeframe: "lockstep.charts.timeframe",
};
const PRICE_NOTES = { sent: "", some: "some prices missing", none: "no prices sent" };
const SIGNS = { green: "▲ G", red: "▼ R" };
const SWIPE_PX = 50;
const phone = window.matchMedia("(width < 48rem)");
const light = window.matchMedia("(prefers-color-scheme: light)");

/** @typedef {{layout: string, size: string, timeframe: string}} Choice */

/** @type {Map<string, Page.Pane>} */
const panes = new Map(); // by size
/** @type {Library.Module | null} */
let library = null;
let symbol = "";
/** @type {Choice} */
let chosen = {
  layout: chosenOf(KEPT.layout, LAYOUTS) ?? "one",
  size: chosenOf(KEPT.size, SIZES) ?? "6",
  timeframe: chosenOf(KEPT.timeframe, TIMEFRAMES) ?? "5m",
};
/** @type {Page.Colors} */
let colors = {};
let isFrameDue = false;

export async function start() {
  showChoices();
  root.addEventListener("change", ({ target }) => {
    const { name, value } = /** @type {HTMLInputElement} */ (target);
    choose({ [name.replace("chart-", "")]: value });
  });
  slot.field.addEventListener("click", (/** @type {Event} */ event) => {
    const name = around(event, "[data-choose]");
    if (name) choose({ layout: "one", size: name.dataset.choose });
  });
  slot.field.addEventListener("keydown", hearKey);
  candles.start(drawSoon);
  forecast.start(drawSoon, (timeframe) => choose({ timeframe }));
  listenToSwipes();
  phone.addEventListener("change", () => {
    showChoices();
    arrange();
  });
  light.addEventListener("change", arrange);
  library = await libraryOf(root.dataset.library);
  show(slot.missing, library === null);
  show(slot.field, library !== null);
  arrange();
}

/**
 * Take a brick or the news of a price from the stream, or that it was opened anew and something may have been missed.
 *
 * @param {Page.News} news
 * @param {Page.Brick} [brick]
 */
export function hear(news, brick) {
  if (news === "opened") {
    for (const { book } of panes.values()) books.catchUp(book);
    candles.catchUp();
    return;
  }
  if (news === "price" && chosen.layout === "candles") return drawSoon();
  if (!brick || brick.asset !== symbol) return;
  const pane = panes.get(String(brick.size));
  if (!pane) return;
  books.hear(pane.book, brick);
  drawSoon();
}

/**
 * The document is news: another asset, a trade that opened or closed, another zone.
 *
 * @param {Page.State} state
 * @param {string} inView
 */
export function draw(state, inView) {
  if (inView !== symbol) {
    symbol = inView;
    arrange();
  }
  forecast.draw(state, inView, chosen.timeframe);
  drawSoon();
}

// -- what the operator chose ----------------------------------------------------------------------------------

/** @param {Partial<Choice>} choice */
function choose(choice) {
  chosen = { ...chosen, ...choice };
  for (const [name, value] of Object.entries(chosen)) keep(KEPT[name], value);
  showChoices();
  arrange();
  if (symbol) forecast.draw(store.current(), symbol, chosen.timeframe);
}

function showChoices() {
  /** @type {Record<string, string>} */
  const shown = { ...chosen, layout: layout() };
  mark(root, "data-layout", shown.layout);
  for (const input of root.querySelectorAll("input")) {
    input.checked = input.value === shown[input.name.replace("chart-", "")];
  }
  for (const figure of figures) {
    mark(figure, "data-chosen", figure.dataset.size === chosen.size);
    mark(figure, "data-big", figure.dataset.size === chosen.size && shown.layout === "one");
  }
}

/** A phone has room for one. */
function layout() {
  return phone.matches && chosen.layout === "grid" ? "one" : chosen.layout;
}

/** @param {string} size */
function isShown(size) {
  if (chosen.layout === "off") return false;
  if (chosen.layout === "candles") return size === chosen.size && !phone.matches;
  return size === chosen.size || !phone.matches;
}

/** Make and remove charts until there are those that should be, all in the right size and colours. */
function arrange() {
  if (library === null || symbol === "") return;
  colors = pageColors();
  for (const figure of figures) {
    const size = sizeOf(figure);
    const pane = panes.get(size);
    if (pane && (!isShown(size) || pane.book.asset !== symbol)) close(size, pane);
    if (isShown(size) && !panes.has(size)) panes.set(size, open(figure, size, library));
  }
  for (const [size, pane] of panes) {
    const isBig = layout() === "grid" || size === chosen.size;
    renko.dress(pane.view, colors, isBig, !phone.matches);
    mark(pane.slot.canvas, "tabindex", isBig ? 0 : -1);
    renko.showNewest(pane.view);
    pane.drawn = {};
  }
  const { timeframe } = chosen;
  candles.arrange(chosen.layout === "candles" ? { library, symbol, timeframe, colors } : null);
  drawSoon();
}

/**
 * @param {HTMLElement} figure
 * @param {string} size
 * @param {Library.Module} library
 * @returns {Page.Pane}
 */
function open(figure, size, library) {
  const book = books.openBook(symbol, size, drawSoon);
  const own = slots(figure);
  return { figure, slot: own, book, view: renko.makeChart(library, own.canvas, book), bars: [], drawn: {} };
}

/**
 * @param {string} size
 * @param {Page.Pane} pane
 */
function close(size, pane) {
  books.closeBook(pane.book);
  renko.removeChart(pane.view);
  panes.delete(size);
}

// -- drawing ----------------------------------------------------------------------------------------------------

function drawSoon() {
  if (isFrameDue) return;
  isFrameDue = true;
  requestAnimationFrame(() => {
    isFrameDue = false;
    const state = store.current();
    for (const pane of panes.values()) drawPane(pane, state);
    candles.draw(state);
  });
}

/**
 * @param {Page.Pane} pane
 * @param {Page.State} state
 */
function drawPane(pane, state) {
  const asset = state.assets[symbol];
  if (!asset || pane.book.asset !== symbol) return;
  const hasNews = drawBricks(pane, asset);
  if (hasNews) drawWords(pane, asset);
  drawZone(pane, asset);
  drawTrade(pane, asset, state.history, hasNews);
}

/**
 * Whether any brick was drawn.
 *
 * @param {Page.Pane} pane
 * @param {Wire.AssetState} asset
 */
function drawBricks(pane, asset) {
  const { book, drawn } = pane;
  const height = Number(book.size) * asset.point_size;
  const fresh = book.fresh;
  book.fresh = [];
  const isOther = drawn.edition !== book.edition || drawn.height !== height;
  const bringsPrices = pane.prices === "none" && fresh.some((brick) => brick.close !== null);
  if (isOther || bringsPrices) {
    ({ bars: pane.bars, prices: pane.prices } = barsOf(book.bricks, height));
    renko.setBars(pane.view, pane.bars, pane.prices, asset.tick_size);
    Object.assign(drawn, { edition: book.edition, height, marks: null, lines: null });
    return true;
  }
  for (const brick of fresh) {
    if (brick.close === null && pane.prices === "sent") pane.prices = "some";
    const bar = nextBar(pane.bars.at(-1), brick, height);
    pane.bars.push(bar);
    renko.addBar(pane.view, bar);
  }
  return fresh.length > 0;
}

/**
 * @param {Page.Pane} pane
 * @param {Wire.AssetState} asset
 */
function drawWords(pane, asset) {
  const { book, bars, prices } = pane;
  const last = book.bricks.at(-1);
  show(pane.slot.empty, book.isRead && last === undefined);
  write(pane.slot.note, PRICE_NOTES[prices ?? "sent"]);
  mark(pane.slot.last, "data-color", last?.color ?? "neutral");
  const level = last && prices !== "none" ? ` ${price(bars.at(-1)?.close, asset.tick_size)}` : "";
  write(pane.slot.last, last ? `${SIGNS[last.color]}${level}` : "");
  const count = `${book.bricks.length} bricks`;
  const none = book.isRead ? "no brick yet" : "being read";
  const told = last ? `${count}, the last ${last.color}${level}, ${clockTime(last.ts)}` : none;
  mark(pane.slot.canvas, "aria-label", `${book.size} point chart: ${told}`);
}

/**
 * Structure's charts show the zone behind the bricks, and in a word beside them.
 *
 * @param {Page.Pane} pane
 * @param {Wire.AssetState} asset
 */
function drawZone({ figure, slot: own }, asset) {
  if (figure.dataset.role !== "structure") return;
  mark(figure, "data-zone", asset.zone_type);
  mark(figure, "data-side", asset.zone_direction);
  const arrow = asset.zone_direction === "BUY" ? "▲" : "▼";
  /** @type {Record<string, string>} */
  const words = { NORMAL: `NORMAL ${arrow}`, FREE: "FREE" };
  write(own.zone, words[asset.zone_type ?? ""] ?? "no zone");
}

/**
 * @param {Page.Pane} pane
 * @param {Wire.AssetState} asset
 * @param {Wire.TradeRow[]} history
 * @param {boolean} hasNews
 */
function drawTrade(pane, asset, history, hasNews) {
  const { drawn, view, book } = pane;
  const { trade } = asset;
  const about = `${history[0]?.id} ${history.length} ${trade?.id} ${trade?.quantity}`;
  if (drawn.about !== about || drawn.marks === null || (hasNews && drawn.isOpenEnded)) {
    const { marks, isOpenEnded } = marksOf(book, symbol, history, trade);
    renko.setMarks(view, marks);
    Object.assign(drawn, { about, marks, isOpenEnded });
  }
  const lines = view.isBig ? [...linesOf(asset), ...forecast.linesFor(asset)] : linesOf(asset);
  const places = JSON.stringify(lines);
  if (drawn.lines !== places) {
    renko.setLines(view, lines);
    drawn.lines = places;
  }
}

/** @param {HTMLElement} figure */
function sizeOf(figure) {
  return figure.dataset.size ?? "";
}

// -- hands --------------------------------------------------------------------------------------------------------

/** @param {KeyboardEvent} event */
function hearKey(event) {
  const pane = panes.get(around(event, "[data-size]")?.dataset.size ?? "");
  if (!pane || event.target !== pane.slot.canvas || event.ctrlKey || event.metaKey || event.altKey) return;
  if (renko.pressKey(pane.view, event.key)) event.preventDefault();
}

/** On a phone a swipe turns to the next size. */
function listenToSwipes() {
  /** @type {Touch | null} */
  let from = null;
  const begin = (/** @type {TouchEvent} */ { touches }) => {
    from = touches.length === 1 ? touches[0] : null;
  };
  slot.field.addEventListener("touchstart", begin, { passive: true });
  slot.field.addEventListener("touchend", (/** @type {TouchEvent} */ { changedTouches: [to] }) => {
    if (!from || !phone.matches || chosen.layout === "candles") return;
    const [across, down] = [to.clientX - from.clientX, to.clientY - from.clientY];
    from = null;
    if (Math.abs(across) < SWIPE_PX || Math.abs(across) < 2 * Math.abs(down)) return;
    const next = SIZES[SIZES.indexOf(chosen.size) + (across < 0 ? 1 : -1)];
    if (next) choose({ size: next });
  });
}
