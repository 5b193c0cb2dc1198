// @ts-check

/** How much of today is left in dollars, and how many contracts are taken: what an entry is measured against. */

import { contractShare, contractWords, dayShares, dayWords, leftTitle } from "../../reading/risk.js";
import { byId, mark, show, slots, write } from "../../ui/dom.js";

const root = byId("left-today");
const slot = slots(root);

/**
 * @param {Wire.GlobalState} desk
 * @param {Wire.AssetState} asset
 */
export function draw({ risk }, asset) {
  const shares = dayShares(risk);
  const words = dayWords(risk);
  write(slot["left-title"], leftTitle(risk));
  write(slot["left-usd"], words);
  mark(slot["usd-lost"], "width", (shares?.lost ?? 0).toFixed(1));
  mark(slot["usd-risk"], "x", (shares?.lost ?? 0).toFixed(1));
  mark(slot["usd-risk"], "width", (shares?.atRisk ?? 0).toFixed(1));
  mark(slot["usd-meter"], "aria-label", `${leftTitle(risk)}: ${words}`);
  drawContracts(risk, asset);
}

/**
 * @param {Wire.DeskRisk} risk
 * @param {Wire.AssetState} asset
 */
function drawContracts(risk, asset) {
  const words = contractWords(risk, asset);
  const share = contractShare(risk, asset);
  show(slot["contracts-line"], words !== "");
  write(slot["contracts-held"], words);
  show(slot["contracts-bar"], share !== null);
  mark(slot["contracts-fill"], "width", (share ?? 0).toFixed(1));
  mark(slot["contracts-meter"], "aria-label", `Contracts: ${words}`);
}
