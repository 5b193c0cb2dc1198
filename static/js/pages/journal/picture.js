// @ts-check

/**
 * The picture of a trade: the bricks around it, where it went in and out, the lines it stood between. One at a time;
 * the charts' library comes when the first trade is opened.
 */

import { barsOf } from "../../charts/levels.js";
import * as renko from "../../charts/renko_chart.js";
import { chosenOf, libraryOf, pageColors } from "../../charts/setting.js";
import { clearOfEntry, marksAt, pastMoments } from "../../charts/trade_marks.js";
import { get, NoAnswer } from "../../desk/api.js";
import { averagePrice, points } from "../../reading/format.js";
import { count } from "../../reading/words.js";
import { all, byId, mark, show, slots, write } from "../../ui/dom.js";
import { keep } from "../../ui/kept.js";
import { additionsTo } from "./fills.js";

const KEPT = "lockstep.journal.size";
const SEEN_BEFORE = 8; // bricks before the entry that a narrow screen shows at least
const NO_LIBRARY = "The charts' library is not installed: make fetches it. Everything else works without it.";
const NO_ANSWER = "No answer from the desk: choose a size to ask again.";
const PRICE_NOTES = {
  sent: "",
  some: "some prices were not sent",
  none: "no prices were sent: levels follow from the colours",
};
const detail = byId("trade-detail", HTMLTemplateElement);
const SIZES = all(detail.content, "[name=picture-size]", HTMLInputElement).map((input) => input.value);
const libraryAddress = byId("trades").dataset.library;
const light = window.matchMedia("(prefers-color-scheme: light)");

/** @type {Library.Module | null} */
let library = null;
let size = chosenOf(KEPT, SIZES) ?? "6";
/**
 * The picture of one open row.
 *
 * @typedef {object} Own
 * @property {Wire.JournalTradeRow} trade
 * @property {number} tick the asset's, in price
 * @property {(answer: Wire.TradeBricksAnswer | null) => void} tell
 * @property {Page.Slots} slot
 * @property {Page.ChartView | null} view
 * @property {ResizeObserver | null} watcher
 * @property {Wire.TradeBricksAnswer | null} answer
 * @property {boolean} isTold
 * @property {number} question
 */

/** @type {Own | null} */
let shown = null; // the picture of the open trade

light.addEventListener("change", () => shown?.answer && draw(shown, shown.answer));

/**
 * Begin the picture inside an open row. `tick`: the asset's, in price; `tell(answer)` is called with what comes, with
 * null when the desk has told nothing yet.
 *
 * @param {HTMLElement} row
 * @param {Wire.JournalTradeRow} trade
 * @param {number} tick
 * @param {(answer: Wire.TradeBricksAnswer | null) => void} tell
 */
export async function open(row, trade, tick, tell) {
  close();
  /** @type {Own} */
  const own = {
    trade,
    tick,
    tell,
    slot: slots(row),
    view: null,
    watcher: null,
    answer: null,
    isTold: false,
    question: 0,
  };
  shown = own;
  for (const input of own.slot.sizes.elements) input.checked = input.value === size;
  own.slot.sizes.addEventListener("change", (/** @type {Event} */ { target }) => {
    choose(own, /** @type {HTMLInputElement} */ (target).value);
  });
  own.slot.canvas.addEventListener("keydown", (/** @type {KeyboardEvent} */ event) => hearKey(own, event));
  say(own, "Reading the bricks…");
  library ??= await libraryOf(libraryAddress);
  if (shown === own) read(own);
}

/** The row goes, its picture with it. */
export function close() {
  if (shown) removeChart(shown);
  shown = null;
}

/** @param {Own} own */
function removeChart(own) {
  own.watcher?.disconnect();
  if (own.view) renko.removeChart(own.view);
  own.view = null;
}

/**
 * @param {Own} own
 * @param {string} chosen
 */
function choose(own, chosen) {
  size = chosen;
  keep(KEPT, size);
  read(own);
}

/**
 * Ask for the bricks; an answer to an older question, or to a row that was closed, is dropped.
 *
 * @param {Own} own
 */
async function read(own) {
  const question = ++own.question;
  mark(own.slot.canvas, "aria-busy", "true");
  const { answer, failure } = await ask(own.trade, size);
  if (shown !== own || own.question !== question) return;
  mark(own.slot.canvas, "aria-busy", null);
  if (answer || !own.isTold) own.tell(answer); // another size has no other fills: what is known stays
  own.isTold ||= answer !== null;
  own.answer = library !== null && answer?.bricks.length ? answer : null;
  if (own.answer) draw(own, own.answer);
  else say(own, library === null ? NO_LIBRARY : (answer?.absence ?? failure ?? ""));
}

/**
 * @param {Wire.JournalTradeRow} trade
 * @param {string} wanted
 * @returns {Promise<{answer: Wire.TradeBricksAnswer | null, failure?: string}>}
 */
async function ask(trade, wanted) {
  try {
    const { body } = await get(`/api/journal/trades/${trade.id}/bricks?size=${wanted}`);
    return body.ok ? { answer: body } : { answer: null, failure: body.error };
  } catch (failure) {
    if (!(failure instanceof NoAnswer)) throw failure;
    return { answer: null, failure: NO_ANSWER };
  }
}

/**
 * A sentence in place of the bricks.
 *
 * @param {Own} own
 * @param {string} sentence
 */
