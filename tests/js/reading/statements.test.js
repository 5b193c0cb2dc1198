import assert from "node:assert/strict";
import { test } from "node:test";

import { factPairs, sourceWords, statementPairs, weightWords } from "../../../static/js/reading/statements.js";

const NOW = Date.parse("2031-01-06T15:00:00Z");

test("a statement says how much it counts; nothing counted is said as nothing, not left out", () => {
  assert.equal(weightWords({ n: 1340 }), "counts 1,340");
  assert.equal(weightWords({ n: 0 }), "counts 0");
  assert.equal(weightWords({ n: null }), "");
});

test("its interval is among the facts, zero too, and missing where there is none", () => {
  assert.deepEqual(statementPairs({ facts: { trades: 34 }, low: 0, high: 2.9 }, NOW), [
    ["trades", "34"],
    ["95 % from", "0"],
    ["95 % to", "2.9"],
  ]);
  assert.deepEqual(statementPairs({ facts: { trades: 34 }, low: null, high: 2.9 }, NOW), [["trades", "34"]]);
});

test("facts are read as words, times by the market's clock, what is unknown as unknown", () => {
  const facts = { open_points: 4.5, is_flat: false, since_ts: "2031-01-06T14:59:00Z", note: "<b>2031</b>", gone: null };
  assert.deepEqual(factPairs(facts, NOW), [
    ["open points", "4.5"],
    ["is flat", "no"],
    ["since ts", "09:59:00"],
    ["note", "<b>2031</b>"],
    ["gone", "unknown"],
  ]);
});

test("the source is named, with its time and account and what was left unsaid", () => {
  const explained = { source: "rules", as_of: "2031-01-06T14:59:30Z", env: "DEMO", silent: ["weekday", "hour"] };
  assert.equal(
    sourceWords(explained, NOW),
    "By fixed rules, no model · as of 09:59:30 · DEMO · 2 questions left out: fewer than 20 trades",
  );
  assert.equal(sourceWords({ ...explained, env: null, silent: [] }, NOW), "By fixed rules, no model · as of 09:59:30");
});
