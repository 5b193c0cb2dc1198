// @ts-check

/** Giving up one of today's trades by hand: a promise to oneself, so it must be held. */

import { ask, isPending, tell } from "../../desk/controls.js";
import * as store from "../../desk/store.js";
import { byId, mark, markBusy, slots, write } from "../../ui/dom.js";
import { makeHoldable } from "../../ui/hold.js";

const slot = slots(byId("slot-taking"));

export function start() {
  makeHoldable(slot["slot-button"], {
    mayHold: () => !isPending(slot["slot-answer"]),
    whenHeld: () => ask(slot["slot-answer"], "/api/trade-limit/consume", {}),
    whenClicked: (cut) => tell(slot["slot-answer"], `${cut} ${explanation()}`.trim(), "info"),
    whenCut: (sentence) => tell(slot["slot-answer"], sentence),
  });
}

/** @param {Page.State} state */
export function draw({ global: desk }) {
  const left = desk.trades_remaining_today;
  mark(slot["slot-button"], "aria-disabled", left > 0 ? "false" : "true");
  markBusy(slot["slot-button"], isPending(slot["slot-answer"]));
  write(slot["slot-label"], left > 0 ? "Hold to take one trade off today" : "No trade left to take");
}

function explanation() {
  const left = store.current().global.trades_remaining_today;
  return left > 0
    ? `Hold for 1.5 s: ${left - 1} of today's trades would be left. It cannot be undone.`
    : "No trade is left today.";
}
