"""Files of other programs as tapes: what the operator says of them, and what is told of rows that are not read."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.paths import REPOSITORY
from tests.tape.test_command import run
from tests.tape.test_webhooks import Desk

GALLERY = REPOSITORY / "tests/data/price_files"
KAGGLE = str(GALLERY / "kaggle_es_minutes.csv")


@pytest.fixture
def desk() -> Iterator[Desk]:
    desk = Desk()
    yield desk
    desk.close()


def test_a_file_is_checked_without_a_desk_and_without_a_secret(desk: Desk) -> None:
    result = run(desk, KAGGLE, "--check", "--time-zone", "America/New_York", TV_WEBHOOK_SECRET="")
    assert result.exit_code == 0
    assert result.output.splitlines()[:4] == [
        "kaggle_es_minutes.csv: bars of 60 s, with the time of their start.",
        "3 rows, the first 2024-01-15 14:30:00 UTC 4783.25 4784.5 4782.75 4784, "
        "the last 2024-01-15 14:36:00 UTC 4784 4784.5 4783 4783.25.",
        "5 rows refused:",
        "  line 4: the close 0 lay outside 4783.5 to 4785",
    ]
    assert desk.tries == []


def test_what_a_file_does_not_say_is_asked_for_by_option(desk: Desk) -> None:
    result = run(desk, KAGGLE, "--check")
    assert result.exit_code == 1
    assert result.output.endswith("its times have no zone: say it by --time-zone, or time_zone in options.toml.\n")
    assert run(desk, "--check").output == "Error: --check needs a FILE.\n"


def test_wrong_rows_are_left_out_of_the_tape_and_told_at_its_end(desk: Desk) -> None:
    result = run(desk, KAGGLE, "--speed", "max", "--time-zone", "America/New_York")
    assert result.exit_code == 0
    assert "Tape ended: 3 ticks" in result.output
    assert "5 rows refused:\n  line 4: the close 0" in result.output
    assert [body["price"] for path, body in desk.taken if path == "/tv_heartbeat"][-1] == 4783.25


def test_five_minute_bars_with_the_time_of_their_end_are_played(desk: Desk, tmp_path: Path) -> None:
    path = tmp_path / "minutes.txt"
    path.write_text("".join(f"20240115 14{minute}00;5000;5000;5000;5000;7\n" for minute in (30, 35, 40)))
    said = ("--asset", "nq", "--time-zone", "Chicago", "--stamped", "end", "--bar-seconds", "300")
    checked = run(desk, str(path), "--check", *said)
    assert "of 300 s, with the time of their end." in checked.output
    assert "the first 2024-01-15 20:25:00 UTC" in checked.output
    played = run(desk, str(path), "--speed", "max", "--from", "2024-01-15T20:35:00", *said)
    assert "Tape ended: 2 ticks" in played.output


@pytest.mark.parametrize("scale", ["0", "-1", "many", "nan"])
def test_a_senseless_scale_is_refused(desk: Desk, scale: str) -> None:
    result = run(desk, KAGGLE, "--check", "--price-scale", scale)
    assert result.exit_code == 1
    assert "--price-scale was" in result.output


def test_prices_are_scaled_and_columns_named(desk: Desk) -> None:
    lean = str(GALLERY / "20131007_spy_minute_trade.csv")
    scaled = run(desk, lean, "--check", "--time-zone", "America/New_York", "--price-scale", "10000")
    assert "167.52 167.65 167.5 167.6" in scaled.output
    others = str(GALLERY / "close_first.txt")
    named = run(desk, others, "--check", "--time-zone", "UTC", "--columns", "time, close, low, high, open")
    assert "09:30:00 UTC 4783.25 4784.5 4782.75 4784" in named.output
