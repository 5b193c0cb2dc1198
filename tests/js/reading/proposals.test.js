import assert from "node:assert/strict";
import { beforeEach, describe, test } from "node:test";

import * as proposals from "../../../static/js/reading/proposals.js";
import { itIs } from "../clock.js";
import { asset, desk, gate, NOW, proposal } from "../documents.js";
import { event } from "../events.js";

const open = (name) => gate({ gate: name, state: "open" });
const LADDER = [open("cooldown"), open("zone"), open("two_half_filter"), open("feed")];
const COOLDOWN = gate({ gate: "cooldown", title: "POST-EXIT COOLDOWN ACTIVE", facts: { lock: "POST-EXIT COOLDOWN" } });
const FEED = gate({ gate: "feed", title: "GAP" });
const closedFor = (es, direction, ofDesk = {}) => proposals.closedFor(desk(ofDesk), asset(es), direction);

beforeEach(() => itIs(NOW));

describe("the gate that refuses a proposal", () => {
  const green = { zone_type: "NORMAL", zone_direction: "BUY" };

  test("is none when the desk may enter its direction", () => {
    assert.equal(closedFor({ ...green, may_enter: ["BUY"], ladder: LADDER }, "BUY"), null);
  });
  test("is the first closed one of the ladder", () => {
    const ladder = [COOLDOWN, ...LADDER.slice(1, 3), FEED];
    assert.equal(closedFor({ ...green, ladder }, "BUY"), COOLDOWN);
    assert.equal(closedFor({ ...green, ladder }, "SELL"), COOLDOWN, "it comes before the zone");
  });
  test("is the zone for the other direction, though the document's ladder is open", () => {
    const against = closedFor({ ...green, may_enter: ["BUY"], ladder: LADDER }, "SELL");
    assert.equal(against.gate, "zone");
    assert.equal(against.sentence, "AGAINST STRUCTURE — 8pt and 12pt say BUY");
    const before = closedFor({ ...green, ladder: [...LADDER.slice(0, 3), FEED] }, "SELL");
    assert.equal(before.gate, "zone", "and it comes before the feed");
  });
  test("is the 2.5pt brick of its own direction, not of the zone's", () => {
    const red = { two_half_renko_color: "red", zone_type: "FREE" };
    const refused = closedFor({ ...red, may_enter: ["SELL"], ladder: LADDER }, "BUY");
    assert.equal(refused.sentence, "2.5PT FILTER — the last 2.5pt brick is red");
    assert.equal(closedFor({ ...red, may_enter: ["SELL"], ladder: LADDER }, "SELL"), null);
    const ladder = [...LADDER.slice(0, 2), gate({ gate: "two_half_filter", title: "2.5PT FILTER" }), FEED];
    assert.equal(closedFor({ ...green, two_half_renko_color: "red", ladder }, "SELL").gate, "zone");
    assert.equal(closedFor({ two_half_renko_color: "red", zone_type: "FREE", ladder }, "SELL"), FEED);
  });
  test("is said without a name when only the desk knows it", () => {
    assert.equal(closedFor({ zone_type: "FREE", ladder: LADDER }, "SELL").title, "NOT NOW");
  });
});

describe("what a proposal risks", () => {
  test("is the desk's own stop first, with the contracts of the chosen size", () => {
    assert.equal(proposals.restingWords(proposal(), 5), "$300.00 at risk: the desk's own stop, 12 pt away");
    assert.equal(proposals.restingWords(proposal(), 3), "$180.00 at risk: the desk's own stop, 12 pt away");
  });
  test("is at its own stop only what nobody places", () => {
    const nearer = "5,240.25, 10 pt: $250.00 there, but it is not placed";
    assert.equal(proposals.proposedStopWords(proposal(), 5, 0.25), nearer);
    const same = proposal({ stop: 5238.25, stop_points: 12, risk_usd: 300 });
    assert.equal(proposals.proposedStopWords(same, 5, 0.25), "5,238.25, 12 pt: as far as the desk's own");
  });
  test("is read out when it comes", () => {
    assert.equal(proposals.comesWords(proposal()), "auto proposes to BUY ES; $300.00 at risk.");
  });
  test("is a dash when the contracts are not known", () => {
    assert.match(proposals.restingWords(proposal({ quantity: 0 }), 5), /^– at risk/);
  });
  test("no target is promised that the desk does not take", () => {
    const words = (one, mode) => proposals.targetWords(one, asset(), mode, 12);
    assert.equal(words(proposal(), "SCALP"), "5,270.25, 20 pt: not placed, SCALP takes 12 pt");
    assert.equal(words(proposal(), "RUNNER"), "5,270.25, 20 pt: not placed, RUNNER has none");
    assert.equal(words(proposal({ target: null }), "SCALP"), "none; SCALP takes 12 pt");
  });
});

describe("where the price stands", () => {
  const words = (one, now) => proposals.distanceWords(one, now, asset());
  const sell = proposal({ direction: "SELL", stop: 5260.25, target: 5230.25 });

  test("worse is what a click would pay more", () => {
    assert.equal(words(proposal(), 5252), "now 5,252.00: 1.75 pt worse than its entry");
    assert.equal(words(proposal(), 5249.25), "now 5,249.25: 1 pt better than its entry");
    assert.equal(words(sell, 5249.25), "now 5,249.25: 1 pt worse than its entry");
    assert.equal(words(proposal(), 5250.25), "now 5,250.25: at its entry");
  });
  test("past stop or target it says so", () => {
    assert.equal(words(proposal(), 5240.25), "now 5,240.25: already at or past its stop");
    assert.equal(words(sell, 5261), "now 5,261.00: already at or past its stop");
    assert.equal(words(sell, 5230.25), "now 5,230.25: already at or past its target");
    assert.equal(words(proposal({ target: null }), 5300), "now 5,300.00: 49.75 pt worse than its entry");
  });
  test("without a price nothing is guessed", () => {
    assert.equal(words(proposal(), null), "no price is known");
  });
});

describe("how a proposal ended", () => {
  const said = (data, known = proposal()) => proposals.endedWords(event(1, "ProposalEnded", data), known);

  test("is told with what it was", () => {
    const what = "10:00:00 The proposal ▲ BUY MESH1 of auto";
    assert.equal(said({ status: "TAKEN" }), `${what} was taken: its order is on its way.`);
    const refused = "was refused by the gate two half filter; a refused click ends it.";
    assert.equal(said({ status: "REFUSED", gate: "two_half_filter" }), `${what} ${refused}`);
    assert.equal(said({ status: "DISMISSED" }), `${what} was dismissed.`);
    assert.equal(said({ status: "EXPIRED" }), `${what} expired: nobody took it in its time.`);
    const switched = "was withdrawn: the environment was switched.";
    assert.equal(said({ status: "WITHDRAWN", why: "env_switched" }), `${what} ${switched}`);
    assert.equal(said({ status: "WITHDRAWN", why: "a_new_code" }), `${what} was withdrawn: a new code.`);
  });
  test("for a moment only, and of the asset in view", () => {
    const ends = [event(1, "ProposalEnded"), event(2, "ProposalEnded"), event(3, "ProposalEnded", {}, { asset: "NQ" })];
    const since = (ms) => proposals.lastEnded(ends, "ES", Date.parse(NOW) + ms);
    assert.equal(since(29_999)?.id, 2);
    assert.equal(since(30_000), null);
    assert.equal(proposals.lastEnded([], "ES", Date.parse(NOW)), null);
  });
  test("and without, when the page never saw it", () => {
    assert.equal(said({ status: "DISMISSED" }, null), "10:00:00 The proposal for ES was dismissed.");
  });
});
