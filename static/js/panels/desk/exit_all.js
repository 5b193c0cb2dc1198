// @ts-check

/**
 * "Exit all" on the pages beside the desk. They do not follow the positions, so the button always asks: a click may be
 * refused by the initial exit lock, holding for 1.5 s forces it.
 */

import { NoAnswer, post } from "../../desk/api.js";
import { allAnswer, NO_EXIT_ANSWER } from "../../reading/exit_words.js";
import { byId, mark, slots, write } from "../../ui/dom.js";
import { makeHoldable } from "../../ui/hold.js";

const ANSWER_STAYS_MS = 12_000;
const slot = slots(byId("page-exit"));
/** @type {ReturnType<typeof setTimeout> | undefined} */
let fadeTimer;

export function start() {
  makeHoldable(slot["exit-all"], {
    mayHold: () => true,
    whenHeld: () => leave(true),
    whenClicked: () => leave(false),
    whenCut: (sentence) => say(sentence),
  });
}

/** @param {boolean} force */
async function leave(force) {
  say("Asking the desk…", "info");
  try {
    const { body } = await post("/api/exit-all", { force });
    say(allAnswer(body), body.ok && !body.skipped?.length ? "info" : null);
  } catch (failure) {
    if (!(failure instanceof NoAnswer)) throw failure;
    say(NO_EXIT_ANSWER);
  }
}

/**
 * @param {string} sentence
 * @param {string | null} [tone]
 */
function say(sentence, tone = null) {
  write(slot["exit-answer"], sentence);
  mark(slot["exit-answer"], "data-tone", tone);
  clearTimeout(fadeTimer);
  fadeTimer = setTimeout(() => write(slot["exit-answer"], ""), ANSWER_STAYS_MS);
}
