// @ts-check

/** Tries against the rules, in the same words on the journal and on the dashboard: refusals by gate, overrides. */

import { element } from "../../charts/plot.js";
import { count, plain, say } from "../../reading/words.js";

const WIDTH = 100;
const HEIGHT = 12;

/**
 * Fill a table's body with the gates that refused, the busiest first.
 *
 * @param {HTMLElement} body
 * @param {Record<string, number>} blocked
 */
export function drawGates(body, blocked) {
  const all = Object.entries(blocked).sort(([, one], [, other]) => other - one);
  const most = Math.max(1, ...all.map(([, number]) => number));
  body.replaceChildren(...all.map(([gate, number]) => gateRow(gate, number, most)));
}

/**
 * How many were refused: "3 refusals"; nothing for none.
 *
 * @param {Record<string, number>} blocked
 */
export function refusals(blocked) {
  const all = Object.values(blocked).reduce((sum, number) => sum + number, 0);
  return all ? count(all, "refusal") : "";
}

/**
 * One override with its reason; `time` is what its clock shows.
 *
 * @param {Wire.OverrideRow} override
 * @param {string} time
 */
export function overrideLine({ direction, asset, gate, reason }, time) {
  const line = document.createElement("li");
  const fate = gate === null ? "taken" : `refused by ${plain(gate)}`;
  line.append(
    say("time", time),
    ` Override ${direction ?? ""} ${asset}, ${fate}: `,
    say("q", reason ?? "no reason given"),
  );
  return line;
}

/**
 * @param {string} gate
 * @param {number} number
 * @param {number} most
 */
function gateRow(gate, number, most) {
  const row = document.createElement("tr");
  const name = say("th", plain(gate));
  name.scope = "row";
  const bar = say("td", "", "bar");
  bar.append(refusalBar(number / most));
  row.append(name, bar, say("td", String(number), "number"));
  return row;
}

/**
 * A bar from the left: how often, in amber, as what is refused is.
 *
 * @param {number} part
 */
function refusalBar(part) {
  const svg = element("svg", { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, preserveAspectRatio: "none", "aria-hidden": "true" });
  svg.append(element("rect", { class: "bar-fill refused", x: 0, y: 1, width: part * WIDTH, height: HEIGHT - 2 }));
  return svg;
}
