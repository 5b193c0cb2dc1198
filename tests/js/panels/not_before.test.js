import assert from "node:assert/strict";
import { beforeEach, describe, test } from "node:test";

import { draw, opening } from "../../../static/js/panels/entry/not_before.js";
import { place } from "../browser.js";
import { itIs } from "../clock.js";
import { gate, NOW } from "../documents.js";

const COOLDOWN = gate({ gate: "cooldown", reopens_at: "2031-01-06T15:02:59Z" });
const CANDLE = gate({ gate: "candle_lock", reopens_at: "2031-01-06T15:05:00Z" });
const TEMPO = gate({ gate: "tempo", reopens: "a 6pt brick" });
const POSITION = gate({ gate: "position", reopens: "flat" });

function said(...closed) {
  const line = place();
  draw(line, closed);
  return line.hidden ? "" : line.textContent;
}

beforeEach(() => itIs(NOW));

describe("the line beneath the headline", () => {
  test("is empty while one gate at most is closed: its own sentence says it all", () => {
    assert.equal(said(), "");
    assert.equal(said(CANDLE), "");
  });
  test("names the stream that must be whole", () => {
    const feed = gate({ gate: "feed", reopens: "stream whole again" });
    assert.equal(said(TEMPO, feed), "Not before a 6pt brick and the stream whole again.");
  });
  test("names a balance that is believed, not the gate's own words for what ends it", () => {
    const account = gate({ gate: "account", reopens: "fresh balance, confirmation" });
    assert.equal(said(POSITION, account), "Not before a flat position and a balance that is believed.");
  });
  test("names the latest moment, never one at which another gate is still closed", () => {
    assert.equal(said(COOLDOWN, CANDLE), "Not before 10:05:00 (candle lock).");
    assert.equal(said(CANDLE, COOLDOWN), "Not before 10:05:00 (candle lock).");
  });
  test("names what must happen besides", () => {
    assert.equal(said(COOLDOWN, TEMPO), "Not before 10:02:59 (cooldown), and not without a 6pt brick.");
    assert.equal(said(TEMPO, POSITION), "Not before a 6pt brick and a flat position.");
  });
  test("says of a gate that it does not know what the desk says", () => {
    assert.equal(
      said(TEMPO, gate({ gate: "weekly", reopens: "a new week" })),
      "Not before a 6pt brick and a new week.",
    );
  });
});

test("a moment of another day has its weekday", () => {
  assert.equal(opening("2031-01-06T23:00:00Z"), "18:00:00");
  assert.equal(opening("2031-01-07T23:00:00Z"), "Tue 18:00:00");
});
