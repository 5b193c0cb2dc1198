/**
 * Ways in. The buttons show what the first closed gate says, but they never decide: a click on a blocked one
 * still goes to the desk, which refuses it in its own words and journals the attempt.
 *
 * The direction that was on the button is always sent, in a NORMAL zone too: should the structure turn between
 * the drawing and the click, the desk refuses instead of entering the other way.
 */

import { clickKey, NoAnswer, post } from "../api.js";
import * as clock from "../clock.js";
import { mark, show, slots, write, writeRunning } from "../dom.js";
import { age, clockTime, countdown } from "../format.js";
import { firstClosed, firstClosedButZone, headline, liveSentence, RUNNING_TIME } from "../gates.js";
import { makeHoldable } from "../hold.js";
import * as store from "../store.js";
import * as stream from "../stream.js";

const root = document.getElementById("entry");
const slot = slots(root);
const buttons = [...root.querySelectorAll("[data-side]")];
const ARROWS = { BUY: "▲", SELL: "▼" };

let symbolInView = () => "";
let redraw = () => {};
let isAsking = false;
let refusal = null; // what the desk last said to a click: {sentence, gate, endsAt}

export function start(symbol, whenChanged) {
  symbolInView = symbol;
  redraw = whenChanged;
  for (const button of buttons) button.addEventListener("click", () => enter(button.dataset.side));
  root.addEventListener("change", redraw);
  makeHoldable(slot["override-button"], {
    mayHold: () => overrideObstacle() === null && !isAsking,
    whenHeld: () => enter(chosen("override_side"), true),
    whenClicked: tellHowToOverride,
  });
}

/** Forget what was said: it belonged to another asset. */
export function forget() {
  refusal = null;
  for (const radio of root.querySelectorAll("[name=override_side]")) radio.checked = false;
  slot.override.open = false;
  say("", false);
  say("", true);
}

export function draw(document, symbol) {
  const asset = document.assets[symbol];
  const closed = firstClosed(asset);
  const sides = offeredSides(asset);
  write(slot.note, `${asset.contract} · ${document.global.env}`);
  mark(slot.buttons, "data-count", sides.length);
  for (const button of buttons) {
    show(button, sides.includes(button.dataset.side));
    drawButton(button, { desk: document.global, asset, closed });
  }
  write(slot.why, why(asset, closed));
  mark(slot.why, "data-tone", closed || stream.isSilent() ? "locked" : "open");
  drawOverride(document.global, asset);
  drawRefusal(asset);
}

/** NORMAL offers the structure's side, FREE both; without a zone there is one button that only says why. */
function offeredSides(asset) {
  if (asset.zone_type === "FREE") return ["BUY", "SELL"];
  return [asset.zone_direction ?? "BUY"];
}

function drawButton(button, { desk, asset, closed }) {
  const side = button.dataset.side;
  const hasZone = asset.zone_type !== "NONE";
  const isBlocked = isAsking || stream.isSilent() || closed !== null || !hasZone;
  const label = `${ARROWS[side]} ${side} ${quantity(desk)} ${asset.contract}`;
  const blockedLabel = hasZone ? label : "no direction yet";
  mark(button, "aria-disabled", isBlocked ? "true" : "false");
  mark(button, "aria-busy", isAsking);
  mark(button, "data-blocked", isBlocked);
  write(slot[`${side}-headline`], isBlocked ? obstacle(asset, closed) : label);
  write(slot[`${side}-detail`], isBlocked ? blockedLabel : `market · ${chosen("trade_mode")} · ${chosen("entry_size_mode")}`);
}

function obstacle(asset, closed) {
  if (isAsking) return "ASKING THE DESK…";
  if (stream.isSilent()) return `STREAM SILENT ${age(Math.floor(stream.ageMs() / 1000))}`;
  return closed ? headline(closed) : "NO ZONE";
}

