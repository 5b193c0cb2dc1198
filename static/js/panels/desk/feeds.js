// @ts-check

/** The feeds on the set-up page: asked every few seconds while somebody looks. */

import { get, NoAnswer } from "../../desk/api.js";
import * as clock from "../../desk/clock.js";
import { ageWords, clientWords, headline, portOf, stateWords } from "../../reading/feeds.js";
import { all, byId, mark, one, write } from "../../ui/dom.js";

const ASK_EVERY_MS = 3_000;
const PLACEHOLDER = "YOUR_API_KEY";
/** @typedef {Wire.FeedsAnswer} Answer */

/** @type {Answer | null} */
let answer = null;
let isKnown = true;

/** Draw what the server knew, then ask. */
export function start() {
  answer = JSON.parse(byId("feeds").dataset.answer ?? "null");
  draw();
  clock.everySecond(draw);
  document.addEventListener("visibilitychange", ask);
  setInterval(ask, ASK_EVERY_MS);
  ask();
}

async function ask() {
  if (document.visibilityState !== "visible") return;
  try {
    const { status, body } = await get("/api/feeds");
    isKnown = status === 200;
    if (isKnown) answer = body;
  } catch (failure) {
    if (!(failure instanceof NoAnswer)) throw failure;
    isKnown = false;
  }
  draw();
}

function draw() {
  if (answer === null) return;
  const panel = byId("feeds");
  mark(panel, "data-state", isKnown ? answer.state : "unknown");
  write(part(panel, "feeds-word"), `${headline(answer, clock)}${isKnown ? "" : " That is as far as is known."}`);
  for (const row of all(panel, "[data-feed]")) drawRow(row, answer);
}

/**
 * @param {HTMLElement} row
 * @param {Answer} told
 */
function drawRow(row, told) {
  const port = portOf(told, row.dataset.feed ?? "");
  const setting = row.dataset.setting ?? "";
  mark(row, "data-port-state", port?.state ?? "unknown");
  write(part(row, "state"), stateWords(told, port, setting));
  write(part(row, "clients"), clientWords(port));
  write(part(row, "age"), ageWords(port, clock));
  const number = String(port?.port || row.dataset.port);
  for (const text of all(row, "[data-text]")) {
    write(
      text,
      (text.dataset.text ?? "").replaceAll("PORT", number).replaceAll(PLACEHOLDER, () => madeKey()),
    );
  }
}

/** The key that was made on this page and is still shown: the lines carry it as long. */
function madeKey() {
  return document.querySelector('#keys [data-slot="token"]')?.textContent || PLACEHOLDER;
}

/**
 * @param {ParentNode} element
 * @param {string} name
 */
const part = (element, name) => one(element, `[data-slot="${name}"]`);
