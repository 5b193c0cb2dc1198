import assert from "node:assert/strict";
import { describe, test } from "node:test";

import {
  contractShare,
  contractWords,
  dayShares,
  dayWords,
  largestThatFits,
  riskWords,
  sized,
} from "../../../static/js/reading/risk.js";
import { asset, assetRisk, desk, deskRisk, gate, orderRisk } from "../documents.js";

const CLOSED = gate({ gate: "risk", title: "TOO LARGE FOR ONE ORDER", binds: ["market", "scale_in"] });
const OPEN = gate({ gate: "risk", state: "open", binds: ["market", "scale_in"] });
const TOO_LARGE = orderRisk({ fits: 3, gate: CLOSED });

describe("what stands on the button", () => {
  test("is stop, risk and share", () => {
    assert.equal(riskWords(asset(), orderRisk(), desk()), "stop 12.00 · risk 300 USD · 30 % of what is left today");
  });
  test("tells a distance in points, too, where a point is another price", () => {
    const order = orderRisk({ stop: { points: 15, price: 60, usd: 600 }, risk_usd: 606.2, share_of_left_pct: 60.6 });
    const said = riskWords(asset({ point_size: 4 }), order, desk());
    assert.equal(said, "stop 60.00 (15 pt) · risk 606.20 USD · 60 % of what is left today");
  });
  test("says when nothing is left, and when it is not known", () => {
    const order = orderRisk({ share_of_left_pct: null });
    assert.match(riskWords(asset(), order, desk({ risk: deskRisk({ left_usd: -5 }) })), /nothing is left today$/);
    assert.match(riskWords(asset(), order, desk({ risk: deskRisk({ left_usd: null }) })), /what is left is not known$/);
  });
  test("names the limit that leaves least", () => {
    const said = riskWords(asset(), orderRisk(), desk({ risk: deskRisk({ left_by: "week" }) }));
    assert.match(said, /30 % of what is left this week$/);
  });
});

describe("the largest size that fits", () => {
  const refused = (more = {}) => asset({ ladder: [CLOSED], ...more });
  test("is offered with its risk where the gate alone is closed", () => {
    assert.deepEqual(largestThatFits(refused(), TOO_LARGE), { quantity: 3, usd: 180 });
  });
  test("is not offered where another gate is closed as well, where none fits, and where all do", () => {
    assert.equal(largestThatFits(refused({ ladder: [gate({ gate: "tempo" }), CLOSED] }), TOO_LARGE), null);
    assert.equal(largestThatFits(refused(), orderRisk({ fits: 0, gate: CLOSED })), null);
    assert.equal(largestThatFits(asset({ ladder: [OPEN] }), orderRisk()), null);
  });
});

test("the ladder of a size has that size's gate, but not while a position is held", () => {
  const risk = assetRisk({ sizes: { "6pt": orderRisk(), "9pt": TOO_LARGE } });
  const flat = asset({ ladder: [OPEN], risk });
  assert.equal(sized(flat, "9pt").ladder[0].state, "closed");
  assert.equal(sized(flat, "6pt").ladder[0].state, "open");
  const holding = { ...flat, trade: /** @type {any} */ ({}) };
  assert.equal(sized(holding, "9pt").ladder[0].state, "open");
});

describe("the meters", () => {
  test("show what is lost, what is at risk, and nothing while it is not known", () => {
    assert.deepEqual(dayShares(deskRisk({ left_usd: 750, open_risk_usd: 375 })), { lost: 25, atRisk: 37.5 });
    assert.deepEqual(dayShares(deskRisk({ left_usd: 100, open_risk_usd: 375 })), { lost: 90, atRisk: 10 });
    assert.deepEqual(dayShares(deskRisk({ left_usd: 2000, open_risk_usd: 500 })), { lost: 0, atRisk: 25 });
    assert.equal(dayShares(deskRisk({ left_usd: null })), null);
    assert.equal(dayWords(deskRisk({ left_usd: 750, open_risk_usd: 375 })), "750 of 1,000 USD left, 375 of it at risk");
    assert.equal(dayWords(deskRisk({ left_usd: -20 })), "0 of 1,000 USD left");
  });
  test("count contracts against the tightest cap", () => {
    const held = deskRisk({ contracts: 0.5, max_contracts: 2, correlated: 0.5, max_correlated: 1 });
    const es = asset({ risk: assetRisk({ contracts: 5, max_contracts: 20 }) });
    assert.equal(contractWords(held, es), "0.5 of 2 full-size · 0.5 of 1 in indices · 5 of 20 ES");
    assert.equal(contractShare(held, es), 50);
    assert.equal(contractWords(deskRisk(), asset()), "");
    assert.equal(contractShare(deskRisk(), asset()), null);
    assert.equal(contractShare(deskRisk(), asset({ risk: assetRisk({ max_contracts: 0 }) })), 100);
  });
});
