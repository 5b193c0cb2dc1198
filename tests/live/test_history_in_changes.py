"""A change carries the closed trades when one has closed, and at no other time."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import pytest

from services.desk import lease as tenure
from services.desk.manager import StateManager
from services.engine.model.commands import KeepObservations
from services.live.activity import ActivityLog
from services.live.broadcast import Broadcaster
from services.stores.sqlite.store import SqliteStore
from tests.support.builders import rules_for
from tests.support.desk_process import eventually
from tests.support.heard import Heard
from tests.support.stored_trader import StoredTrader

QUOTES = 100


@pytest.fixture
def trader(tmp_path: Path) -> Iterator[StoredTrader]:
    trader = StoredTrader(tmp_path / "desk.sqlite").with_structure("green")
    yield trader
    trader.stops()


def closes_a_trade(trader: StoredTrader) -> StoredTrader:
    return trader.enters("BUY").filled_at(5250.25).exits(force=True).filled_at(5252)


@contextmanager
def listening_to(manager: StateManager) -> Iterator[Heard]:
    broadcaster = Broadcaster(manager, ActivityLog())
    try:
        with Heard(broadcaster) as heard:
            eventually(lambda: heard.of("state"))
            yield heard
    finally:
        broadcaster.stop()


@contextmanager
def standby_of(trader: StoredTrader, monkeypatch: pytest.MonkeyPatch) -> Iterator[StateManager]:
    monkeypatch.setattr(tenure, "LOOK_SECONDS", 0.02)
    rules = rules_for(*trader.assets)
    standby = StateManager(SqliteStore(trader.path), lambda now: rules, lambda: trader.now)
    try:
        yield standby
    finally:
        standby.stop()


def price_told(heard: Heard) -> float | None:
    prices: list[float] = [quote.body["price"] for quote in heard.of("quote")]
    return prices[-1] if prices else None


def has_told(heard: Heard, price: float) -> bool:
    return price_told(heard) == price


def test_a_hundred_quotes_after_a_closed_trade_carry_no_history(trader: StoredTrader) -> None:
    closes_a_trade(trader)
    with listening_to(trader.manager) as heard:
        assert len(heard.of("state")[0].body["history"]) == 1
        for quote in range(QUOTES):
            trader.hears(5252 + quote)
            eventually(partial(has_told, heard, 5252 + quote))
        changes = heard.of("change")
        assert len(changes) >= QUOTES
        assert [change for change in changes if "history" in change.body["patch"]] == []


def test_a_trade_that_closes_while_somebody_listens_is_sent_once(trader: StoredTrader) -> None:
    with listening_to(trader.manager) as heard:
        closes_a_trade(trader).hears(5260)
        eventually(lambda: has_told(heard, 5260))
        told = [change.body["patch"]["history"] for change in heard.of("change") if "history" in change.body["patch"]]
        assert [[trade["exit_price"] for trade in history] for history in told] == [[5252]]


def test_a_hundred_quotes_that_a_standby_follows_carry_no_history_either(
    trader: StoredTrader, monkeypatch: pytest.MonkeyPatch
) -> None:
    with standby_of(trader, monkeypatch) as standby, listening_to(standby) as heard:
        closes_a_trade(trader)
        eventually(lambda: standby.snapshot.history)
        eventually(lambda: [change for change in heard.of("change") if "history" in change.body["patch"]])
        before = len(heard.messages)
        for quote in range(QUOTES):
            trader.hears(5252 + quote).asks(KeepObservations())
        eventually(lambda: has_told(heard, 5252 + QUOTES - 1))
        changes = [told for told in heard.messages[before:] if told.event == "change"]
        assert changes
        assert [change for change in changes if "history" in change.body["patch"]] == []
