/** The keys that every page has: to the other pages. */

const PAGES = [
  ["D", "/", "Desk"],
  ["J", "/journal", "Journal"],
  ["O", "/log", "Log"],
  ["U", "/setup", "Set-up"],
];

export const PAGE_KEYS = {
  title: "Pages",
  entries: PAGES.map(([key, path, words]) => ({ keys: [key], words, act: () => goTo(path, words) })),
};

function goTo(path, words) {
  const link = document.querySelector(`.pages a[href="${path}"]`);
  if (link.hasAttribute("aria-current")) return `${words}: you are here.`;
  link.click();
  return "";
}
