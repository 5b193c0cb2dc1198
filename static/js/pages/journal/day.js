// @ts-check

/** Tries against the rules by gate; of one chosen day the account's course and each override with its reason. */

import { element, keepDrawn, picture, rows, scale, ticks } from "../../charts/plot.js";
import * as tries from "../../panels/day/tries.js";
import { tradingDay, usd } from "../../reading/format.js";
import { axisUsd, newYork, say } from "../../reading/words.js";
import { byId } from "../../ui/dom.js";

const gates = byId("gates");
const none = byId("no-tries");
const note = byId("tries-note");
const root = byId("day");
const title = byId("day-title");
const readout = byId("day-readout");
const course = byId("day-course");
const overrides = byId("overrides");
const HEIGHT = 130;
const EDGE = { top: 10, right: 12, bottom: 20, left: 66 };

/** @param {Wire.StatisticsAnswer} statistics */
export function drawGates({ blocked_by_gate: blocked }) {
  const refused = tries.refusals(blocked);
  none.hidden = refused !== "";
  note.textContent = refused && `${refused}, of every asset and account`;
  tries.drawGates(gates, blocked);
}

/**
 * Show the chosen day, or nothing when there is none.
 *
 * @param {Wire.DayAnswer | null} day
 */
export function drawDay(day) {
  root.hidden = day === null;
  if (day === null) return;
  title.textContent = tradingDay(day.day);
  const samples = day.samples;
  course.hidden = samples.length < 2;
  readout.textContent = samples.length
    ? `Account from ${usd(samples[0].equity)} to ${usd(samples[samples.length - 1].equity)}`
    : "The account was not heard that day.";
  if (samples.length >= 2) keepDrawn(course, () => drawCourse(samples));
  const lines = day.overrides.map((one) => tries.overrideLine(one, newYork(one.at).slice(-5)));
  overrides.replaceChildren(...(lines.length ? lines : [say("li", "No override that day.", "waiting")]));
}

/**
 * An account's equity has a sign only when it is a debt.
 *
 * @param {number} value
 */
function balance(value) {
  return axisUsd(value).replace("+", "");
}

/** @param {Wire.SampleRow[]} samples */
function drawCourse(samples) {
  const values = samples.map(({ equity }) => equity);
  const [low, high] = [Math.min(...values), Math.max(...values)];
  const label = `Account equity over the day, between ${usd(low)} and ${usd(high)}`;
  const { svg, width } = picture(course, HEIGHT, label);
  const times = samples.map(({ at }) => Date.parse(at));
  const x = scale([times[0], times[times.length - 1]], [EDGE.left, width - EDGE.right]);
  const air = (high - low || 1) * 0.1;
  const y = scale([low - air, high + air], [HEIGHT - EDGE.bottom, EDGE.top]);
  rows(svg, ticks(low - air, high + air, 3), { y, left: EDGE.left, right: width - EDGE.right, words: balance });
  const d = values
    .map((value, place) => `${place ? "L" : "M"}${x(times[place]).toFixed(1)} ${y(value).toFixed(1)}`)
    .join("");
  svg.append(element("path", { class: "curve", d }));
  svg.append(element("text", { class: "tick", x: EDGE.left, y: HEIGHT - 4 }, newYork(samples[0].at).slice(-5)));
  svg.append(
    element(
      "text",
      { class: "tick", x: width - EDGE.right, y: HEIGHT - 4, "text-anchor": "end" },
      newYork(samples[samples.length - 1].at).slice(-5),
    ),
  );
}
