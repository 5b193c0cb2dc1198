// @ts-check

/** The advisor on the set-up page: asked every few seconds while somebody looks. */

import { get } from "../../desk/api.js";
import * as clock from "../../desk/clock.js";
import { answerTo } from "../../desk/forecasts.js";
import { agentWords, mlWords } from "../../reading/advisor.js";
import { byId, mark, slots, write } from "../../ui/dom.js";

const ASK_EVERY_MS = 5_000;
const root = byId("advisor");
const slot = slots(root);
/** @type {Wire.AdvisorAnswer | null} */
let told = null;
let isKnown = true;

export function start() {
  clock.everySecond(draw);
  document.addEventListener("visibilitychange", ask);
  setInterval(ask, ASK_EVERY_MS);
  ask();
}

async function ask() {
  if (document.visibilityState !== "visible") return;
  const { answer } = await answerTo(() => get("/api/advisor"));
  isKnown = answer !== null;
  if (answer) told = answer;
  draw();
}

function draw() {
  mark(root, "data-state", isKnown ? told?.state : "unknown");
  write(slot.ml, told ? mlWords(told.ml, clock) : "Asking …");
  write(slot.agent, told ? agentWords(told.agent, clock) : "Asking …");
  write(slot["advisor-unknown"], isKnown ? "" : "That is as far as is known: the desk does not answer.");
}
