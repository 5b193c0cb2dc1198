"""Bricks tell the colours with their prices; the desk's state tells them where bricks were missed."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from feeds.desk import DeskPicture
from feeds.price_keeper import PriceKeeper
from feeds.prices.types import Alert, InForce, SimultaneousBreak
from feeds.store import FeedsStore
from services.market.renko import BrickColor
from wire.bridge import QuoteEvent
from wire.stream import BrickHeard
from wire.tradingview import STREAMS

NOON = datetime(2026, 11, 20, 17, 0, tzinfo=UTC)
STACK = tuple(row for row in STREAMS if row.size in ("4", "6", "8"))


class Floor:
    """A desk whose state changes before each brick is told, as web's stream does it, and the keeper that hears it."""

    def __init__(self, path: Path) -> None:
        self.store = FeedsStore(path)
        self.now = NOON
        self.keeper = PriceKeeper(self.store, lambda: self.now)
        self.told: list[Alert] = []
        self.keeper.sinks.append(lambda _, alert: self.told.append(alert))
        self.desk = DeskPicture()
        self.fields: dict[str, object] = {}
        self.has_market_data = True
        self.desk.came()

    def says(self, **fields: object) -> None:
        """Tell a state of ES in which these fields are new."""
        self.fields |= fields
        self.desk.take({"global": {"md_connected": self.has_market_data}, "assets": {"ES": {**self.fields}}})
        self.keeper.on_desk(self.desk)

    def turns(self, color: BrickColor, opened: int | None = 5000) -> None:
        """Bricks of the stack close in this colour, one second apart."""
        for row in STACK:
            self.now += timedelta(seconds=1)
            self.says(**{f"{row.state_name}_color": color, f"{row.state_name}_ts": self.now.isoformat()})
            if opened is not None:
                self.keeper.on_brick(
                    BrickHeard(
                        n=1, ts=self.now, color=color, open=Decimal(opened), close=None, asset="ES", size=row.points
                    )
                )

    def tick(self, price: int, at: timedelta) -> None:
        self.now = NOON + at
        self.keeper.on_quote(
            QuoteEvent(symbol="MESZ6", asset="ES", price=Decimal(price), ts=self.now, source="ticks", size=1)
        )

    def colors(self) -> list[str | None]:
        assert self.keeper.book is not None
        tfc = self.keeper.book.tfc("ES")
        return [tfc[f"R{row.size}"] for row in STACK]


@pytest.fixture
def floor(tmp_path: Path) -> Iterator[Floor]:
    floor = Floor(tmp_path / "feeds.sqlite")
    yield floor
    floor.store.close()


def test_a_break_of_the_stack_names_the_prices_of_its_bricks(floor: Floor) -> None:
    floor.says()
    floor.turns("red")
    floor.turns("green")
    (alert,) = floor.told
    assert isinstance(alert, SimultaneousBreak)
    assert [member.trigger for member in alert.members] == [Decimal(5000)] * 3


def test_after_a_gap_the_colours_of_the_state_hold(floor: Floor) -> None:
    floor.says()
    floor.turns("red")
    floor.turns("green", opened=None)  # web is heard again after its bricks
    assert floor.colors() == ["red"] * 3
    floor.keeper.on_gap(NOON, floor.now)
    floor.says()
    assert floor.colors() == ["green"] * 3


def test_a_colour_that_the_desk_calls_stale_is_unknown(floor: Floor) -> None:
    floor.says()
    floor.turns("red")
    floor.says(main_renko_stale=True)
    assert floor.colors() == ["red", None, "red"]


def test_a_bridge_without_market_data_leaves_candles_without_a_trigger(floor: Floor) -> None:
    floor.says()
    floor.tick(5002, timedelta(seconds=30))
    for second, price in enumerate((5001, 5004, 5002)):
        floor.tick(price, timedelta(minutes=1, seconds=second))
    floor.has_market_data = False
    floor.says()
    floor.has_market_data = True
    floor.now = NOON + timedelta(minutes=1, seconds=40)
    floor.says()
    floor.tick(5009, timedelta(minutes=2, seconds=5))
    assert [one for one in floor.told if isinstance(one, InForce) and one.timeframe == "1m"] == []


def test_with_market_data_the_same_candle_has_its_trigger(floor: Floor) -> None:
    floor.says()
    floor.tick(5002, timedelta(seconds=30))
    for second, price in enumerate((5001, 5004, 5002)):
        floor.tick(price, timedelta(minutes=1, seconds=second))
    floor.tick(5009, timedelta(minutes=2, seconds=5))
    (alert,) = [one for one in floor.told if isinstance(one, InForce) and one.timeframe == "1m"]
    assert alert.trigger == Decimal(5004)
