// @ts-check

/** Sounds and notifications: off until somebody wants them, kept in the browser, tried out before they are needed. */

import { GROUPS, KINDS } from "../../reading/signals.js";
import { byId, copyOf, mark, slots, write } from "../../ui/dom.js";
import * as kept from "../../ui/kept.js";
import * as notices from "../../ui/notices.js";
import * as tones from "../../ui/tones.js";
import * as voice from "../../ui/voice.js";
import * as watch from "./signal_watch.js";

const KEPT = { sounds: "lockstep.sounds", notices: "lockstep.notifications", muted: "lockstep.signals.muted" };
const WAITS = "Sounds begin with your first click or key on this page: browsers want it so.";
const NOT_ALLOWED_ANY_MORE = "Notifications were on, but the browser does not allow them any more.";

const slot = slots(byId("signals"));
const button = slots(byId("top"))["signals-state"];
const rows = new Map();

export function start() {
  for (const [name, group] of Object.entries(GROUPS)) slot.groups.append(rowOf(name, group));
  slot.sounds.addEventListener("change", (/** @type {Event} */ event) => switchSounds(isChecked(event)));
  slot.notices.addEventListener("change", (/** @type {Event} */ event) => switchNotices(isChecked(event)));
  for (const use of ["click", "keydown"]) document.addEventListener(use, wakeWhenWanted);
  window.addEventListener("storage", draw);
  document.addEventListener("visibilitychange", draw);
  voice.start();
  watch.start(tell);
  draw();
}

/** What the stream says goes through here. */
export const hear = watch.hear;

/** @param {"sounds" | "notices"} name */
const isOn = (name) => kept.read(KEPT[name]) === "on";
/** @param {Event} event */
const isChecked = ({ target }) => /** @type {HTMLInputElement} */ (target).checked;
const muted = () => (kept.read(KEPT.muted) ?? "").split(" ").filter(Boolean);

/** @param {Page.Signal[]} signals */
function tell(signals) {
  if (!voice.isOurs()) return;
  const isMuted = muted();
  const wanted = signals.filter((signal) => !isMuted.includes(KINDS[signal.kind].group));
  if (isOn("sounds")) tones.play(wanted.map((signal) => signal.kind));
  if (isOn("notices")) for (const signal of wanted) notices.notify(signal, isOn("sounds") && tones.isAwake());
}

/**
 * @param {string} name
 * @param {{words: string, example: string}} group
 */
function rowOf(name, { words, example }) {
  const row = copyOf("signal-row");
  const cell = slots(row);
  write(cell.words, words);
  mark(cell.play, "aria-label", `Play the tone: ${words}`);
  cell.play.addEventListener("click", async () => {
    await tones.wake();
    tones.play([example]);
  });
  cell.wanted.addEventListener("change", (/** @type {Event} */ event) => {
    const others = muted().filter((other) => other !== name);
    kept.keep(KEPT.muted, (isChecked(event) ? others : [...others, name]).join(" "));
  });
  rows.set(name, cell.wanted);
  return row;
}

/** @param {boolean} isWanted */
async function switchSounds(isWanted) {
  kept.keep(KEPT.sounds, isWanted ? "on" : "off");
  write(slot.answer, "");
  if (isWanted) {
    await tones.wake();
    tones.play(["entry_filled"]); // heard now or not at all: the volume may be down
  }
  draw();
}

/** @param {boolean} isWanted */
async function switchNotices(isWanted) {
  const refusal = isWanted ? await notices.askLeave() : "";
  kept.keep(KEPT.notices, isWanted && refusal === "" ? "on" : "off");
  write(slot.answer, refusal);
  draw();
}

async function wakeWhenWanted() {
  if (!isOn("sounds") || tones.isAwake()) return;
  await tones.wake();
  draw();
}

function draw() {
  if (isOn("notices") && !notices.isAllowed()) {
    kept.keep(KEPT.notices, "off");
    write(slot.answer, NOT_ALLOWED_ANY_MORE);
  }
  slot.sounds.checked = isOn("sounds");
  slot.notices.checked = isOn("notices");
  const isMuted = muted();
  for (const [name, box] of rows) box.checked = !isMuted.includes(name);
  const waits = isOn("sounds") && !tones.isAwake();
  write(slot.note, waits ? WAITS : "");
  write(button, waits ? "paused" : isOn("sounds") || isOn("notices") ? "on" : "off");
}
