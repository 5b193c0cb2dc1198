// @ts-check

import assert from "node:assert/strict";
import { test } from "node:test";
import "../browser.js";
import { asset } from "../documents.js";

const { protectIsDue } = await import("../../../static/js/panels/trade/ways_out.js");
const LOCKED = { initial_exit_lock_active: true };

test("protect that would fire at once says so, and that it is forced inside the initial lock", () => {
  const at = (/** @type {number | null} */ open, more = {}) =>
    protectIsDue(asset({ protect_threshold_points: -2, rithmic_open_points: open, ...more }));
  assert.equal(at(-2), "fires at once at −2.00 pt");
  assert.equal(at(-3, LOCKED), "fires at once at −3.00 pt, a forced exit inside the initial lock");
  assert.equal(at(-1.75, LOCKED), "");
  assert.equal(at(null, LOCKED), "");
});
