// @ts-check

/**
 * Ways out, never disabled: what the page believes must not stand between the operator and flat.
 *
 * A click asks; the desk may refuse it while the initial exit lock holds. Holding for 1.5 s forces it.
 * The answer appears beside the button that was pressed.
 */

import { NoAnswer, post } from "../../desk/api.js";
import * as clock from "../../desk/clock.js";
import * as store from "../../desk/store.js";
import { allAnswer, isLockRefusal, lockSentence } from "../../reading/exit_words.js";
import { countdown } from "../../reading/format.js";
import { isClaimedEntry, isUnclaimedEntry } from "../../reading/under_way.js";
import { all, mark, slots, write } from "../../ui/dom.js";
import { makeHoldable } from "../../ui/hold.js";

const ANSWER_STAYS_MS = 12_000;
const OTHER_ASSET = "Nothing was sent: another asset came into view while you pressed.";
const buttons = all(document, "[data-exit]");
/** @type {Map<Element, ReturnType<typeof setTimeout>>} */
const fadeTimers = new Map();
/** @typedef {{ids: string[], waiting: string[], version: number}} Awaited exits, latched assets, the version that lists them */
/**
 * What the desk says to an exit of one asset or of all.
 *
 * @typedef {object} Answer
 * @property {boolean} ok
 * @property {Wire.OrderRow | null} [order]
 * @property {Wire.ExitAllRow[]} [orders]
 * @property {boolean | string[]} [latched]
 * @property {Wire.Skip[]} [skipped]
 * @property {number} version
 */

/** @type {Map<HTMLElement, Awaited>} */
const awaited = new Map(); // answer element → what it tells of
let symbolInView = () => "";
let redraw = () => {};

/**
 * @param {() => string} symbol
 * @param {() => void} whenChanged
 */
export function start(symbol, whenChanged) {
  symbolInView = symbol;
  redraw = whenChanged;
  for (const button of buttons) {
    makeHoldable(button, {
      mayHold: () => isLocked(button),
      whenHeld: () => leave(button, true),
      whenClicked: () => leave(button, false),
      whenCut: (sentence) => say(button, sentence),
      about: () => (button.dataset.exit === "all" ? "all" : symbolInView()),
      whenOther: () => say(button, OTHER_ASSET),
    });
  }
}

export function forget() {
  for (const button of buttons) say(button, "");
}

/**
 * @param {Page.State} state
 * @param {string} symbol
 */
export function draw(state, symbol) {
  const { assets } = state;
  const asset = assets[symbol];
  for (const [answer, exits] of awaited) if (areOver(exits, state)) hush(answer);
  for (const button of buttons) drawButton(button, asset, Object.values(assets));
}

/**
 * @param {HTMLElement} button
 * @param {Wire.AssetState} asset
 * @param {Wire.AssetState[]} assets
 */
function drawButton(button, asset, assets) {
  const isAll = button.dataset.exit === "all";
  const hasSomething = isAll ? assets.some(isExposed) : isExposed(asset);
  mark(button, "data-locked", isLocked(button));
  mark(button, "data-live", hasSomething);
  const slot = slots(button);
  write(slot["exit-label"], isAll ? "Exit all" : isUnclaimedEntry(asset) ? "Cancel entry" : `Exit ${asset.symbol}`);
  write(slot["exit-note"], noteOf(button, asset));
}

/** @param {Wire.AssetState} asset */
function isExposed(asset) {
  return asset.position !== 0 || asset.pending_order_id !== null;
}

/**
 * Why a click is not enough, or how far the exit is. Only the large button has room for the reason.
 *
 * @param {HTMLElement} button
 * @param {Wire.AssetState} asset
 */
function noteOf(button, asset) {
  const isOne = button.dataset.exit === "one";
  if (isOne && asset.pending_kind === "EXIT") return (asset.pending_status ?? "").toLowerCase().replaceAll("_", " ");
  if (isOne && isUnclaimedEntry(asset))
    return button.matches(".bar-exit") ? "" : `${asset.symbol} · no bridge has it yet`;
  if (!isLocked(button)) return "";
  if (!isOne || !button.closest("#trade")) return "hold to force";
  const left = clock.secondsUntil(asset.initial_exit_lock_expires_ts);
  const most = left === null ? "" : `, ${countdown(left)} at most`;
  return `locked until the next 6pt brick${most} · hold 1.5 s to force`;
}

