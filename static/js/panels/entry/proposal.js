// @ts-check

/**
 * The open proposal of the asset in view, and for a moment what became of it. Its click is the ordinary entry, by the
 * same path and with the same guards: it names the proposal, and the desk asks every gate. It looks like no way in of
 * the desk's own: no colour of a side, no sound.
 */

import * as clock from "../../desk/clock.js";
import * as controls from "../../desk/controls.js";
import * as facts from "../../desk/facts.js";
import * as store from "../../desk/store.js";
import * as stream from "../../desk/stream.js";
import { age, clockTime, countdown, price as priceWords } from "../../reading/format.js";
import { deskInTheWay, liveSentence, shortName, timeLeft } from "../../reading/gates.js";
import * as words from "../../reading/proposals.js";
import { byId, mark, markBusy, show, slots, write } from "../../ui/dom.js";
import { watchOffer } from "../../ui/fresh_offer.js";
import * as orderButton from "../../ui/order_button.js";
import * as asking from "./entry_ask.js";
import { chosen, liveMark, quantity } from "./entry_kinds.js";

const TIME_IS_OVER = "Not sent: the time of this proposal is over.";
const ENDS_IT = "A click now is refused, and a refused click ends the proposal.";
const root = byId("proposal");
const slot = slots(root);
const told = byId("proposal-told"); // outside the panel: what was hidden is not read out
const button = slot.take;

let symbolInView = () => "";
let redraw = () => {};
/** @type {Map<string, Wire.ProposalRow>} asset → the last proposal that was open, for the words of its end */
const seen = new Map();
/** @type {string | null} */
let shownId = null;
const offer = watchOffer(() => redraw());

/**
 * @param {() => string} symbol
 * @param {() => void} whenChanged
 */
export function start(symbol, whenChanged) {
  symbolInView = symbol;
  redraw = whenChanged;
  orderButton.onPress(button, { isUnread: offer.isUnread, tell: (said) => asking.tell(slot.answer, said), act: take });
  slot.dismiss.addEventListener("click", dismiss);
}

/** Forget what was said: it belonged to another asset. */
export function forget() {
  orderButton.leave(button);
  asking.forget(slot.answer);
  controls.forgetWithin(root);
}

/** Make the ordinary entry, named after the proposal that was read. */
function take() {
  const asset = assetInView();
  const { proposal } = asset;
  if (proposal === null) return;
  if (isOver(proposal)) asking.tell(slot.answer, TIME_IS_OVER);
  else asking.takeProposal(slot.answer, asset, proposal);
}

function dismiss() {
  const { proposal } = assetInView();
  if (proposal === null) return;
  controls.ask(slot["dismiss-answer"], `/api/proposals/${encodeURIComponent(proposal.id)}/dismiss`, {});
}

function assetInView() {
  return store.current().assets[symbolInView()];
}

/** @param {Wire.ProposalRow} proposal */
function isOver({ valid_until: until }) {
  return clock.secondsUntil(until) === 0;
}

/**
 * @param {Page.State} state
 * @param {string} symbol
 */
export function draw({ global: desk, assets }, symbol) {
  for (const { proposal } of Object.values(assets)) if (proposal) seen.set(proposal.asset, proposal);
  const asset = assets[symbol];
  const { proposal } = asset;
  const ended = proposal ? "" : endOf(symbol);
  show(root, proposal !== null || ended !== "");
  show(slot.open, proposal !== null);
  write(slot.ended, ended);
  follow(desk, asset);
  if (proposal) drawOpen(desk, asset, proposal);
}

/**
 * Tell the guards of the button what it offers now; an answer about another proposal goes with it.
 *
 * @param {Wire.GlobalState} desk
 * @param {Wire.AssetState} asset
 */
function follow(desk, asset) {
  const { proposal, symbol } = asset;
  const terms = proposal ? `${proposal.id} ${proposal.desk_risk_usd} ${quantity(desk)}` : "";
  offer.follow({ about: chosen("entry_size_mode") ?? "", offered: terms });
  orderButton.follow(button, proposal ? `${symbol} ${terms} ${obstacle(desk, asset, proposal).name}` : "");
  if (proposal && proposal.id !== shownId) {
    shownId = proposal.id;
    asking.forget(slot.answer);
    write(told, words.comesWords(proposal));
  }
  if (!proposal) write(told, "");
}

