/** One tab per asset, its state in the tab: +5, blocked until when, or free to enter. */

import { mark, slots, write } from "../dom.js";
import { signedPoints, signedQuantity } from "../format.js";
import { deskInTheWay, firstClosed, headline } from "../gates.js";

const list = document.querySelector("#assets [role=tablist]");
const tabs = [...list.querySelectorAll("[role=tab]")];
const panel = document.getElementById("desk");
const STEPS = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 };
let inView = null;

/** `choose(symbol)` is called when the operator turns to an asset. */
export function start(choose) {
  list.addEventListener("click", (event) => {
    const tab = event.target.closest("[role=tab]");
    if (tab) choose(tab.dataset.key);
  });
  list.addEventListener("keydown", (event) => {
    const next = neighbour(document.activeElement, event.key);
    if (!next) return;
    event.preventDefault();
    next.focus();
    choose(next.dataset.key);
  });
}

/** Whether there is exactly one tab for every asset of the document. */
export function fit({ assets }) {
  return tabs.length === Object.keys(assets).length && tabs.every((tab) => tab.dataset.key in assets);
}

function neighbour(tab, key) {
  if (key === "Home") return tabs[0];
  if (key === "End") return tabs.at(-1);
  const step = STEPS[key];
  return step ? tabs[(tabs.indexOf(tab) + step + tabs.length) % tabs.length] : null;
}

export function draw({ assets }, symbol) {
  for (const tab of tabs) {
    const asset = assets[tab.dataset.key];
    const isChosen = asset.symbol === symbol;
    const [tone, words] = stateOf(asset);
    mark(tab, "aria-selected", isChosen ? "true" : "false");
    mark(tab, "tabindex", isChosen ? "0" : "-1");
    mark(tab, "data-tone", tone);
    write(slots(tab).state, words);
  }
  mark(panel, "aria-label", symbol);
  document.title = titleOf(assets[symbol]);
  if (symbol !== inView) reveal(tabs.find((tab) => tab.dataset.key === symbol));
  inView = symbol;
}

/** Many assets do not fit the bar. Only the bar is moved, at once, and only for another choice: else it is the hand's. */
function reveal(tab) {
  const [bar, place] = [list.getBoundingClientRect(), tab.getBoundingClientRect()];
  if (place.left < bar.left) list.scrollLeft += place.left - bar.left;
  else if (place.right > bar.right) list.scrollLeft += Math.ceil(place.right - bar.right);
}

function stateOf(asset) {
  if (asset.position !== 0) {
    const open = asset.rithmic_open_points === null ? "" : ` · ${signedPoints(asset.rithmic_open_points)} pt`;
    return ["held", signedQuantity(asset.position) + open];
  }
  if (asset.pending_order_id) return ["order", `${asset.pending_kind} ${asset.pending_status}`];
  if (deskInTheWay()) return ["blocked", deskInTheWay()];
  const closed = firstClosed(asset);
  return closed ? ["blocked", headline(closed)] : ["open", "may enter"];
}

function titleOf(asset) {
  const [, words] = stateOf(asset);
  return `${asset.symbol} ${words} · Lockstep`;
}
