import assert from "node:assert/strict";
import { test } from "node:test";

import {
  elsewhereWords,
  heldWords,
  holds,
  insideWords,
  isOfThisMarket,
  noRangeWords,
  rangeLine,
  rangeLines,
} from "../../../static/js/reading/ranges.js";

const NOW = Date.parse("2031-01-06T15:02:00Z");
const band = (more = {}) => ({ quantile: 0.8, high: 5259, low: 5241, held_high: 0.8, held_low: 0.8, n: 500, ...more });
const told = (more = {}) => ({
  ...{ asset: "ES", timeframe: "5m", close: 5250, as_of: "2031-01-06T15:00:00Z", valid_until: "2031-01-06T15:05:00Z" },
  ...{ atr: 6, method: "hour", model: "m", bands: [band({ quantile: 0.5, high: 5254, low: 5246 }), band()] },
  ...more,
});
const order = (more = {}) => ({ stop: 5243, target: 5255, isOpen: true, ...more });

test("how much held is what was counted, highs and lows apart when they differ", () => {
  assert.equal(heldWords(band()), "80 % of the last 500 held");
  assert.equal(heldWords(band({ held_low: 0.764, n: 213 })), "highs 80 %, lows 76 % of the last 213 held");
});

test("before twenty forecasts nothing is said of how much held", () => {
  assert.equal(heldWords(band({ held_high: null, held_low: null, n: 7 })), "not yet measured (7 of 20 forecasts)");
});

test("a range holds for its own asset and timeframe until its bar is over, no moment longer", () => {
  assert.equal(holds(told(), "ES", "5m", NOW), true);
  assert.equal(holds(told(), "NQ", "5m", NOW), false);
  assert.equal(holds(told(), "ES", "1m", NOW), false);
  assert.equal(holds(told(), "ES", "5m", Date.parse(told().valid_until)), false);
  assert.equal(holds(told({ valid_until: "never" }), "ES", "5m", NOW), false);
  assert.equal(holds(null, "ES", "5m", NOW), false);
});

test("prices of another unit or contract are no range of this market", () => {
  assert.equal(isOfThisMarket(told(), 5253), true);
  assert.equal(isOfThisMarket(told(), null), true);
  assert.equal(isOfThisMarket(told(), 525.3), false);
  assert.equal(isOfThisMarket(told({ close: 5300 }), 5253), false, "its close must lie within its own range");
  assert.equal(isOfThisMarket(told({ bands: [] }), 5253), false);
  const still = [band({ high: 5250, low: 5250 })]; // most bars of a market that hardly moves end where they began
  assert.equal(isOfThisMarket(told({ bands: still, atr: 0.1 }), 5250.25), true);
  assert.equal(isOfThisMarket(told({ bands: still, atr: 0.1 }), 525.3), false);
  assert.equal(
    elsewhereWords(told(), 0.25),
    "No usual range: the advisor's prices, around 5,250.00, are far from the desk's.",
  );
});

test("the line says range, what held, where it comes from and until when", () => {
  assert.equal(
    rangeLine(told(), 0.25),
    "Usual range of the next 5 min: 5,241.00 to 5,259.00 · 80 % of the last 500 held · table by hour and ATR · until 10:05",
  );
});

test("both quantiles become four lines that are no orders", () => {
  assert.deepEqual(
    rangeLines(told()).map(({ kind, title, price }) => `${kind} ${title} ${price}`),
    ["usual-half 50 % high 5254", "usual-half 50 % low 5246", "usual 80 % high 5259", "usual 80 % low 5241"],
  );
});

test("a stop within the usual range is named, and a target beyond it", () => {
  assert.deepEqual(insideWords(told(), order()), ["Your stop lies inside the usual range of the next 5 min."]);
  assert.deepEqual(insideWords(told({ timeframe: "1h" }), order({ stop: 5230, target: 5270 })), [
    "Your target lies outside the usual range of the next hour.",
  ]);
  assert.deepEqual(insideWords(told(), order({ stop: 5230, target: null })), []);
});

test("of an entry that is not made yet nothing is called yours", () => {
  assert.deepEqual(insideWords(told(), order({ isOpen: false })), [
    "The next entry's stop would lie inside the usual range of the next 5 min.",
  ]);
});

test("without a range the desk's own words say why", () => {
  const trouble = { status: 503, code: "not_trained", sentence: "ES 15m: 3 of 10 sessions" };
  assert.equal(noRangeWords(trouble), "No usual range: ES 15m: 3 of 10 sessions.");
  assert.equal(noRangeWords({ ...trouble, sentence: "" }), "No usual range: the desk answered 503.");
  assert.equal(noRangeWords({ ...trouble, status: 0 }), "No usual range: the desk does not answer.");
});
