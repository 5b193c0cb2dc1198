// @ts-check

/** What the desk answered to an exit, in words; the same wherever an exit is asked for. */

export const NO_EXIT_ANSWER =
  "No answer from the desk: whether the exits exist is unknown. Press again; a second exit is never made.";

/**
 * Whether the desk refused an exit by the initial exit lock.
 *
 * @param {string | null | undefined} code
 */
export function isLockRefusal(code) {
  return code === "exit_locked";
}

/**
 * The refusal by the initial exit lock, and how to force the exit.
 *
 * @param {string} symbol
 */
export function lockSentence(symbol) {
  return `INITIAL EXIT LOCK ACTIVE — ${symbol} is locked until the next 6pt brick. Hold the button for 1.5 s to force the exit.`;
}

/**
 * The answer to "exit all": what is queued, what waits, what was left and why.
 *
 * @param {Wire.ExitAllAnswer | Wire.Problem} body
 */
export function allAnswer(body) {
  if (body.ok === false) return body.error;
  const { orders, cancelled, latched, skipped } = body;
  const parts = [];
  if (orders?.length) parts.push(`Exits queued: ${assetsOf(orders)}.`);
  if (cancelled?.length) parts.push(`Unclaimed orders cancelled: ${assetsOf(cancelled)}.`);
  if (latched?.length) parts.push(`Latched behind an open order: ${latched.join(", ")}.`);
  for (const { asset, reason, code } of skipped ?? []) {
    parts.push(isLockRefusal(code) ? lockSentence(asset) : `${asset}: ${reason}.`);
  }
  return parts.join(" ") || "Every asset is flat: nothing to exit.";
}

/** @param {{asset: string}[]} orders */
function assetsOf(orders) {
  return orders.map(({ asset }) => asset).join(", ");
}
