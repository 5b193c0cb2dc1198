/** The few names of a browser that modules ask for as they load. None of them does anything. */

globalThis.window = Object.assign(new EventTarget(), { location: { pathname: "/" } });
globalThis.ResizeObserver = class {
  observe() {}
};

/** What a panel writes a line into. */
export function place() {
  return { textContent: "", hidden: false };
}
