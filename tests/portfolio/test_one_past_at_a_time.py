"""A past of the portfolio reads a whole journal: one at a time, the operator's first. Nobody waits in a thread."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from werkzeug.test import TestResponse

from app import create_app
from routes.readers import portfolio
from routes.readers.turns import OPERATOR_COMES_WITHIN_SECONDS, Turns
from services.ops.config import Config
from services.portfolio.history import Span, course_of, history_of
from services.stores.sqlite.store import SqliteStore
from tests.support.desk_process import SERVICE_SECRET, SETTINGS
from wire.keys import SERVICE_HEADER

HISTORY = "/api/portfolio/history"
PROGRAM = {SERVICE_HEADER: SERVICE_SECRET}
OPERATOR: dict[str, str] = {}
BUSY = (503, "too_busy")
SOON = 20


@pytest.fixture
def web(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Flask]:
    """Return web with a desk of its own that anybody operates; nothing else of it runs."""
    monkeypatch.setattr(portfolio, "TURNS", Turns())
    beside = {"SERVICE_SECRET": SERVICE_SECRET, "AGENT_URL": "off", "DASHBOARD_PASSWORD": ""}
    app = create_app(Config.from_env({**SETTINGS, **beside, "SQLITE_PATH": str(tmp_path / "desk.sqlite")}))
    yield app
    app.extensions["lockstep.close"]()


def asked(web: Flask, caller: dict[str, str]) -> TestResponse:
    return web.test_client().get(HISTORY, headers={"Host": "localhost", **caller})


def told(answer: TestResponse) -> tuple[int, Any]:
    return answer.status_code, (answer.json or {}).get("code")


class LongPast:
    """Stands in for a long past: it rests again and again until it may end."""

    def __init__(self, real: Callable[..., Any]) -> None:
        self.has_begun = threading.Event()
        self.may_end = threading.Event()
        self._real = real

    def __call__(self, *args: Any) -> Any:
        """Read it as ``history_of`` does."""
        *given, rest = args
        self.has_begun.set()
        while not self.may_end.is_set():
            rest()
        return self._real(*given, rest)


@pytest.fixture
def long_past(monkeypatch: pytest.MonkeyPatch) -> Iterator[LongPast]:
    past = LongPast(history_of)
    monkeypatch.setattr(portfolio, "history_of", past)
    yield past
    past.may_end.set()


@pytest.mark.parametrize("caller", [OPERATOR, PROGRAM], ids=["operator", "program"])
def test_a_second_one_is_told_at_once_to_ask_again(web: Flask, long_past: LongPast, caller: dict[str, str]) -> None:
    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(asked, web, OPERATOR)
        assert long_past.has_begun.wait(SOON)
        second = asked(web, caller)  # the first one ends only after it: waiting would be for ever
        assert told(second) == BUSY
        assert second.headers["Retry-After"] == str(portfolio.ASK_AGAIN_SECONDS)
        long_past.may_end.set()
        assert first.result(SOON).status_code == 200
    assert asked(web, OPERATOR).status_code == 200


def test_a_programs_reading_is_broken_off_for_the_operator_who_is_next(web: Flask, long_past: LongPast) -> None:
    with ThreadPoolExecutor(1) as pool:
        program = pool.submit(asked, web, PROGRAM)
        assert long_past.has_begun.wait(SOON)
        assert told(asked(web, OPERATOR)) == BUSY
        assert told(program.result(SOON)) == BUSY
        assert told(asked(web, PROGRAM)) == BUSY, "the next turn is the operator's"
        long_past.may_end.set()
        assert asked(web, OPERATOR).status_code == 200
        assert asked(web, PROGRAM).status_code == 200


def test_a_program_breaks_off_nobody(web: Flask, long_past: LongPast) -> None:
    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(asked, web, PROGRAM)
        assert long_past.has_begun.wait(SOON)
        assert told(asked(web, PROGRAM)) == BUSY
        long_past.may_end.set()
        assert first.result(SOON).status_code == 200


def test_a_past_that_cannot_be_read_leaves_the_next_its_turn(web: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    def breaks(*args: object) -> None:
        raise RuntimeError("the store broke off")

    with monkeypatch.context() as broken:
        broken.setattr(portfolio, "history_of", breaks)
        assert asked(web, OPERATOR).status_code == 500
    assert asked(web, OPERATOR).status_code == 200


def test_an_operator_who_does_not_come_again_holds_up_no_program_for_long() -> None:
    now = [100.0]
    turns = Turns(lambda: now[0])
    assert turns.takes(is_operator=False)
    assert not turns.takes(is_operator=True)
    turns.ends()
    assert not turns.takes(is_operator=False)
    now[0] += OPERATOR_COMES_WITHIN_SECONDS
    assert turns.takes(is_operator=False)


@pytest.mark.parametrize("caller", [OPERATOR, PROGRAM], ids=["operator", "program"])
def test_web_rests_between_the_pieces_of_a_past(
    web: Flask, monkeypatch: pytest.MonkeyPatch, caller: dict[str, str]
) -> None:
    rests: list[float] = []
    monkeypatch.setattr(portfolio, "sleep", rests.append)
    assert asked(web, caller).status_code == 200
    assert len(rests) >= 30 // 5
    assert set(rests) == {portfolio.RESTS_SECONDS}


def test_the_days_of_a_span_are_read_piece_by_piece(tmp_path: Path) -> None:
    store = SqliteStore(tmp_path / "desk.sqlite")
    rests: list[None] = []
    last = datetime(2026, 11, 20, 15, tzinfo=UTC)
    course_of(store, Span(last - timedelta(days=399), last), "17:00", lambda: rests.append(None))
    store.close()
    assert len(rests) == 80, "400 days, five at once"
