import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";

import "../browser.js";
import { itIs } from "../clock.js";
import { NOW, state } from "../documents.js";
import { cancelled, event } from "../events.js";

let facts;
let journal;
let asked;
let copies = 0;

/** The desk's answer to a question for events: those behind an id or since a time, of some types, at most so many. */
globalThis.fetch = async (address) => {
  asked.push(address);
  const query = new URL(address, "http://desk").searchParams;
  const [types, since] = [query.get("types")?.split(","), Number(query.get("since_id") ?? 0)];
  const behind = journal.filter(({ id, type }) => id > since && (types?.includes(type) ?? true));
  const events = behind.slice(0, Number(query.get("limit")));
  return Response.json({ ok: true, events, next: events.at(-1)?.id ?? since });
};

beforeEach(async () => {
  itIs(NOW);
  asked = [];
  copies += 1;
  facts = await import(`../../../static/js/desk/facts.js?copy=${copies}`); // each test has a page of its own
});

const known = () => facts.ofOrders().map(({ id }) => id);
const bricks = (first, count) =>
  Array.from({ length: count }, (_, place) => event((first + place) * 1000, "BrickApplied"));

test("a page that opens reads none of the bricks that ended no order", async () => {
  journal = bricks(1, 600);
  await facts.askForPast(state());
  assert.deepEqual(known(), []);
  assert.equal(asked.length, 2, "a page of ends, and that none are behind it");
});

test("of an entry that was cancelled it reads what happened before in the same row, and nothing else", async () => {
  const own = event(700_000, "BrickApplied", { stream: "high", color: "red" });
  journal = [...bricks(1, 600), own, cancelled(700_001), ...bricks(701, 600)];
  await facts.askForPast(state());
  assert.deepEqual(known(), [700_000, 700_001]);
});

test("an entry that was cancelled by hand is the first of its row: nothing before it is asked for", async () => {
  journal = [...bricks(1, 600), cancelled(700_000)];
  await facts.askForPast(state());
  assert.deepEqual(known(), [700_000]);
  assert.equal(asked.length, 2);
});

test("an order that filled needs no cause", async () => {
  journal = [event(700_000, "BrickApplied"), cancelled(700_001, { status: "FILLED", filled_qty: 5 })];
  await facts.askForPast(state());
  assert.deepEqual(known(), [700_001]);
});

test("a page that comes back learns how a proposal ended meanwhile", async () => {
  journal = [event(700_000, "ProposalEnded", { status: "EXPIRED" })];
  await facts.askForPast(state());
  assert.deepEqual(
    facts.ofProposals().map(({ id }) => id),
    [700_000],
  );
  facts.take(event(701_000, "ProposalEnded", { status: "DISMISSED" }));
  facts.take(event(700_000, "ProposalEnded", { status: "EXPIRED" }));
  assert.equal(facts.ofProposals().length, 2, "each once");
});
