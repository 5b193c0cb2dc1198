import assert from "node:assert/strict";
import { describe, test } from "node:test";

import * as format from "../../../static/js/reading/format.js";

const UNKNOWN_VALUES = [null, undefined, NaN, Infinity];

describe("a value that nobody knows is a dash, never a zero", () => {
  const helpers = [
    ...[format.wholeNumber, format.price, format.averagePrice, format.signedUsd, format.usd, format.signedPoints],
    ...[format.points, format.percent, format.signedPercent, format.age],
  ];
  for (const helper of helpers) {
    test(helper.name, () => {
      for (const value of UNKNOWN_VALUES) assert.equal(helper(value), "–", String(value));
    });
  }
  test("a time and a trading day, too", () => {
    assert.equal(format.clockTime(null), "–");
    assert.equal(format.clockTime(undefined), "–");
    assert.equal(format.tradingDay(null), "–");
    assert.equal(format.tradingDay(""), "–");
  });
  test("and it has no colour", () => {
    for (const value of UNKNOWN_VALUES) assert.equal(format.moneyTone(value), "");
  });
});

test("zero is a value: it is written, and without a sign", () => {
  assert.equal(format.signedUsd(0), "$0.00");
  assert.equal(format.signedPoints(0), "0.00");
  assert.equal(format.percent(0), "0.00 %");
  assert.equal(format.age(0), "0 s");
  assert.equal(format.moneyTone(0), "");
});

test("the sign is the one of what is written: what rounds to nothing has none", () => {
  assert.equal(format.signedUsd(-0.004), "$0.00");
  assert.equal(format.signedUsd(-0.006), "−$0.01");
  assert.equal(format.signedPoints(0.004), "0.00");
  assert.equal(format.moneyTone(-0.004), "");
  assert.equal(format.moneyTone(-0.01), "loss");
  assert.equal(format.moneyTone(0.01), "gain");
});

test("money carries its sign before the currency, with a true minus", () => {
  assert.equal(format.signedUsd(62.5), "+$62.50");
  assert.equal(format.signedUsd(-1_234_567.89), "−$1,234,567.89");
  assert.equal(format.usd(1_250), "$1,250.00");
  assert.equal(format.usd(-1_250), "−$1,250.00");
});

test("a price has the decimals of its tick", () => {
  assert.equal(format.price(5250.25, 0.25), "5,250.25");
  assert.equal(format.price(5250, 0.25), "5,250.00");
  assert.equal(format.price(81.2, 0.01), "81.20");
  assert.equal(format.price(1.08455, 0.00005), "1.08455");
  assert.equal(format.price(40_000, 1), "40,000");
});

test("an average between two ticks has one decimal more, one on a tick has not", () => {
  assert.equal(format.averagePrice(6763.125, 0.25), "6,763.125");
  assert.equal(format.averagePrice(6763.25, 0.25), "6,763.25");
  assert.equal(format.averagePrice(0.1 + 0.2, 0.1), "0.3", "a rounding error of the sum is no place between ticks");
});

test("contracts are signed: long and short", () => {
  assert.equal(format.signedQuantity(5), "+5");
  assert.equal(format.signedQuantity(-5), "−5");
  assert.equal(format.signedQuantity(0), "0");
});

describe("a countdown", () => {
  test("is minutes and seconds, from an hour on with hours", () => {
    assert.equal(format.countdown(263), "04:23");
    assert.equal(format.countdown(3599), "59:59");
    assert.equal(format.countdown(3600), "1:00:00");
    assert.equal(format.countdown(11_063), "3:04:23");
  });
  test("never goes below zero", () => {
    assert.equal(format.countdown(0), "00:00");
    assert.equal(format.countdown(-3), "00:00");
  });
});

test("an age changes its unit at the minute, the hour and the second day", () => {
  const words = [59, 60, 3599, 3600, 172_799, 172_800].map(format.age);
  assert.deepEqual(words, ["59 s", "1 min", "59 min", "1 h", "47 h", "2 d"]);
});

describe("all times are New York's, whatever the computer's own clock shows", () => {
  test("in winter and in summer", () => {
    assert.equal(format.clockTime("2031-01-06T15:00:05Z"), "10:00:05");
    assert.equal(format.clockTime("2031-07-07T15:00:05Z"), "11:00:05");
  });
  test("epoch milliseconds and an offset of another zone mean the same instant", () => {
    assert.equal(format.clockTime(Date.parse("2031-01-06T15:00:05Z")), "10:00:05");
    assert.equal(format.clockTime("2031-01-06T16:00:05+01:00"), "10:00:05");
  });
  test("the market's date turns at its own midnight", () => {
    assert.equal(format.marketDay("2031-01-07T04:59:59Z"), "6 Jan");
    assert.equal(format.marketDay("2031-01-07T05:00:00Z"), "7 Jan");
    assert.equal(format.weekday("2031-01-07T04:59:59Z"), "Mon");
  });
  test("a trading day is a date and not an instant", () => {
    assert.match(format.tradingDay("2026-01-12"), /^Mon,? 12 Jan$/); // browsers differ in the comma
  });
});

test("a moment of more than half a day ago has its date, and no seconds", () => {
  const now = Date.parse("2031-01-06T15:00:00Z");
  assert.equal(format.clockMoment("2031-01-06T03:00:01Z", now), "22:00:01");
  assert.equal(format.clockMoment("2031-01-06T03:00:00Z", now), "5 Jan 22:00");
});
