import assert from "node:assert/strict";
import { test } from "node:test";

import { agentWords, mlWords } from "../../../static/js/reading/advisor.js";

const CLOCK = { secondsSince: (time) => (time ? 90 : null) };
const found = (more = {}) => ({
  state: "up",
  reason: null,
  since: null,
  asked_at: null,
  url: "u",
  health: null,
  ...more,
});
const ml = (more = {}) => found({ health: { models: ["a", "b"], trouble: [], feeds: true, ...more } });
const agent = (more = {}) =>
  found({ health: { llm_provider: "rules", model: "none", web: true, reason: null, ...more } });

test("an advisor that is well says how many models answer and who words the answers", () => {
  assert.equal(mlWords(ml(), CLOCK), "Up: 2 models answer");
  assert.equal(mlWords(ml({ models: [] }), CLOCK), "Up: no model yet");
  assert.equal(agentWords(agent(), CLOCK), "Up: fixed rules");
  assert.equal(agentWords(agent({ llm_provider: "ollama", model: "qwen3" }), CLOCK), "Up: Ollama, qwen3");
});

test("what it is not well of is named", () => {
  const trouble = [{ symbol: "ES", timeframe: "5m", target: "tp_first", reason: "hash_differs" }];
  assert.equal(
    mlWords(ml({ trouble, feeds: false }), CLOCK),
    "Up: 2 models answer, feeds gives it no bars; ES 5m tp first not taken: hash differs",
  );
  assert.equal(
    agentWords(agent({ web: false, reason: "provider_away" }), CLOCK),
    "Up: fixed rules, it does not hear the desk, provider away",
  );
});

test("one that is away says why and since when, one that is off only that", () => {
  const away = found({ state: "away", reason: "refused", since: "2031-01-06T15:00:00Z" });
  assert.equal(mlWords(away, CLOCK), "Away: nobody listens at its address (noticed 1 min ago)");
  assert.equal(agentWords(found({ state: "off" }), CLOCK), "Off");
  assert.equal(agentWords(found({ state: "unknown" }), CLOCK), "Asking …");
});
