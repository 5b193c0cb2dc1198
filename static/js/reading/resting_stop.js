// @ts-check

/** What is known of the stop at the broker: what the bridge has told, never what was only planned (SPEC 6.7). */

import { averagePrice } from "./format.js";

const DUE_AFTER_SECONDS = 5; // the desk's own patience: the bridge rests a stop as soon as the entry fills
const ADOPTED_DUE_AFTER_SECONDS = 10; // this one it was only asked to rest

/**
 * `rests`: the bridge has told it. `asked`: not yet, or no longer sure. `untold`: this bridge does not tell its stops.
 * `missing`: it should rest by now and does not, or not for all that is held.
 *
 * @typedef {"rests" | "asked" | "untold" | "missing"} Standing
 * @typedef {{standing: Standing, price: number, words: string}} StopWords
 */

/**
 * @param {Wire.AssetState} asset
 * @param {Wire.TradeState} trade
 * @param {number} heldSeconds since the trade was opened
 * @param {boolean} isBridgeSilent
 * @returns {StopWords}
 */
export function stopWords(asset, trade, heldSeconds, isBridgeSilent) {
  const { stop_resting: isResting, resting_stop: resting, tick_size: tick } = asset;
  const planned = averagePrice(trade.stop_price, tick);
  if (resting) return wordsOfResting(resting, trade.quantity, averagePrice(resting.price, tick), isBridgeSilent);
  const isDue = heldSeconds >= (trade.zone === "ADOPTED" ? ADOPTED_DUE_AFTER_SECONDS : DUE_AFTER_SECONDS);
  if (isResting === null && trade.zone !== "ADOPTED")
    return said("untold", trade, `planned at ${planned}; this bridge does not say whether it rests`);
  return isDue
    ? said("missing", trade, `NO STOP IS KNOWN TO REST, planned at ${planned}`)
    : said("asked", trade, `asked for at ${planned}, not yet told to rest`);
}

/**
 * @param {Wire.RestingStopState} resting
 * @param {number} held contracts
 * @param {string} at
 * @param {boolean} isBridgeSilent
 * @returns {StopWords}
 */
function wordsOfResting({ qty, price }, held, at, isBridgeSilent) {
  if (isBridgeSilent)
    return { standing: "asked", price, words: `${qty} rested at ${at} when the bridge was last heard` };
  if (qty < held) return { standing: "missing", price, words: `ONLY ${qty} OF ${held} REST at ${at}` };
  return { standing: "rests", price, words: `${qty} rest at ${at}` };
}

/**
 * @param {Standing} standing
 * @param {Wire.TradeState} trade
 * @param {string} words
 * @returns {StopWords}
 */
function said(standing, { stop_price: price }, words) {
  return { standing, price, words };
}
