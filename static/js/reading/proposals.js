// @ts-check

/**
 * Words for proposals: entries that programs suggest. The desk's own truth is said first: the gates of today, and the
 * stop that will rest at the broker, whatever the program wrote.
 */

import { clockTime, points, price as priceWords, usd } from "./format.js";
import { plain } from "./words.js";

const ARROWS = { BUY: "▲", SELL: "▼" };
const AGAINST = { BUY: "red", SELL: "green" };
const WHO = { service: "a program beside the desk", key: "a program with an API key" };
const ENDED_STAYS_MS = 30_000;
const ZONE = "zone";
const TWO_HALF = "two_half_filter";
/** @type {Record<string, string>} */
export const WITHDRAWN = {
  proposer: "its program took it back",
  env_switched: "the environment was switched",
  asset_gone: "the desk no longer lists its asset",
  contract_changed: "the contract changed, and its prices are another's",
};

/**
 * The gate that refuses a market entry of this direction now; null when none does. The document's ladder is that of the
 * zone's own direction, so the two gates that ask for one are read anew; `may_enter` has the last word.
 *
 * @param {Wire.GlobalState} desk
 * @param {Wire.AssetState} asset
 * @param {Page.Side} direction
 * @returns {Wire.Rung | null}
 */
export function closedFor(desk, asset, direction) {
  if (asset.may_enter.includes(direction)) return null;
  const rungs = asset.ladder.map((rung) => ofDirection(rung, desk, asset, direction));
  return (
    rungs.find(({ state }) => state === "closed") ?? closed(rungs[0], "NOT NOW", `the desk refuses ${direction} now`)
  );
}

/**
 * @param {Wire.Rung} rung
 * @param {Wire.GlobalState} desk
 * @param {Wire.AssetState} asset
 * @param {Page.Side} direction
 */
function ofDirection(rung, desk, asset, direction) {
  if (rung.gate === ZONE && asset.zone_type === "NORMAL") {
    const isAgainst = asset.zone_direction !== direction;
    return isAgainst ? closed(rung, "AGAINST STRUCTURE", `8pt and 12pt say ${asset.zone_direction}`) : rung;
  }
  if (rung.gate !== TWO_HALF) return rung;
  const color = AGAINST[direction];
  const isOpposed = desk.limits?.two_half_filter && asset.two_half_renko_color === color;
  return isOpposed ? closed(rung, "2.5PT FILTER", `the last 2.5pt brick is ${color}`) : opened(rung);
}

/**
 * @param {Wire.Rung} rung
 * @param {string} title
 * @param {string} detail
 * @returns {Wire.Rung}
 */
function closed(rung, title, detail) {
  const sentence = `${title} — ${detail}`;
  return { ...rung, state: "closed", title, detail, sentence, facts: {}, reopens_at: null };
}

/**
 * @param {Wire.Rung} rung
 * @returns {Wire.Rung}
 */
function opened(rung) {
  return { ...rung, state: "open", sentence: null };
}

/**
 * What it proposes: ▲ BUY 5 MESZ4.
 *
 * @param {Wire.ProposalRow} proposal
 * @param {number} quantity contracts that a click enters
 */
export function offerWords({ direction, contract }, quantity) {
  return `${ARROWS[direction]} ${direction} ${quantity} ${contract}`;
}

/**
 * That one has come, without anything that runs.
 *
 * @param {Wire.ProposalRow} proposal
 */
export function comesWords({ direction, asset, source, desk_risk_usd: risk }) {
  return `${source} proposes to ${direction} ${asset}; ${usd(risk)} at risk.`;
}

/**
 * Who opened it.
 *
 * @param {Wire.ProposalRow} proposal
 */
export function whoWords({ source, proposer }) {
  return `${source}, ${WHO[proposer]}`;
}

/**
 * The stop that will rest at the broker: always the desk's own, and as many contracts as a click enters.
 *
 * @param {Wire.ProposalRow} proposal
 * @param {number} quantity
 */
export function restingWords(proposal, quantity) {
  const { desk_stop_points: distance, desk_risk_usd: risk } = proposal;
  return `${usd(forContracts(risk, proposal, quantity))} at risk: the desk's own stop, ${points(distance)} pt away`;
}

