import assert from "node:assert/strict";
import { test } from "node:test";

import * as words from "../../../static/js/reading/status.js";

const row = (more = {}) => ({
  name: "feeds",
  state: "up",
  why: null,
  version: "0.7.0",
  heard_at: "2031-01-06T15:00:00Z",
  age_s: 1,
  since: null,
  uptime_s: 90,
  ports: [],
  ...more,
});

test("what is heard says its version, when, how long it runs and its ports", () => {
  const ports = [
    { name: "market", port: 8765, state: "listening" },
    { name: "data", port: 8001, state: "taken" },
    { name: "journal", port: 0, state: "off" },
  ];
  assert.equal(words.stateWords(row()), "Up");
  assert.equal(words.versionWords(row(), "0.7.0"), "0.7.0");
  assert.equal(words.heardWords(row()), "now");
  assert.equal(words.heardWords(row({ age_s: 12 })), "12 s ago");
  assert.equal(words.uptimeWords(row()), "1 min");
  assert.equal(words.portsWords(row({ ports })), "market 8765, data 8001 taken by another program, journal off");
});

test("what is not heard is said and never called up", () => {
  const silent = { version: null, heard_at: null, age_s: null, uptime_s: null };
  const never = (name) => row({ name, state: "not_heard", why: "never_heard", ...silent });
  assert.equal(words.stateWords(never("bridge")), "Not heard: no bridge has called since web began");
  assert.equal(words.stateWords(never("tape")), "Not heard: no tape plays here, real alerts need none");
  assert.equal(words.stateWords(row({ state: "away", why: "refused" })), "Away: nobody listens at its address");
  assert.equal(words.stateWords(row({ state: "off" })), "Off: FEEDS_URL is off");
  assert.equal(words.stateWords(row({ state: "unknown" })), "Asking …");
  assert.equal(words.versionWords(never("tape"), "0.7.0"), "not said");
  assert.equal(words.heardWords(never("tape")), "not heard");
  assert.equal(words.uptimeWords(never("tape")), "not said");
  assert.equal(words.portsWords(never("tape")), "none");
  const asked = [
    { name: "ml", port: 8002, state: "unknown" },
    { name: "agent", port: null, state: "off" },
  ];
  assert.equal(words.portsWords(row({ ports: asked })), "ml 8002 not heard, agent off");
});

test("something wrong and another version are told beside it", () => {
  assert.equal(words.stateWords(row({ state: "degraded", why: "feeds_unheard" })), "Up, but feeds gives it no bars");
  assert.equal(words.stateWords(row({ state: "degraded", why: "desk_unheard" })), "Up, but it does not hear the desk");
  assert.equal(words.versionWords(row({ version: "0.6.0" }), "0.7.0"), "0.6.0, not 0.7.0 as web");
  assert.equal(words.differs(row({ version: "0.6.0" }), "0.7.0"), true);
  assert.equal(words.differs(row({ version: null }), "0.7.0"), false);
});
