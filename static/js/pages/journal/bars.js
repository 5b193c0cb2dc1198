// @ts-check

/** Groups of trades as tables with a bar to the left or right of zero; the number beside it has the sign. */

import { element } from "../../charts/plot.js";
import { percent, signedUsd } from "../../reading/format.js";
import { plain, say, tint } from "../../reading/words.js";
import { all, byId } from "../../ui/dom.js";

const tables = all(document, "[data-bars]");
const gates = byId("gate-state", HTMLDetailsElement);
const narrow = window.matchMedia("(width < 48rem)");
const WIDTH = 100;
const HEIGHT = 12;

gates.open = !narrow.matches; // a phone shows the trades first
narrow.addEventListener("change", () => (gates.open = !narrow.matches));

/** @param {Wire.StatisticsAnswer} statistics */
export function draw({ groups }) {
  for (const body of tables) {
    const by = body.dataset.bars ?? "";
    const own = groups[by];
    const most = Math.max(1, ...own.map((group) => Math.abs(group.usd)));
    body.replaceChildren(...own.map((group) => row(by, group, most)));
    /** @type {HTMLTableElement} */ (body.closest("table")).hidden = own.length === 0;
    const [none] = all(document, `[data-none=${by}]`);
    if (none) none.hidden = own.length > 0;
  }
}

/**
 * @param {string} by
 * @param {Wire.GroupRow} group
 * @param {number} most
 */
function row(by, group, most) {
  const line = document.createElement("tr");
  const name = say("th", nameOf(by, group.name));
  name.scope = "row";
  const bar = say("td", "", "bar");
  bar.append(barOf(group.usd / most, group.usd >= 0 ? "gain" : "loss"));
  line.append(
    name,
    say("td", String(group.trades), "number"),
    say("td", percent((group.win_rate ?? 0) * 100, 0), "number"),
  );
  line.append(bar, tint(say("td", "", "number"), signedUsd(group.usd), group.usd));
  return line;
}

/**
 * @param {string} by
 * @param {string} name
 */
function nameOf(by, name) {
  if (by === "hour") return `${name}:00`;
  if (by === "discipline") return name;
  return by.startsWith("zone") && name === name.toUpperCase()
    ? name
    : plain(name).replace(/^./, (letter) => letter.toUpperCase());
}

/**
 * A bar from the middle: `part` of half the width, negative to the left.
 *
 * @param {number} part
 * @param {string} tone
 */
function barOf(part, tone) {
  const svg = element("svg", { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, preserveAspectRatio: "none", "aria-hidden": "true" });
  const length = Math.abs(part) * (WIDTH / 2 - 1);
  svg.append(
    element("rect", {
      class: `bar-fill ${tone}`,
      x: part < 0 ? WIDTH / 2 - length : WIDTH / 2,
      y: 1,
      width: length,
      height: HEIGHT - 2,
    }),
  );
  svg.append(element("line", { class: "zero", x1: WIDTH / 2, x2: WIDTH / 2, y1: 0, y2: HEIGHT }));
  return svg;
}
