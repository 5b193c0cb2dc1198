// @ts-check

/**
 * What the axes of a chart say. Bricks do not come by the clock: several close within a minute, and a night or a
 * weekend lies between two neighbours. So no two labels may read alike.
 */

import { averagePrice, MARKET_ZONE, marketDay, price as priceWords } from "../reading/format.js";
import { brickOf } from "./book.js";

export const LONGEST_LABEL = 12; // letters, wide ones: 20 Nov 16:33:12

/** @type {Intl.DateTimeFormatOptions} */
const NEW_YORK = { timeZone: MARKET_ZONE, hour: "2-digit", minute: "2-digit", hour12: false };
const minuteWords = new Intl.DateTimeFormat("en-GB", NEW_YORK);
const secondWords = new Intl.DateTimeFormat("en-GB", { ...NEW_YORK, second: "2-digit" });
const momentWords = new Intl.DateTimeFormat("en-GB", {
  ...NEW_YORK,
  day: "numeric",
  month: "short",
  second: "2-digit",
});

/**
 * The label beneath a brick: with seconds unless it is the first of its minute, with its date unless it is the newest's.
 *
 * @param {Pick<Page.Axes, "book">} axes
 * @param {number} number
 */
export function tickWords({ book }, number) {
  const brick = brickOf(book, number);
  if (!brick) return "";
  const at = new Date(brick.ts);
  const before = brickOf(book, number - 1);
  const words = before && isSameMinute(before.ts, at) ? secondWords : minuteWords;
  const isOfNewestDay = marketDay(at) === marketDay(book.bricks.at(-1)?.ts ?? at);
  return isOfNewestDay ? words.format(at) : `${marketDay(at)} ${words.format(at)}`;
}

/**
 * Whether a brick is the first of its day.
 *
 * @param {Pick<Page.Axes, "book">} axes
 * @param {number} number
 */
export function beginsDay({ book }, number) {
  const [before, brick] = [brickOf(book, number - 1), brickOf(book, number)];
  return before !== undefined && brick !== undefined && marketDay(before.ts) !== marketDay(brick.ts);
}

/**
 * The label of the moment under the cross.
 *
 * @param {Pick<Page.Axes, "book">} axes
 * @param {number} number
 */
export function crossWords({ book }, number) {
  const brick = brickOf(book, number);
  return brick ? momentWords.format(new Date(brick.ts)) : "";
}

/**
 * A price as the tables write it: a line's may be an average between two ticks.
 *
 * @param {Pick<Page.Axes, "prices" | "lines" | "tickSize">} axes
 * @param {number} value
 */
export function valueWords({ prices, lines, tickSize }, value) {
  if (prices === "none") return "";
  return lines.some((line) => line.price === value) ? averagePrice(value, tickSize) : priceWords(value, tickSize);
}

/**
 * @param {Page.Instant} one
 * @param {Date} other
 */
function isSameMinute(one, other) {
  return Math.floor(Date.parse(one) / 60_000) === Math.floor(other.getTime() / 60_000);
}
