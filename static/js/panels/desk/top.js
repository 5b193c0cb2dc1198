// @ts-check

/** The header: how well the desk hears, and which trading day it is. */

import { post } from "../../desk/api.js";
import * as clock from "../../desk/clock.js";
import * as session from "../../desk/session.js";
import * as stream from "../../desk/stream.js";
import * as bridge from "../../reading/bridge.js";
import { age, clockTime, countdown, tradingDay } from "../../reading/format.js";
import { byId, mark, show, slots, write } from "../../ui/dom.js";

const root = byId("top");
const slot = slots(root);

slot.logout.addEventListener("click", async () => {
  await post("/api/logout", {});
  session.end();
  session.goToLogin();
});

/**
 * @param {Page.State} state
 * @param {string} symbol
 */
export function draw(state, symbol) {
  const { global: desk, assets } = state;
  show(slot.simulated, desk.simulated);
  drawConnection("tradingview", ...tradingView(desk, assets[symbol]));
  drawConnection("bridge", ...bridgeWords(state));
  drawConnection("store", desk.store === "up", desk.store);
  drawConnection("stream", !stream.isSilent(), `${Math.floor(stream.ageMs() / 1000)} s`);
  drawDay(desk);
}

/**
 * @param {string} name
 * @param {boolean} isUp
 * @param {string} words
 */
function drawConnection(name, isUp, words) {
  mark(slot[name].closest("li"), "data-up", isUp ? "yes" : "no");
  write(slot[name], words);
}

/**
 * @param {Wire.GlobalState} desk
 * @param {Wire.AssetState} asset
 * @returns {[isUp: boolean, words: string]}
 */
function tradingView(desk, asset) {
  const seconds = clock.secondsSince(asset.last_heartbeat_ts);
  if (seconds === null) return [false, "never heard"];
  const isFresh = seconds <= (desk.limits?.heartbeat_max_age_seconds ?? 600);
  return [isFresh, isFresh ? age(seconds) : `silent ${age(seconds)}`];
}

/**
 * @param {Page.State} state
 * @returns {[isUp: boolean, words: string]}
 */
function bridgeWords(state) {
  const desk = state.global;
  const seconds = clock.secondsSince(desk.rithmic_last_ts);
  if (seconds === null) return [false, "never heard"];
  if (bridge.isSilent(state, stream.asOf())) return [false, `silent ${age(seconds)}`];
  return desk.ts_connected ? [true, age(seconds)] : [false, `${age(seconds)}, broker offline`];
}

/** @param {Wire.GlobalState} desk */
function drawDay(desk) {
  write(slot.clock, clockTime(clock.now()));
  write(slot.day, tradingDay(desk.trading_day));
  const left = clock.secondsUntil(desk.day_ends_ts);
  write(slot["day-left"], left === null ? "" : `rolls in ${countdown(left)}`);
}
