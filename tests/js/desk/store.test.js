import assert from "node:assert/strict";
import { beforeEach, describe, test } from "node:test";

import { closedTrade, NOW, state, trade } from "../documents.js";

let store;
let copies = 0;

beforeEach(async () => {
  copies += 1;
  store = await import(`../../../static/js/desk/store.js?copy=${copies}`); // each test has a page of its own
});

describe("an older document never replaces a newer one", () => {
  test("whatever brings it", () => {
    store.takeState(state({ version: 5 }));
    assert.equal(store.takeAnswer(state({ version: 4 })), false);
    assert.equal(store.current().version, 5);
  });
  test("of one version the later counts: time went by", () => {
    store.takeState(state({ version: 5 }));
    assert.equal(store.takeAnswer(state({ version: 5, now: "2031-01-06T15:00:01Z" })), true);
    assert.equal(store.takeAnswer(state({ version: 5, now: NOW })), false);
  });
  test("but one much later by the desk's clock is another desk's, whose store began anew", () => {
    store.takeState(state({ version: 900 }));
    assert.equal(store.takeAnswer(state({ version: 3, now: "2031-01-06T15:00:09Z" })), false);
    assert.equal(store.takeAnswer(state({ version: 3, now: "2031-01-06T15:00:10Z" })), true);
  });
});

describe("a change of the stream", () => {
  test("builds on what the stream told, not on an answer that was ahead of it", () => {
    store.takeState(state({ version: 1 }));
    store.takeAnswer(state({ version: 3, es: { position: 5 } }));
    store.takeChange({ version: 2, now: NOW, patch: { assets: { ES: { tempo_ready: true } } } });
    assert.equal(store.current().version, 3, "the answer is still the newest");
    store.takeChange({ version: 4, now: NOW, patch: { assets: { ES: { position: 5 } } } });
    assert.equal(store.current().assets.ES.tempo_ready, true);
  });
  test("keeps what it does not name, and replaces lists whole", () => {
    store.takeState(state({ es: { position: 5, trade: trade() }, history: [closedTrade()] }));
    store.takeChange({ version: 2, now: NOW, patch: { assets: { ES: { trade: { open_points: 2 } } }, history: [] } });
    const { assets, history } = store.current();
    assert.deepEqual([assets.ES.position, assets.ES.trade.open_points, assets.ES.trade.quantity], [5, 2, 5]);
    assert.deepEqual(history, []);
  });
  test("can say null, which is a value: no open trade", () => {
    store.takeState(state({ es: { trade: trade() } }));
    store.takeChange({ version: 2, now: NOW, patch: { assets: { ES: { trade: null } } } });
    assert.equal(store.current().assets.ES.trade, null);
  });
  test("is of no use before the stream told a whole document", () => {
    assert.equal(store.takeChange({ version: 2, now: NOW, patch: {} }), false);
    assert.equal(store.whole(), null);
  });
});

describe("the newest price", () => {
  test("is the quote's, unless the document's is later", () => {
    store.takeState(state({ es: { last_price: 5250, price_ts: "2031-01-06T15:00:02Z" } }));
    store.takeQuote({ asset: "ES", price: 5249, ts: "2031-01-06T15:00:01Z" });
    assert.deepEqual(store.priceOf("ES"), { price: 5250, at: "2031-01-06T15:00:02Z" });
    store.takeQuote({ asset: "ES", price: 5251, ts: "2031-01-06T15:00:03Z" });
    store.takeQuote({ asset: "ES", price: 5249, ts: "2031-01-06T15:00:01Z" });
    assert.deepEqual(store.priceOf("ES"), { price: 5251, at: "2031-01-06T15:00:03Z" });
  });
  test("is unknown, not zero, while nobody sent one", () => {
    store.takeState(state());
    assert.deepEqual(store.priceOf("ES"), { price: null, at: null });
  });
});

describe("the log", () => {
  const line = (ts, text, kind = "brick", count = 1) => ({ ts, kind, asset: "ES", text, outcome: "ok", count });
  const heard = (entry, replaces = false) => ({ feed: "tradingview", entry, replaces_last: replaces });

  test("has the newest first, each line once", () => {
    store.takeState(state({ logs: { tradingview: [line(NOW, "a")], rithmic: [] } }));
    store.takeLogLine(heard(line(NOW, "a")));
    store.takeLogLine(heard(line("2031-01-06T15:00:01Z", "b")));
    assert.deepEqual(
      store.logOf("tradingview").map(({ text }) => text),
      ["b", "a"],
    );
  });
  test("replaces the last line when the same came again", () => {
    store.takeState(state({ logs: { tradingview: [line(NOW, "a")], rithmic: [] } }));
    store.takeLogLine(heard(line("2031-01-06T15:00:01Z", "a", "brick", 2), true));
    assert.deepEqual(
      store.logOf("tradingview").map(({ count }) => count),
      [2],
    );
  });
  test("keeps a hundred lines", () => {
    store.takeState(state());
    for (let second = 0; second < 120; second += 1) store.takeLogLine(heard(line(`${second}`, `${second}`)));
    assert.equal(store.logOf("tradingview").length, 100);
    assert.equal(store.logOf("tradingview")[0].text, "119");
  });
  test("remembers an asset's last level exit", () => {
    store.takeState(state());
    assert.equal(store.levelExitOf("ES"), null);
    store.takeLogLine(heard(line(NOW, "level", "tv_level_exit")));
    assert.equal(store.levelExitOf("ES"), NOW);
  });
});
