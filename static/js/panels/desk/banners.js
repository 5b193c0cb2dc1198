// @ts-check

/** What the operator must know before anything else: the page has lost the desk, or the desk its store. */

import * as stream from "../../desk/stream.js";
import * as bridge from "../../reading/bridge.js";
import { clockTime } from "../../reading/format.js";
import { byId, show, slots, write } from "../../ui/dom.js";

const slot = slots(byId("banners"));

const STORE_DOWN =
  "The store is down: nothing new is accepted until it answers. What you see is the last that was kept.";
const STREAM_SILENT = "The live stream is silent: asking every 2 s instead. Entries wait for the stream, exits work.";

/** @param {Page.State} state */
export function draw(state) {
  const desk = state.global;
  tell(slot.lost, lostSentence());
  tell(slot.bridge, bridgeSentence(state));
  tell(slot.store, desk.store === "up" ? "" : STORE_DOWN);
  tell(slot.standby, desk.role === "writer" ? "" : standbySentence(desk.writer));
  tell(slot.liquidity, desk.low_liquidity_today ? `Low liquidity today: ${desk.low_liquidity_reason}` : "");
}

/** @param {string} writer */
function standbySentence(writer) {
  const holder = writer === "" ? "another process" : writer;
  return `This is the standby: ${holder} holds the desk. Nothing can be done here until this process takes over.`;
}

function lostSentence() {
  const since = stream.lostSince();
  if (since === null) return stream.isSilent() ? STREAM_SILENT : "";
  const then = clockTime(since);
  return `The desk does not answer since ${then}. What you see is from then; entries are off, exits are still sent.`;
}

/**
 * A silent bridge matters most to whom it keeps in a trade.
 *
 * @param {Page.State} state
 */
function bridgeSentence(state) {
  const isExposed = (/** @type {Wire.AssetState} */ { position, pending_order_id: order }) =>
    position !== 0 || order !== null;
  const exposed = Object.values(state.assets).filter(isExposed);
  const trouble = bridgeTrouble(state);
  if (exposed.length === 0 || !trouble) return "";
  const isHeld = exposed.some(({ position }) => position !== 0);
  return `${trouble}: ${isHeld ? "exits wait for it; look at the broker for the position and its stop." : "the open order waits for it."}`;
}

/** @param {Page.State} state */
function bridgeTrouble(state) {
  const { rithmic_last_ts: heardAt, env, ts_connected: hasBroker } = state.global;
  if (bridge.isSilent(state, stream.asOf()))
    return heardAt ? `Bridge not heard since ${clockTime(heardAt)}` : "Bridge not heard yet";
  return env === "LIVE" && !hasBroker ? "The bridge is not connected to the broker" : "";
}

/**
 * @param {HTMLElement} banner
 * @param {string} sentence
 */
function tell(banner, sentence) {
  show(banner, sentence !== "");
  write(banner, sentence);
}
