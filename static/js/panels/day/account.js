// @ts-check

/** What the desk believes of the account, with the held button that confirms a transfer (SPEC 5.6). */

import * as clock from "../../desk/clock.js";
import { followValue, numberIn, watchTyping } from "../../desk/controls.js";
import { drawOffer } from "../../desk/offers.js";
import * as store from "../../desk/store.js";
import { accountLines, transfer } from "../../reading/account.js";
import { byId, copyOf, follow, mark, one, show, slots, write } from "../../ui/dom.js";

const root = byId("account");
const slot = slots(root);
const form = one(root, "form", HTMLFormElement);
const amount = one(form, "[name=amount]", HTMLInputElement);
const reason = one(form, "[name=reason]", HTMLInputElement);

export function start() {
  watchTyping(form);
  form.addEventListener("submit", (event) => event.preventDefault()); // Enter in a field holds nothing
}

/** @param {Page.State} state */
export function draw({ global: desk }) {
  const lines = accountLines(desk, clock.now());
  const isSuspect = desk.account_belief.suspect !== null;
  show(root, lines.length > 0);
  follow(slot.lines, lines, {
    key: ({ key }) => key,
    make: () => copyOf("account-line"),
    fill: (row, { tone, text }) => {
      mark(row, "data-tone", tone);
      write(row, text);
    },
  });
  if (form.hidden && isSuspect) forget();
  show(form, isSuspect);
  if (!isSuspect) return;
  followValue(amount, desk.account_belief.unexplained_usd);
  drawOffer(slot, offer);
}

/** What was typed for an earlier suspicion says nothing of this one. */
function forget() {
  delete amount.dataset.typed;
  delete reason.dataset.typed;
  reason.value = "";
}

function offer() {
  const { global: desk, assets } = store.current();
  const isHolding = Object.values(assets).some(({ position }) => position !== 0);
  return transfer(desk, { amount: numberIn(amount), reason: reason.value, isHolding });
}
