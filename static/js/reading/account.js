// @ts-check

/** What the desk believes of the account, and why it does not believe more (SPEC 5.6). */

import { clockTime, signedUsd, usd } from "./format.js";
import { obstacleOfReason } from "./unsettled.js";

const BALANCE_IS_NEW_SECONDS = 60;
const WAYS_DIFFER_USD = 1;
const ENDS = "No entries until a later balance is explained, you confirm a transfer, or the trading day rolls.";

/** @typedef {{key: string, tone: "doubt" | "note", text: string}} Line */

/**
 * What a person must know of the account, the gravest first; empty while all is believed and new.
 *
 * @param {Wire.GlobalState} desk
 * @param {number} nowMs the desk's time
 * @returns {Line[]}
 */
export function accountLines(desk, nowMs) {
  return [suspicion(desk), awaited(desk), oldBalance(desk, nowMs), ways(desk)].filter((line) => line !== null);
}

/**
 * Which balance is not believed, whose it is, since when, and what ends it.
 *
 * @param {Wire.GlobalState} desk
 * @returns {Line | null}
 */
function suspicion({ account_belief: belief }) {
  if (belief.suspect === null) return null;
  const balance = usd(belief.suspect_balance);
  const rest = signedUsd(belief.unexplained_usd);
  const whose = belief.suspect_account ? ` of ${belief.suspect_account}` : "";
  const believed = belief.name ?? "the account of before";
  const because = {
    jump: `${rest} of it are explained by no fill, no price and no figure of the broker`,
    other_account: `the day's account is ${believed}, which differs by ${rest}`,
    loss_denied: `it shows a loss at the daily stop's limit, the broker's own figures differ by ${rest}`,
    books_denied: `the desk's books show a loss at the daily stop's limit, it differs from them by ${rest}`,
  }[belief.suspect];
  const text = `The balance ${balance}${whose} is not believed since ${clockTime(belief.suspect_since)}: ${because}. ${ENDS}`;
  return { key: "suspect", tone: "doubt", text };
}

/**
 * @param {Wire.GlobalState} desk
 * @returns {Line | null}
 */
function awaited({ account_belief: { second_reading_awaited_ts: since, second_reading_loss_usd: loss } }) {
  if (since === null) return null;
  const text = `A first reading at ${clockTime(since)} shows a loss of ${usd(loss)}, the daily stop's limit. No entries: a second reading ends the day or denies it, a confirmed transfer opens nothing.`;
  return { key: "awaited", tone: "doubt", text };
}

/**
 * @param {Wire.GlobalState} desk
 * @param {number} nowMs
 * @returns {Line | null}
 */
function oldBalance({ account_belief: { balance_ts: at, suspect }, env }, nowMs) {
  const isOld = at !== null && nowMs - Date.parse(at) >= BALANCE_IS_NEW_SECONDS * 1000;
  if (at === null || !isOld || suspect !== null) return null;
  const ends = env === "LIVE" ? " No entries until a new one comes." : "";
  return { key: "old", tone: "note", text: `The last believed balance is of ${clockTime(at)}.${ends}` };
}

/**
 * The day's result in the ways that are known, when they differ.
 *
 * @param {Wire.GlobalState} desk
 * @returns {Line | null}
 */
function ways({ account_belief: belief }) {
  const told = [
    { by: "balance", result: belief.result_by_balance_usd },
    { by: "the broker's figures", result: belief.result_by_broker_usd },
    { by: "the desk's books", result: belief.result_by_books_usd },
  ].filter(({ result }) => result !== null);
  const results = told.map(({ result }) => /** @type {number} */ (result));
  if (Math.max(...results) - Math.min(...results) < WAYS_DIFFER_USD) return null;
  const text = `The day by ${told.map(({ by, result }) => `${by} ${signedUsd(result)}`).join(", by ")}.`;
  return { key: "ways", tone: "note", text };
}

/**
 * What the daily stop counts from before the day's first balance; empty once there is one.
 *
 * @param {Wire.GlobalState} desk
 */
export function startSentence({ daily_start_equity: start, account_belief: { assumed_start_equity: assumed } }) {
  if (start !== null) return "";
  return assumed === null
    ? "Daily stop cannot fire yet: no account balance is known."
    : `No account balance today yet: the daily stop counts the desk's own books, from ${usd(assumed)}.`;
}

/**
 * What the fields say, as `POST /api/account/transfer` takes it.
 *
 * @param {Wire.GlobalState} desk
 * @param {{amount: number, reason: string, isHolding: boolean}} said NaN where the amount is no number
 */
export function transfer({ account_belief: belief }, { amount, reason, isHolding }) {
  return {
    obstacle: obstacleOf(amount, reason, isHolding),
    label: labelOf(amount, belief.suspect_account),
    path: "/api/account/transfer",
    command: { amount, reason: reason.trim() },
  };
}

/**
 * @param {number} amount
 * @param {string} reason
 * @param {boolean} isHolding
 */
function obstacleOf(amount, reason, isHolding) {
  if (isHolding) return "A transfer is confirmed only while flat";
  if (Number.isNaN(amount)) return "Type the amount in USD";
  return obstacleOfReason(reason);
}

/**
 * @param {number} amount
 * @param {string | null} account
 */
function labelOf(amount, account) {
  if (amount === 0) return `Hold: ${account ?? "this account"} is mine, nothing was transferred`;
  return `Hold: ${usd(Math.abs(amount))} were paid ${amount < 0 ? "out" : "in"}`;
}
