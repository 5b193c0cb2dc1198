// @ts-check

/** What this browser remembers. It may refuse storage: then a choice lasts as long as the page. */

/** @type {Map<string, string>} */
const here = new Map();

/**
 * The text kept under a name, or null. It is asked anew each time: another page may have changed it.
 *
 * @param {string} name
 */
export function read(name) {
  try {
    return window.localStorage.getItem(name);
  } catch {
    return here.get(name) ?? null;
  }
}

/**
 * @param {string} name
 * @param {string} text
 */
export function keep(name, text) {
  here.set(name, text);
  try {
    window.localStorage.setItem(name, text);
  } catch (refusal) {
    console.info(`${name} is not remembered: ${refusal}`);
  }
}
