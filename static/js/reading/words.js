// @ts-check

/** How the journal says things: whole dollars, R, durations, reasons. */

import { MARKET_ZONE, moneyTone, points, signedPoints, UNKNOWN } from "./format.js";

const MINUS = "−";
const wholeNumbers = new Intl.NumberFormat("en-US", { maximumFractionDigits: 0 });
const short = new Intl.NumberFormat("en-US", { notation: "compact", maximumSignificantDigits: 3 });
const shortest = new Intl.NumberFormat("en-US", { notation: "compact" });
const exactShort = new Intl.NumberFormat("en-US", { notation: "compact", maximumFractionDigits: 6 });
const MANY_USD = 100_000;
const monthName = new Intl.DateTimeFormat("en-GB", { month: "long", year: "numeric", timeZone: "UTC" });
const moment = new Intl.DateTimeFormat("en-GB", {
  ...{ day: "2-digit", month: "short", hour: "2-digit", minute: "2-digit", hourCycle: "h23", timeZone: MARKET_ZONE },
});

const instant = new Intl.DateTimeFormat("en-GB", {
  ...{
    day: "2-digit",
    month: "short",
    hour: "2-digit",
    minute: "2-digit",
    second: "2-digit",
    hourCycle: "h23",
    timeZone: MARKET_ZONE,
  },
});

/**
 * Dollars without cents, signed: for narrow places.
 *
 * @param {number} value
 */
export function wholeUsd(value) {
  const rounded = Math.round(Math.abs(value));
  return `${rounded === 0 ? "" : value > 0 ? "+" : MINUS}$${wholeNumbers.format(rounded)}`;
}

/**
 * The same where a long number would be cut: −$1.23M from a hundred thousand on.
 *
 * @param {number} value
 */
export function shortUsd(value) {
  if (Math.abs(value) < MANY_USD) return wholeUsd(value);
  return `${value > 0 ? "+" : MINUS}$${short.format(Math.abs(value))}`;
}

/**
 * And where hardly anything has room: −1.2K.
 *
 * @param {number} value
 */
export function shortestUsd(value) {
  const rounded = Math.round(Math.abs(value));
  return `${rounded === 0 ? "" : value > 0 ? "+" : MINUS}${shortest.format(rounded)}`;
}

/**
 * A value beside an axis: short, but no two alike.
 *
 * @param {number} value
 */
export function axisUsd(value) {
  if (Math.abs(value) < 10 * MANY_USD) return wholeUsd(value);
  return `${value > 0 ? "+" : MINUS}$${exactShort.format(Math.abs(value))}`;
}

/** @param {number} value */
export function axisPoints(value) {
  return Math.abs(value) < MANY_USD ? points(value) : `${value < 0 ? MINUS : ""}${exactShort.format(Math.abs(value))}`;
}

/** @param {number | null} value */
export function signedR(value) {
  return value === null ? UNKNOWN : `${signedPoints(value)} R`;
}

/**
 * Seconds as 42 s, 3 min 05 s, 2 h 07 min.
 *
 * @param {number | null} seconds
 */
export function duration(seconds) {
  if (seconds === null) return UNKNOWN;
  const all = Math.round(seconds);
  const [hours, minutes, rest] = [Math.floor(all / 3600), Math.floor(all / 60) % 60, all % 60];
  if (hours > 0) return `${hours} h ${String(minutes).padStart(2, "0")} min`;
  return minutes > 0 ? `${minutes} min ${String(rest).padStart(2, "0")} s` : `${rest} s`;
}

/**
 * An instant by New York's clock.
 *
 * @param {string | number} instant
 */
export function newYork(instant) {
  return moment.format(new Date(instant)).replace(",", "");
}

/** @param {string | number} moment */
export function newYorkToTheSecond(moment) {
  return instant.format(new Date(moment)).replace(",", "");
}

/** @param {string} name */
export function month(name) {
  return monthName.format(new Date(`${name}-01T00:00:00Z`));
}

/**
 * BROKER_FLAT as broker flat.
 *
 * @param {string} name
 */
export function plain(name) {
  return name.toLowerCase().replaceAll("_", " ");
}

/**
 * @param {number} number
 * @param {string} one
 * @param {string} [many]
 */
export function count(number, one, many = `${one}s`) {
  return `${number} ${number === 1 ? one : many}`;
}

/**
 * Words as they stand at the beginning: with a capital.
 *
 * @param {string} words
 */
export function capital(words) {
  return words.charAt(0).toUpperCase() + words.slice(1);
}

/**
 * What another program said, as a sentence: with a capital and an end.
 *
 * @param {string} words
 */
export function whole(words) {
  return `${capital(words)}${".!?".includes(words.at(-1) ?? ".") ? "" : "."}`;
}

/**
 * Write a text with the colour of its money, which the sign in the text says too.
 *
 * @param {HTMLElement} target
 * @param {string} text
 * @param {number | null} value
 */
export function tint(target, text, value) {
  target.textContent = text;
  const tone = moneyTone(value);
  target.classList.toggle("gain", tone === "gain");
  target.classList.toggle("loss", tone === "loss");
  return target;
}

/**
 * An element with a text.
 *
 * @template {keyof HTMLElementTagNameMap} T
 * @param {T} name
 * @param {string} text
 * @param {string} [className]
 */
export function say(name, text, className = "") {
  const made = document.createElement(name);
  made.textContent = text;
  if (className) made.className = className;
  return made;
}
