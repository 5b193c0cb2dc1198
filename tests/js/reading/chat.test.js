import assert from "node:assert/strict";
import { test } from "node:test";

import { byWords, heard, newTurn, refusalWords, standsOnWords } from "../../../static/js/reading/chat.js";

const result = (tool) => ({
  tool,
  arguments: {},
  env: "DEMO",
  as_of: "2031-01-06T15:00:00Z",
  result: {},
  missing: null,
});
const after = (...events) => events.reduce(heard, newTurn("Am I flat?"));
const done = (more = {}) => ({
  ...{ type: "done", response: "You are flat.", conversation_id: "c", source: "rules", replaced: false },
  tool_calls: [{ tool: "positions", arguments: {}, result: result("positions") }],
  ...more,
});

test("pieces add up, and the end says the whole answer, who gave it and what it stands on", () => {
  const turn = after({ type: "token", text: "You " }, { type: "token", text: "are" });
  assert.equal(turn.said, "You are");
  const end = heard(turn, done());
  assert.deepEqual([end.said, end.isOver, byWords(end)], ["You are flat.", true, "Answered by fixed rules."]);
  assert.equal(standsOnWords(end), "Stands on 1 result: positions");
});

test("results are shown as they come, before the words", () => {
  const turn = after(
    { type: "tool_result", result: result("positions") },
    { type: "tool_result", result: result("signal") },
  );
  assert.equal(standsOnWords(turn), "Stands on 2 results: positions, signals");
});

test("words that were dropped leave only the facts, and why is said", () => {
  const turn = after(
    { type: "token", text: "You made 60. " },
    { type: "token", text: "\n\nThe model's answer was broken off here; the facts follow.\n\n" },
    done({ replaced: true, why: "number" }),
  );
  assert.equal(turn.said, "You are flat.");
  assert.equal(
    byWords(turn),
    "Answered by fixed rules. The model's answer was dropped: it named a number that no tool gave. These are the facts.",
  );
});

test("each reason has its own words, and one of another version is left out", () => {
  const why = (code) => byWords(after(done({ replaced: true, why: code })));
  const codes = ["number", "copied", "claim", "no_prose", "no_figure", "no_facts", "repeated", "too_long", "provider"];
  assert.equal(new Set(codes.map(why)).size, 9);
  assert.match(why("claim"), /dropped: it said what the desk's own words do not say\./);
  assert.equal(why("bored"), "Answered by fixed rules. The model's answer was dropped. These are the facts.");
  assert.equal(byWords(after(done({ replaced: true }))), why("bored"));
});

test("beside a model's words stand the desk's own; rules say nothing twice", () => {
  const turn = after(
    done({ source: "ollama", response: "You lost 60 USD.", facts: "-60.00 USD after known commissions." }),
  );
  assert.deepEqual([turn.said, turn.facts], ["You lost 60 USD.", "-60.00 USD after known commissions."]);
  assert.match(byWords(turn), /^Worded by a local model \(Ollama\), checked against the desk's own words below\.$/);
  assert.equal(after(done({ facts: null })).facts, "");
  assert.equal(after(done()).facts, "");
});

test("an answer that breaks off keeps what was said and says that it broke off", () => {
  const turn = after(
    { type: "token", text: "You " },
    { type: "error", error: "provider_away", detail: "Ollama went away" },
  );
  assert.deepEqual([turn.said, turn.trouble, turn.isOver], ["You ", "Ollama went away.", true]);
});

test("an event of another version changes nothing", () => {
  assert.deepEqual(after({ type: "thought", text: "?" }), newTurn("Am I flat?"));
});

test("a refusal is told in its own words", () => {
  assert.equal(refusalWords(503, { error: "the advisor is away" }), "The advisor is away.");
  assert.equal(refusalWords(502, {}), "The desk answered 502.");
});
