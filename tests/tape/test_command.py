"""The command as an operator runs it: what it plays by default, and the sentence when it cannot."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from tape import command
from tape.command import asset_of, tape_command
from tests.support.desk_process import PATIENCE_SECONDS
from tests.support.paths import REPOSITORY
from tests.tape.test_webhooks import Desk

EXTRACT = str(REPOSITORY / "tests/fixtures/es_ticks_20130901_extract.csv.gz")


@pytest.fixture
def desk() -> Iterator[Desk]:
    desk = Desk()
    yield desk
    desk.close()


def run(desk: Desk, *words: str, **environment: str) -> Result:
    environment = {"LOCKSTEP_URL": desk.url, "TV_WEBHOOK_SECRET": "s3cret", **environment}
    return CliRunner().invoke(tape_command, [*words], env=environment)


def test_a_file_is_played_to_its_end(desk: Desk) -> None:
    result = run(desk, EXTRACT, "--speed", "max")
    assert result.exit_code == 0
    assert "Playing es_ticks_20130901_extract.csv.gz as ES" in result.output
    assert "Tape ended: 20,000 ticks" in result.output
    assert "bricks 1:13 2.5:0 4:0 6:0 8:0 12:0, 0 retries" in result.output
    assert {body["secret"] for _, body in desk.taken} == {"s3cret"}
    assert not any("source" in body for _, body in desk.taken)


def test_without_a_file_the_market_is_simulated_and_says_so(desk: Desk) -> None:
    result = run(desk, "--seed", "5", "--limit", "300", "--speed", "max", "--asset", "nq")
    assert result.exit_code == 0
    assert "Playing simulated market, seed 5 as NQ" in result.output
    assert {body["source"] for _, body in desk.taken} == {"simulated"}
    assert {body.get("symbol") or body["asset"] for _, body in desk.taken} == {"NQ"}


def test_the_bricks_are_as_wide_as_the_desks_unit_says(desk: Desk) -> None:
    result = run(desk, EXTRACT, "--speed", "max", POINT_UNIT_ES="0.5", POINT_UNIT_NQ="nonsense of another asset")
    assert result.exit_code == 0
    closes = [Decimal(str(brick["close"])) for brick in desk.bricks() if "|1|" in brick["bar_id"]]
    assert len(closes) > 13
    assert {close % Decimal("0.5") for close in closes} == {0}
    assert any(close % 1 for close in closes)


@pytest.mark.parametrize("unit", ["one", "0.25", "0"])
def test_a_unit_that_the_desk_refuses_is_refused(desk: Desk, unit: str) -> None:
    result = run(desk, EXTRACT, POINT_UNIT_ES=unit)
    assert result.exit_code == 1
    assert f"POINT_UNIT_ES was {unit!r}" in result.output or f"POINT_UNIT_ES was {unit}," in result.output
    assert desk.taken == []


def test_a_second_run_is_not_a_duplicate(desk: Desk) -> None:
    for _ in range(2):
        run(desk, EXTRACT, "--speed", "max")
    ids = [brick["bar_id"] for brick in desk.bricks()]
    assert len(set(ids)) == len(ids) == 26


def test_a_tape_can_begin_later(desk: Desk) -> None:
    result = run(desk, EXTRACT, "--speed", "0", "--from", "2013-09-02T07:00:00")
    assert result.exit_code == 0
    assert "Tape ended: 1,956 ticks" in result.output


@pytest.mark.parametrize(
    ("name", "asset"),
    [
        ("us30_ticks_20230628_renkodf.csv.gz", "US30"),
        ("es_1m_2013_lean.csv.gz", "ES"),
        ("xauusd_ticks.csv", "XAUUSD"),
        ("my_recording.csv", "ES"),
        ("CME_MINI_NQ1!, 1.csv", "NQ"),
        ("YM 03-24.Last.txt", "YM"),
    ],
)
def test_the_asset_is_in_the_name_of_the_file(name: str, asset: str) -> None:
    assert asset_of(Path(name)) == asset
    assert asset_of(None) == "ES"


@pytest.mark.parametrize(
    ("name", "sentence"),
    [("ES_NQ.csv", "The name has ES and NQ: say --asset."), ("BTC-USD.csv", "BTCUSD is not traded: say --asset")],
)
def test_a_name_that_does_not_say_what_is_played_needs_an_asset(
    desk: Desk, tmp_path: Path, name: str, sentence: str
) -> None:
    path = tmp_path / name
    path.write_text("time_utc,price\n2024-01-02T14:30:00Z,4783.25\n")
    assert sentence in run(desk, str(path), "--check").output
    assert run(desk, str(path), "--check", "--asset", "ES").exit_code == 0


def test_a_missing_secret_is_one_sentence(desk: Desk) -> None:
    result = run(desk, "--limit", "1", TV_WEBHOOK_SECRET="")
    assert result.exit_code == 1
    assert result.output == "Error: TV_WEBHOOK_SECRET is not set: put it into .env or the environment.\n"
    assert desk.tries == []


def test_a_refused_secret_is_one_sentence(desk: Desk) -> None:
    desk.answers = [401]
    result = run(desk, EXTRACT, "--speed", "max")
    assert result.exit_code == 1
    assert "Error: /tv_heartbeat answered 401: the desk refused TV_WEBHOOK_SECRET." in result.output


def test_a_desk_that_never_answers_is_one_sentence(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(command, "DESK_PATIENCE_SECONDS", 0.2)
    desk.close()
    result = run(desk, EXTRACT)
    assert result.exit_code == 1
    assert f"Error: The desk at {desk.url} did not answer within 0 s." in result.output


def test_a_file_that_is_no_tape_is_one_sentence(desk: Desk, tmp_path: Path) -> None:
    path = tmp_path / "es_notes.csv"
    path.write_text("time_utc,price\n2013-09-01T22:00:00Z,cheap\n")
    result = run(desk, str(path))
    assert result.exit_code == 1
    assert "Error: es_notes.csv, line 2: the price was 'cheap', must be a number." in result.output


@pytest.mark.parametrize("speed", ["-1", "fast", "nan", "inf"])
def test_a_senseless_speed_is_refused(desk: Desk, speed: str) -> None:
    result = run(desk, "--speed", speed)
    assert result.exit_code == 2
    assert "speed was" in result.output


def test_the_same_seed_plays_the_same_bricks(desk: Desk) -> None:
    for _ in range(2):
        assert run(desk, "--seed", "5", "--limit", "500", "--speed", "max").exit_code == 0
    closes = [brick["close"] for brick in desk.bricks()]
    assert len(closes) > 20
    assert closes[: len(closes) // 2] == closes[len(closes) // 2 :]
    assert run(desk, "--seed", "five").exit_code == 2


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
@pytest.mark.parametrize("words", [["--seed", "1"], [EXTRACT, "--speed", "max", "--stay"]], ids=["playing", "staying"])
def test_a_signal_ends_the_command_cleanly(desk: Desk, number: signal.Signals, words: list[str]) -> None:
    process = subprocess.Popen(
        [sys.executable, "-c", "from tape.command import tape_command; tape_command()", *words],
        cwd=REPOSITORY,
        env={**os.environ, "LOCKSTEP_URL": desk.url, "TV_WEBHOOK_SECRET": "s3cret"},
        stdin=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    wait_until_quiet(desk)
    process.send_signal(number)
    _, told = process.communicate(timeout=PATIENCE_SECONDS)
    assert process.returncode == 0
    assert "Tape stopped" in told or "Tape ended" in told


def wait_until_quiet(desk: Desk) -> None:
    """Let the command get going: to its first messages, or to the end of a tape."""
    gives_up_at = time.monotonic() + PATIENCE_SECONDS
    while not desk.taken and time.monotonic() < gives_up_at:
        time.sleep(0.05)
    time.sleep(1.0)


def test_the_secret_is_not_sent_over_http_through_the_internet(desk: Desk) -> None:
    result = run(desk, EXTRACT, "--url", "http://desk.example.com")
    assert result.exit_code == 1
    assert "must be https" in result.output
    assert desk.taken == []
