// @ts-check

/**
 * Ways in. The buttons show what the first closed gate says, but they never decide: a click on a blocked one
 * still goes to the desk, which refuses it in its own words and journals the attempt.
 *
 * The direction that was on the button is always sent, in a NORMAL zone too: should the structure turn between
 * the drawing and the click, the desk refuses instead of entering the other way. And should the buttons change
 * places under the pointer, they take no click for a moment: nobody has read the new offer yet.
 */

import * as store from "../../desk/store.js";
import * as stream from "../../desk/stream.js";
import { age } from "../../reading/format.js";
import { closedFor, deskInTheWay, liveSentence, shortName, timeLeft } from "../../reading/gates.js";
import { orderOf, riskWords, sized } from "../../reading/risk.js";
import { all, byId, mark, markBusy, show, slots, write } from "../../ui/dom.js";
import { watchOffer } from "../../ui/fresh_offer.js";
import * as orderButton from "../../ui/order_button.js";
import { warnOfNoStop } from "../day/no_stop.js";
import * as asking from "./entry_ask.js";
import { chosen, chosenKind, isWaitingKind, keepChoices, liveMark, quantity, whatWaits } from "./entry_kinds.js";
import * as leftToday from "./left_today.js";
import * as notBefore from "./not_before.js";
import * as override from "./override.js";
import * as smaller from "./smaller.js";
import * as unfilled from "./unfilled.js";

const root = byId("entry");
const slot = slots(root);
const buttons = all(root, "[data-side]");
const ARROWS = { BUY: "▲", SELL: "▼" };
const NOTHING_IS_KEPT =
  "The desk can keep nothing now, so it accepts nothing. It says so above, and goes on by itself.";
const STREAM_SILENT = "The page has not heard the desk for more than 5 s: entries wait for the stream. Exits work.";

let symbolInView = () => "";
let redraw = () => {};
const offer = watchOffer(() => redraw());

/**
 * @param {() => string} symbol
 * @param {() => void} whenChanged
 */
export function start(symbol, whenChanged) {
  symbolInView = symbol;
  redraw = whenChanged;
  asking.start(symbol, whenChanged);
  override.start(symbol);
  unfilled.start(JSON.parse(root.dataset.sizes ?? "{}"));
  smaller.start({
    isUnread: offer.isUnread,
    tell: (said) => asking.tell(slot.answer, said),
    place: (side, qty) => asking.placeOrder(slot.answer, assetInView(), side, null, qty),
  });
  for (const button of buttons) onPress(button, () => asking.placeOrder(slot.answer, assetInView(), sideOf(button)));
  onPress(slot["intent-button"], () => asking.placeIntent(slot.answer, assetInView()));
  keepChoices(root);
  root.addEventListener("change", (event) => {
    if (/** @type {HTMLInputElement} */ (event.target).name === "order_type") forgetAnswers();
    draw(store.current(), symbolInView()); // at once: a button that a key brings next must stand for this choice
    whenChanged();
  });
}

/** Forget what was said: it belonged to another asset. No key may order the new one before its button was read. */
export function forget() {
  for (const button of [...buttons, slot["intent-button"]]) orderButton.leave(button);
  smaller.leave();
  forgetAnswers();
  override.forget();
}

/**
 * @param {HTMLElement} button
 * @param {() => void} act
 */
function onPress(button, act) {
  orderButton.onPress(button, { isUnread: offer.isUnread, tell: (said) => asking.tell(slot.answer, said), act });
}

/** @param {HTMLElement} button */
function sideOf(button) {
  return /** @type {Page.Side} */ (button.dataset.side);
}

function forgetAnswers() {
  asking.forget(slot.answer, slot["override-answer"]);
}

function assetInView() {
  return sized(store.current().assets[symbolInView()], chosen("entry_size_mode"));
}

/**
 * @param {Page.State} state
 * @param {string} symbol
 */
export function draw(state, symbol) {
  const { global: desk, assets } = state;
  const asset = sized(assets[symbol], chosen("entry_size_mode"));
  const kind = chosenKind();
  const closed = kind.closed(asset);
  const sides = kind.sides(asset);
  offer.follow({ about: `${symbol} ${chosen("order_type")}`, offered: String(sides) });
  write(slot.note, `${asset.contract} · ${desk.env}`);
  mark(slot.buttons, "data-count", Math.max(1, sides.length));
  for (const button of buttons) {
    show(button, sides.includes(sideOf(button)));
    drawSide(button, { desk, asset, kind, closed });
  }
  drawIntent(asset, closed);
  const isShut = stream.isSilent() || deskInTheWay() !== "";
  smaller.draw(asset, { desk, sides, isShut, isUnread: offer.isUnread(), isAsking: asking.isAsking() });
  leftToday.draw(desk, asset);
  unfilled.draw(slot.ended, state, asset);
  write(slot.why, why(asset, closed));
  warnOfNoStop(slot["no-stop"], desk);
  notBefore.draw(slot["not-before"], isShut ? [] : closedGates(asset));
  mark(slot.why, "data-tone", closed || isShut ? "locked" : "open");
  override.draw(desk, asset);
  asking.draw();
}

