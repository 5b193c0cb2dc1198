// @ts-check

/** What a closed trade has made, net of its commission, in words. */

import { signedUsd, UNKNOWN, usd } from "./format.js";

/**
 * Net USD; of an older trade, and where nobody told a commission, gross.
 *
 * @param {Pick<Wire.TradeRow, "pnl_usd" | "pnl_net_usd">} trade
 */
export function resultOf({ pnl_usd, pnl_net_usd }) {
  return pnl_net_usd ?? pnl_usd;
}

/**
 * Gross, commission and net, and whether the commission is known.
 *
 * @param {Pick<Wire.TradeRow, "pnl_usd" | "pnl_net_usd" | "commission_usd" | "commission_known">} trade
 */
export function resultWords({ pnl_usd, pnl_net_usd, commission_usd, commission_known }) {
  const gross = `gross ${signedUsd(pnl_usd)}`;
  if (pnl_net_usd === null || commission_usd === null) return `${gross}, commission ${UNKNOWN}`;
  const known = commission_known ? usd(commission_usd) : `not all known, ${usd(commission_usd)} counted`;
  return `${gross}, commission ${known}`;
}
