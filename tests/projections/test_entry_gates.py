"""How the gates stood at an entry is kept beside its commit, and trades are grouped by it."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec
import pytest
from msgspec.structs import replace

from services.journal.statistics import figures_of, groups_of
from services.journal.trades import Selection, page_of, trade_with_note
from services.projections.entry_gates import GATES_AT_ENTRY, GatesAtEntry, read_gates
from services.stores.records import Record
from services.stores.store import StoreUnreadable
from tests.journal.test_statistics import CLOSE, a_trade
from tests.support.narrow import known
from tests.support.stored_trader import StoredTrader
from tests.support.trader import Trader
from wire.types import Color, Side

ROLL = "18:00"
WEDNESDAY = "2026-11-18"
CALM = GatesAtEntry(1, None, None, Decimal(70), Decimal(5), "6pt brick", "neutral", "click")


def gates_of(trader: Trader) -> GatesAtEntry:
    """Return how the gates stood at the last accepted entry."""
    return read_gates(trader.records_of(GATES_AT_ENTRY)[-1])


def test_the_first_entry_of_a_day_knows_no_exit_and_no_equity() -> None:
    trader = Trader(at="09:31:10").with_structure("green")
    trader.later(seconds=2.5).enters("BUY")
    assert gates_of(trader) == GatesAtEntry(
        trade_of_day=1,
        daily_stop_used_pct=None,
        since_cooldown_s=None,
        candle_second=Decimal("72.5"),
        tempo_age_s=Decimal("2.5"),
        tempo_armed_by="6pt brick",
        two_half="neutral",
        entered_by="click",
    )


def test_it_is_kept_under_the_trades_own_id_when_the_entry_is_accepted() -> None:
    trader = Trader().with_structure("green").enters("BUY")
    [kept] = trader.records_of(GATES_AT_ENTRY)
    assert (kept.id, kept.at) == (trader.open_order.id, trader.now)
    trader.filled_at(5250).bricks(6, "green").exits().filled_at(5252)
    assert trader.trades[0].id == kept.id


def test_a_refused_entry_leaves_nothing() -> None:
    trader = Trader().enters("BUY")
    assert trader.refused_by == "tempo"
    assert trader.records_of(GATES_AT_ENTRY) == []


def test_the_second_trade_counts_from_the_end_of_the_cooldown() -> None:
    trader = Trader(at="09:31:10").trades_once()
    trader.at("09:35:00").bricks(6, "green").enters("BUY")
    gates = gates_of(trader)
    assert (gates.trade_of_day, gates.since_cooldown_s, gates.candle_second) == (2, Decimal(50), Decimal(0))


def test_the_instant_at_which_the_cooldown_ends_is_zero_seconds() -> None:
    trader = Trader(at="09:34:50").trades_once().bricks(6, "green")
    trader.at("09:37:49").enters("BUY")
    assert trader.refused_by == "cooldown"
    trader.at("09:37:50").enters("BUY")
    assert gates_of(trader).since_cooldown_s == 0


def test_yesterdays_exit_is_no_exit_of_today() -> None:
    trader = Trader(at="09:31:10").trades_once()
    trader.at("09:31:10", on=WEDNESDAY).bricks(6, "green").enters("BUY")
    assert trader.refused_by is None
    assert (gates_of(trader).trade_of_day, gates_of(trader).since_cooldown_s) == (1, None)


def test_an_exit_before_the_roll_is_no_exit_of_today_though_its_cooldown_ended_behind_it() -> None:
    trader = Trader(at="17:50:00").is_long(5250).at("17:58:30").bricks(6, "green").exits().filled_at(5252)
    trader.at("18:03:00").bricks(6, "green").enters("BUY")
    assert (gates_of(trader).trade_of_day, gates_of(trader).since_cooldown_s) == (1, None)


@pytest.mark.parametrize(("closed_at", "since"), [("17:59:59", None), ("18:00:00", 300)])
def test_the_trading_day_of_the_exit_decides_at_the_roll(closed_at: str, since: int | None) -> None:
    trader = Trader(at="17:50:00").is_long(5250).bricks(6, "green").at(closed_at).exits().filled_at(5252)
    trader.at("18:07:59" if since is None else "18:08:00").bricks(6, "green").enters("BUY")
    assert gates_of(trader).since_cooldown_s == since


@pytest.mark.parametrize(("cooldown", "since"), [(600, 2820), (3600, None)])
def test_a_longer_cooldown_since_the_exit_reckons_it_back_too_far(cooldown: int, since: int | None) -> None:
    """The desk forgot when the exit was; close to the roll it may seem to be of the day before."""
    trader = Trader(at="17:50:00").is_long(5250).bricks(6, "green").at("18:10:00").exits().filled_at(5252)
    trader.limits(cooldown_seconds=cooldown).at("19:00:00").bricks(6, "green").enters("BUY")
    assert gates_of(trader).since_cooldown_s == since


def test_a_slot_taken_by_hand_counts() -> None:
    trader = Trader().with_structure("green").consumes_trade().enters("BUY")
    assert gates_of(trader).trade_of_day == 2


def test_a_slot_taken_by_hand_before_the_fill_comes_too_late_for_the_gates() -> None:
    trader = Trader().with_structure("green").enters("BUY").consumes_trade().filled_at(5250)
    assert (gates_of(trader).trade_of_day, trader.desk.day.trades_taken) == (1, 2)


@pytest.mark.parametrize(
    ("equity", "used"),
    [(50_000, "0"), (49_500, "50"), (49_500.01, "49.99"), (49_150, "85"), (49_075, "92.5"), (50_250, "-25")],
)
def test_the_daily_stop_is_used_by_what_the_day_has_lost(equity: float, used: str) -> None:
    """The limit is 2 % of 50,000: a thousand dollars. One contract risks 75 of them, so 92.5 % is the most."""
    trader = Trader(entry_qty_6pt=1).broker_says(50_000).broker_says(equity).with_structure("green").enters("BUY")
    assert gates_of(trader).daily_stop_used_pct == Decimal(used)


def test_before_generation_5_a_cent_that_was_left_let_an_entry_pass() -> None:
    trader = Trader(generation=4).broker_says(50_000).broker_says(49_000.01).with_structure("green").enters("BUY")
    assert gates_of(trader).daily_stop_used_pct == Decimal("99.99")


def test_another_6pt_brick_renews_the_token() -> None:
    trader = Trader().with_structure("green").later(seconds=50).bricks(6, "red").later(seconds=7).enters("BUY")
    assert (gates_of(trader).tempo_age_s, gates_of(trader).tempo_armed_by) == (Decimal(7), "6pt brick")


def test_a_4pt_flip_that_armed_the_token_is_named() -> None:
    trader = Trader(at="09:31:10").bricks(4, "green").trades_once()
    trader.at("09:40:00").bricks(4, "red").later(seconds=3).enters("BUY")
    assert (gates_of(trader).tempo_age_s, gates_of(trader).tempo_armed_by) == (Decimal(3), "4pt flip")


def test_later_4pt_bricks_do_not_hide_the_flip_but_a_colourless_6pt_brick_does() -> None:
    trader = Trader(at="09:31:10").bricks(4, "green").trades_once().at("09:40:00").bricks(4, "red")
    trader.later(seconds=1).bricks(4, "red").later(seconds=1).enters("BUY")
    assert (gates_of(trader).tempo_age_s, gates_of(trader).tempo_armed_by) == (Decimal(2), "4pt flip")
    trader = Trader().with_structure("green").later(seconds=1).bricks(6, "neutral").later(seconds=1).enters("BUY")
    assert (gates_of(trader).tempo_age_s, gates_of(trader).tempo_armed_by) == (Decimal(2), None)


@pytest.mark.parametrize(
    ("color", "side", "two_half"),
    [("green", "BUY", "with"), ("red", "BUY", "against"), ("red", "SELL", "with"), ("green", "SELL", "against")],
)
def test_the_2_5pt_colour_is_told_beside_the_direction(color: Color, side: Side, two_half: str) -> None:
    trader = Trader().in_free_zone().bricks(2.5, color).enters(side)
    assert gates_of(trader).two_half == two_half


def test_a_preorder_enters_by_the_brick_that_arms_its_token() -> None:
    trader = Trader().with_structure("green").preorders("BUY").later(seconds=40).bricks(6, "green")
    assert trader.order is not None
    gates = gates_of(trader)
    assert (gates.entered_by, gates.tempo_age_s, gates.tempo_armed_by) == ("pre-order", Decimal(0), "6pt brick")


def test_an_intent_counts_once_its_brick_has_made_it_ready() -> None:
    waits = Trader().with_structure("green").intends().enters("BUY")
    assert gates_of(waits).entered_by == "click"
    ready = Trader().with_structure("green").intends().bricks(6, "green").enters("BUY")
    assert gates_of(ready).entered_by == "ready intent"


def test_a_journal_with_gates_replays_equal() -> None:
    trader = Trader().with_structure("green").intends().bricks(6, "green").enters("BUY").filled_at(5250)
    assert trader.bricks(6, "green").exits().filled_at(5252).replays_equal()


# -- in the store and out of it -------------------------------------------------------------------------------------


def test_the_journal_joins_trade_and_gates_and_outlasts_a_restart(tmp_path: Path) -> None:
    trader = StoredTrader(tmp_path / "desk.sqlite", at="09:31:10", entry_qty_6pt=3)
    trader.broker_says(50_000).broker_says(49_300)
    trader.trades_once().restarts().at("09:40:00").trades_once()
    page = page_of(trader.manager.store, Selection(), ROLL, 10)
    second, first = page.trades
    gates, later_gates = known(first.gates), known(second.gates)
    assert (gates.trade_of_day, later_gates.trade_of_day) == (1, 2)
    assert (gates.daily_stop_used_pct, gates.since_cooldown_s) == (Decimal(70), None)
    assert trade_with_note(trader.manager.store, first.trade.id, ROLL) == first
    trader.stops()


def test_an_adopted_trade_knows_no_gates(tmp_path: Path) -> None:
    trader = StoredTrader(tmp_path / "desk.sqlite").adopts(5)
    trader.broker_says(position=0).later(seconds=2).broker_says(position=0)
    [adopted] = page_of(trader.manager.store, Selection(), ROLL, 10).trades
    assert (adopted.gates, [group.name for group in groups_of([adopted], "zone_gate")]) == (None, ["unknown"])
    trader.stops()


@pytest.mark.parametrize("body", [b"", b"[]", b'{"trade_of_day":"one"}', b"{}"])
def test_gates_that_cannot_be_read_are_named(body: bytes) -> None:
    with pytest.raises(StoreUnreadable, match="the gates at the entry of t1"):
        read_gates(Record(GATES_AT_ENTRY, "t1", CLOSE, body))


def test_what_a_later_program_adds_is_no_hindrance() -> None:
    more = msgspec.to_builtins(CALM) | {"gate_of_tomorrow": 1}
    assert read_gates(Record(GATES_AT_ENTRY, "t1", CLOSE, msgspec.json.encode(more))) == CALM


# -- groups ---------------------------------------------------------------------------------------------------------


def entries(field: str, *values: object) -> list[Any]:
    """One trade for each value of a field, won or lost by its place."""
    gates = [
        replace(CALM, **{field: Decimal(value) if isinstance(value, str) and value[-1].isdigit() else value})
        for value in values
    ]
    return [a_trade(n, str(n), gates=one) for n, one in enumerate(gates, 1)]


def names(trades: list[Any], by: str) -> list[tuple[str, int]]:
    return [(group.name, group.figures.trades) for group in groups_of(trades, by)]


def test_the_daily_stop_is_grouped_by_the_desks_own_marks() -> None:
    used = ["85", "-20", "49.99", "50", "69.99", "70", "84.99", "120", None]
    assert names(entries("daily_stop_used_pct", *used), "daily_stop_used") == [
        ("below 50 %", 2),
        ("50 to 70 %", 2),
        ("70 to 85 %", 2),
        ("85 % and more", 2),
        ("unknown", 1),
    ]


def test_trades_of_the_day_stand_in_the_order_of_numbers() -> None:
    assert names(entries("trade_of_day", 10, 2, 1, 2), "trade_of_day") == [("1", 1), ("2", 2), ("10", 1)]


def test_time_behind_the_cooldown_is_grouped_from_its_end() -> None:
    since = [None, "0", "299.99", "300", "1799.99", "1800", "20000"]
    assert names(entries("since_cooldown_s", *since), "after_cooldown") == [
        ("first of the day", 1),
        ("within 5 min", 2),
        ("within 30 min", 2),
        ("later", 2),
    ]


def test_the_tokens_age_is_grouped_from_fresh_to_old() -> None:
    ages = ["9.99", "10", "59.99", "60", "299.99", "300", None]
    assert names(entries("tempo_age_s", *ages), "tempo_age") == [
        ("below 10 s", 1),
        ("10 to 60 s", 2),
        ("1 to 5 min", 2),
        ("5 min and more", 1),
        ("unknown", 1),
    ]


@pytest.mark.parametrize(
    ("by", "field", "values", "expected"),
    [
        ("candle_minute", "candle_second", ["0", "59.99", "60", "299"], [("1", 2), ("2", 1), ("5", 1)]),
        ("tempo_armed_by", "tempo_armed_by", ["4pt flip", "6pt brick", None],
         [("6pt brick", 1), ("4pt flip", 1), ("unknown", 1)]),
        ("two_half", "two_half", ["against", "with", "neutral"],
         [("with the trade", 1), ("neutral", 1), ("against the trade", 1)]),
        ("entered_by", "entered_by", ["pre-order", "ready intent", "click"],
         [("click", 1), ("ready intent", 1), ("pre-order", 1)]),
    ],
)  # fmt: skip
def test_the_other_gates_are_grouped_in_their_natural_order(
    by: str, field: str, values: list[Any], expected: list[tuple[str, int]]
) -> None:
    assert names(entries(field, *values), by) == expected


def test_the_zone_gate_is_known_of_every_trade_but_an_adopted_one() -> None:
    trades = [a_trade(n, zone=zone) for n, zone in enumerate(("FREE", "NORMAL", "ADOPTED"))]
    trades.append(a_trade(9, zone="NONE", override=True))
    assert names(trades, "zone_gate") == [("NORMAL", 1), ("FREE", 1), ("skipped by override", 1), ("unknown", 1)]


def test_trades_without_the_fact_are_one_group_at_the_end() -> None:
    trades = [a_trade(1, "4"), a_trade(2, "-2", gates=replace(CALM, trade_of_day=3)), a_trade(3, "1")]
    third, unknown = groups_of(trades, "trade_of_day")
    assert (third.name, unknown.name) == ("3", "unknown")
    assert unknown.figures == figures_of([trades[0], trades[2]])


def test_a_candle_of_an_hour_has_sixty_minutes() -> None:
    late = replace(CALM, candle_second=Decimal(str(timedelta(minutes=59).total_seconds())))
    assert names([a_trade(gates=late)], "candle_minute") == [("60", 1)]
