// @ts-check

/** Price, the six bricks, what they say together (zone), and the tempo token. */

import * as clock from "../../desk/clock.js";
import * as store from "../../desk/store.js";
import * as stream from "../../desk/stream.js";
import { age, clockTime, price, UNKNOWN } from "../../reading/format.js";
import { all, byId, mark, slots, write } from "../../ui/dom.js";

const root = byId("stack");
const slot = slots(root);
const bricks = all(root, "[data-stream]");
const SIGNS = { green: "▲ G", red: "▼ R", neutral: "·" };
const LETTERS = { green: "G", red: "R", neutral: "6" };
const WORDS = { green: "green", red: "red", neutral: "nothing received yet" };

/**
 * @param {Page.State} state
 * @param {string} symbol
 */
export function draw({ assets }, symbol) {
  const asset = assets[symbol];
  drawPrice(asset);
  for (const brick of bricks) drawBrick(brick, asset);
  drawZone(asset);
  drawToken(asset);
}

/** @param {Wire.AssetState} asset */
function drawPrice(asset) {
  const last = store.priceOf(asset.symbol);
  const seconds = clock.secondsSince(last.at);
  write(slot.symbol, asset.symbol);
  write(slot.contract, `${asset.contract} ${asset.exchange ?? ""}`.trim());
  write(slot.price, price(last.price, asset.tick_size));
  const source = asset.simulated ? " · simulated" : "";
  const doubted = asset.suspect_price === null ? "" : ` · ${price(asset.suspect_price, asset.tick_size)} not believed`;
  const heard = seconds === null ? "Waiting for the first price" : `${age(seconds)} ago${source}`;
  write(slot["price-age"], heard + doubted);
}

/**
 * @param {HTMLElement} brick
 * @param {Wire.AssetState} asset
 */
function drawBrick(brick, asset) {
  const name = nameOf(brick);
  const color = asset[`${name}_color`];
  const seconds = clock.secondsSince(asset[`${name}_ts`]);
  const isStale = asset[`${name}_stale`];
  mark(brick, "data-color", color);
  const doubt = doubtOf(asset, brick);
  mark(brick, "data-old", isStale);
  mark(brick, "data-chain", doubt);
  const said = [WORDS[color], isStale ? "stale" : "", doubt ?? ""].filter(Boolean);
  mark(slot[name], "aria-label", said.join(", "));
  mark(slot[name], "role", "img");
  write(slot[name], SIGNS[color]);
  write(slot[`${name}_age`], seconds === null ? "waiting" : isStale ? `stale ${age(seconds)}` : age(seconds));
  write(slot[`${name}_doubt`], doubt ?? "");
}

/**
 * In a word why a size cannot be relied on, null when it can: the panel below says more.
 *
 * @param {Wire.AssetState} asset
 * @param {HTMLElement} brick
 */
function doubtOf({ feed }, brick) {
  const state = feed.streams.find(({ size }) => String(size) === brick.dataset.size)?.state;
  if (state === "gapped") return "gap";
  return state === "unsettled" ? "unsure" : null;
}

/**
 * The part of its fields in the state document that names a brick.
 *
 * @param {HTMLElement} brick
 */
function nameOf(brick) {
  return /** @type {Page.StreamName} */ (brick.dataset.stream);
}

/** @param {Wire.AssetState} asset */
function drawZone(asset) {
  mark(slot["zone-box"], "data-zone", asset.zone_type);
  const [value, note] = zoneWords(asset);
  write(slot.zone, value);
  write(slot["zone-note"], note);
}

/** @param {Wire.AssetState} asset */
function zoneWords(asset) {
  if (asset.zone_type === "NORMAL") {
    const arrow = asset.zone_direction === "BUY" ? "▲" : "▼";
    return [`NORMAL ${arrow} ${asset.zone_direction}`, "8pt and 12pt agree"];
  }
  if (asset.zone_type === "FREE") return ["FREE", "8pt and 12pt disagree: you choose"];
  const missing = structure((name) => asset[`${name}_color`] === "neutral");
  if (missing !== "") return ["NONE", `Waiting for the first ${missing}`];
  return ["NONE", `Waiting for the next ${structure((name) => asset[`${name}_stale`])}: stale`];
}

/**
 * Which bricks of the structure are so, in words; empty when none is.
 *
 * @param {(name: Page.StreamName) => boolean} isSo
 */
function structure(isSo) {
  const found = bricks.filter((brick) => brick.dataset.group === "structure" && isSo(nameOf(brick)));
  const sizes = found.map((brick) => `${brick.dataset.size}pt`);
  return sizes.length === 0 ? "" : `${sizes.join(" and ")} ${sizes.length === 1 ? "brick" : "bricks"}`;
}

/** @param {Wire.AssetState} asset */
function drawToken(asset) {
  const hasSeenBrick = asset.main_renko_ts !== null;
  mark(slot["tempo-box"], "data-ready", asset.tempo_ready ? "yes" : "no");
  mark(slot["tempo-box"], "data-color", asset.tempo_ready ? asset.tempo_color : "neutral");
  write(slot["tempo-letter"], tokenLetter(asset));
  write(slot.tempo, tokenWord(asset, hasSeenBrick));
  write(slot["tempo-note"], tokenNote(asset, hasSeenBrick));
}

/** @param {Wire.AssetState} asset */
function tokenLetter(asset) {
  if (!asset.tempo_ready) return UNKNOWN;
  return LETTERS[asset.tempo_color];
}

/**
 * @param {Wire.AssetState} asset
 * @param {boolean} hasSeenBrick
 */
function tokenWord(asset, hasSeenBrick) {
  if (asset.tempo_ready) return "READY";
  return hasSeenBrick ? "SPENT" : "NONE";
}

/**
 * @param {Wire.AssetState} asset
 * @param {boolean} hasSeenBrick
 */
function tokenNote(asset, hasSeenBrick) {
  if (stream.isSilent()) return `as of ${clockTime(stream.asOf())}`;
  if (asset.tempo_ready) return `armed ${age(clock.secondsSince(asset.main_renko_ts))} ago`;
  return hasSeenBrick ? "next 6pt brick re-arms" : "Waiting for the first 6pt brick";
}