/**
 * How the asset's last proposal ended, empty when that was a while ago.
 *
 * @param {string} symbol
 */
function endOf(symbol) {
  const event = words.lastEnded(facts.ofProposals(), symbol, clock.now());
  if (event === null) return "";
  const known = seen.get(symbol);
  return words.endedWords(event, known?.id === event.data.proposal ? (known ?? null) : null);
}

/**
 * @param {Wire.GlobalState} desk
 * @param {Wire.AssetState} asset
 * @param {Wire.ProposalRow} proposal
 */
function drawOpen(desk, asset, proposal) {
  const contracts = quantity(desk) ?? proposal.quantity;
  const tick = asset.tick_size;
  write(slot.who, words.whoWords(proposal));
  write(slot.reason, `“${proposal.reason}”`);
  write(slot.resting, words.restingWords(proposal, contracts));
  write(slot.stop, words.proposedStopWords(proposal, contracts, tick));
  write(slot.entry, priceWords(proposal.entry, tick));
  write(slot.now, distance(asset, proposal));
  write(slot.target, words.targetWords(proposal, asset, chosen("trade_mode"), desk.limits?.points_tp_target));
  write(slot.until, clockTime(proposal.valid_until));
  write(slot.left, isOver(proposal) ? "over" : `${countdown(clock.secondsUntil(proposal.valid_until) ?? 0)} left`);
  drawButtons(desk, asset, proposal, contracts);
}

/**
 * @param {Wire.AssetState} asset
 * @param {Wire.ProposalRow} proposal
 */
function distance(asset, proposal) {
  const { price, at } = store.priceOf(asset.symbol);
  const seconds = clock.secondsSince(at);
  const heard = seconds !== null && seconds >= 60 ? ` (heard ${age(seconds)} ago)` : "";
  return words.distanceWords(proposal, price, asset) + heard;
}

/**
 * @param {Wire.GlobalState} desk
 * @param {Wire.AssetState} asset
 * @param {Wire.ProposalRow} proposal
 * @param {number} contracts
 */
function drawButtons(desk, asset, proposal, contracts) {
  const { name, time, why } = obstacle(desk, asset, proposal);
  const label = `${words.offerWords(proposal, contracts)}${liveMark(desk)}`;
  mark(button, "aria-disabled", name || offer.isUnread() ? "true" : "false");
  mark(button, "data-unread", offer.isUnread());
  mark(button, "data-blocked", name !== "");
  markBusy(button, asking.isAsking());
  write(slot.headline, name ? [name, time].filter(Boolean).join(" ") : label);
  write(slot.detail, name ? label : `at the market · ${chosen("trade_mode")} · ${chosen("entry_size_mode")}`);
  write(slot.why, why);
  mark(slot.why, "data-tone", name ? "locked" : "open");
  markBusy(slot.dismiss, controls.isPending(slot["dismiss-answer"]));
}

/**
 * What stands in the way, the time that runs beside it, and why; an empty name when nothing does.
 *
 * @param {Wire.GlobalState} desk
 * @param {Wire.AssetState} asset
 * @param {Wire.ProposalRow} proposal
 * @returns {{name: string, time: string, why: string}}
 */
function obstacle(desk, asset, proposal) {
  if (asking.isAsking()) return { name: "ASKING THE DESK…", time: "", why: "" };
  if (isOver(proposal)) return { name: "TIME IS OVER", time: "", why: "" };
  if (stream.isSilent()) return { name: "STREAM SILENT", time: age(Math.floor(stream.ageMs() / 1000)), why: "" };
  if (deskInTheWay()) return { name: deskInTheWay(), time: "", why: "" };
  const closed = words.closedFor(desk, asset, proposal.direction);
  if (closed === null) return { name: "", time: "", why: "The desk asks every gate again at the click." };
  return { name: shortName(closed), time: timeLeft(closed) ?? "", why: `${liveSentence(closed)}. ${ENDS_IT}` };
}
