/** What the desk answered to an exit, in words; the same wherever an exit is asked for. */

export const NO_EXIT_ANSWER =
  "No answer from the desk: whether the exits exist is unknown. Press again; a second exit is never made.";

export function isLockRefusal(sentence) {
  return sentence.startsWith("INITIAL_EXIT_LOCK_ACTIVE");
}

export function lockSentence(symbol) {
  return `INITIAL EXIT LOCK ACTIVE — ${symbol} is locked until the next 6pt brick. Hold the button for 1.5 s to force the exit.`;
}

/** The answer to "exit all": what is queued, what waits, what was left and why. */
export function allAnswer(body) {
  if (!body.ok) return body.error;
  const parts = [];
  if (body.orders?.length) parts.push(`Exits queued: ${body.orders.map((order) => order.asset).join(", ")}.`);
  if (body.cancelled?.length)
    parts.push(`Unclaimed orders cancelled: ${body.cancelled.map((order) => order.asset).join(", ")}.`);
  if (body.latched?.length) parts.push(`Latched behind an open order: ${body.latched.join(", ")}.`);
  for (const { asset, reason } of body.skipped ?? [])
    parts.push(isLockRefusal(reason) ? lockSentence(asset) : `${asset}: ${reason}.`);
  return parts.join(" ") || "Every asset is flat: nothing to exit.";
}
