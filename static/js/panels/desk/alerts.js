// @ts-check

/** What the desk wants a person to know, newest first; what is over says so, what cannot be told says nothing. */

import * as clock from "../../desk/clock.js";
import { clockMoment } from "../../reading/format.js";
import { byId, copyOf, follow, mark, show, slots, write } from "../../ui/dom.js";

const root = byId("alerts");
const slot = slots(root);
const SIGNS = { critical: "!!", warning: "!", info: "i" };

/** @param {Page.State} state */
export function draw({ alerts }) {
  write(slot.count, countOf(alerts));
  show(slot.none, alerts.length === 0);
  show(slot.list, alerts.length > 0);
  follow(slot.list, alerts, {
    key: (alert) => `${alert.at} ${alert.code} ${alert.asset ?? ""}`,
    make: () => copyOf("alert-row"),
    fill: fillAlert,
  });
}

/** @param {Wire.AlertRow[]} alerts */
function countOf(alerts) {
  const lasting = alerts.filter((alert) => alert.over === false).length;
  return alerts.length === 0 ? "" : `${alerts.length}${lasting ? ` · ${lasting} lasting` : ""}`;
}

/**
 * @param {HTMLElement} row
 * @param {Wire.AlertRow} alert
 */
function fillAlert(row, alert) {
  const cell = slots(row);
  mark(row, "data-level", alert.level);
  write(cell.level, SIGNS[alert.level] ?? alert.level);
  mark(cell.level, "role", "img");
  mark(cell.level, "aria-label", alert.level);
  write(cell.time, clockMoment(alert.at, clock.now()));
  mark(cell.time, "datetime", alert.at);
  write(cell.sentence, alert.asset ? `${alert.asset}: ${alert.sentence}` : alert.sentence);
  mark(row, "data-over", alert.over === null ? null : alert.over ? "yes" : "no");
  write(cell.over, overWords(alert));
}

/** @param {Wire.AlertRow} alert */
function overWords({ over, over_at: overAt }) {
  if (over === true) return overAt ? `over ${clockMoment(overAt, clock.now())}` : "over";
  return over === false ? "lasting" : "";
}
