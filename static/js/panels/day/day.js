// @ts-check

/** How much of today is left: trades, drawdown, money. */

import * as clock from "../../desk/clock.js";
import * as stream from "../../desk/stream.js";
import * as bridge from "../../reading/bridge.js";
import {
  age,
  clockTime,
  countdown,
  moneyTone,
  percent,
  signedPercent,
  signedUsd,
  UNKNOWN,
  usd,
  wholeNumber,
} from "../../reading/format.js";
import { byId, follow, mark, show, slots, write, writeMoney } from "../../ui/dom.js";
import { hasBalance, warnOfNoStop } from "./no_stop.js";

const root = byId("day");
const slot = slots(root);
const OLD_AFTER_SECONDS = 60;
const PIPS_AT_MOST = 24; // more are no longer counted at a glance
/**
 * What passing a mark of the daily stop means for the next decision.
 *
 * @type {Record<number, string>}
 */
const WARNINGS = {
  50: "Half of today's loss limit has been used",
  70: "70 % of today's loss limit has been used: trade smaller or stop",
  85: "85 % of today's loss limit has been used: one more loss may end the day",
};

/** @param {Page.State} state */
export function draw(state) {
  const desk = state.global;
  drawAccount(desk, bridge.isSilent(state, stream.asOf()) || stream.isSilent());
  write(slot.left, wholeNumber(desk.trades_remaining_today));
  write(slot["left-note"], `of ${wholeNumber(desk.max_trades_per_day)} trades left`);
  drawPips(desk);
  drawDrawdown(desk);
  drawWarning(desk);
  warnOfNoStop(slot["no-stop"], desk);
  drawMoney(desk);
  drawStop(desk);
}

/**
 * Whose money, and how old the figures are: the bridge reports it now and then, not with each tick.
 *
 * @param {Wire.GlobalState} desk
 * @param {boolean} isUnheard
 */
function drawAccount(desk, isUnheard) {
  const seconds = clock.secondsSince(desk.snapshot_ts);
  const isOld = seconds !== null && (isUnheard || seconds > OLD_AFTER_SECONDS);
  const asOf = isOld ? `as of ${clockTime(desk.snapshot_ts)}, ${age(seconds)} ago` : `as of ${age(seconds)} ago`;
  write(slot.account, [desk.account, seconds === null ? "" : asOf].filter(Boolean).join(" · "));
  mark(slot.account, "data-old", isOld ? "yes" : null);
  mark(root, "data-old", isOld ? "yes" : null);
}

/** @param {Wire.GlobalState} desk */
function drawPips(desk) {
  const length = desk.max_trades_per_day <= PIPS_AT_MOST ? desk.max_trades_per_day : 0;
  const pips = Array.from({ length }, (_, index) => index);
  follow(slot.pips, pips, {
    key: (index) => index,
    make: () => document.createElement("li"),
    fill: (pip, index) => mark(pip, "data-used", index < desk.trades_taken_today ? "yes" : "no"),
  });
}

/** @param {Wire.GlobalState} desk */
function drawDrawdown(desk) {
  if (!hasBalance(desk)) {
    write(slot.drawdown, UNKNOWN);
    mark(slot.fill, "width", 0);
    mark(slot.meter, "aria-label", "Drawdown is not known yet");
    write(slot["drawdown-note"], "Waiting for the first account balance from the bridge");
    return;
  }
  const lost = Math.max(0, -(desk.daily_pnl_pct ?? 0));
  const share = (lost / desk.daily_stop_limit_pct) * 100;
  const used = Math.floor(share + 1e-9); // 99.6 is not yet all of it
  write(slot.drawdown, `${percent(lost)} of ${limitWords(desk.daily_stop_limit_pct)}`);
  mark(slot.fill, "width", Math.min(100, share).toFixed(1));
  mark(slot.meter, "aria-label", `${used} percent of the daily stop is used`);
  write(slot["drawdown-note"], `${used} % of the limit is used`);
}

/**
 * 2.0 %, but 1.25 %: a limit is not rounded.
 *
 * @param {number} limit
 */
function limitWords(limit) {
  const tenths = limit * 10;
  return percent(limit, Math.abs(tenths - Math.round(tenths)) < 1e-6 ? 1 : 2);
}

/**
 * The highest mark that was passed today; the desk remembers it when the loss is won back.
 *
 * @param {Wire.GlobalState} desk
 */
function drawWarning(desk) {
  const passed = desk.daily_stop_triggered ? null : desk.daily_stop_warned_pct;
  mark(root, "data-warned", passed || null);
  show(slot.warned, Boolean(passed));
  write(slot.warned, passed ? (WARNINGS[passed] ?? `${passed} % of today's loss limit has been used`) : "");
}

/** @param {Wire.GlobalState} desk */
function drawMoney(desk) {
  writeMoney(slot.pnl, signedUsd(desk.daily_pnl_usd), moneyTone(desk.daily_pnl_usd));
  writeMoney(slot["pnl-pct"], signedPercent(desk.daily_pnl_pct), moneyTone(desk.daily_pnl_pct));
  const { realized_pnl: realized, open_pnl: open } = hasBalance(desk) ? desk : { realized_pnl: null, open_pnl: null };
  writeMoney(slot.realized, signedUsd(realized), moneyTone(realized));
  writeMoney(slot.open, signedUsd(open), moneyTone(open));
  write(slot.equity, usd(desk.equity));
  write(slot.start, usd(desk.daily_start_equity));
}

/** @param {Wire.GlobalState} desk */
function drawStop(desk) {
  const left = clock.secondsUntil(desk.day_ends_ts);
  const rolls = left === null ? "" : countdown(left);
  mark(slot.stop, "data-triggered", desk.daily_stop_triggered ? "yes" : "no");
  const armed = "";
  const triggered = `DAILY STOP — ${desk.daily_stop_triggered_reason}. No entries for ${rolls}.`;
  write(slot.stop, desk.daily_stop_triggered ? triggered : armed);
}
