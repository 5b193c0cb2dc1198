import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";

import * as clock from "../../../static/js/desk/clock.js";
import { itIs, wait } from "../clock.js";
import { NOW } from "../documents.js";

beforeEach(() => itIs(NOW));

test("time goes on between messages by the page's own steady counter", () => {
  wait(1.5);
  assert.equal(clock.now(), Date.parse(NOW) + 1_500);
});

test("a message that came late does not turn the clock back", () => {
  wait(3);
  clock.hear("2031-01-06T15:00:01Z");
  assert.equal(clock.now(), Date.parse(NOW) + 3_000);
});

test("after half a minute the older messages count no more: the desk's clock may have been set back", () => {
  wait(30);
  clock.hear("2031-01-06T15:00:10Z");
  assert.equal(clock.now(), Date.parse(NOW) + 10_000);
});

test("a message without a time teaches nothing", () => {
  clock.hear("soon");
  assert.equal(clock.now(), Date.parse(NOW));
});

test("seconds until are rounded up, so that nothing left means over; seconds since are rounded down", () => {
  wait(0.2);
  assert.equal(clock.secondsUntil("2031-01-06T15:00:01Z"), 1);
  assert.equal(clock.secondsUntil(NOW), 0);
  assert.equal(clock.secondsSince("2031-01-06T14:59:59Z"), 1);
  assert.equal(clock.secondsSince("2031-01-06T15:00:01Z"), 0, "a time to come is no age below zero");
});

test("without a time there is neither", () => {
  assert.deepEqual([clock.secondsUntil(null), clock.secondsSince(null), clock.secondsSince("")], [null, null, null]);
});
