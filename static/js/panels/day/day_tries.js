// @ts-check

/** Today's tries against the rules: refusals by gate, overrides and forced exits, the newest first. */

import { clockTime, signedUsd } from "../../reading/format.js";
import { count, plain, say } from "../../reading/words.js";
import { byId, mark, show, slots, write } from "../../ui/dom.js";
import * as record from "./day_record.js";
import { drawGates, overrideLine, refusals } from "./tries.js";

const SHOWN = 4;
const slot = slots(byId("day-tries"));
/** @type {record.Today | null} */
let drawn = null;

/** @param {Page.State} state */
export function draw({ global: desk }) {
  const today = record.current();
  writeAge(today);
  mark(
    slot["tries-link"],
    "href",
    `/journal?${new URLSearchParams({ first_day: desk.trading_day, last_day: desk.trading_day })}`,
  );
  if (today === drawn) return;
  drawn = today;
  drawRefusals(today);
  drawActs(today);
}

/**
 * An answer that failed leaves what is shown, and says as of when it is.
 *
 * @param {record.Today | null} today
 */
function writeAge(today) {
  const isOld = record.isOld();
  show(slot["tries-old"], isOld || today === null);
  if (!isOld) return write(slot["tries-old"], today === null ? "Reading today's journal…" : "");
  const asOf = today && `This is as of ${clockTime(today.heardAt)}: the journal did not answer since.`;
  return write(slot["tries-old"], asOf || "Today's journal did not answer yet. It is asked again every few seconds.");
}

/** @param {record.Today | null} today */
function drawRefusals(today) {
  const blocked = today?.blocked_by_gate ?? {};
  const refused = refusals(blocked);
  write(slot["tries-note"], refused && `${refused}, every asset`);
  show(slot["tries-none"], today !== null && refused === "");
  show(slot["tries-table"], refused !== "");
  drawGates(slot["tries-gates"], blocked);
}

/** @param {record.Today | null} today */
function drawActs(today) {
  show(slot["tries-acts"], today !== null);
  const { overrides, forced_exits: forced } = today ?? { overrides: [], forced_exits: [] };
  const lines = [
    ...overrides.map((one) => ({ at: Date.parse(one.at), line: overrideLine(one, clockTime(one.at)) })),
    ...forced.map((trade) => ({ at: Date.parse(trade.exit_ts), line: forcedLine(trade) })),
  ].sort((one, other) => other.at - one.at);
  write(slot["tries-acts-words"], `${countOf(overrides, "override")}, ${countOf(forced, "forced exit")}`);
  slot["tries-list"].replaceChildren(...lines.slice(0, SHOWN).map(({ line }) => line));
  const more = lines.length - SHOWN;
  write(slot["tries-more"], more > 0 ? `${more} more: ` : "");
}

/**
 * @param {unknown[]} found
 * @param {string} one
 */
function countOf(found, one) {
  return found.length === 0 ? `no ${one}` : count(found.length, one);
}

/** @param {Wire.JournalTradeRow} trade */
function forcedLine({ exit_ts: at, asset, side, size, pnl_usd: pnl, reason }) {
  const line = document.createElement("li");
  const what = `${side === "BUY" ? "long" : "short"} ${size} ${asset}, ${signedUsd(pnl)}`;
  line.append(say("time", clockTime(at)), ` Forced exit, ${what}: ${plain(reason)}`);
  return line;
}
