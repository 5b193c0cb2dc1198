"""Web asks feeds for candles: it waits two seconds at most, believes only what it asked for, and guards its secret."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import msgspec
import pytest
from msgspec.structs import replace

from services.ops import feeds_candles
from services.ops.beside_call import Bounds
from services.ops.feeds_candles import BOUNDS, MOST_AT_ONCE, CandlesAsked, FeedsCandles, NoCandles, TooManyAsk
from tests.support.desk_process import PATIENCE_SECONDS, eventually
from tests.support.feeds_stand_in import http, program
from tests.support.own_time import Stopwatch
from tests.support.ports import free_port
from wire.candles import StoredCandle, StoredCandles

SECRET = "the-secret-of-the-services"
NOON = datetime(2026, 11, 20, 17, 0, tzinfo=UTC)
ASKED = CandlesAsked("ES", "15m", NOON, 2, simulated=False)
CANDLE = StoredCandle(
    t=NOON,
    o=Decimal("5250.25"),
    h=Decimal(5252),
    l=Decimal(5250),
    c=Decimal(5251),
    v=None,
    complete=True,
    source="ticks",
)
PAGE = StoredCandles(asset="ES", timeframe="15m", simulated=False, candles=(CANDLE,), before=None)


def said(page: Any = PAGE) -> bytes:
    return http(msgspec.json.encode(page))


def refusal(url: str | None, secret: str | None = SECRET) -> str:
    """Return the sentence with which a page of candles is refused."""
    with pytest.raises(NoCandles) as refused:
        FeedsCandles(url, secret).page(ASKED)
    return str(refused.value)


def test_the_page_is_what_feeds_says() -> None:
    with program(said()) as feeds:
        assert FeedsCandles(feeds.url, SECRET).page(ASKED) == PAGE


def test_the_question_names_everything() -> None:
    seconds = int(NOON.timestamp())
    assert ASKED.path() == f"/api/candles?symbol=ES&timeframe=15m&limit=2&before={seconds}&simulated=0"
    assert "before" not in replace(ASKED, before=None).path()
    assert "before=0&" in replace(ASKED, before=datetime(1492, 10, 12, tzinfo=UTC)).path()
    assert "before=4102444800&" in replace(ASKED, before=datetime(2300, 1, 1, tzinfo=UTC)).path()


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (said(replace(PAGE, asset="NQ")), "no feeds of this version"),
        (said(replace(PAGE, timeframe="5m")), "no feeds of this version"),
        (said(replace(PAGE, simulated=True)), "no feeds of this version"),
        (said({"ok": True}), "no feeds of this version"),
        (http(b"<html>It works!</html>"), "no feeds of this version"),
        (http(b'{"candles": "' + b"x" * BOUNDS.longest + b'"}'), "no feeds of this version"),
        (http(b"", "HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/"), "no feeds of this version"),
        (http(b"{}", "HTTP/1.1 404 Not Found"), "no feeds of this version"),
        (http(b"{}", "HTTP/1.1 403 Forbidden"), "the same SERVICE_SECRET"),
        (http(b"{}", "HTTP/1.1 503 Service Unavailable"), "cannot read its bars"),
        (b"SSH-2.0-OpenSSH_9.2\r\n", "no feeds of this version"),
        (b"", "no feeds of this version"),
    ],
    ids=[
        *("another asset", "another timeframe", "simulated", "no page", "html", "too long", "leads away"),
        *("a feeds of before", "another secret", "no bars", "no http", "hangs up"),
    ],
)
def test_whatever_else_answers_is_never_believed(answer: bytes, reason: str) -> None:
    with program(answer) as feeds:
        assert reason in refusal(feeds.url)


def test_nobody_waits_longer_than_two_seconds_for_a_feeds_that_dribbles() -> None:
    with program(said(), pause_seconds=0.2) as feeds:
        watch = Stopwatch()
        assert "within 2 s" in refusal(feeds.url)
        assert watch.seconds < BOUNDS.seconds + 0.5


def test_where_nobody_listens_or_nobody_may_be_asked_the_sentence_says_so() -> None:
    assert "nobody listens" in refusal(f"http://127.0.0.1:{free_port()}")
    assert "feeds is off" in refusal(None)
    with program(said()) as feeds:
        assert "SERVICE_SECRET is not set" in refusal(feeds.url, None)
        assert feeds.asked == 0


def test_the_secret_never_travels_readable_across_the_internet() -> None:
    assert "everybody on the way" in refusal("http://feeds.example.com:8765")


def test_more_than_three_questions_at_once_are_refused_and_places_come_free(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(feeds_candles, "BOUNDS", Bounds(seconds=PATIENCE_SECONDS, longest=BOUNDS.longest))
    with program(said()) as feeds, ThreadPoolExecutor(MOST_AT_ONCE) as askers:
        candles = FeedsCandles(feeds.url, SECRET)
        feeds.answers.clear()
        waiting = [askers.submit(candles.page, ASKED) for _ in range(MOST_AT_ONCE)]
        try:
            eventually(lambda: feeds.asked == MOST_AT_ONCE)
            with pytest.raises(TooManyAsk):
                candles.page(ASKED)
        finally:
            feeds.answers.set()
        assert [asked.result() for asked in waiting] == [PAGE] * MOST_AT_ONCE
        assert candles.page(ASKED) == PAGE
