// @ts-check

/** The review of a trading day: what it says by rules, what the coach sees, and the day decided again. */

import { get } from "../desk/api.js";
import { answerTo } from "../desk/forecasts.js";
import * as statements from "../panels/desk/statements.js";
import { clockTime, tradingDay } from "../reading/format.js";
import { reasonOf } from "../reading/ranges.js";
import { sourceWords } from "../reading/statements.js";
import { outcomeWords, progressWords, sumWords, tryWords } from "../reading/what_if.js";
import { plain } from "../reading/words.js";
import { byId, copyOf, follow, markBusy, show, slots, write } from "../ui/dom.js";

const EXPLAINS_WITHIN_MS = 10_000;
const DECIDES_WITHIN_MS = 90_000; // the desk itself gives up after 60 s
const BUSY = "busy";
const BUSY_AGAIN_MS = 2_000;
const DAY_MS = 86_400_000;
const DAY = /^\d{4}-\d\d-\d\d$/;
const root = byId("review");
const slot = slots(root);
const newest = root.dataset.day ?? "";
let day = newest;
let edition = 0;
let underWay = new AbortController();

function start() {
  day = dayOfAddress() ?? newest;
  slot.day.max = newest;
  slot.day.addEventListener("change", () => DAY.test(slot.day.value) && choose(slot.day.value));
  slot.before.addEventListener("click", () => step(-1));
  slot.after.addEventListener("click", () => step(1));
  for (const name of ["day-again", "coach-again", "what-if-again"])
    slot[name].addEventListener("click", () => choose(day));
  window.addEventListener("hashchange", () => choose(dayOfAddress() ?? newest));
  read();
}

/** The day that the address names, null when it names none up to today. */
function dayOfAddress() {
  const named = window.location.hash.slice(1);
  return DAY.test(named) && named <= newest ? named : null;
}

/**
 * The trading day before or after, weekends left out: they have none.
 *
 * @param {number} way
 */
function step(way) {
  const at = new Date(`${day}T00:00:00Z`);
  do at.setTime(at.getTime() + way * DAY_MS);
  while (at.getUTCDay() % 6 === 0);
  const next = at.toISOString().slice(0, 10);
  if (next <= newest) choose(next);
}

/** @param {string} chosen */
function choose(chosen) {
  if (chosen > newest) return;
  day = chosen;
  window.history.replaceState(null, "", `#${day}`);
  read();
}

function read() {
  const mine = ++edition;
  slot.day.value = day;
  write(slot.title, `Review of ${tradingDay(day)}`);
  readDay(mine);
  explain("coach", "about=coach", mine);
}

/**
 * The explanation speaks of the day decided again, too: one that came before that was done is asked for once more.
 *
 * @param {number} mine
 */
async function readDay(mine) {
  const which = `about=day&day=${day}`;
  const explained = explain("day", which, mine);
  const wasDecided = await decideAgain(mine);
  const told = await explained;
  const lacksIt = told?.tools.some(({ tool, missing }) => tool === "what_if_day" && missing);
  if (wasDecided && lacksIt && mine === edition) explain("day", which, mine);
}

/**
 * @param {string} name
 * @param {string} which
 * @param {number} mine
 * @returns {Promise<Wire.Explained | null>}
 */
async function explain(name, which, mine) {
  const said = slot[`${name}-said`];
  write(said, "Asking …");
  const { answer, trouble } = await answerTo(() => get(`/api/explain?${which}`, EXPLAINS_WITHIN_MS));
  const told = /** @type {Wire.Explained | null} */ (answer);
  if (mine !== edition) return told;
  write(said, trouble ? `No explanation: ${reasonOf(trouble)}.` : told ? sourceWords(told, Date.now()) : "");
  statements.draw(slot[`${name}-statements`], told?.statements ?? [], Date.now());
  return told;
}

/**
 * Whether the day could be decided again. What was before the journal's first row the desk is not even asked.
 *
 * @param {number} mine
 */
async function decideAgain(mine) {
  underWay.abort();
  draw(null);
  if (day < (root.dataset.firstDay ?? "")) {
    markBusy(slot["what-if"], false);
    write(slot["what-if-said"], `Not decided again: the journal begins on ${tradingDay(root.dataset.firstDay ?? "")}.`);
    return false;
  }
  const began = performance.now();
  const tell = () => {
    if (mine === edition) write(slot["what-if-said"], progressWords(Math.floor((performance.now() - began) / 1000)));
  };
  const timer = setInterval(tell, 1000);
  tell();
  markBusy(slot["what-if"], true);
  underWay = new AbortController();
  const { answer, trouble } = await decided(`/api/what-if/day?day=${day}`, underWay.signal, began + DECIDES_WITHIN_MS);
  clearInterval(timer);
  if (mine !== edition) return false;
  markBusy(slot["what-if"], false);
  write(slot["what-if-said"], trouble ? `Not decided again: ${reasonOf(trouble)}.` : "");
  draw(answer);
  return answer !== null;
}

/**
 * One day is decided again at a time: while another one is, it is asked for again.
 *
 * @param {string} path
 * @param {AbortSignal} stop
 * @param {number} until by the page's own counter
 * @returns {Promise<Page.Told<Wire.WhatIfDay>>}
 */
async function decided(path, stop, until) {
  const told = await answerTo(() => get(path, DECIDES_WITHIN_MS, stop));
  const isOver = () => stop.aborted || performance.now() > until;
  if (told.trouble?.code !== BUSY || isOver()) return told;
  await new Promise((goOn) => setTimeout(goOn, BUSY_AGAIN_MS));
  return isOver() ? told : decided(path, stop, until);
}

/** @param {Wire.WhatIfDay | null} answer */
function draw(answer) {
  follow(slot.sums, answer ? sumWords(answer) : [], {
    key: (sentence) => sentence,
    make: () => document.createElement("li"),
    fill: (row, sentence) => write(row, sentence),
  });
  const refused = answer?.refused ?? [];
  show(slot["refused-field"], refused.length > 0);
  follow(slot.refused, refused, { key: ({ row }) => row, make: () => copyOf("refused-row"), fill });
}

/**
 * @param {HTMLElement} row
 * @param {Wire.RefusedEntry} entry
 */
function fill(row, entry) {
  const cell = slots(row);
  write(cell.at, clockTime(entry.at));
  write(cell.tried, tryWords(entry));
  write(cell.gate, plain(entry.gate));
  cell.gate.title = entry.sentence;
  write(cell.outcome, outcomeWords(entry));
  write(cell.prices, String(entry.prices));
}

start();
