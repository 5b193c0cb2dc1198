// @ts-check

/** How well the desk hears the bridge, by the gate's own limit. What the page itself has missed is no silence of the bridge. */

const MAX_AGE_SECONDS = 30;

/**
 * Whether the bridge was never heard, or not within the limit of the bridge's gate.
 *
 * @param {Wire.StateDocument} state
 * @param {number} asOf the desk's time (epoch ms) of what the page shows
 */
export function isSilent({ global: desk, assets }, asOf) {
  return isOld(desk, asOf) || Object.values(assets).some(isRefused);
}

/**
 * @param {Wire.GlobalState} desk
 * @param {number} asOf
 */
function isOld({ rithmic_last_ts: heardAt, limits }, asOf) {
  const limit = limits?.bridge_max_age_seconds ?? MAX_AGE_SECONDS;
  return !heardAt || asOf - Date.parse(heardAt) >= limit * 1000;
}

/**
 * The gate asks for heartbeats, the time of day above for anything that was heard.
 *
 * @param {Wire.AssetState} asset
 */
function isRefused(asset) {
  return asset.ladder.find((rung) => rung.gate === "bridge" && rung.state === "closed")?.code === "bridge_silent";
}
