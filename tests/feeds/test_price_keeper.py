"""What is heard becomes candles and alerts, each alert once and with an id, over restarts."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from feeds.desk import DeskPicture
from feeds.price_keeper import PriceKeeper, read_alert
from feeds.prices.types import Alert, InForce
from feeds.store import FeedsStore
from wire.bridge import QuoteEvent

NOON = datetime(2026, 11, 20, 17, 0, tzinfo=UTC)


def desk_of(*assets: str, **fields: Any) -> DeskPicture:
    desk = DeskPicture()
    desk.take({"global": {}, "assets": {symbol: {"symbol": symbol, **fields} for symbol in assets}})
    desk.came()
    return desk


class Keeper:
    """A keeper on one file; ``restarts`` builds it anew as a killed process does."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self.now = NOON
        self.told: list[tuple[int, Alert]] = []
        self.starts()

    def starts(self) -> None:
        self.store = FeedsStore(self._path)
        self.part = PriceKeeper(self.store, lambda: self.now)
        self.part.sinks.append(lambda number, alert: self.told.append((number, alert)))
        self.part.on_desk(desk_of("ES", "NQ"))

    def restarts(self) -> None:
        self.store.close()
        self.starts()

    def hears(self, *prices: float, at: timedelta = timedelta(0), asset: str = "ES") -> None:
        """Hear prices some time after noon."""
        self.now = NOON + at
        for price in prices:
            self.part.on_quote(
                QuoteEvent(
                    symbol=f"M{asset}Z6", asset=asset, price=Decimal(str(price)), ts=self.now, source="ticks", size=1
                )
            )

    def passes(self, at: timedelta) -> None:
        self.now = NOON + at
        self.part.on_second(self.now)

    @property
    def in_force(self) -> list[InForce]:
        return [alert for _, alert in self.told if isinstance(alert, InForce) and alert.timeframe == "1m"]

    @property
    def stored(self) -> list[Alert]:
        return [read_alert(row) for row in self.store.newest_alerts("in_force", 1_000)]


def minutes(number: float) -> timedelta:
    return timedelta(minutes=number)


@pytest.fixture
def keeper(tmp_path: Path) -> Iterator[Keeper]:
    keeper = Keeper(tmp_path / "feeds.sqlite")
    yield keeper
    keeper.store.close()


def hears_two_whole_minutes(keeper: Keeper) -> None:
    """The minute of the start is partial; the next one is whole: 5000 to 5004."""
    keeper.hears(5002, at=minutes(0.5))
    keeper.hears(5001, 5004, 5000, 5002, at=minutes(1.1))
    keeper.passes(minutes(2.05))


def test_a_break_is_told_once_and_stored_with_its_id(keeper: Keeper) -> None:
    hears_two_whole_minutes(keeper)
    keeper.hears(5004, at=minutes(2.2))  # equality is no break
    assert keeper.in_force == []
    keeper.hears(5004.25, 5005, 5003, 5006, at=minutes(2.3))
    [alert] = keeper.in_force
    assert (alert.direction, alert.trigger, alert.price) == ("up", Decimal(5004), Decimal("5004.25"))
    assert alert in keeper.stored
    numbers = [number for number, _ in keeper.told]
    assert numbers == sorted(set(numbers))
    assert keeper.part.told["in_force"] == len(keeper.told)


def test_after_a_restart_the_trigger_is_known_and_no_alert_comes_twice(keeper: Keeper) -> None:
    hears_two_whole_minutes(keeper)
    keeper.hears(5004.25, at=minutes(2.2))
    keeper.passes(minutes(2.25))
    before = list(keeper.told)
    keeper.restarts()
    keeper.hears(5005, 5006, at=minutes(2.4))
    assert keeper.told == before
    keeper.hears(4999.75, at=minutes(2.5))
    down = keeper.in_force[-1]
    assert (down.direction, down.trigger) == ("down", Decimal(5000))
    assert len({number for number, _ in keeper.told}) == len(keeper.told)
    assert keeper.told[-1][0] > before[-1][0]


def test_what_was_missed_while_web_was_away_triggers_nothing_afterwards(keeper: Keeper) -> None:
    hears_two_whole_minutes(keeper)
    keeper.hears(5002, at=minutes(2.2))
    keeper.part.on_gap(NOON + minutes(2.3), NOON + minutes(2.6))
    keeper.hears(5003, at=minutes(2.7))
    keeper.passes(minutes(3.05))
    keeper.hears(5010, at=minutes(3.2))  # beyond the prior candle as far as it was heard, and that is not far enough
    assert keeper.in_force == []


def test_the_colour_of_a_stack_is_taken_from_the_state_after_a_start(tmp_path: Path) -> None:
    keeper = Keeper(tmp_path / "feeds.sqlite")
    at = (NOON - minutes(30)).isoformat()
    keeper.part.on_desk(desk_of("ES", "NQ", main_renko_color="red", main_renko_ts=at, renko_color="neutral"))
    assert keeper.part.book is not None
    assert keeper.part.book.tfc("ES")["R6"] == "red"
    assert keeper.part.book.tfc("ES")["R4"] is None
    keeper.store.close()


def test_after_an_interruption_the_price_is_that_of_the_state_and_only_then(keeper: Keeper) -> None:
    assert keeper.part.book is not None

    def told(price: float, at: timedelta) -> Decimal:
        keeper.now = NOON + at
        stamp = keeper.now.isoformat()
        keeper.part.on_desk(desk_of("ES", "NQ", last_price=price, price_ts=stamp, contract="MESZ6"))
        assert keeper.part.book is not None
        last = keeper.part.book.last("ES")
        assert last is not None
        return last.price

    assert told(5000, minutes(0.01)) == 5000  # feeds have just begun
    assert told(5001, minutes(1)) == 5000  # the price itself comes next, with its size
    keeper.now = NOON + minutes(2)
    keeper.part.on_gap(NOON + minutes(1), keeper.now)
    assert told(5002, minutes(2.01)) == 5002
    assert told(5003, minutes(3)) == 5002


def test_another_set_of_assets_begins_another_book_with_what_is_stored(keeper: Keeper) -> None:
    hears_two_whole_minutes(keeper)
    keeper.part.on_desk(desk_of("ES"))
    assert keeper.part.book is not None
    assert [candle.close for candle in keeper.part.book.candles("ES", "1m", 10)][-1] == Decimal(5002)
    assert keeper.part.book.last("NQ") is None


def test_a_price_without_an_asset_or_before_the_desk_is_no_price(tmp_path: Path) -> None:
    store = FeedsStore(tmp_path / "feeds.sqlite")
    part = PriceKeeper(store)
    part.on_quote(QuoteEvent(symbol="MESZ6", asset="ES", price=Decimal(5000), ts=NOON))
    part.on_second(NOON)
    assert part.book is None
    part.on_desk(desk_of("ES"))
    part.on_quote(QuoteEvent(symbol="MESZ6", price=Decimal(5000), ts=NOON))
    assert part.book is not None
    assert part.book.last("ES") is None
    store.close()


def test_stored_rows_that_cannot_be_read_stop_nothing(keeper: Keeper) -> None:
    hears_two_whole_minutes(keeper)
    keeper.passes(minutes(2.1))
    keeper.store.add_alert("in_force", NOON, '{"symbol": "ES"}', NOON)
    with keeper.store.transaction() as connection:
        connection.execute("UPDATE candles SET body = '{' WHERE timeframe = '1d'")
    keeper.restarts()
    keeper.hears(5004.25, at=minutes(2.3))
    assert len(keeper.in_force) == 1
