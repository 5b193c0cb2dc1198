// @ts-check

import assert from "node:assert/strict";
import { test } from "node:test";
import { accountLines, startSentence, transfer } from "../../../static/js/reading/account.js";
import { desk, NOW } from "../documents.js";

const SUSPECT = {
  ...{ suspect: /** @type {const} */ ("jump"), suspect_balance: 47000, suspect_account: null },
  ...{ unexplained_usd: -3000, suspect_since: NOW },
};

/**
 * @param {Partial<Wire.AccountBelief>} belief
 * @param {Partial<Wire.GlobalState>} [more]
 */
function account(belief, more = {}) {
  return desk({ ...more, account_belief: { ...desk().account_belief, ...belief } });
}

/** @param {Wire.GlobalState} of */
function lines(of, now = Date.parse(NOW)) {
  return accountLines(of, now).map(({ tone, text }) => `${tone}: ${text}`);
}

test("an account whose balance is believed and new says nothing", () => {
  const agreed = { result_by_balance_usd: -6.25, result_by_broker_usd: -6.25, result_by_books_usd: -6.25 };
  assert.deepEqual(lines(account({ balance_ts: NOW, ...agreed })), []);
});

test("a balance that is not believed says how much, since when and what ends it", () => {
  assert.deepEqual(lines(account(SUSPECT)), [
    "doubt: The balance $47,000.00 is not believed since 10:00:00: −$3,000.00 of it are explained by no fill, no price and no figure of the broker. No entries until a later balance is explained, you confirm a transfer, or the trading day rolls.",
  ]);
  const other = { ...SUSPECT, suspect: /** @type {const} */ ("other_account"), suspect_account: "B", name: "A" };
  assert.match(lines(account(other))[0], /The balance \$47,000.00 of B is not believed .*: the day's account is A,/);
  for (const suspect of /** @type {const} */ (["loss_denied", "books_denied"])) {
    assert.match(lines(account({ ...SUSPECT, suspect }))[0], /the daily stop's limit/);
  }
});

test("a first reading at the limit says that a second one is awaited", () => {
  const awaited = { second_reading_awaited_ts: NOW, second_reading_loss_usd: 1050 };
  assert.match(lines(account(awaited))[0], /^doubt: A first reading at 10:00:00 shows a loss of \$1,050.00/);
});

test("a balance of a minute ago is an old one, which stops entries in LIVE", () => {
  const later = Date.parse(NOW) + 60_000;
  assert.deepEqual(lines(account({ balance_ts: NOW }), later - 1), []);
  assert.deepEqual(lines(account({ balance_ts: NOW }), later), ["note: The last believed balance is of 10:00:00."]);
  assert.match(lines(account({ balance_ts: NOW }, { env: "LIVE" }), later)[0], /No entries until a new one comes/);
});

test("ways that differ are told side by side", () => {
  const told = { balance_ts: NOW, result_by_balance_usd: -500, result_by_books_usd: -20 };
  assert.deepEqual(lines(account(told)), ["note: The day by balance −$500.00, by the desk's books −$20.00."]);
});

test("before the first balance the daily stop counts from what is assumed, or cannot fire", () => {
  assert.equal(startSentence(account({}, { daily_start_equity: 50000 })), "");
  assert.match(
    startSentence(account({ assumed_start_equity: 50000 })),
    /counts the desk's own books, from \$50,000.00/,
  );
  assert.match(startSentence(account({})), /cannot fire yet/);
});

test("a transfer needs a flat desk, an amount and a reason", () => {
  const said = { amount: -3000, reason: " a payout ", isHolding: false };
  assert.deepEqual(transfer(account(SUSPECT), said), {
    ...{ obstacle: "", label: "Hold: $3,000.00 were paid out", path: "/api/account/transfer" },
    command: { amount: -3000, reason: "a payout" },
  });
  assert.equal(transfer(account(SUSPECT), { ...said, amount: 250 }).label, "Hold: $250.00 were paid in");
  assert.match(transfer(account(SUSPECT), { ...said, isHolding: true }).obstacle, /only while flat/);
  assert.match(transfer(account(SUSPECT), { ...said, amount: NaN }).obstacle, /amount in USD/);
  assert.equal(transfer(account(SUSPECT), { ...said, reason: "" }).obstacle, "Write why first");
  const named = account({ ...SUSPECT, suspect_account: "B" });
  assert.equal(transfer(named, { ...said, amount: 0 }).label, "Hold: B is mine, nothing was transferred");
});