function why(asset, closed) {
  if (stream.isSilent()) return "The page has not heard the desk for more than 5 s: entries wait for the stream. Exits work.";
  if (!closed) return "Every gate is open.";
  const others = asset.ladder.filter((rung) => rung.state === "closed").length - 1;
  const after = closed.reopens_at ? ` Opens at ${clockTime(closed.reopens_at)}.` : ` Opens with: ${closed.reopens}.`;
  return liveSentence(closed) + "." + after + (others > 0 ? ` ${others} more closed below.` : "");
}

function quantity(desk) {
  const limits = desk.limits ?? {};
  return chosen("entry_size_mode") === "6pt" ? limits.entry_qty_6pt : limits.entry_qty_9pt;
}

function chosen(name) {
  return root.querySelector(`[name=${name}]:checked`)?.value ?? null;
}

function drawOverride(desk, asset) {
  const side = chosen("override_side");
  const obstacleNow = overrideObstacle();
  show(slot.override, asset.zone_type !== "FREE");
  mark(slot["override-button"], "aria-disabled", obstacleNow === null && !isAsking ? "false" : "true");
  write(slot["override-label"], obstacleNow ?? `Hold to ${side} ${quantity(desk)} ${asset.contract} against the rule`);
}

/** What keeps an override from being held down, null when nothing does. */
function overrideObstacle() {
  const closed = firstClosedButZone(store.current().assets[symbolInView()]);
  if (stream.isSilent()) return "Entries wait for the stream";
  if (closed) return headline(closed);
  return chosen("override_side") ? null : "Choose BUY or SELL first";
}

function tellHowToOverride() {
  say(overrideObstacle() ?? "Hold the button for 1.5 s to override.", true);
}

function drawRefusal(asset) {
  if (refusal === null) return;
  const rung = asset.ladder.find((candidate) => candidate.gate === refusal.gate);
  const isOver = rung?.state === "open" && !refusal.override && refusal.version < store.current().version;
  const hasRunOut = refusal.endsAt !== null && clock.now() >= refusal.endsAt;
  if (isOver || hasRunOut) {
    say("", refusal.override);
    refusal = null;
    return;
  }
  if (refusal.endsAt === null || !RUNNING_TIME.test(refusal.sentence)) return;
  const left = countdown(Math.ceil((refusal.endsAt - clock.now()) / 1000));
  writeRunning(answerOf(refusal.override), refusal.sentence, left, RUNNING_TIME);
}

async function enter(side, override = false) {
  if (isAsking) return;
  const asset = store.current().assets[symbolInView()];
  const obstacleHere = obstacleOfThePage(asset, override);
  if (obstacleHere) return say(obstacleHere, override);
  refusal = null;
  isAsking = true;
  say("", override);
  redraw();
  try {
    const { status, body } = await post("/api/orders", order(asset, side, override), { "Idempotency-Key": clickKey() });
    take(status, body, override);
  } catch (failure) {
    if (!(failure instanceof NoAnswer)) throw failure;
    say("No answer from the desk: whether the order exists is unknown. Wait for the state before clicking again.", override);
  } finally {
    isAsking = false;
    redraw();
  }
}

/** What the page itself must not send: clicks on a picture that may be old, or without a direction. */
function obstacleOfThePage(asset, override) {
  if (stream.isSilent()) return "Not sent: the live stream is silent, so what you see may be old. Exits work.";
  const isWithoutDirection = asset.zone_type === "NONE" && !override;
  const closed = firstClosed(asset);
  return isWithoutDirection && closed ? liveSentence(closed) : null;
}

function order(asset, side, override) {
  return {
    asset: asset.symbol,
    trade_mode: chosen("trade_mode"),
    order_type: "market",
    direction: side,
    entry_size_mode: chosen("entry_size_mode"),
    entry_override: override,
  };
}

function take(status, body, override) {
  if (body.ok) {
    if (body.state) store.takeAnswer(body.state);
    slot.override.open = false;
    return;
  }
  const endsAt = body.retry_after_s ? clock.now() + body.retry_after_s * 1000 : null;
  refusal = { sentence: body.error, gate: body.gate ?? null, endsAt, override, version: store.current().version };
  say(body.error, override);
}

function say(sentence, override) {
  write(answerOf(override), sentence);
}

function answerOf(override) {
  return override ? slot["override-answer"] : slot.answer;
}