/**
 * @param {HTMLElement} button
 * @param {{desk: Wire.GlobalState, asset: Wire.AssetState, kind: import("./entry_kinds.js").Kind, closed: Wire.Rung | null}} about
 */
function drawSide(button, { desk, asset, kind, closed }) {
  const side = sideOf(button);
  const { name, time } = obstacle(asset, closed);
  const obstacleNow = withTime(name, time);
  const label = `${ARROWS[side]} ${side} ${quantity(desk)} ${asset.contract}${liveMark(desk)}`;
  const hasDirection = asset.zone_type !== "NONE" || isWaitingKind();
  const offered = (kind.verb ?? "") + label;
  orderButton.follow(button, button.hidden ? "" : `${asset.symbol} ${name || offered}`);
  drawButton(button, obstacleNow);
  write(slot[`${side}-headline`], obstacleNow || offered);
  write(
    slot[`${side}-detail`],
    obstacleNow ? (hasDirection ? label : "no direction yet") : (kind.detail?.(side) ?? ""),
  );
  write(slot[`${side}-risk`], riskWords(asset, orderOf(asset, chosen("entry_size_mode")), desk));
}

/**
 * @param {Wire.AssetState} asset
 * @param {Wire.Rung | null} closed
 */
function drawIntent(asset, closed) {
  const button = slot["intent-button"];
  const { name, time } = obstacle(asset, closed);
  const obstacleNow = withTime(name, time);
  show(button, chosen("order_type") === "intent");
  orderButton.follow(button, `${asset.symbol} ${name}`);
  drawButton(button, obstacleNow);
  write(slot["intent-headline"], obstacleNow || `Note an intent for ${asset.symbol}`);
  write(slot["intent-detail"], obstacleNow ? `intent for ${asset.symbol}` : "READY at the next 6pt brick");
}

/**
 * @param {HTMLElement} button
 * @param {string} obstacleNow
 */
function drawButton(button, obstacleNow) {
  mark(button, "data-unready", false); // so the server has drawn it: nothing answers a click before this script
  mark(button, "aria-disabled", obstacleNow || offer.isUnread() ? "true" : "false");
  mark(button, "data-unread", offer.isUnread());
  markBusy(button, asking.isAsking());
  mark(button, "data-blocked", obstacleNow !== "");
}

/**
 * What stands in the way, in a few words, and the time that runs beside them; an empty name when nothing does.
 *
 * @param {Wire.AssetState} asset
 * @param {Wire.Rung | null} closed
 * @returns {{name: string, time: string}}
 */
function obstacle(asset, closed) {
  if (asking.isAsking()) return { name: "ASKING THE DESK…", time: "" };
  if (stream.isSilent()) return { name: "STREAM SILENT", time: age(Math.floor(stream.ageMs() / 1000)) };
  if (deskInTheWay()) return { name: deskInTheWay(), time: "" };
  if (closed) return { name: shortName(closed), time: timeLeft(closed) ?? "" };
  if (isWaitingKind()) return { name: whatWaits(asset), time: "" };
  return { name: asset.zone_type === "NONE" ? "NO ZONE" : "", time: "" };
}

/**
 * @param {string} name
 * @param {string} time
 */
function withTime(name, time) {
  return time ? `${name} ${time}` : name;
}

/**
 * @param {Wire.AssetState} asset
 * @param {Wire.Rung | null} closed
 */
function why(asset, closed) {
  if (stream.isSilent()) return STREAM_SILENT;
  if (deskInTheWay()) return NOTHING_IS_KEPT;
  if (closed) return closedSentence(asset, closed);
  if (isWaitingKind() && whatWaits(asset)) return "One intent or pre-order per asset: cancel it to place another.";
  return chosenKind().whenOpen();
}

/**
 * One closed gate says when it opens; of several the line beneath says it, for none of them alone lets an entry in.
 *
 * @param {Wire.AssetState} asset
 * @param {Wire.Rung} closed
 */
function closedSentence(asset, closed) {
  const others = closedGates(asset).length - 1;
  if (others > 0) return `${liveSentence(closed)}. ${others} more closed below.`;
  const opens = closed.reopens_at
    ? `Opens at ${notBefore.opening(closed.reopens_at)}.`
    : `Opens with: ${closed.reopens}.`;
  return `${liveSentence(closed)}. ${opens}`;
}

/** @param {Wire.AssetState} asset */
function closedGates(asset) {
  return closedFor(asset, /** @type {Wire.Rung["binds"][number]} */ (chosen("order_type")));
}
