// @ts-check

/** The set-up page: messages for the chosen asset, copy buttons, and how long ago each webhook was heard. */

import { NoAnswer, post } from "../desk/api.js";
import * as clock from "../desk/clock.js";
import * as controls from "../desk/controls.js";
import * as store from "../desk/store.js";
import * as stream from "../desk/stream.js";
import * as limits from "../panels/day/limits.js";
import * as banners from "../panels/desk/banners.js";
import { age } from "../reading/format.js";
import { all, around, byId, mark, write } from "../ui/dom.js";

const PLACEHOLDER = "YOUR TV_WEBHOOK_SECRET";
const FRESH_MS = 10 * 60 * 1000;
const JUST_NOW_MS = 4_000;
const LEVEL_EXIT = "level_exit_ts";
/** A line is touched once in a while: an old one is no loss, and one of long ago the log may have forgotten. */
const SELDOM = { freshMs: Infinity, never: "none that the log knows of" };
const STEADY = { freshMs: FRESH_MS, never: "nothing received yet" };

const asset = byId("asset", HTMLSelectElement);
const hooks = [...document.querySelectorAll(".hook")];
const copied = document.getElementById("copied");
let secret = PLACEHOLDER;

function start() {
  const state = JSON.parse(document.getElementById("state").textContent);
  clock.hear(state.now);
  store.takeState(state);
  asset.addEventListener("change", draw);
  for (const choice of colors()) choice.addEventListener("change", draw);
  document.addEventListener("click", copyWhenAsked);
  document.getElementById("reveal")?.addEventListener("submit", reveal);
  controls.start(draw);
  limits.start();
  draw();
  stream.start(draw);
  clock.everySecond(draw);
}

const colors = () => all(document, 'input[name="color"]', HTMLInputElement);
const color = () => colors().find((choice) => choice.checked).value;

function draw() {
  const state = store.current();
  banners.draw(state);
  for (const hook of hooks) drawHook(hook, state.assets[asset.value]);
  drawBridge(state.global);
  limits.draw(state);
}

function drawHook(hook, facts) {
  write(part(hook, "message"), messageOf(hook));
  if (hook.dataset.ts === LEVEL_EXIT) drawAge(part(hook, "age"), store.levelExitOf(asset.value), SELDOM);
  else drawAge(part(hook, "age"), facts?.[hook.dataset.ts] ?? null);
}

function messageOf(hook) {
  const written = hook.dataset.message.replace("ASSET", asset.value).replace("COLOR", color());
  return written.replace(JSON.stringify(PLACEHOLDER), () => JSON.stringify(secret));
}

function drawBridge(desk) {
  drawAge(document.getElementById("bridge-age"), desk.rithmic_last_ts);
}

/** Said in words; the mark beside it only repeats them. Without the desk nobody knows what was received since. */
function drawAge(element, at, pace = STEADY) {
  const since = at === null ? null : clock.now() - Date.parse(at);
  const isLost = stream.lostSince() !== null;
  mark(element, "data-heard", heardOf(since, isLost, pace));
  write(element, `${wordsOf(since, pace)}${isLost ? ", as far as is known" : ""}`);
}

function heardOf(since, isLost, { freshMs }) {
  if (since === null) return "never";
  if (isLost || since >= freshMs) return "old";
  return since < JUST_NOW_MS ? "now" : "fresh";
}

function wordsOf(since, { never }) {
  if (since === null) return never;
  return since < JUST_NOW_MS ? "received now" : `received ${age(Math.floor(since / 1000))} ago`;
}

const part = (element, name) => element.querySelector(`[data-slot="${name}"]`);

async function copyWhenAsked(event) {
  const button = around(event, "[data-copy]");
  if (!button) return;
  const source = part(button.closest(".copyable"), button.dataset.copy);
  try {
    await navigator.clipboard.writeText(source.textContent);
    write(copied, `${button.textContent} done`);
    mark(button, "data-done", true);
    setTimeout(() => mark(button, "data-done", false), 1500);
  } catch {
    selectAll(source); // without https a page may not copy: the text is selected, the keyboard can
    write(copied, "Selected: press Ctrl+C to copy");
  }
}

function selectAll(element) {
  const range = document.createRange();
  range.selectNodeContents(element);
  const selection = window.getSelection();
  selection.removeAllRanges();
  selection.addRange(range);
}

async function reveal(event) {
  event.preventDefault();
  const answer = document.getElementById("reveal-answer");
  const field = byId("password", HTMLInputElement);
  try {
    const { body } = await post("/api/setup/webhook-secret", { password: field.value });
    write(answer, body.ok ? "The messages carry the secret until this page is left." : body.error);
    if (!body.ok) return field.select();
    secret = body.secret;
    field.value = "";
    draw();
  } catch (failure) {
    if (!(failure instanceof NoAnswer)) throw failure;
    write(answer, "The desk does not answer.");
  }
  return null;
}

start();
