"""One sync: who is asked, what is stored, and that a second one changes nothing."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from feeds.bars.store import BarStore
from feeds.bars.types import Bar
from feeds.jobs.child import LONGEST_LINE
from feeds.jobs.messages import MOST_PROBLEMS, Done, Progress, read_line
from feeds.jobs.sync import SyncOrder, sync
from feeds.providers.provider import (
    LeftOut,
    Provider,
    ProviderFailed,
    ProviderReport,
    ProviderStatus,
)
from wire.encoding import encode

BEGINS = datetime(2026, 11, 16, 14, 30, tzinfo=UTC)
ENDS = BEGINS + timedelta(hours=1)
ORDER = SyncOrder(symbol="ES", start=BEGINS, end=ENDS)


class Shelf:
    """A provider with these closes by minute. It breaks off before the minute `breaks_at`."""

    def __init__(
        self, name: str, closes: dict[int, int], breaks_at: int | None = None, symbol: str = "ES", left_out: int = 0
    ) -> None:
        self.name = name
        self._closes = closes
        self._breaks_at = breaks_at
        self._symbol = symbol
        self._left_out = left_out

    def status(self) -> ProviderStatus:
        return ProviderStatus(self.name, "ok")

    def covers(self, symbol: str) -> bool:
        return symbol == self._symbol

    def bars(self, symbol: str, start: datetime, end: datetime) -> Iterator[list[Bar]]:
        for minute, close in self._closes.items():
            if minute == self._breaks_at:
                raise ProviderFailed("unreachable", "the server does not answer")
            price = Decimal(close)
            yield [Bar(symbol, int(BEGINS.timestamp()) + 60 * minute, price, price, price, price, None, "provider")]

    def report(self) -> ProviderReport:
        named = (LeftOut("es.csv", 7, "its high is below its low"),) if self._left_out else ()
        return ProviderReport(self._left_out, named)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[BarStore]:
    store = BarStore(tmp_path / "bars.sqlite")
    yield store
    store.close()


def synced(store: BarStore, *providers: Provider, order: SyncOrder = ORDER) -> Done:
    told: list[Progress] = []
    done = sync(order, providers, store, told.append)
    assert [one.rows for one in told] == sorted(one.rows for one in told)
    assert done.rows == (told[-1].rows if told else 0)
    return done


def stored(store: BarStore) -> dict[int, int]:
    begin = int(BEGINS.timestamp())
    return {(bar.t - begin) // 60: int(bar.close) for bar in store.minutes("ES", 0, None, 1_000)}


def test_a_second_sync_has_nothing_to_do(store: BarStore) -> None:
    shelf = Shelf("folder", {0: 5000, 1: 5001, 59: 5002})
    assert synced(store, shelf) == Done(3, {"folder": int(BEGINS.timestamp()) + 59 * 60}, (), False)
    assert synced(store, shelf).rows == 0


def test_providers_that_differ_do_not_replace_each_others_minutes(store: BarStore) -> None:
    first, second = Shelf("folder", {0: 5000, 1: 5001}), Shelf("massive", {1: 9999, 2: 5002})
    assert synced(store, first, second).rows == 3
    assert stored(store) == {0: 5000, 1: 5001, 2: 5002}
    assert synced(store, first, second).rows == 0


def test_a_provider_may_correct_itself(store: BarStore) -> None:
    assert synced(store, Shelf("folder", {0: 5000})).rows == 1
    assert synced(store, Shelf("folder", {0: 5005})).rows == 1
    assert stored(store) == {0: 5005}


def test_what_lies_outside_the_order_is_not_stored(store: BarStore) -> None:
    assert synced(store, Shelf("folder", {-1: 1, 0: 5000, 59: 5001, 60: 1, 100_000: 1})).rows == 2
    assert stored(store) == {0: 5000, 59: 5001}


def test_a_provider_that_breaks_off_leaves_what_it_gave_and_another_goes_on(store: BarStore) -> None:
    broken, other = Shelf("massive", {0: 5000, 1: 5001}, breaks_at=1), Shelf("folder", {0: 1, 1: 5001})
    done = synced(store, broken, other)
    assert (done.rows, done.failed) == (2, False)
    assert done.problems == ("massive: the server does not answer",)
    assert stored(store) == {0: 5000, 1: 5001}


def test_only_when_all_fail_the_sync_has_failed(store: BarStore) -> None:
    done = synced(store, Shelf("massive", {0: 5000}, breaks_at=0), Shelf("crypto", {0: 1}, symbol="BTCUSD"))
    assert (done.rows, done.failed, done.has_provider) == (0, True, True)
    nobody = synced(store, Shelf("crypto", {0: 1}, symbol="BTCUSD"))
    assert (nobody.failed, nobody.has_provider) == (False, False)


def test_one_provider_may_be_named(store: BarStore) -> None:
    order = SyncOrder(symbol="ES", start=BEGINS, end=ENDS, provider="massive")
    assert synced(store, Shelf("folder", {0: 1}), Shelf("massive", {1: 5001}), order=order).rows == 1
    assert stored(store) == {1: 5001}


def test_rows_that_were_left_out_are_counted_and_the_first_is_named(store: BarStore) -> None:
    done = synced(store, Shelf("folder", {0: 5000}, left_out=3))
    assert done.problems == ("folder: 3 left out, first es.csv line 7: its high is below its low",)


@pytest.mark.parametrize("bad", [Decimal("NaN"), Decimal("1e30")])
def test_a_bar_that_cannot_be_one_is_left_out_alone(store: BarStore, bad: Decimal) -> None:
    class Broken(Shelf):
        def bars(self, symbol: str, start: datetime, end: datetime) -> Iterator[list[Bar]]:
            yield [
                Bar(symbol, int(BEGINS.timestamp()) + 60 * minute, price, price, price, price, None, "provider")
                for minute, price in ((0, bad), (1, Decimal(5001)))
            ]

    done = synced(store, Broken("folder", {}, left_out=2), Shelf("massive", {0: 5000}))
    assert (done.rows, done.failed) == (2, False)
    assert stored(store) == {0: 5000, 1: 5001}
    [problem] = done.problems
    assert problem.startswith("folder: 3 left out, first: the bar of ES at 2026-11-16T14:30:00+00:00 was refused: ")


@pytest.mark.parametrize("letter", ["x", "\x01", "\udcff", "\U0001f600"])
def test_the_longest_problems_still_fit_the_line_that_feeds_read(store: BarStore, letter: str) -> None:
    class Wordy(Shelf):
        def report(self) -> ProviderReport:
            return ProviderReport(1, (LeftOut(letter * 100_000, None, "it cannot be read"),))

    done = synced(store, *(Wordy(f"p{number}", {number: 5000}) for number in range(2 * MOST_PROBLEMS)))
    line = encode(done) + b"\n"
    assert len(line) < LONGEST_LINE
    assert len(done.problems) == MOST_PROBLEMS
    assert isinstance(read_line(line), Done)
