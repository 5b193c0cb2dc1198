// @ts-check

/**
 * One page of the browser speaks for all of them: the one that was used last, else the one that was there first.
 * Plain http knows no locks: there every page speaks.
 */

const NAME = "lockstep.signals";

let holds = !navigator.locks;
/** @type {AbortController | null} */
let line = null; // standing in it can be given up
/** @type {symbol | null} */
let latest = null; // of the page's requests: what an older one ends with is no news

/** Whether this page is the one that speaks. */
export function isOurs() {
  return holds;
}

export function start() {
  if (!navigator.locks) return;
  standInLine();
  for (const use of ["pointerdown", "keydown"]) document.addEventListener(use, goAhead, { capture: true });
}

function standInLine() {
  line = new AbortController();
  hold({ signal: line.signal });
}

function goAhead() {
  if (holds || line === null) return;
  line.abort();
  line = null;
  hold({ steal: true });
}

/**
 * Keep the lock until the page goes or another one takes it; then wait for that one to go.
 *
 * @param {LockOptions} options
 */
async function hold(options) {
  const own = Symbol("request");
  latest = own;
  try {
    await navigator.locks.request(NAME, options, () => {
      holds = true;
      return new Promise(() => {});
    });
  } catch (ended) {
    if (!(ended instanceof DOMException && ended.name === "AbortError")) throw ended;
    if (own !== latest) return; // gave up its place to go ahead
    holds = false;
    standInLine();
  }
}
