// @ts-check

/** How well the desk hears the bridge, by the gate's own limit. What the page itself has missed is no silence of the bridge. */

import * as stream from "../desk/stream.js";
import { firstClosedOf } from "./gates.js";

const MAX_AGE_SECONDS = 30;

/**
 * Whether the bridge was never heard, or not within the limit of the bridge's gate.
 *
 * @param {Wire.StateDocument} state
 */
export function isSilent({ global: desk, assets }) {
  return isOld(desk) || Object.values(assets).some(isRefused);
}

/** @param {Wire.GlobalState} desk */
function isOld({ rithmic_last_ts: heardAt, limits }) {
  const limit = limits?.bridge_max_age_seconds ?? MAX_AGE_SECONDS;
  return !heardAt || stream.asOf() - Date.parse(heardAt) >= limit * 1000;
}

/**
 * The gate asks for heartbeats, the time of day above for anything that was heard.
 *
 * @param {Wire.AssetState} asset
 */
function isRefused(asset) {
  return firstClosedOf(asset, ["bridge"])?.code === "bridge_silent";
}
