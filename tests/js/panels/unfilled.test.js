import assert from "node:assert/strict";
import { beforeEach, describe, test } from "node:test";

import { place } from "../browser.js";
import { itIs, wait } from "../clock.js";
import { alert, NOW, state, trade } from "../documents.js";
import { cancelled } from "../events.js";

const { take } = await import("../../../static/js/desk/facts.js");
const unfilled = await import("../../../static/js/panels/entry/unfilled.js");

const LATER = "2031-01-06T15:00:05Z";
let row = 1000;

beforeEach(() => itIs(NOW));

/** An entry of ES is cancelled now. */
function cancels(more) {
  row += 1000;
  take(cancelled(row, { reason: "cancelled by hand" }, more));
}

/** What is written at the way in. */
function said(document = state()) {
  const line = place();
  unfilled.draw(line, document, document.assets.ES);
  return line.hidden ? "" : line.textContent;
}

describe("an entry that ended without a fill", () => {
  test("is told with its time", () => {
    assert.equal(said(), "", "nothing was heard of");
    cancels();
    assert.equal(said(), "10:00:00 ENTRY BUY 5 MESH1 CANCELLED, nothing was filled — cancelled by hand");
  });
  test("that expired or was rejected is told by its alert", () => {
    const expired = alert({ at: LATER, code: "entry_expired", level: "warning", sentence: "ENTRY EXPIRED" });
    assert.equal(said(state({ alerts: [expired] })), "10:00:05 ENTRY EXPIRED");
  });
  test("is told once, however often the event is heard", () => {
    cancels();
    const told = unfilled.among([], "ES");
    take(cancelled(row, { reason: "another sentence" }));
    assert.deepEqual(unfilled.among([], "ES"), told);
  });
  test("of another asset is not told here", () => {
    cancels({ asset: "NQ" });
    assert.deepEqual(unfilled.among([], "CL"), []);
    assert.equal(unfilled.among([], "NQ").length, 1);
  });
});

describe("the line goes", () => {
  test("when another entry is on its way", () => {
    cancels();
    assert.notEqual(said(), "");
    assert.equal(said(state({ es: { pending_order_id: "o2" } })), "");
  });
  test("when a later one has filled", () => {
    cancels();
    assert.equal(said(state({ es: { trade: trade({ opened_at: LATER }) } })), "");
  });
  test("after two minutes", () => {
    cancels();
    wait(126);
    assert.equal(said(), "");
  });
});
