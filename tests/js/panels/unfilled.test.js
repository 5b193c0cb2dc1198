import assert from "node:assert/strict";
import { beforeEach, describe, test } from "node:test";

import { place } from "../browser.js";
import { itIs, wait } from "../clock.js";
import { alert, closedTrade, NOW, order, state } from "../documents.js";

const LATER = "2031-01-06T15:00:05Z";
let unfilled;
let copies = 0;

beforeEach(async () => {
  itIs(NOW);
  copies += 1;
  unfilled = await import(`../../../static/js/panels/entry/unfilled.js?copy=${copies}`);
});

/** The page follows two documents; answers what stands at the way in. */
function said(before, after) {
  unfilled.listen(before);
  unfilled.listen(after);
  const line = place();
  unfilled.draw(line, after, after.assets.ES);
  return line.hidden ? "" : line.textContent;
}

const waiting = (more = {}) => state({ orders: [order(more)] });
const gone = (more = {}) => state({ version: 2, now: LATER, ...more });

describe("an entry that is gone without a fill", () => {
  test("was cancelled, and the page says that it knows no reason", () => {
    assert.equal(
      said(waiting(), gone()),
      "10:00:05 ENTRY BUY 5 MESH1 CANCELLED, nothing was filled — the desk gave this page no reason",
    );
  });
  test("says what the desk answered to the click that cancelled it", () => {
    unfilled.hear(order({ reason: "cancelled by hand" }));
    assert.match(said(waiting(), gone()), /nothing was filled — cancelled by hand$/);
  });
  test("says that a bridge had it already", () => {
    assert.match(said(waiting({ status: "CLAIMED" }), gone()), /after the bridge had claimed it$/);
  });
  test("names the brick that closed against it in the same moment", () => {
    const after = gone({ es: { main_renko_color: "red", main_renko_ts: LATER } });
    assert.match(said(waiting(), after), /with the 6pt brick that closed red$/);
  });
  test("names the daily stop", () => {
    assert.match(said(waiting(), gone({ desk: { daily_stop_triggered: true } })), /with the daily stop$/);
  });
  test("says when the page could not follow", () => {
    unfilled.listen(waiting());
    wait(11);
    const after = gone();
    unfilled.follow(after);
    const [told] = unfilled.among([], "ES");
    assert.match(told.sentence, /\(seen when the desk was heard again\)$/);
  });
});

describe("no cancelled entry is one that", () => {
  test("was filled: the position has grown", () => {
    assert.equal(said(waiting(), gone({ es: { position: 5 } })), "");
  });
  test("was filled and closed at once", () => {
    assert.equal(said(waiting(), gone({ history: [closedTrade({ exit_ts: LATER })] })), "");
  });
  test("was filled in part", () => {
    assert.equal(said(waiting({ filled_qty: 2 }), gone()), "");
  });
  test("was an exit", () => {
    assert.equal(said(waiting({ kind: "EXIT" }), gone()), "");
  });
  test("expired or was rejected: its alert says so", () => {
    const expired = alert({ at: LATER, code: "entry_expired", level: "warning", sentence: "ENTRY EXPIRED" });
    assert.equal(said(waiting(), gone({ alerts: [expired] })), "10:00:05 ENTRY EXPIRED");
  });
});

test("the line goes when another entry is on its way, and after two minutes", () => {
  assert.notEqual(said(waiting(), gone()), "");
  const line = place();
  const again = gone({ version: 3, es: { pending_order_id: "o2" } });
  unfilled.draw(line, again, again.assets.ES);
  assert.equal(line.hidden, true);
  wait(126);
  unfilled.draw(line, gone(), gone().assets.ES);
  assert.equal(line.hidden, true);
});
