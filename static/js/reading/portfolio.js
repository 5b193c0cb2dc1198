// @ts-check

/** What the portfolio says in words. What nobody knows is a dash with its reason, never a zero. */

import { price, signedUsd, UNKNOWN, usd, wholeNumber } from "./format.js";
import { count } from "./words.js";

/** @type {Record<Wire.PortfolioPosition["source"], string>} */
const SOURCES = { desk: "the desk", broker: "the broker alone", manual: "noted", mt4: "MT4" };

/** @type {Record<Wire.GroupSums["group"], string>} */
export const GROUPS = {
  us_index: "US indices",
  crude: "Crude oil",
  gold: "Gold",
  usd_pairs: "Dollar pairs",
  crypto: "Crypto",
  other: "Others",
};

/** @type {Record<NonNullable<Wire.PortfolioPosition["price_code"]>, string>} */
const NO_VALUE = {
  no_price: "no price was heard",
  no_open_pnl: "the open result is not known",
  not_on_desk: "the desk has no price of it",
  other_contract: "the desk's price is another contract's",
  simulated: "the desk's price is simulated",
  unknown_size: "the size of a lot is not known",
  other_currency: "not an account in dollars",
};

/** @type {Record<NonNullable<Wire.PortfolioPosition["risk_code"]>, string>} */
const NO_RISK = {
  no_stop: "no stop rests",
  stop_not_told: "no stop is told",
  stop_partial: "a stop rests for a part only",
  unknown_size: "the size of a lot is not known",
  no_average: "no mean price is told",
  other_currency: "not an account in dollars",
};

/** @param {{account: string | null, env: string | null}} told */
export function accountWords({ account, env }) {
  return [account ?? "account not named", env].filter(Boolean).join(" · ");
}

/** @param {Wire.PortfolioPosition} position */
export function sourceWords({ source, uncounted, simulated, broker_position: broker }) {
  if (simulated) return `${SOURCES[source]}, in a simulated market`;
  if (uncounted) return `${SOURCES[source]}, not counted: the bridge reports it too`;
  return broker === null ? SOURCES[source] : `${SOURCES[source]}; the broker reports ${broker}`;
}

/** @param {Wire.PortfolioPosition} position */
export function sizeWords({ side, qty, contract, symbol }) {
  return `${side} ${wholeOrParts(qty)} ${contract ?? symbol}`;
}

/** @param {number} value */
export function wholeOrParts(value) {
  return Number.isInteger(value) ? wholeNumber(value) : String(value);
}

/** @param {number | null} value */
export function priceWords(value) {
  if (value === null) return UNKNOWN;
  const digits = (String(value).split(".")[1] ?? "").length;
  return price(value, 10 ** -Math.max(2, Math.min(digits, 5)));
}

/** @param {Wire.PortfolioPosition} position */
export function noValueWords({ price_code: code }) {
  return code === null ? "" : NO_VALUE[code];
}

/** @param {Wire.PortfolioPosition} position */
export function noRiskWords({ risk_code: code }) {
  return code === null ? "" : NO_RISK[code];
}

/** @param {Wire.PortfolioTotals} totals */
export function headline({ positions, open_pnl_usd: open, realized_today_usd: realized }) {
  const held = positions === 0 ? "Nothing is held" : count(positions, "position");
  const openly = positions === 0 ? "" : `, ${open === null ? "open result not known" : `${signedUsd(open)} open`}`;
  return `${held}${openly}, ${signedUsd(realized)} closed today`;
}

/**
 * What no sum of the page holds; empty when nothing is left out.
 *
 * @param {Wire.PortfolioAnswer} told
 */
export function leftOut({ totals, missing_because: missing }) {
  const lines = missing.map(({ source, reason }) => `${source.toUpperCase()} is not in it: ${reason}.`);
  if (totals.unpriced)
    lines.push(`${count(totals.unpriced, "position")} without a known value: sums with it are a dash.`);
  if (totals.unknown_risk) lines.push(`${count(totals.unknown_risk, "position")} without a known risk.`);
  return lines.join(" ");
}

/** @typedef {Omit<Wire.AssetSums, "symbol" | "group">} Sums what every part of the portfolio sums up */

/**
 * The sums of everything. Beside a sum that is not known stands what of it is.
 *
 * @param {Wire.PortfolioAnswer} told
 */
export function tiles({ totals, positions }) {
  const counted = positions.filter(({ uncounted }) => uncounted === null);
  const known = (/** @type {"value_usd" | "open_pnl_usd" | "risk_usd"} */ name, say = usd) =>
    partly(
      counted.map((one) => one[name]),
      say,
    );
  const signed = counted.map((one) => (one.value_usd === null || one.side === "long" ? one.value_usd : -one.value_usd));
  return [
    { title: "Value, long and short", value: usd(totals.value_usd), note: known("value_usd"), money: null },
    { title: "Long less short", value: signedUsd(totals.net_usd), note: partly(signed, signedUsd), money: null },
    {
      title: "Open",
      value: signedUsd(totals.open_pnl_usd),
      note: known("open_pnl_usd", signedUsd),
      money: totals.open_pnl_usd,
    },
    { title: "At risk, to the resting stops", value: usd(totals.risk_usd), note: known("risk_usd"), money: null },
  ];
}

/**
 * What is known of amounts of which some are not; empty when all are, or none.
 *
 * @param {(number | null)[]} amounts
 * @param {(value: number) => string} say
 */
function partly(amounts, say) {
  const known = amounts.filter((amount) => amount !== null);
  if (known.length === amounts.length || known.length === 0) return "";
  return `${say(known.reduce((sum, amount) => sum + amount, 0))} of the ${known.length} known`;
}

/**
 * The accounts of which a course is known: those of two points and more first, then by their newest one.
 *
 * @param {readonly Wire.EquityPoint[]} points
 */
export function courses(points) {
  /** @type {Map<string, Wire.EquityPoint[]>} */
  const found = new Map();
  for (const point of points) {
    const name = accountWords(point);
    const known = found.get(name);
    if (known) known.push(point);
    else found.set(name, [point]);
  }
  const newest = (/** @type {Wire.EquityPoint[]} */ course) => course[course.length - 1].at;
  const isCourse = (/** @type {Wire.EquityPoint[]} */ course) => Number(course.length > 1);
  return [...found].sort(
    ([, one], [, other]) => isCourse(other) - isCourse(one) || newest(other).localeCompare(newest(one)),
  );
}
