// @ts-check

/** Statements of the advisor as a list: the sentence, what it counts, its facts to unfold. All of it is text. */

import { statementPairs, toolWords, weightWords } from "../../reading/statements.js";
import { copyOf, follow, show, slots, write } from "../../ui/dom.js";

/**
 * @param {HTMLElement} list
 * @param {readonly Wire.Statement[]} statements
 * @param {number} now epoch milliseconds
 */
export function draw(list, statements, now) {
  follow(list, statements, {
    key: ({ code, text }) => `${code} ${text}`,
    make: () => copyOf("statement"),
    fill: (row, statement) => fill(row, statement, now),
  });
}

/**
 * @param {HTMLElement} row
 * @param {Wire.Statement} statement
 * @param {number} now
 */
function fill(row, statement, now) {
  const cell = slots(row);
  const pairs = statementPairs(statement, now);
  write(cell.text, statement.text);
  const weight = weightWords(statement);
  const hasFacts = pairs.length > 0;
  write(cell.weight, hasFacts ? "" : weight);
  write(cell.tool, [weight, `facts of ${toolWords(statement.tool)}`].filter(Boolean).join(" · "));
  show(cell.unfold, hasFacts);
  drawFacts(cell.facts, pairs);
}

/**
 * @param {HTMLElement} list
 * @param {[string, string][]} pairs
 */
export function drawFacts(list, pairs) {
  follow(list, pairs, {
    key: ([name]) => name,
    make: () => copyOf("fact"),
    fill: (row, [name, value]) => {
      write(slots(row).name, name);
      write(slots(row).value, value);
    },
  });
}
