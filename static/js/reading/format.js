// @ts-check

/** How numbers, ages and times read on the page. A value nobody knows yet is a dash, never a zero. */

export const UNKNOWN = "–";
const MINUS = "−";
/** The market's clock, whatever the operator's own shows: all pages tell times in it, as the trading day rolls by it. */
export const MARKET_ZONE = "America/New_York";
/** @param {Intl.DateTimeFormatOptions} parts */
const inMarket = (parts) => new Intl.DateTimeFormat("en-GB", { ...parts, timeZone: MARKET_ZONE });
const timeOfDay = inMarket({ hour: "2-digit", minute: "2-digit", second: "2-digit" });
const shortDate = inMarket({ day: "numeric", month: "short" });
const dayOfWeek = inMarket({ weekday: "short" });
const dayOfYear = new Intl.DateTimeFormat("en-GB", {
  weekday: "short",
  day: "numeric",
  month: "short",
  timeZone: "UTC",
});
/** @type {Map<number, Intl.NumberFormat>} tick size → format */
const priceFormats = new Map();
const whole = new Intl.NumberFormat("en-US", { maximumFractionDigits: 0 });
const hundredths = new Intl.NumberFormat("en-US", { minimumFractionDigits: 2, maximumFractionDigits: 2 });
const atMostHundredths = new Intl.NumberFormat("en-US", { maximumFractionDigits: 2 });

/** @typedef {number | null | undefined} Amount a number of the desk, or none */
/** @typedef {string | number | Date} Instant RFC 3339, milliseconds of the epoch, or the moment itself */

/** @type {(value: Amount) => value is number} */
const isNumber = (value) => value !== null && value !== undefined && Number.isFinite(Number(value));

/**
 * A count: 10,000.
 *
 * @param {Amount} value
 */
export function wholeNumber(value) {
  return isNumber(value) ? whole.format(value) : UNKNOWN;
}

/**
 * A price with as many decimals as its tick needs.
 *
 * @param {Amount} value
 * @param {number} [tickSize]
 */
export function price(value, tickSize = 0.01) {
  return isNumber(value) ? formatOf(tickSize).format(value) : UNKNOWN;
}

/**
 * An average may lie between ticks: one decimal more than the tick when it does.
 *
 * @param {Amount} value
 * @param {number} tickSize
 */
export function averagePrice(value, tickSize) {
  if (!isNumber(value)) return UNKNOWN;
  const offTick = Math.abs(value / tickSize - Math.round(value / tickSize)) > 1e-6;
  return price(value, offTick ? tickSize / 10 : tickSize);
}

/**
 * A formatter is dear to make and used for every label of every chart: one is kept for each tick.
 *
 * @param {number} tickSize
 */
function formatOf(tickSize) {
  const known = priceFormats.get(tickSize);
  if (known) return known;
  const digits = Math.min(8, (String(Number(tickSize.toPrecision(6))).split(".")[1] ?? "").length);
  const format = new Intl.NumberFormat("en-US", { minimumFractionDigits: digits, maximumFractionDigits: digits });
  priceFormats.set(tickSize, format);
  return format;
}

/**
 * Money with its sign in front of the currency: +$62.50.
 *
 * @param {Amount} value
 */
export function signedUsd(value) {
  return isNumber(value) ? `${sign(value)}$${hundredths.format(Math.abs(value))}` : UNKNOWN;
}

/**
 * Money that is an amount and no change: $62.50, −$62.50.
 *
 * @param {Amount} value
 */
export function usd(value) {
  return isNumber(value) ? `${minus(value)}$${hundredths.format(Math.abs(value))}` : UNKNOWN;
}

/**
 * Points won or lost: +4.25.
 *
 * @param {Amount} value
 */
export function signedPoints(value) {
  return isNumber(value) ? `${sign(value)}${hundredths.format(Math.abs(value))}` : UNKNOWN;
}

/**
 * A distance in points with as many decimals as it has, two at most: 4.5.
 *
 * @param {Amount} value
 */
