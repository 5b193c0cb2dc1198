import assert from "node:assert/strict";
import { describe, test } from "node:test";

import { GROUPS, KINDS, signalsOf } from "../../../static/js/reading/signals.js";
import { alert, closedTrade, gate, state, trade } from "../documents.js";

const told = (before, after) => signalsOf(before, after).map(({ kind, title, body }) => `${kind}: ${title} | ${body}`);

test("nothing changed, nothing is told", () => {
  const busy = state({
    es: { trade: trade(), position: 5 },
    alerts: [alert({})],
    history: [closedTrade({ id: "t0" })],
  });
  assert.deepEqual(told(busy, structuredClone(busy)), []);
});

describe("in", () => {
  test("a filled entry says what was bought, at what price, and its stop", () => {
    const after = state({ es: { trade: trade() } });
    assert.deepEqual(told(state(), after), ["entry_filled: [DEMO] ES long 5 @ 5,250.25 | Stop planned at 5,238.25."]);
  });
  test("what is added names the part and the whole, at an average that may lie between ticks", () => {
    const before = state({ es: { trade: trade() } });
    const after = state({ es: { trade: trade({ quantity: 7, entry_price: 5250.625 }) } });
    assert.deepEqual(told(before, after), [
      "entry_filled: [DEMO] ES long +2 @ 5,250.625 | Now 7. Stop planned at 5,238.25.",
    ]);
  });
  test("a part that was taken out is no entry", () => {
    const before = state({ es: { trade: trade() } });
    assert.deepEqual(told(before, state({ es: { trade: trade({ quantity: 2 }) } })), []);
  });
  test("another trade of the same size is one", () => {
    const before = state({ es: { trade: trade() } });
    const after = state({ es: { trade: trade({ id: "t2", side: "SELL", stop_price: 5262.25 }) } });
    assert.deepEqual(told(before, after), ["entry_filled: [DEMO] ES short 5 @ 5,250.25 | Stop planned at 5,262.25."]);
  });
});

describe("out", () => {
  test("by hand and by a rule are two kinds", () => {
    const byHand = state({ history: [closedTrade()] });
    const byRule = state({ history: [closedTrade({ reason: "POINTS_TP", pnl_usd: 62.5, pnl_points: 2.5 })] });
    assert.deepEqual(told(state(), byHand), [
      "exit_filled: [DEMO] ES closed −$37.50 | short 5, −1.50 pt, by your hand.",
    ]);
    assert.deepEqual(told(state(), byRule), [
      "taken_out: [DEMO] ES closed +$62.50 | short 5, +2.50 pt, taken out by points tp.",
    ]);
  });
});

describe("the day", () => {
  test("the daily stop is told once, with the desk's reason", () => {
    const stopped = state({ desk: { daily_stop_triggered: true, daily_stop_triggered_reason: "2.1 % lost" } });
    assert.deepEqual(told(state(), stopped), ["daily_stop: [DEMO] DAILY STOP | 2.1 % lost"]);
    assert.deepEqual(told(stopped, stopped), []);
  });
  test("a mark of the drawdown is told, but not beside the stop that followed", () => {
    const marked = { daily_stop_warned_pct: 70 };
    assert.deepEqual(told(state(), state({ desk: marked })), [
      "drawdown: [DEMO] 70 % of the daily stop is used | The limit is 2 % of the day's start.",
    ]);
    const both = state({ desk: { ...marked, daily_stop_triggered: true } });
    assert.deepEqual(told(state(), both), ["daily_stop: [DEMO] DAILY STOP | No entries until the trading day rolls."]);
  });
  test("a new day that takes marks and stops back is silent", () => {
    const stopped = state({ desk: { daily_stop_triggered: true, daily_stop_warned_pct: 85 } });
    assert.deepEqual(told(stopped, state()), []);
  });
});

describe("alerts", () => {
  test("a new one of warning or critical is told, with its asset", () => {
    const after = state({ alerts: [alert({}), alert({ code: "limits_pending", level: "info" })] });
    assert.deepEqual(told(state(), after), ["critical: [DEMO] critical: ES | BRIDGE SILENT"]);
  });
  test("one that ends is the same alert, and no news", () => {
    const before = state({ alerts: [alert({})] });
    assert.deepEqual(told(before, state({ alerts: [alert({ over: true })] })), []);
  });
  test("the same alert of a later time is news", () => {
    const again = alert({ at: "2031-01-06T15:10:00Z", asset: null });
    const after = state({ alerts: [again, alert({})] });
    assert.deepEqual(told(state({ alerts: [alert({})] }), after), ["critical: [DEMO] critical | BRIDGE SILENT"]);
  });
  test("what has a kind of its own is not told twice", () => {
    const after = state({
      alerts: [alert({ code: "daily_stop" }), alert({ code: "daily_warning", level: "warning" })],
    });
    assert.deepEqual(told(state(), after), []);
  });
});

describe("the last gate", () => {
  const closed = state({ es: { first_closed_gate: "tempo", ladder: [gate({})] } });
  const open = state({ es: { main_renko_ts: "2031-01-06T15:00:00Z" } });

  test("that opens is told; one that closes is seen where one clicks", () => {
    assert.deepEqual(told(closed, open), ["may_enter: [DEMO] ES: an entry may be made | Every gate is open."]);
    assert.deepEqual(told(open, closed), []);
  });
  test("is nothing while something is held", () => {
    const holding = { trade: trade(), first_closed_gate: null };
    assert.deepEqual(told(state({ es: { ...holding, first_closed_gate: "position" } }), state({ es: holding })), []);
  });
});

test("the gravest comes first, and all of them name the account", () => {
  const before = state({ desk: { env: "LIVE" } });
  const after = state({
    desk: { env: "LIVE", daily_stop_triggered: true },
    history: [closedTrade({ reason: "daily_stop" })],
    alerts: [alert({})],
  });
  const signals = signalsOf(before, after);
  assert.deepEqual(
    signals.map(({ kind }) => kind),
    ["daily_stop", "critical", "taken_out"],
  );
  assert.ok(signals.every(({ title }) => title.startsWith("[LIVE] ")));
});

test("an asset that the earlier document did not have is no news of itself", () => {
  assert.deepEqual(told({ ...state(), assets: {} }, state({ es: { trade: trade() } })), []);
});

test("every kind belongs to a group that can be switched off, and every group can be tried", () => {
  for (const { group } of Object.values(KINDS)) assert.ok(group in GROUPS, group);
  for (const { example } of Object.values(GROUPS)) assert.ok(example in KINDS, example);
});
