"""The minutes that the advisor reads from feeds: closed, in pages, for programs with the secret alone."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import msgspec
import pytest
import requests

from feeds.bars.store import BarStore
from feeds.bars.types import Bar
from tests.support.data_floor import BEGINS, minutes
from tests.support.desk_process import PATIENCE_SECONDS, SERVICE_SECRET
from tests.support.feeds_process import FeedsProcess
from tests.support.ports import free_port
from wire.keys import SERVICE_HEADER
from wire.minutes import MINUTES_PATH, STORED_PATH, MinuteRow, StoredMinutes, StoredSymbols

FIRST = int(BEGINS.timestamp())


@pytest.fixture(scope="module")
def feeds(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FeedsProcess]:
    """Feeds without a web, with 150 minutes of ES, some simulated ones and the minute that runs."""
    folder = tmp_path_factory.mktemp("minutes")
    with FeedsProcess(f"http://127.0.0.1:{free_port()}", folder) as feeds:
        now = int(time.time()) // 60 * 60
        flat = Decimal(100)
        runs = [Bar("NQ", now + 60 * n, flat, flat, flat, flat, None, "ticks") for n in range(-3, 10)]
        with closing(BarStore(folder / "bars.sqlite")) as store:
            store.put(minutes("ES", (5000 + n / 4 for n in range(150))))
            store.put(minutes("ES", (9000, 9001), source="simulated"))
            store.put(runs)
        yield feeds


def asked(
    feeds: FeedsProcess, path: str = MINUTES_PATH, secret: str | None = SERVICE_SECRET, **query: Any
) -> requests.Response:
    headers = {} if secret is None else {SERVICE_HEADER: secret}
    return requests.get(feeds.url() + path, params=query, headers=headers, timeout=PATIENCE_SECONDS)


def page(answer: requests.Response) -> StoredMinutes:
    assert answer.status_code == 200, answer.text
    return msgspec.json.decode(answer.content, type=StoredMinutes)


@pytest.mark.processes
def test_pages_are_read_by_next_until_there_is_none(feeds: FeedsProcess) -> None:
    seen: list[MinuteRow] = []
    after: int | None = 0
    while after is not None:
        found = page(asked(feeds, symbol="ES", after=after, limit=40))
        seen += found.minutes
        after = found.next
    assert [row.t for row in seen] == [FIRST + 60 * n for n in range(150)]
    assert {row.source for row in seen} == {"provider"}
    assert (seen[1].o, seen[1].v) == (Decimal("5000.25"), None)


@pytest.mark.processes
def test_without_after_the_newest_are_told_and_the_two_markets_are_never_mixed(feeds: FeedsProcess) -> None:
    newest = page(asked(feeds, symbol="ES", limit=3))
    assert [row.t for row in newest.minutes] == [FIRST + 60 * n for n in (147, 148, 149)]
    assert newest.next is None
    before = page(asked(feeds, symbol="ES", limit=2, before=FIRST + 60 * 10))
    assert [row.t for row in before.minutes] == [FIRST + 60 * n for n in (8, 9)]
    simulated = page(asked(feeds, symbol="ES", simulated=1))
    assert [row.c for row in simulated.minutes] == [9000, 9001]


@pytest.mark.processes
def test_the_minute_that_runs_is_not_told(feeds: FeedsProcess) -> None:
    newest = page(asked(feeds, symbol="NQ"))
    assert newest.minutes
    assert all(row.t + 60 <= time.time() for row in newest.minutes)


@pytest.mark.processes
def test_what_is_stored_of_each_symbol_is_told(feeds: FeedsProcess) -> None:
    answer = asked(feeds, STORED_PATH)
    stored = msgspec.json.decode(answer.content, type=StoredSymbols).symbols
    rows = {(row.symbol, row.simulated): row for row in stored}
    assert set(rows) == {("ES", False), ("ES", True), ("NQ", False)}
    assert (rows["ES", False].rows, rows["ES", False].first_t) == (150, FIRST)
    assert datetime.fromtimestamp(rows["ES", False].last_t, UTC) > BEGINS


@pytest.mark.processes
@pytest.mark.parametrize(
    ("query", "status", "code"),
    [
        ({"symbol": "ES", "secret": None}, 403, "service_only"),
        ({"symbol": "ES", "secret": "service-secret-of-another"}, 403, "service_only"),
        ({}, 400, "invalid_query"),
        ({"symbol": "AAPL"}, 400, "invalid_query"),
        ({"symbol": "ES", "limit": "10001"}, 400, "invalid_query"),
        ({"symbol": "ES", "after": "-1"}, 400, "invalid_query"),
        ({"symbol": "ES", "before": "now"}, 400, "invalid_query"),
        ({"symbol": "ES", "simulated": "2"}, 400, "invalid_query"),
    ],
    ids=str,
)
def test_a_wrong_question_is_refused(feeds: FeedsProcess, query: dict[str, Any], status: int, code: str) -> None:
    answer = asked(feeds, **query)
    assert (answer.status_code, answer.json()["error"]["code"]) == (status, code)


@pytest.mark.processes
def test_what_is_stored_is_told_to_programs_with_the_secret_alone(feeds: FeedsProcess) -> None:
    assert asked(feeds, STORED_PATH, secret=None).status_code == 403
