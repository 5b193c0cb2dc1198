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

/** A sentence with a running time in it. Only the time is rewritten, hidden from readers that would repeat it. */
export function writeRunning(element, sentence, time, pattern) {
  const running = element.querySelector("[data-running]");
  if (running && element.dataset.sentence === sentence) return write(running, time);
  const [before, after] = [sentence.split(pattern)[0], sentence.slice(sentence.search(pattern)).replace(pattern, "")];
  const span = document.createElement("span");
  span.dataset.running = "";
  span.setAttribute("aria-hidden", "true");
  span.textContent = time;
  element.replaceChildren(before, span, after);
  element.dataset.sentence = sentence;
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

/** Say that something waits for an answer. */
export function markBusy(element, isBusy) {
  mark(element, "aria-busy", isBusy ? "true" : null);
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
  const known = knownByKey(list);
  const uses = new Map();
  let place = list.firstElementChild;
  for (const item of items) {
    const name = distinct(String(key(item)), uses);
    const element = known.get(name) ?? make(item);
    known.delete(name);
    element.dataset.key = name;
    fill(element, item);
    if (element === place) place = place.nextElementSibling;
    else list.insertBefore(element, place);
  }
  for (const gone of known.values()) gone.remove();
}

/** The list's children by key. A child without one, or with another's, belongs to nobody and goes. */
function knownByKey(list) {
  const known = new Map();
  for (const child of [...list.children]) {
    const name = child.dataset.key;
    if (name === undefined || known.has(name)) child.remove();
    else known.set(name, child);
  }
  return known;
}

/** Two items may look the same: the second of a name becomes `name #2`. */
function distinct(name, uses) {
  const use = (uses.get(name) ?? 0) + 1;
  uses.set(name, use);
  return use === 1 ? name : `${name} #${use}`;
}
