// @ts-check

/** What an order would lose at its stop, what of it fits, and how much is left of the day. */

import { points, price, UNKNOWN, wholeNumber } from "./format.js";

const hundredths = new Intl.NumberFormat("en-US", { minimumFractionDigits: 2, maximumFractionDigits: 2 });
/** @type {Record<string, string>} */
const LEFT_TITLES = { day: "Today", week: "This week", firm: "Firm's rules" };
/** @type {Record<string, string>} */
const LEFT_BY = { day: "today", week: "this week", firm: "by the firm's rules" };

/**
 * The asset with the ladder of an entry of that size: the document's own is that of the usual one. While a position is
 * held the gate is about its scale-in, and stays so.
 *
 * @param {Wire.AssetState} asset
 * @param {string | null} size
 * @returns {Wire.AssetState}
 */
export function sized(asset, size) {
  const ofSize = orderOf(asset, size);
  if (ofSize === null || asset.trade !== null) return asset;
  return { ...asset, ladder: asset.ladder.map((rung) => (rung.gate === "risk" ? ofSize.gate : rung)) };
}

/**
 * What an entry of that size risks; null for a size that the desk does not tell of.
 *
 * @param {Wire.AssetState} asset
 * @param {string | null} size
 */
export function orderOf(asset, size) {
  return asset.risk.sizes[size ?? ""] ?? null;
}

/**
 * Stop, risk and share, as they stand on the button: stop 15.00 · risk 375 USD · 37 % of what is left today.
 *
 * @param {Wire.AssetState} asset
 * @param {Wire.OrderRisk | null} order
 * @param {Wire.GlobalState} desk
 */
export function riskWords(asset, order, desk) {
  if (order === null) return "";
  return [stopWords(asset, order), `risk ${dollars(order.risk_usd)} USD`, shareWords(order, desk)].join(" · ");
}

/**
 * @param {Wire.AssetState} asset
 * @param {Wire.OrderRisk} order
 */
function stopWords({ tick_size: tick, point_size: point }, { stop }) {
  const inPoints = point === 1 ? "" : ` (${points(stop.points)} pt)`;
  return `stop ${price(stop.price, tick)}${inPoints}`;
}

/**
 * @param {Wire.OrderRisk} order
 * @param {Wire.GlobalState} desk
 */
function shareWords({ share_of_left_pct: share }, { risk }) {
  if (risk.left_usd === null) return "what is left is not known";
  if (share === null) return `nothing is left ${LEFT_BY[risk.left_by] ?? ""}`.trim();
  const percent = share < 1 ? "under 1 %" : `${wholeNumber(Math.floor(share))} %`;
  return `${percent} of what is left ${LEFT_BY[risk.left_by] ?? ""}`.trim();
}

/**
 * The largest size that fits and what it risks, when it is the one thing that keeps the order out; else null.
 *
 * @param {Wire.AssetState} asset with the ladder of that size
 * @param {Wire.OrderRisk | null} order
 */
export function largestThatFits(asset, order) {
  if (order === null || order.fits === 0 || order.fits >= order.quantity) return null;
  const closed = asset.ladder.filter((rung) => rung.state === "closed");
  if (closed.length !== 1 || closed[0].gate !== "risk") return null;
  return { quantity: order.fits, usd: (order.risk_usd / order.quantity) * order.fits };
}

/**
 * Whose dollars are the fewest: the day's, the week's or the firm's.
 *
 * @param {Wire.DeskRisk} risk
 */
export function leftTitle({ left_by: by }) {
  return LEFT_TITLES[by] ?? "Today";
}

/**
 * The dollars as shares of a whole, for a meter: lost, at risk, and left for more. What was lost of the day is shown
 * only where the day is what leaves the least: of the week's and the firm's limits the desk tells only what is left.
 *
 * @param {Wire.DeskRisk} risk
 */
export function dayShares({ limit_usd: limit, left_usd: left, left_by: by, open_risk_usd: open }) {
  if (limit === null || left === null) return null;
  if (left <= 0) return { lost: 100, atRisk: 0 };
  const whole = by === "day" ? Math.max(limit, left) : left;
  const lost = Math.max(0, whole - left);
  const share = (/** @type {number} */ usd) => Math.min(100, Math.max(0, (usd / whole) * 100));
  const lostShare = share(lost);
  return { lost: lostShare, atRisk: Math.min(100 - lostShare, share(open)) };
}

/**
 * The same in words.
 *
 * @param {Wire.DeskRisk} risk
 */
export function dayWords({ limit_usd: limit, left_usd: left, left_by: by, open_risk_usd: open }) {
  if (limit === null || left === null) return `${UNKNOWN}, no balance is known yet`;
  const whole = by === "day" ? ` of ${dollars(limit)}` : "";
  const atRisk = open > 0 ? `, ${dollars(open)} of it at risk` : "";
  return `${dollars(Math.max(0, left))}${whole} USD left${atRisk}`;
}

/**
 * Contracts held and working, and the caps that are set; empty when there is neither.
 *
 * @param {Wire.DeskRisk} risk
 * @param {Wire.AssetState} asset
 */
export function contractWords(risk, { symbol, risk: own }) {
  const words = [];
  if (risk.contracts > 0 || risk.max_contracts !== null)
    words.push(counted(risk.contracts, risk.max_contracts, "full-size"));
  if (risk.max_correlated !== null) words.push(counted(risk.correlated, risk.max_correlated, "in indices"));
  if (own.max_contracts !== null) words.push(counted(own.contracts, own.max_contracts, symbol));
  return words.join(" · ");
}

/**
 * @param {number} count
 * @param {number | null} most
 * @param {string} what
 */
function counted(count, most, what) {
  return `${points(count)}${most === null ? "" : ` of ${points(most)}`} ${what}`;
}

/**
 * The tightest of the caps that are set, as a share of it; null when none is.
 *
 * @param {Wire.DeskRisk} risk
 * @param {Wire.AssetState} asset
 */
export function contractShare(risk, { risk: own }) {
  /** @type {[number, number | null][]} */
  const caps = [
    [risk.contracts, risk.max_contracts],
    [risk.correlated, risk.max_correlated],
    [own.contracts, own.max_contracts],
  ];
  const shares = caps.flatMap(([count, most]) => (most === null ? [] : [most > 0 ? (count / most) * 100 : 100]));
  return shares.length > 0 ? Math.min(100, Math.max(...shares)) : null;
}

/**
 * An amount without its currency: 375, but 381.20.
 *
 * @param {number} usd
 */
export function dollars(usd) {
  return Number.isInteger(usd) ? wholeNumber(usd) : hundredths.format(usd);
}
