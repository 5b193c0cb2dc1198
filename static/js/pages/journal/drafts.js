// @ts-check

/** Notes that were typed and not saved: another filter, another row or another page must not lose them. */

import * as kept from "../../ui/kept.js";

const KEPT = "lockstep.journal.drafts";
const DRAFTS_AT_MOST = 50;

/** @typedef {{note: string, tags: string}} Draft */

/**
 * The draft {note, tags} about a trade, or undefined.
 *
 * @param {string} id
 * @returns {Draft | undefined}
 */
export function read(id) {
  return all()[id];
}

/**
 * @param {string} id
 * @param {Draft} draft
 */
export function keep(id, draft) {
  const { [id]: _, ...others } = all();
  write(
    Object.entries(others)
      .slice(1 - DRAFTS_AT_MOST)
      .concat([[id, draft]]),
  );
}

/** @param {string} id */
export function forget(id) {
  const { [id]: _, ...others } = all();
  write(Object.entries(others));
}

/**
 * Read anew each time: another page may have written one. What cannot be read is none.
 *
 * @returns {Record<string, Draft>}
 */
function all() {
  try {
    return JSON.parse(kept.read(KEPT) ?? "null") ?? {};
  } catch {
    return {};
  }
}

/** @param {[string, Draft][]} drafts */
function write(drafts) {
  kept.keep(KEPT, JSON.stringify(Object.fromEntries(drafts)));
}
