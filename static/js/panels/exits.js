/**
 * Ways out, never disabled: what the page believes must not stand between the operator and flat.
 *
 * A click asks; the desk may refuse it while the initial exit lock holds. Holding for 1.5 s forces it.
 * The answer appears beside the button that was pressed.
 */

import { NoAnswer, post } from "../api.js";
import { mark, slots, write } from "../dom.js";
import { signedPoints } from "../format.js";
import { makeHoldable } from "../hold.js";
import * as store from "../store.js";

const ANSWER_STAYS_MS = 12_000;
const buttons = [...document.querySelectorAll("[data-exit]")];
const thumb = slots(document.getElementById("thumb-bar"));
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
    });
  }
}

export function forget() {
  for (const button of buttons) say(button, "");
}

export function draw({ assets }, symbol) {
  const asset = assets[symbol];
  for (const button of buttons) drawButton(button, asset, Object.values(assets));
  write(thumb.held, held(asset));
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
  say(button, "Asking the desk…", "info");
  try {
    const { body } = isAll
      ? await post("/api/exit-all", { force })
      : await post("/api/exit", { asset: symbolInView(), force });
    say(button, isAll ? allAnswer(body) : oneAnswer(body), body.ok && !body.skipped?.length ? "info" : null);
  } catch (failure) {
    if (!(failure instanceof NoAnswer)) throw failure;
    say(button, "No answer from the desk: whether the exit exists is unknown. Press again; a second exit is never made.");
  } finally {
    redraw();
  }
}

function oneAnswer(body) {
  if (!body.ok) return isLockRefusal(body.error) ? lockSentence(symbolInView()) : body.error;
  if (body.latched) return "Latched: the exit follows as soon as the open order is final.";
  if (body.already_pending) return `The exit is already on its way: ${body.order?.status ?? "pending"}.`;
  if (!body.order) return "Nothing to exit.";
  return body.order.kind === "ENTRY" ? "The unclaimed entry is cancelled." : "The exit is queued for the bridge.";
}

function allAnswer(body) {
  if (!body.ok) return body.error;
  const parts = [];
  if (body.orders?.length) parts.push(`Exits queued: ${body.orders.map((order) => order.asset).join(", ")}.`);
  if (body.latched?.length) parts.push(`Latched behind an open order: ${body.latched.join(", ")}.`);
  for (const { asset, reason } of body.skipped ?? []) parts.push(isLockRefusal(reason) ? lockSentence(asset) : `${asset}: ${reason}.`);
  return parts.join(" ") || "Every asset is flat: nothing to exit.";
}

function isLockRefusal(sentence) {
  return sentence.startsWith("INITIAL_EXIT_LOCK_ACTIVE");
}

function lockSentence(symbol) {
  return `INITIAL EXIT LOCK ACTIVE — ${symbol} is locked until the next 6pt brick. Hold the button for 1.5 s to force the exit.`;
}

function say(button, sentence, tone = null) {
  const answer = slots(button.closest("[data-exit-area]"))["exit-answer"];
  write(answer, sentence);
  mark(answer, "data-tone", tone);
  clearTimeout(fadeTimers.get(answer));
  fadeTimers.set(answer, setTimeout(() => write(answer, ""), ANSWER_STAYS_MS));
}
