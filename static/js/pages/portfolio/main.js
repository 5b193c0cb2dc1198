// @ts-check

/** The portfolio: asked for every ten seconds while somebody sees it, and its past once a minute. */

import { get } from "../../desk/api.js";
import { answerTo } from "../../desk/forecasts.js";
import { headline, leftOut, tiles } from "../../reading/portfolio.js";
import { reasonOf } from "../../reading/ranges.js";
import { newYorkToTheSecond, say, tint } from "../../reading/words.js";
import { byId, write } from "../../ui/dom.js";
import * as equity from "./equity.js";
import * as exposure from "./exposure.js";
import * as noting from "./noting.js";
import * as positions from "./positions.js";

const AGAIN_MS = 10_000;
const COURSE_AGAIN_MS = 60_000;
const COURSE_WITHIN_MS = 30_000; // a year takes web seconds
const HISTORY = "/api/portfolio/history";
const answer = byId("portfolio-answer");
const title = byId("headline");
const note = byId("headline-note");
const figures = byId("tiles");
let question = 0;
let courseDueAt = 0;
let readingCourse = new AbortController();

function start() {
  noting.start(readNow);
  positions.start(readNow);
  equity.start(readAnotherCourse);
  document.addEventListener("visibilitychange", () => document.visibilityState === "visible" && readNow());
  readNow();
  setInterval(() => document.visibilityState === "visible" && readNow(), AGAIN_MS);
}

async function readNow() {
  const own = ++question;
  if (performance.now() >= courseDueAt) readCourse();
  const { answer: told, trouble } = await answerTo(() => get("/api/portfolio"));
  if (own !== question) return;
  write(answer, trouble ? `Not read: ${reasonOf(trouble)}. What you see may be old.` : "");
  if (told) draw(told);
}

/** @param {Wire.PortfolioAnswer} told */
function draw(told) {
  write(title, headline(told.totals));
  write(note, [leftOut(told), `As of ${newYorkToTheSecond(told.as_of)}, New York.`].filter(Boolean).join(" "));
  figures.replaceChildren(...tiles(told).map(tile));
  positions.draw(told.positions);
  exposure.draw(told.totals);
}

/** @param {{title: string, value: string, note: string, money: number | null}} told */
function tile({ title: name, value, note: words, money }) {
  const box = document.createElement("div");
  box.append(say("dt", name), tint(say("dd", "", "tile-value"), value, money), say("dd", words, "tile-note"));
  return box;
}

/** Another span was chosen: what is drawn is not of it. */
function readAnotherCourse() {
  equity.forget();
  readCourse();
}

async function readCourse() {
  readingCourse.abort();
  const own = new AbortController();
  readingCourse = own;
  courseDueAt = performance.now() + COURSE_AGAIN_MS;
  const asked = `${HISTORY}?${equity.query(Date.now())}`;
  const { answer: told, trouble } = await answerTo(() => get(asked, COURSE_WITHIN_MS, own.signal));
  if (own !== readingCourse) return;
  if (told) equity.draw(told);
  else if (trouble) courseWasNotRead(trouble);
}

/** @param {Page.Trouble} trouble */
function courseWasNotRead(trouble) {
  equity.drawNothing(`Not read: ${reasonOf(trouble)}.`);
  if (trouble.code !== "too_busy" || !trouble.againS) return;
  const failed = readingCourse;
  courseDueAt = performance.now() + trouble.againS * 1000; // if nobody sees the page then, whoever sees it next reads it
  setTimeout(() => {
    if (failed === readingCourse && document.visibilityState === "visible") readCourse();
  }, trouble.againS * 1000);
}

start();
