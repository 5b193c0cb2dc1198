// @ts-check

import assert from "node:assert/strict";
import { test } from "node:test";
import { stopWords } from "../../../static/js/reading/resting_stop.js";
import { asset, trade } from "../documents.js";

const RESTS = { stop_resting: true, resting_stop: { qty: 5, price: 5238.0 } };

/**
 * @param {Partial<Wire.AssetState>} es
 * @param {{zone?: "NORMAL" | "ADOPTED", quantity?: number, held?: number, isSilent?: boolean}} [more]
 */
function said(es, { zone = "NORMAL", quantity = 5, held = 60, isSilent = false } = {}) {
  const { standing, words, price } = stopWords(asset(es), trade({ zone, quantity }), held, isSilent);
  return [standing, words, price];
}

test("a stop rests where the bridge says that it does, not where it was planned", () => {
  assert.deepEqual(said(RESTS), ["rests", "5 rest at 5,238.00", 5238]);
});

test("a stop for less than is held is no whole one", () => {
  assert.deepEqual(said(RESTS, { quantity: 10 }), ["missing", "ONLY 5 OF 10 REST at 5,238.00", 5238]);
});

test("what a bridge told before it fell silent is told as of then", () => {
  assert.deepEqual(said(RESTS, { isSilent: true }), [
    "asked",
    "5 rested at 5,238.00 when the bridge was last heard",
    5238,
  ]);
});

test("a stop that does not rest is missing after five seconds", () => {
  const bare = { stop_resting: false };
  assert.deepEqual(said(bare, { held: 4 }), ["asked", "asked for at 5,238.25, not yet told to rest", 5238.25]);
  assert.deepEqual(said(bare, { held: 5 }), ["missing", "NO STOP IS KNOWN TO REST, planned at 5,238.25", 5238.25]);
});

test("a bridge that tells no stops claims none, and an adopted trade's stop it must tell", () => {
  const words = "planned at 5,238.25; this bridge does not say whether it rests";
  assert.deepEqual(said({}), ["untold", words, 5238.25]);
  assert.equal(said({}, { zone: "ADOPTED", held: 9 })[0], "asked");
  assert.equal(said({}, { zone: "ADOPTED", held: 10 })[0], "missing");
});
