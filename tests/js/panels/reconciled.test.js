import assert from "node:assert/strict";
import { test } from "node:test";

import { draw } from "../../../static/js/panels/trade/reconciled.js";
import { place } from "../browser.js";
import { alert, asset, NOW, trade } from "../documents.js";

const FOLLOWED = "RECONCILED ES: the desk held 5 MESH1, the broker 3: followed the broker";
const holding = asset({ position: 3, trade: trade({ quantity: 3 }) });

function said(held, ...alerts) {
  const line = place();
  draw(line, held, alerts);
  return line.hidden ? "" : line.textContent;
}

const reconciled = (more) => alert({ code: "reconcile", sentence: FOLLOWED, ...more });

test("a quantity that no order explains is explained by the broker's", () => {
  assert.equal(said(holding, reconciled({})), "The broker held 3, the desk 5: followed the broker 10:00:00");
});

test("short positions have a true minus", () => {
  const sentence = "RECONCILED ES: the desk held -5 MESH1, the broker -3: followed the broker";
  assert.equal(
    said(holding, reconciled({ sentence })),
    "The broker held −3, the desk −5: followed the broker 10:00:00",
  );
});

test("it concerns this trade of this asset only", () => {
  assert.equal(said(holding, reconciled({ asset: "NQ" })), "");
  assert.equal(said(holding, reconciled({ at: "2031-01-06T14:58:59Z" })), "", "of the trade before");
  assert.equal(said(asset(), reconciled({ at: NOW })), "", "of a trade that is over");
  assert.equal(said(holding, reconciled({ sentence: "MISMATCH ES: no price is known" })), "", "nothing was followed");
});
