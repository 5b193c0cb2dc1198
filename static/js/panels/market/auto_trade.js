// @ts-check

/** What auto-trade does and what it was worth. Information: nothing here orders, and while it says nothing it is away. */

import * as autoTrade from "../../desk/auto_trade.js";
import * as clock from "../../desk/clock.js";
import * as words from "../../reading/auto_trade.js";
import { clockTime } from "../../reading/format.js";
import { reasonOf } from "../../reading/ranges.js";
import { byId, copyOf, follow, show, slots, write } from "../../ui/dom.js";

const root = byId("auto-trade");
const slot = slots(root);

/** Draw the panel; it asks by itself when an answer is due. */
export function draw() {
  autoTrade.follow(draw);
  const { status, at, trouble } = autoTrade.current();
  show(root, words.isTold(status));
  if (!words.isTold(status)) return;
  const { says, beside } = words.lastWords(status.last_decision, clock.now());
  write(slot.state, words.stateWords(status));
  write(slot.mode, words.modeWords(status));
  write(slot.today, words.todayWords(status));
  write(slot.last, says);
  write(slot["last-beside"], beside);
  write(slot.counted, words.countedWords(status.results));
  write(slot.old, trouble ? `As of ${clockTime(at)}: ${reasonOf(trouble)}.` : "");
  follow(slot.results, words.resultRows(status.results), {
    key: ({ name }) => name,
    make: () => copyOf("auto-trade-result"),
    fill: (row, result) => {
      const cell = slots(row);
      write(cell.name, result.name);
      write(cell.mean, result.mean);
      write(cell.beside, result.beside);
    },
  });
}
