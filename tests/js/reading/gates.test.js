import assert from "node:assert/strict";
import { beforeEach, describe, test } from "node:test";

import * as store from "../../../static/js/desk/store.js";
import * as gates from "../../../static/js/reading/gates.js";
import { itIs, wait } from "../clock.js";
import { asset, desk, gate, NOW, proposal, state } from "../documents.js";

const COOLDOWN = gate({
  ...{ gate: "cooldown", code: "cooldown", title: "POST-EXIT COOLDOWN ACTIVE", detail: "" },
  ...{
    facts: { lock: "POST-EXIT COOLDOWN", remaining_s: 179 },
    sentence: "POST-EXIT COOLDOWN ACTIVE (02:59 remaining)",
  },
  reopens_at: "2031-01-06T15:02:59Z",
});
const TEMPO = gate({
  ...{ gate: "tempo", code: "no_tempo_token", title: "NO TEMPO TOKEN", detail: "wait for a 6pt brick" },
  ...{ sentence: "NO TEMPO TOKEN — wait for a 6pt brick", reopens: "a 6pt brick" },
});
const ZONE = gate({ gate: "zone", sentence: "NO ZONE", reopens: "a zone" });
const OPEN = gate({ gate: "daily_stop", state: "open" });

beforeEach(() => itIs(NOW));

describe("which gate refuses", () => {
  const es = asset({ ladder: [OPEN, ZONE, COOLDOWN, TEMPO] });

  test("the first closed one of the ladder", () => {
    assert.equal(gates.firstClosed(es), ZONE);
  });
  test("an override skips the zone and no other gate", () => {
    assert.equal(gates.firstClosedButZone(es), COOLDOWN);
  });
  test("a pre-order asks for fewer gates, an intent not even for the candle", () => {
    const candle = gate({ gate: "candle_lock", binds: ["market", "preorder"] });
    const locked = asset({ ladder: [OPEN, TEMPO, candle] });
    assert.equal(gates.firstClosedFor(locked, "preorder"), candle);
    assert.equal(gates.firstClosedFor(locked, "intent"), null);
  });
  test("every closed one that binds the act", () => {
    const cooldown = { ...COOLDOWN, binds: ["market", "preorder", "intent"] };
    const candle = gate({ gate: "candle_lock", binds: ["market", "preorder"] });
    const locked = asset({ ladder: [OPEN, cooldown, candle, TEMPO] });
    assert.deepEqual(gates.closedFor(locked, "market"), [cooldown, candle, TEMPO]);
    assert.deepEqual(gates.closedFor(locked, "preorder"), [cooldown, candle]);
    assert.deepEqual(gates.closedFor(locked, "intent"), [cooldown]);
    assert.deepEqual(gates.closedFor(locked, "scale_in"), []);
  });
  test("none when all are open", () => {
    const open = asset({ ladder: [OPEN] });
    assert.equal(gates.firstClosed(open), null);
    assert.equal(gates.firstClosedButZone(open), null);
  });
});

describe("what a closed gate is called", () => {
  test("one that the clock opens has its countdown behind the name", () => {
    assert.equal(gates.headline(COOLDOWN), "POST-EXIT COOLDOWN 02:59");
  });
  test("one that an event opens has its name alone", () => {
    assert.equal(gates.headline(TEMPO), "NO TEMPO TOKEN");
    assert.equal(gates.timeLeft(TEMPO), null);
  });
  test("one without a sentence has no name, and is no error", () => {
    assert.equal(gates.headline(gate({})), "");
    assert.equal(gates.liveSentence(gate({})), "");
  });
});

describe("the sentence of a closed gate", () => {
  test("runs on with the desk's clock", () => {
    wait(60);
    assert.equal(gates.liveSentence(COOLDOWN), "POST-EXIT COOLDOWN ACTIVE (01:59 remaining)");
  });
  test("stays at nothing left until the desk says that the gate is open", () => {
    wait(200);
    assert.equal(gates.liveSentence(COOLDOWN), "POST-EXIT COOLDOWN ACTIVE (00:00 remaining)");
  });
  test("is said without its time where that stands beside it", () => {
    assert.equal(gates.timelessSentence(COOLDOWN), "POST-EXIT COOLDOWN ACTIVE");
    assert.equal(gates.timelessSentence(TEMPO), TEMPO.sentence);
  });
});

