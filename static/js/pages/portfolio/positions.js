// @ts-check

/** The positions of every account. What the operator noted can be taken out again, by two presses. */

import { NoAnswer, remove } from "../../desk/api.js";
import { signedUsd, usd } from "../../reading/format.js";
import * as words from "../../reading/portfolio.js";
import { tint } from "../../reading/words.js";
import { byId, copyOf, follow, mark, show, slots, write } from "../../ui/dom.js";

const rows = byId("position-rows");
const field = byId("positions-field");
const none = byId("no-positions");
const answer = byId("positions-answer");
const SURE_WITHIN_MS = 4_000;
const UNANSWERED = "No answer from the desk: look again before you press again.";
/** @type {() => void} */
let tell = () => {};

/** @param {() => void} whenChanged */
export function start(whenChanged) {
  tell = whenChanged;
}

/** @param {readonly Wire.PortfolioPosition[]} positions */
export function draw(positions) {
  show(none, positions.length === 0);
  show(field, positions.length > 0);
  follow(rows, positions, { key: ({ source, id }) => `${source} ${id}`, make, fill });
}

/** @returns {HTMLElement} */
function make() {
  const row = copyOf("position-row");
  slots(row).out.addEventListener("click", () => press(row));
  return row;
}

/**
 * @param {HTMLElement} row
 * @param {Wire.PortfolioPosition} position
 */
function fill(row, position) {
  const cell = slots(row);
  write(cell.what, words.sizeWords(position));
  write(cell.note, position.note);
  write(cell.account, words.accountWords(position));
  write(cell.source, words.sourceWords(position));
  write(cell.average, words.priceWords(position.avg_price));
  write(cell.price, words.priceWords(position.price));
  write(cell.value, usd(position.value_usd));
  write(cell["no-value"], words.noValueWords(position));
  tint(cell.open, signedUsd(position.open_pnl_usd), position.open_pnl_usd);
  write(cell.risk, usd(position.risk_usd));
  write(cell["no-risk"], words.noRiskWords(position));
  mark(row, "data-uncounted", position.uncounted !== null);
  row.dataset.id = position.id;
  show(cell.out, position.source === "manual");
  cell.out.setAttribute("aria-label", `${cell.out.textContent}: ${words.sizeWords(position)}`);
}

/** @param {HTMLElement} row */
async function press(row) {
  const button = slots(row).out;
  if (button.dataset.sure === undefined) {
    ask(button);
    return;
  }
  delete button.dataset.sure;
  write(answer, await takenOut(row.dataset.id ?? ""));
  tell();
}

/** @param {HTMLElement} button */
function ask(button) {
  button.dataset.sure = "";
  write(button, "Sure?");
  setTimeout(() => {
    delete button.dataset.sure;
    write(button, "Take out");
  }, SURE_WITHIN_MS);
}

/**
 * What to say of it; empty once it is out.
 *
 * @param {string} id
 */
async function takenOut(id) {
  try {
    const { status, body } = await remove(`/api/portfolio/positions/${encodeURIComponent(id)}`);
    return status === 200 ? "" : body.error;
  } catch (failure) {
    if (!(failure instanceof NoAnswer)) throw failure;
    return UNANSWERED;
  }
}
