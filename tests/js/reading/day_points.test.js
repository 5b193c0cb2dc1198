import assert from "node:assert/strict";
import { test } from "node:test";

import { highest, joined, lowest, thinned } from "../../../static/js/reading/day_points.js";

const course = (...values) => values.map((equity, at) => ({ at, equity }));

test("points come into the order of time, each instant once: the later word counts", () => {
  const points = joined(
    [
      { at: 1, equity: 10 },
      { at: 3, equity: 30 },
    ],
    [
      { at: 2, equity: 20 },
      { at: 3, equity: 31 },
    ],
  );
  assert.deepEqual(points, [
    { at: 1, equity: 10 },
    { at: 2, equity: 20 },
    { at: 3, equity: 31 },
  ]);
});

test("nothing new changes nothing", () => {
  const points = course(1, 2);
  assert.equal(joined(points, []), points);
});

test("few points are all drawn", () => {
  const points = course(1, 2, 3, 4);
  assert.equal(thinned(points, 2), points);
});

test("many points keep their first, their last and the extremes of every column", () => {
  const points = Array.from({ length: 1_000 }, (_, at) => ({ at, equity: 500 }));
  points[123].equity = 1;
  points[777].equity = 999;
  const shown = thinned(points, 10);
  assert.ok(shown.length <= 2 * 10 + 4);
  assert.deepEqual([lowest(shown).equity, highest(shown).equity], [1, 999]);
  assert.deepEqual([shown[0].at, shown.at(-1).at], [0, 999]);
});

test("a day of samples every two seconds stays small, with its extremes", () => {
  let all = [];
  for (let at = 0; at < 40_000; at += 1) {
    const equity = at === 12_345 ? 1 : at === 23_456 ? 99_999 : 50_000 + (at % 7);
    all = joined(all, [{ at: at * 2_000, equity }]);
  }
  assert.ok(all.length <= 3_000);
  assert.deepEqual([lowest(all).equity, highest(all).equity], [1, 99_999]);
  assert.equal(all.at(-1).at, 39_999 * 2_000);
});

test("points of one instant are no division by zero", () => {
  const points = [1, 2, 3].map((equity) => ({ at: 5, equity }));
  assert.deepEqual(
    thinned(points, 1).map(({ equity }) => equity),
    [1, 3],
  );
});
