// @ts-check

/** What the meters of a trading firm's rules say (SPEC 5.9). */

import { clockTime, UNKNOWN, usd } from "./format.js";

/** @type {Record<Wire.FirmMeter["rule"], string>} */
const TITLES = {
  daily_loss: "Daily loss",
  trailing_drawdown: "Trailing drawdown",
  contracts: "Contracts",
  flat_time: "Flat time",
  consistency: "Best day's share",
};

/** @typedef {{key: string, title: string, left: string, detail: string, used: number | null, tone: "open" | "tight" | "spent" | "unknown"}} Row */

/**
 * One row for each rule of the firm, in the order of the document.
 *
 * @param {Wire.FirmState} firm
 * @returns {Row[]}
 */
export function firmRows(firm) {
  return firm.meters.map((meter) => {
    const used = share(meter);
    return {
      key: meter.rule,
      title: TITLES[meter.rule],
      left: left(meter),
      detail: detail(meter),
      used,
      tone: tone(meter, used),
    };
  });
}

/**
 * What is left, in the words of the unit; unknown is a dash, never a number.
 *
 * @param {Wire.FirmMeter} meter
 */
function left({ rule, known, unit, left: rest, limit, used, at }) {
  if (!known) return UNKNOWN;
  if (unit === "time") return at === null ? UNKNOWN : clockTime(at);
  if (rule === "consistency") return limit === null ? "no limit" : used === null ? UNKNOWN : `${used} % of ${limit} %`;
  if (limit === null) return "no limit";
  if (rest === null) return UNKNOWN;
  return unit === "usd" ? `${usd(Math.max(rest, 0))} left` : `${rest} of ${limit} left`;
}

/** @param {Wire.FirmMeter} meter */
function detail({ rule, floor, detail: text }) {
  return rule === "trailing_drawdown" && floor !== null ? `Floor ${usd(floor)}: ${text}` : sentence(text);
}

/** @param {string} text */
function sentence(text) {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

/**
 * How much of the limit is used, in percent; null where nobody knows.
 *
 * @param {Wire.FirmMeter} meter
 */
function share({ known, limit, used }) {
  if (!known || limit === null || used === null || limit <= 0) return null;
  return Math.min(Math.max((used / limit) * 100, 0), 100);
}

/**
 * @param {Wire.FirmMeter} meter
 * @param {number | null} used
 * @returns {Row["tone"]}
 */
function tone({ known, left: rest, unit }, used) {
  if (!known) return "unknown";
  if (unit === "usd" && rest !== null && rest <= 0) return "spent";
  return used !== null && used >= 70 ? "tight" : "open";
}

/**
 * What changes with the next trading day, null when nothing does.
 *
 * @param {Wire.FirmState} firm
 */
export function firmPending({ pending }) {
  if (pending === null) return null;
  return pending === "none" ? "No firm from the next trading day on." : `From the next trading day on: ${pending}.`;
}
