// @ts-check

/** The one alert on the set-up page: the unit to enter, and the checklist that its messages tick off. */

import * as clock from "../../desk/clock.js";
import * as store from "../../desk/store.js";
import * as stream from "../../desk/stream.js";
import { agreement, arrival, base, builderWords, heardOf, offset, sizes, wholeness } from "../../reading/one_alert.js";
import { byId, mark, one, write } from "../../ui/dom.js";

/**
 * Draw the checklist of an asset. Without the desk nobody knows what was received since.
 *
 * @param {Page.State} state
 * @param {HTMLSelectElement} chosen
 */
export function draw(state, chosen) {
  const asset = state.assets[chosen.value];
  const { unit, builtBy } = chosen.selectedOptions[0]?.dataset ?? {};
  say("unit", unit ?? "");
  say("unit-setting", `POINT_UNIT_${chosen.value}`);
  const [who, more] = builderWords(builtBy);
  say("built-by", who);
  say("built-by-more", more);
  say("built-by-setting", `BRICKS_${chosen.value}`);
  const heard = heardOf(store.logOf("tradingview"), chosen.value);
  const { line } = heard;
  drawCheck("heard", arrival(heard, asset?.last_heartbeat_ts ?? null, clock.now()));
  drawCheck("sizes", sizes(line, colorsOf(asset)));
  drawCheck("clock", offset(line));
  drawCheck("base", base(line));
  drawCheck("colors", agreement(line));
  drawCheck("feed", wholeness(asset?.feed, clock.now()));
}

/**
 * @param {string} slot
 * @param {string} words
 */
function say(slot, words) {
  write(one(byId("tradingview"), `[data-slot="${slot}"]`), words);
}

/**
 * The desk's colour of each size.
 *
 * @param {Wire.AssetState | undefined} asset
 */
function colorsOf(asset) {
  /** @type {Page.Sizes} */
  const names = JSON.parse(byId("checks").dataset.sizes ?? "{}");
  /** @type {Record<string, string>} */
  const colors = {};
  for (const [name, size] of Object.entries(names)) {
    colors[size] = asset?.[/** @type {`${Page.StreamName}_color`} */ (`${name}_color`)] ?? "neutral";
  }
  return colors;
}

/**
 * Said in words; the mark beside it only repeats them.
 *
 * @param {string} name
 * @param {import("../../reading/one_alert.js").Check} check
 */
function drawCheck(name, check) {
  const row = one(byId("checks"), `[data-check="${name}"]`);
  const isLost = stream.lostSince() !== null;
  mark(row, "data-mark", isLost ? "unknown" : check.mark);
  write(one(row, '[data-slot="words"]'), `${check.words}${isLost ? ", as far as is known" : ""}`);
}
