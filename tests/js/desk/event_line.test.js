import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";

import * as lines from "../../../static/js/desk/event_line.js";
import { wait } from "../clock.js";

/** The browser's side of a stream: what opens it, what comes, what closes it. */
class Source extends EventTarget {
  static all = [];
  isClosed = false;

  constructor(address) {
    super();
    this.address = address;
    Source.all.push(this);
  }

  says(event, data = "") {
    this.dispatchEvent(Object.assign(new Event(event), { data }));
  }

  close() {
    this.isClosed = true;
  }
}
globalThis.EventSource = Source;

let told;
let line;

beforeEach(() => {
  Source.all = [];
  told = [];
  line = lines.makeLine((event, text) => told.push([event, text]));
});

test("everything the stream says is passed on, word for word", () => {
  lines.open(line);
  const [source] = Source.all;
  assert.equal(source.address, "/api/stream");
  source.says("open");
  source.says("change", "{}");
  assert.deepEqual(told, [
    ["opened", ""],
    ["change", "{}"],
  ]);
});

test("only what comes shows that it lives, not that it is open", () => {
  lines.open(line);
  Source.all[0].says("open");
  assert.equal(lines.ageMs(line), Infinity);
  Source.all[0].says("ping");
  wait(2);
  assert.equal(lines.ageMs(line), 2_000);
});

test("a line that was opened anew hears nothing of the old connection", () => {
  lines.open(line);
  Source.all[0].says("resync");
  assert.equal(Source.all.length, 2);
  assert.ok(Source.all[0].isClosed);
  Source.all[0].says("change", "late");
  Source.all[1].says("change", "new");
  assert.deepEqual(told, [["change", "new"]]);
});

test("a closed line hears nothing", () => {
  lines.open(line);
  lines.close(line);
  Source.all[0].says("change", "late");
  assert.deepEqual(told, []);
  assert.ok(Source.all[0].isClosed);
});

test("a silent line is opened anew after five seconds, and no more often", () => {
  lines.open(line);
  Source.all[0].says("ping");
  wait(5);
  lines.revive(line);
  assert.equal(Source.all.length, 1, "five seconds of silence are not yet too many");
  wait(0.1);
  lines.revive(line);
  lines.revive(line);
  assert.equal(Source.all.length, 2);
  wait(5.1);
  lines.revive(line);
  assert.equal(Source.all.length, 3);
});
