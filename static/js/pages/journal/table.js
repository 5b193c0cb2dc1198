// @ts-check

/** The trades themselves: sorted by any column, each opens to its facts and its note. */

import { averagePrice, signedPoints, signedUsd } from "../../reading/format.js";
import { resultOf, resultWords } from "../../reading/results.js";
import { count, duration, newYork, plain, signedR, tint } from "../../reading/words.js";
import { all, around, byId, copyOf, mark, one, slots, write } from "../../ui/dom.js";
import * as detail from "./detail.js";

const root = byId("trades");
const body = byId("trade-rows");
const note = byId("trades-note");
const older = byId("older");
const columns = all(root, "[data-column]");
/** @type {Record<string, number>} */
const ticks = JSON.parse(byId("journal").dataset.ticks ?? "{}");
/** @type {Record<string, (trade: Wire.JournalTradeRow) => string | number>} */
const KEYS = {
  closed: (trade) => trade.exit_ts,
  asset: (trade) => trade.asset,
  side: (trade) => trade.side,
  entry: (trade) => trade.entry_price,
  exit: (trade) => trade.exit_price,
  points: (trade) => trade.pnl_points,
  usd: resultOf,
  r: (trade) => trade.r ?? -Infinity,
  worst: (trade) => trade.mae_points,
  best: (trade) => trade.mfe_points,
  held: (trade) => trade.held_s,
  mode: (trade) => trade.mode,
  reason: (trade) => trade.reason,
  tags: (trade) => trade.tags.join(" "),
};

const ROWS = 40; // drawn at once; more on request

/** @type {Wire.JournalTradeRow[]} */
let trades = [];
let hasMore = false;
let shown = ROWS;
let askOlder = () => {};
let order = { key: "closed", rises: false };
/** @type {string | null} */
let openId = null;

/**
 * `whenWanted()` is called when older trades than those there are wanted.
 *
 * @param {() => void} whenWanted
 */
export function start(whenWanted) {
  askOlder = whenWanted;
  older.addEventListener("click", showMore);
  root.addEventListener("click", (event) => {
    const sort = around(event, "[data-sort]");
    const row = around(event, ".trade-row");
    if (sort) sortBy(sort.dataset.sort ?? "");
    else if (row && !window.getSelection()?.toString()) toggle(row.dataset.trade ?? "");
  });
}

/**
 * `isMore`: the desk has older ones; `isNew`: it is another selection.
 *
 * @param {Wire.JournalTradeRow[]} all
 * @param {boolean} isMore
 * @param {boolean} isNew
 */
export function draw(all, isMore, isNew) {
  trades = all;
  hasMore = isMore;
  if (isNew) shown = ROWS;
  drawRows();
}

function showMore() {
  shown += ROWS;
  if (shown > trades.length && hasMore) askOlder();
  else drawRows();
}

/**
 * A trade has another note now.
 *
 * @param {Wire.JournalTradeRow} changed
 */
export function replace(changed) {
  trades = trades.map((trade) => (trade.id === changed.id ? changed : trade));
  const row = rowOf(changed.id);
  if (row) fill(row, changed);
}

/**
 * Open a trade and bring it into view.
 *
 * @param {string} id
 */
export function reveal(id) {
  if (!rowOf(id)) {
    shown = trades.length;
    drawRows();
  }
  if (openId !== id) toggle(id);
  const row = rowOf(id);
  if (!row) return;
  row.scrollIntoView({ block: "center" });
  one(row, ".opens").focus({ preventScroll: true });
}

/** @param {string} key */
function sortBy(key) {
  order = { key, rises: order.key === key ? !order.rises : ["asset", "side", "mode", "reason", "tags"].includes(key) };
  drawRows();
}

function drawRows() {
  const value = KEYS[order.key];
  const way = order.rises ? 1 : -1;
  const sorted = [...trades].sort((a, b) => way * compare(value(a), value(b)) || compare(b.exit_ts, a.exit_ts));
  const drawn = sorted.slice(0, shown);
  body.replaceChildren(...drawn.map(rowFor));
  older.hidden = drawn.length === trades.length && !hasMore;
  note.textContent = older.hidden
    ? count(trades.length, "trade")
    : `${drawn.length} of ${hasMore ? "more than " : ""}${trades.length}`;
  if (openId !== null && drawn.some((trade) => trade.id === openId)) open(openId);
  else close();
  for (const head of columns) drawHead(head);
}

/**
 * @param {string | number} a
 * @param {string | number} b
 */
function compare(a, b) {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** @param {HTMLElement} head */
function drawHead(head) {
  const isSorted = head.dataset.column === order.key;
  mark(head, "aria-sort", isSorted ? (order.rises ? "ascending" : "descending") : null);
  write(one(head, ".sign"), isSorted ? (order.rises ? " ↑" : " ↓") : "");
}

/** @param {Wire.JournalTradeRow} trade */
function rowFor(trade) {
  const row = copyOf("trade-row");
  row.dataset.trade = trade.id;
  fill(row, trade);
  return row;
}

/**
 * @param {HTMLElement} row
 * @param {Wire.JournalTradeRow} trade
 */
function fill(row, trade) {
  const cell = slots(row);
  const tick = ticks[trade.asset] ?? 0.01;
  write(cell.closed, newYork(trade.exit_ts));
  write(cell.asset, trade.asset);
  write(cell.side, `${trade.side === "BUY" ? "▲ long" : "▼ short"} ${trade.size}`);
  write(cell.entry, averagePrice(trade.entry_price, tick));
  write(cell.exit, averagePrice(trade.exit_price, tick));
  tint(cell.points, signedPoints(trade.pnl_points), trade.pnl_points);
  tint(cell.usd, signedUsd(resultOf(trade)), resultOf(trade));
  mark(cell.usd, "title", resultWords(trade));
  tint(cell.r, signedR(trade.r), trade.r);
  write(cell.worst, signedPoints(trade.mae_points));
  write(cell.best, signedPoints(trade.mfe_points));
  write(cell.held, duration(trade.held_s));
  write(cell.mode, trade.mode);
  const marks = [
    trade.forced_exit && (trade.exit_by ? "forced by a program" : "forced"),
    trade.override && "override",
    trade.estimated && "price estimated",
    trade.env === "LIVE" && "LIVE",
  ];
  write(cell.reason, [plain(trade.reason), ...marks.filter(Boolean)].join(" · "));
  write(cell.tags, [trade.note ? "✎" : "", ...trade.tags].filter(Boolean).join(" "));
}

/** @param {string | null} id */
function rowOf(id) {
  return all(body, ".trade-row").find((row) => row.dataset.trade === id);
}

/** @param {string} id */
function toggle(id) {
  const wasOpen = openId;
  close();
  if (wasOpen !== id) open(id);
}

function close() {
  detail.close();
  body.querySelector(".trade-detail")?.remove();
  const row = rowOf(openId);
  if (row) mark(one(row, ".opens"), "aria-expanded", "false");
  openId = null;
}

/** @param {string} id */
function open(id) {
  const row = rowOf(id);
  const trade = trades.find((candidate) => candidate.id === id);
  if (!row || !trade) return;
  openId = id;
  mark(one(row, ".opens"), "aria-expanded", "true");
  detail.openBehind(row, trade, ticks[trade.asset] ?? 0.01, replace);
}
