// @ts-check

/**
 * "Why?" beside the ladder: what the advisor's rules say of the locks, each sentence with its facts. It opens in the
 * page and not over it, so that every way out stays in reach. Escape closes it and gives the focus back.
 */

import { get } from "../../desk/api.js";
import * as clock from "../../desk/clock.js";
import { answerTo } from "../../desk/forecasts.js";
import { reasonOf } from "../../reading/ranges.js";
import { sourceWords } from "../../reading/statements.js";
import { byId, mark, markBusy, show, slots, write } from "../../ui/dom.js";
import * as statements from "../desk/statements.js";

const ANSWERS_WITHIN_MS = 6_000;
const ladder = byId("ladder");
const button = slots(ladder)["why-button"];
const root = byId("why");
const slot = slots(root);
let symbolInView = () => "";
let asked = 0;
/** @type {(symbol: string) => string | null} */
let directionOf = () => null;

/**
 * @param {() => string} symbol
 * @param {(symbol: string) => string | null} direction the only side that the zone offers, else null
 */
export function start(symbol, direction) {
  symbolInView = symbol;
  directionOf = direction;
  mark(button, "aria-disabled", null);
  button.addEventListener("click", () => (root.hidden ? open() : close()));
  slot.close.addEventListener("click", close);
  slot.again.addEventListener("click", ask);
  root.addEventListener("keydown", closeOnEscape);
  button.addEventListener("keydown", closeOnEscape);
}

/** Another asset is in view: what is open was of the other one. */
export function forget() {
  if (!root.hidden) hide();
}

/** @param {KeyboardEvent} event */
function closeOnEscape(event) {
  if (event.key !== "Escape" || root.hidden) return;
  event.preventDefault();
  close();
}

function open() {
  show(root, true);
  mark(button, "aria-expanded", "true");
  slot.title.focus();
  return ask();
}

function close() {
  hide();
  button.focus();
}

function hide() {
  asked += 1;
  show(root, false);
  mark(button, "aria-expanded", "false");
}

async function ask() {
  const symbol = symbolInView();
  const direction = directionOf(symbol);
  const mine = ++asked;
  draw(symbol, null);
  write(slot.said, "Asking …");
  markBusy(root, true);
  const which = `about=block&asset=${encodeURIComponent(symbol)}${direction ? `&direction=${direction}` : ""}`;
  const { answer, trouble } = await answerTo(() => get(`/api/explain?${which}`, ANSWERS_WITHIN_MS));
  if (mine !== asked) return; // closed, or asked again
  markBusy(root, false);
  write(slot.said, trouble ? `No explanation: ${reasonOf(trouble)}. The ladder beneath says what is closed.` : "");
  draw(symbol, answer);
}

/**
 * @param {string} symbol
 * @param {Wire.Explained | null} answer
 */
function draw(symbol, answer) {
  write(slot.title, `Why? ${symbol}${answer?.direction ? ` ${answer.direction}` : ""}`);
  statements.draw(slot.statements, answer?.statements ?? [], clock.now());
  write(slot.source, answer ? sourceWords(answer, clock.now()) : "");
}
