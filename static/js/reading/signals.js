// @ts-check

/**
 * What happened between two documents that is worth a tone: a pure function of both.
 *
 * A signal is `{kind, id, title, body}`. It never carries the only copy of a fact: each is a line, a panel or a banner
 * of the page, too. `id` is the happening's own, the same on every page of the browser.
 */

import { averagePrice, signedPoints, signedUsd } from "./format.js";

/**
 * Every kind, the gravest first: that is the order in which they sound.
 *
 * @type {Record<string, {group: string}>}
 */
export const KINDS = {
  daily_stop: { group: "day" },
  critical: { group: "alerts" },
  lost: { group: "stream" },
  taken_out: { group: "rules" },
  exit_filled: { group: "fills" },
  entry_filled: { group: "fills" },
  drawdown: { group: "day" },
  warning: { group: "alerts" },
  back: { group: "stream" },
  may_enter: { group: "open" },
};
/**
 * What can be switched off apart, with the kind that stands for it when it is tried.
 *
 * @type {Record<string, {words: string, example: string}>}
 */
export const GROUPS = {
  fills: { words: "An order of mine filled: in, or out by my hand", example: "entry_filled" },
  rules: { words: "A rule took the trade out", example: "taken_out" },
  day: { words: "Daily stop, or 50, 70, 85 % of it used", example: "daily_stop" },
  alerts: { words: "A new warning or critical alert", example: "critical" },
  stream: { words: "The stream was lost for 5 s, or is back", example: "lost" },
  open: { words: "The last gate opened: an entry may be made", example: "may_enter" },
};
const ASKED_BY_HAND = ["manual", "exit_all"];
const TOLD_BY_THEIR_KIND = ["daily_stop", "daily_warning"];
const ORDER = Object.keys(KINDS);

/**
 * What the later document tells that the earlier did not, the gravest first.
 *
 * @param {Wire.StateDocument} before
 * @param {Wire.StateDocument} after
 * @returns {Page.Signal[]}
 */
export function signalsOf(before, after) {
  const ofAssets = Object.values(after.assets).flatMap((asset) => ofAsset(before.assets[asset.symbol], asset));
  const found = [
    ...ofDay(before.global, after.global),
    ...ofAlerts(before, after),
    ...ofClosed(before, after),
    ...ofAssets,
  ];
  const env = `[${after.global.env}] `;
  const named = found.map((signal) => ({ ...signal, title: env + signal.title }));
  return named.sort((one, other) => ORDER.indexOf(one.kind) - ORDER.indexOf(other.kind));
}

/**
 * @param {Wire.GlobalState} before
 * @param {Wire.GlobalState} after
 */
function ofDay(before, after) {
  const signals = [];
  if (after.daily_stop_triggered && !before.daily_stop_triggered) {
    const body = after.daily_stop_triggered_reason ?? "No entries until the trading day rolls.";
    signals.push({ kind: "daily_stop", id: `stop ${after.trading_day}`, title: "DAILY STOP", body });
  }
  const isNewMark = (after.daily_stop_warned_pct ?? 0) > (before.daily_stop_warned_pct ?? 0);
  if (isNewMark && !after.daily_stop_triggered) {
    const title = `${after.daily_stop_warned_pct} % of the daily stop is used`;
    const body = `The limit is ${after.daily_stop_limit_pct} % of the day's start.`;
    signals.push({ kind: "drawdown", id: `mark ${after.trading_day} ${after.daily_stop_warned_pct}`, title, body });
  }
  return signals;
}

/**
 * @param {Wire.StateDocument} before
 * @param {Wire.StateDocument} after
 */
function ofAlerts(before, after) {
  const known = new Set(before.alerts.map(alertId));
  /** @param {Wire.AlertRow} alert */
  const isNews = (alert) =>
    alert.level in KINDS && !TOLD_BY_THEIR_KIND.includes(alert.code) && !known.has(alertId(alert));
  return after.alerts.filter(isNews).map((alert) => {
    const title = alert.asset ? `${alert.level}: ${alert.asset}` : alert.level;
    return { kind: alert.level, id: alertId(alert), title, body: alert.sentence };
  });
}

/** @param {Wire.AlertRow} alert */
const alertId = ({ at, code, asset }) => `${at} ${code} ${asset ?? ""}`;

/**
 * @param {Wire.StateDocument} before
 * @param {Wire.StateDocument} after
 */
function ofClosed(before, after) {
  const known = new Set(before.history.map((trade) => trade.id));
  return after.history.filter((trade) => !known.has(trade.id)).map(closed);
}

/** @param {Wire.TradeRow} trade */
function closed(trade) {
  const kind = ASKED_BY_HAND.includes(trade.reason) ? "exit_filled" : "taken_out";
  const by =
    kind === "exit_filled" ? "by your hand" : `taken out by ${trade.reason.toLowerCase().replaceAll("_", " ")}`;
  const title = `${trade.asset} closed ${signedUsd(trade.pnl_usd)}`;
  return {
    kind,
    id: `closed ${trade.id}`,
    title,
    body: `${way(trade.side)} ${trade.size}, ${signedPoints(trade.pnl_points)} pt, ${by}.`,
  };
}

/**
 * @param {Wire.AssetState | undefined} before
 * @param {Wire.AssetState} after
 */
function ofAsset(before, after) {
  if (before === undefined) return [];
  const [was, is] = [before.trade, after.trade];
  if (is !== null) {
    const added = is.quantity - (was?.id === is.id ? was.quantity : 0);
    return added > 0 ? [filled(after, is, added)] : [];
  }
  const mayEnter = was === null && before.first_closed_gate !== null && after.first_closed_gate === null;
  if (!mayEnter) return [];
  const id = `open ${after.symbol} ${after.main_renko_ts}`;
  return [{ kind: "may_enter", id, title: `${after.symbol}: an entry may be made`, body: "Every gate is open." }];
}

/**
 * @param {Wire.AssetState} asset
 * @param {Wire.TradeState} trade
 * @param {number} added
 */
function filled(asset, trade, added) {
  const price = averagePrice(trade.entry_price, asset.tick_size);
  const isWhole = added === trade.quantity;
  const title = `${asset.symbol} ${way(trade.side)} ${isWhole ? added : `+${added}`} @ ${price}`;
  const body = `${isWhole ? "" : `Now ${trade.quantity}. `}Stop planned at ${averagePrice(trade.stop_price, asset.tick_size)}.`;
  return { kind: "entry_filled", id: `filled ${trade.id} ${trade.quantity}`, title, body };
}

/** @param {string} side */
function way(side) {
  return side === "BUY" ? "long" : "short";
}
