// @ts-check

/** What the asset in view hears of its market: whether its bricks are whole, what is wrong, and when its contract rolls. */

import * as clock from "../../desk/clock.js";
import * as facts from "../../desk/facts.js";
import {
  brickWords,
  faultsByKind,
  recoveryWords,
  rollIsNear,
  rollWords,
  sinceWords,
  sourceWords,
  streamWords,
  verdictOf,
  verdictWords,
} from "../../reading/feed.js";
import { byId, copyOf, follow, mark, show, slots, write } from "../../ui/dom.js";

const SHOWN_FOR_MS = 120_000;
/** @type {Partial<Record<import("../../reading/feed.js").Verdict, string>>} how it is coloured; the others are in doubt */
const MARKS = { closed: "closed", whole: "whole" };
const root = byId("feed");
const slot = slots(root);
/** @type {Page.Sizes} */
const SIZES = JSON.parse(root.dataset.sizes ?? "{}");

/**
 * @param {Page.State} state
 * @param {string} symbol
 */
export function draw({ global: { env }, assets }, symbol) {
  const asset = assets[symbol];
  const { feed, roll } = asset;
  const verdict = verdictOf(feed, clock.now());
  mark(root, "data-verdict", MARKS[verdict] ?? "doubted");
  write(slot.verdict, verdictWords(feed, env, clock.now()));
  write(slot.source, sourceWords(asset, clock.now()));
  write(slot.recovered, feed.faults.length > 0 ? "" : recoveryWords(endedOf(symbol), SIZES));
  write(slot.roll, rollWords(roll));
  mark(slot.roll, "data-near", rollIsNear(roll));
  show(slot.faults, feed.faults.length > 0);
  follow(slot.faults, faultsByKind(feed.faults), {
    key: ({ fault: { kind } }) => kind,
    make: () => copyOf("feed-fault"),
    fill: fillFault,
  });
  follow(
    slot.streams,
    [...feed.streams].sort((one, other) => one.size - other.size),
    {
      key: ({ size }) => size,
      make: () => copyOf("feed-stream"),
      fill: (row, stream) => fillStream(row, stream, asset.tick_size),
    },
  );
}

/**
 * What ended a short while ago, oldest first.
 *
 * @param {string} symbol
 */
function endedOf(symbol) {
  const isRecent = (/** @type {Page.Event} */ { ts, asset }) =>
    asset === symbol && clock.now() - Date.parse(ts) < SHOWN_FOR_MS;
  return facts.ofFeeds().filter(isRecent);
}

/**
 * @param {HTMLElement} row
 * @param {import("../../reading/feed.js").Fault} found
 */
function fillFault(row, { fault, also }) {
  const cell = slots(row);
  write(cell.sentence, fault.sentence);
  write(cell.also, also.length > 0 ? `; the same of ${also.map((size) => `${size}pt`).join(", ")}` : "");
  write(cell.since, sinceWords(fault, clock.secondsSince(fault.since)));
}

/**
 * @param {HTMLElement} row
 * @param {Wire.StreamFeedState} stream
 * @param {number} tickSize
 */
function fillStream(row, stream, tickSize) {
  const cell = slots(row);
  mark(row, "data-chain", stream.state);
  mark(cell.brick, "data-color", stream.color);
  write(cell.size, `${stream.size}pt`);
  write(cell.brick, brickWords(stream, tickSize));
  write(cell.state, streamWords(stream));
}
