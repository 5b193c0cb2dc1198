// @ts-check

/** How entries ended without a fill, read from the journal's events. */

const EVENTS_OF_A_ROW = 1000;

/**
 * The asset's last entry or scale-in that was cancelled before anything filled; null when there is none.
 *
 * @param {Page.Event[]} events oldest first
 * @param {string} symbol
 */
export function lastCancelled(events, symbol) {
  const isOne = (/** @type {Page.Event} */ { type, asset, data }) =>
    type === "OrderEnded" && asset === symbol && data.status === "CANCELLED" && data.kind !== "EXIT";
  return events.filter((event) => isOne(event) && event.data.filled_qty === 0).at(-1) ?? null;
}

/**
 * Say what became of a cancelled order and why.
 *
 * @param {Page.Event} ended
 * @param {Page.Event[]} events
 * @param {Page.Sizes} sizes
 */
export function cancelledSentence(ended, events, sizes) {
  const { kind, order } = ended.data;
  const what = `${kind.replace("_", "-")} ${order.side} ${order.qty} ${order.contract} CANCELLED, nothing was filled`;
  return `${what} — ${causeOf(ended, events, sizes) || "no reason was given"}`;
}

/**
 * Why an order was cancelled: what happened before it in the same row of the journal, else the reason on record.
 *
 * @param {Page.Event} ended
 * @param {Page.Event[]} events
 * @param {Page.Sizes} sizes
 * @returns {string}
 */
function causeOf(ended, events, sizes) {
  const before = events.filter((event) => rowOf(event) === rowOf(ended) && event.id < ended.id);
  const brick = before.find(({ type, asset }) => type === "BrickApplied" && asset === ended.asset);
  if (brick) return `with the ${sizes[brick.data.stream]}pt brick that closed ${brick.data.color}`;
  if (before.some(({ type }) => type === "DailyStopTriggered")) return "with the daily stop";
  if (ended.data.reason) return ended.data.reason;
  const isReported = before.some(({ type, data }) => type === "OrderReported" && data.order_id === ended.data.order_id);
  return isReported ? "after the bridge had claimed it" : "";
}

/** @param {Page.Event} event */
function rowOf({ id }) {
  return Math.floor(id / EVENTS_OF_A_ROW);
}
