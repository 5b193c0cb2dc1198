// @ts-check

/** The limits in force, what changes on a later trading day, and a form to tighten. The desk decides which is which. */

import { accept, ask, followValue, isPending, numberIn, tell, watchTyping } from "../../desk/controls.js";
import * as store from "../../desk/store.js";
import { clockTime, countdown, points, usd, weekday, wholeNumber } from "../../reading/format.js";
import { all, byId, copyOf, follow, mark, markBusy, one, show, slots, write } from "../../ui/dom.js";
import { makeHoldable } from "../../ui/hold.js";

const root = byId("limits");
const slot = slots(root);
const form = one(root, "form", HTMLFormElement);
const fields = all(form, "input", HTMLInputElement);
const ALWAYS_SHOWN = fields.map((field) => field.name);
/** @typedef {Record<string, number | string | boolean | null | undefined | Record<string, number>>} Values limits by their names; null: off */

/** @type {Values | null} what was asked and would flatten: the held button asks it again */
let toConfirm = null;

/** @type {Record<string, string>} */
const TITLES = JSON.parse(root.dataset.titles ?? "{}");

export function start() {
  watchTyping(form);
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    setLimits();
  });
  makeHoldable(slot["limits-confirm"], {
    mayHold: () => toConfirm !== null && !isPending(slot["limits-answer"]),
    whenHeld: () => send({ ...toConfirm, confirm: true }),
    whenClicked: (cut) => tell(slot["limits-answer"], `${cut} Hold for 1.5 s.`.trim(), "info"),
    whenCut: (sentence) => tell(slot["limits-answer"], sentence),
    about: () => JSON.stringify(toConfirm),
  });
}

function setLimits() {
  /** @type {Values} */
  const inForce = { ...store.current().global.limits };
  const typed = fields.filter((field) => field.dataset.typed !== undefined);
  const asked = typed.filter((field) => valueIn(field) !== inForce[field.name]);
  if (typed.some((field) => Number.isNaN(valueIn(field))))
    return tell(slot["limits-answer"], "Type a number in every field you change.");
  if (asked.length === 0) return tell(slot["limits-answer"], "Nothing was changed: type another number first.", "info");
  return send(Object.fromEntries(asked.map((field) => [field.name, valueIn(field)])));
}

/**
 * What stands in a field: a number, a time of day, or null for one that is off while it is empty. NaN when it is none.
 *
 * @param {HTMLInputElement} field
 */
function valueIn(field) {
  const { kind } = field.dataset;
  if (kind && field.value.trim() === "" && !field.validity.badInput) return null;
  return kind === "text" ? field.value.replaceAll(" ", "") : numberIn(field);
}

/** @param {Values} limits */
async function send({ confirm, ...limits }) {
  toConfirm = null;
  const body = await ask(slot["limits-answer"], "/api/limits", confirm ? { ...limits, confirm } : limits);
  if (body?.code === "confirm_needed") toConfirm = limits;
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
 * What the desk made of it: in force now, or from a later trading day on.
 *
 * @param {string[]} names
 * @param {Wire.LimitsAnswer} answer
 */
function outcome(names, { limits, pending, pending_from: starts }) {
  /**
   * @param {string[]} chosen
   * @param {Values} values
   */
  const listed = (chosen, values) => chosen.map((name) => `${TITLES[name]} ${worded(name, values[name])}`).join(", ");
  const waits = names.filter((name) => name in pending);
  const holds = names.filter((name) => !(name in pending));
  const said = [];
  if (holds.length) said.push(`In force now: ${listed(holds, limits)}.`);
  for (const name of waits) said.push(`Looser, so ${startOf(starts[name])}: ${listed([name], pending)}.`);
  return said.join(" ");
}

/** @param {Page.State} state */
export function draw({ global: desk, assets }) {
  const pending = desk.limits_pending ?? {};
  /** @type {Values} */
  const limits = { ...desk.limits, ...capsOf(assets) };
  const names = [...ALWAYS_SHOWN, ...Object.keys(pending).filter((name) => !ALWAYS_SHOWN.includes(name))];
  follow(slot["limits-list"], names, {
    key: (name) => name,
    make: () => copyOf("limit-row"),
    fill: (row, name) => fillLimit(row, name, limits, pending, desk.limits_pending_from ?? {}),
  });
  for (const field of fields) followLimit(field, limits[field.name]);
  const hasTyped = fields.some((field) => field.dataset.typed !== undefined);
  mark(slot["limits-send"], "data-live", hasTyped);
  show(slot["limits-confirm"], toConfirm !== null);
  markBusy(slot["limits-send"], isPending(slot["limits-answer"]));
}

/**
 * The caps of the assets' own contracts, under the names that they have among the limits.
 *
 * @param {Record<string, Wire.AssetState>} assets
 * @returns {Values}
 */
function capsOf(assets) {
  const caps = Object.values(assets).map(({ symbol, risk }) => [symbol.toLowerCase(), risk.max_contracts]);
  return Object.fromEntries(caps.map(([symbol, most]) => [`max_contracts_${symbol}`, most]));
}

/**
 * @param {HTMLInputElement} field
 * @param {Values[string]} value
 */
function followLimit(field, value) {
  if (field.dataset.kind !== "text") return followValue(field, /** @type {number | null} */ (value));
  const text = String(value ?? "");
  if (field.dataset.typed === undefined && field.value !== text) field.value = text;
}

/**
 * When a looser value comes into force.
 *
 * @param {string | undefined} at
 */
function startOf(at) {
  return at ? `from ${weekday(at)} ${clockTime(at)}` : "from a later trading day";
}

/**
 * @param {HTMLElement} row
 * @param {string} name
 * @param {Values} limits
 * @param {Values} pending
 * @param {Record<string, string>} starts
 */
function fillLimit(row, name, limits, pending, starts) {
  const cell = slots(row);
  write(cell["limit-name"], TITLES[name] ?? name.replaceAll("_", " "));
  write(cell["limit-value"], worded(name, limits[name]));
  const waits = name in pending;
  show(cell["limit-pending"], waits);
  write(cell["limit-pending"], waits ? `${worded(name, pending[name])} ${startOf(starts[name])}` : "");
}

/**
 * @param {string} name
 * @param {Values[string]} value
 */
function worded(name, value) {
  if (value === null || value === undefined || value === "None") return "off"; // an answer names what waits as text
  if (typeof value === "boolean") return value ? "on" : "off";
  if (typeof value === "object") return listedRates(value);
  const isSeconds = name.endsWith("_seconds") || name === "cooldown_after_loss";
  if (isSeconds) return countdown(Number(value));
  if (name.endsWith("_usd")) return usd(Number(value));
  if (name.endsWith("_pct")) return `${Number(value)} %`;
  return name.endsWith("_points") || name.endsWith("_target") ? `${Number(value)} pt` : counted(name, value);
}

/**
 * @param {string} name
 * @param {Values[string]} value
 */
function counted(name, value) {
  if (name.startsWith("max_contracts")) return points(Number(value));
  return name.startsWith("max_") ? wholeNumber(Number(value)) : String(value);
}

/** @param {Record<string, number>} rates USD per contract and side, by product */
function listedRates(rates) {
  const listed = Object.entries(rates).map(([product, rate]) => `${product} ${rate}`);
  return listed.length ? listed.join(", ") : "none";
}
