// @ts-check

/** An order that may become a position any moment: flat is not out of danger while there is one. */

/**
 * Whether an entry can still be taken back: no bridge has claimed it, so an exit cancels it (SPEC 7.2).
 *
 * @param {Wire.AssetState} asset
 */
export function isUnclaimedEntry(asset) {
  return asset.position === 0 && asset.pending_kind === "ENTRY" && asset.pending_status === "PENDING";
}

/**
 * Whether an entry is beyond recall: the desk treats it as a trade under its initial exit lock already.
 *
 * @param {Wire.AssetState} asset
 */
export function isClaimedEntry(asset) {
  return asset.position === 0 && asset.pending_kind === "ENTRY" && asset.pending_status !== "PENDING";
}

/**
 * "BUY 5 on its way", once a bridge has it "BUY 5 at the broker"; empty when nothing is.
 *
 * @param {Wire.AssetState} asset
 */
export function orderUnderWay(asset) {
  if (!asset.pending_order_id) return "";
  const where = asset.pending_status === "PENDING" ? "on its way" : "at the broker";
  return `${asset.pending_side} ${asset.pending_qty} ${where}`;
}