/**
 * The stop that the program wrote, which nobody places.
 *
 * @param {Wire.ProposalRow} proposal
 * @param {number} quantity
 * @param {number} tickSize
 */
export function proposedStopWords(proposal, quantity, tickSize) {
  const { stop, stop_points: distance, desk_stop_points: own, risk_usd: risk } = proposal;
  const where = `${priceWords(stop, tickSize)}, ${points(distance)} pt`;
  if (distance === own) return `${where}: as far as the desk's own`;
  return `${where}: ${usd(forContracts(risk, proposal, quantity))} there, but it is not placed`;
}

/**
 * The row counts the risk of its own quantity; the chosen size may be another.
 *
 * @param {number} risk
 * @param {Wire.ProposalRow} proposal
 * @param {number} quantity
 */
function forContracts(risk, proposal, quantity) {
  return proposal.quantity > 0 ? (risk / proposal.quantity) * quantity : null;
}

/**
 * The target that the program wrote, and what the chosen mode takes instead.
 *
 * @param {Wire.ProposalRow} proposal
 * @param {Wire.AssetState} asset
 * @param {string | null} mode SCALP or RUNNER
 * @param {number | undefined} takes points of a SCALP's target
 */
export function targetWords({ target, entry }, { tick_size: tickSize, point_size: pointSize }, mode, takes) {
  const instead = mode === "SCALP" && takes !== undefined ? `SCALP takes ${points(takes)} pt` : `${mode} has none`;
  if (target === null) return `none; ${instead}`;
  const distance = Math.abs(target - entry) / pointSize;
  return `${priceWords(target, tickSize)}, ${points(distance)} pt: not placed, ${instead}`;
}

/**
 * Where the market stands against the proposed entry: a click takes the market's price, not the entry's.
 *
 * @param {Wire.ProposalRow} proposal
 * @param {number | null} now the last price
 * @param {Wire.AssetState} asset
 */
export function distanceWords({ direction, entry, stop, target }, now, { tick_size: tickSize, point_size: pointSize }) {
  if (now === null) return "no price is known";
  const sign = direction === "BUY" ? 1 : -1;
  const at = `now ${priceWords(now, tickSize)}`;
  if ((now - stop) * sign <= 0) return `${at}: already at or past its stop`;
  if (target !== null && (now - target) * sign >= 0) return `${at}: already at or past its target`;
  const worse = ((now - entry) * sign) / pointSize;
  if (worse === 0) return `${at}: at its entry`;
  return `${at}: ${points(Math.abs(worse))} pt ${worse > 0 ? "worse" : "better"} than its entry`;
}

/**
 * The end of an asset's last proposal, null when that was a while ago.
 *
 * @param {Page.Event[]} ends oldest first
 * @param {string} symbol
 * @param {number} now epoch milliseconds
 */
export function lastEnded(ends, symbol, now) {
  const last = ends.findLast(({ asset }) => asset === symbol);
  return last && now - Date.parse(last.ts) < ENDED_STAYS_MS ? last : null;
}

/**
 * How a proposal ended, in one sentence; `known` is the row that was shown, if one was.
 *
 * @param {Page.Event} event a ProposalEnded
 * @param {Wire.ProposalRow | null} known
 */
export function endedWords({ ts, asset, data }, known) {
  const what = known
    ? `${ARROWS[known.direction]} ${known.direction} ${known.contract} of ${known.source}`
    : `for ${asset}`;
  return `${clockTime(ts)} The proposal ${what} ${howEnded(data)}.`;
}

/**
 * @param {{status?: string, gate?: string | null, why?: string | null}} end
 */
export function howEnded({ status, gate, why }) {
  if (status === "TAKEN") return "was taken: its order is on its way";
  if (status === "REFUSED") return `was refused${gate ? ` by the gate ${plain(gate)}` : ""}; a refused click ends it`;
  if (status === "DISMISSED") return "was dismissed";
  if (status === "EXPIRED") return "expired: nobody took it in its time";
  return `was withdrawn${why ? `: ${WITHDRAWN[why] ?? plain(why)}` : ""}`;
}
