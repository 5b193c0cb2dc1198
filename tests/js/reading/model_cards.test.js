import assert from "node:assert/strict";
import { test } from "node:test";

import {
  coverageRows,
  inOrder,
  lossPairs,
  reachOf,
  skillPlaces,
  skillWords,
  titleWords,
  verdictWords,
  whyWords,
} from "../../../static/js/reading/model_cards.js";

const skill = (value, low, high) => ({ against: "flat", value, low, high });

test("a card says what it is of", () => {
  assert.equal(titleWords({ symbol: "ES", timeframe: "5m", target: "range", rr: null }), "ES 5m, usual range");
  assert.equal(
    titleWords({ symbol: "NQ", timeframe: "1h", target: "tp_first", rr: "rr_2_1" }),
    "NQ 1h, target before stop, 2 : 1",
  );
});

test("a target's model without skill gives a base rate, and no width", () => {
  assert.equal(verdictWords({ target: "range", verdict: "flat" }), "Serves one width for all hours");
  assert.equal(verdictWords({ target: "tp_first", verdict: "flat" }), "Gives the base rate only");
});

test("only a whole interval above nothing is better", () => {
  assert.equal(skillWords(skill(0.093, 0.061, 0.124)), "against one width: +9.3 % (95 %: +6.1 % to +12.4 %), better");
  assert.match(skillWords(skill(0.05, -0.001, 0.1)), /no proven difference$/);
  assert.match(skillWords(skill(-0.05, -0.1, -0.01)), /worse$/);
});

test("bars of one card share their scale, and nothing gained lies in the middle", () => {
  const skills = [skill(0.1, 0, 0.2), skill(0, -0.05, 0.05)];
  assert.equal(reachOf(skills), 0.2);
  assert.deepEqual(skillPlaces(skills[0], 0.2), { value: 0.75, low: 0.5, high: 1 });
  assert.deepEqual(skillPlaces(skill(-9, -9, 9), 0.2), { value: 0, low: 0, high: 1 });
});

test("coverage stands beside the share that should hold; a side that was not measured is a dash", () => {
  assert.deepEqual(coverageRows({ coverage: { "high_0.8": 0.803, "low_0.8": 0.79, "high_0.5": 0.51 } }), [
    { quantile: "50 %", high: "51 %", low: "–" },
    { quantile: "80 %", high: "80 %", low: "79 %" },
  ]);
});

test("losses keep the ladder's order", () => {
  assert.deepEqual(lossPairs({ target: "range", losses: { flat: 1.91234, hour: 1.7, model: 0.000123456 } }), [
    ["one width", "1.912"],
    ["table by hour and ATR", "1.7"],
    ["trained model", "0.0001235"],
  ]);
});

test("a target's simple rule is the base rate, also on the bars that the model forecast", () => {
  assert.deepEqual(lossPairs({ target: "tp_first", losses: { flat: 0.2394, model: 0.21, flat_beside_model: 0.24 } }), [
    ["base rate", "0.2394"],
    ["trained model", "0.21"],
    ["base rate, on the model's own bars", "0.24"],
  ]);
});

test("what answers stands first, ranges before targets, and why is a sentence", () => {
  const card = (id, target, serving) => ({ id, target, serving });
  const cards = [
    card("a", "range", false),
    card("b", "tp_first", true),
    card("c", "range", true),
    card("d", "range", true),
  ];
  assert.deepEqual(
    inOrder(cards).map(({ id }) => id),
    ["c", "d", "b", "a"],
  );
  assert.equal(whyWords({ why: "the table beats one width" }), "The table beats one width.");
});