/**
 * Whether the initial exit lock holds for what this button leaves; the desk begins it with an entry's claim.
 *
 * @param {HTMLElement} button
 */
function isLocked(button) {
  const { assets } = store.current();
  const holds = (/** @type {Wire.AssetState} */ asset) => asset.initial_exit_lock_active || isClaimedEntry(asset);
  return button.dataset.exit === "one" ? holds(assets[symbolInView()]) : Object.values(assets).some(holds);
}

/**
 * @param {HTMLElement} button
 * @param {boolean} force
 */
async function leave(button, force) {
  const isAll = button.dataset.exit === "all";
  const symbol = symbolInView();
  say(button, "Asking the desk…", "info");
  try {
    const { body } = isAll ? await post("/api/exit-all", { force }) : await post("/api/exit", { asset: symbol, force });
    say(
      button,
      isAll ? allAnswer(body) : ofAsset(symbol, oneAnswer(body, symbol)),
      body.ok && !body.skipped?.length ? "info" : null,
    );
    expectEnd(button, symbol, body);
  } catch (failure) {
    if (!(failure instanceof NoAnswer)) throw failure;
    say(
      button,
      "No answer from the desk: whether the exit exists is unknown. Press again; a second exit is never made.",
    );
  } finally {
    redraw();
  }
}

/**
 * An answer about an asset that has left the view meanwhile names it.
 *
 * @param {string} symbol
 * @param {string} sentence
 */
function ofAsset(symbol, sentence) {
  return symbol === symbolInView() ? sentence : `${symbol}: ${sentence}`;
}

/**
 * @param {Wire.ExitAnswer | Wire.Problem} body
 * @param {string} symbol
 */
function oneAnswer(body, symbol) {
  if (!body.ok) return isLockRefusal(body.code) ? lockSentence(symbol) : body.error;
  if (body.latched) return "Latched: the exit follows as soon as the open order is final.";
  if (body.already_pending) return `The exit is already on its way: ${body.order?.status ?? "pending"}.`;
  if (!body.order) return "Nothing to exit.";
  return body.order.kind === "ENTRY" ? "The unclaimed entry is cancelled." : "The exit is queued for the bridge.";
}

/**
 * What is queued is told until it has ended: "queued" beside "Flat" would be a lie.
 *
 * @param {HTMLElement} button
 * @param {string} symbol
 * @param {Answer} body
 */
function expectEnd(button, symbol, { ok, order, orders, latched, skipped, version }) {
  const exits = [...(orders ?? []), ...(order ? [order] : [])].filter(({ kind }) => kind === "EXIT");
  const ids = exits.map(({ id }) => id);
  const waiting = latched === true ? [symbol] : latched || [];
  if (ok && ids.length + waiting.length > 0 && !skipped?.length)
    awaited.set(answerOf(button), { ids, waiting, version });
}

/**
 * @param {Awaited} exits
 * @param {Page.State} state
 */
function areOver({ ids, waiting, version }, { assets, orders, version: shown }) {
  const isWaiting = (/** @type {string} */ symbol) =>
    assets[symbol].due_exit !== null || assets[symbol].pending_order_id !== null;
  return shown >= version && !waiting.some(isWaiting) && !orders.some(({ id }) => ids.includes(id));
}

/** @param {HTMLElement} answer */
function hush(answer) {
  awaited.delete(answer);
  clearTimeout(fadeTimers.get(answer));
  write(answer, "");
}

/**
 * @param {HTMLElement} button
 * @returns {HTMLElement}
 */
function answerOf(button) {
  return slots(/** @type {HTMLElement} */ (button.closest("[data-exit-area]")))["exit-answer"];
}

/**
 * @param {HTMLElement} button
 * @param {string} sentence
 * @param {string | null} [tone]
 */
function say(button, sentence, tone = null) {
  const answer = answerOf(button);
  awaited.delete(answer);
  write(answer, sentence);
  mark(answer, "data-tone", tone);
  clearTimeout(fadeTimers.get(answer));
  fadeTimers.set(
    answer,
    setTimeout(() => write(answer, ""), ANSWER_STAYS_MS),
  );
}
