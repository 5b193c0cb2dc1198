/** Small hands for the page: they touch the document only when something is different. */

/** The elements of a panel by their `data-slot` names; asking for one that is not there is a mistake of ours. */
export function slots(root) {
  const found = {};
  for (const element of root.querySelectorAll("[data-slot]")) found[element.dataset.slot] = element;
  return found;
}

export function write(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

export function show(element, isShown) {
  if (element.hidden === isShown) element.hidden = !isShown;
}

/** Set an attribute, or remove it when the value is null or false. */
export function mark(element, name, value) {
  if (value === null || value === undefined || value === false) {
    if (element.hasAttribute(name)) element.removeAttribute(name);
    return;
  }
  const text = value === true ? "" : String(value);
  if (element.getAttribute(name) !== text) element.setAttribute(name, text);
}

/** Colour money by its sign: the class is all there is to it, the sign is in the text. */
export function writeMoney(element, text, tone) {
  write(element, text);
  element.classList.toggle("gain", tone === "gain");
  element.classList.toggle("loss", tone === "loss");
}

/** A fresh copy of the first element inside `<template id=…>`. */
export function copyOf(templateId) {
  return document.getElementById(templateId).content.firstElementChild.cloneNode(true);
}

/**
 * Let a list's children follow the items: same key, same element, in the items' order.
 * Rows that the server drew carry `data-key` too, so they are taken over instead of drawn again.
 */
export function follow(list, items, { key, make, fill }) {
  const known = new Map();
  for (const child of [...list.children]) {
    if (child.dataset.key === undefined) continue;
    known.set(child.dataset.key, child);
  }
  let place = list.firstElementChild;
  for (const item of items) {
    const name = String(key(item));
    const element = known.get(name) ?? make(item);
    known.delete(name);
    element.dataset.key = name;
    fill(element, item);
    if (element === place) place = place.nextElementSibling;
    else list.insertBefore(element, place);
  }
  for (const gone of known.values()) gone.remove();
}
