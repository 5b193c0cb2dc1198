// @ts-check

import assert from "node:assert/strict";
import { test } from "node:test";
import { windowLines } from "../../../static/js/reading/window.js";
import { asset, desk, NOW, state, tradingWindow } from "../documents.js";

/**
 * @param {Partial<Wire.WindowState>} window
 * @param {Partial<Wire.AssetState>} [es]
 */
function lines(window, es = {}) {
  const document = { ...state(), global: desk({ window: tradingWindow(window) }), assets: { ES: asset(es) } };
  return windowLines(document, Date.parse(NOW)).map(({ tone, text }) => `${tone}: ${text}`);
}

/** @param {number} seconds */
function later(seconds) {
  return new Date(Date.parse(NOW) + seconds * 1000).toISOString();
}

test("an open window says how the week stands", () => {
  assert.deepEqual(lines({}), ["note: This week: $0.00, 0 trades."]);
  const told = lines({ week_net_usd: -250.5, week_left_usd: 749.5, trades_this_week: 1 });
  assert.deepEqual(told, ["note: This week: −$250.50, $749.50 left to lose, 1 trade."]);
  assert.match(lines({ week_left_usd: -3 })[0], /\$0\.00 left to lose/);
});

test("a lockout counts down and comes first", () => {
  const told = lines({ lockout_until: "session", lockout_ends_ts: later(3725), losses_in_a_row: 2 });
  assert.match(told[0], /^lock: You have locked entries until .* \(1:02:05 left\)\. Exits work\.$/);
  assert.equal(told[1], "note: 2 losing trades in a row.");
});

test("the time to be flat is counted down in its last hour, and closes when it has come", () => {
  const far = lines({ flat_by_ts: later(3601), flat_until_ts: later(7200) });
  assert.match(far[0], /^note: Everything is flattened at /);
  assert.equal(
    lines({ flat_by_ts: later(299), flat_until_ts: later(7200) })[0],
    "note: Everything is flattened in 04:59.",
  );
  assert.match(
    lines({ flat_by_ts: later(0), flat_until_ts: later(60) })[0],
    /^lock: Flat time: everything is flattened/,
  );
});

test("news closes while it is near", () => {
  const news = { news_title: "Employment report", news_from_ts: later(60), news_until_ts: later(900) };
  assert.match(lines(news)[0], /^note: Employment report: no entries from /);
  assert.match(lines({ ...news, news_from_ts: later(0) })[0], /^lock: Employment report: no entries until /);
  assert.equal(
    lines({ news_fault: "the news file x could not be read" })[0],
    "lock: No entries: the news file x could not be read.",
  );
});

test("a market that does not trade says until when; one whose hours nobody told says nothing", () => {
  assert.match(lines({}, { session_open: false, session_opens_ts: later(60) })[0], /^note: ES: market closed until /);
  assert.equal(lines({}, { session_open: true, session_opens_ts: later(-60) }).length, 1);
  assert.equal(lines({}, { session_open: null }).length, 1);
});
