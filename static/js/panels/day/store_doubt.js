// @ts-check

/** That this machine had opened another store for the account today, and the held button that goes on with this one. */

import { watchTyping } from "../../desk/controls.js";
import { drawOffer } from "../../desk/offers.js";
import { obstacleOfReason } from "../../reading/unsettled.js";
import { byId, one, show, slots, write } from "../../ui/dom.js";

const root = byId("store-doubt");
const slot = slots(root);
const form = one(root, "form", HTMLFormElement);
const reason = one(form, "[name=store_reason]", HTMLInputElement);

export function start() {
  watchTyping(form);
  form.addEventListener("submit", (event) => event.preventDefault()); // Enter in a field holds nothing
}

/** @param {Page.State} state */
export function draw({ global: desk }) {
  const doubt = desk.store_doubt;
  show(root, doubt !== null);
  if (doubt === null) {
    reason.value = "";
    return;
  }
  write(slot.what, doubt.detail);
  drawOffer(slot, () => ({
    obstacle: obstacleOfReason(reason.value),
    label: "Hold: the day goes on in this store",
    path: "/api/account/store",
    command: { reason: reason.value.trim() },
  }));
}
