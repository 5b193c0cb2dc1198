import assert from "node:assert/strict";
import { test } from "node:test";

import * as words from "../../../static/js/reading/words.js";

test("whole dollars are signed; what rounds to nothing is not", () => {
  assert.deepEqual([12.4, -12.6, 0.4, -0.4].map(words.wholeUsd), ["+$12", "−$13", "$0", "$0"]);
});

test("a long sum is shortened from a hundred thousand on", () => {
  assert.deepEqual([-99_999, -100_000, 1_234_567.89].map(words.shortUsd), ["−$99,999", "−$100K", "+$1.23M"]);
  assert.deepEqual([0.3, -1_250].map(words.shortestUsd), ["0", "−1.3K"]);
});

test("no two values beside an axis read alike, however large", () => {
  assert.deepEqual([97_530_500, 97_531_000].map(words.axisUsd), ["+$97.5305M", "+$97.531M"]);
  assert.equal(words.axisPoints(-250_000), "−250K");
});

test("R and durations that nobody knows are dashes", () => {
  assert.equal(words.signedR(null), "–");
  assert.equal(words.signedR(1.5), "+1.50 R");
  assert.equal(words.duration(null), "–");
});

test("a duration changes its form at the minute and the hour", () => {
  const all = [0, 59, 60, 3_599, 3_600, 7_620].map(words.duration);
  assert.deepEqual(all, ["0 s", "59 s", "1 min 00 s", "59 min 59 s", "1 h 00 min", "2 h 07 min"]);
});

test("names and counts in words", () => {
  assert.equal(words.plain("BROKER_FLAT"), "broker flat");
  assert.deepEqual(
    [1, 2].map((number) => words.count(number, "trade")),
    ["1 trade", "2 trades"],
  );
  assert.equal(words.count(0, "try", "tries"), "0 tries");
  assert.equal(words.month("2031-01"), "January 2031");
});
