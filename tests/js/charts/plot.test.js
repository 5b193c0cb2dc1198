import assert from "node:assert/strict";
import { test } from "node:test";

import "../browser.js";

const { extent, scale, ticks } = await import("../../../static/js/charts/plot.js");

test("round values lie within the range, three to seven of them", () => {
  for (const [low, high] of [
    [0, 1],
    [-37, 412],
    [0, 0.07],
    [-1_000_000, 3],
    [49_999, 50_001],
  ]) {
    const values = ticks(low, high);
    assert.ok(values.length >= 2 && values.length <= 7, `${low} to ${high}: ${values}`);
    assert.ok(values.every((value) => value >= low && value <= high));
  }
  assert.deepEqual(ticks(0, 10), [0, 2.5, 5, 7.5, 10]);
});

test("zero is always in sight", () => {
  const [low, high] = extent([20, 100]);
  assert.equal(low, 0);
  assert.ok(high > 100);
});

test("a range without extent has one place, not none", () => {
  assert.equal(scale([5, 5], [0, 100])(5), 0);
  assert.equal(scale([0, 10], [100, 0])(2.5), 75);
});
