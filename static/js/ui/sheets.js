// @ts-check

/** Sheets over the page. The browser keeps the focus inside, closes with Escape and gives the focus back. */

import { around, byId } from "./dom.js";

const SHEET = "dialog.sheet";

/** Let every button with `data-opens="id"` open its sheet, and a click on its close button or beside it close it. */
export function start() {
  document.addEventListener("click", (event) => {
    const opener = around(event, "[data-opens]");
    if (opener) open(byId(opener.dataset.opens ?? "", HTMLDialogElement));
    const sheet = around(event, SHEET);
    if (!(sheet instanceof HTMLDialogElement)) return;
    if (around(event, "[data-closes]") || isBeside(event, sheet)) sheet.close();
  });
}

/**
 * Open a sheet, unless it is open.
 *
 * @param {HTMLDialogElement} sheet
 */
export function open(sheet) {
  if (!sheet.open) sheet.showModal();
}

export function isAnyOpen() {
  return document.querySelector("dialog[open]") !== null;
}

/**
 * What is behind a sheet belongs to it, and so does its own rim.
 *
 * @param {MouseEvent} event
 * @param {HTMLDialogElement} sheet
 */
function isBeside({ target, clientX, clientY }, sheet) {
  if (target !== sheet) return false;
  const { left, right, top, bottom } = sheet.getBoundingClientRect();
  return clientX < left || clientX > right || clientY < top || clientY > bottom;
}
