import assert from "node:assert/strict";
import { describe, test } from "node:test";

import { cancelledSentence, lastCancelled } from "../../../static/js/reading/order_ends.js";
import { cancelled, event } from "../events.js";

const SIZES = { main: "6", high: "8" };
const AGAINST = { stream: "main", color: "red" };

/** What is said of the last cancelled entry of ES. */
function said(...events) {
  const ended = lastCancelled(events, "ES");
  return ended === null ? null : cancelledSentence(ended, events, SIZES);
}

describe("an entry that was cancelled", () => {
  test("says so, and that no reason is on record", () => {
    assert.equal(said(cancelled(7000)), "ENTRY BUY 5 MESH1 CANCELLED, nothing was filled — no reason was given");
  });
  test("says the reason on record", () => {
    assert.match(said(cancelled(7000, { reason: "cancelled by hand" })), /nothing was filled — cancelled by hand$/);
  });
  test("says that a bridge had it already when the bridge reported its end", () => {
    const reported = event(7000, "OrderReported", { order_id: "o1", status: "CANCELLED" });
    assert.match(said(reported, cancelled(7001)), /after the bridge had claimed it$/);
    const ofAnother = event(7000, "OrderReported", { order_id: "o2", status: "CANCELLED" });
    assert.match(said(ofAnother, cancelled(7001)), /no reason was given$/);
  });
  test("names the brick that closed before it in the same row", () => {
    const ended = cancelled(7001, { reason: "MAIN_FLIP exit came due before it was claimed" });
    assert.match(said(event(7000, "BrickApplied", AGAINST), ended), /with the 6pt brick that closed red$/);
  });
  test("names no brick of another row, of another asset, or that came after it", () => {
    const ended = cancelled(7001, { reason: "manual exit came due before it was claimed" });
    const others = [
      event(6000, "BrickApplied", AGAINST),
      event(7000, "BrickApplied", AGAINST, { asset: "NQ" }),
      event(7002, "BrickApplied", AGAINST),
    ];
    assert.match(said(...others, ended), /— manual exit came due before it was claimed$/);
  });
  test("names the daily stop", () => {
    const stop = event(7000, "DailyStopTriggered", { reason: "drawdown" }, { asset: null });
    assert.match(said(stop, cancelled(7001, { reason: "an exit came due" })), /with the daily stop$/);
  });
});

describe("no cancelled entry is one that", () => {
  test("was filled in part", () => assert.equal(said(cancelled(7000, { filled_qty: 2 })), null));
  test("was an exit", () => assert.equal(said(cancelled(7000, { kind: "EXIT" })), null));
  test("expired or was rejected: its alert says so", () => {
    assert.equal(said(cancelled(7000, { status: "EXPIRED" }), cancelled(8000, { status: "REJECTED" })), null);
  });
  test("was another asset's", () => assert.equal(said(cancelled(7000, {}, { asset: "NQ" })), null));
});
