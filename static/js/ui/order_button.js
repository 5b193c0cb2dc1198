// @ts-check

/**
 * A button that orders. Enter and a pointer press it, Space does not: a hand slips on Space. It keeps the focus only
 * while it offers the same, so that no key orders what has replaced the offer that was read: another asset, or the entry
 * that opened when a lock ended.
 */

import { one } from "./dom.js";

const SPACE_ORDERS_NOTHING = "Space never orders: press Enter.";
const OFFER_HAS_CHANGED = "Not sent: the offer changed as you clicked. Read it, then click again.";

/** @type {WeakMap<HTMLElement, string>} button → what it offers, without running times */
const offers = new WeakMap();
/** @type {WeakMap<HTMLElement, string | undefined>} button → what it offered when a pointer went down on it */
const pressedOn = new WeakMap();

/**
 * Take Space from a button. `tell` says why it did nothing.
 *
 * @param {HTMLElement} button
 * @param {(sentence: string) => void} tell
 */
export function guard(button, tell) {
  /** @param {KeyboardEvent} event */
  const stop = (event) => {
    if (event.key !== " ") return;
    event.preventDefault(); // the click of a button comes with the end of Space
    event.stopImmediatePropagation();
    if (event.type === "keydown" && !event.repeat) tell(SPACE_ORDERS_NOTHING);
  };
  button.addEventListener("keydown", stop, { capture: true });
  button.addEventListener("keyup", stop, { capture: true });
  button.addEventListener("pointerdown", () => pressedOn.set(button, offers.get(button)));
}

/**
 * Let a button ask, unless its offer has changed under the hand. The focus leaves it with each press.
 *
 * @param {HTMLElement} button
 * @param {{isUnread: () => boolean, tell: (sentence: string) => void, act: () => void}} acts
 */
export function onPress(button, { isUnread, tell, act }) {
  guard(button, tell);
  button.addEventListener("click", (click) => {
    if (isUnread() || isOfAnotherOffer(button, click)) tell(OFFER_HAS_CHANGED);
    else act();
    leave(button);
  });
}

/**
 * Say what the button offers now. With another offer the focus leaves it.
 *
 * @param {HTMLElement} button
 * @param {string} offer
 */
export function follow(button, offer) {
  if (offers.get(button) === offer) return;
  offers.set(button, offer);
  leave(button);
}

/**
 * Whether the pointer of this click went down on another offer.
 *
 * @param {HTMLElement} button
 * @param {MouseEvent} click
 */
export function isOfAnotherOffer(button, { detail }) {
  return detail > 0 && pressedOn.has(button) && pressedOn.get(button) !== offers.get(button);
}

/**
 * Move the focus from the button to its panel's title: the keys go on from there, and nothing is pressed there.
 *
 * @param {HTMLElement} button
 */
export function leave(button) {
  if (document.activeElement !== button) return;
  const panel = /** @type {HTMLElement} */ (button.closest(".panel"));
  one(panel, "h2").focus({ preventScroll: true });
}
