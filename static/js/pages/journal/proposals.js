// @ts-check

/** Proposals of programs that have ended: what became of each, and what would have become of it. */

import { countWords, endWords, levelWords, outcomeWords, selected } from "../../reading/proposal_traces.js";
import { newYork, tint } from "../../reading/words.js";
import { byId, copyOf, show, slots, write } from "../../ui/dom.js";

const root = byId("proposals");
const body = byId("proposal-rows");
const note = byId("proposals-note");
/** @type {Record<string, number>} */
const ticks = JSON.parse(byId("journal").dataset.ticks ?? "{}");

/**
 * Draw those that the filters select; without one the section is not there.
 *
 * @param {Wire.ProposalTracesAnswer | null} answer
 * @param {URLSearchParams} chosen
 */
export function draw(answer, chosen) {
  const traces = selected(answer?.proposals ?? [], chosen);
  show(root, traces.length > 0);
  if (answer === null || traces.length === 0) return;
  write(note, countWords(traces, answer.truncated));
  body.replaceChildren(...traces.map(rowFor));
}

/** @param {Wire.ProposalTrace} trace */
function rowFor(trace) {
  const { proposal } = trace;
  const row = copyOf("proposal-row");
  const cell = slots(row);
  const { says, result, value } = outcomeWords(trace);
  write(cell.opened, newYork(proposal.created_at));
  write(cell.asset, proposal.asset);
  write(cell.side, `${proposal.direction === "BUY" ? "▲ long" : "▼ short"} ${proposal.quantity}`);
  write(cell.source, proposal.source);
  write(cell.levels, levelWords(proposal, ticks[proposal.asset] ?? 0.01));
  write(cell.end, endWords(proposal));
  write(cell.outcome, says);
  tint(cell.result, result, value);
  write(cell.reason, proposal.reason);
  return row;
}
