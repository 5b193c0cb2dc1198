"""What would have become of a day's refused entries, in stories whose prices are known."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

from services.history.what_if_day import MOST_ENTRIES, NoSuchDay, what_if_day
from services.stores.store import StoreUnreadable
from tests.support.builders import TUESDAY
from tests.support.stored_trader import StoredTrader
from wire.what_if import RefusedEntry, WhatIfDay

DAY = date.fromisoformat(TUESDAY)


@pytest.fixture
def trader(tmp_path: Path) -> Iterator[StoredTrader]:
    trader = StoredTrader(tmp_path / "desk.sqlite")
    yield trader
    trader.stops()


def day_of(trader: StoredTrader, day: date = DAY) -> WhatIfDay:
    with trader.history() as history:
        return what_if_day(history, day)


def only(found: WhatIfDay) -> RefusedEntry:
    (entry,) = found.refused
    return entry


def won(trader: StoredTrader, points: float, at: str) -> StoredTrader:
    """Have one whole trade that ends ``points`` above its entry, flat at that time."""
    trader.with_structure("green").enters("BUY").filled_at(5250)
    assert trader.refused_by is None
    return trader.bricks(6, "green").at(at).exits().filled_at(5250 + points)


def refused_in_the_cooldown(trader: StoredTrader, mode: str = "SCALP", direction: str = "BUY") -> StoredTrader:
    """Be refused at 5250, 60 s after a trade."""
    won(trader, 2, at="09:34:30")
    trader.at("09:35:30").with_structure("green").hears(5250)
    trader.enters(direction, mode=mode)  # type: ignore[arg-type]  # the words of the wire
    assert trader.refused_by == "cooldown"
    return trader


def moves_to(trader: StoredTrader, *prices: object) -> StoredTrader:
    """Have the journal keep these prices, a minute apart."""
    for price in prices:
        trader.later(seconds=60).hears(price).bricks(2.5, "green")
    return trader


def test_a_refused_entry_that_would_have_reached_its_target(trader: StoredTrader) -> None:
    moves_to(refused_in_the_cooldown(trader), 5255, 5268, 5200)
    found = day_of(trader)
    entry = only(found)
    assert (entry.gate, entry.asset, entry.direction, entry.mode) == ("cooldown", "ES", "BUY", "SCALP")
    assert (entry.outcome, entry.points, entry.contracts, entry.why) == ("target", Decimal(15), 5, None)
    assert entry.usd == Decimal(15) * 5 * 5  # MES: 5 USD a point
    assert (entry.price, entry.prices, entry.limits_only) == (Decimal(5250), 2, True)
    assert (found.sums.refused, found.sums.judged, found.sums.targets, found.sums.usd) == (1, 1, 1, entry.usd)
    assert (found.sums.limits_only, found.sums.limits_only_usd) == (1, entry.usd)
    assert (found.taken.entries, found.taken.trades, found.taken.usd) == (1, 1, Decimal(50))
    assert (found.replay_equal, found.unequal_rows) == (True, 0)


def test_one_that_would_have_been_stopped(trader: StoredTrader) -> None:
    entry = only(day_of(moves_to(refused_in_the_cooldown(trader), 5255, 5235, 5300)))
    assert (entry.outcome, entry.points, entry.usd) == ("stop", Decimal(-15), Decimal(-375))


def test_the_tick_before_the_stop_is_no_stop(trader: StoredTrader) -> None:
    entry = only(day_of(moves_to(refused_in_the_cooldown(trader), "5235.25")))
    assert (entry.outcome, entry.points) == ("day_end", Decimal("-14.75"))


def test_a_sale_wins_when_the_price_falls(trader: StoredTrader) -> None:
    entry = only(day_of(moves_to(refused_in_the_cooldown(trader, direction="SELL"), 5240, 5234)))
    assert (entry.direction, entry.outcome, entry.points, entry.limits_only) == ("SELL", "target", Decimal(15), False)


def test_a_runner_has_no_target(trader: StoredTrader) -> None:
    entry = only(day_of(moves_to(refused_in_the_cooldown(trader, mode="RUNNER"), 5268, 5261)))
    assert (entry.mode, entry.outcome, entry.points) == ("RUNNER", "day_end", Decimal(11))


def test_without_a_later_price_nothing_is_said(trader: StoredTrader) -> None:
    entry = only(found := day_of(refused_in_the_cooldown(trader)))
    assert (entry.outcome, entry.points, entry.usd, entry.why) == (None, None, None, "no_prices_after")
    assert (found.sums.judged, found.sums.points, found.sums.usd, found.sums.limits_only_usd) == (0, None, None, None)


def test_clicks_in_a_row_are_one_wish(trader: StoredTrader) -> None:
    refused_in_the_cooldown(trader).later(seconds=5).enters("BUY").later(seconds=5).enters("SELL")
    found = day_of(moves_to(trader, 5268))
    assert [entry.why for entry in found.refused] == [None, "repeated", "repeated"]
    assert (found.sums.refused, found.sums.judged, found.sums.usd) == (3, 1, Decimal(375))


def test_a_click_while_a_position_is_held_is_not_judged(trader: StoredTrader) -> None:
    trader.with_structure("green").enters("BUY").filled_at(5250).hears(5251).enters("BUY")
    assert trader.refused_by is not None
    entry = only(day_of(moves_to(trader, 5300)))
    assert (entry.why, entry.limits_only, entry.points) == ("in_position", False, None)


def test_what_another_gate_would_have_refused_too_was_not_refused_by_limits(trader: StoredTrader) -> None:
    won(trader, 2, at="09:34:30")
    trader.at("09:35:30").with_structure("red").hears(5250).enters("BUY")
    assert trader.refused_by == "cooldown"
    assert only(day_of(moves_to(trader, 5268))).limits_only is False


def test_the_next_day_neither_counts_nor_judges(trader: StoredTrader) -> None:
    moves_to(refused_in_the_cooldown(trader), 5251)
    trader.at("18:30:00").with_structure("green").hears(5300).bricks(2.5, "green")
    entry = only(found := day_of(trader))
    assert (entry.outcome, entry.points) == ("day_end", Decimal(1))
    later = day_of(trader, date.fromisoformat(trader.desk.day.trading_day.isoformat()))
    assert (later.day > found.day, later.refused) == (True, ())


def test_a_day_that_the_desk_did_not_live_is_none(trader: StoredTrader) -> None:
    with pytest.raises((NoSuchDay, StoreUnreadable)):
        day_of(trader, date(2025, 1, 2))


def test_a_long_day_is_cut_and_its_sums_are_not(trader: StoredTrader, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("services.history.what_if_day.MOST_ENTRIES", 2)
    assert MOST_ENTRIES > 2
    refused_in_the_cooldown(trader)
    for _ in range(3):
        trader.later(seconds=1).enters("BUY")
    found = day_of(trader)
    assert (len(found.refused), found.truncated, found.sums.refused) == (2, True, 4)
