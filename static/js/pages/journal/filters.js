// @ts-check

/** Which trades: the form, and the same in the address, so that a selection can be kept and sent. */

import { plain } from "../../reading/words.js";
import { byId } from "../../ui/dom.js";

const form = byId("filters", HTMLFormElement);
const sheet = byId("sheet", HTMLAnchorElement);
const box = byId("filter-box", HTMLDetailsElement);
const words = byId("filter-words");
const narrow = window.matchMedia("(width < 48rem)");
const NAMES = ["first_day", "last_day", "env", "asset", "side", "mode", "reason", "tag"];
const EVERYTHING = "all"; // in the address alone: without a word the account is the desk's own
let tell = () => {};

/**
 * Fill the form from the address and call `whenChanged` when the operator chooses.
 *
 * @param {string} ownEnv
 * @param {() => void} whenChanged
 */
export function start(ownEnv, whenChanged) {
  const asked = new URLSearchParams(window.location.search);
  for (const name of NAMES) if (asked.has(name)) put(name, asked.get(name) ?? "");
  if (!asked.has("env")) put("env", ownEnv);
  else if (asked.get("env") === EVERYTHING) put("env", "");
  tell = () => {
    remember(ownEnv);
    whenChanged();
  };
  form.addEventListener("submit", (event) => event.preventDefault());
  form.addEventListener("change", ({ target }) => {
    if (/** @type {HTMLInputElement} */ (target).validity.valid) tell();
  });
  form.addEventListener("reset", (event) => {
    event.preventDefault();
    for (const name of NAMES) put(name, name === "env" ? ownEnv : "");
    tell();
  });
  box.open = !narrow.matches; // a phone shows the figures first
  narrow.addEventListener("change", () => (box.open = !narrow.matches));
  remember(ownEnv);
}

/**
 * Choose one trading day, or let it go when it was chosen.
 *
 * @param {string} day
 */
export function chooseDay(day) {
  const isChosen = chosenDay() === day;
  for (const name of ["first_day", "last_day"]) put(name, isChosen ? "" : day);
  tell();
}

/** The one trading day that is chosen; null when there are more. */
export function chosenDay() {
  const [first, last] = [chosenOf("first_day"), chosenOf("last_day")];
  return first && first === last ? first : null;
}

export function env() {
  return chosenOf("env");
}

/**
 * The selection as a query.
 *
 * @param {Record<string, string | number | null>} [more]
 */
export function query(more = {}) {
  const asked = new URLSearchParams();
  for (const name of NAMES) if (chosenOf(name)) asked.set(name, chosenOf(name));
  for (const [name, value] of Object.entries(more)) asked.set(name, String(value));
  return asked;
}

/** Whether anything but the account narrows the selection. */
export function isNarrow() {
  return NAMES.some((name) => name !== "env" && chosenOf(name));
}

/**
 * Offer the reasons and tags that there are; what is chosen stays.
 *
 * @param {string} name
 * @param {string[]} values
 */
export function offer(name, values) {
  const field = fieldNamed(name);
  const known = new Set([...field.options].map((option) => option.value));
  for (const value of values)
    if (!known.has(value)) field.append(new Option(name === "reason" ? plain(value) : value, value));
}

/** @param {string} ownEnv */
function remember(ownEnv) {
  const asked = query();
  sheet.href = `${sheet.href.split("?")[0]}?${asked}`;
  words.textContent = NAMES.map(chosenOf).filter(Boolean).join(", ") || "all";
  if (!env()) asked.set("env", EVERYTHING);
  else if (env() === ownEnv) asked.delete("env");
  const text = asked.toString();
  window.history.replaceState(null, "", text ? `?${text}` : window.location.pathname);
}

/**
 * A field of the form by its name; what offers nothing has no options.
 *
 * @param {string} name
 */
function fieldNamed(name) {
  return /** @type {HTMLSelectElement} */ (form.elements.namedItem(name));
}

/** @param {string} name */
function chosenOf(name) {
  return fieldNamed(name).value;
}

/**
 * A choice that the page does not offer yet is offered: an address may name a tag.
 *
 * @param {string} name
 * @param {string} value
 */
function put(name, value) {
  const field = fieldNamed(name);
  if (value && field.options && ![...field.options].some((option) => option.value === value)) offer(name, [value]);
  field.value = value;
}
