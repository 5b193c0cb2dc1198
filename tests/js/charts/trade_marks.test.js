import assert from "node:assert/strict";
import { test } from "node:test";

import "../browser.js";
import { asset, closedTrade, trade } from "../documents.js";

const marks = await import("../../../static/js/charts/trade_marks.js");

const BOOK = {
  bricks: [
    { n: 1, ts: "2031-01-06T14:50:00Z" },
    { n: 2, ts: "2031-01-06T14:55:00Z" },
    { n: 3, ts: "2031-01-06T15:00:00Z" },
  ],
};
const read = (found) => found.marks.map(({ time, text, isBelow }) => `${time} ${text} ${isBelow ? "below" : "above"}`);

test("a closed trade stands on the bricks that closed when it went in and out", () => {
  const past = closedTrade({ entry_ts: "2031-01-06T14:51:00Z", exit_ts: "2031-01-06T15:00:00Z" });
  assert.deepEqual(read(marks.marksOf(BOOK, "ES", [past], null)), ["2 SELL 5 above", "3 out −1.50 pt below"]);
});

test("trades of another asset leave no mark", () => {
  assert.deepEqual(read(marks.marksOf(BOOK, "NQ", [closedTrade()], null)), []);
});

test("an open trade names no quantity: the state does not tell how many went in at first", () => {
  const found = marks.marksOf(BOOK, "ES", [], trade({ opened_at: "2031-01-06T14:51:00Z" }));
  assert.deepEqual(read(found), ["2 BUY below"]);
  assert.equal(found.isOpenEnded, false);
});

test("what came after the last brick stands on it until the next one closes", () => {
  const found = marks.marksOf(BOOK, "ES", [], trade({ opened_at: "2031-01-06T15:00:01Z" }));
  assert.deepEqual(read(found), ["3 BUY below"]);
  assert.equal(found.isOpenEnded, true);
});

test("what came before the first brick of the book has no place", () => {
  assert.deepEqual(read(marks.marksOf(BOOK, "ES", [], trade({ opened_at: "2031-01-06T14:49:59Z" }))), []);
});

test("what was added is told apart from what went in at first", () => {
  const past = closedTrade({ side: "BUY", size: 7 });
  const texts = marks.pastMoments(past, [{ at: "2031-01-06T14:55:00Z", quantity: 2 }]).map(({ text }) => text);
  assert.deepEqual(texts, ["BUY 5", "+2", "out −1.50 pt"]);
});

test("the lines of an open trade: average and stop always, target and protect while armed", () => {
  const kinds = (more) => marks.linesOf(asset(more)).map(({ kind, price }) => [kind, price]);
  assert.deepEqual(kinds({}), []);
  assert.deepEqual(kinds({ trade: trade() }), [
    ["average", 5250.25],
    ["stop", 5238.25],
  ]);
  const armed = { points_tp_enabled: true, points_tp_target: 12, protect_enabled: true, protect_threshold_points: 0 };
  const short = trade({ side: "SELL", stop_price: 5262.25 });
  assert.deepEqual(kinds({ trade: short, ...armed }), [
    ["average", 5250.25],
    ["stop", 5262.25],
    ["target", 5238.25],
    ["protect", 5250.25],
  ]);
});

test("the only entry that no gate refuses has its stop and target before it is made", () => {
  const distances = { stopPoints: 12, targetPoints: 15 };
  const order = marks.nextOrder(asset({ may_enter: ["SELL"] }), 5250, distances);
  assert.deepEqual(order, { stop: 5262, target: 5235 });
  assert.deepEqual(
    marks.nextLines(order).map(({ kind, price }) => [kind, price]),
    [
      ["next-stop", 5262],
      ["next-target", 5235],
    ],
  );
});

test("while a gate is closed, both sides are open, a trade is or no price, there is no such entry", () => {
  const distances = { stopPoints: 12, targetPoints: null };
  assert.equal(marks.nextOrder(asset(), 5250, distances), null);
  assert.equal(marks.nextOrder(asset({ may_enter: ["BUY", "SELL"] }), 5250, distances), null);
  assert.equal(marks.nextOrder(asset({ may_enter: ["BUY"], trade: trade() }), 5250, distances), null);
  assert.equal(marks.nextOrder(asset({ may_enter: ["BUY"] }), null, distances), null);
  assert.deepEqual(
    marks.nextLines(marks.nextOrder(asset({ may_enter: ["BUY"] }), 5250, distances)).length,
    1,
    "a runner has no target",
  );
  assert.deepEqual(marks.nextLines(null), []);
});
