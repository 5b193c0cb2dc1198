// @ts-check

/** Small hands for the page: they touch the document only when something is different. */

/**
 * The page's element of that id. Throws TypeError when it is missing or of another kind: that is a mistake of ours.
 *
 * @template {HTMLElement} [T=HTMLElement]
 * @param {string} id
 * @param {new () => T} kind
 */
export function byId(id, kind = /** @type {new () => T} */ (HTMLElement)) {
  return ofKind(document.getElementById(id), `#${id}`, kind);
}

/**
 * The first element within `root` that the selector names. Throws as `byId` does.
 *
 * @template {HTMLElement} [T=HTMLElement]
 * @param {ParentNode} root
 * @param {string} selector
 * @param {new () => T} kind
 */
export function one(root, selector, kind = /** @type {new () => T} */ (HTMLElement)) {
  return ofKind(root.querySelector(selector), selector, kind);
}

/**
 * All elements within `root` that the selector names. Throws as `byId` does when one is of another kind.
 *
 * @template {HTMLElement} [T=HTMLElement]
 * @param {ParentNode} root
 * @param {string} selector
 * @param {new () => T} kind
 */
export function all(root, selector, kind = /** @type {new () => T} */ (HTMLElement)) {
  return [...root.querySelectorAll(selector)].map((element) => ofKind(element, selector, kind));
}

/**
 * The element that the selector names and that an event was about or within; null when there is none.
 *
 * @param {Event} event
 * @param {string} selector
 * @returns {HTMLElement | null}
 */
export function around(event, selector) {
  return event.target instanceof Element ? event.target.closest(selector) : null;
}

/**
 * @template {HTMLElement} T
 * @param {Element | null} element
 * @param {string} name
 * @param {new () => T} kind
 * @returns {T}
 */
function ofKind(element, name, kind) {
  if (element instanceof kind) return element;
  throw new TypeError(`${name} is ${element === null ? "not there" : `no ${kind.name}`}`);
}

/**
 * The elements of a panel by their `data-slot` names; asking for one that is not there is a mistake of ours. What kind
 * of element each is the template says, so they are not checked.
 *
 * @param {ParentNode} root
 * @returns {Page.Slots}
 */
export function slots(root) {
  /** @type {Record<string, Element>} */
  const found = {};
  for (const element of root.querySelectorAll("[data-slot]")) {
    found[element.getAttribute("data-slot") ?? ""] = element;
  }
  return found;
}

/**
 * Write a text, when it is another one.
 *
 * @param {Element} element
 * @param {string} text
 */
export function write(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

/**
 * A running time within a sentence. Only the time is rewritten, hidden from readers that would repeat it.
 *
 * @param {HTMLElement} element
 * @param {string} before what stands before the time
 * @param {string} time
 * @param {string} after what stands behind it
 */
export function writeRunning(element, before, time, after) {
  const running = element.querySelector("[data-running]");
  const around = `${before}…${after}`;
  if (running && element.dataset.around === around) {
    write(running, time);
    return;
  }
  const span = document.createElement("span");
  span.dataset.running = "";
  span.setAttribute("aria-hidden", "true");
  span.textContent = time;
  element.replaceChildren(before, span, after);
  element.dataset.around = around;
}

/**
 * Show or hide an element.
 *
 * @param {HTMLElement} element
 * @param {boolean} isShown
 */
export function show(element, isShown) {
  if (element.hidden === isShown) element.hidden = !isShown;
}

/**
 * Set an attribute, or remove it when the value is null or false.
 *
 * @param {Element} element
 * @param {string} name
 * @param {string | number | boolean | null | undefined} value
 */
export function mark(element, name, value) {
  if (value === null || value === undefined || value === false) {
    if (element.hasAttribute(name)) element.removeAttribute(name);
    return;
  }
  const text = value === true ? "" : String(value);
  if (element.getAttribute(name) !== text) element.setAttribute(name, text);
}

/**
 * Say that something waits for an answer.
 *
 * @param {Element} element
 * @param {boolean} isBusy
 */
export function markBusy(element, isBusy) {
  mark(element, "aria-busy", isBusy ? "true" : null);
}

/**
 * Colour money by its sign: the class is all there is to it, the sign is in the text.
 *
 * @param {Element} element
 * @param {string} text
 * @param {string} tone "gain", "loss" or none
 */
export function writeMoney(element, text, tone) {
  write(element, text);
  element.classList.toggle("gain", tone === "gain");
  element.classList.toggle("loss", tone === "loss");
}

/**
 * A fresh copy of the first element inside `<template id=…>`.
 *
 * @param {string} templateId
 */
export function copyOf(templateId) {
  const first = ofKind(byId(templateId, HTMLTemplateElement).content.firstElementChild, templateId, HTMLElement);
  return /** @type {HTMLElement} */ (first.cloneNode(true));
}

/**
 * Let a list's children follow the items: same key, same element, in the items' order.
 * Rows that the server drew carry `data-key` too, so they are taken over instead of drawn again.
 *
 * @template T
 * @param {HTMLElement} list
 * @param {readonly T[]} items
 * @param {{key: (item: T) => string | number, make: (item: T) => HTMLElement, fill: (row: HTMLElement, item: T) => void}} rows
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
    if (element === place) place = element.nextElementSibling;
    else list.insertBefore(element, place);
  }
  for (const gone of known.values()) gone.remove();
}

/**
 * The list's children by key. A child without one, or with another's, belongs to nobody and goes.
 *
 * @param {HTMLElement} list
 */
function knownByKey(list) {
  /** @type {Map<string, HTMLElement>} */
  const known = new Map();
  for (const child of [...list.children]) {
    const name = child.getAttribute("data-key");
    if (name === null || !(child instanceof HTMLElement) || known.has(name)) child.remove();
    else known.set(name, child);
  }
  return known;
}

/**
 * Two items may look the same: the second of a name becomes `name #2`.
 *
 * @param {string} name
 * @param {Map<string, number>} uses
 */
function distinct(name, uses) {
  const use = (uses.get(name) ?? 0) + 1;
  uses.set(name, use);
  return use === 1 ? name : `${name} #${use}`;
}
