"""What the data service says of prices: changes against the true close of the session before, or null."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from feeds.bars.store import BarStore
from feeds.bars.types import Bar
from feeds.channels.data_rest import read_bars, read_snapshot
from feeds.channels.data_views import change_of, close_before, orderbook_of
from feeds.prices.types import PriceHeard
from sidecar.problems import ServiceRefused
from wire.candles import BarSource
from wire.data_service import OhlcvBar

TUESDAY_NOON = datetime(2026, 11, 17, 17, tzinfo=UTC)  # 12:00 in New York
MONDAYS_CLOSE = datetime(2026, 11, 16, 22, tzinfo=UTC)  # 17:00 in New York


@pytest.fixture
def store(tmp_path: Path) -> Iterator[BarStore]:
    store = BarStore(tmp_path / "bars.sqlite", clock=TUESDAY_NOON.timestamp)
    yield store
    store.close()


def bar(at: datetime, close: str, symbol: str = "ES", source: BarSource = "ticks") -> Bar:
    price = Decimal(close)
    return Bar(symbol, int(at.timestamp()), price, price, price, price, 3, source)


def heard(price: str, at: datetime = TUESDAY_NOON, *, simulated: bool = False) -> PriceHeard:
    return PriceHeard(asset="ES", contract="MESZ6", price=Decimal(price), at=at, simulated=simulated)


def test_the_change_counts_from_the_last_minute_of_the_session_before(store: BarStore) -> None:
    store.put([bar(MONDAYS_CLOSE - timedelta(minutes=n), close) for n, close in ((1, "5000"), (2, "4990"))])
    store.put([bar(TUESDAY_NOON - timedelta(minutes=5), "5100")])
    snapshot = read_snapshot(store, "ES", heard("5012.5"), simulated=False)
    assert (snapshot.daily_change, snapshot.daily_change_pct) == (Decimal("12.5"), Decimal("0.2500"))


def test_a_session_whose_end_was_not_recorded_has_no_close(store: BarStore) -> None:
    store.put([bar(MONDAYS_CLOSE - timedelta(minutes=31), "5000")])
    snapshot = read_snapshot(store, "ES", heard("5012.5"), simulated=False)
    assert (snapshot.daily_change, snapshot.daily_change_pct) == (None, None)


def test_on_monday_it_counts_from_friday(store: BarStore) -> None:
    fridays_close = datetime(2026, 11, 13, 22, tzinfo=UTC)
    store.put([bar(fridays_close - timedelta(minutes=1), "4900")])
    assert close_before(store, "ES", MONDAYS_CLOSE - timedelta(hours=3), simulated=False) == 4900


def test_simulated_and_real_prices_are_never_compared(store: BarStore) -> None:
    store.put([bar(MONDAYS_CLOSE - timedelta(minutes=1), "5000")])
    snapshot = read_snapshot(store, "ES", heard("5012.5", simulated=True), simulated=None)
    assert (snapshot.simulated, snapshot.daily_change) == (True, None)
    store.put([bar(MONDAYS_CLOSE - timedelta(minutes=1), "6000", source="simulated")])
    assert read_snapshot(store, "ES", heard("6006", simulated=True), simulated=None).daily_change == 6


@pytest.mark.parametrize("is_simulated", [False, True])
def test_who_names_a_market_is_never_told_the_price_of_the_other_one(store: BarStore, is_simulated: bool) -> None:
    other = heard("9000", simulated=not is_simulated)
    with pytest.raises(ServiceRefused, match="no price of ES"):
        read_snapshot(store, "ES", other, simulated=is_simulated)
    store.put([bar(TUESDAY_NOON, "5000", source="simulated" if is_simulated else "ticks")])
    snapshot = read_snapshot(store, "ES", other, simulated=is_simulated)
    assert (snapshot.last_price, snapshot.source, snapshot.simulated) == (Decimal(5000), "bar", is_simulated)
    own = heard("5001", simulated=is_simulated)
    assert read_snapshot(store, "ES", own, simulated=is_simulated).source == "ticks"


def test_without_a_heard_price_it_is_the_newest_stored_close_and_says_so(store: BarStore) -> None:
    with pytest.raises(ServiceRefused) as refused:
        read_snapshot(store, "ES", None, simulated=False)
    assert refused.value.code == "no_price"
    at = TUESDAY_NOON - timedelta(days=4)
    store.put([bar(at, "4950.25"), bar(at, "1", source="simulated")])
    snapshot = read_snapshot(store, "ES", None, simulated=False)
    assert (snapshot.last_price, snapshot.source, snapshot.timestamp) == (Decimal("4950.25"), "bar", at)
    assert (snapshot.bid, snapshot.ask, snapshot.simulated) == (None, None, False)
    assert read_snapshot(store, "ES", None, simulated=True).last_price == 1


@pytest.mark.parametrize(
    ("price", "before", "change"),
    [
        ("5", None, (None, None)),
        ("-2", "-4", (Decimal(2), None)),  # crude oil of April 2020
        ("2", "0", (Decimal(2), None)),
        ("99", "100", (Decimal(-1), Decimal("-1.0000"))),
    ],
)
def test_a_percentage_of_nothing_is_unknown(
    price: str, before: str | None, change: tuple[Decimal | None, Decimal | None]
) -> None:
    assert change_of(Decimal(price), None if before is None else Decimal(before)) == change


@pytest.mark.parametrize(
    ("bid", "ask", "is_book"), [("10", "10.25", True), ("10", None, False), (None, "10", False), ("10.25", "10", False)]
)
def test_an_order_book_needs_a_bid_below_its_ask(bid: str | None, ask: str | None, is_book: bool) -> None:
    price = PriceHeard(
        asset="ES",
        contract="MESZ6",
        price=Decimal(10),
        at=TUESDAY_NOON,
        bid=None if bid is None else Decimal(bid),
        ask=None if ask is None else Decimal(ask),
    )
    book = orderbook_of(price)
    assert (book is not None) is is_book
    if book is not None:
        assert [str(level.price) for level in (*book.bids, *book.asks)] == [bid, ask]
        assert {level.size for level in (*book.bids, *book.asks)} == {None}


def quarter_hours(store: BarStore, limit: int, start: datetime | None = None, end: datetime | None = None) -> list[str]:
    answer = read_bars(store, "ES", "15m", start, end, limit, simulated=False)
    assert answer.count == len(answer.bars)
    return [f"{one.timestamp:%H:%M}" for one in answer.bars]


def test_bars_are_the_newest_closed_ones_or_the_first_from_a_start(store: BarStore) -> None:
    begins = TUESDAY_NOON - timedelta(hours=1)
    store.put([bar(begins + timedelta(minutes=n), "5000") for n in range(65)])  # the last quarter is still open
    assert quarter_hours(store, 2) == ["16:30", "16:45"]
    assert quarter_hours(store, 10) == ["16:00", "16:15", "16:30", "16:45"]
    assert quarter_hours(store, 2, start=begins) == ["16:00", "16:15"]
    assert quarter_hours(store, 10, start=begins + timedelta(seconds=1)) == ["16:15", "16:30", "16:45"]
    assert quarter_hours(store, 10, end=TUESDAY_NOON - timedelta(minutes=15)) == ["16:00", "16:15", "16:30"]
    assert quarter_hours(store, 10, start=TUESDAY_NOON) == []


def test_pages_from_a_start_have_every_bar_once(store: BarStore) -> None:
    begins = TUESDAY_NOON - timedelta(hours=2)
    store.put([bar(begins + timedelta(minutes=n), "5000") for n in range(0, 120, 7)])
    whole = read_bars(store, "ES", "5m", begins, None, 10_000, simulated=False)
    assert whole.next is None
    following: datetime | None = begins
    seen: list[OhlcvBar] = []
    while following is not None:
        page = read_bars(store, "ES", "5m", following, None, 3, simulated=False)
        seen.extend(page.bars)
        following = page.next
    assert tuple(seen) == whole.bars
    assert len(seen) == 18
