// @ts-check

/** The set-up page: what to paste for the chosen asset, copy buttons, and how long ago each webhook was heard. */

import { NoAnswer, post } from "../desk/api.js";
import * as clock from "../desk/clock.js";
import * as controls from "../desk/controls.js";
import * as store from "../desk/store.js";
import * as stream from "../desk/stream.js";
import * as limits from "../panels/day/limits.js";
import * as advisor from "../panels/desk/advisor.js";
import * as banners from "../panels/desk/banners.js";
import * as feeds from "../panels/desk/feeds.js";
import * as keys from "../panels/desk/keys.js";
import * as oneAlert from "../panels/desk/one_alert.js";
import { age } from "../reading/format.js";
import { all, around, byId, mark, one, write } from "../ui/dom.js";

const PLACEHOLDER = "YOUR TV_WEBHOOK_SECRET";
const FRESH_MS = 10 * 60 * 1000;
const JUST_NOW_MS = 4_000;
const LEVEL_EXIT = "level_exit_ts";
/** @typedef {{freshMs: number, never: string}} Pace how long a message counts as fresh, and the words for none */
/** @typedef {"last_heartbeat_ts" | `${Page.StreamName}_ts`} TimeField */

/** A line is touched once in a while: an old one is no loss, and one of long ago the log may have forgotten. */
/** @type {Pace} */
const SELDOM = { freshMs: Infinity, never: "none that the log knows of" };
const STEADY = { freshMs: FRESH_MS, never: "nothing received yet" };

const asset = byId("asset", HTMLSelectElement);
const hooks = all(byId("tradingview"), ".hook");
const copied = byId("copied");
let secret = PLACEHOLDER;

function start() {
  const state = JSON.parse(byId("state").textContent);
  clock.hear(state.now);
  store.takeState(state);
  asset.addEventListener("change", draw);
  for (const choice of colors()) choice.addEventListener("change", draw);
  document.addEventListener("click", copyWhenAsked);
  document.getElementById("reveal")?.addEventListener("submit", reveal);
  controls.start(draw);
  limits.start();
  feeds.start();
  advisor.start();
  keys.start();
  draw();
  stream.start(draw);
  clock.everySecond(draw);
}

const colors = () => all(document, 'input[name="color"]', HTMLInputElement);
const color = () => colors().find((choice) => choice.checked)?.value ?? "";

function draw() {
  const state = store.current();
  banners.draw(state);
  oneAlert.draw(state, asset);
  write(part(byId("tradingview"), "secret"), secret);
  for (const hook of hooks) drawHook(hook, state.assets[asset.value]);
  drawBridge(state.global);
  limits.draw(state);
}

/**
 * @param {HTMLElement} hook
 * @param {Wire.AssetState | undefined} facts
 */
function drawHook(hook, facts) {
  write(part(hook, "message"), messageOf(hook));
  if (hook.dataset.ts === LEVEL_EXIT) drawAge(part(hook, "age"), store.levelExitOf(asset.value), SELDOM);
  else drawAge(part(hook, "age"), facts?.[/** @type {TimeField} */ (hook.dataset.ts)] ?? null);
}

/** @param {HTMLElement} hook */
function messageOf(hook) {
  const written = (hook.dataset.message ?? "").replace("ASSET", asset.value).replace("COLOR", color());
  return written.replace(JSON.stringify(PLACEHOLDER), () => JSON.stringify(secret));
}

/** @param {Wire.GlobalState} desk */
function drawBridge(desk) {
  drawAge(byId("bridge-age"), desk.rithmic_last_ts);
}

/**
 * Said in words; the mark beside it only repeats them. Without the desk nobody knows what was received since.
 *
 * @param {HTMLElement} element
 * @param {Page.Instant | null} at
 * @param {Pace} [pace]
 */
function drawAge(element, at, pace = STEADY) {
  const since = at === null ? null : clock.now() - Date.parse(at);
  const isLost = stream.lostSince() !== null;
  mark(element, "data-heard", heardOf(since, isLost, pace));
  write(element, `${wordsOf(since, pace)}${isLost ? ", as far as is known" : ""}`);
}

/**
 * @param {number | null} since
 * @param {boolean} isLost
 * @param {Pace} pace
 */
function heardOf(since, isLost, { freshMs }) {
  if (since === null) return "never";
  if (isLost || since >= freshMs) return "old";
  return since < JUST_NOW_MS ? "now" : "fresh";
}

/**
 * @param {number | null} since
 * @param {Pace} pace
 */
function wordsOf(since, { never }) {
  if (since === null) return never;
  return since < JUST_NOW_MS ? "received now" : `received ${age(Math.floor(since / 1000))} ago`;
}

/**
 * @param {ParentNode} element
 * @param {string} name
 */
const part = (element, name) => one(element, `[data-slot="${name}"]`);

/** @param {Event} event */
async function copyWhenAsked(event) {
  const button = around(event, "[data-copy]");
  if (!button) return;
  const source = part(/** @type {HTMLElement} */ (button.closest(".copyable")), button.dataset.copy ?? "");
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

/** @param {HTMLElement} element */
function selectAll(element) {
  const range = document.createRange();
  range.selectNodeContents(element);
  const selection = window.getSelection();
  selection?.removeAllRanges();
  selection?.addRange(range);
}

/** @param {Event} event */
async function reveal(event) {
  event.preventDefault();
  const answer = byId("reveal-answer");
  const field = byId("password", HTMLInputElement);
  try {
    const { body } = await post("/api/setup/webhook-secret", { password: field.value });
    write(answer, body.ok ? "The texts carry the secret until this page is left." : body.error);
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
