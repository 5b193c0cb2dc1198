// @ts-check

/** A month of trading days: sign and sum are written, the shade only repeats them. A click chooses the day. */

import { tradingDay, UNKNOWN } from "../../reading/format.js";
import { count, month as nameOf, say, shortestUsd, shortUsd, tint, wholeUsd } from "../../reading/words.js";
import { all, around, byId } from "../../ui/dom.js";
import * as filters from "./filters.js";

const root = byId("calendar");
const weeks = byId("calendar-weeks");
const title = byId("calendar-month");
const note = byId("calendar-note");
const DAY_MS = 86_400_000;
const LEVELS = 4;
let shown = "";

/**
 * `whenTurned()` is called when another month is wanted.
 *
 * @param {string} today
 * @param {() => void} whenTurned
 */
export function start(today, whenTurned) {
  shown = (filters.chosenDay() ?? today).slice(0, 7);
  for (const button of all(root, "[data-month]")) {
    button.addEventListener("click", () => {
      const [year, month] = shown.split("-").map(Number);
      shown = new Date(Date.UTC(year, month - 1 + Number(button.dataset.month), 1)).toISOString().slice(0, 7);
      whenTurned();
    });
  }
  weeks.addEventListener("click", (event) => {
    const day = around(event, "[data-day]");
    if (day) filters.chooseDay(day.dataset.day ?? "");
  });
}

export function month() {
  return shown;
}

/** @param {Wire.CalendarAnswer} calendar */
export function draw({ month: name, days, truncated }) {
  const byDay = new Map(days.map((day) => [day.day, day]));
  const most = Math.max(1, ...days.map((day) => Math.abs(day.usd)));
  title.textContent = nameOf(name);
  weeks.replaceChildren(...weeksOf(name).map((week) => weekRow(week, byDay, most)));
  note.textContent = noteOf(days, truncated);
}

/**
 * @param {Wire.CalendarRow[]} days
 * @param {boolean} truncated
 */
function noteOf(days, truncated) {
  if (truncated) return "More happened than is counted here.";
  const sum = (/** @type {"trades" | "usd" | "blocked" | "overrides"} */ name) =>
    days.reduce((total, day) => total + day[name], 0);
  if (days.length === 0) return "Nothing was traded or tried in this month.";
  return `${count(sum("trades"), "trade")}, ${wholeUsd(sum("usd"))}, ${count(sum("blocked"), "refusal")}, ${count(sum("overrides"), "override")}`;
}

/**
 * Monday to Friday of each week that has a day of the month; days of other months are null.
 *
 * @param {string} name
 */
function weeksOf(name) {
  const first = Date.parse(`${name}-01T00:00:00Z`);
  const monday = first - ((new Date(first).getUTCDay() + 6) % 7) * DAY_MS;
  /** @type {(string | null)[][]} */
  const found = [];
  for (let start = monday; start === monday || dayOf(start).startsWith(name); start += 7 * DAY_MS) {
    const week = [0, 1, 2, 3, 4]
      .map((step) => dayOf(start + step * DAY_MS))
      .map((day) => (day.startsWith(name) ? day : null));
    if (week.some(Boolean)) found.push(week);
  }
  return found;
}

/** @param {number} at */
function dayOf(at) {
  return new Date(at).toISOString().slice(0, 10);
}

/**
 * @param {(string | null)[]} week
 * @param {Map<string, Wire.CalendarRow>} byDay
 * @param {number} most
 */
function weekRow(week, byDay, most) {
  const row = document.createElement("tr");
  for (const day of week) row.append(day === null ? document.createElement("td") : cell(day, byDay.get(day), most));
  const traded = week.flatMap((day) => byDay.get(day ?? "") ?? []).filter((day) => day.trades);
  const sum = traded.reduce((total, day) => total + day.usd, 0);
  const total = tint(say("td", "", "number week"), "", sum);
  if (traded.length) total.append(...sumOf(sum, ""));
  row.append(total);
  return row;
}

/**
 * @param {string} day
 * @param {Wire.CalendarRow | undefined} told
 * @param {number} most
 */
function cell(day, told, most) {
  const box = document.createElement("td");
  const number = say("span", String(Number(day.slice(8))), "day-number");
  if (!told) {
    box.className = "idle";
    box.append(number);
    return box;
  }
  const button = document.createElement("button");
  button.type = "button";
  button.className = "day";
  button.dataset.day = day;
  button.dataset.tone = told.usd > 0 ? "gain" : told.usd < 0 ? "loss" : "none";
  button.dataset.level = String(Math.ceil((Math.abs(told.usd) / most) * LEVELS));
  button.setAttribute("aria-pressed", String(filters.chosenDay() === day));
  const sums = told.trades ? sumOf(told.usd, "day-sum") : [say("span", UNKNOWN, "day-sum")];
  const unseen = say(
    "span",
    `${tradingDay(day)}: ${count(told.trades, "trade")}, ${told.blocked} blocked, ${count(told.overrides, "override")}`,
    "visually-hidden",
  );
  button.append(number, ...sums, ...smallPrint(told), unseen);
  box.append(button);
  return box;
}

/**
 * A sum as short as its place, never cut: a number without its end is another number.
 *
 * @param {number} usd
 * @param {string} name
 */
function sumOf(usd, name) {
  const [long, short] = [say("span", shortUsd(usd), `${name} long`), say("span", shortestUsd(usd), `${name} short`)];
  long.title = wholeUsd(usd);
  return [long, short];
}

/**
 * The counts in words, and in the few letters that fit on a phone; the label says them anyway.
 *
 * @param {Wire.CalendarRow} told
 */
function smallPrint({ trades, blocked }) {
  const long = [trades ? count(trades, "trade") : "", blocked ? `${blocked} blocked` : ""];
  const short = [trades ? `${trades}\u00a0tr` : "", blocked ? `${blocked}\u00a0bl` : ""]; // a line each where they must
  /**
   * @param {string} size
   * @param {string[]} words
   * @param {string} between
   */
  const note = (size, words, between) => say("span", words.filter(Boolean).join(between), `day-note ${size}`);
  return [note("long", long, " · "), note("short", short, " ")];
}
