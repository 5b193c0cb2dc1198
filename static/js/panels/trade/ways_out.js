// @ts-check

/** Every rule that can end the trade, in the desk's order: whether it is armed, when it fires, where, what locks it. */

import { points, price, signedPoints } from "../../reading/format.js";
import { pointsAway, targetPrice } from "./rail.js";

/** @typedef {{isArmed: boolean, when: string, where: string, lock: string}} Way */
/** @typedef {{opposite: string, locked: string}} Words the colour that ends the trade, and the management lock */

const ALWAYS_ON = { isArmed: true, lock: "" };

/**
 * `{id: {isArmed, when, where, lock}}` of an open trade; `lock` says what cannot be changed and why, else empty.
 * What was switched on less than 60 s ago may be taken back all the same: the desk says so when it is clicked.
 *
 * @param {Wire.GlobalState} desk
 * @param {Wire.AssetState} asset
 * @param {Wire.TradeState} trade
 * @param {import("../../reading/resting_stop.js").StopWords} stop
 * @returns {Record<string, Way>}
 */
export function waysOut(desk, asset, trade, stop) {
  const words = { opposite: trade.side === "BUY" ? "red" : "green", locked: lockOf(asset) };
  return {
    stop: {
      ...ALWAYS_ON,
      isArmed: stop.standing !== "missing",
      when: stop.words,
      where: pointsAway(asset, trade, stop.price, -1),
    },
    daily_stop: {
      ...ALWAYS_ON,
      isArmed: desk.daily_stop_enabled,
      when: `drawdown reaches ${desk.daily_stop_limit_pct} %`,
      where: asset.daily_stop_price === null ? "" : `by the books at ${price(asset.daily_stop_price, asset.tick_size)}`,
    },
    level: { ...ALWAYS_ON, when: "a TradingView level alert", where: "" },
    points_target: pointsTarget(asset, trade, words),
    protect: protect(asset, words),
    four_pt_invalidation: {
      ...brickExit(asset.four_pt_invalidation_enabled, `a ${words.opposite} 4pt brick`),
      lock: asset.four_pt_invalidation_enabled ? keptOn(asset, words.locked) : "",
    },
    signal_target: signalTarget(asset, words),
    main_flip: {
      ...brickExit(asset.main_flip_exit_enabled, `a ${words.opposite} 6pt brick`),
      lock: asset.main_flip_exit_enabled ? flipKeptOn(asset, words.locked) : "",
    },
    high_next_bar: highNextBar(asset, words),
    structure: { ...ALWAYS_ON, when: `a ${words.opposite} 8pt brick`, where: "" },
  };
}

/**
 * The management lock in words: the colour of the 2.5pt brick that holds it; empty while it is open.
 *
 * @param {Wire.AssetState} asset
 */
export function lockOf(asset) {
  if (!asset.two_half_tp_lock_enabled) return "";
  const color = asset.two_half_renko_color;
  return color === "neutral" ? "Locked: no 2.5pt brick yet" : `Locked: 2.5pt is ${color}`;
}

/**
 * Why an exit by a brick stays on (SPEC 6.2); empty while it may be switched off.
 *
 * @param {Wire.AssetState} asset
 * @param {string} locked
 */
export function keptOn({ rithmic_open_points: open }, locked) {
  if (locked) return locked;
  if (open === null) return "Stays on: open points are unknown";
  return open < 0 ? "Stays on while open points are below 0" : "";
}

/**
 * The 6pt flip exit with which an entry in a FREE zone began stays on to its end.
 *
 * @param {Wire.AssetState} asset
 * @param {string} locked
 */
function flipKeptOn(asset, locked) {
  return asset.entry_zone === "FREE" ? "Stays on: the entry in a FREE zone began with it" : keptOn(asset, locked);
}

/**
 * What the management lock leaves of a protection that is on: it may be tightened.
 *
 * @param {boolean} isOn
 * @param {string} locked
 */
function onlyTighter(isOn, locked) {
  return isOn && locked ? `${locked}, only nearer` : "";
}

/**
 * One sentence about the management lock for the head of the list.
 *
 * @param {Wire.AssetState} asset
 * @param {Wire.TradeState} trade
 */
export function managementSentence(asset, trade) {
  const opener = trade.side === "BUY" ? "red" : "green";
  return asset.two_half_tp_lock_enabled
    ? `Management locked until 2.5pt turns ${opener}`
    : `2.5pt is ${opener}: management open`;
}

/**
 * @param {Wire.AssetState} asset
 * @param {Wire.TradeState} trade
 * @param {Words} words
 */
function pointsTarget(asset, trade, { locked }) {
  const at = targetPrice(asset, trade);
  const away = asset.points_tp_enabled && asset.last_price !== null ? `, ${pointsAway(asset, trade, at, 1)}` : "";
  return {
    isArmed: asset.points_tp_enabled,
    when: `at ${price(at, asset.tick_size)}${away}`,
    where: "",
    lock: onlyTighter(asset.points_tp_enabled, locked),
  };
}

/**
 * @param {Wire.AssetState} asset
 * @param {Words} words
 */
function protect(asset, { locked }) {
  const when = `open points ≤ ${points(asset.protect_threshold_points)}`;
  return {
    isArmed: asset.protect_enabled,
    when,
    where: protectIsDue(asset),
    lock: onlyTighter(asset.protect_enabled, locked),
  };
}

/**
 * That protect fires with the next price, or would if it were on; empty when open points are above its threshold.
 *
 * @param {Wire.AssetState} asset
 */
export function protectIsDue({ protect_threshold_points, rithmic_open_points, initial_exit_lock_active }) {
  if (protect_threshold_points === null || rithmic_open_points === null) return "";
  if (rithmic_open_points > protect_threshold_points) return "";
  const forced = initial_exit_lock_active ? ", a forced exit inside the initial lock" : "";
  return `fires at once at ${signedPoints(rithmic_open_points)} pt${forced}`;
}

/**
 * @param {Wire.AssetState} asset
 * @param {Words} words
 */
function signalTarget(asset, { opposite, locked }) {
  const isRefused = !asset.tp_armed && !asset.next_bar_exit_allowed;
  const counted = asset.tp_armed || asset.tp_count > 0 ? `${asset.tp_count} of ` : "";
  return {
    isArmed: asset.tp_armed,
    when: `${counted}${asset.tp_target} ${opposite} 6pt brick${asset.tp_target === 1 ? "" : "s"}`,
    where: "",
    lock: isRefused ? `${locked}, a 6pt brick has come` : "",
  };
}

/**
 * @param {Wire.AssetState} asset
 * @param {Words} words
 */
function highNextBar(asset, { locked }) {
  const isRefused = !asset.high_next_bar_exit_enabled && !asset.high_next_bar_exit_allowed;
  const refused = isRefused ? `${locked}, an 8pt brick has come` : "";
  const lock = asset.high_next_bar_exit_enabled ? keptOn(asset, locked) : refused;
  return { isArmed: asset.high_next_bar_exit_enabled, when: "the next 8pt brick", where: "", lock };
}

/**
 * @param {boolean} isArmed
 * @param {string} when
 */
function brickExit(isArmed, when) {
  return { isArmed, when, where: "", lock: "" };
}
