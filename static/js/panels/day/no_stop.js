// @ts-check

/** Before the first account balance of the day there is no drawdown: the daily stop has nothing to fire at. */

import { show, write } from "../../ui/dom.js";

const NO_STOP = "Daily stop cannot fire yet: no account balance today.";

/**
 * Whether the account's balance of this day and this environment is known; a switch of either forgets it.
 *
 * @param {Wire.GlobalState} desk
 */
export function hasBalance({ daily_start_equity: start, equity }) {
  return start !== null && equity !== null;
}

/**
 * @param {HTMLElement} line
 * @param {Wire.GlobalState} desk
 */
export function warnOfNoStop(line, desk) {
  const isUnarmed = !hasBalance(desk) && !desk.daily_stop_triggered;
  show(line, isUnarmed);
  write(line, isUnarmed ? NO_STOP : "");
}
