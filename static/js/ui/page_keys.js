// @ts-check

/** The keys that every page has: to the other pages. */

import { one } from "./dom.js";

const PAGES = [
  ["D", "/", "Desk"],
  ["J", "/journal", "Journal"],
  ["Shift+P", "/portfolio", "Portfolio"],
  ["R", "/review", "Review of a day"],
  ["N", "/models", "Models"],
  ["O", "/log", "Log"],
  ["Shift+S", "/status", "Status"],
  ["U", "/setup", "Set-up"],
];

/** @type {Page.KeyGroup} */
export const PAGE_KEYS = {
  title: "Pages",
  entries: PAGES.map(([key, path, words]) => ({ keys: [key], words, act: () => goTo(path, words) })),
};

/**
 * @param {string} path
 * @param {string} words
 */
function goTo(path, words) {
  const link = one(document, `.pages a[href="${path}"]`);
  if (link.hasAttribute("aria-current")) return `${words}: you are here.`;
  link.click();
  return "";
}
