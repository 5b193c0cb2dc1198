// @ts-check

/** Events of the journal for the tests. */

import { NOW } from "./documents.js";

/**
 * One event; its id is its row's number times 1000, plus its place in the row.
 *
 * @param {number} id
 * @param {string} type
 * @param {Record<string, any>} data
 * @param {Partial<Page.Event>} more
 * @returns {Page.Event}
 */
export function event(id, type, data = {}, more = {}) {
  return { id, ts: NOW, type, asset: "ES", data, ...more };
}

/**
 * The end of an entry of 5 that was cancelled with nothing filled.
 *
 * @param {number} id
 * @param {Record<string, any>} data
 * @param {Partial<Page.Event>} more
 */
export function cancelled(id, data = {}, more = {}) {
  const order = { kind: "ENTRY", side: "BUY", contract: "MESH1", qty: 5, env: "DEMO", source: "entry", mode: "A" };
  const ended = { order_id: "o1", kind: "ENTRY", status: "CANCELLED", filled_qty: 0, reason: null, order };
  return event(id, "OrderEnded", { ...ended, ...data }, more);
}