test("a sentence whose gate the clock opens, but that counts nothing down, stays as it is", () => {
  const stopped = gate({
    ...{ gate: "daily_stop", code: "daily_stop", title: "DAILY STOP ACTIVE", detail: "drawdown 2.00% at 10:30:00" },
    ...{ facts: { lock: "DAILY STOP" }, sentence: "DAILY STOP ACTIVE — drawdown 2.00% at 10:30:00" },
    reopens_at: "2031-01-06T23:00:00Z",
  });
  assert.equal(gates.liveSentence(stopped), stopped.sentence);
  assert.equal(gates.timelessSentence(stopped), stopped.sentence);
  assert.equal(gates.headline(stopped), "DAILY STOP 8:00:00");
});

test("what opens a gate: the clock, an event, or nothing for one that is open", () => {
  assert.equal(gates.opener(COOLDOWN), "02:59");
  assert.equal(gates.opener(TEMPO), "until a 6pt brick");
  assert.equal(gates.opener(OPEN), "");
});

describe("what is known behind an open gate", () => {
  test("counts are grouped", () => {
    const many = desk({ trades_remaining_today: 9_999, max_trades_per_day: 10_000 });
    assert.equal(gates.openFact("trade_limit", many, asset()), "9,999 of 10,000 left");
  });
  test("a heartbeat that was never heard is a dash", () => {
    assert.equal(gates.openFact("heartbeat", desk(), asset()), "heard – ago");
    assert.equal(
      gates.openFact("heartbeat", desk(), asset({ last_heartbeat_ts: "2031-01-06T14:58:30Z" })),
      "heard 1 min ago",
    );
  });
  test("in a free zone the side is the trader's", () => {
    assert.equal(gates.openFact("zone", desk(), asset({ zone_type: "FREE" })), "FREE: you choose");
    assert.equal(gates.openFact("zone", desk(), asset({ zone_type: "NORMAL", zone_direction: "SELL" })), "NORMAL SELL");
  });
  test("the bridge is not needed in DEMO, and LIVE says nothing of the kind", () => {
    assert.equal(gates.openFact("bridge", desk(), asset()), "not needed in DEMO");
    assert.equal(gates.openFact("bridge", desk({ env: "LIVE" }), asset()), "");
  });
  test("a gate that the page does not know says nothing", () => {
    assert.equal(gates.openFact("weekly_limit", desk(), asset()), "");
  });
});

describe("the next moment at which the document changes by time alone", () => {
  test("is the earliest of what runs out", () => {
    const later = gate({ gate: "candle_lock", reopens_at: "2031-01-06T15:05:00Z" });
    const es = asset({ ladder: [later, COOLDOWN, TEMPO] });
    assert.equal(gates.nextMoment(state(), es), Date.parse("2031-01-06T15:02:59Z"));
  });
  test("is when the heartbeat grows too old", () => {
    const es = asset({ last_heartbeat_ts: "2031-01-06T14:59:00Z" });
    assert.equal(gates.nextMoment(state(), es), Date.parse("2031-01-06T15:01:00Z"));
  });
  test("is when the time of a proposal is over", () => {
    const es = asset({ proposal: proposal(), ladder: [gate({ reopens_at: "2031-01-06T15:20:00Z" })] });
    assert.equal(gates.nextMoment(state(), es), Date.parse("2031-01-06T15:10:00Z"));
  });
  test("counts the bridge's silence in LIVE only", () => {
    assert.equal(gates.nextMoment(state(), asset()), null);
    assert.equal(gates.nextMoment(state({ desk: { env: "LIVE" } }), asset()), Date.parse("2031-01-06T15:00:30Z"));
  });
  test("is none when all of them are past: the document has them already", () => {
    const es = asset({ ladder: [gate({ reopens_at: NOW })], last_heartbeat_ts: "2031-01-06T14:58:00Z" });
    assert.equal(gates.nextMoment(state(), es), null);
  });
});

test("a desk that can keep nothing, or does not write, is in the way of every entry", () => {
  const told = (ofDesk, version) => {
    store.takeState(state({ version, desk: ofDesk }));
    return gates.deskInTheWay();
  };
  assert.equal(told({}, 1), "");
  assert.equal(told({ role: "standby" }, 2), "STANDBY");
  assert.equal(told({ role: "standby", store: "down" }, 3), "STORE DOWN");
});
