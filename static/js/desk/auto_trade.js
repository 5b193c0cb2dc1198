// @ts-check

/** How auto-trade is: asked once a minute while somebody sees the page. The last answer is kept when one fails. */

import { get } from "./api.js";
import * as clock from "./clock.js";
import { answerTo } from "./forecasts.js";

const ANSWERS_WITHIN_MS = 4_000;
const AGAIN_MS = 60_000;

/** @type {{status: Wire.AutoStatus | null, at: number, trouble: Page.Trouble | null}} `at`: when `status` was heard */
let held = { status: null, at: 0, trouble: null };
let isAsking = false;
let dueAt = 0; // by the desk's clock

export function current() {
  return held;
}

/**
 * Ask when it is due. The page calls it whenever it draws.
 *
 * @param {() => void} whenChanged
 */
export async function follow(whenChanged) {
  if (isAsking || document.visibilityState === "hidden" || clock.now() < dueAt) return;
  isAsking = true;
  const { answer, trouble } = await answerTo(() => get("/api/auto-trade/status", ANSWERS_WITHIN_MS));
  held = answer === null ? { ...held, trouble } : { status: answer, at: clock.now(), trouble: null };
  isAsking = false;
  dueAt = clock.now() + AGAIN_MS;
  whenChanged();
}
