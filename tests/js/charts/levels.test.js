import assert from "node:assert/strict";
import { test } from "node:test";

import { barsOf } from "../../../static/js/charts/levels.js";

const brick = (n, color, open = null, close = null) => ({ n, ts: "", color, open, close });
const levels = (bars) => bars.map(({ open, close }) => [open, close]);

test("sent prices are drawn as they came", () => {
  const { bars, prices } = barsOf([brick(1, "green", 100, 106), brick(2, "red", 100, 94)], 6);
  assert.deepEqual(levels(bars), [
    [100, 106],
    [100, 94],
  ]);
  assert.deepEqual(
    bars.map(({ high, low }) => [high, low]),
    [
      [106, 100],
      [100, 94],
    ],
  );
  assert.equal(prices, "sent");
});

test("without prices the colours give the levels: on from the end, or back from the beginning", () => {
  const { bars, prices } = barsOf([brick(1, "green"), brick(2, "green"), brick(3, "red")], 6);
  assert.deepEqual(levels(bars), [
    [0, 6],
    [6, 12],
    [6, 0],
  ]);
  assert.equal(prices, "none");
});

test("bricks before the first price are lifted until they meet it", () => {
  const { bars, prices } = barsOf([brick(1, "green"), brick(2, "green", 5250, 5256), brick(3, "green")], 6);
  assert.deepEqual(levels(bars), [
    [5244, 5250],
    [5250, 5256],
    [5256, 5262],
  ]);
  assert.equal(prices, "some");
});

test("no brick, nothing to say", () => {
  assert.deepEqual(barsOf([], 6), { bars: [], prices: "sent" });
});
