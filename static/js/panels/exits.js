/**
 * Ways out, never disabled: what the page believes must not stand between the operator and flat.
 *
 * A click asks; the desk may refuse it while the initial exit lock holds. Holding for 1.5 s forces it.
 * The answer appears beside the button that was pressed.
 */

import { NoAnswer, post } from "../api.js";
import { mark, slots, write } from "../dom.js";
import { allAnswer, isLockRefusal, lockSentence } from "../exit_words.js";
import { clockTime, signedPoints } from "../format.js";
import { makeHoldable } from "../hold.js";
import * as store from "../store.js";
import * as stream from "../stream.js";

const ANSWER_STAYS_MS = 12_000;
const OTHER_ASSET = "Nothing was sent: another asset came into view while you pressed.";
const buttons = [...document.querySelectorAll("[data-exit]")];
const thumbBar = document.getElementById("thumb-bar");
const thumb = slots(thumbBar);
const fadeTimers = new Map();
let symbolInView = () => "";
let redraw = () => {};

export function start(symbol, whenChanged) {
  symbolInView = symbol;
  redraw = whenChanged;
  for (const button of buttons) {
    makeHoldable(button, {
      mayHold: () => isLocked(button),
      whenHeld: () => leave(button, true),
      whenClicked: () => leave(button, false),
      about: () => (button.dataset.exit === "all" ? "all" : symbolInView()),
      whenOther: () => say(button, OTHER_ASSET),
    });
  }
}

export function forget() {
  for (const button of buttons) say(button, "");
}

export function draw({ assets }, symbol) {
  const asset = assets[symbol];
  for (const button of buttons) drawButton(button, asset, Object.values(assets));
  mark(thumbBar, "data-stale", stream.isSilent());
  write(thumb.held, stream.isSilent() ? `${held(asset)} at ${clockTime(stream.asOf()).slice(0, 5)}` : held(asset));
  write(thumb.points, asset.position === 0 ? "" : `${signedPoints(asset.rithmic_open_points)} pt`);
  mark(thumb.points, "class", asset.rithmic_open_points > 0 ? "gain" : asset.rithmic_open_points < 0 ? "loss" : null);
}

function held(asset) {
  if (asset.position === 0) return `${asset.symbol} flat`;
  return `${asset.symbol} ${asset.position > 0 ? "long" : "short"} ${Math.abs(asset.position)}`;
}

function drawButton(button, asset, assets) {
  const isAll = button.dataset.exit === "all";
  const hasSomething = isAll ? assets.some(isExposed) : isExposed(asset);
  mark(button, "data-locked", isLocked(button));
  mark(button, "data-live", hasSomething);
  const slot = slots(button);
  write(slot["exit-label"], isAll ? "Exit all" : `Exit ${asset.symbol}`);
  write(slot["exit-note"], noteOf(button, asset));
}

function isExposed(asset) {
  return asset.position !== 0 || asset.pending_order_id !== null;
}

/** Why a click is not enough, or how far the exit is. Only the large button has room for the reason. */
function noteOf(button, asset) {
  const isOne = button.dataset.exit === "one";
  if (isOne && asset.pending_kind === "EXIT") return asset.pending_status.toLowerCase().replaceAll("_", " ");
  if (!isLocked(button)) return "";
  return isOne && button.closest("#trade") ? "locked until the next 6pt brick · hold 1.5 s to force" : "hold to force";
}

/** Whether the initial exit lock holds for what this button leaves. */
function isLocked(button) {
  const { assets } = store.current();
  if (button.dataset.exit === "one") return assets[symbolInView()].initial_exit_lock_active;
  return Object.values(assets).some((asset) => asset.initial_exit_lock_active);
}

async function leave(button, force) {
  const isAll = button.dataset.exit === "all";
  const symbol = symbolInView();
  say(button, "Asking the desk…", "info");
  try {
    const { body } = isAll ? await post("/api/exit-all", { force }) : await post("/api/exit", { asset: symbol, force });
    say(button, isAll ? allAnswer(body) : ofAsset(symbol, oneAnswer(body, symbol)), body.ok && !body.skipped?.length ? "info" : null);
  } catch (failure) {
    if (!(failure instanceof NoAnswer)) throw failure;
    say(button, "No answer from the desk: whether the exit exists is unknown. Press again; a second exit is never made.");
  } finally {
    redraw();
  }
}

/** An answer about an asset that has left the view meanwhile names it. */
function ofAsset(symbol, sentence) {
  return symbol === symbolInView() || sentence.includes(symbol) ? sentence : `${symbol}: ${sentence}`;
}

function oneAnswer(body, symbol) {
  if (!body.ok) return isLockRefusal(body.error) ? lockSentence(symbol) : body.error;
  if (body.latched) return "Latched: the exit follows as soon as the open order is final.";
  if (body.already_pending) return `The exit is already on its way: ${body.order?.status ?? "pending"}.`;
  if (!body.order) return "Nothing to exit.";
  return body.order.kind === "ENTRY" ? "The unclaimed entry is cancelled." : "The exit is queued for the bridge.";
}

function say(button, sentence, tone = null) {
  const answer = slots(button.closest("[data-exit-area]"))["exit-answer"];
  write(answer, sentence);
  mark(answer, "data-tone", tone);
  clearTimeout(fadeTimers.get(answer));
  fadeTimers.set(answer, setTimeout(() => write(answer, ""), ANSWER_STAYS_MS));
}
