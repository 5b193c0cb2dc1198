"""The faults of a world: one table, each row a named way in which a message or a party lies.

A message's fault takes the deliveries of one message and returns those that happen instead: none (dropped), two
(doubled), later ones, changed ones, or ones whose answer never reaches the sender. A party's fault is an incident that
the world plays (``world.py``); its row has no ``change``.
"""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from random import Random
from typing import Any, Literal

from tests.lying.broker import TRADED

Channel = Literal["report", "fill", "snapshot", "heartbeat", "claim", "price", "brick", "party"]
SPELLINGS = ("MESZ2026", "CME:MESZ6", "MES 12-26", "mesz6", "MESZ26")
OTHER_ACCOUNT, OTHER_BALANCE = "SIM-2", 3_000


@dataclass(frozen=True)
class Delivery:
    """One arrival of a message at the desk, ``delay`` seconds after it was sent."""

    body: dict[str, Any]
    delay: float = 0.0
    is_answered: bool = True


Deliveries = list[Delivery]
Change = Callable[[Delivery, Random], Deliveries]


@dataclass(frozen=True)
class Fault:
    """A row of the table."""

    name: str
    channel: Channel
    what: str
    change: Change | None = None


def faulty(deliveries: Deliveries, fault: Fault, rng: Random) -> Deliveries:
    """Return the deliveries after the fault has happened to each of them."""
    change = fault.change
    return deliveries if change is None else [new for delivery in deliveries for new in change(delivery, rng)]


# -- what can happen to any message ------------------------------------------------------------------------------------


def _dropped(delivery: Delivery, rng: Random) -> Deliveries:
    return []


def _doubled(delivery: Delivery, rng: Random) -> Deliveries:
    return [delivery, replace(delivery, delay=delivery.delay + rng.uniform(0, 8), is_answered=False)]


def _delayed(delivery: Delivery, rng: Random) -> Deliveries:
    return [replace(delivery, delay=delivery.delay + rng.uniform(3, 25))]


def _reordered(delivery: Delivery, rng: Random) -> Deliveries:
    return [replace(delivery, delay=delivery.delay + rng.uniform(0, 4))]


def _unanswered(delivery: Delivery, rng: Random) -> Deliveries:
    return [replace(delivery, is_answered=False)]


def _changed(change: Callable[[dict[str, Any], Random], None]) -> Change:
    """Return a fault that changes a copy of the body."""

    def apply(delivery: Delivery, rng: Random) -> Deliveries:
        body = copy.deepcopy(delivery.body)
        change(body, rng)
        return [replace(delivery, body=body)]

    return apply


# -- reports -----------------------------------------------------------------------------------------------------------


def _extra(**values: Any) -> Change:
    return _changed(lambda body, rng: body.get("extra", {}).update(values) if "fill_price" in body["extra"] else None)


def _ten_times(body: dict[str, Any], rng: Random) -> None:
    extra = body["extra"]
    if "fill_price" in extra:
        extra["fill_price"] *= 10


def _misspell_status(body: dict[str, Any], rng: Random) -> None:
    word = body["status"]
    body["status"] = rng.choice([word.lower(), word.title(), "CANCELED" if word == "CANCELLED" else word.lower()])


def _misspell_report(body: dict[str, Any], rng: Random) -> None:
    body["extra"]["symbol"] = rng.choice(SPELLINGS)


def _without_cum(body: dict[str, Any], rng: Random) -> None:
    body["extra"].pop("cum_qty", None)


def _same_exec_id(body: dict[str, Any], rng: Random) -> None:
    if "exec_id" in body["extra"]:
        body["extra"]["exec_id"] = "the same"


def _without_price(body: dict[str, Any], rng: Random) -> None:
    body["extra"].pop("fill_price", None)


# -- snapshots ---------------------------------------------------------------------------------------------------------


def _without_symbols(body: dict[str, Any], rng: Random) -> None:
    body.pop("symbols", None)


def _empty_symbols(body: dict[str, Any], rng: Random) -> None:
    body["symbols"] = []


def _omit_a_row(body: dict[str, Any], rng: Random) -> None:
    if body.get("symbols"):
        body["symbols"].pop(rng.randrange(len(body["symbols"])))


