import assert from "node:assert/strict";
import { test } from "node:test";

import { aroundTimeLeft, countsDown, timeless } from "../../../static/js/reading/explained.js";

const CANDLE = {
  title: "5 MIN LOCK ACTIVE",
  detail: "one trade already used this candle",
  facts: { lock: "5 MIN LOCK", remaining_s: 263 },
};

test("the running time stands between what never changes", () => {
  assert.equal(countsDown(CANDLE), true);
  assert.equal(
    aroundTimeLeft(CANDLE).join("04:23"),
    "5 MIN LOCK ACTIVE — one trade already used this candle (04:23 remaining)",
  );
});

test("without a detail the title stands alone", () => {
  assert.equal(timeless({ title: "POST-EXIT COOLDOWN ACTIVE", detail: "" }), "POST-EXIT COOLDOWN ACTIVE");
});

test("an answer that an earlier version kept has no parts and counts nothing down", () => {
  assert.equal(countsDown({}), false);
  assert.equal(countsDown({ title: null, detail: null, facts: null }), false);
});

test("the last second counts down too", () => {
  assert.equal(countsDown({ facts: { remaining_s: 0 } }), true);
});
