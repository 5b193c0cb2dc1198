// @ts-check

/** The window around entries: sessions, lockout, flat time, news, the week (SPEC 5.9). */

import { clockTime, countdown, signedUsd, usd, weekday, wholeNumber } from "./format.js";

/** @typedef {{key: string, tone: "lock" | "note", text: string}} Line */

const COUNTED_DOWN_MS = 3_600_000;
const RUN_OF_LOSSES = 2;

/**
 * What closes the window, or will, and how the week stands; what closes it now comes first.
 *
 * @param {Page.State} state
 * @param {number} nowMs the desk's time
 * @returns {Line[]}
 */
export function windowLines({ global: desk, assets }, nowMs) {
  const { window } = desk;
  const lines = [lockout(window, nowMs), newsFault(window), flatTime(window, nowMs), ...sessions(assets, nowMs)];
  const told = [...lines, news(window, nowMs), losses(window), week(window)].filter((line) => line !== null);
  return [...told.filter(({ tone }) => tone === "lock"), ...told.filter(({ tone }) => tone === "note")];
}

/**
 * An instant within a day by its time, a later one with its weekday.
 *
 * @param {string} instant
 * @param {number} nowMs
 */
function moment(instant, nowMs) {
  const isSoon = Date.parse(instant) - nowMs < 86_400_000;
  return isSoon ? clockTime(instant) : `${weekday(instant)} ${clockTime(instant)}`;
}

/**
 * @param {Wire.WindowState} window
 * @param {number} nowMs
 * @returns {Line | null}
 */
function lockout({ lockout_ends_ts: ends }, nowMs) {
  if (ends === null) return null;
  const left = countdown((Date.parse(ends) - nowMs) / 1000);
  const text = `You have locked entries until ${moment(ends, nowMs)} (${left} left). Exits work.`;
  return { key: "lockout", tone: "lock", text };
}

/**
 * @param {Wire.WindowState} window
 * @returns {Line | null}
 */
function newsFault({ news_fault: fault }) {
  return fault === null ? null : { key: "news-fault", tone: "lock", text: `No entries: ${fault}.` };
}

/**
 * @param {Wire.WindowState} window
 * @param {number} nowMs
 * @returns {Line | null}
 */
function flatTime({ flat_by_ts: begins, flat_until_ts: ends }, nowMs) {
  if (begins === null || ends === null) return null;
  const left = Date.parse(begins) - nowMs;
  if (left <= 0)
    return {
      key: "flat",
      tone: "lock",
      text: `Flat time: everything is flattened, no entries until ${moment(ends, nowMs)}.`,
    };
  const when = left > COUNTED_DOWN_MS ? `at ${moment(begins, nowMs)}` : `in ${countdown(left / 1000)}`;
  return { key: "flat", tone: "note", text: `Everything is flattened ${when}.` };
}

/**
 * @param {Record<string, Wire.AssetState>} assets
 * @param {number} nowMs
 * @returns {Line[]}
 */
function sessions(assets, nowMs) {
  return Object.values(assets).flatMap(({ symbol, session_open: isOpen, session_opens_ts: opens }) => {
    if (isOpen !== false || opens === null) return [];
    return [
      { key: `session-${symbol}`, tone: "note", text: `${symbol}: market closed until ${moment(opens, nowMs)}.` },
    ];
  });
}

/**
 * @param {Wire.WindowState} window
 * @param {number} nowMs
 * @returns {Line | null}
 */
function news({ news_title: title, news_from_ts: from, news_until_ts: until }, nowMs) {
  if (title === null || from === null || until === null) return null;
  const isNear = Date.parse(from) <= nowMs;
  const when = isNear
    ? `no entries until ${clockTime(until)}`
    : `no entries from ${moment(from, nowMs)} to ${clockTime(until)}`;
  return { key: "news", tone: isNear ? "lock" : "note", text: `${title}: ${when}.` };
}

/**
 * @param {Wire.WindowState} window
 * @returns {Line | null}
 */
function losses({ losses_in_a_row: count }) {
  return count < RUN_OF_LOSSES ? null : { key: "losses", tone: "note", text: `${count} losing trades in a row.` };
}

/**
 * @param {Wire.WindowState} window
 * @returns {Line}
 */
function week({ week_net_usd: net, week_left_usd: left, trades_this_week: trades }) {
  const room = left === null ? "" : `, ${usd(Math.max(0, left))} left to lose`;
  const text = `This week: ${signedUsd(net)}${room}, ${wholeNumber(trades)} ${trades === 1 ? "trade" : "trades"}.`;
  return { key: "week", tone: "note", text };
}
