// @ts-check

/**
 * Events of the journal that explain what the page shows: heard from the stream, and asked for when the page opens and
 * when some may have been missed.
 */

import { get, NoAnswer } from "./api.js";
import * as clock from "./clock.js";

const ASKED_WITHIN_MS = 4_000;
const RECENT_MS = 120_000;
const BEFORE_TRADE_MS = 60_000; // the broker disagrees a while before the desk follows
const PAGES_AT_MOST = 20;
const IDS_OF_A_ROW = 1000; // a row of the journal holds what happened together
const END = "OrderEnded";
/** What explains the end of an order. */
const RECENT = { types: [END, "OrderReported", "BrickApplied", "DailyStopTriggered"], most: 500 };
/** What explains the quantity of a trade, however long it is open. */
const LASTING = { types: ["TradeOpened", "TradeResized", "PositionDisagreed"], most: 200 };
/** What says how an asset's bricks became whole again. */
const OF_FEEDS = { types: ["FeedFaultEnded"], most: 100 };
/** What says how a proposal ended. */
const OF_PROPOSALS = { types: ["ProposalEnded"], most: 100 };

/** @type {Page.Event[]} oldest first */
let recent = [];
/** @type {Page.Event[]} oldest first */
let lasting = [];
/** @type {Page.Event[]} oldest first */
let feeds = [];
/** @type {Page.Event[]} oldest first */
let proposals = [];

/** The events of the last minutes that may explain how an order ended, oldest first. */
export function ofOrders() {
  return recent;
}

/** The events that may explain what is held, oldest first. */
export function ofTrades() {
  return lasting;
}

/** The events of the last minutes that say how a feed became whole again, oldest first. */
export function ofFeeds() {
  return feeds;
}

/** The proposals of the last minutes that have ended, oldest first. */
export function ofProposals() {
  return proposals;
}

/**
 * Take an event from the stream or from an answer.
 *
 * @param {Page.Event} event
 */
export function take(event) {
  if (RECENT.types.includes(event.type)) recent = joined(recent, event, RECENT.most);
  if (LASTING.types.includes(event.type)) lasting = joined(lasting, event, LASTING.most);
  if (OF_FEEDS.types.includes(event.type)) feeds = joined(feeds, event, OF_FEEDS.most);
  if (OF_PROPOSALS.types.includes(event.type)) proposals = joined(proposals, event, OF_PROPOSALS.most);
}

/**
 * Ask for what the page has not heard: how orders and faults of feeds ended in the last minutes, and of the open trades
 * all that explains them. Without an answer the page shows no reasons for what it has not heard.
 *
 * @param {Wire.StateDocument} state
 */
export async function askForPast({ assets }) {
  const opened = Object.values(assets).flatMap(({ trade }) => (trade ? [Date.parse(trade.opened_at)] : []));
  try {
    await walk(clock.now() - RECENT_MS, [END, ...OF_FEEDS.types, ...OF_PROPOSALS.types]);
    for (const event of recent.filter(wasCancelled)) await askForCauses(event);
    if (opened.length > 0) await walk(Math.min(...opened) - BEFORE_TRADE_MS, LASTING.types);
  } catch (failure) {
    if (!(failure instanceof NoAnswer)) throw failure;
  }
}

/**
 * An order that was cancelled is explained by other events; a desk closes many bricks that end no order.
 *
 * @param {Page.Event} event
 */
function wasCancelled({ type, data }) {
  return type === END && data.status === "CANCELLED";
}

/**
 * Ask for what happened before an event in the same row of the journal.
 *
 * @param {Page.Event} event
 */
async function askForCauses({ id }) {
  const before = id % IDS_OF_A_ROW;
  if (before > 0) await askFor(`since_id=${id - before - 1}&limit=${before}`);
}

/**
 * Take all events of these types since a moment, page by page.
 *
 * @param {number} since epoch milliseconds
 * @param {string[]} types
 */
async function walk(since, types) {
  let behind = `since_ts=${new Date(since).toISOString()}`;
  for (let page = 0; page < PAGES_AT_MOST; page += 1) {
    const next = await askFor(`${behind}&limit=1000&types=${types}`);
    if (next === null || behind === `since_id=${next}`) return;
    behind = `since_id=${next}`;
  }
}

/**
 * Take a page of events; its last id, or null when there is no page (its events were pruned).
 *
 * @param {string} which
 * @returns {Promise<number | null>}
 */
async function askFor(which) {
  const { status, body } = await get(`/api/events?${which}`, ASKED_WITHIN_MS);
  if (status !== 200) return null;
  body.events.forEach(take);
  return body.next;
}

/**
 * The events with one more, in the order of their ids; one that is known changes nothing.
 *
 * @param {Page.Event[]} events
 * @param {Page.Event} event
 * @param {number} most
 */
function joined(events, event, most) {
  if (events.some(({ id }) => id === event.id)) return events;
  return [...events, event].sort((one, other) => one.id - other.id).slice(-most);
}
