// @ts-check

/**
 * The desk asked in words. An answer comes in pieces and stands on the results of tools that only read; both are shown as
 * text. Nothing typed here orders, changes or cancels anything, and the page waits for no answer.
 */

import { ask } from "../../desk/chat_stream.js";
import * as clock from "../../desk/clock.js";
import { byWords, heard, newTurn, refusalWords, standsOnWords } from "../../reading/chat.js";
import { clockMoment } from "../../reading/format.js";
import { factPairs, toolWords } from "../../reading/statements.js";
import { byId, copyOf, follow, mark, show, slots, write } from "../../ui/dom.js";
import { drawFacts } from "./statements.js";

const TURNS_AT_MOST = 20;
const STOPPED = "You stopped the answer.";
const root = byId("chat");
const slot = slots(root);
/** @type {{number: number, turn: Page.Turn}[]} oldest first */
let talk = [];
let turns = 0;
/** @type {string | null} */
let conversation = null;
/** @type {AbortController | null} */
let underWay = null;

export function start() {
  slot.form.addEventListener("submit", (/** @type {Event} */ event) => {
    event.preventDefault();
    askNow();
  });
  slot.message.addEventListener("keydown", hear);
  slot.stop.addEventListener("click", () => underWay?.abort());
  slot.clear.addEventListener("click", clear);
  draw();
}

/**
 * Enter asks. Escape leaves the field and keeps what was typed: the page's keys rest while somebody types, those of the
 * way out too.
 *
 * @param {KeyboardEvent} event
 */
function hear(event) {
  if (event.isComposing) return;
  if (event.key === "Escape") return slot.message.blur();
  if (event.key !== "Enter" || event.shiftKey) return;
  event.preventDefault();
  askNow();
}

/** Begin a new talk: the agent forgets the old one with its id. */
function clear() {
  underWay?.abort();
  talk = [];
  conversation = null;
  draw();
  slot.message.focus();
}

async function askNow() {
  const message = slot.message.value.trim();
  if (message === "" || underWay) return;
  const entry = { number: ++turns, turn: newTurn(message) };
  const mine = new AbortController();
  underWay = mine;
  talk = [...talk, entry].slice(-TURNS_AT_MOST);
  slot.message.value = "";
  draw();
  const failed = await ask(message, conversation, mine.signal, (event) => {
    if (mine.signal.aborted) return;
    if ("conversation_id" in event && event.conversation_id) conversation = event.conversation_id;
    entry.turn = heard(entry.turn, event);
    draw();
  });
  if (failed) {
    const trouble = mine.signal.aborted ? STOPPED : refusalWords(failed.status, failed.body);
    entry.turn = { ...entry.turn, trouble };
  }
  entry.turn = { ...entry.turn, isOver: true };
  if (underWay === mine) underWay = null;
  draw();
}

function draw() {
  const isBusy = underWay !== null;
  mark(slot.stop, "aria-disabled", isBusy ? null : "true");
  mark(slot.send, "aria-disabled", isBusy ? "true" : null);
  write(slot.state, isBusy ? "Asking …" : "");
  show(slot.talk, talk.length > 0);
  const isAtEnd = slot.talk.scrollHeight - slot.talk.scrollTop - slot.talk.clientHeight < 40;
  follow(slot.talk, talk, { key: ({ number }) => number, make: () => copyOf("chat-turn"), fill });
  if (isAtEnd) slot.talk.scrollTop = slot.talk.scrollHeight;
}

/**
 * @param {HTMLElement} row
 * @param {{turn: Page.Turn}} entry
 */
function fill(row, { turn }) {
  const cell = slots(row);
  write(cell.asked, turn.asked);
  write(cell.said, turn.said);
  write(cell.by, byWords(turn));
  mark(cell.by, "data-replaced", turn.isReplaced);
  show(cell.own, turn.facts !== "");
  write(cell.words, turn.facts);
  write(cell.trouble, turn.trouble);
  mark(row, "aria-busy", turn.isOver ? null : "true");
  show(cell.stands, turn.results.length > 0);
  write(cell.summary, standsOnWords(turn));
  follow(cell.results, turn.results, {
    key: ({ tool, as_of: at }) => `${tool} ${at}`,
    make: () => copyOf("chat-result"),
    fill: fillResult,
  });
}

/**
 * @param {HTMLElement} row
 * @param {Wire.ToolResult} result
 */
function fillResult(row, { tool, arguments: given, env, as_of: asOf, result, missing }) {
  const cell = slots(row);
  const about = Object.entries(given).map(([name, value]) => `${name} ${value}`);
  const parts = [toolWords(tool), ...about, `as of ${clockMoment(asOf, clock.now())}`, env ?? ""];
  write(cell.head, parts.filter(Boolean).join(" · "));
  write(cell.missing, missing ? `No result: ${missing.replaceAll("_", " ")}.` : "");
  drawFacts(cell.facts, factPairs(result, clock.now()));
}
