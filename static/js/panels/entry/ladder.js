// @ts-check

/** The ladder: every gate in order, open or closed, with its sentence and what opens it. */

import { firstClosed, opener, openFact, timelessSentence } from "../../reading/gates.js";
import { sized } from "../../reading/risk.js";
import { byId, copyOf, follow, mark, slots, write } from "../../ui/dom.js";
import { chosen } from "./entry_kinds.js";

const root = byId("ladder");
const slot = slots(root);

/**
 * @param {Page.State} state
 * @param {string} symbol
 */
export function draw({ global: desk, assets }, symbol) {
  const asset = sized(assets[symbol], chosen("entry_size_mode"));
  const first = firstClosed(asset);
  const closed = asset.ladder.filter((rung) => rung.state === "closed").length;
  write(slot.count, closed === 0 ? "every gate is open" : `${closed} of ${asset.ladder.length} closed`);
  follow(slot.rungs, asset.ladder, {
    key: (rung) => rung.gate,
    make: makeRung,
    fill: (row, rung) => fillRung(row, rung, { desk, asset, first }),
  });
}

/**
 * A gate this page does not know yet is shown by its own name.
 *
 * @param {Wire.Rung} rung
 */
function makeRung(rung) {
  const row = copyOf("rung");
  write(slots(row).name, rung.gate.replaceAll("_", " "));
  return row;
}

/**
 * @param {HTMLElement} row
 * @param {Wire.Rung} rung
 * @param {{desk: Wire.GlobalState, asset: Wire.AssetState, first: Wire.Rung | null}} about
 */
function fillRung(row, rung, { desk, asset, first }) {
  const cell = slots(row);
  const isClosed = rung.state === "closed";
  mark(row, "data-state", rung.state);
  mark(row, "data-first", rung.gate === first?.gate);
  write(cell.lamp, isClosed ? "✕" : "✓");
  write(cell.state, rung.state);
  write(cell.sentence, isClosed ? timelessSentence(rung) : openFact(rung.gate, desk, asset));
  write(cell.until, opener(rung));
}
