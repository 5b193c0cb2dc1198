// @ts-check

/** What the broker's positions made of the open trade: a quantity that no order of the desk explains is explained here. */

import { clockTime } from "../../reading/format.js";
import { show, write } from "../../ui/dom.js";

const FOLLOWED = /the desk held (-?\d+) .*, the broker (-?\d+): followed the broker/;

/** Draw the line; it stays as long as the trade that it is about. */
export function draw(line, asset, alerts) {
  const words = asset.trade
    ? alerts
        .filter((alert) => isAbout(alert, asset))
        .map(sentence)
        .join(" · ")
    : "";
  show(line, words !== "");
  write(line, words);
}

/** One in which no price was known followed nothing: the mismatch tells of that. */
function isAbout({ code, asset: symbol, at, sentence: told }, { symbol: own, trade }) {
  return code === "reconcile" && symbol === own && FOLLOWED.test(told) && Date.parse(at) >= Date.parse(trade.opened_at);
}

function sentence({ at, sentence: told }) {
  const [desk, broker] = FOLLOWED.exec(told)
    .slice(1)
    .map((held) => held.replace("-", "−"));
  return `The broker held ${broker}, the desk ${desk}: followed the broker ${clockTime(at)}`;
}
