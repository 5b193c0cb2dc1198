// @ts-check

/** What a chart takes from its page: the library, the colours, what the operator chose last. */

import { read } from "../ui/kept.js";

const TOKENS = [
  "text",
  "text-soft",
  "text-faint",
  "line",
  "line-strong",
  "raised",
  "ground",
  "green",
  "red",
  "amber",
  "blue",
  "font",
];

/**
 * The library behind an address, null when there is none or it does not come.
 *
 * @param {string | undefined} address
 * @returns {Promise<Library.Module | null>}
 */
export async function libraryOf(address) {
  if (!address) return null;
  try {
    return await import(address);
  } catch (failure) {
    console.warn(`the charts' library did not come: ${failure instanceof Error ? failure.message : failure}`);
    return null;
  }
}

/**
 * The page's colours and its font as they are now: another scheme has others.
 *
 * @returns {Page.Colors}
 */
export function pageColors() {
  const style = getComputedStyle(document.documentElement);
  return Object.fromEntries(TOKENS.map((name) => [name, style.getPropertyValue(`--${name}`).trim()]));
}

/**
 * What was kept under a name, null when it is none of what is allowed.
 *
 * @param {string} name
 * @param {string[]} allowed
 */
export function chosenOf(name, allowed) {
  const value = read(name);
  return value !== null && allowed.includes(value) ? value : null;
}
