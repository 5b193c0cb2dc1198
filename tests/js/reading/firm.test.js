// @ts-check

import assert from "node:assert/strict";
import { test } from "node:test";

import { firmPending, firmRows } from "../../../static/js/reading/firm.js";

/** @type {Wire.FirmMeter} */
const METER = {
  rule: "daily_loss",
  known: true,
  unit: "usd",
  limit: 1000,
  used: 250,
  left: 700,
  floor: null,
  at: null,
  detail: "the desk ends the day at a loss of 950.00 USD",
};

/**
 * @param {Partial<Wire.FirmMeter>} told
 */
function row(told) {
  return firmRows({ name: "topstep:50k", buffer_pct: 5, pending: null, meters: [{ ...METER, ...told }] })[0];
}

test("a loss limit says what is left and how much is used", () => {
  const { title, left, used, tone, detail } = row({});
  assert.deepEqual([title, left, used, tone], ["Daily loss", "$700.00 left", 25, "open"]);
  assert.equal(detail, "The desk ends the day at a loss of 950.00 USD");
});

test("what the profile does not say is unknown, never a number", () => {
  const unknown = row({ known: false, limit: null, used: null, left: null, detail: "unknown: ask the firm" });
  assert.deepEqual([unknown.left, unknown.used, unknown.tone], ["–", null, "unknown"]);
  assert.equal(unknown.detail, "Unknown: ask the firm");
});

test("a limit that the account is not read for is unknown, too", () => {
  assert.deepEqual([row({ known: false, used: null, left: null }).left, row({ known: false }).used], ["–", null]);
});

test("a firm that says it has none has no limit", () => {
  assert.equal(row({ limit: null, used: null, left: null }).left, "no limit");
});

test("nothing left is spent, and never less than nothing", () => {
  const spent = row({ used: 1200, left: -250 });
  assert.deepEqual([spent.left, spent.used, spent.tone], ["$0.00 left", 100, "spent"]);
});

test("seven tenths used is tight", () => {
  assert.deepEqual([row({ used: 699 }).tone, row({ used: 700 }).tone], ["open", "tight"]);
});

test("contracts, the flat time, the best day and the floor have their own words", () => {
  assert.equal(row({ rule: "contracts", unit: "contracts", limit: 5, used: 2, left: 3 }).left, "3 of 5 left");
  assert.equal(row({ rule: "consistency", unit: "percent", limit: 50, used: 32.1, left: null }).left, "32.1 % of 50 %");
  assert.equal(row({ rule: "flat_time", unit: "time", limit: null, used: null, left: null }).left, "–");
  const floor = row({ rule: "trailing_drawdown", floor: 48500, detail: "2,000.00 USD below the highest" });
  assert.equal(floor.detail, "Floor $48,500.00: 2,000.00 USD below the highest");
});

test("what changes tomorrow is said", () => {
  const firm = { name: "topstep:50k", buffer_pct: 5, meters: [] };
  assert.equal(firmPending({ ...firm, pending: null }), null);
  assert.equal(firmPending({ ...firm, pending: "none" }), "No firm from the next trading day on.");
  assert.equal(firmPending({ ...firm, pending: "apex:eod-50k" }), "From the next trading day on: apex:eod-50k.");
});
