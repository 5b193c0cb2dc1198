import assert from "node:assert/strict";
import { test } from "node:test";

import { interval, outcomeWords, sumWords, tryWords } from "../../../static/js/reading/what_if.js";

const day = (sums = {}, more = {}) => ({
  ...{ day: "2031-01-06", head: 9, rows: 9, replay_equal: true, unequal_rows: 0, refused: [], truncated: false },
  sums: {
    ...{ refused: 3, judged: 2, targets: 1, stops: 1, day_ends: 0, points: 0.5, usd: 12.5 },
    ...{ limits_only: 0, limits_only_usd: null },
    ...sums,
  },
  taken: { entries: 4, trades: 4, usd: -50 },
  ...more,
});
const entry = (more = {}) => ({
  ...{ asset: "ES", direction: "BUY", price: 5250.25, simulated: false, outcome: "stop", points: -12, usd: -300 },
  ...more,
});

test("the sums say how many were judged, and that so few say nothing of the next ones", () => {
  const [first, second, third, taken] = sumWords(day());
  assert.equal(first, "3 refused entries, 2 of them judged: +$12.50, +0.50 points together.");
  assert.equal(second, "1 target, 1 stop, 0 at the end of the day.");
  assert.match(third, /^Target first in 50 % of 2 \(95 %: 9 % to 91 %\): fewer than 20, so it says nothing/);
  assert.equal(taken, "Taken: 4 entries, 4 closed trades, −$50.00.");
});

test("a day without a refusal says so, and none judged is no rate", () => {
  assert.equal(sumWords(day({ refused: 0 }))[0], "No entry was refused on this day.");
  const none = sumWords(day({ judged: 0, targets: 0, stops: 0, points: null, usd: null }));
  assert.equal(none[0], "3 refused entries, 0 of them judged: –, – points together.");
  assert.equal(none.length, 2);
});

test("a day that is decided otherwise today is not passed over", () => {
  assert.match(
    sumWords(day({}, { replay_equal: false, unequal_rows: 3 })).at(-1),
    /decides 3 rows of the day otherwise/,
  );
});

test("the interval is Wilson's, within nothing and all", () => {
  const { low, high } = interval(12, 40);
  assert.ok(Math.abs(low - 0.1807) < 0.0005 && Math.abs(high - 0.4543) < 0.0005);
  assert.ok(interval(0, 5).low === 0 && interval(5, 5).high <= 1);
});

test("a refused entry says what became of it, or why nobody can tell", () => {
  assert.equal(outcomeWords(entry()), "stop, −12.00, −$300.00");
  const none = { outcome: null, points: null, usd: null, why: "no_prices_after" };
  assert.equal(outcomeWords(entry(none)), "not judged: no price came after it");
  assert.equal(tryWords(entry({ direction: null, price: null, simulated: true })), "either side ES at – · simulated");
});