def _misspell_rows(body: dict[str, Any], rng: Random) -> None:
    for row in body.get("symbols") or ():
        if row["symbol"] == TRADED:
            row["symbol"] = rng.choice(SPELLINGS)


def _split_rows(body: dict[str, Any], rng: Random) -> None:
    """Say one contract in two rows, one of them empty, as a platform with two strategies does."""
    rows = body.get("symbols") or []
    for row in list(rows):
        rows.insert(rng.randint(0, len(rows)), {**row, "symbol": rng.choice(SPELLINGS), "position": 0, "openPnl": 0})


def _balance_of(value: float | None) -> Change:
    return _changed(lambda body, rng: body.update(accountBalance=value))


def _absurd_balance(body: dict[str, Any], rng: Random) -> None:
    balance = body["accountBalance"] or 0
    body["accountBalance"] = rng.choice([1.0, balance * 10, balance / 10, -20_000])


def _of_other_account(body: dict[str, Any], rng: Random) -> None:
    """Replace the message by that of another account on the same secret, which holds nothing or something."""
    if "account" in body:
        body["account"] = OTHER_ACCOUNT
    held = [{"symbol": TRADED, "position": 4, "avgPrice": 5250.0}] if rng.random() < 0.3 else []
    body.update(realized=0, unrealized=0, accountBalance=OTHER_BALANCE, symbols=held)


def _from_other_account(body: dict[str, Any], rng: Random) -> None:
    """Replace the heartbeat by that of another account, whose bridge has no link to the broker."""
    body.update(account=OTHER_ACCOUNT, tsConnected=rng.random() < 0.5)


def _of_other_env(body: dict[str, Any], rng: Random) -> None:
    """Say the environment that is not traded. A bridge that tells none cannot do so."""
    if "env" in body:
        body.update(env="LIVE" if body["env"] == "DEMO" else "DEMO", symbols=[])


# -- heartbeats, prices, bricks ----------------------------------------------------------------------------------------


def _disconnected(body: dict[str, Any], rng: Random) -> None:
    body["tsConnected"] = False


def _price_of(factor: float) -> Change:
    return _changed(lambda body, rng: body.update(price=body["price"] * factor))


def _other_month(body: dict[str, Any], rng: Random) -> None:
    body.update(symbol="ESH2027", price=body["price"] + 55)


def _hours_old(body: dict[str, Any], rng: Random) -> None:
    then = datetime.fromisoformat(body["timestamp"]) - timedelta(hours=5)
    body["timestamp"] = then.isoformat()


def _no_id(body: dict[str, Any], rng: Random) -> None:
    body["bar_id"] = rng.choice(["{{time}}", "NaN", "null", "…"])


def _unreadable_close(body: dict[str, Any], rng: Random) -> None:
    body["close"] = "NaN"


