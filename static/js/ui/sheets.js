/** Sheets over the page. The browser keeps the focus inside, closes with Escape and gives the focus back. */

const SHEET = "dialog.sheet";

/** Let every button with `data-opens="id"` open its sheet, and a click on its close button or beside it close it. */
export function start() {
  document.addEventListener("click", (event) => {
    const opener = event.target.closest("[data-opens]");
    if (opener) open(document.getElementById(opener.dataset.opens));
    if (event.target.closest("[data-closes]") || isBeside(event)) event.target.closest(SHEET).close();
  });
}

export function open(sheet) {
  if (!sheet.open) sheet.showModal();
}

export function isAnyOpen() {
  return document.querySelector("dialog[open]") !== null;
}

/** What is behind a sheet belongs to it, and so does its own rim. */
function isBeside({ target, clientX, clientY }) {
  if (!target.matches(SHEET)) return false;
  const { left, right, top, bottom } = target.getBoundingClientRect();
  return clientX < left || clientX > right || clientY < top || clientY > bottom;
}
