// @ts-check

import assert from "node:assert/strict";
import { test } from "node:test";

import { resultOf, resultWords } from "../../../static/js/reading/results.js";

const KNOWN = { pnl_usd: 100, pnl_net_usd: 93.8, commission_usd: 6.2, commission_known: true };

test("a trade's result is net of its commission, and says what it was before", () => {
  assert.equal(resultOf(KNOWN), 93.8);
  assert.equal(resultWords(KNOWN), "gross +$100.00, commission $6.20");
});

test("a winner whose commission is larger than its gain has lost", () => {
  const costly = { ...KNOWN, pnl_usd: 5, pnl_net_usd: -1.2 };
  assert.equal(resultOf(costly), -1.2);
  assert.equal(resultWords(costly), "gross +$5.00, commission $6.20");
});

test("a net result of nothing is no missing one", () => {
  assert.equal(resultOf({ ...KNOWN, pnl_usd: 6.2, pnl_net_usd: 0 }), 0);
});

test("a trade of before commissions were counted shows its gross result and a dash, never a commission of zero", () => {
  const older = { pnl_usd: -60, pnl_net_usd: null, commission_usd: null, commission_known: false };
  assert.equal(resultOf(older), -60);
  assert.equal(resultWords(older), "gross −$60.00, commission –");
});

test("a commission that is only partly known says so", () => {
  const partly = { ...KNOWN, commission_usd: 3.1, pnl_net_usd: 96.9, commission_known: false };
  assert.equal(resultWords(partly), "gross +$100.00, commission not all known, $3.10 counted");
});
