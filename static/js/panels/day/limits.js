// @ts-check

/** The limits in force, what changes with the next trading day, and a form to tighten. The desk decides which is which. */

import { accept, ask, followValue, isPending, numberIn, tell, watchTyping } from "../../desk/controls.js";
import * as store from "../../desk/store.js";
import { countdown, wholeNumber } from "../../reading/format.js";
import { all, byId, copyOf, follow, mark, markBusy, one, show, slots, write } from "../../ui/dom.js";

const root = byId("limits");
const slot = slots(root);
const form = one(root, "form", HTMLFormElement);
const fields = all(form, "input", HTMLInputElement);
const ALWAYS_SHOWN = fields.map((field) => field.name);
/** @typedef {Record<string, number | string | boolean | null | Record<string, number>>} Values limits by their names */

/** @type {Record<string, string>} */
const TITLES = JSON.parse(root.dataset.titles ?? "{}");

export function start() {
  watchTyping(form);
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    setLimits();
  });
}

async function setLimits() {
  /** @type {Values} */
  const inForce = { ...store.current().global.limits };
  const typed = fields.filter((field) => field.dataset.typed !== undefined);
  const asked = typed.filter((field) => numberIn(field) !== inForce[field.name]);
  if (typed.some((field) => Number.isNaN(numberIn(field))))
    return tell(slot["limits-answer"], "Type a number in every field you change.");
  if (asked.length === 0) return tell(slot["limits-answer"], "Nothing was changed: type another number first.", "info");
  const limits = Object.fromEntries(asked.map((field) => [field.name, numberIn(field)]));
  const body = await ask(slot["limits-answer"], "/api/limits", limits);
  if (!body?.ok) return body ? tell(slot["limits-answer"], byTitle(body)) : null;
  for (const field of fields) accept(field);
  return tell(slot["limits-answer"], outcome(Object.keys(limits), body), "info");
}

/**
 * A refusal names the field by its name on the wire; here it has a title.
 *
 * @param {Wire.Problem} refusal
 */
function byTitle({ error, field, detail }) {
  const title = TITLES[field ?? ""];
  return title && detail ? `${title}: ${detail}` : error;
}

/**
 * What the desk made of it: in force now, or from the next trading day on.
 *
 * @param {string[]} names
 * @param {Wire.LimitsAnswer} answer
 */
function outcome(names, { limits, pending }) {
  /**
   * @param {string[]} chosen
   * @param {Values} values
   */
  const listed = (chosen, values) => chosen.map((name) => `${TITLES[name]} ${worded(name, values[name])}`).join(", ");
  const waits = names.filter((name) => name in pending);
  const holds = names.filter((name) => !(name in pending));
  const said = [];
  if (holds.length) said.push(`In force now: ${listed(holds, limits)}.`);
  if (waits.length) said.push(`Looser, so from the next trading day: ${listed(waits, pending)}.`);
  return said.join(" ");
}

/** @param {Page.State} state */
export function draw({ global: desk }) {
  const pending = desk.limits_pending ?? {};
  /** @type {Values} */
  const limits = { ...desk.limits };
  const names = [...ALWAYS_SHOWN, ...Object.keys(pending).filter((name) => !ALWAYS_SHOWN.includes(name))];
  follow(slot["limits-list"], names, {
    key: (name) => name,
    make: () => copyOf("limit-row"),
    fill: (row, name) => fillLimit(row, name, limits, pending),
  });
  for (const field of fields) followValue(field, /** @type {number} */ (limits[field.name]));
  const hasTyped = fields.some((field) => field.dataset.typed !== undefined);
  mark(slot["limits-send"], "data-live", hasTyped);
  markBusy(slot["limits-send"], isPending(slot["limits-answer"]));
}

/**
 * @param {HTMLElement} row
 * @param {string} name
 * @param {Values} limits
 * @param {Values} pending
 */
function fillLimit(row, name, limits, pending) {
  const cell = slots(row);
  write(cell["limit-name"], TITLES[name] ?? name.replaceAll("_", " "));
  write(cell["limit-value"], worded(name, limits[name]));
  const waits = name in pending;
  show(cell["limit-pending"], waits);
  write(cell["limit-pending"], waits ? `${worded(name, pending[name])} from the next trading day` : "");
}

/**
 * @param {string} name
 * @param {Values[string]} value
 */
function worded(name, value) {
  if (value === null) return "off";
  if (typeof value === "boolean") return value ? "on" : "off";
  if (typeof value === "object") return listedRates(value);
  const isSeconds = name.endsWith("_seconds");
  if (isSeconds) return countdown(Number(value));
  if (name.endsWith("_pct")) return `${Number(value)} %`;
  return name.endsWith("_points") || name.endsWith("_target") ? `${Number(value)} pt` : counted(name, value);
}

/**
 * @param {string} name
 * @param {Values[string]} value
 */
function counted(name, value) {
  return name.startsWith("max_") ? wholeNumber(Number(value)) : String(value);
}

/** @param {Record<string, number>} rates USD per contract and side, by product */
function listedRates(rates) {
  const listed = Object.entries(rates).map(([product, rate]) => `${product} ${rate}`);
  return listed.length ? listed.join(", ") : "none";
}
