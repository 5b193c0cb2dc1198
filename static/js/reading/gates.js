// @ts-check

/** Reading the ladder: what the first closed gate is called, what it says, and until when. */

import * as clock from "../desk/clock.js";
import * as store from "../desk/store.js";
import { aroundTimeLeft, countsDown, timeless } from "./explained.js";
import { feedFact } from "./feed.js";
import { age, countdown, usd, wholeNumber } from "./format.js";

/** Why the whole desk accepts nothing now, in two words; empty while it does. */
export function deskInTheWay() {
  const desk = store.current().global;
  if (desk.store !== "up") return "STORE DOWN";
  return desk.role === "writer" ? "" : "STANDBY";
}

/**
 * The gate that refuses an entry now, or null.
 *
 * @param {Wire.AssetState} asset
 */
export function firstClosed(asset) {
  return asset.ladder.find((rung) => rung.state === "closed") ?? null;
}

/**
 * The first closed gate but for the one that an override skips.
 *
 * @param {Wire.AssetState} asset
 */
export function firstClosedButZone(asset) {
  return asset.ladder.find((rung) => rung.state === "closed" && rung.gate !== "zone") ?? null;
}

/**
 * The closed gates that bind an act; what waits for a brick needs less of the ladder, a scale-in less again (SPEC 4).
 *
 * @param {Wire.AssetState} asset
 * @param {Wire.Rung["binds"][number]} act
 */
export function closedFor(asset, act) {
  return asset.ladder.filter((rung) => rung.state === "closed" && rung.binds.includes(act));
}

/**
 * The first closed gate that binds an act, or null.
 *
 * @param {Wire.AssetState} asset
 * @param {Wire.Rung["binds"][number]} act
 */
export function firstClosedFor(asset, act) {
  return closedFor(asset, act)[0] ?? null;
}

/**
 * What a closed gate is called in a few words, a lock by its own name: 5 MIN LOCK.
 *
 * @param {Wire.Rung} rung
 */
export function shortName({ title, facts }) {
  return String(facts.lock ?? title ?? "");
}

/**
 * The headline of a closed gate: 5 MIN LOCK 04:23.
 *
 * @param {Wire.Rung} rung
 */
export function headline(rung) {
  const left = timeLeft(rung);
  return left === null ? shortName(rung) : `${shortName(rung)} ${left}`;
}

/**
 * Time until the gate opens by itself, null when an event opens it.
 *
 * @param {Wire.Rung} rung
 */
export function timeLeft(rung) {
  const seconds = clock.secondsUntil(rung.reopens_at);
  return seconds === null ? null : countdown(seconds);
}

/**
 * The gate's sentence with its countdown still running.
 *
 * @param {Wire.Rung} rung
 */
export function liveSentence(rung) {
  const left = timeLeft(rung);
  return left !== null && countsDown(rung) ? aroundTimeLeft(rung).join(left) : sentenceOf(rung);
}

/**
 * The sentence without its countdown, for where that stands beside it.
 *
 * @param {Wire.Rung} rung
 */
export function timelessSentence(rung) {
  return countsDown(rung) ? timeless(rung) : sentenceOf(rung);
}

/**
 * What a closed gate says; an open one says nothing.
 *
 * @param {Wire.Rung} rung
 */
function sentenceOf({ sentence }) {
  return sentence ?? "";
}

/**
 * What opens the gate, for those that no clock opens.
 *
 * @param {Wire.Rung} rung
 */
export function opener(rung) {
  if (rung.state === "open") return "";
  return timeLeft(rung) ?? (rung.reopens ? `until ${rung.reopens}` : "");
}

/**
 * What is known behind an open gate.
 *
 * @param {string} gate
 * @param {Wire.GlobalState} desk
 * @param {Wire.AssetState} asset
 */
export function openFact(gate, desk, asset) {
  /** @type {Record<string, () => string>} */
  const facts = {
    daily_stop: () => `limit ${desk.daily_stop_limit_pct} %`,
    trade_limit: () => `${wholeNumber(desk.trades_remaining_today)} of ${wholeNumber(desk.max_trades_per_day)} left`,
    heartbeat: () => `heard ${age(clock.secondsSince(asset.last_heartbeat_ts))} ago`,
    zone: () =>
      asset.zone_type === "NORMAL" ? `${asset.zone_type} ${asset.zone_direction}` : `${asset.zone_type}: you choose`,
    two_half_filter: () => (desk.limits?.two_half_filter ? "" : "switched off"),
    risk: () => `${usd(desk.risk.left_usd)} left today, ${usd(desk.risk.open_risk_usd)} at risk`,
    feed: () => feedFact(asset.feed, clock.now()),
    bridge: () => (desk.env === "DEMO" ? "not needed in DEMO" : ""),
  };
  return facts[gate]?.() ?? "";
}

/**
 * The next instant (epoch ms) at which the document changes by time alone, so that the page asks again.
 * Null when nothing runs out.
 *
 * @param {Wire.StateDocument} document
 * @param {Wire.AssetState} asset
 */
export function nextMoment(document, asset) {
  const { rithmic_last_ts: bridgeAt, limits, env } = document.global;
  const instants = asset.ladder
    .filter((rung) => rung.state === "closed")
    .map((rung) => Date.parse(rung.reopens_at ?? ""));
  if (asset.last_heartbeat_ts && limits) {
    instants.push(Date.parse(asset.last_heartbeat_ts) + limits.heartbeat_max_age_seconds * 1000);
  }
  if (asset.proposal) instants.push(Date.parse(asset.proposal.valid_until));
  if (env === "LIVE" && bridgeAt && limits) instants.push(Date.parse(bridgeAt) + limits.bridge_max_age_seconds * 1000);
  const toCome = instants.filter((instant) => instant > Date.parse(document.now));
  return toCome.length > 0 ? Math.min(...toCome) : null;
}
