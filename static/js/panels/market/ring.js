// @ts-check

/**
 * The five-minute candle as a ring: how much is gone, how much is left, and whether its entry is used. While it is not,
 * and some direction is open, one decides; once it is used, the last minute is there to prepare for the next.
 */

import * as clock from "../../desk/clock.js";
import * as stream from "../../desk/stream.js";
import { age, clockTime, countdown } from "../../reading/format.js";
import { deskInTheWay } from "../../reading/gates.js";
import { byId, mark, slots, write } from "../../ui/dom.js";

const PREPARE_SECONDS = 60;
const root = byId("ring");
const slot = slots(root);

/**
 * @param {Page.State} state
 * @param {string} symbol
 */
export function draw({ global: desk, assets }, symbol) {
  const { startsAt, endsAt, lengthMs } = candleNow(desk.candle);
  const gone = (clock.now() - startsAt) / lengthMs;
  const left = Math.max(0, Math.ceil((endsAt - clock.now()) / 1000));
  const isUsed = desk.five_min_trade_lock_active && Date.parse(desk.five_min_trade_lock_expires_ts ?? "") > clock.now();
  mark(slot.gone, "stroke-dashoffset", (100 - 100 * Math.min(1, gone)).toFixed(1));
  const mayDecide = assets[symbol].may_enter.length > 0 && !stream.isSilent() && !deskInTheWay();
  mark(root, "data-used", isUsed ? "yes" : "no");
  mark(root, "data-closed", !isUsed && !mayDecide);
  write(slot.title, `${age(lengthMs / 1000)} candle`);
  write(slot.left, countdown(left));
  write(slot.use, isUsed ? "CANDLE USED" : "CANDLE UNUSED");
  write(slot.span, `${phase(isUsed, mayDecide, left)} · ${edge(startsAt, lengthMs)} to ${edge(endsAt, lengthMs)}`);
  const share = Math.min(100, (100_000 * PREPARE_SECONDS) / lengthMs);
  mark(slot.prepare, "stroke-dasharray", `${share} 100`);
  mark(slot.prepare, "stroke-dashoffset", share - 100);
}

/**
 * @param {boolean} isUsed
 * @param {boolean} mayDecide
 * @param {number} left
 */
function phase(isUsed, mayDecide, left) {
  if (stream.isSilent()) return `as of ${clockTime(stream.asOf())}`;
  if (!isUsed) return mayDecide ? "decide" : "entries are closed";
  return left <= PREPARE_SECONDS ? "prepare" : "wait";
}

/**
 * Candles of whole minutes begin and end on them.
 *
 * @param {number} instant
 * @param {number} lengthMs
 */
function edge(instant, lengthMs) {
  return lengthMs % 60_000 === 0 ? clockTime(instant).slice(0, 5) : clockTime(instant);
}

/**
 * The document's candle, carried forward by whole candles when it is from an earlier one.
 *
 * @param {Wire.CandleState} candle
 */
function candleNow(candle) {
  const lengthMs = candle.seconds * 1000;
  const firstStart = Date.parse(candle.started_at);
  const passed = Math.max(0, Math.floor((clock.now() - firstStart) / lengthMs));
  const startsAt = firstStart + passed * lengthMs;
  return { startsAt, endsAt: startsAt + lengthMs, lengthMs };
}
