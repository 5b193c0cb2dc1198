// @ts-check

/** Exposure by correlated group, by market and by account. Bars only repeat the numbers beside them. */

import { element } from "../../charts/plot.js";
import { signedUsd, usd } from "../../reading/format.js";
import { accountWords, GROUPS } from "../../reading/portfolio.js";
import { say, tint } from "../../reading/words.js";
import { byId } from "../../ui/dom.js";

/** @typedef {import("../../reading/portfolio.js").Sums} Sums */

const groups = byId("group-rows");
const assets = byId("asset-rows");
const accounts = byId("account-rows");
const WIDTH = 100;
const HEIGHT = 12;

/** @param {Wire.PortfolioTotals} totals */
export function draw(totals) {
  const named = totals.groups.map((group) => ({
    name: `${GROUPS[group.group]}: ${group.symbols.join(", ")}`,
    ...group,
  }));
  drawExposed(groups, named);
  drawExposed(
    assets,
    totals.assets.map((asset) => ({ name: asset.symbol, ...asset })),
  );
  accounts.replaceChildren(...totals.accounts.map(accountRow));
}

/**
 * @param {HTMLElement} body
 * @param {readonly (Sums & {name: string})[]} exposed
 */
function drawExposed(body, exposed) {
  const most = Math.max(1, ...exposed.map(({ net_usd: net }) => Math.abs(net ?? 0)));
  body.replaceChildren(...exposed.map((sums) => exposedRow(sums, most)));
  if (exposed.length === 0) body.append(nothing());
}

function nothing() {
  const row = document.createElement("tr");
  const cell = say("td", "Nothing is held.", "waiting");
  cell.colSpan = 5;
  row.append(cell);
  return row;
}

/**
 * @param {Sums & {name: string}} sums
 * @param {number} most
 */
function exposedRow(sums, most) {
  const row = document.createElement("tr");
  const name = say("th", sums.name);
  name.scope = "row";
  const bar = say("td", "", "bar");
  if (sums.net_usd !== null) bar.append(barOf(sums.net_usd / most));
  row.append(name, bar, say("td", signedUsd(sums.net_usd), "number"));
  row.append(tint(say("td", "", "number"), signedUsd(sums.open_pnl_usd), sums.open_pnl_usd));
  row.append(say("td", usd(sums.risk_usd), "number"));
  return row;
}

/**
 * A bar from the middle: long to the right, short to the left.
 *
 * @param {number} part
 */
function barOf(part) {
  const svg = element("svg", { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, preserveAspectRatio: "none", "aria-hidden": "true" });
  const length = Math.abs(part) * (WIDTH / 2 - 1);
  const x = part < 0 ? WIDTH / 2 - length : WIDTH / 2;
  svg.append(element("rect", { class: "exposure-fill", x, y: 1, width: length, height: HEIGHT - 2 }));
  svg.append(element("line", { class: "zero", x1: WIDTH / 2, x2: WIDTH / 2, y1: 0, y2: HEIGHT }));
  return svg;
}

/** @param {Wire.AccountSums} account */
function accountRow(account) {
  const row = document.createElement("tr");
  const name = say("th", accountWords(account));
  name.scope = "row";
  row.append(name, say("td", String(account.positions), "number"), say("td", usd(account.equity_usd), "number"));
  for (const amount of [account.open_pnl_usd, account.realized_today_usd])
    row.append(tint(say("td", "", "number"), signedUsd(amount), amount));
  row.append(say("td", usd(account.risk_usd), "number"));
  return row;
}
