"""The recorded market of the README: it opens an entry that can be taken, on a desk that no other market has used."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner

from tape.command import tape_command
from tests.data.recorded_tapes import FALL
from tests.support.desk_process import QUICK, TV_SECRET, DeskProcess
from tests.support.paths import REPOSITORY

PRINTED = re.search(r"^make run TAPE=(\S+) SPEED=60$", (REPOSITORY / "README.md").read_text("utf-8"), re.MULTILINE)
SHOW_PLACES = "--eval=places: ; @echo $$SQLITE_PATH $$BRIDGE_LEDGER_PATH $$FEEDS_PATH $$BARS_PATH"


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[DeskProcess]:
    with DeskProcess(tmp_path, **QUICK, ASSETS="ES", CONTRACTS="ES=MESZ4") as running:
        yield running


def plays(desk: DeskProcess, *words: str) -> None:
    environment = {"LOCKSTEP_URL": desk.url, "TV_WEBHOOK_SECRET": TV_SECRET}
    result = CliRunner().invoke(tape_command, [str(FALL), "--speed", "max", *words], env=environment)
    assert result.exit_code == 0, result.output


def test_the_tape_that_the_readme_plays_is_there() -> None:
    assert PRINTED is not None
    assert (REPOSITORY / PRINTED[1]).samefile(FALL)


def test_it_opens_an_entry_that_a_person_can_take_and_win(desk: DeskProcess) -> None:
    operator = desk.operator()
    assert operator.asset()["may_enter"] == []
    plays(desk, "--limit", "9500")  # until after the 12pt brick, into the bounce
    asset = operator.asset()
    assert (asset["may_enter"], asset["suspect_price"]) == (["SELL"], None)
    sold_at = asset["last_price"]
    desk.bridge().fills(operator.enters_when_the_candle_allows(direction="SELL"), sold_at)
    plays(desk, "--from", "2013-09-03T18:11:15")
    held = operator.asset()
    assert held["position"] == -5
    assert held["rithmic_open_points"] == sold_at - held["last_price"] > 3


def places(**settings: str) -> list[str]:
    """Return where ``make run`` with these settings keeps desk, ledger, what feeds has told, and bars."""
    kept = ("SQLITE_PATH", "BRIDGE_LEDGER_PATH", "FEEDS_PATH", "BARS_PATH")
    own = {name: value for name, value in os.environ.items() if name not in kept}
    words = [
        "make",
        "--no-print-directory",
        SHOW_PLACES,
        "places",
        *(f"{name}={text}" for name, text in settings.items()),
    ]
    return subprocess.run(words, cwd=REPOSITORY, env=own, capture_output=True, text=True, check=True).stdout.split()


def test_it_is_played_to_a_desk_of_its_own() -> None:
    desk, ledger, feeds, bars = places(TAPE="any.csv")
    assert re.fullmatch(r"var/recorded/\d{8}T\d{6}Z/lockstep\.sqlite", desk)
    assert ledger == desk.replace("lockstep", "bridge")
    assert feeds == desk.replace("lockstep", "feeds")
    assert bars == desk.replace("lockstep", "bars")  # else the candles of today would have its prices
    assert places(TAPE="any.csv", SQLITE_PATH="var/mine.sqlite")[0] == "var/mine.sqlite"


def test_the_simulated_market_keeps_the_usual_desk() -> None:
    assert places() == []
