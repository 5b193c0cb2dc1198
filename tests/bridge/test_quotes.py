"""Prices on their way to the paper broker: from the desk's stream over a real link, and from a tape."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.client import DeskClient, DeskUnavailable
from bridge.clock import utc_now
from bridge.jobs import Job, repeat
from bridge.quotes import DeskFeed, PriceFeed, TapeFeed, events_of, lines_of
from tests.support.fakes.desk_server import SECRET, DeskServer
from wire.bridge import Quote, decode_quote


class Listener:
    """Whoever hears the prices."""

    def __init__(self) -> None:
        self.quotes: list[Quote] = []
        self.changed = threading.Condition()

    def __call__(self, quote: Quote) -> None:
        with self.changed:
            self.quotes.append(quote)
            self.changed.notify_all()

    def waits_for(self, price: str) -> Quote:
        with self.changed:
            assert self.changed.wait_for(lambda: any(q.price == Decimal(price) for q in self.quotes), 60)
        return next(quote for quote in self.quotes if quote.price == Decimal(price))


@contextmanager
def following(feed: PriceFeed) -> Iterator[Listener]:
    listener, stop = Listener(), threading.Event()
    job = Job("prices", feed.follow(listener, stop), lambda _: stop.wait(0.01))
    thread = threading.Thread(target=repeat, args=(job, stop), daemon=True)
    thread.start()
    yield listener
    stop.set()
    thread.join(60)


@pytest.fixture
def desk() -> Iterator[DeskServer]:
    with DeskServer() as desk:
        yield desk


def feed_of(desk: DeskServer) -> DeskFeed:
    return DeskFeed(DeskClient(desk.url, SECRET, "bridge"), utc_now)


def test_last_price_comes_on_connect_and_every_price_after(desk: DeskServer) -> None:
    desk.quotes_price(5250.25)
    feed = feed_of(desk)
    with following(feed) as listener:
        assert listener.waits_for("5250.25").symbol == "MESZ6"
        desk.quotes_price(5250.50)
        listener.waits_for("5250.5")
        assert feed.is_live()
    assert not feed.is_live()


def test_stream_that_breaks_is_opened_again(desk: DeskServer) -> None:
    desk.quotes_price(5250.25)
    with following(feed_of(desk)) as listener:
        listener.waits_for("5250.25")
        desk.fails("stream", "cut")
        desk.quotes_price(5251.00)
        listener.waits_for("5251")


def test_stream_is_opened_in_spite_of_failures_at_first(desk: DeskServer) -> None:
    desk.fails("stream", 503, "cut")
    desk.quotes_price(5250.25)
    with following(feed_of(desk)) as listener:
        listener.waits_for("5250.25")


def test_feed_is_not_live_while_nobody_answers(desk: DeskServer) -> None:
    desk.fails("stream", 503)
    feed = feed_of(desk)
    with pytest.raises(DeskUnavailable):
        feed.follow(Listener(), threading.Event())()
    assert not feed.is_live()


def test_unreadable_quote_is_passed_over(desk: DeskServer) -> None:
    desk.quotes["MESZ6"] = {"symbol": "MESZ6", "price": "many"}
    with following(feed_of(desk)) as listener:
        desk.quotes_price(18_000.25, symbol="MNQZ6")
        listener.waits_for("18000.25")
        assert [quote.symbol for quote in listener.quotes] == ["MNQZ6"]


@pytest.mark.parametrize("price", [0, -1])
def test_quote_at_which_no_market_trades_is_passed_over(desk: DeskServer, price: int) -> None:
    desk.quotes["MESZ6"] = {"symbol": "MESZ6", "price": price}
    desk.quotes["MCLF7"] = {"symbol": "MCLF7", "price": -37.63}
    with following(feed_of(desk)) as listener:
        listener.waits_for("-37.63")
        desk.quotes_price(18_000.25, symbol="MNQZ6")
        listener.waits_for("18000.25")
        assert [quote.symbol for quote in listener.quotes] == ["MCLF7", "MNQZ6"]


def test_quote_without_a_time_is_as_old_as_its_receipt() -> None:
    now = datetime(2026, 11, 20, tzinfo=UTC)
    assert decode_quote('{"symbol":"MESZ6","price":5250.10}', now) == Quote("MESZ6", Decimal("5250.10"), now)


def test_quote_from_the_future_is_taken_for_now() -> None:
    now = datetime(2026, 11, 20, tzinfo=UTC)
    quote = decode_quote('{"symbol":"MESZ6","price":5250.10,"ts":"2031-01-01T00:00:00Z"}', now)
    assert quote.at == now


STREAM = (
    b": hb\n\n"
    b'event: quote\ndata: {"symbol":"MESZ6",\ndata:"price":5250.25}\nid: 7\n\n'
    b"data: caf\xc3\xa9\r\n\r\n"
    b"event: empty\n\n"
    b"event: old\rdata: mac\r\r"
    b"event: quote\ndata: unfinished"
)
EVENTS = [
    ("", ""),
    ("quote", '{"symbol":"MESZ6",\n"price":5250.25}'),
    ("message", "café"),
    ("old", "mac"),
]


@given(st.lists(st.integers(1, 40), max_size=60))
def test_events_are_the_same_however_the_stream_is_cut(sizes: list[int]) -> None:
    chunks, rest = [], STREAM
    for size in sizes:
        chunks.append(rest[:size])
        rest = rest[size:]
    assert list(events_of([chunk for chunk in [*chunks, rest] if chunk])) == EVENTS


def test_line_without_end_is_refused() -> None:
    with pytest.raises(DeskUnavailable):
        list(lines_of([b"x" * 40_000] * 2))


def test_tape_plays_as_if_it_were_now(tmp_path: Path) -> None:
    tape = tmp_path / "prices.jsonl"
    tape.write_text(
        '\ufeff{"asset":"ES","symbol":"MESZ6","price":5250.25,"ts":"2024-01-15T14:30:00Z"}\n\n'
        '{"asset":"ES","symbol":"MESZ6","price":0,"ts":"2024-01-15T14:30:00.020Z"}\n'
        '{"asset":"ES","symbol":"MESZ6","price":5250.50,"ts":"2024-01-15T14:30:00.050Z"}\n'
    )
    feed = TapeFeed(tape, utc_now)
    with following(feed) as listener:
        quote = listener.waits_for("5250.5")
        assert utc_now() - quote.at < timedelta(seconds=5)
        assert feed.is_live()
    assert [quote.price for quote in listener.quotes] == [Decimal("5250.25"), Decimal("5250.50")]
