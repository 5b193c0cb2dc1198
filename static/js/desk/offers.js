// @ts-check

/** A held button that settles something: it says what is missing first, then what holding it sends. */

import { mark, markBusy, write } from "../ui/dom.js";
import { makeHoldable } from "../ui/hold.js";
import { ask, isPending, tell } from "./controls.js";

const CHANGED = "Not sent: what you settle changed while you pressed. Read it, then hold again.";
const HOLD = "Hold the button for 1.5 s.";

/**
 * What holding a button sends; `obstacle` says why it sends nothing yet.
 *
 * @typedef {{obstacle: string, label: string, path: string, command: object}} Offer
 */

/** @type {WeakMap<HTMLElement, () => Offer>} button → what it offers now; the server's buttons are bound once, too */
const offers = new WeakMap();

/**
 * Draw the button `hold` with its `label` and `answer`, and bind it the first time.
 *
 * @param {Page.Slots} slot
 * @param {() => Offer} offer
 */
export function drawOffer({ hold, label, answer }, offer) {
  if (!offers.has(hold)) bind(hold, answer);
  offers.set(hold, offer);
  const present = offer();
  mark(hold, "aria-disabled", present.obstacle ? "true" : "false");
  markBusy(hold, isPending(answer));
  write(label, present.obstacle || present.label);
}

/**
 * @param {HTMLElement} hold
 * @param {HTMLElement} answer
 */
function bind(hold, answer) {
  const offer = () => /** @type {() => Offer} */ (offers.get(hold))();
  makeHoldable(hold, {
    mayHold: () => offer().obstacle === "" && !isPending(answer),
    whenHeld: () => send(answer, offer()),
    whenClicked: (cut) => tell(answer, offer().obstacle || cut || HOLD, "info"),
    whenCut: (sentence) => tell(answer, sentence),
    about: () => JSON.stringify(offer()),
    whenOther: () => tell(answer, CHANGED),
  });
}

/**
 * @param {HTMLElement} answer
 * @param {Offer} offer
 */
function send(answer, { path, command }) {
  ask(answer, path, command, { needsStream: true });
}
