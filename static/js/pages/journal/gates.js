// @ts-check

/** How the gates stood at an entry, in words. */

import { percent } from "../../reading/format.js";
import { duration } from "../../reading/words.js";

const WAYS_IN = { click: "by a click", "ready intent": "by a click on a ready intent", "pre-order": "by a pre-order" };
const BESIDE = { with: "2.5pt with the trade", neutral: "2.5pt neutral", against: "2.5pt against the trade" };

/**
 * A line of one trade's `gates_at_entry`.
 *
 * @param {Wire.GatesRow} gates
 */
export function gateWords(gates) {
  return [
    `trade ${gates.trade_of_day} of the day`,
    gates.since_cooldown_s === null
      ? "no exit before it that day"
      : `${duration(gates.since_cooldown_s)} after the cooldown`,
    stopWords(gates.daily_stop_used_pct),
    tokenWords(gates),
    BESIDE[gates.two_half],
    `${duration(gates.candle_second)} into the candle`,
    WAYS_IN[gates.entered_by],
  ]
    .filter(Boolean)
    .join(" · ");
}

/** @param {number | null} used */
function stopWords(used) {
  if (used === null) return "";
  return used > 0 ? `${percent(Math.floor(used), 0)} of the daily stop used` : "daily stop untouched";
}

/** @param {Wire.GatesRow} gates */
function tokenWords({ tempo_age_s: age, tempo_armed_by: armer }) {
  return age === null ? "" : `token ${duration(age)} old${armer ? `, by a ${armer}` : ""}`;
}
