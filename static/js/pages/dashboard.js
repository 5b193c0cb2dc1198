// @ts-check

/** The page: one document, one asset in view, every panel drawn from both, once a frame at most. */

import * as clock from "../desk/clock.js";
import * as controls from "../desk/controls.js";
import * as facts from "../desk/facts.js";
import * as store from "../desk/store.js";
import * as stream from "../desk/stream.js";
import * as account from "../panels/day/account.js";
import * as day from "../panels/day/day.js";
import * as dayCourse from "../panels/day/day_course.js";
import * as dayRecord from "../panels/day/day_record.js";
import * as dayTries from "../panels/day/day_tries.js";
import * as firm from "../panels/day/firm.js";
import * as limits from "../panels/day/limits.js";
import * as slotTaking from "../panels/day/slot_taking.js";
import * as storeDoubt from "../panels/day/store_doubt.js";
import * as tradingWindow from "../panels/day/window.js";
import * as alerts from "../panels/desk/alerts.js";
import * as banners from "../panels/desk/banners.js";
import * as chat from "../panels/desk/chat.js";
import * as env from "../panels/desk/env.js";
import * as logs from "../panels/desk/logs.js";
import * as signals from "../panels/desk/signals.js";
import * as tabs from "../panels/desk/tabs.js";
import * as top from "../panels/desk/top.js";
import * as entry from "../panels/entry/entry.js";
import * as ladder from "../panels/entry/ladder.js";
import * as proposal from "../panels/entry/proposal.js";
import * as waiting from "../panels/entry/waiting.js";
import * as why from "../panels/entry/why.js";
import * as autoTrade from "../panels/market/auto_trade.js";
import * as charts from "../panels/market/charts.js";
import * as feed from "../panels/market/feed.js";
import * as ring from "../panels/market/ring.js";
import * as stack from "../panels/market/stack.js";
import * as exits from "../panels/trade/exits.js";
import * as history from "../panels/trade/history.js";
import * as scaleIn from "../panels/trade/scale_in.js";
import * as switches from "../panels/trade/switches.js";
import * as thumb from "../panels/trade/thumb.js";
import * as trade from "../panels/trade/trade.js";
import * as unsettled from "../panels/trade/unsettled.js";
import { nextMoment } from "../reading/gates.js";
import { DESK_KEYS } from "../ui/desk_keys.js";
import { byId } from "../ui/dom.js";
import * as shortcuts from "../ui/shortcuts.js";

/** @type {{draw: (state: Page.State, symbol: string) => void}[]} */
const PANELS = [
  ...[top, env, banners, tabs, stack, feed, charts, ring, thumb, entry, proposal, waiting, ladder, autoTrade],
  ...[
    trade,
    unsettled,
    switches,
    scaleIn,
    exits,
    day,
    account,
    storeDoubt,
    firm,
    tradingWindow,
    dayRecord,
    dayCourse,
    dayTries,
    slotTaking,
    limits,
    alerts,
    history,
  ],
];
/** @type {{start: (symbol: () => string, whenChanged: () => void) => void, forget: () => void}[]} */
const OF_ONE_ASSET = [entry, proposal, waiting, switches, scaleIn, exits];
const OF_THE_DESK = [env, slotTaking, limits, account, storeDoubt, tradingWindow, unsettled];
const CHANGE_FOLLOWS_WITHIN_MS = 20;

let symbol = "";
let isDrawDue = false;
/** @type {number | undefined} */
let eventTimer;
/** @type {number | null} */
let askedFor = null;

function start() {
  const firstState = JSON.parse(byId("state").textContent);
  clock.hear(firstState.now);
  store.takeState(firstState);
  symbol = assetAtFirst(firstState);
  tabs.start(choose);
  thumb.start(choose);
  controls.start(drawSoon);
  for (const panel of OF_ONE_ASSET) panel.start(() => symbol, drawSoon);
  for (const panel of OF_THE_DESK) panel.start();
  charts.start();
  signals.start();
  why.start(() => symbol, offeredSide);
  chat.start();
  shortcuts.start(DESK_KEYS);
  dayRecord.start(drawSoon);
  draw();
  logs.draw();
  stream.start(hear);
  clock.everySecond(drawSoon);
}

/**
 * What is held comes into view at the start, and only then: nothing turns to another asset by itself later.
 *
 * @param {Page.State} state
 */
function assetAtFirst(state) {
  const remembered = assetOfAddress(state) ?? Object.keys(state.assets)[0];
  const isHeld = (/** @type {string} */ name) => state.assets[name].position !== 0;
  return isHeld(remembered) ? remembered : (Object.keys(state.assets).find(isHeld) ?? remembered);
}

/**
 * The address remembers which asset is in view, over reloads too.
 *
 * @param {Page.State} state
 */
function assetOfAddress(state) {
  const named = decodeURIComponent(window.location.hash.slice(1));
  return named in state.assets ? named : null;
}

/** @param {string} chosen */
function choose(chosen) {
  symbol = chosen;
  window.history.replaceState(null, "", `#${encodeURIComponent(chosen)}`);
  for (const panel of OF_ONE_ASSET) panel.forget();
  why.forget();
  draw();
}

/**
 * The only side that the zone offers, null while it offers both or none.
 *
 * @param {string} of
 */
function offeredSide(of) {
  const { zone_type: zone, zone_direction: direction } = store.current().assets[of];
  return zone === "NORMAL" ? direction : null;
}

/**
 * @param {Page.News} news
 * @param {Page.Brick} [brick]
 */
function hear(news, brick) {
  signals.hear(news);
  if (news === "log") logs.draw();
  if (news === "brick" || news === "opened" || news === "price") charts.hear(news, brick);
  if (news === "opened") facts.askForPast(store.current()).then(drawSoon);
  if (news === "event") drawWithItsChange();
  if (news === "price") stack.draw(store.current(), symbol);
  if (news === "document") {
    drawSoon();
    logs.draw();
  }
}

/** The desk sends an event right before the change that it explains: both are drawn in one frame, an event alone later. */
function drawWithItsChange() {
  eventTimer ??= setTimeout(drawSoon, CHANGE_FOLLOWS_WITHIN_MS);
}

/** Many changes may arrive between two frames; hidden pages draw when they are seen again. */
function drawSoon() {
  if (isDrawDue) return;
  isDrawDue = true;
  requestAnimationFrame(() => {
    isDrawDue = false;
    eventTimer = void clearTimeout(eventTimer);
    draw();
  });
}

function draw() {
  const state = store.current();
  if (!tabs.fit(state)) return window.location.reload(); // the desk was started with other assets
  for (const panel of PANELS) panel.draw(state, symbol);
  askWhenTimeChangesIt(state);
}

/**
 * A lock that runs out changes the document without an event: ask for it once at that moment.
 *
 * @param {Page.State} state
 */
function askWhenTimeChangesIt(state) {
  const moment = nextMoment(state, state.assets[symbol]);
  if (moment === null || clock.now() < moment || askedFor === moment) return;
  askedFor = moment;
  stream.refresh();
}

start();
