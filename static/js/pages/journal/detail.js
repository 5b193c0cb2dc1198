// @ts-check

/** One trade in full, and what the operator writes about it. Saved means: the desk said so. */

import { NoAnswer, post } from "../../desk/api.js";
import { averagePrice, points, signedPoints, signedUsd, tradingDay, UNKNOWN, usd } from "../../reading/format.js";
import { resultOf, resultWords } from "../../reading/results.js";
import { duration, newYork, plain, say, signedR } from "../../reading/words.js";
import { copyOf, markBusy, one, slots, write } from "../../ui/dom.js";
import * as drafts from "./drafts.js";
import * as fills from "./fills.js";
import { gateWords } from "./gates.js";
import * as picture from "./picture.js";

const NO_ANSWER = "No answer from the desk: whether the note was saved is unknown. It is still here, save it again.";
const UNSAVED = "draft, not saved";

/**
 * Open the row beneath another; `whenSaved(trade)` is called with what the desk has now.
 *
 * @param {HTMLElement} above
 * @param {Wire.JournalTradeRow} trade
 * @param {number} tick
 * @param {(trade: Wire.JournalTradeRow) => void} whenSaved
 */
export function openBehind(above, trade, tick, whenSaved) {
  const row = copyOf("trade-detail");
  const slot = slots(row);
  slot.facts.prepend(...factsOf(trade, tick).flatMap(([name, value]) => [say("dt", name), factOf(value)]));
  const form = slot.form;
  const draft = drafts.read(trade.id);
  fieldOf(form, "note").value = draft?.note ?? trade.note;
  fieldOf(form, "tags").value = draft?.tags ?? trade.tags.join(" ");
  write(slot.saved, draft ? UNSAVED : savedWords(trade));
  form.addEventListener("submit", (/** @type {Event} */ event) => {
    event.preventDefault();
    save(trade, form, slot, whenSaved);
  });
  form.addEventListener("input", () => {
    drafts.keep(trade.id, typed(form));
    write(slot.saved, UNSAVED);
  });
  above.after(row);
  picture.open(row, trade, tick, (answer) => fills.draw(slot.fills, answer, tick));
}

/** The row goes. */
export function close() {
  picture.close();
}

/**
 * @param {Wire.JournalTradeRow} trade
 * @param {number} tick
 * @returns {[name: string, value: string | string[]][]}
 */
function factsOf(trade, tick) {
  const forced = trade.exit_by ? "exit forced by a program" : "exit forced";
  const kept = [trade.override ? "entered by override" : "", trade.forced_exit ? forced : ""]
    .filter(Boolean)
    .join(", ");
  const estimated = trade.estimated ? " (a price of it was estimated)" : "";
  return [
    ["Trading day", tradingDay(trade.trading_day)],
    ["Contract", `${trade.contract} · ${trade.env}`],
    ["In", `${newYork(trade.entry_ts)} at ${averagePrice(trade.entry_price, tick)}`],
    ["Out", `${newYork(trade.exit_ts)} at ${averagePrice(trade.exit_price, tick)}, ${plain(trade.reason)}${estimated}`],
    ["Held", duration(trade.held_s)],
    ["Result", [`${signedPoints(trade.pnl_points)} points`, signedUsd(resultOf(trade)), signedR(trade.r)]],
    ["Gross, commission", resultWords(trade)],
    ["Risk at entry", trade.risk_usd === null ? UNKNOWN : usd(trade.risk_usd)],
    ["First stop", trade.stop_points === null ? UNKNOWN : `${points(trade.stop_points)} points`],
    [
      "Worst, best",
      [`${signedPoints(trade.mae_points)}, ${signedPoints(trade.mfe_points)} points`, ...excursion(trade)],
    ],
    ["Zone, mode", `${trade.zone}, ${trade.mode}`],
    ["Discipline", kept || "by the rules"],
    ["Gates at entry", trade.gates_at_entry ? gateWords(trade.gates_at_entry) : UNKNOWN],
  ];
}

/** @param {Wire.JournalTradeRow} trade */
function excursion({ mae_usd, mfe_usd }) {
  return mae_usd === null || mfe_usd === null ? [] : [`${signedUsd(mae_usd)}, ${signedUsd(mfe_usd)}`];
}

/**
 * A text, or several that are each kept on one line: a number must not lose its sign to the line above.
 *
 * @param {string | string[]} value
 */
function factOf(value) {
  if (!Array.isArray(value)) return say("dd", value);
  const fact = say("dd", "");
  fact.append(...value.flatMap((part, place) => [place ? ", " : "", say("span", part, "unbroken")]));
  return fact;
}

/** @param {Wire.JournalTradeRow} trade */
function savedWords(trade) {
  return trade.noted_at === null ? "" : `saved ${newYork(trade.noted_at)}`;
}

/**
 * @param {HTMLFormElement} form
 * @param {"note" | "tags"} name
 */
function fieldOf(form, name) {
  return /** @type {HTMLInputElement} */ (form.elements.namedItem(name));
}

/** @param {HTMLFormElement} form */
function typed(form) {
  return { note: fieldOf(form, "note").value, tags: fieldOf(form, "tags").value };
}

/**
 * @param {Wire.JournalTradeRow} trade
 * @param {HTMLFormElement} form
 * @param {Page.Slots} slot
 * @param {(trade: Wire.JournalTradeRow) => void} whenSaved
 */
async function save(trade, form, slot, whenSaved) {
  const button = one(form, "[type=submit]");
  if (button.getAttribute("aria-busy") === "true") return;
  const { note, tags } = typed(form);
  const words = tags
    .toLowerCase()
    .split(/[\s,]+/)
    .filter(Boolean);
  markBusy(button, true);
  write(slot.answer, "");
  try {
    const { body } = await post(`/api/journal/trades/${trade.id}/note`, { note, tags: words });
    if (!body.ok) {
      write(slot.answer, body.error);
      return;
    }
    whenSaved(body.trade);
    const draft = drafts.read(trade.id) ?? { note, tags };
    if (draft.note !== note || draft.tags !== tags) return; // typed on meanwhile: that is not saved yet
    drafts.forget(trade.id);
    fieldOf(form, "tags").value = body.trade.tags.join(" ");
    write(slot.saved, savedWords(body.trade));
  } catch (failure) {
    if (!(failure instanceof NoAnswer)) throw failure;
    write(slot.answer, NO_ANSWER);
  } finally {
    markBusy(button, false);
  }
}
