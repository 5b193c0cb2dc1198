// @ts-check

/** The log page: alerts, dead letters, and what was heard from TradingView and the bridge. */

import { get, NoAnswer, post } from "../desk/api.js";
import * as clock from "../desk/clock.js";
import * as store from "../desk/store.js";
import * as stream from "../desk/stream.js";
import * as alerts from "../panels/desk/alerts.js";
import * as banners from "../panels/desk/banners.js";
import * as logs from "../panels/desk/logs.js";
import { clockMoment } from "../reading/format.js";
import { byId, copyOf, follow, show, slots, write } from "../ui/dom.js";

const slot = slots(byId("dead-letters"));
const LOOK_EVERY_S = 10;
let seconds = 0;

function start() {
  const state = JSON.parse(byId("state").textContent);
  clock.hear(state.now);
  store.takeState(state);
  draw();
  look();
  stream.start(hear);
  clock.everySecond(everySecond);
}

/** Silence brings no news: only the clock notices that the desk is lost. */
function everySecond() {
  banners.draw(store.current());
  seconds = (seconds + 1) % LOOK_EVERY_S;
  if (seconds === 0) look();
}

/**
 * A webhook that could not be read comes as a line of the log; before the stream was open it came unheard.
 *
 * @param {Page.News} news
 */
function hear(news) {
  draw();
  if (news === "log" || news === "opened") look();
}

function draw() {
  banners.draw(store.current());
  alerts.draw(store.current());
  logs.draw();
}

async function look() {
  try {
    const { status, body } = await get("/api/dead-letters");
    if (status === 200) drawLetters(body.dead_letters);
  } catch (failure) {
    if (!(failure instanceof NoAnswer)) throw failure; // the next look may find it
  }
}

/** @param {Wire.DeadLetterRow[]} letters */
function drawLetters(letters) {
  write(slot.count, letters.length === 0 ? "" : String(letters.length));
  show(slot.none, letters.length === 0);
  show(slot.list, letters.length > 0);
  follow(slot.list, letters, { key: (letter) => letter.sequence, make, fill });
}

function make() {
  const row = copyOf("letter-row");
  slots(row).again.addEventListener("click", () => tryAgain(row));
  return row;
}

/**
 * @param {HTMLElement} row
 * @param {Wire.DeadLetterRow} letter
 */
function fill(row, letter) {
  const cell = slots(row);
  row.dataset.sequence = String(letter.sequence);
  write(cell.time, clockMoment(letter.at, clock.now()));
  write(cell.path, letter.path);
  write(cell.reason, letter.reason);
  write(cell.body, letter.body);
  show(cell.again, letter.can_be_tried_again);
}

/** @param {HTMLElement} row */
async function tryAgain(row) {
  const { answer } = slots(row);
  try {
    const { body } = await post(`/api/dead-letters/${row.dataset.sequence}/replay`, {});
    write(answer, body.ok ? outcome(body) : body.error);
  } catch (failure) {
    if (!(failure instanceof NoAnswer)) throw failure;
    write(answer, "The desk does not answer.");
  }
}

/** @param {Wire.BrickAnswer} answer */
function outcome({ duplicate, stale, effects }) {
  if (duplicate) return "The desk has had this brick already.";
  if (stale) return "Too late: a newer brick of this size has closed. It is in the journal and has no effect.";
  return `Applied: ${(effects ?? []).join(", ")}.`;
}

start();
