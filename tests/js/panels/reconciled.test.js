import assert from "node:assert/strict";
import { test } from "node:test";

import { place } from "../browser.js";
import { asset, NOW, trade } from "../documents.js";
import { event } from "../events.js";

const { take } = await import("../../../static/js/desk/facts.js");
const { draw } = await import("../../../static/js/panels/trade/reconciled.js");

const BEFORE = { ts: "2031-01-06T14:58:59Z" };
let row = 1000;

/** The desk follows the broker: the asset's own, so that no story sees another one's events. */
function follows(symbol, data, { desk, broker, ...more }) {
  row += 2000;
  take(event(row, "PositionDisagreed", { broker_position: broker, desk_position: desk }, { asset: symbol, ...more }));
  take(event(row + 1000, data.adopted ? "TradeOpened" : "TradeResized", data, { asset: symbol, ts: NOW, ...more }));
}

function said(symbol, more = {}) {
  const line = place();
  draw(line, asset({ symbol, trade: trade(more) }));
  return line.hidden ? "" : line.textContent;
}

test("a quantity that no order explains is explained by the broker's", () => {
  follows("ES", { quantity: 3 }, { desk: 5, broker: 3 });
  assert.equal(said("ES"), "The broker held 3, the desk 5: followed the broker 10:00:00");
});

test("short positions have a true minus", () => {
  follows("NQ", { quantity: 3 }, { desk: -5, broker: -3 });
  assert.equal(said("NQ", { side: "SELL" }), "The broker held −3, the desk −5: followed the broker 10:00:00");
});

test("a trade that the desk took over from the broker is explained too, an entry of its own is not", () => {
  follows("CL", { adopted: true, qty: 2 }, { desk: 0, broker: 2 });
  assert.equal(said("CL"), "The broker held 2, the desk 0: followed the broker 10:00:00");
  take(event(900_000, "TradeOpened", { adopted: false, qty: 5 }, { asset: "GC" }));
  assert.equal(said("GC"), "");
});

test("the newest is said first", () => {
  follows("RTY", { quantity: 3 }, { desk: 5, broker: 3 });
  follows("RTY", { quantity: 2 }, { desk: 3, broker: 2 });
  assert.match(said("RTY"), /^The broker held 2, the desk 3.* · The broker held 3, the desk 5/);
});

test("without the disagreement before it only the broker's side is said", () => {
  take(event(800_000, "TradeResized", { quantity: 3 }, { asset: "YM" }));
  assert.equal(said("YM"), "The broker held 3: followed the broker 10:00:00");
});

test("it concerns this trade of this asset only", () => {
  follows("SI", { quantity: 3 }, { desk: 5, broker: 3, ...BEFORE });
  assert.equal(said("SI"), "", "of the trade before");
  assert.equal(said("HG"), "", "of another asset");
  const line = place();
  draw(line, asset({ symbol: "ES" }));
  assert.equal(line.hidden, true, "of a trade that is over");
});
