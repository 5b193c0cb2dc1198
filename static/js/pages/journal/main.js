// @ts-check

/** The journal: asks for the selection, draws what comes; an answer to an older question is dropped. */

import { get, NoAnswer } from "../../desk/api.js";
import { daysOf } from "../../reading/proposal_traces.js";
import { all, byId, write } from "../../ui/dom.js";
import * as bars from "./bars.js";
import * as calendar from "./calendar.js";
import * as curve from "./curve.js";
import * as day from "./day.js";
import * as filters from "./filters.js";
import * as proposals from "./proposals.js";
import * as scatter from "./scatter.js";
import * as table from "./table.js";
import * as tiles from "./tiles.js";

const PAGE = 200;
const MOST_PROPOSALS = 500;
const NO_ANSWER = "No answer from the desk. What you see may be old.";
const root = byId("journal");
const answer = byId("journal-answer");
const empty = byId("empty");
const emptyWords = byId("empty-words");
const filled = all(document, "[data-filled]");

/**
 * What the desk answers, by the last part of the path.
 *
 * @typedef {object} Answers
 * @property {Wire.StatisticsAnswer} statistics
 * @property {Wire.TradesAnswer} trades
 * @property {Wire.CalendarAnswer} calendar
 * @property {Wire.DayAnswer} day
 * @property {Wire.ProposalTracesAnswer} proposals
 */

let question = 0;
/** @type {Wire.JournalTradeRow[]} */
let trades = [];
/** @type {string | null} */
let following = null;

function start() {
  filters.start(root.dataset.env ?? "", readAll);
  calendar.start(root.dataset.day ?? "", readCalendar);
  table.start(readOlder);
  readAll();
}

/** Ask for everything that the selection decides. */
async function readAll() {
  const own = ++question;
  const chosen = filters.chosenDay();
  root.setAttribute("aria-busy", "true");
  const [statistics, page, month, oneDay, traces] = await Promise.all([
    ask("statistics", filters.query()),
    ask("trades", filters.query({ limit: PAGE })),
    ask("calendar", calendarQuery()),
    chosen ? ask("day", dayQuery(chosen)) : null,
    ask("proposals", daysOf(filters.query(), MOST_PROPOSALS)),
  ]);
  if (own !== question) return;
  root.removeAttribute("aria-busy");
  if (month) calendar.draw(month);
  proposals.draw(traces, filters.query());
  if (!statistics || !page) return;
  trades = page.trades;
  following = page.next;
  drawSelection(statistics);
  day.drawDay(oneDay);
}

/** @param {Wire.StatisticsAnswer} statistics */
function drawSelection(statistics) {
  const isEmpty = statistics.figures.trades === 0;
  empty.hidden = !isEmpty;
  for (const part of filled) part.hidden = isEmpty;
  emptyWords.textContent = filters.isNarrow()
    ? "No trade fits this selection. Clear it, or choose other days."
    : "No trade has been closed on this account yet. The first one appears here when its position is flat.";
  filters.offer(
    "reason",
    statistics.groups.reason.map((group) => group.name),
  );
  filters.offer(
    "tag",
    statistics.groups.tag.map((group) => group.name),
  );
  tiles.draw(statistics);
  day.drawGates(statistics);
  if (isEmpty) return;
  curve.draw(statistics);
  bars.draw(statistics);
  drawTrades(true);
}

/** @param {boolean} isNew */
function drawTrades(isNew) {
  scatter.draw(trades, table.reveal);
  table.draw(trades, following !== null, isNew);
}

async function readCalendar() {
  const month = await ask("calendar", calendarQuery());
  if (month?.month === calendar.month()) calendar.draw(month);
}

async function readOlder() {
  const own = question;
  const page = await ask("trades", filters.query({ limit: PAGE, before: following }));
  if (own !== question || !page) return;
  trades = [...trades, ...page.trades];
  following = page.next;
  drawTrades(false);
}

function calendarQuery() {
  return onAccount({ month: calendar.month() });
}

/** @param {string} chosen */
function dayQuery(chosen) {
  return onAccount({ day: chosen });
}

/** @param {Record<string, string>} asked */
function onAccount(asked) {
  return new URLSearchParams(filters.env() ? { ...asked, env: filters.env() } : asked);
}

/**
 * Answers the body, or null when there is none; then the page says so.
 *
 * @template {keyof Answers} What
 * @param {What} what
 * @param {URLSearchParams} query
 * @returns {Promise<Answers[What] | null>}
 */
async function ask(what, query) {
  try {
    const { body } = await get(`/api/journal/${what}?${query}`);
    write(answer, body.ok ? "" : body.error);
    return body.ok ? body : null;
  } catch (failure) {
    if (!(failure instanceof NoAnswer)) throw failure;
    write(answer, NO_ANSWER);
    return null;
  }
}

start();
