"""A journal of an earlier document schema replays equal: left out is what its program did not record, nothing else."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from msgspec import UNSET

from services.engine.model.wording import Explanation
from services.engine.rules.alerts import explanation_of
from services.history.earlier_schemas import NEW_SINCE
from services.stores.codec import documents
from services.views.asset_view import asset_view
from services.views.rows import alert_view
from tests.support.narrow import known
from tests.support.paths import FIXTURES
from tests.support.stored_trader import StoredTrader

OF_SCHEMA_2 = ("sqlite_schema_2", "sqlite_schema_3", "sqlite_schema_4", "sqlite_schema_5", "journal_schema_2")


def file_of(fixture: str, path: Path) -> Path:
    """Put a file back as its program left it."""
    connection = sqlite3.connect(path)
    connection.executescript((FIXTURES / f"{fixture}.sql").read_text("utf-8"))
    connection.close()
    return path


@pytest.fixture
def old(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[StoredTrader]:
    """The morning after, by today's program, on a file of document schema 2."""
    path = file_of(getattr(request, "param", "journal_schema_2"), tmp_path / "desk.sqlite")
    trader = StoredTrader(path, assets=("ES", "NQ"), at="09:45:00")
    yield trader
    trader.stops()


def rewrites_event(trader: StoredTrader, kind: str, change: Any) -> int:
    """Change the last stored event of that kind behind the desk's back."""
    row = [row for row in trader.rows if f'"{kind}"'.encode() in row.events][-1]
    told = msgspec.json.decode(row.events)
    change(next(event for event in told if event["type"] == kind))
    with sqlite3.connect(trader.path) as connection:
        connection.execute(
            "UPDATE journal SET events = ? WHERE sequence = ?", (msgspec.json.encode(told), row.sequence)
        )
    return row.sequence


@pytest.mark.parametrize("old", OF_SCHEMA_2, indirect=True)
def test_an_old_journal_is_equal_and_stays_so_while_todays_program_goes_on(old: StoredTrader) -> None:
    assert old.replays().is_equal, old.replays().sentences
    old.goes_silent().later(600).ticks()
    old.at("09:56:00").keeps_snapshot()
    replay = old.replays()
    assert replay.is_equal, replay.sentences
    assert {row.schema for row in old.rows} == {2, documents.SCHEMA}


def test_what_an_old_alert_says_is_compared_though_its_facts_are_not(old: StoredTrader) -> None:
    sequence = rewrites_event(old, "AlertRaised", lambda event: event["alert"].update(sentence="ALL IS WELL"))
    replay = old.replays()
    assert replay.unequal_rows == (sequence,)
    assert "AlertRaised.alert.sentence" in replay.sentences[0]


@pytest.mark.parametrize("change", [lambda facts: facts.clear(), lambda facts: facts.update(max_age_seconds=601)])
def test_facts_that_todays_program_recorded_are_compared(old: StoredTrader, change: Callable[..., Any]) -> None:
    old.goes_silent().later(600).ticks()
    sequence = rewrites_event(old, "AlertRaised", lambda event: change(event["alert"]["facts"]))
    assert old.replays().unequal_rows == (sequence,)


def test_facts_that_are_missing_from_a_row_of_today_are_noticed(old: StoredTrader) -> None:
    old.goes_silent().later(600).ticks()
    sequence = rewrites_event(old, "AlertRaised", lambda event: event["alert"].pop("facts"))
    assert old.replays().unequal_rows == (sequence,)


def test_an_alert_of_before_says_title_and_detail_and_no_facts(old: StoredTrader) -> None:
    rejected, refused, warned = old.desk.alerts[:3]
    assert [alert.facts for alert in (rejected, refused, warned)] == [UNSET] * 3
    assert explanation_of(rejected) == Explanation("order_rejected", "ORDER REJECTED", "BUY 5 MNQZ6 (no margin)")
    shown = alert_view(warned, old.desk, {})
    assert (shown.title, shown.facts) == ("70 % OF THE DAILY STOP", {})
    assert shown.sentence == f"{shown.title} — {shown.detail}" == warned.sentence


def test_a_preorder_that_was_refused_before_shows_its_reason_alone(old: StoredTrader) -> None:
    shown = asset_view(old.desk, old.desk.assets["ES"], old.now)
    assert shown.preorder_refusal is None
    assert known(shown.preorder_reason).startswith("5 MIN LOCK ACTIVE — one trade already used this candle (")


def test_a_preorder_that_is_refused_today_keeps_why_without_the_time_that_was_left(tmp_path: Path) -> None:
    trader = StoredTrader(tmp_path / "desk.sqlite", assets=("ES", "NQ")).with_structure("green", "NQ")
    trader.with_structure("green", "ES").preorders("BUY", "ES").enters("BUY", "NQ").brick(6, "green", asset="ES")
    shown = asset_view(trader.desk, trader.restarts().desk.assets["ES"], trader.now)
    assert msgspec.to_builtins(shown.preorder_refusal) == {
        "code": "gate_closed",
        "title": "5 MIN LOCK ACTIVE",
        "detail": "one trade already used this candle",
        "facts": {"lock": "5 MIN LOCK", "candle_seconds": 300, "remaining_s": 230, "gate": "candle_lock"},
    }
    assert shown.preorder_reason == "5 MIN LOCK ACTIVE — one trade already used this candle (03:50 remaining)"
    assert trader.replays().is_equal
    trader.stops()


def test_what_is_left_out_is_of_schemas_up_to_todays() -> None:
    assert set(NEW_SINCE) <= set(range(2, documents.SCHEMA + 1))
