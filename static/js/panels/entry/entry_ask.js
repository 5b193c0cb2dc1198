// @ts-check

/**
 * Asking for an entry, and what the desk answers. One question at a time; the refusal stands where the click was
 * and its countdown runs until the gate opens.
 */

import { clickKey, NoAnswer, post } from "../../desk/api.js";
import * as clock from "../../desk/clock.js";
import * as store from "../../desk/store.js";
import * as stream from "../../desk/stream.js";
import { aroundTimeLeft, countsDown } from "../../reading/explained.js";
import { countdown } from "../../reading/format.js";
import { firstClosed, liveSentence } from "../../reading/gates.js";
import { sized } from "../../reading/risk.js";
import { write, writeRunning } from "../../ui/dom.js";
import { chosen } from "./entry_kinds.js";

const PICTURE_MAY_BE_OLD = "Not sent: the live stream is silent, so what you see may be old. Exits work.";
const NO_ANSWER =
  "No answer from the desk: whether it was placed is unknown. Wait for the state before clicking again.";

const ANSWER_STAYS_MS = 15_000;

let symbolInView = () => "";
let redraw = () => {};
let asking = false;
/** @typedef {{reason: string}} Override */
/**
 * What the desk last said to a click.
 *
 * @typedef {object} Refusal
 * @property {HTMLElement} answer
 * @property {string} symbol
 * @property {[string, string] | null} around
 * @property {string | null} gate
 * @property {number | null} endsAt epoch milliseconds
 * @property {boolean} isOfLadder whether the ladder of the document says when its gate opens
 * @property {number} version of the state document
 */

/** @type {Refusal | null} */
let refusal = null;
/** @type {{answer: HTMLElement, at: number} | null} */
let said = null; // the last sentence that no gate takes away

/**
 * @param {() => string} symbol
 * @param {() => void} whenChanged
 */
export function start(symbol, whenChanged) {
  symbolInView = symbol;
  redraw = whenChanged;
}

export function isAsking() {
  return asking;
}

/**
 * Forget what was said: it belonged to another asset or another way in.
 *
 * @param {HTMLElement[]} answers
 */
export function forget(...answers) {
  refusal = null;
  said = null;
  for (const answer of answers) write(answer, "");
}

/**
 * Place a market entry or a pre-order; `override` is `{reason}` when the zone is to be skipped. Answers whether the
 * desk took it; `answer` shows why not.
 *
 * @param {HTMLElement} answer
 * @param {Wire.AssetState} asset
 * @param {string | null} side
 * @param {Override | null} [override]
 * @param {number} [qty] fewer contracts than those of the chosen size
 */
export function placeOrder(answer, asset, side, override = null, qty = undefined) {
  const obstacle = obstacleOfThePage(asset, override);
  return obstacle
    ? tell(answer, obstacle)
    : send(answer, "/api/orders", order(asset, side, override, qty), { isOfLadder: override === null });
}

/**
 * Make the entry that a program proposes: the ordinary one at the market, in its direction, named after it.
 *
 * @param {HTMLElement} answer
 * @param {Wire.AssetState} asset
 * @param {Wire.ProposalRow} proposal
 */
export function takeProposal(answer, asset, { id, direction }) {
  if (stream.isSilent()) return tell(answer, PICTURE_MAY_BE_OLD);
  const command = { ...order(asset, direction, null), order_type: "market" };
  return send(answer, "/api/orders", command, { key: `proposal-${id}`, isOfLadder: false });
}

/**
 * @param {HTMLElement} answer
 * @param {Wire.AssetState} asset
 */
export function placeIntent(answer, asset) {
  if (stream.isSilent()) return tell(answer, PICTURE_MAY_BE_OLD);
  return send(answer, "/api/intent", { asset: asset.symbol });
}

/**
 * @param {HTMLElement} answer
 * @param {string} sentence
 */
export function tell(answer, sentence) {
  write(answer, sentence);
  said = { answer, at: performance.now() };
  return false;
}

