import assert from "node:assert/strict";
import { test } from "node:test";

import { isClaimedEntry, isUnclaimedEntry, orderUnderWay } from "../../../static/js/reading/under_way.js";
import { asset } from "../documents.js";

const WAITING = { pending_order_id: "o1", pending_kind: "ENTRY", pending_side: "BUY", pending_qty: 5 };
const unclaimed = asset({ ...WAITING, pending_status: "PENDING" });
const claimed = asset({ ...WAITING, pending_status: "CLAIMED" });

test("an entry can be taken back until a bridge has claimed it", () => {
  assert.deepEqual([isUnclaimedEntry(unclaimed), isClaimedEntry(unclaimed)], [true, false]);
  assert.deepEqual([isUnclaimedEntry(claimed), isClaimedEntry(claimed)], [false, true]);
  assert.equal(orderUnderWay(unclaimed), "BUY 5 on its way");
  assert.equal(orderUnderWay(claimed), "BUY 5 at the broker");
});

test("an exit of a position is no entry that could be taken back", () => {
  const leaving = asset({
    ...WAITING,
    position: 5,
    pending_kind: "EXIT",
    pending_side: "SELL",
    pending_status: "PENDING",
  });
  assert.deepEqual([isUnclaimedEntry(leaving), isClaimedEntry(leaving)], [false, false]);
  assert.equal(orderUnderWay(leaving), "SELL 5 on its way");
});

test("without an order nothing is under way", () => {
  assert.deepEqual([isUnclaimedEntry(asset()), isClaimedEntry(asset()), orderUnderWay(asset())], [false, false, ""]);
});
