import assert from "node:assert/strict";
import { test } from "node:test";

import { allAnswer, isLockRefusal, lockSentence } from "../../../static/js/reading/exit_words.js";

const EMPTY = { ok: true, version: 7, orders: [], cancelled: [], latched: [], skipped: [], assets: {} };

test("nothing was there to exit", () => {
  assert.equal(allAnswer(EMPTY), "Every asset is flat: nothing to exit.");
});

test("every asset is named by what became of it", () => {
  const answer = {
    ...EMPTY,
    orders: [{ asset: "ES" }, { asset: "NQ" }],
    cancelled: [{ asset: "GC" }],
    latched: ["CL"],
    skipped: [{ asset: "YM", reason: "no position", code: "nothing_to_exit" }],
  };
  assert.equal(
    allAnswer(answer),
    "Exits queued: ES, NQ. Unclaimed orders cancelled: GC. Latched behind an open order: CL. YM: no position.",
  );
});

test("one under its initial exit lock says how to force the exit", () => {
  const skipped = { asset: "ES", reason: "INITIAL_EXIT_LOCK_ACTIVE", code: "exit_locked" };
  assert.equal(allAnswer({ ...EMPTY, skipped: [skipped] }), lockSentence("ES"));
  assert.match(lockSentence("ES"), /^INITIAL EXIT LOCK ACTIVE — ES .* Hold the button for 1\.5 s/);
  assert.equal(isLockRefusal("gate_closed"), false);
});

test("a refusal is said in the desk's own words", () => {
  assert.equal(allAnswer({ ok: false, error: "THE STORE IS DOWN" }), "THE STORE IS DOWN");
});
