// @ts-check

/** The status page: the five programs of the desk. When web itself does not answer, nothing is known of any. */

import { get, NoAnswer } from "../desk/api.js";
import * as words from "../reading/status.js";
import { byId, mark, slots, write } from "../ui/dom.js";

const LOOK_EVERY_MS = 3_000;
const UNKNOWN = "Not known: web does not answer";
const slot = slots(byId("status"));

async function start() {
  while (true) {
    if (!document.hidden) await look();
    await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS));
  }
}

async function look() {
  try {
    const { status, body } = await get("/api/status");
    if (status === 200) draw(body);
    else drawNothing(body.error ?? "Web cannot say it.");
  } catch (failure) {
    if (!(failure instanceof NoAnswer)) throw failure;
    drawNothing("Web does not answer. Trading may go on without this page: look at the machine.");
  }
}

/** @param {Wire.StatusAnswer} answer */
function draw(answer) {
  write(slot.said, answer.role === "standby" ? "This web is a standby: it hears no bridge and no tape." : "");
  for (const program of answer.programs) {
    const row = rowOf(program.name);
    const cell = slots(row);
    mark(row, "data-state", program.state);
    mark(row, "data-differs", words.differs(program, answer.version));
    write(cell.name, words.titleWords(program));
    write(cell.state, words.stateWords(program));
    write(cell.version, words.versionWords(program, answer.version));
    write(cell.age, words.heardWords(program));
    write(cell.uptime, words.uptimeWords(program));
    write(cell.ports, words.portsWords(program));
  }
}

/**
 * What was true a moment ago is not said any more.
 *
 * @param {string} why
 */
function drawNothing(why) {
  write(slot.said, why);
  for (const row of slot.rows.querySelectorAll("tr")) {
    const cell = slots(row);
    mark(row, "data-state", "unknown");
    mark(row, "data-differs", null);
    write(cell.state, UNKNOWN);
    for (const name of ["version", "age", "uptime", "ports"]) write(cell[name], "");
  }
}

/** @param {string} name */
function rowOf(name) {
  const row = slot.rows.querySelector(`[data-program="${name}"]`);
  if (!(row instanceof HTMLElement)) throw new TypeError(`the page has no row for ${name}`);
  return row;
}

start();
