// @ts-check

/** DEMO or LIVE. The way to the other one is a button that must be held; the desk says what stands against it. */

import { ask, isPending, tell } from "../../desk/controls.js";
import * as store from "../../desk/store.js";
import { byId, mark, markBusy, slots, write } from "../../ui/dom.js";
import { makeHoldable } from "../../ui/hold.js";

const slot = slots(byId("env"));
const MEANING = {
  LIVE: "Hold for 1.5 s: from then on orders go to the configured broker, with real money.",
  DEMO: "Hold for 1.5 s: from then on orders fill at the paper broker.",
};

export function start() {
  makeHoldable(slot["env-switch"], {
    mayHold: () => !isPending(slot["env-answer"]),
    whenHeld: () => ask(slot["env-answer"], "/api/env", { env: other(store.current().global) }),
    whenClicked: (cut) => tell(slot["env-answer"], `${cut} ${MEANING[other(store.current().global)]}`.trim(), "info"),
    whenCut: (sentence) => tell(slot["env-answer"], sentence),
    about: () => store.current().global.env,
    whenOther: () => tell(slot["env-answer"], "Not sent: the environment changed while you pressed."),
  });
}

/** @param {Page.State} state */
export function draw({ global: desk }) {
  write(slot.env, desk.env);
  mark(slot.env, "data-env", desk.env);
  markBusy(slot["env-switch"], isPending(slot["env-answer"]));
  write(slot["env-label"], `Hold for ${other(desk)}`);
}

/** @param {Wire.GlobalState} desk */
function other(desk) {
  return desk.env === "DEMO" ? "LIVE" : "DEMO";
}
