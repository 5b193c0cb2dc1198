/** The desk's clock in a test: it stands still until the story moves it. */

import { mock } from "node:test";

import * as clock from "../../static/js/desk/clock.js";

let counter = 1_000_000; // the page's own steady counter, in ms
mock.method(performance, "now", () => counter);

/** It is this time at the desk; a message has just said so. */
export function itIs(time) {
  counter += 60_000; // what was heard before counts no more
  clock.hear(time);
}

/** Time goes by, and nothing is heard. */
export function wait(seconds) {
  counter += seconds * 1000;
}
