import assert from "node:assert/strict";
import { test } from "node:test";

import "../browser.js";

const { ageWords, clientWords, headline, portOf, stateWords } = await import("../../../static/js/reading/feeds.js");

const URL = "http://127.0.0.1:8765";
const NOW = Date.parse("2031-01-07T15:00:00Z");
const clock = { secondsSince: (time) => (time ? Math.max(0, Math.floor((NOW - Date.parse(time)) / 1000)) : null) };
const MINUTE_AGO = "2031-01-07T14:59:00Z";

const port = (more) => ({ name: "market", port: 8765, state: "listening", clients: 0, last_sent_at: null, ...more });
const health = (more) => ({ ok: true, status: "ok", web: { is_up: true, since: null }, ports: [port()], ...more });
const answer = (more) => ({ state: "up", reason: null, since: MINUTE_AGO, url: URL, health: health(), ...more });
const away = (reason) => answer({ state: "away", reason, health: null });

test("a feeds that is well says so", () => {
  assert.equal(headline(answer(), clock), "Running. It hears the desk.");
});

test("every absence has its own words, and the time since it is so", () => {
  const words = ["refused", "unreachable", "silent", "unreadable", "other_desk"].map((reason) =>
    headline(away(reason), clock),
  );
  assert.equal(new Set(words).size, 5);
  for (const sentence of words) assert.match(sentence, /http:\/\/127\.0\.0\.1:8765 \(noticed 1 min ago\)\./);
  assert.match(words[0], /make run/);
  assert.match(words[3], /^Another program answers/);
});

test("off and not yet asked are no absence", () => {
  assert.match(headline(answer({ state: "off", url: null, health: null }), clock), /^FEEDS_URL is off/);
  assert.match(headline(answer({ state: "unknown", since: null, health: null }), clock), /^Asking/);
});

test("a degraded one says what is missing", () => {
  const lost = health({ status: "degraded", web: { is_up: false, since: MINUTE_AGO, why: "silent" } });
  const refused = health({ status: "degraded", web: { is_up: false, since: MINUTE_AGO, why: "refused" } });
  assert.match(headline(answer({ health: refused }), clock), /refuses its SERVICE_SECRET/);
  assert.equal(
    headline(answer({ health: lost }), clock),
    "Running, but it does not hear the desk (noticed 1 min ago).",
  );
  const taken = health({ status: "degraded", ports: [port({ state: "taken" }), port({ port: 8080, state: "taken" })] });
  assert.equal(headline(answer({ health: taken }), clock), "Running, but another program has port 8765, 8080.");
});

test("a port that feeds does not name is not known, not off", () => {
  assert.equal(portOf(answer(), "signals"), undefined);
  assert.equal(portOf(away("refused"), "market"), undefined);
  assert.equal(stateWords(answer(), undefined, "FEEDS_PORT"), "not known");
  assert.equal(stateWords(away("refused"), undefined, "FEEDS_PORT"), "away");
  assert.equal(clientWords(undefined), "");
  assert.equal(ageWords(undefined, clock), "");
});

test("a port says whether it listens, who is there and when it spoke", () => {
  assert.equal(stateWords(answer(), port({ port: 0, state: "off" }), "ENGINE_PORT"), "off (ENGINE_PORT=0)");
  assert.equal(stateWords(answer(), port({ state: "off" }), "ENGINE_PORT"), "off");
  assert.match(stateWords(answer(), port({ state: "taken" }), "ENGINE_PORT"), /another program .*ENGINE_PORT/);
  assert.equal(clientWords(port({ clients: 2 })), " · 2 connected");
  assert.equal(clientWords(port({ name: "journal", sent: 3 })), " · answered 3 times");
  assert.equal(ageWords(port(), clock), "no message yet");
  assert.equal(ageWords(port({ last_sent_at: MINUTE_AGO }), clock), "last message 1 min ago");
  assert.equal(ageWords(port({ last_sent_at: "2031-01-07T15:00:01Z" }), clock), "message now");
  assert.equal(ageWords(port({ state: "taken", last_sent_at: MINUTE_AGO }), clock), "");
});
