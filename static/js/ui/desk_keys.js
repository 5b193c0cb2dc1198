// @ts-check

/** The desk's keys. What orders is only focused; what chooses is chosen at once and said. */

import { all, byId, one } from "./dom.js";
import { PAGE_KEYS } from "./page_keys.js";

const ASSETS_WITH_A_KEY = ["1", "2", "3", "4", "5", "6", "7", "8", "9"];
const CHARTS_ARE_OFF = "The charts are off: L shows them.";
const CANDLES_ARE_OFF = "The candles are not shown: L turns to them.";

/** @type {Page.KeyGroup[]} */
export const DESK_KEYS = [
  {
    title: "Ways in: focus, then Enter",
    entries: [
      { keys: ["B"], words: "Buy button", act: () => focusEntry("BUY") },
      { keys: ["S"], words: "Sell button", act: () => focusEntry("SELL") },
      { keys: ["V"], words: "Override the zone", act: focusOverride },
      { keys: ["A"], words: "Add: scale in", act: () => focusFirst("#scale-in button", "Flat: nothing to add to.") },
      {
        keys: ["K"],
        words: "Cancel what waits for a brick",
        act: () => focusFirst("#waiting [data-slot=waiting-cancel]", "Nothing waits."),
      },
      {
        keys: ["Z"],
        words: "Take the proposal",
        act: () => focusFirst("#proposal [data-slot=take]", "Nothing is proposed here."),
      },
      {
        keys: ["W"],
        words: "Why not: say what refuses an entry",
        act: () => wordsOf(byId("entry-why")),
      },
      { keys: ["Y"], words: "Why? The rules explain it", act: () => press("#ladder [data-slot=why-button]") },
    ],
  },
  {
    title: "Ways out: focus, then Enter (hold to force)",
    entries: [
      { keys: ["X"], words: "Exit the asset in view", act: () => focusFirst("[data-exit=one]:not(.bar-exit)") },
      { keys: ["Shift+X"], words: "Exit all", act: () => focusFirst("[data-exit=all]") },
      {
        keys: ["T"],
        words: "What takes me out: first switch",
        act: () => focusFirst("#ways-out [role=switch]", "Flat: nothing takes you out."),
      },
    ],
  },
  {
    title: "Choose",
    entries: [
      { keys: ["M"], words: "Market", act: () => choose(radio("order_type", "market")) },
      { keys: ["P"], words: "Pre-order", act: () => choose(radio("order_type", "preorder")) },
      { keys: ["I"], words: "Intent", act: () => choose(radio("order_type", "intent")) },
      { keys: ["C"], words: "SCALP or RUNNER", act: () => turn("trade_mode") },
      { keys: ["Q"], words: "Size 6pt or 9pt", act: () => turn("entry_size_mode") },
      { keys: ASSETS_WITH_A_KEY, words: "Asset by its place", act: turnToAsset },
    ],
  },
  {
    title: "Charts",
    entries: [
      {
        keys: ["G"],
        words: "Big chart, then arrows, + and −",
        act: () => focusFirst(".chart[data-chosen] .chart-canvas", CHARTS_ARE_OFF),
      },
      { keys: [","], words: "Smaller brick size", act: () => turn("chart-size", -1) },
      { keys: ["."], words: "Larger brick size", act: () => turn("chart-size") },
      { keys: ["L"], words: "Next layout", act: () => turn("chart-layout") },
      { keys: ["H"], words: "Candles: history", act: () => focusFirst(".candles .chart-canvas", CANDLES_ARE_OFF) },
      { keys: ["F"], words: "Longer timeframe", act: () => turn("chart-timeframe", 1, CANDLES_ARE_OFF) },
      { keys: ["Shift+F"], words: "Shorter timeframe", act: () => turn("chart-timeframe", -1, CANDLES_ARE_OFF) },
    ],
  },
  {
    title: "Ask",
    entries: [
      {
        keys: ["E"],
        words: "Ask in words (Esc leaves the field)",
        act: () => focusFirst("#chat textarea", "There is no room to ask."),
      },
    ],
  },
  PAGE_KEYS,
];

/** @param {HTMLElement} element */
const isSeen = (element) => element.getClientRects().length > 0;
/**
 * @param {string} name
 * @param {string} value
 */
const radio = (name, value) => one(document, `input[name="${name}"][value="${value}"]`, HTMLInputElement);
/** @param {HTMLInputElement} choice */
const labelOf = (choice) => /** @type {HTMLLabelElement} */ (choice.closest("label"));
/** @param {HTMLElement} element */
const wordsOf = (element) => element.textContent.replace(/\s+/g, " ").trim();

/**
 * Focus the first one that is on the screen: a phone has other exits than a desktop.
 *
 * @param {string} selector
 * @param {string} [otherwise] what to say when there is none
 */
function focusFirst(selector, otherwise = "") {
  const found = all(document, selector).find(isSeen);
  if (!found) return otherwise;
  found.focus();
  return "";
}

/**
 * Press a button that orders nothing.
 *
 * @param {string} selector
 */
function press(selector) {
  one(document, selector).click();
  return "";
}

/**
 * The zone may offer one side only, and an intent has none.
 *
 * @param {string} side
 */
function focusEntry(side) {
  const zone = wordsOf(one(document, "#stack [data-slot=zone]"));
  return focusFirst(
    `#entry .entry-button[data-side=${side}], #entry .entry-intent`,
    `${side} is not offered: zone ${zone}.`,
  );
}

function focusOverride() {
  const override = one(document, "#entry .override", HTMLDetailsElement);
  if (!isSeen(override)) return "There is nothing to override.";
  override.open = true;
  return focusFirst("#entry [name=override_side]");
}

/**
 * Choose the next one of those on the screen, round and round.
 *
 * @param {string} name
 * @param {number} [step]
 * @param {string} [otherwise] what to say when none is on the screen
 */
function turn(name, step = 1, otherwise = CHARTS_ARE_OFF) {
  const choices = all(document, `input[name="${name}"]`, HTMLInputElement).filter((choice) => isSeen(labelOf(choice)));
  if (choices.length === 0) return otherwise;
  const at = choices.findIndex((choice) => choice.checked);
  return choose(choices[(at + step + choices.length) % choices.length]);
}

/** @param {HTMLInputElement} choice */
function choose(choice) {
  const group = /** @type {HTMLFieldSetElement} */ (choice.closest("fieldset"));
  choice.click();
  labelOf(choice).scrollIntoView({ block: "nearest" });
  const title = group.getAttribute("aria-label") ?? wordsOf(one(group, "legend"));
  return `${title}: ${wordsOf(labelOf(choice))}`;
}

/** @param {string} key */
function turnToAsset(key) {
  const tab = all(document, "#assets [role=tab]")[Number(key) - 1];
  if (!tab) return `There is no asset ${key}.`;
  tab.click();
  return `Asset: ${wordsOf(tab)}`;
}
