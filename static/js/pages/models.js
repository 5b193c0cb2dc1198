// @ts-check

/** The page of models: one card each, with what it was measured against. The address names one: /models#id. */

import { get } from "../desk/api.js";
import { answerTo } from "../desk/forecasts.js";
import * as words from "../reading/model_cards.js";
import { reasonOf, share } from "../reading/ranges.js";
import { count } from "../reading/words.js";
import { byId, copyOf, follow, mark, show, slots, write } from "../ui/dom.js";

const ANSWERS_WITHIN_MS = 6_000;
const SVG = "http://www.w3.org/2000/svg";
const BAR_WIDTH = 200;
const NONE = "No model yet. Until ten sessions of a market are stored, nothing is forecast of it.";
const root = byId("models");
const slot = slots(root);

function start() {
  slot.again.addEventListener("click", read);
  window.addEventListener("hashchange", () => showNamed());
  return read();
}

async function read() {
  write(slot.said, "Asking the advisor …");
  const { answer, trouble } = await answerTo(() => get("/api/ml/models", ANSWERS_WITHIN_MS));
  const cards = /** @type {Wire.ModelsAnswer | null} */ (answer)?.models ?? [];
  write(
    slot.said,
    trouble ? `No models: ${reasonOf(trouble)}.` : cards.length > 0 ? count(cards.length, "card") : NONE,
  );
  follow(slot.cards, words.inOrder(cards), { key: ({ id }) => id, make: () => copyOf("model-card"), fill });
  showNamed();
}

/** The card that the address names comes into view. */
function showNamed() {
  const named = decodeURIComponent(window.location.hash.slice(1));
  for (const card of slot.cards.children) mark(card, "data-named", card.id === named);
  const card = document.getElementById(named);
  if (!named || !card || !slot.cards.contains(card)) return;
  card.scrollIntoView({ block: "start" });
  card.focus();
}

/**
 * @param {HTMLElement} card
 * @param {Wire.ModelCard} model
 */
function fill(card, model) {
  const cell = slots(card);
  card.id = model.id;
  mark(card, "aria-label", words.titleWords(model));
  write(cell.title, words.titleWords(model));
  write(cell.serving, words.servingWords(model));
  mark(cell.serving, "data-serving", model.serving === true);
  write(cell.verdict, `${words.verdictWords(model)}.`);
  write(cell.why, words.whyWords(model));
  cell.link.setAttribute("href", `#${encodeURIComponent(model.id)}`);
  write(cell.link, model.id);
  drawPairs(cell.losses, words.lossPairs(model));
  drawPairs(cell.data, words.dataPairs(model));
  drawSkills(cell.skills, model.skills);
  show(cell["no-skill"], model.skills.length === 0);
  drawCoverage(cell, model);
  drawReliability(cell, model.reliability);
}

/**
 * @param {HTMLElement} list
 * @param {[string, string][]} pairs
 */
function drawPairs(list, pairs) {
  follow(list, pairs, {
    key: ([name]) => name,
    make: () => copyOf("model-pair"),
    fill: (row, [name, value]) => {
      write(slots(row).name, name);
      write(slots(row).value, value);
    },
  });
}

/**
 * @param {HTMLElement} list
 * @param {readonly Wire.Skill[]} skills
 */
function drawSkills(list, skills) {
  const reach = words.reachOf(skills);
  follow(list, skills, {
    key: ({ against }) => against,
    make: () => copyOf("model-skill"),
    fill: (row, skill) => {
      write(slots(row).words, words.skillWords(skill));
      slots(row).bar.replaceChildren(...marksOf(words.skillPlaces(skill, reach)));
    },
  });
}

/**
 * The interval as a line, the skill as a stroke across it, and where nothing is gained.
 *
 * @param {{value: number, low: number, high: number}} places
 */
function marksOf({ value, low, high }) {
  const line = (/** @type {string} */ name, /** @type {number[]} */ [x1, x2, y1, y2]) => {
    const drawn = document.createElementNS(SVG, "line");
    for (const [key, at] of Object.entries({ x1, x2, y1, y2 })) drawn.setAttribute(key, String(at));
    drawn.setAttribute("class", name);
    return drawn;
  };
  const at = (/** @type {number} */ share) => share * BAR_WIDTH;
  return [
    line("skill-zero", [at(0.5), at(0.5), 0, 16]),
    line("skill-interval", [at(low), at(high), 8, 8]),
    line("skill-value", [at(value), at(value), 3, 13]),
  ];
}

/**
 * @param {Page.Slots} cell
 * @param {Wire.ModelCard} model
 */
function drawCoverage(cell, model) {
  const rows = words.coverageRows(model);
  show(cell["coverage-part"], rows.length > 0);
  follow(cell.coverage, rows, {
    key: ({ quantile }) => quantile,
    make: () => copyOf("model-coverage"),
    fill: (row, { quantile, high, low }) => {
      write(slots(row).quantile, quantile);
      write(slots(row).high, high);
      write(slots(row).low, low);
    },
  });
}

/**
 * @param {Page.Slots} cell
 * @param {readonly Wire.Reliability[]} bins
 */
function drawReliability(cell, bins) {
  show(cell["reliability-part"], bins.length > 0);
  follow(cell.reliability, bins, {
    key: ({ forecast }) => forecast,
    make: () => copyOf("model-bin"),
    fill: (row, { forecast, happened, n }) => {
      write(slots(row).forecast, share(forecast));
      write(slots(row).happened, share(happened));
      write(slots(row).n, String(n));
    },
  });
}

start();