function say(own, sentence) {
  const { slot } = own;
  removeChart(own);
  write(slot.empty, sentence);
  show(slot.empty, true);
  show(slot.legend, false);
  write(slot.between, "");
  mark(slot.canvas, "aria-label", `Bricks around the trade: ${sentence}`);
}

// -- drawing ------------------------------------------------------------------------------------------------------

/**
 * @param {Own} own
 * @param {Wire.TradeBricksAnswer} answer
 */
function draw(own, answer) {
  const { slot, tick } = own;
  show(slot.empty, false);
  show(slot.legend, true);
  const { bars, prices } = barsOf(answer.bricks, answer.size * answer.point_size);
  const view = own.view ?? firstChart(own, answer);
  own.view = view;
  view.book = answer;
  renko.dress(view, pageColors(), true, true);
  renko.setBars(view, bars, prices, tick);
  renko.hideNewestPrice(view);
  renko.setMarks(view, marksIn({ answer, trade: own.trade }, bars));
  renko.setLines(view, linesOf(own.trade, answer.point_size));
  fit(own);
  drawWords(own, answer, prices);
}

/**
 * @param {Own} own
 * @param {Wire.TradeBricksAnswer} answer
 */
function firstChart(own, answer) {
  const view = renko.makeChart(/** @type {Library.Module} */ (library), own.slot.canvas, answer);
  own.watcher = new ResizeObserver(() => fit(own)); // behind the chart's own, which has its new width by then
  own.watcher.observe(own.slot.canvas);
  return view;
}

/**
 * The whole trade is in sight, and as much before it as there is room for.
 *
 * @param {Own} own
 */
function fit({ view, answer, trade }) {
  if (!view || !answer) return;
  const entered = answer.bricks.findIndex((brick) => Date.parse(brick.ts) >= Date.parse(trade.entry_ts));
  renko.showFrom(view, answer.bricks.length, Math.max(0, entered - SEEN_BEFORE));
}

/**
 * In, scaled in, out, and where bricks are left out. A trade older than the first brick stands on that one.
 *
 * @param {{answer: Wire.TradeBricksAnswer, trade: Wire.JournalTradeRow}} told
 * @param {Page.Bar[]} bars
 */
export function marksIn({ answer, trade }, bars) {
  const { bricks, gap } = answer;
  const fromFirst = (/** @type {Page.Instant} */ moment) =>
    Date.parse(moment) < Date.parse(bricks[0].ts) ? bricks[0].ts : moment;
  const moments = pastMoments(trade, additionsTo(trade, answer.fills));
  const placed = marksAt(
    answer,
    moments.map((moment) => ({ ...moment, at: fromFirst(moment.at) })),
  );
  const marks = clearOfEntry(placed.marks, bars);
  if (gap !== null && gap.after < bricks.length) {
    marks.push({ time: gap.after + 1, kind: "gap", isBelow: trade.side !== "BUY", text: "⋯ gap" });
  }
  return marks.sort((one, other) => one.time - other.time);
}

/**
 * @param {Wire.JournalTradeRow} trade
 * @param {number} pointSize
 * @returns {Page.PriceLine[]}
 */
function linesOf(trade, pointSize) {
  /** @type {Page.PriceLine[]} */
  const lines = [
    { kind: "average", title: "in", price: trade.entry_price },
    { kind: "exit", title: "out", price: trade.exit_price },
  ];
  if (trade.stop_points === null) return lines;
  const away = (trade.side === "BUY" ? -1 : 1) * trade.stop_points * pointSize;
  return [...lines, { kind: "stop", title: "stop", price: trade.entry_price + away }];
}

/**
 * @param {Own} own
 * @param {Wire.TradeBricksAnswer} answer
 * @param {Page.Prices} prices
 */
function drawWords({ slot, trade, tick }, answer, prices) {
  show(slot.stop, trade.stop_points !== null && prices !== "none");
  show(slot.gap, answer.gap !== null);
  const additions = additionsTo(trade, answer.fills);
  show(slot.added, additions.length > 0);
  const between = betweenWords(answer);
  const gap = answer.gap === null ? "" : gapWords(answer.gap);
  write(slot.between, [between, gap, PRICE_NOTES[prices]].filter(Boolean).join(" · "));
  const [into, out] = [trade.entry_price, trade.exit_price].map((price) => averagePrice(price, tick));
  const added = additions.map(({ quantity, words }) => `${words} of ${quantity}`).join(", ");
  const told = [`in at ${into}`, added, `out at ${out}`, between, gap].filter(Boolean).join(", ");
  mark(slot.canvas, "aria-label", `${points(answer.size)} point bricks around the trade: ${told}`);
}

/** @param {Wire.TradeBricksAnswer} answer */
function betweenWords({ between, gap }) {
  if (gap?.left_out === null) return `at least ${count(between, "brick")} between`;
  return `${count(between + (gap?.left_out ?? 0), "brick")} between`;
}

/** @param {Wire.GapRow} gap */
function gapWords(gap) {
  return `${gap.left_out === null ? "some" : gap.left_out} left out at the gap`;
}

/**
 * @param {Own} own
 * @param {KeyboardEvent} event
 */
function hearKey({ view }, event) {
  if (!view || event.ctrlKey || event.metaKey || event.altKey) return;
  if (renko.pressKey(view, event.key)) event.preventDefault();
}
