import assert from "node:assert/strict";
import { test } from "node:test";

import { phaseWords, signalWords } from "../../../static/js/reading/advice.js";

const signal = {
  ...{ symbol: "ES", direction: "long", entry_price: 5250.25, stop_loss: 5244, take_profit: 5262.75 },
  ...{ prob_tp_first: 0.41, prob_source: "model", base_rate: 0.34, n: 4120, valid_until: "2031-01-06T15:05:00Z" },
};
const phase = {
  ...{ phase: "accumulation", start_time: "2031-01-06T14:20:00Z", signals: ["range_compression", "new_code"] },
  ...{ lift: 0.06, lift_low: 0.01, lift_high: 0.11, base_rate: 0.34, n: 212 },
};

test("the usual answer is no signal, and why", () => {
  const none = { signals: [], errors: [{ symbol: "ES", error: "no_skill", detail: "the base rate is all there is" }] };
  assert.deepEqual(signalWords(none, "ES", 0.25), {
    says: "No signal: nothing has proven skill.",
    beside: "The base rate is all there is",
  });
  assert.equal(signalWords({ signals: [], errors: [] }, "ES", 0.25).beside, "");
});

test("a signal of another asset is none of this one", () => {
  assert.match(signalWords({ signals: [{ ...signal, symbol: "NQ" }], errors: [] }, "ES", 0.25).says, /^No signal/);
});

test("a signal has its prices, and beside it the base rate and how many bars that counts", () => {
  const { says, beside } = signalWords({ signals: [signal], errors: [] }, "ES", 0.25);
  assert.equal(says, "Long from 5,250.25: stop 5,244.00, target 5,262.75");
  assert.equal(beside, "target before stop in 41 %, by a proven model; 34 % of all 4120 bars · until 10:05");
});

test("a phase is worth something only when its interval lies above nothing", () => {
  assert.equal(phaseWords(phase).says, "Accumulation since 09:20: narrow range, new code");
  assert.match(
    phaseWords(phase).beside,
    /^\+6 % .*\(95 %: \+1 % to \+11 %\) over 34 % in all bars, 212 entries: more often$/,
  );
  assert.match(phaseWords({ ...phase, lift_low: -0.01 }).beside, /no proven difference$/);
});

test("an unmeasured phase says so, and an unknown one is no phase", () => {
  const unknown = { ...phase, phase: "unknown", start_time: null, lift: null };
  assert.deepEqual(phaseWords(unknown), { says: "No phase can be read.", beside: "What it is worth is not measured." });
});
