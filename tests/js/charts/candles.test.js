import assert from "node:assert/strict";
import { test } from "node:test";

import { candleOf, holesIn, joined, movedBy, placesBehind, placesOf } from "../../../static/js/charts/candles.js";

const MINUTE = 60_000;
const START = Date.UTC(2031, 0, 6, 15, 0); // a Monday, 10:00 in New York
const IN_NEW_YORK = () => -5 * 3_600_000;

/** A candle of `minute` after the start, complete unless said otherwise. */
const candle = (minute, more = {}) => ({
  at: START + minute * MINUTE,
  open: 100,
  high: 102,
  low: 99,
  close: 101,
  volume: null,
  isComplete: true,
  source: "ticks",
  ...more,
});
const forming = (minute, more = {}) => candle(minute, { isComplete: false, ...more });
const starts = (candles) => candles.map(({ at }) => (at - START) / MINUTE);

test("a row of an answer becomes a candle; a volume that nobody knows stays unknown", () => {
  const row = { t: "2031-01-06T15:00:00Z", o: 100, h: 102, l: 99, c: 101, v: null, complete: true, source: "ticks" };
  assert.deepEqual(candleOf(row), candle(0));
});

test("an older page stands before what is held, and what both have stands once", () => {
  assert.deepEqual(starts(joined([candle(2), candle(3)], [candle(0), candle(1), candle(2)])), [0, 1, 2, 3]);
});

test("what feeds tells of a finished candle replaces what the page made of quotes", () => {
  const [only] = joined([forming(0, { high: 140, source: "quotes" })], [candle(0)]);
  assert.deepEqual(only, candle(0));
});

test("of a candle that still forms the page may have heard more than feeds", () => {
  const [only] = joined([forming(0, { high: 110, close: 109 })], [forming(0, { low: 90, close: 95, volume: 7 })]);
  assert.deepEqual(only, forming(0, { high: 110, low: 90, close: 109, volume: 7 }));
});

test("a quote moves the forming candle and leaves its open", () => {
  assert.deepEqual(movedBy(forming(0), "1m", 104, START + 30_000), forming(0, { high: 104, close: 104 }));
  assert.deepEqual(movedBy(forming(0), "1m", 98, START + 59_999), forming(0, { low: 98, close: 98 }));
});

test("the first quote of the next minute begins a candle, with no volume", () => {
  const begun = movedBy(forming(0), "1m", 104, START + MINUTE);
  assert.deepEqual(begun, forming(1, { open: 104, high: 104, low: 104, close: 104, source: "quotes" }));
});

test("a quote that is older than the newest candle, or of one that has ended, changes nothing", () => {
  assert.equal(movedBy(forming(1), "1m", 104, START + 59_000), null);
  assert.equal(movedBy(candle(0), "1m", 104, START + 30_000), null);
});

test("when the next session begins only feeds knows, so a quote moves a day that forms and begins none", () => {
  assert.equal(movedBy(forming(0), "1d", 104, START + 3_600_000)?.close, 104);
  assert.equal(movedBy(candle(0), "1d", 104, START + 90_000_000), null);
  assert.equal(movedBy(undefined, "4h", 104, START), null);
});

test("minutes without prices are empty places, as many as there were", () => {
  const places = placesOf([candle(0), candle(1), candle(4)], "1m", IN_NEW_YORK);
  assert.deepEqual(
    places.map(({ candle: held }) => held !== null),
    [true, true, false, false, true],
  );
  assert.deepEqual(places[2].hole, { from: START + 2 * MINUTE, to: START + 4 * MINUTE });
  assert.equal(holesIn(places), 1);
});

test("a weekend takes a few places, and says how long it was", () => {
  const places = placesOf([candle(0), candle(60 * 49)], "1m", IN_NEW_YORK);
  assert.equal(places.length, 14);
  assert.equal(places[1].hole.to - places[1].hole.from, (60 * 49 - 1) * MINUTE);
});

test("a weekend between two days is no gap, a week is", () => {
  const day = 24 * 60;
  assert.equal(holesIn(placesOf([candle(0), candle(3 * day)], "1d", IN_NEW_YORK)), 0);
  assert.equal(holesIn(placesOf([candle(0), candle(8 * day)], "1d", IN_NEW_YORK)), 1);
});

test("a lost day and a break of the session look alike on 4 hours, as docs/how-to/candles.md says", () => {
  const hours = 60;
  assert.equal(holesIn(placesOf([candle(0), candle(24 * hours)], "4h", IN_NEW_YORK)), 0);
  assert.equal(holesIn(placesOf([candle(0), candle(97 * hours)], "4h", IN_NEW_YORK)), 1);
  assert.equal(holesIn(placesOf([candle(0), candle(24 * hours)], "1h", IN_NEW_YORK)), 1);
});

test("a place's time is New York's clock, a day's its trading date", () => {
  const [minute] = placesOf([candle(0)], "1m", IN_NEW_YORK);
  assert.equal(new Date(minute.time * 1000).toISOString(), "2031-01-06T10:00:00.000Z");
  const evening = candle(-16 * 60); // Sunday 18:00: Monday's session begins
  const [day] = placesOf([evening], "1d", IN_NEW_YORK);
  assert.equal(new Date(day.time * 1000).toISOString().slice(0, 10), "2031-01-06");
});

test("the hour that comes twice when clocks are put back keeps its order", () => {
  const back = START + 30 * MINUTE;
  const offsetOf = (at) => (at < back ? -4 : -5) * 3_600_000;
  const places = placesOf([candle(0), candle(29), candle(30), candle(31)], "1m", offsetOf);
  const times = places.map(({ time }) => time);
  assert.deepEqual(
    times,
    [...times].sort((one, other) => one - other),
  );
  assert.equal(new Set(times).size, times.length);
});

test("a candle behind a hole brings the hole with it", () => {
  const [last] = placesOf([candle(0)], "1m", IN_NEW_YORK);
  assert.equal(placesBehind(last, forming(3), "1m", IN_NEW_YORK).length, 3);
});
