// @ts-check

import assert from "node:assert/strict";
import { test } from "node:test";
import {
  orderName,
  positionName,
  positionState,
  resolution,
  silence,
  takeover,
  unsettled,
  words,
} from "../../../static/js/reading/unsettled.js";
import { asset, NOW, order, state } from "../documents.js";

const LOST = "2031-01-06T15:01:00Z";
const HELD = { symbol: "MESH2", position: -5, since: NOW, asset: "ES", expired: false, accepted: false };

test("an order is unsettled from its claim to its first report, and again when its fate is unknown", () => {
  const waiting = order({ id: "a" });
  const claimed = order({ id: "b", status: "CLAIMED", claimed_at: NOW });
  const working = order({ id: "c", status: "WORKING", claimed_at: NOW, reported_at: NOW });
  const lost = order({ id: "d", status: "WORKING", claimed_at: NOW, reported_at: NOW, fate_unknown_at: LOST });
  assert.deepEqual(
    unsettled([waiting, claimed, working, lost]).map(({ id }) => id),
    ["b", "d"],
  );
});

test("an order's silence is told with its age, its last report and since when nobody knows", () => {
  const claimed = order({ claimed_at: NOW });
  assert.equal(orderName(claimed), "ES ENTRY BUY 5 MESH1");
  assert.equal(silence(claimed, 17), "claimed 17 s ago, no report yet");
  assert.equal(
    silence({ ...claimed, fate_unknown_at: LOST }, 75),
    "claimed 1 min ago, never reported, fate unknown since 10:01:00",
  );
  assert.match(silence({ ...claimed, reported_at: NOW, fate_unknown_at: LOST }, 75), /last report 10:00:00/);
});

test("a position of another contract is told with its sign, and whether it was accepted", () => {
  assert.equal(positionName(HELD), "−5 MESH2");
  assert.equal(positionState(HELD), "seen since 10:00:00, a contract that the desk does not trade");
  assert.equal(positionState({ ...HELD, expired: true }), "seen since 10:00:00, a contract that has expired");
  assert.equal(positionState({ ...HELD, accepted: true }), "seen since 10:00:00, accepted until it changes");
});

test("a resolution needs an outcome, numbers where there are any, and a reason", () => {
  const said = { outcome: "filled", qty: "3", price: "5250,25", reason: " seen at the broker " };
  assert.deepEqual(resolution(said), {
    obstacle: "",
    command: { outcome: "filled", qty: 3, price: 5250.25, reason: "seen at the broker" },
  });
  assert.equal(resolution({ ...said, outcome: null }).obstacle, "Choose Filled or Not filled first");
  assert.equal(resolution({ ...said, qty: "three" }).obstacle, "Contracts and price must be numbers");
  assert.equal(resolution({ ...said, reason: " x " }).obstacle, "Write why first");
});

test("what was not filled has neither quantity nor price, and an empty field leaves them to the desk", () => {
  const said = { outcome: "not_filled", qty: "3", price: "1", reason: "not there" };
  assert.deepEqual(resolution(said).command, { outcome: "not_filled", reason: "not there" });
  const filled = resolution({ ...said, outcome: "filled", qty: "", price: " " }).command;
  assert.equal(JSON.stringify(filled), '{"outcome":"filled","reason":"not there"}');
});

test("a second bridge that is refused may be let in, and an exit taken from a silent one", () => {
  const fence = { holder: "alpha-of-the-first-ledger", holder_ts: NOW, refused: null };
  assert.equal(takeover(state({ desk: { bridge_fence: fence } }), true), null);
  const refused = { ...fence, refused: "beta" };
  assert.deepEqual(takeover(state({ desk: { bridge_fence: refused } }), false), {
    key: "beta",
    what: "A second bridge asks for orders",
    state: "beta gets none: alpha-of-the claims, last heard 10:00:00",
    label: "Hold: the second bridge claims from now on",
  });
  const exit = order({ kind: "EXIT", status: "CLAIMED" });
  assert.equal(takeover(state({ orders: [exit], desk: { bridge_fence: fence } }), false), null);
  assert.match(takeover(state({ orders: [exit], desk: { bridge_fence: fence } }), true)?.what ?? "", /silent/);
});

/** @param {Partial<Wire.WordAwaited>} more */
function wordsOf(more) {
  const word = /** @type {Wire.WordAwaited} */ ({
    ...{ order_id: "a/b", about: "resolved", outcome: "filled", qty: 3, price: 5250.5, last_price: null, since: NOW },
    from_ts: LOST,
    ...more,
  });
  return words(state({ assets: { ES: asset({ words_awaited: [word] }) } }), (time) => (time === null ? null : 42));
}

test("what was resolved by hand can be said again, the same, once its minute has passed", () => {
  const [word] = wordsOf({});
  assert.equal(word.what, "ES order resolved as filled 3 at 5,250.50");
  assert.equal(word.waits, "The same again counts in 42 s");
  assert.equal(word.path, "/api/orders/a%2Fb/resolve");
  assert.deepEqual(word.command, { outcome: "filled", qty: 3, price: 5250.5 });
  assert.deepEqual(wordsOf({ qty: null, price: null })[0].command, { outcome: "filled" });
  assert.equal(wordsOf({ outcome: "not_filled", qty: null, price: null })[0].what, "ES order resolved as not filled");
});

test("a fill's price that nothing proves is confirmed at once, and as it was told", () => {
  const [word] = wordsOf({ about: "fill_price", qty: 5, price: 5300, last_price: 5250.25, from_ts: null });
  assert.equal(word.what, "ES filled 5 at 5,300.00");
  assert.equal(word.state, "not believed since 10:00:00: the last price was 5,250.25");
  assert.equal(word.waits, "");
  assert.deepEqual(word.command, { outcome: "filled", price: 5300 });
});