/**
 * What the page itself must not send: clicks on a picture that may be old, or without a direction.
 *
 * @param {Wire.AssetState} asset
 * @param {Override | null} override
 */
function obstacleOfThePage(asset, override) {
  if (stream.isSilent()) return PICTURE_MAY_BE_OLD;
  const isWithoutDirection = asset.zone_type === "NONE" && !override && chosen("order_type") === "market";
  const closed = firstClosed(asset);
  return isWithoutDirection && closed ? liveSentence(closed) : "";
}

/**
 * @param {Wire.AssetState} asset
 * @param {string | null} side
 * @param {Override | null} override
 * @param {number} [qty]
 */
function order(asset, side, override, qty) {
  return {
    asset: asset.symbol,
    trade_mode: chosen("trade_mode"),
    order_type: chosen("order_type"),
    direction: side,
    entry_size_mode: chosen("entry_size_mode"),
    entry_override: override !== null,
    ...(override?.reason ? { override_reason: override.reason } : {}),
    ...(qty ? { qty } : {}),
  };
}

/**
 * @param {HTMLElement} answer
 * @param {string} path
 * @param {{asset: string}} command
 * @param {{key?: string, isOfLadder?: boolean}} [click] `key` makes one click one order; the ladder of the document is
 *   neither that of an override nor that of a proposal's own direction
 */
async function send(answer, path, command, { key = clickKey(), isOfLadder = true } = {}) {
  if (asking) return false;
  forget(answer);
  asking = true;
  redraw();
  try {
    const clicked = { ...command, clicked_at: new Date(clock.now()).toISOString() };
    const { body } = await post(path, clicked, { "Idempotency-Key": key });
    return take(answer, body, command.asset, isOfLadder);
  } catch (failure) {
    if (!(failure instanceof NoAnswer)) throw failure;
    return tell(answer, NO_ANSWER);
  } finally {
    asking = false;
    redraw();
  }
}

/**
 * @param {HTMLElement} answer
 * @param {{ok: true, state?: Wire.StateDocument} | Wire.Problem} body
 * @param {string} symbol
 * @param {boolean} isOfLadder
 */
function take(answer, body, symbol, isOfLadder) {
  if (body.ok) {
    if (body.state) store.takeAnswer(body.state);
    return true;
  }
  const endsAt = body.retry_after_s ? clock.now() + body.retry_after_s * 1000 : null;
  const about = symbol === symbolInView() ? "" : `${symbol}: `;
  tell(answer, about + body.error);
  const around = countsDown(body) ? aroundTimeLeft({ ...body, title: about + body.title }) : null;
  refusal = { answer, symbol, around, gate: body.gate ?? null, endsAt, isOfLadder, version: store.current().version };
  return false;
}

/** Let the refusal's countdown run, and take it away when its gate has opened, or when it has been read. */
export function draw() {
  if (said !== null && !waitsForAGate() && performance.now() - said.at > ANSWER_STAYS_MS) return forget(said.answer);
  if (refusal === null) return;
  const { answer, around, endsAt } = refusal;
  const asset = sized(store.current().assets[refusal.symbol], chosen("entry_size_mode"));
  if (isOver(refusal, asset)) return forget(answer);
  if (endsAt === null || around === null) return;
  writeRunning(answer, around[0], countdown(Math.ceil((endsAt - clock.now()) / 1000)), around[1]);
}

function waitsForAGate() {
  return refusal !== null && (refusal.gate !== null || refusal.endsAt !== null);
}

/**
 * @param {Refusal} refused
 * @param {Wire.AssetState} asset
 */
function isOver({ gate, endsAt, isOfLadder, version }, asset) {
  const rung = asset.ladder.find((candidate) => candidate.gate === gate);
  const hasOpened = rung?.state === "open" && isOfLadder && version < store.current().version;
  return hasOpened || (endsAt !== null && clock.now() >= endsAt);
}
