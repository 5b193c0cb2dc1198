import assert from "node:assert/strict";
import { test } from "node:test";

import {
  accountWords,
  courses,
  headline,
  leftOut,
  priceWords,
  sourceWords,
  tiles,
} from "../../../static/js/reading/portfolio.js";

const held = (more = {}) => ({
  ...{ source: "desk", side: "long", value_usd: 100, open_pnl_usd: 5, risk_usd: null, uncounted: null },
  ...{ broker_position: null, ...more },
});
const totals = (more = {}) => ({
  ...{ positions: 2, value_usd: 150, net_usd: 50, open_pnl_usd: 2, risk_usd: null, realized_today_usd: -12.5 },
  ...{ unpriced: 0, unknown_risk: 2, ...more },
});

test("the headline never says zero for what nobody knows", () => {
  assert.equal(headline(totals()), "2 positions, +$2.00 open, −$12.50 closed today");
  assert.equal(headline(totals({ open_pnl_usd: null })), "2 positions, open result not known, −$12.50 closed today");
  assert.equal(headline(totals({ positions: 0, open_pnl_usd: 0 })), "Nothing is held, −$12.50 closed today");
});

test("beside an unknown sum stands what of it is known, without what is not counted", () => {
  const positions = [held(), held({ side: "short", value_usd: 40 }), held({ value_usd: null, open_pnl_usd: null })];
  const told = {
    totals: totals({ value_usd: null, net_usd: null }),
    positions: [...positions, held({ uncounted: "x" })],
  };
  const notes = tiles(told).map(({ value, note }) => [value, note]);
  assert.deepEqual(notes.slice(0, 2), [
    ["–", "$140.00 of the 2 known"],
    ["–", "+$60.00 of the 2 known"],
  ]);
  assert.deepEqual(notes[3], ["–", ""], "no risk is known at all");
});

test("what is left out is said", () => {
  const missing = [{ source: "mt4", reason: "the advisor is away: nobody listens at its address" }];
  assert.match(
    leftOut({ totals: totals({ unpriced: 1 }), missing_because: missing }),
    /^MT4 is not in it: the advisor/,
  );
  assert.equal(leftOut({ totals: totals({ unknown_risk: 0 }), missing_because: [] }), "");
});

test("a position says who tells of it, and that the broker says otherwise", () => {
  assert.equal(sourceWords(held({ broker_position: 3 })), "the desk; the broker reports 3");
  assert.match(sourceWords(held({ source: "manual", uncounted: "held_at_broker" })), /not counted/);
  assert.equal(sourceWords(held({ simulated: true })), "the desk, in a simulated market");
  assert.equal(accountWords({ account: null, env: "DEMO" }), "account not named · DEMO");
});

test("a price has the decimals that it has", () => {
  assert.deepEqual([6712.25, 1.10505, 5250, null].map(priceWords), ["6,712.25", "1.10505", "5,250.00", "–"]);
});

test("the course that is drawn first is the newest of two points and more", () => {
  const point = (account, at) => ({ account, env: "DEMO", at });
  const points = [point("A", "1"), point("A", "2"), point("B", "3"), point("B", "4"), point("C", "5")];
  assert.deepEqual(
    courses(points).map(([name]) => name),
    ["B · DEMO", "A · DEMO", "C · DEMO"],
  );
});
