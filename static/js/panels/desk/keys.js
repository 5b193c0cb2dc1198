// @ts-check

/**
 * The API keys on the set-up page: listed, made, revoked. The text of a new key stays in the page until it is left.
 *
 * Nothing is sent twice: while an answer is awaited the button does nothing, and without an answer the list is read
 * again, because a key may have been made that nobody has seen.
 */

import { get, NoAnswer, post } from "../../desk/api.js";
import { clockMoment } from "../../reading/format.js";
import { all, byId, copyOf, follow, mark, markBusy, one, show, slots, write } from "../../ui/dom.js";
import { makeHoldable } from "../../ui/hold.js";

const NOT_LISTED = "The desk does not answer: which keys hold is unknown.";
const UNKNOWN = "No answer from the desk: whether a key was made is unknown. Revoke what you do not know.";
const NOT_REVOKED = "No answer from the desk: whether the key still holds is unknown. Look at the list.";

const root = byId("keys");
const slot = slots(root);
const form = one(root, "form", HTMLFormElement);
/** @type {readonly Wire.KeyRow[]} */
let keys = [];
let isAsking = false;

export function start() {
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    make();
  });
  list();
}

async function list() {
  try {
    const { status, body } = await get("/api/keys");
    if (status !== 200) return write(slot["keys-word"], body.error);
    keys = body.keys;
    write(slot["keys-word"], wordsOf(body));
    draw();
  } catch (failure) {
    if (!(failure instanceof NoAnswer)) throw failure;
    write(slot["keys-word"], NOT_LISTED);
  }
  return null;
}

/** @param {Wire.KeysAnswer} told */
function wordsOf({ keys: held, unreadable }) {
  const count = held.length === 1 ? "1 key holds." : `${held.length} keys hold.`;
  const known = held.length === 0 ? "There are no keys." : count;
  const strange = unreadable.length ? `${unreadable.join(", ")}: stored, but opens nothing here.` : "";
  return [known, strange].filter(Boolean).join(" ");
}

function draw() {
  follow(/** @type {HTMLElement} */ (slot["keys-list"]), keys, { key: (key) => key.id, make: row, fill });
}

/** @param {Wire.KeyRow} key */
function row(key) {
  const made = copyOf("key-row");
  makeHoldable(one(made, '[data-slot="revoke"]'), {
    mayHold: () => true,
    whenHeld: () => revoke(key),
    whenClicked: () => say("Hold the button for 1.5 s to revoke the key."),
    whenCut: (sentence) => say(sentence),
  });
  return made;
}

/**
 * @param {HTMLElement} element
 * @param {Wire.KeyRow} key
 */
function fill(element, key) {
  const part = slots(element);
  write(part.name, key.name);
  write(part.account, key.account === key.id ? "" : `account ${key.account}`);
  write(part.made, `made ${clockMoment(key.created_at, Date.now())}`);
  write(part.scopes, key.scopes.join(", "));
  write(part.id, key.id);
  write(part.which, ` ${key.name} ${key.id}`);
}

async function make() {
  if (isAsking) return;
  const asked = read();
  if (!asked.name.trim()) return say("Name the key, so that you know it again.");
  if (asked.scopes.length === 0) return say("Choose what the key opens.");
  const body = await ask("/api/keys", asked, UNKNOWN);
  if (body?.ok) shown(body);
  await list();
  return null;
}

/** @param {Wire.KeyMade} made */
function shown({ key, token }) {
  form.reset();
  say(`The key ${key.name} is shown this once: copy it now.`, "info");
  write(slot.token, token);
  show(/** @type {HTMLElement} */ (slot["keys-made"]), true);
  /** @type {HTMLElement} */ (slot.token).focus();
}

function read() {
  /** @param {string} name */
  const text = (name) => form.querySelector(`input[name="${name}"]`);
  const value = (/** @type {string} */ name) => /** @type {HTMLInputElement | null} */ (text(name))?.value ?? "";
  const chosen = all(form, 'input[name="scopes"]', HTMLInputElement).filter((box) => box.checked);
  return {
    name: value("name"),
    scopes: chosen.map((box) => box.value),
    account: value("account").trim() || null,
    password: text("password") ? value("password") : null,
  };
}

/** @param {Wire.KeyRow} key */
async function revoke(key) {
  if (isAsking) return;
  const body = await ask(`/api/keys/${encodeURIComponent(key.id)}/revoke`, {}, NOT_REVOKED);
  if (body?.ok) {
    say(`The key ${key.name} is revoked.`, "info");
    if (slot.token.textContent?.includes(key.id)) forget();
  }
  await list();
}

/** The text of a revoked key is of no use any more. */
function forget() {
  write(slot.token, "");
  show(/** @type {HTMLElement} */ (slot["keys-made"]), false);
}

/**
 * @param {string} path
 * @param {object} command
 * @param {string} withoutAnswer
 */
async function ask(path, command, withoutAnswer) {
  isAsking = true;
  markBusy(root, true);
  say("");
  try {
    const { body } = await post(path, command);
    if (!body.ok) say(body.error);
    return body;
  } catch (failure) {
    if (!(failure instanceof NoAnswer)) throw failure;
    say(withoutAnswer);
    return null;
  } finally {
    isAsking = false;
    markBusy(root, false);
  }
}

/**
 * @param {string} sentence
 * @param {string | null} [tone]
 */
function say(sentence, tone = null) {
  write(slot["keys-answer"], sentence);
  mark(slot["keys-answer"], "data-tone", tone);
  return null;
}
