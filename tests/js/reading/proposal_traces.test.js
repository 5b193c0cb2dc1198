import assert from "node:assert/strict";
import { describe, test } from "node:test";

import * as traces from "../../../static/js/reading/proposal_traces.js";
import { NOW, proposal } from "../documents.js";

const trace = (more = {}, row = {}) => ({
  proposal: proposal({ status: "EXPIRED", ended_at: NOW, ...row }),
  ...{ simulated: false, price: 5250, outcome: "target", outcome_ts: NOW, points: 20, usd: 500, unfollowed: null },
  ...more,
});
const query = (words) => new URLSearchParams(words);

describe("which proposals the journal's filters select", () => {
  const all = [trace(), trace({}, { env: "LIVE" }), trace({}, { asset: "NQ", direction: "SELL" })];
  const many = (words) => traces.selected(all, query(words)).length;

  test("account, asset and side do", () => {
    assert.deepEqual([many(""), many("env=DEMO"), many("asset=NQ"), many("side=BUY&env=LIVE")], [3, 2, 1, 1]);
  });
  test("what only a trade has selects none", () => {
    assert.deepEqual([many("mode=SCALP"), many("reason=TP"), many("tag=plan")], [0, 0, 0]);
  });
  test("the days are asked for", () => {
    const asked = traces.daysOf(query("first_day=2031-01-06&env=DEMO"), 500);
    assert.equal(asked.toString(), "limit=500&from=2031-01-06");
    assert.equal(traces.daysOf(query("last_day=2031-01-07"), 9).toString(), "limit=9&to=2031-01-07");
  });
});

describe("a proposal that ended", () => {
  test("is counted by its end", () => {
    const some = [trace(), trace(), trace({}, { status: "TAKEN" })];
    assert.equal(traces.countWords(some, false), "3 proposals: 2 expired, 1 taken");
    assert.equal(traces.countWords(some.slice(0, 1), true), "the newest 1 proposal: 1 expired");
  });
  test("is told with the gate that refused it, or why it was withdrawn", () => {
    assert.equal(traces.endWords(proposal({ status: "REFUSED", gate: "candle_lock" })), "refused by candle lock");
    const gone = proposal({ status: "WITHDRAWN", why: "proposer" });
    assert.equal(traces.endWords(gone), "withdrawn: its program took it back");
    assert.equal(traces.endWords(proposal({ status: "TAKEN" })), "taken");
  });
  test("is told with its levels", () => {
    assert.equal(traces.levelWords(proposal(), 0.25), "5,250.25, stop 5,240.25, target 5,270.25");
    assert.equal(traces.levelWords(proposal({ target: null }), 0.25), "5,250.25, stop 5,240.25");
  });
  test("would have met something", () => {
    const { says, result, value } = traces.outcomeWords(trace());
    assert.deepEqual([says, result, value], ["target 06 Jan 10:00", "+20.00 pt, +$500.00", 20]);
    const lost = traces.outcomeWords(trace({ outcome: "stop", points: -10, usd: -250, simulated: true }));
    assert.deepEqual([lost.says, lost.result], ["stop 06 Jan 10:00, simulated", "−10.00 pt, −$250.00"]);
  });
  test("of which nothing is known makes no number", () => {
    const none = { outcome: null, outcome_ts: null, points: null, usd: null };
    const open = traces.outcomeWords(trace(none));
    assert.deepEqual([open.says, open.result, open.value], ["not decided yet", "", null]);
    const lost = traces.outcomeWords(trace({ ...none, unfollowed: "no_price" }));
    assert.equal(lost.says, "unknown: no price was fresh when it was opened");
  });
});
