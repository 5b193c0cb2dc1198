// @ts-check

/** Notes a position of another account. One press notes it once: the same key goes with it until it was answered. */

import { clickKey, NoAnswer, post } from "../../desk/api.js";
import { usd } from "../../reading/format.js";
import { priceWords, sizeWords } from "../../reading/portfolio.js";
import { byId, one, write } from "../../ui/dom.js";

const form = byId("note-position", HTMLFormElement);
const button = one(form, "button", HTMLButtonElement);
const answer = byId("noting-answer");
const noted = byId("noted");
const UNANSWERED = "No answer from the desk. Press again: it is noted once, however often you do.";
/**
 * The keys of the notes of which nobody knows what became, by what they say.
 *
 * @type {Map<string, string>}
 */
const unanswered = new Map();
/** @type {() => void} */
let tell = () => {};

/** @param {() => void} whenChanged */
export function start(whenChanged) {
  tell = whenChanged;
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    note();
  });
}

async function note() {
  const said = body();
  const words = JSON.stringify(said);
  const key = unanswered.get(words) ?? clickKey();
  unanswered.set(words, key);
  button.disabled = true;
  write(answer, "");
  write(noted, "");
  try {
    const { status, body: told } = await post("/api/portfolio/positions", said, { "Idempotency-Key": key });
    if (status < 500) unanswered.delete(words); // beyond it nobody knows whether the position was noted
    if (status === 201) wasNoted(told.position);
    else write(answer, told.error);
  } catch (failure) {
    if (!(failure instanceof NoAnswer)) throw failure;
    write(answer, UNANSWERED);
  } finally {
    button.disabled = false;
  }
}

/** @param {Wire.PortfolioPosition} position */
function wasNoted(position) {
  write(
    noted,
    `Noted: ${sizeWords(position)} at ${priceWords(position.avg_price)}, ${usd(position.point_value)} a point.`,
  );
  form.reset();
  tell();
}

/** What the form says. The desk checks numbers: what is no number is sent as it stands. */
function body() {
  const told = new FormData(form);
  const text = (/** @type {string} */ name) => String(told.get(name) ?? "").trim();
  const number = (/** @type {string} */ name) => (/^-?\d+(\.\d+)?$/.test(text(name)) ? Number(text(name)) : text(name));
  return {
    symbol: text("symbol"),
    side: text("side"),
    qty: number("qty"),
    avg_price: number("avg_price"),
    account: text("account") || null,
    note: text("note"),
  };
}
