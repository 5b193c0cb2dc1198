// @ts-check

/**
 * Single keys. The table that binds them is the one that the sheet shows, so the sheet cannot lie.
 *
 * A key never orders: it brings what orders under Enter, with its headline to be read first. What it cannot do it says
 * in a line that is read out too. All of them can be switched off (WCAG 2.1.4): who speaks to the computer types letters.
 */

import { byId, copyOf, mark, slots, write } from "./dom.js";
import * as kept from "./kept.js";
import * as sheets from "./sheets.js";

const KEPT = "lockstep.keys";
const SAID_FOR_MS = 6_000;
const PRESSED_NOT_TYPED = ["button", "checkbox", "radio", "range", "reset", "submit"];

const sheet = byId("shortcuts", HTMLDialogElement);
const slot = slots(sheet);
const said = byId("key-said");
/** @type {Map<string, (key: string) => string | undefined>} name of a key → what it does */
const bound = new Map();
/** @type {ReturnType<typeof setTimeout> | undefined} */
let saidTimer;

/**
 * Bind a table and draw the sheet: `[{title, entries: [{keys, words, act}]}]`. A key is named by what it types, with
 * `Shift+` before a letter; `act(name)` may answer a sentence.
 *
 * @param {Page.KeyGroup[]} groups
 */
export function start(groups) {
  /** @type {Page.KeyGroup} */
  const everywhere = {
    title: "This sheet",
    entries: [{ keys: ["?"], words: "Show or close the keys", act: toggleSheet }],
  };
  for (const group of [...groups, everywhere]) addGroup(group);
  sheets.start();
  slot["keys-on"].addEventListener("change", () => kept.keep(KEPT, slot["keys-on"].checked ? "on" : "off"));
  slot["keys-on"].checked = isOn();
  document.addEventListener("keydown", hear);
}

/** Whether keys do anything; the operator may have switched them off. */
export function isOn() {
  return kept.read(KEPT) !== "off";
}

/** @param {Page.KeyGroup} group */
function addGroup({ title, entries }) {
  const group = copyOf("shortcut-group");
  write(slots(group).title, title);
  for (const entry of entries) {
    for (const key of entry.keys) bound.set(key, entry.act);
    slots(group).list.append(rowOf(entry));
  }
  slot.groups.append(group);
}

/** @param {Page.KeyEntry} entry */
function rowOf({ keys, words }) {
  const row = copyOf("shortcut-row");
  const cell = slots(row);
  write(cell.words, words);
  keys.forEach((key, number) => {
    const isWithin = keys.length > 2 && number > 0 && number < keys.length - 1; // 1 … 9
    if (number === 1 && keys.length > 2) cell.keys.append("…");
    const cap = document.createElement("kbd");
    write(cap, key.replace("Shift+", "⇧ "));
    mark(cap, "data-key", key);
    mark(cap, "aria-label", key.startsWith("Shift+") ? key.replace("+", " ") : null);
    cap.hidden = isWithin;
    cell.keys.append(cap);
  });
  return row;
}

// -- pressing ---------------------------------------------------------------------------------------------------

/** @param {KeyboardEvent} event */
function hear(event) {
  if (heldEnter(event)) return event.preventDefault();
  const act = bound.get(nameOf(event));
  if (!act || !isMeant(event, act)) return;
  event.preventDefault();
  say(act(nameOf(event)) ?? "");
}

/**
 * Enter held down is one press: its repeats would ask the desk again and again.
 *
 * @param {KeyboardEvent} event
 */
function heldEnter({ key, repeat, target }) {
  return repeat && key === "Enter" && target instanceof Element && target.closest("button") !== null;
}

/**
 * The key by what it types; a letter of another script by where it lies. What fills forms in sends none.
 *
 * @param {KeyboardEvent} event
 */
function nameOf({ key = "", code, shiftKey }) {
  const isOtherScript = key.length === 1 && key > "\u007f" && /^Key[A-Z]$/.test(code);
  const typed = isOtherScript ? code.slice(3) : key;
  if (!/^[a-z]$/i.test(typed)) return typed;
  return (shiftKey ? "Shift+" : "") + typed.toUpperCase();
}

/**
 * @param {KeyboardEvent} event
 * @param {(key: string) => string | undefined} act
 */
function isMeant(event, act) {
  if (!isOn() || event.repeat || event.isComposing || event.defaultPrevented) return false;
  if (event.ctrlKey || event.metaKey || event.altKey || isTyping(event.target)) return false;
  return !sheets.isAnyOpen() || (act === toggleSheet && sheet.open);
}

/** @param {EventTarget | null} target */
function isTyping(target) {
  if (target instanceof HTMLInputElement) return !PRESSED_NOT_TYPED.includes(target.type);
  return target instanceof HTMLElement && (target.matches("textarea, select") || target.isContentEditable);
}

function toggleSheet() {
  if (sheet.open) sheet.close();
  else sheets.open(sheet);
  return "";
}

/**
 * One line at the page's edge; it goes by itself.
 *
 * @param {string} sentence
 */
function say(sentence) {
  clearTimeout(saidTimer);
  write(said, sentence);
  if (sentence) saidTimer = setTimeout(() => write(said, ""), SAID_FOR_MS);
}
