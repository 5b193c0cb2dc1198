import assert from "node:assert/strict";
import { describe, test } from "node:test";

import {
  agreement,
  arrival,
  base,
  builderWords,
  heardOf,
  offset,
  sizes,
  wholeness,
} from "../../../static/js/reading/one_alert.js";
import { chain, feed } from "../documents.js";

const NOW = Date.parse("2031-01-06T15:00:00Z");
const ago = (seconds) => new Date(NOW - seconds * 1000).toISOString();
const line = (more = {}, facts = {}) => ({
  ...{ ts: ago(1), kind: "tv", asset: "ES", text: "5250", outcome: "ok", code: "ok", count: 1 },
  ...{ facts: { tf: "15S", sizes: 6, bricks: 0, behind_s: 0.4, ...facts }, ...more },
});
const refused = (more = {}) => ({
  ...{ ts: ago(1), kind: "tv", asset: null, text: "the secret is wrong", outcome: "refused (401)" },
  ...{ code: "refused", count: 1, ...more },
});

describe("the newest message of an asset", () => {
  test("is its own, not another asset's, nor a brick's of another alert", () => {
    const own = line({ ts: ago(60) });
    const lines = [line({ asset: "NQ" }), line({ kind: "tv_renko_main" }), own];
    assert.deepEqual(heardOf(lines, "ES"), { line: own, refused: null });
  });
  test("is overtaken by one that was refused later, not by an earlier one", () => {
    assert.equal(heardOf([refused(), line({ ts: ago(60) })], "ES").refused?.code, "refused");
    assert.equal(heardOf([line(), refused({ ts: ago(60) })], "ES").refused, null);
    assert.equal(heardOf([refused({ code: "dead_letter" })], "ES").refused?.code, "dead_letter");
  });
});

describe("whether it came", () => {
  test("is unknown, not never, while prices came that the log cannot explain", () => {
    assert.equal(arrival({ line: null, refused: null }, null, NOW).mark, "open");
    assert.equal(arrival({ line: null, refused: null }, ago(5), NOW).mark, "unknown");
  });
  test("is so for ten minutes", () => {
    assert.deepEqual(arrival({ line: line(), refused: null }, null, NOW), { mark: "done", words: "received now" });
    assert.equal(arrival({ line: line({ ts: ago(599) }), refused: null }, null, NOW).mark, "done");
    assert.equal(arrival({ line: line({ ts: ago(600) }), refused: null }, null, NOW).mark, "wrong");
  });
  test("says why the newest was refused", () => {
    const check = arrival({ line: line(), refused: refused() }, null, NOW);
    assert.deepEqual([check.mark, check.words], ["wrong", "the newest was refused: the secret is wrong"]);
  });
});

describe("the sizes", () => {
  const heard = { 1: "red", 4: "green", 12: "green", 2.5: "red" };
  test("are known when script and desk both know them", () => {
    assert.equal(sizes(line({}, { sizes: 4 }), heard).mark, "done");
    assert.equal(sizes(line({}, { sizes: 3 }), heard).mark, "open");
  });
  test("that the desk has not heard are named, from small to large", () => {
    const { mark, words } = sizes(line({}, { sizes: 4 }), { ...heard, 12: "neutral", 2.5: "neutral" });
    assert.equal(mark, "open");
    assert.match(words, /the script knows 4 of 4, the desk has heard 2 of 4, none yet of 2\.5pt, 12pt/);
  });
  test("of a script that was not heard are unknown", () => {
    assert.equal(sizes(null, heard).mark, "unknown");
  });
});

describe("the rest", () => {
  test("clocks may be two seconds apart", () => {
    assert.deepEqual(offset(line({}, { behind_s: 1.2 })), { mark: "done", words: "1.2 s from the alert to the desk" });
    assert.equal(offset(line({}, { behind_s: 2.1 })).mark, "wrong");
    assert.match(offset(line({}, { behind_s: -3 })).words, /TradingView's clock is 3.0 s ahead: compare/);
  });
  test("the base bar has its length", () => {
    assert.equal(base(line()).words, "15 s");
    assert.equal(base(line({}, { tf: "1" })).words, "1 min");
  });
  test("a size that stood elsewhere is named", () => {
    assert.equal(agreement(line()).mark, "done");
    assert.match(agreement(line({}, { differs: "6, 8" })).words, /of size 6, 8/);
  });
  test("the feed is whole, or the first thing that is wrong with it is said", () => {
    assert.deepEqual(wholeness(feed(), NOW), { mark: "done", words: "whole" });
    assert.equal(wholeness(feed({ source: null }), NOW).mark, "open");
    const fault = { kind: "broken_chain", size: 6, since: "2031-01-06T15:00:00Z", sentence: "STREAM GAPPED" };
    const gapped = wholeness(feed({ whole: false, faults: [fault, { ...fault, size: 8 }] }), NOW);
    assert.deepEqual(gapped, { mark: "wrong", words: "STREAM GAPPED, and 1 more" });
  });
  test("a feed that is silent or not judged is not called whole", () => {
    assert.equal(wholeness(feed(), NOW + 195_000).mark, "unknown");
    const streams = [chain(6, { state: "unknown" })];
    assert.match(wholeness(feed({ source: "single", newest_bar: null, streams }), NOW).words, /^not judged/);
  });
  test("who builds the bricks is said", () => {
    assert.match(builderWords("desk").join(" "), /^The desk builds the bricks of the bars' prices/);
    assert.match(builderWords("tradingview").join(" "), /^The script builds/);
  });
  test("is unknown without a message", () => {
    for (const check of [offset(null), base(null), agreement(null)]) assert.equal(check.mark, "unknown");
  });
});
