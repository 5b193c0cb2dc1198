// @ts-check

/**
 * Today's journal as the desk answered it last, and the account's course since.
 *
 * It is asked for at the start, and again when the document says that there is more: another `last_try_ts`, another
 * closed trade, minutes of which nothing was heard. Questions are 2 s apart however often a gate refuses, and only
 * one is under way; what comes back after the day or the account has changed is dropped.
 */

import { get, NoAnswer } from "../../desk/api.js";
import * as clock from "../../desk/clock.js";
import { joined } from "../../reading/day_points.js";

const APART_MS = 2_000;
const TRIED_AGAIN_AFTER_MS = 10_000;
const GAP_MS = 150_000; // the desk keeps a sample a minute: the page was away if it has fewer

/** @typedef {Wire.DayAnswer & {heardAt: number}} Today an answer, and the desk's time at which it came */

let redraw = () => {};
/** @type {string | null} */
let account = null; // trading day and environment
/** @type {string | null} */
let wanted = null; // what the document says there is to know
/** @type {string | null} */
let known = null; // the same as of the last answer
let question = 0;
let isAsking = false;
let notBefore = 0;
/** @type {Today | null} */
let answer = null;
let hasFailed = false;
/** @type {Page.Point[]} */
let points = [];
/** @type {Page.Instant | null} */
let heardUntil = null; // the newest sample of the desk, as it wrote its time
let gaps = 0;

/**
 * `whenAnswered` draws the page anew.
 *
 * @param {() => void} whenAnswered
 */
export function start(whenAnswered) {
  redraw = whenAnswered;
}

/** The last answer of this day; null while there is none. */
export function current() {
  return answer;
}

/** Whether the last question found no answer: what is known is as of its `heardAt`. */
export function isOld() {
  return hasFailed;
}

/** The account's course; it ends with the equity that the document shows. */
export function course() {
  return points;
}

/** @param {Page.State} state */
export function draw({ global: desk, history }) {
  const present = `${desk.trading_day} ${desk.env}`;
  if (present !== account) begin(present);
  follow(desk);
  wanted = `${desk.last_try_ts} ${history[0]?.id} ${gaps}`;
  const isDue = wanted !== known && !isAsking && performance.now() >= notBefore;
  if (isDue) ask(desk);
}

/** @param {string} present */
function begin(present) {
  account = present;
  question += 1; // what is under way belongs to another day
  isAsking = false;
  notBefore = 0;
  [known, answer, hasFailed, heardUntil, points] = [null, null, false, null, []];
}

/**
 * The balance of the last snapshot is a point, once the day has begun with one.
 *
 * @param {Wire.GlobalState} desk
 */
function follow({ daily_start_equity: start, equity, snapshot_ts: at }) {
  if (start === null || equity === null || !at) return;
  const last = points.at(-1);
  const live = { at: Date.parse(at), equity };
  if (last && (live.at < last.at || (live.at === last.at && equity === last.equity))) return;
  if (last && live.at - last.at > GAP_MS) gaps += 1;
  points = joined(points, [live]);
}

/** @param {Wire.GlobalState} desk */
async function ask(desk) {
  const own = ++question;
  const asked = wanted;
  isAsking = true;
  const body = await answerOf(desk);
  if (own !== question) return;
  isAsking = false;
  notBefore = performance.now() + (body ? APART_MS : TRIED_AGAIN_AFTER_MS);
  hasFailed = body === null;
  if (body) take(body, asked);
  redraw();
}

/**
 * @param {Wire.GlobalState} desk
 * @returns {Promise<Wire.DayAnswer | null>}
 */
async function answerOf({ trading_day: day, env }) {
  const query = new URLSearchParams({ day, env, ...(heardUntil && { samples_after: heardUntil }) });
  try {
    const { body } = await get(`/api/journal/day?${query}`);
    return body.ok ? body : null;
  } catch (failure) {
    if (!(failure instanceof NoAnswer)) throw failure;
    return null;
  }
}

/**
 * @param {Wire.DayAnswer} body
 * @param {string | null} asked
 */
function take(body, asked) {
  known = asked;
  answer = { ...body, heardAt: clock.now() };
  heardUntil = body.samples.at(-1)?.at ?? heardUntil;
  points = joined(
    points,
    body.samples.map(({ at, equity }) => ({ at: Date.parse(at), equity })),
  );
}
