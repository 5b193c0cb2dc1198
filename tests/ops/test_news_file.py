"""The operator's news file: what is read, what refuses the start, what closes the window while web runs (SPEC 5.9)."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from services.engine.model.window import NewsTime
from services.ops.config import Config, ConfigError
from services.ops.market_facts import MarketFactsReader, sessions_after
from services.ops.news_file import NewsUnreadable, read_news
from tests.support.desk_process import SETTINGS

NOW = datetime(2026, 11, 30, 15, 0, tzinfo=UTC)


def written(folder: Path, text: str) -> Path:
    path = folder / "news.csv"
    path.write_text(text, "utf-8")
    return path


def test_times_are_new_yorks_unless_they_say_otherwise(tmp_path: Path) -> None:
    path = written(
        tmp_path,
        '# made by hand\n\n2026-12-09T19:00+00:00, 10, 30, FOMC\n2026-12-04 08:30, 5, 15, "Jobs, wages"\n',
    )
    assert read_news(path) == (
        NewsTime(datetime(2026, 12, 4, 13, 25, tzinfo=UTC), datetime(2026, 12, 4, 13, 45, tzinfo=UTC), "Jobs, wages"),
        NewsTime(datetime(2026, 12, 9, 18, 50, tzinfo=UTC), datetime(2026, 12, 9, 19, 30, tzinfo=UTC), "FOMC"),
    )


def test_a_file_of_a_spreadsheet_and_an_empty_one_are_read(tmp_path: Path) -> None:
    assert len(read_news(written(tmp_path, "\ufeff2026-12-04 08:30,5,15,Jobs\r\n"))) == 1
    assert read_news(written(tmp_path, "")) == ()


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("2026-12-04 08:30, 5, 15", "must be: time, minutes before"),
        ("2026-12-04 08:30, 5, 15, ", "must be: time, minutes before"),
        ("tomorrow, 5, 15, Jobs", "no time such as"),
        ("2026-02-30 08:30, 5, 15, Jobs", "no time such as"),
        ("2026-12-04 08:30, -5, 15, Jobs", "no minutes from 0 to 720"),
        ("2026-12-04 08:30, 5, 721, Jobs", "no minutes from 0 to 720"),
        ("2026-12-04 08:30, five, 15, Jobs", "no minutes from 0 to 720"),
        ("2026-12-04 08:30, 0, 0, Jobs", "has no minutes, neither before nor after"),
    ],
)
def test_a_line_that_cannot_be_read_is_named(tmp_path: Path, line: str, said: str) -> None:
    path = written(tmp_path, f"# first\n{line}\n")
    with pytest.raises(NewsUnreadable, match=f"line 2 .*{said}"):
        read_news(path)


@pytest.mark.parametrize("content", [None, b"\xff\xfe\x00broken"])
def test_a_file_that_cannot_be_read_refuses_the_start(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "news.csv"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(ConfigError, match=r"NEWS_FILE: the news file .* could not be read"):
        Config.from_env({**SETTINGS, "NEWS_FILE": str(path)})


def test_a_file_that_can_be_read_is_kept(tmp_path: Path) -> None:
    path = written(tmp_path, "2026-12-04 08:30, 5, 15, Jobs\n")
    assert Config.from_env({**SETTINGS, "NEWS_FILE": str(path)}).news_file == path
    assert Config.from_env(SETTINGS).news_file is None


def test_a_file_that_vanishes_is_told_and_its_times_go_on_to_count(tmp_path: Path) -> None:
    path = written(tmp_path, "2026-12-04 08:30, 5, 15, Jobs\n2027-01-08 08:30, 5, 15, Jobs\n")
    reader = MarketFactsReader(path)
    reader.read_file()
    told = reader.facts_at(["ES"], NOW)
    assert ([news.begins.day for news in told.news], told.news_fault) == ([4], None)  # the next eight days
    path.unlink()
    reader.read_file()
    told = reader.facts_at(["ES"], NOW)
    assert len(told.news) == 1
    assert "could not be read: FileNotFoundError" in (told.news_fault or "")


def test_sessions_are_those_of_each_markets_calendar() -> None:
    index, currency = sessions_after("ES", NOW), sessions_after("EURUSD", NOW)
    assert (index[0].opens, index[0].closes) == (
        datetime(2026, 11, 29, 23, tzinfo=UTC),
        datetime(2026, 11, 30, 22, tzinfo=UTC),
    )
    assert index[1].opens == datetime(2026, 11, 30, 23, tzinfo=UTC)
    assert currency[1].opens == currency[0].closes
    assert len(index) == 3
