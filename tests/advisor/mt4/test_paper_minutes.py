"""What stored minutes do to the paper account: the same in any number of looks, and only once they stand."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from contextlib import suppress
from decimal import Decimal
from itertools import product
from pathlib import Path
from typing import Any

import pytest
from msgspec import Struct, structs

from advisor.mt4.paper_store import PaperStore
from sidecar.problems import ServiceRefused
from tests.advisor.mt4.floor import NOON, PaperFloor
from tests.support.fakes.price_feeds import PriceFeeds
from wire.candles import BarSource

FILLED_THEN_STOPPED = (
    ("1.1000", "1.1000", "1.0990", "1.0990"),
    ("1.0960", "1.0961", "1.0945", "1.0948"),
    ("1.0948", "1.0949", "1.0880", "1.0885"),
    ("1.0885", "1.0990", "1.0885", "1.0985"),
)


@pytest.fixture
def floor(tmp_path: Path) -> Iterator[PaperFloor]:
    with PriceFeeds(NOON) as feeds:
        feeds.quotes("1.10000", "1.09999", "1.10001")
        floor = PaperFloor(tmp_path, feeds)
        yield floor
        floor.close()


def retells(floor: PaperFloor, source: BarSource, low: str) -> None:
    """Let the newest minute be stored once more, from another source."""
    stored = floor.feeds.minutes["EURUSD", False]
    stored[-1] = structs.replace(stored[-1], source=source, l=Decimal(low))


@pytest.mark.parametrize("looks", list(product([False, True], repeat=3)))
def test_a_limit_is_filled_and_stopped_however_the_minutes_are_looked_at(
    floor: PaperFloor, looks: tuple[bool, ...]
) -> None:
    """After an outage all minutes come at one time: what was filled and stopped among them can be closed no more."""
    placed = floor.trades("BUY_LIMIT", 1.0, price=1.0950, stop_loss=1.0900)
    for minute, is_looked_at in zip(FILLED_THEN_STOPPED, (*looks, False), strict=True):
        floor.feeds.minute(*minute)
        if is_looked_at:
            assert len(floor.positions) <= 1
    with pytest.raises(ServiceRefused) as refused:
        floor.closes(placed.order_id)
    assert refused.value.code == "unknown_position"
    assert floor.told() == [("in", "limit", "1.095", "0"), ("out", "stop_loss", "1.09", "-500.00")]
    assert not floor.positions
    assert floor.state.balance == Decimal(9500)


def test_a_minute_of_samples_waits_for_what_is_told_better(floor: PaperFloor) -> None:
    """Five seconds after its end a minute may be two samples; the whole bar of it comes a little later."""
    floor.trades("BUY", 0.1, stop_loss=1.0950)
    floor.feeds.minute("1.1000", "1.1000", "1.0990", "1.0990").minute("1.0990", "1.0990", "1.0980", "1.0985")
    retells(floor, "sampled", low="1.0980")
    assert len(floor.positions) == 1
    retells(floor, "heartbeat", low="1.0900")  # the true low was below the stop
    assert not floor.positions
    assert floor.told()[-1][:3] == ("out", "stop_loss", "1.095")


def test_a_minute_that_stays_one_of_samples_counts_a_minute_later(floor: PaperFloor) -> None:
    floor.trades("BUY", 0.1, take_profit=1.1050)
    floor.feeds.minute("1.1000", "1.1000", "1.0990", "1.0990").minute("1.0990", "1.1060", "1.0980", "1.0985")
    retells(floor, "sampled", low="1.0980")
    assert len(floor.positions) == 1
    floor.feeds.now += 60
    assert not floor.positions


def test_what_samples_have_touched_cannot_be_walked_away_from(floor: PaperFloor) -> None:
    """The price was there: for the minute in which it may still be improved a stop counts, a good exit does not."""
    stopped = floor.trades("BUY", 1.0, stop_loss=1.0950).position_id
    hoping = floor.trades("BUY", 1.0, take_profit=1.1020).position_id
    fills = floor.trades("BUY_LIMIT", 1.0, price=1.0960, stop_loss=1.0900).order_id or ""
    rests = floor.trades("BUY_LIMIT", 0.1, price=1.0900).order_id or ""
    floor.feeds.minute("1.1000", "1.1000", "1.0999", "1.1000")
    assert len(floor.positions) == 2  # all that stands has been looked at
    floor.feeds.minute("1.1000", "1.1050", "1.0940", "1.1050")
    retells(floor, "sampled", low="1.0940")
    with pytest.raises(ServiceRefused) as refused:
        floor.closes(stopped)
    assert refused.value.code == "unknown_position"
    assert floor.told()[-1] == ("out", "stop_loss", "1.095", "-501.00")
    assert floor.refused(floor.account.cancel(fills)) == ("trade_refused", "being_filled")
    floor.runs(floor.account.cancel(rests))
    assert [one.id for one in floor.positions] == [hoping]
    floor.feeds.now += 60
    assert [one.open_price for one in floor.positions] == [Decimal("1.096")]
    assert ("out", "take_profit", "1.102", "199.00") in floor.told()


def test_of_a_minute_of_samples_nothing_counts_that_may_be_older_than_the_position(floor: PaperFloor) -> None:
    floor.trades("BUY", 1.0, stop_loss=1.0950)
    floor.trades("BUY_LIMIT", 1.0, price=1.0960)
    floor.feeds.minute("1.1000", "1.1000", "1.0940", "1.0940")  # that in which both began
    retells(floor, "sampled", low="1.0940")
    assert len(floor.positions) == 1
    [order] = floor.orders
    floor.runs(floor.account.cancel(order))
    assert floor.orders == []


def test_two_programs_on_one_file_book_a_stop_once(floor: PaperFloor, tmp_path: Path) -> None:
    """Both have read the position before either stores what the minute did to it."""
    floor.trades("BUY", 1.0, stop_loss=1.0950)
    other = PaperFloor(tmp_path, floor.feeds)
    floor.feeds.minute("1.1000", "1.1000", "1.0999", "1.1000").minute("1.1000", "1.1000", "1.0940", "1.0945")
    asks = floor.feeds._answer  # noqa: SLF001
    both = threading.Barrier(2)

    def waits(path: str, query: dict[str, str]) -> Struct | None:
        if path == "/api/minutes" and not both.broken:
            with suppress(threading.BrokenBarrierError):
                both.wait(5)
        return asks(path, query)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(floor.feeds, "_answer", waits)

        async def together() -> tuple[object, object]:
            return await asyncio.gather(floor.account.status(), other.account.status(), return_exceptions=True)

        floor.runs(together())
    assert [one[:2] for one in floor.told()] == [("in", "market"), ("out", "stop_loss")]
    assert floor.state.balance == Decimal(9499)
    other.close()


@pytest.mark.parametrize("act", ["close", "cancel"])
def test_two_programs_on_one_file_do_one_act_once(floor: PaperFloor, tmp_path: Path, act: str) -> None:
    position = floor.trades("BUY", 1.0).position_id or ""
    order = floor.trades("BUY_LIMIT", 1.0, price=1.0).order_id or ""

    def does(one: PaperFloor) -> Any:
        return one.runs(one.account.cancel(order) if act == "cancel" else one.account.close(position, Decimal("0.4")))

    def other_program() -> None:
        other = PaperFloor(tmp_path, floor.feeds)
        does(other)
        other.close()

    begins, threads = PaperStore.changing, [threading.Thread(target=other_program)]

    def changes_second(store: PaperStore) -> Any:
        if threads:
            first = threads.pop()
            first.start()
            first.join()
        return begins(store)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(PaperStore, "changing", changes_second)
        with pytest.raises(ServiceRefused, match="changed meanwhile"):
            does(floor)
    assert [one.volume for one in floor.positions] == [Decimal("0.6" if act == "close" else "1.0")]
    assert len(floor.orders) == (1 if act == "close" else 0)


def test_a_market_order_is_filled_at_the_price_after_all_that_took_its_time(
    floor: PaperFloor, monkeypatch: pytest.MonkeyPatch
) -> None:
    floor.trades("BUY_LIMIT", 0.1, price=1.0)
    answer = floor.feeds._answer  # noqa: SLF001

    def moves_meanwhile(path: str, query: dict[str, str]) -> Struct | None:
        if path == "/api/minutes":
            floor.feeds.quotes("1.20000", "1.19999", "1.20001")
        return answer(path, query)

    monkeypatch.setattr(floor.feeds, "_answer", moves_meanwhile)
    assert floor.trades("BUY", 0.1).price == Decimal("1.20001")
