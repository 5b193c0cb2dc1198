"""Which forecasts held: each is made once and settled by its bar, and the file outlives the program."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from advisor import database
from advisor.coverage import COUNTED, KEPT, NO_OUTCOMES, Coverage, CoverageBook, CoverageUnusable, Forecast, Outcomes
from advisor.ml.forecast import Held
from wire.ml_engine import RangeMethod

QUARTER = 900


def forecast(number: int, high: float = 110.0, low: float = 90.0, method: RangeMethod = "hour") -> Forecast:
    as_of = number * QUARTER
    return Forecast(
        symbol="ES",
        timeframe="15m",
        quantile=0.8,
        as_of=as_of,
        ends_at=as_of + QUARTER,
        method=method,
        model="a-card",
        high=high,
        low=low,
        exact_high=high - 0.2,
        exact_low=low + 0.2,
    )


@pytest.fixture
def file(tmp_path: Path) -> Iterator[Coverage]:
    with closing(Coverage(tmp_path / "advisor.sqlite")) as file:
        yield file


def test_a_forecast_holds_on_each_side_when_its_bar_stays_within(file: Coverage) -> None:
    for number in range(4):
        assert file.note(forecast(number))
    within, above, never = file.open_forecasts("ES", "15m")[:3]
    file.settle(within, 110.0, 90.0)  # touching the edge is within
    file.settle(above, 110.25, 95.0)
    file.settle(never, None, None)
    assert file.held("ES", "15m", 0.8, "hour") == Outcomes(drawn=Held(1, 2, 2), exact=Held(0, 1, 2))
    assert [one.as_of for one in file.open_forecasts("ES", "15m")] == [3 * QUARTER]
    assert file.held("ES", "5m", 0.8, "hour") == file.held("NQ", "15m", 0.8, "hour") == NO_OUTCOMES


def test_a_bar_is_forecast_once_whatever_is_said_of_it_later(file: Coverage) -> None:
    assert file.note(forecast(1))
    assert not file.note(forecast(1, high=200.0))
    [kept] = file.open_forecasts("ES", "15m")
    assert kept.high == 110.0


def test_what_one_method_did_is_not_told_of_another(file: Coverage) -> None:
    """A model that has answered nothing yet begins unmeasured; the night's new table goes on with the table's count."""
    for number in range(30):
        file.note(forecast(number))
        file.settle(forecast(number), 100.0, 100.0)
    assert file.held("ES", "15m", 0.8, "hour").drawn == Held(30, 30, 30)
    assert file.held("ES", "15m", 0.8, "model") == NO_OUTCOMES
    assert file.held("ES", "15m", 0.8, "model").drawn.shares == (None, None)
    file.note(forecast(30, method="model"))
    file.settle(forecast(30, method="model"), 120.0, 100.0)
    assert file.held("ES", "15m", 0.8, "model").drawn == Held(0, 1, 1)
    assert file.held("ES", "15m", 0.8, "hour").drawn == Held(30, 30, 30)


def test_the_last_five_hundred_count(file: Coverage) -> None:
    for number in range(COUNTED + 40):
        file.note(forecast(number))
        [made] = file.open_forecasts("ES", "15m")
        file.settle(made, 120.0 if number < 40 else 100.0, 100.0)
    assert file.held("ES", "15m", 0.8, "hour").drawn == Held(COUNTED, COUNTED, COUNTED)


def test_what_is_known_outlives_a_restart_and_old_forecasts_go(tmp_path: Path) -> None:
    path = tmp_path / "advisor.sqlite"
    with closing(Coverage(path)) as file:
        for number in range(KEPT + 300):
            file.note(forecast(number))
        file.settle(forecast(KEPT + 299), 100.0, 100.0)
        file.prune()
    with closing(Coverage(path)) as file:
        assert len(file.open_forecasts("ES", "15m")) == KEPT - 1
        assert file.held("ES", "15m", 0.8, "hour").drawn == Held(1, 1, 1)


def test_a_file_of_a_newer_program_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "advisor.sqlite"
    with closing(sqlite3.connect(path)) as file:
        file.execute("PRAGMA user_version=99")
    with pytest.raises(CoverageUnusable, match="start the newer program"):
        Coverage(path)


def test_all_steps_together_are_the_schema() -> None:
    steps = "".join(step.read_text("utf-8") for step in sorted(database.MIGRATIONS.glob("*.sql")))
    with closing(sqlite3.connect(":memory:")) as by_steps, closing(sqlite3.connect(":memory:")) as whole:
        by_steps.executescript(steps)
        whole.executescript(database.SCHEMA.read_text("utf-8"))
        said = [
            one.execute("SELECT type, name, tbl_name FROM sqlite_master ORDER BY name").fetchall()
            for one in (by_steps, whole)
        ]
        tables = [name for kind, name, _ in said[0] if kind == "table"]
        columns = [
            [one.execute(f"PRAGMA table_info({name})").fetchall() for name in tables] for one in (by_steps, whole)
        ]
    assert said[0] == said[1]
    assert columns[0] == columns[1]


def test_while_the_file_cannot_be_used_nothing_is_known_and_nothing_fails(tmp_path: Path) -> None:
    path = tmp_path / "advisor.sqlite"
    path.mkdir()
    book = CoverageBook(path)
    book.note(forecast(1))
    assert book.held("ES", "15m", 0.8, "hour") == NO_OUTCOMES
    assert book.open_forecasts("ES", "15m") == []
    assert book.trouble is not None
    path.rmdir()
    book.note(forecast(1))
    assert book.trouble is None
    assert len(book.open_forecasts("ES", "15m")) == 1
    book.close()
