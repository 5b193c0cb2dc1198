// @ts-check

import assert from "node:assert/strict";
import { test } from "node:test";
import "../browser.js";
import { asset, desk } from "../documents.js";

const { waysOut } = await import("../../../static/js/panels/trade/ways_out.js");
const STOP = { price: 5235, standing: /** @type {const} */ ("planned"), words: "" };
const TRADE = /** @type {Wire.TradeState} */ ({ side: "BUY", entry_price: 5250 });

/** @param {Partial<Wire.AssetState>} more */
function locks(more) {
  const managed = asset({ two_half_renko_color: "red", rithmic_open_points: 1, entry_zone: "NORMAL", ...more });
  const ways = waysOut(desk(), managed, TRADE, /** @type {any} */ (STOP));
  return Object.fromEntries(Object.entries(ways).map(([way, { lock }]) => [way, lock]));
}

const LOCKED = { two_half_tp_lock_enabled: true, two_half_renko_color: /** @type {const} */ ("green") };

test("the management lock leaves a protection that is on to be tightened, and one that is off to be switched on", () => {
  const on = locks({ ...LOCKED, protect_enabled: true, points_tp_enabled: true });
  assert.equal(on.protect, "Locked: 2.5pt is green, only nearer");
  assert.equal(on.points_target, "Locked: 2.5pt is green, only nearer");
  const off = locks(LOCKED);
  assert.deepEqual([off.protect, off.points_target, off.main_flip], ["", "", ""]);
});

test("an exit by a brick that is on says why it stays on", () => {
  const on = { four_pt_invalidation_enabled: true, main_flip_exit_enabled: true, high_next_bar_exit_enabled: true };
  const each = (/** @type {Partial<Wire.AssetState>} */ more) => {
    const { four_pt_invalidation: four, main_flip: flip, high_next_bar: high } = locks({ ...on, ...more });
    return [four, flip, high];
  };
  assert.deepEqual(each({}), ["", "", ""]);
  assert.deepEqual(each(LOCKED), Array(3).fill("Locked: 2.5pt is green"));
  assert.deepEqual(each({ rithmic_open_points: null }), Array(3).fill("Stays on: open points are unknown"));
  assert.deepEqual(each({ rithmic_open_points: -0.25 }), Array(3).fill("Stays on while open points are below 0"));
  assert.deepEqual(each({ entry_zone: "FREE" }), ["", "Stays on: the entry in a FREE zone began with it", ""]);
});

test("the daily stop tells its limit, and the price at which the books reach it where one is known", () => {
  const dailyStop = (/** @type {number | null} */ at) => {
    const held = asset({ daily_stop_price: at, tick_size: 0.25 });
    return waysOut(desk({ daily_stop_limit_pct: 2 }), held, TRADE, /** @type {any} */ (STOP)).daily_stop;
  };
  assert.deepEqual(dailyStop(5117), {
    isArmed: true,
    when: "drawdown reaches 2 %",
    where: "by the books at 5,117.00",
    lock: "",
  });
  assert.equal(dailyStop(null).where, "");
});
