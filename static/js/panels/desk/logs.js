// @ts-check

/** What was heard from TradingView and from the bridge, newest first. */

import * as clock from "../../desk/clock.js";
import * as store from "../../desk/store.js";
import { clockMoment } from "../../reading/format.js";
import { all, copyOf, follow, mark, show, slots, write } from "../../ui/dom.js";

const SHOWN = 40;
const feeds = all(document, "[data-feed]").map((root) => ({
  feed: /** @type {keyof Wire.Logs} */ (root.dataset.feed),
  slot: slots(root),
}));
const drawn = new Map();
const keys = new WeakMap();
let lastKey = 0;

export function draw() {
  for (const { feed, slot } of feeds) {
    const lines = store.logOf(feed);
    if (drawn.get(feed) === lines) continue;
    drawn.set(feed, lines);
    offerOutcomes(filterOf(slot), lines);
    drawFiltered(slot, lines);
  }
}

for (const { feed, slot } of feeds) {
  filterOf(slot).addEventListener("change", () => drawFiltered(slot, store.logOf(feed)));
}

/** @param {Page.Slots} slot */
function filterOf(slot) {
  return /** @type {HTMLSelectElement} */ (slot.filter);
}

/**
 * Draw the lines whose outcome is chosen: all of them, or those of one outcome.
 *
 * @param {Page.Slots} slot
 * @param {Wire.LogRow[]} lines
 */
function drawFiltered(slot, lines) {
  const chosen = filterOf(slot).value;
  const wanted = lines.filter((line) => chosen === "" || line.outcome === chosen);
  drawFeed(slot, wanted.slice(0, SHOWN));
}

/**
 * Add an option for each outcome that the filter does not offer yet.
 *
 * @param {HTMLSelectElement} filter
 * @param {Wire.LogRow[]} lines
 */
function offerOutcomes(filter, lines) {
  const offered = new Set([...filter.options].map((option) => option.value));
  for (const { outcome } of lines) {
    if (!outcome || offered.has(outcome)) continue;
    offered.add(outcome);
    filter.append(new Option(outcome, outcome));
  }
}

/**
 * @param {Page.Slots} slot
 * @param {Wire.LogRow[]} lines
 */
function drawFeed(slot, lines) {
  show(slot.none, lines.length === 0);
  show(slot.lines, lines.length > 0);
  follow(slot.lines, lines, { key: keyOf, make: () => copyOf("log-line"), fill: fillLine });
}

/**
 * Lines have no name of their own, and two may say the same at the same time.
 *
 * @param {Wire.LogRow} line
 */
function keyOf(line) {
  if (!keys.has(line)) {
    lastKey += 1;
    keys.set(line, lastKey);
  }
  return keys.get(line);
}

/**
 * @param {HTMLElement} row
 * @param {Wire.LogRow} line
 */
function fillLine(row, line) {
  const cell = slots(row);
  mark(row, "data-outcome", line.outcome);
  write(cell.time, clockMoment(line.ts, clock.now()));
  mark(cell.time, "datetime", line.ts);
  write(cell.kind, line.kind);
  write(cell.text, [line.asset, line.text].filter(Boolean).join(" "));
  write(cell.outcome, line.outcome ?? "");
  write(cell.count, line.count > 1 ? `×${line.count}` : "");
}
