// @ts-check

/** Before the first account balance of the day the daily stop counts from something else, or from nothing. */

import { startSentence } from "../../reading/account.js";
import { show, write } from "../../ui/dom.js";

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
  const sentence = desk.daily_stop_triggered ? "" : startSentence(desk);
  show(line, sentence !== "");
  write(line, sentence);
}
