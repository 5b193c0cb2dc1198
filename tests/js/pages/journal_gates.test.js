import assert from "node:assert/strict";
import { test } from "node:test";

import { gateWords } from "../../../static/js/pages/journal/gates.js";

const GATES = {
  trade_of_day: 2,
  daily_stop_used_pct: 41.9,
  since_cooldown_s: 65,
  candle_second: 12,
  tempo_age_s: 8,
  tempo_armed_by: "6pt brick",
  two_half: "with",
  entered_by: "click",
};

test("the gates at an entry read as one line", () => {
  assert.equal(
    gateWords(GATES),
    "trade 2 of the day · 1 min 05 s after the cooldown · 41 % of the daily stop used · " +
      "token 8 s old, by a 6pt brick · 2.5pt with the trade · 12 s into the candle · by a click",
  );
});

test("what nobody knows is left out; what is known to be nothing is said", () => {
  const first = {
    ...GATES,
    since_cooldown_s: null,
    daily_stop_used_pct: null,
    tempo_age_s: null,
    tempo_armed_by: null,
  };
  assert.equal(
    gateWords(first),
    "trade 2 of the day · no exit before it that day · 2.5pt with the trade · 12 s into the candle · by a click",
  );
  assert.match(gateWords({ ...GATES, daily_stop_used_pct: 0 }), /daily stop untouched/);
  assert.match(gateWords({ ...GATES, tempo_armed_by: null }), /token 8 s old · /);
});