FAULTS: tuple[Fault, ...] = (
    Fault("report_dropped", "report", "a report never arrives", _dropped),
    Fault("report_unanswered", "report", "a report arrives, its answer does not", _unanswered),
    Fault("report_doubled", "report", "a report arrives twice", _doubled),
    Fault("report_delayed", "report", "a report arrives 3 to 25 s late", _delayed),
    Fault("report_reordered", "report", "reports overtake each other", _reordered),
    Fault(
        "report_symbol_misspelled",
        "report",
        "its contract in another spelling",
        _changed(_misspell_report),
    ),
    Fault("report_wrong_symbol", "report", "the report names another contract", _extra(symbol="MNQZ6")),
    Fault("report_status_misspelled", "report", "`filled`, `Canceled`", _changed(_misspell_status)),
    Fault("report_without_cum_qty", "report", "`cum_qty` is missing", _changed(_without_cum)),
    Fault("report_same_exec_id", "report", "every fill has the same `exec_id`", _changed(_same_exec_id)),
    Fault("report_without_price", "report", "`fill_price` is missing", _changed(_without_price)),
    Fault("report_price_zero", "report", "`fill_price` is 0", _extra(fill_price=0)),
    Fault("report_price_times_ten", "report", "`fill_price` is ten times the price", _changed(_ten_times)),
    Fault("fill_dropped", "fill", "the stop's fill, or one by hand, is not told in time", _dropped),
    Fault("fill_unanswered", "fill", "such a fill arrives, its answer does not", _unanswered),
    Fault("fill_doubled", "fill", "such a fill arrives twice", _doubled),
    Fault("fill_delayed", "fill", "such a fill arrives 3 to 25 s late", _delayed),
    Fault("snapshot_dropped", "snapshot", "a snapshot never arrives", _dropped),
    Fault("snapshot_doubled", "snapshot", "a snapshot arrives again, up to 8 s later", _doubled),
    Fault("snapshot_delayed", "snapshot", "a snapshot arrives 3 to 25 s late", _delayed),
    Fault("snapshot_without_symbols", "snapshot", "no `symbols` at all", _changed(_without_symbols)),
    Fault("snapshot_empty_symbols", "snapshot", "`symbols` is an empty list", _changed(_empty_symbols)),
    Fault("snapshot_row_omitted", "snapshot", "one row is left out", _changed(_omit_a_row)),
    Fault("snapshot_symbol_misspelled", "snapshot", "its contract in another spelling", _changed(_misspell_rows)),
    Fault("snapshot_rows_split", "snapshot", "two rows of one contract, one of them 0", _changed(_split_rows)),
    Fault("snapshot_balance_zero", "snapshot", "`accountBalance` is 0", _balance_of(0)),
    Fault("snapshot_balance_missing", "snapshot", "`accountBalance` is null", _balance_of(None)),
    Fault("snapshot_balance_absurd", "snapshot", "1, ten times, a tenth, below 0", _changed(_absurd_balance)),
    Fault("snapshot_other_account", "snapshot", "that of another account", _changed(_of_other_account)),
    Fault("snapshot_other_env", "snapshot", "the snapshot says the other environment", _changed(_of_other_env)),
    Fault("heartbeat_dropped", "heartbeat", "the bridge's heartbeat never arrives", _dropped),
    Fault("heartbeat_delayed", "heartbeat", "the bridge's heartbeat arrives late", _delayed),
    Fault("heartbeat_disconnected", "heartbeat", "the bridge says it has lost the broker", _changed(_disconnected)),
    Fault("heartbeat_other_account", "heartbeat", "that of another account's bridge", _changed(_from_other_account)),
    Fault("claim_lost", "claim", "the question for orders never arrives", _dropped),
    Fault("claim_answer_lost", "claim", "the desk hands orders out, the bridge never hears it", _unanswered),
    Fault("price_dropped", "price", "TradingView's heartbeat never arrives", _dropped),
    Fault("price_delayed", "price", "TradingView's heartbeat arrives late", _delayed),
    Fault("price_zero", "price", "a price of 0", _price_of(0)),
    Fault("price_times_ten", "price", "ten times the price", _price_of(10)),
    Fault("price_other_month", "price", "the price of another month", _changed(_other_month)),
    Fault("price_hours_old", "price", "a heartbeat five hours old", _changed(_hours_old)),
    Fault("brick_dropped", "brick", "a brick never arrives", _dropped),
    Fault("brick_doubled", "brick", "a brick arrives twice", _doubled),
    Fault("brick_delayed", "brick", "a brick arrives late", _delayed),
    Fault("brick_without_id", "brick", "`bar_id` is a text that is no id", _changed(_no_id)),
    Fault("brick_unreadable_close", "brick", "`close` cannot be read", _changed(_unreadable_close)),
    Fault("bridge_lost", "party", "the bridge dies and comes back with its ledger"),
    Fault("bridge_lost_empty", "party", "the bridge dies and comes back with an empty ledger"),
    Fault("second_bridge", "party", "a second bridge asks beside the first"),
    Fault("broker_link_lost", "party", "the bridge loses the broker: `tsConnected` false, empty list"),
    Fault("desk_restarted", "party", "the desk's program stops and starts again"),
    Fault("traded_by_hand", "party", "somebody trades the contract on the broker's platform"),
    Fault("foreign_position", "party", "the broker holds another month, and a symbol nobody knows"),
    Fault("market_falls", "party", "the market falls through stops, and the loss is real"),
)
FAULT = {fault.name: fault for fault in FAULTS}