export function points(value) {
  return isNumber(value) ? `${minus(value)}${atMostHundredths.format(Math.abs(value))}` : UNKNOWN;
}

/**
 * A share: 12.50 %.
 *
 * @param {Amount} value
 * @param {number} [digits]
 */
export function percent(value, digits = 2) {
  return isNumber(value) ? `${minus(value, digits)}${Math.abs(value).toFixed(digits)} %` : UNKNOWN;
}

/**
 * A change of a share: +12.50 %.
 *
 * @param {Amount} value
 */
export function signedPercent(value) {
  return isNumber(value) ? `${sign(value)}${Math.abs(value).toFixed(2)} %` : UNKNOWN;
}

/**
 * Contracts held: +5 long, −5 short.
 *
 * @param {number} value
 */
export function signedQuantity(value) {
  return `${sign(value)}${Math.abs(value)}`;
}

/**
 * The sign of what is written: what rounds to nothing has none.
 *
 * @param {number} value
 */
function sign(value) {
  const written = shown(value);
  if (written > 0) return "+";
  return written < 0 ? MINUS : "";
}

/**
 * @param {number} value
 * @param {number} [digits]
 */
function minus(value, digits = 2) {
  return shown(value, digits) < 0 ? MINUS : "";
}

/**
 * @param {number} value
 * @param {number} [digits]
 */
function shown(value, digits = 2) {
  return Number(value.toFixed(digits));
}

/**
 * The class that colours money; as the sign, by what is written.
 *
 * @param {Amount} value
 */
export function moneyTone(value) {
  if (!isNumber(value) || shown(value) === 0) return "";
  return value > 0 ? "gain" : "loss";
}

/**
 * Seconds as 04:23, or 3:04:23 from an hour on.
 *
 * @param {number} duration
 */
export function countdown(duration) {
  const seconds = Math.max(0, Math.round(duration));
  const [hours, minutes, rest] = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60, seconds % 60];
  const clock = `${two(minutes)}:${two(rest)}`;
  return hours > 0 ? `${hours}:${clock}` : clock;
}

/**
 * Seconds as a short age: 4 s, 12 min, 3 h, 2 d.
 *
 * @param {Amount} seconds
 */
export function age(seconds) {
  if (!isNumber(seconds)) return UNKNOWN;
  if (seconds < 60) return `${seconds} s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min`;
  return seconds < 172800 ? `${Math.floor(seconds / 3600)} h` : `${Math.floor(seconds / 86400)} d`;
}

/**
 * An instant (RFC 3339 or epoch milliseconds) as the market's time of day.
 *
 * @param {Instant | null | undefined} instant
 */
export function clockTime(instant) {
  return instant !== null && instant !== undefined ? timeOfDay.format(new Date(instant)) : UNKNOWN;
}

/**
 * The same with its date once the instant is more than half a day old.
 *
 * @param {string} instant RFC 3339
 * @param {number} nowMs
 */
export function clockMoment(instant, nowMs) {
  const isRecent = nowMs - Date.parse(instant) < 12 * 3600 * 1000;
  return isRecent ? clockTime(instant) : `${shortDate.format(new Date(instant))} ${clockTime(instant).slice(0, 5)}`;
}

/**
 * The market's date of an instant, to compare.
 *
 * @param {Instant} instant
 */
export function marketDay(instant) {
  return shortDate.format(new Date(instant));
}

/**
 * The market's day of the week: Mon.
 *
 * @param {Instant} instant
 */
export function weekday(instant) {
  return dayOfWeek.format(new Date(instant));
}

/**
 * A trading day, 2026-01-12, as Mon, 12 Jan.
 *
 * @param {string | null | undefined} day
 */
export function tradingDay(day) {
  return day ? dayOfYear.format(new Date(`${day}T00:00:00Z`)) : UNKNOWN;
}

/** @param {number} number */
function two(number) {
  return String(number).padStart(2, "0");
}
