// @ts-check

/** One tab per asset, its state in the tab: long +5 and what it is worth, blocked until when, or free to enter. */

import * as stream from "../../desk/stream.js";
import { moneyTone, signedPoints, signedQuantity, signedUsd } from "../../reading/format.js";
import { deskInTheWay, firstClosed, headline } from "../../reading/gates.js";
import { all, around, byId, mark, one, show, slots, write, writeMoney } from "../../ui/dom.js";

const list = one(document, "#assets [role=tablist]");
const tabs = all(list, "[role=tab]");
const panel = byId("desk");
const live = slots(byId("assets")).live;
/** @type {Record<string, number>} */
const STEPS = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 };
/** @type {string | null} */
let inView = null;

/**
 * `choose(symbol)` is called when the operator turns to an asset.
 *
 * @param {(symbol: string) => void} choose
 */
export function start(choose) {
  list.addEventListener("click", (event) => {
    const tab = around(event, "[role=tab]");
    if (tab) choose(symbolOf(tab));
  });
  list.addEventListener("keydown", (event) => {
    const next = neighbour(document.activeElement, event.key);
    if (!next) return;
    event.preventDefault();
    next.focus();
    choose(symbolOf(next));
  });
}

/** @param {HTMLElement} tab */
function symbolOf(tab) {
  return tab.dataset.key ?? "";
}

/**
 * Whether there is exactly one tab for every asset of the document.
 *
 * @param {Page.State} state
 */
export function fit({ assets }) {
  return tabs.length === Object.keys(assets).length && tabs.every((tab) => symbolOf(tab) in assets);
}

/**
 * @param {Element | null} tab
 * @param {string} key
 */
function neighbour(tab, key) {
  if (key === "Home") return tabs[0];
  if (key === "End") return tabs.at(-1);
  const step = STEPS[key];
  return step ? tabs[(tabs.indexOf(/** @type {HTMLElement} */ (tab)) + step + tabs.length) % tabs.length] : null;
}

/**
 * @param {Page.State} state
 * @param {string} symbol
 */
export function draw({ global: desk, assets }, symbol) {
  mark(document.documentElement, "data-env", desk.env);
  show(live, desk.env === "LIVE");
  mark(list, "data-stale", stream.isSilent());
  for (const tab of tabs) {
    const asset = assets[symbolOf(tab)];
    const isChosen = asset.symbol === symbol;
    const [tone, words] = stateOf(asset);
    mark(tab, "aria-selected", isChosen ? "true" : "false");
    mark(tab, "tabindex", isChosen ? "0" : "-1");
    mark(tab, "data-tone", tone);
    write(slots(tab).state, words);
    drawMoney(slots(tab), asset);
  }
  mark(panel, "aria-label", symbol);
  document.title = titleOf(assets[symbol]);
  const chosen = tabs.find((tab) => symbolOf(tab) === symbol);
  if (chosen && symbol !== inView) reveal(chosen);
  inView = symbol;
}

/**
 * What is held is worth as much in the tab as in view: points and dollars, with sign and colour.
 *
 * @param {Page.Slots} slot
 * @param {Wire.AssetState} asset
 */
function drawMoney(slot, { position, rithmic_open_points: points, pnl }) {
  const isKnown = position !== 0 && points !== null;
  writeMoney(slot.points, isKnown ? `${signedPoints(points)} pt` : "", isKnown ? moneyTone(points) : "");
  writeMoney(slot.usd, isKnown ? `· ${signedUsd(pnl)}` : "", isKnown ? moneyTone(pnl) : "");
}

/**
 * Many assets do not fit the bar. Only the bar is moved, at once, and only for another choice: else it is the hand's.
 *
 * @param {HTMLElement} tab
 */
function reveal(tab) {
  const [bar, place] = [list.getBoundingClientRect(), tab.getBoundingClientRect()];
  const [left, right] = [bar.left + stuckWidth(tab, "left"), bar.right - stuckWidth(tab, "right")];
  if (place.left < left) list.scrollLeft += place.left - left;
  else if (place.right > right) list.scrollLeft += Math.ceil(place.right - right);
}

/**
 * What is held sticks to an edge of the bar, over what is scrolled there.
 *
 * @param {HTMLElement} tab
 * @param {"left" | "right"} edge
 */
function stuckWidth(tab, edge) {
  const bar = list.getBoundingClientRect()[edge];
  const places = tabs
    .filter((other) => other !== tab && other.dataset.tone === "held")
    .map((other) => other.getBoundingClientRect());
  return Math.max(0, ...places.filter((place) => Math.abs(place[edge] - bar) < 1).map((place) => place.width));
}

/**
 * @param {Wire.AssetState} asset
 * @returns {[tone: string, words: string]}
 */
function stateOf(asset) {
  if (asset.position !== 0)
    return ["held", `${asset.position > 0 ? "long" : "short"} ${signedQuantity(asset.position)}`];
  if (asset.pending_order_id) return ["order", `${asset.pending_kind} ${asset.pending_status}`];
  if (asset.preorder_active) return ["waiting", `pre-order ${asset.preorder_direction} waits`];
  if (stream.outOfSight()) return ["blocked", stream.outOfSight()];
  if (deskInTheWay()) return ["blocked", deskInTheWay()];
  const closed = firstClosed(asset);
  return closed ? ["blocked", headline(closed)] : ["open", "may enter"];
}

/** @param {Wire.AssetState} asset */
function titleOf(asset) {
  const [, words] = stateOf(asset);
  const isKnown = asset.position !== 0 && asset.rithmic_open_points !== null;
  const said = isKnown ? `${words} · ${signedPoints(asset.rithmic_open_points)} pt` : words;
  const unseen = stream.outOfSight();
  return `${unseen && unseen !== words ? `${unseen} · ` : ""}${asset.symbol} ${said} · Lockstep`;
}
