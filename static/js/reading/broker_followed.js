// @ts-check

/** Where the desk followed the broker's position, read from the journal's events. */

/**
 * @typedef {object} Following
 * @property {string} at when
 * @property {number} broker the position that the broker held, short is negative
 * @property {number | null} desk the position that the desk held before, null when that is not known
 */

/**
 * The times at which the open trade took its quantity from the broker, newest first.
 *
 * @param {Page.Event[]} events oldest first
 * @param {Wire.AssetState} asset
 * @returns {Following[]}
 */
export function followings(events, { symbol, trade }) {
  if (trade === null) return [];
  const own = events.filter(({ asset }) => asset === symbol);
  return own
    .filter((event) => isFollowing(event) && Date.parse(event.ts) >= Date.parse(trade.opened_at))
    .map((event) => followingOf(event, own, trade.side))
    .reverse();
}

/** @param {Page.Event} event */
function isFollowing({ type, data }) {
  return type === "TradeResized" || (type === "TradeOpened" && data.adopted === true);
}

/**
 * @param {Page.Event} event
 * @param {Page.Event[]} own
 * @param {string} side
 * @returns {Following}
 */
function followingOf({ id, ts, data }, own, side) {
  const disagreed = own.filter((event) => event.type === "PositionDisagreed" && event.id < id).at(-1);
  const held = (data.quantity ?? data.qty) * (side === "SELL" ? -1 : 1);
  return { at: ts, broker: held, desk: disagreed?.data.desk_position ?? null };
}
