// @ts-check

/** The window around entries, and the held buttons that lock them: a promise to oneself that nothing takes back. */

import * as clock from "../../desk/clock.js";
import { ask, isPending, tell } from "../../desk/controls.js";
import { windowLines } from "../../reading/window.js";
import { all, byId, copyOf, follow, mark, markBusy, slots, write } from "../../ui/dom.js";
import { makeHoldable } from "../../ui/hold.js";

const root = byId("window");
const slot = slots(root);
const buttons = all(root, "[data-until]", HTMLButtonElement);

/** @type {Record<string, string>} */
const ENDS = {
  session: "the next close at which the market will have been open for an hour",
  day: "the next trading day that is at least 8 hours away",
  week: "Sunday's open",
};

export function start() {
  const answer = slot["lockout-answer"];
  for (const button of buttons) {
    const until = button.dataset.until ?? "";
    const explanation = `Hold for 1.5 s: no entry until ${ENDS[until]}. Exits work. It cannot be undone.`;
    makeHoldable(button, {
      mayHold: () => !isPending(answer),
      whenHeld: () => ask(answer, "/api/lockout", { until }),
      whenClicked: (cut) => tell(answer, `${cut} ${explanation}`.trim(), "info"),
      whenCut: (sentence) => tell(answer, sentence),
    });
  }
}

/** @param {Page.State} state */
export function draw(state) {
  follow(slot["window-lines"], windowLines(state, clock.now()), {
    key: ({ key }) => key,
    make: () => copyOf("window-line"),
    fill: (row, { tone, text }) => {
      mark(row, "data-tone", tone);
      write(row, text);
    },
  });
  for (const button of buttons) markBusy(button, isPending(slot["lockout-answer"]));
}
