import assert from "node:assert/strict";
import { test } from "node:test";

import { eventsOf } from "../../../static/js/desk/event_text.js";

const said = (text) => `data: ${JSON.stringify({ type: "token", text })}\n\n`;

test("events that come in pieces are heard once they are whole", () => {
  const [one, other] = [said("You are "), said("flat.")];
  const first = eventsOf(one + other.slice(0, 12));
  assert.deepEqual(first.events, [{ type: "token", text: "You are " }]);
  const second = eventsOf(first.rest + other.slice(12));
  assert.deepEqual(second, { events: [{ type: "token", text: "flat." }], rest: "" });
});

test("comments, end marks and broken JSON are no events", () => {
  const text = `: still here\n\ndata: [DONE]\n\ndata: {"type":"token","te\n\n${said("ok")}data: 7\n\n`;
  assert.deepEqual(eventsOf(text).events, [{ type: "token", text: "ok" }]);
});

test("line ends of both kinds, an event's name and several lines of one are read", () => {
  const text = 'event: token\r\ndata: {"type":"token",\r\ndata: "text":"a\\n\\nb"}\r\n\r\n';
  assert.deepEqual(eventsOf(text).events, [{ type: "token", text: "a\n\nb" }]);
});

test("an event that never ends is not kept for ever", () => {
  assert.throws(() => eventsOf(`data: ${"x".repeat(1_000_001)}`), RangeError);
});
