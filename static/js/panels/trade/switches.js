// @ts-check

/**
 * The ways out as switches. A switch moves when the desk's document says so, never by the click itself; what is
 * locked may still be clicked, and the desk says why it refuses.
 */

import { accept, ask, followValue, forgetWithin, isPending, numberIn, tell, watchTyping } from "../../desk/controls.js";
import * as store from "../../desk/store.js";
import { all, byId, mark, markBusy, one, show, slots, write } from "../../ui/dom.js";
import { stopOf } from "./trade.js";
import { managementSentence, protectIsDue, waysOut } from "./ways_out.js";

const root = byId("ways-out");
const head = slots(byId("ways-out-head"));
/** @typedef {{row: HTMLElement, slot: Page.Slots}} Row */

/** @type {Map<string, Row>} */
const rows = new Map(all(root, "[data-way]").map((row) => [row.dataset.way ?? "", { row, slot: slots(row) }]));
const settings = {
  target: one(root, "[name=points_target]", HTMLInputElement),
  signals: one(root, "[name=signal_target]", HTMLInputElement),
};
const thresholds = all(root, "[data-threshold]");
const TURNS_AROUND = ["four_pt_invalidation", "signal_target", "main_flip", "high_next_bar"]; // whatever is set now
let symbolInView = () => "";

/**
 * What a switch sends.
 *
 * @type {Record<string, (asset: Wire.AssetState) => [path: string, command: object]>}
 */
const SWITCHES = {
  points_target: (asset) => ["/api/points-take-profit", { enabled: !asset.points_tp_enabled }],
  protect: (asset) => ["/api/protect", { enabled: !asset.protect_enabled }],
  four_pt_invalidation: () => ["/api/four-pt-invalidation", {}],
  signal_target: () => ["/api/take-profit", { tp_arm: "toggle" }],
  main_flip: () => ["/api/main-flip-exit", {}],
  high_next_bar: () => ["/api/high-next-bar-exit", {}],
};

/** @param {() => string} symbol */
export function start(symbol) {
  symbolInView = symbol;
  for (const [way, message] of Object.entries(SWITCHES)) {
    slotOf(way).switch.addEventListener("click", () => send(way, ...message(asset())));
  }
  onSubmit("points_target", settings.target, (target) => {
    send("points_target", "/api/points-take-profit", { enabled: asset().points_tp_enabled, target }, settings.target);
  });
  onSubmit("signal_target", settings.signals, (target) => {
    send("signal_target", "/api/take-profit", { tp_target: target }, settings.signals);
  });
  slotOf("signal_target").reset.addEventListener("click", () =>
    send("signal_target", "/api/take-profit", { reset: true }),
  );
  for (const button of thresholds)
    button.addEventListener("click", () => setThreshold(Number(button.dataset.threshold)));
}

export function forget() {
  forgetWithin(root);
}

/** @param {string} way */
function slotOf(way) {
  return /** @type {Row} */ (rows.get(way)).slot;
}

/** @param {HTMLInputElement} input */
function formOf(input) {
  return /** @type {HTMLFormElement} */ (input.form);
}

function asset() {
  return store.current().assets[symbolInView()];
}

/**
 * @param {string} way
 * @param {HTMLInputElement} input
 * @param {(number: number) => void} sendNumber
 */
function onSubmit(way, input, sendNumber) {
  const form = formOf(input);
  watchTyping(form);
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const number = numberIn(input);
    if (Number.isNaN(number)) tell(slotOf(way).answer, "Type a number first.");
    else sendNumber(number);
  });
}

/** @param {number} threshold */
function setThreshold(threshold) {
  send("protect", "/api/protect", { enabled: asset().protect_enabled, threshold });
}

/**
 * @param {string} way
 * @param {string} path
 * @param {object} command
 * @param {HTMLInputElement | null} [input]
 */
async function send(way, path, command, input = null) {
  const needsStream = input === null && TURNS_AROUND.includes(way);
  const body = await ask(slotOf(way).answer, path, { asset: symbolInView(), ...command }, { needsStream });
  if (!body?.ok) return;
  if (input) accept(input);
  if (way === "protect") tellWhenDue(slotOf(way).answer, body.asset);
}

/**
 * Protect that is due when it is set takes the trade out with the next price.
 *
 * @param {HTMLElement} answer
 * @param {Wire.AssetState | undefined} changed as the desk answered it
 */
function tellWhenDue(answer, changed) {
  const due = changed?.protect_enabled ? protectIsDue(changed) : "";
  if (due) tell(answer, `Protect ${due}.`, "info");
}

/**
 * @param {Page.State} state
 * @param {string} symbol
 */
export function draw(state, symbol) {
  const asset = state.assets[symbol];
  if (asset.trade === null) return;
  const stop = stopOf(state, asset, asset.trade);
  const ways = waysOut(state.global, asset, asset.trade, stop);
  mark(slotOf("stop").when, "data-standing", stop.standing);
  for (const [way, { row, slot }] of rows) drawRow(row, slot, ways[way]);
  write(head.management, managementSentence(asset, asset.trade));
  mark(head.management, "data-locked", asset.two_half_tp_lock_enabled);
  drawSettings(asset);
}

/**
 * @param {HTMLElement} row
 * @param {Page.Slots} slot
 * @param {import("./ways_out.js").Way} way
 */
function drawRow(row, slot, way) {
  mark(row, "data-armed", way.isArmed ? "yes" : "no");
  mark(row, "data-locked", way.lock !== "");
  write(slot.when, way.when);
  write(slot.where, way.where);
  if (!slot.switch) return;
  write(slot.lock, way.lock);
  const isAsking = isPending(slot.answer);
  mark(slot.switch, "aria-checked", way.isArmed ? "true" : "false");
  markBusy(slot.switch, isAsking);
}

/** @param {Wire.AssetState} asset */
function drawSettings(asset) {
  followValue(settings.target, asset.points_tp_target);
  followValue(settings.signals, asset.tp_target);
  for (const input of Object.values(settings)) drawSetButton(input);
  for (const button of thresholds) {
    mark(
      button,
      "aria-pressed",
      Number(button.dataset.threshold) === asset.protect_threshold_points ? "true" : "false",
    );
  }
  show(slotOf("signal_target").reset, asset.tp_count > 0);
}

/**
 * The button comes with something to set: a number that differs from the desk's.
 *
 * @param {HTMLInputElement} input
 */
function drawSetButton(input) {
  mark(one(formOf(input), "[type=submit]"), "data-live", input.dataset.typed !== undefined);
}
