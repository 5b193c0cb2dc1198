// @ts-check

import assert from "node:assert/strict";
import { test } from "node:test";

import {
  contractShare,
  contractWords,
  dayShares,
  dayWords,
  largestThatFits,
  leftTitle,
  riskWords,
} from "../../../static/js/reading/risk.js";
import { asset, assetRisk, desk, deskRisk, gate, orderRisk } from "../documents.js";

const REFUSED = gate({ gate: "risk", state: "closed" });

test("stop, risk and share are told, the stop in points too where the price has other units", () => {
  const told = (/** @type {Partial<Wire.AssetState>} */ of, /** @type {Partial<Wire.DeskRisk>} */ more = {}) =>
    riskWords(asset(of), orderRisk(), desk({ risk: deskRisk(more) }));
  assert.equal(told({}), "stop 12.00 · risk 300 USD · 30 % of what is left today");
  assert.match(told({ point_size: 4 }), /^stop 12\.00 \(12 pt\) · /);
  assert.match(told({}, { left_usd: null }), /what is left is not known$/);
  assert.match(told({}, { left_by: "week" }), /30 % of what is left this week$/);
  assert.equal(riskWords(asset(), null, desk()), "");
});

test("the smaller size is offered only when it is all that keeps the order out", () => {
  const tooLarge = orderRisk({ fits: 3 });
  assert.deepEqual(largestThatFits(asset({ ladder: [REFUSED] }), tooLarge), { quantity: 3, usd: 180 });
  assert.equal(largestThatFits(asset({ ladder: [REFUSED, gate({ gate: "tempo" })] }), tooLarge), null);
  assert.equal(largestThatFits(asset({ ladder: [REFUSED] }), orderRisk({ fits: 0 })), null);
  assert.equal(largestThatFits(asset({ ladder: [gate({ gate: "tempo" })] }), tooLarge), null);
});

test("what was lost of the day stands on its meter, and what is at risk beside it", () => {
  const half = deskRisk({ left_usd: 500, open_risk_usd: 250 });
  assert.deepEqual(dayShares(half), { lost: 50, atRisk: 25 });
  assert.equal(leftTitle(half), "Today");
  assert.equal(dayWords(half), "500 of 1,000 USD left, 250 of it at risk");
  assert.deepEqual(dayShares(deskRisk({ left_usd: 1300 })), { lost: 0, atRisk: 0 });
});

test("where the week or the firm leaves the least, nothing of it looks lost today", () => {
  const week = deskRisk({ left_usd: 400, left_by: "week", open_risk_usd: 100 });
  assert.deepEqual(dayShares(week), { lost: 0, atRisk: 25 });
  assert.equal(leftTitle(week), "This week");
  assert.equal(dayWords(week), "400 USD left, 100 of it at risk");
  assert.equal(leftTitle(deskRisk({ left_by: "firm" })), "Firm's rules");
  const spent = deskRisk({ left_usd: -20, left_by: "firm" });
  assert.deepEqual(dayShares(spent), { lost: 100, atRisk: 0 });
  assert.equal(dayWords(spent), "0 USD left");
});

test("an unknown balance is no number and no meter", () => {
  assert.equal(dayShares(deskRisk({ left_usd: null })), null);
  assert.equal(dayWords(deskRisk({ limit_usd: null, left_usd: null })), "–, no balance is known yet");
});

test("contracts are counted against each cap that is set; the meter shows the tightest", () => {
  assert.equal(contractWords(deskRisk(), asset()), "");
  assert.equal(contractShare(deskRisk(), asset()), null);
  const capped = deskRisk({ contracts: 0.5, max_contracts: 2, correlated: 0.5, max_correlated: 1 });
  assert.equal(contractWords(capped, asset()), "0.5 of 2 full-size · 0.5 of 1 in indices");
  assert.equal(contractShare(capped, asset()), 50);
  const own = asset({ risk: assetRisk({ contracts: 5, max_contracts: 5 }) });
  assert.match(contractWords(capped, own), / · 5 of 5 ES$/);
  assert.equal(contractShare(capped, own), 100);
  assert.equal(contractShare(deskRisk({ max_contracts: 0 }), asset()), 100);
});
