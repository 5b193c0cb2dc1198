import assert from "node:assert/strict";
import { test } from "node:test";

import "../browser.js";

const axis = await import("../../../static/js/charts/axis_words.js");

const bookOf = (...times) => ({ bricks: times.map((at, place) => ({ n: place + 1, ts: `2031-01-${at}Z` })) });
const CLOSE_TOGETHER = bookOf("06T21:33:05", "07T21:33:05", "07T21:33:20", "07T21:33:40", "07T21:34:01");
const words = (book) => book.bricks.map(({ n }) => axis.tickWords({ book }, n));

test("no two labels read alike: seconds within a minute, dates on other days", () => {
  assert.deepEqual(words(CLOSE_TOGETHER), ["6 Jan 16:33", "16:33", "16:33:20", "16:33:40", "16:34"]);
});

test("a day begins with its first brick; the very first brick begins none", () => {
  const begins = CLOSE_TOGETHER.bricks.map(({ n }) => axis.beginsDay({ book: CLOSE_TOGETHER }, n));
  assert.deepEqual(begins, [false, true, false, false, false]);
});

test("days are the market's: 23:59 and 00:01 in New York lie on two", () => {
  const book = bookOf("07T04:59:00", "07T05:01:00");
  assert.equal(axis.beginsDay({ book }, 2), true);
});

test("a place without a brick has no label", () => {
  assert.equal(axis.tickWords({ book: CLOSE_TOGETHER }, 99), "");
  assert.equal(axis.crossWords({ book: CLOSE_TOGETHER }, 99), "");
  assert.equal(axis.tickWords({ book: bookOf() }, 1), "");
});

test("the longest label fits its place", () => {
  const long = axis.crossWords({ book: bookOf("20T21:33:12") }, 1).replace(",", "");
  assert.equal(long, "20 Jan 16:33:12");
});

test("a price is on its tick, a line's average may lie between two", () => {
  const view = { prices: "sent", lines: [{ price: 6763.125 }], tickSize: 0.25 };
  const read = [6763.125, 6763.128, 6763.25].map((value) => axis.valueWords(view, value));
  assert.deepEqual(read, ["6,763.125", "6,763.13", "6,763.25"]);
});

test("levels that stand on no price name none", () => {
  assert.equal(axis.valueWords({ prices: "none", lines: [], tickSize: 0.25 }, 12), "");
});
