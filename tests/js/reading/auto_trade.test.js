import assert from "node:assert/strict";
import { describe, test } from "node:test";

import * as auto from "../../../static/js/reading/auto_trade.js";
import { autoStatus, NOW } from "../documents.js";

const NONE = { mean: null, low: null, high: null };
const few = { ...autoStatus().results, n: 7, r: NONE, always_flat: { mean: 0, better_by: NONE } };
const last = (more = {}) => ({ ...autoStatus().last_decision, ...more });

describe("whether there is anything to show", () => {
  test("on, or with a decision", () => {
    assert.ok(auto.isTold(autoStatus({ enabled: true, last_decision: null })));
    assert.ok(auto.isTold(autoStatus({ enabled: false })));
  });
  test("never on and never decided says nothing, as does an agent that is away", () => {
    assert.equal(auto.isTold(autoStatus({ enabled: false, last_decision: null })), false);
    assert.equal(auto.isTold(null), false);
  });
});

describe("how it is", () => {
  test("is said with its bars and what its mode may do", () => {
    assert.equal(auto.stateWords(autoStatus()), "on · bars of 15m, target 2 : stop 1");
    assert.match(auto.modeWords(autoStatus()), /no broker knows/);
    assert.match(auto.modeWords(autoStatus({ mode: "proposals" })), /only your click enters/);
  });
  test("is said with the trades of today and what waits", () => {
    assert.equal(auto.todayWords(autoStatus()), "2 of 5 at most");
    assert.equal(auto.todayWords(autoStatus({ awaiting: 1 })), "2 of 5 at most; 1 decision waits for a yes");
    assert.equal(auto.todayWords(autoStatus({ config: null })), "2");
  });
});

describe("the last decision", () => {
  const says = (decision) => auto.lastWords(decision, Date.parse(NOW)).says;

  test("is told with what kept it from a trade", () => {
    assert.equal(says(last()), "BUY ES at 09:45:00: blocked by candle lock");
    assert.equal(
      says(last({ action: "HOLD", result: null, blocked_by: "desk_away" })),
      "HOLD ES at 09:45:00: blocked by desk away",
    );
    assert.equal(says(last({ result: "tp", blocked_by: null })), "BUY ES at 09:45:00: came to its target");
    assert.equal(says(null), "None yet");
  });
  test("a code that is new here is told as it is", () => {
    assert.equal(says(last({ result: "half_way", blocked_by: null })), "BUY ES at 09:45:00: half way");
  });
});

describe("what it was worth", () => {
  test("stands beside doing nothing and beside a coin, each with its interval", () => {
    const [own, flat, coin] = auto.resultRows(autoStatus().results);
    assert.deepEqual(own, { name: "Shadow trades", mean: "+0.12 R", beside: "95 %: −0.31 R to +0.55 R" });
    assert.deepEqual([flat.mean, coin.mean], ["0.00 R", "−0.05 R"]);
    assert.equal(flat.beside, "the trades +0.12 R against it, 95 %: −0.31 R to +0.55 R: no proven difference");
    assert.match(coin.beside, /\+0\.17 R against it, 95 %: \+0\.02 R to \+0\.32 R: better$/);
  });
  test("a worse one is called so", () => {
    const worse = { mean: 0, better_by: { mean: -0.5, low: -0.9, high: -0.1 } };
    assert.match(auto.resultRows({ ...autoStatus().results, always_flat: worse })[1].beside, /: worse$/);
  });
  test("nothing is said of too few trades", () => {
    const [own, flat] = auto.resultRows(few);
    assert.deepEqual([own.mean, own.beside, flat.beside], ["–", "", ""]);
    assert.match(auto.countedWords(few), /^7 trades count, too few to say anything of them: /);
  });
  test("the trades are counted, and those that do not count are told", () => {
    const counted =
      "24 trades count: 9 at the target, 13 at the stop, 2 at neither. Beside them 1 open, 3 not counted.";
    assert.equal(auto.countedWords(autoStatus().results), counted);
    const none = { ...few, n: 0, open: 0, not_counted: 0 };
    assert.equal(auto.countedWords(none), "0 trades count, too few to say anything of them.");
  });
});
