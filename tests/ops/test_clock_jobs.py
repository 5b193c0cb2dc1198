"""The clock jobs roll the contracts at the roll date, in a program that runs on."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from services.desk.manager import StateManager
from services.engine.model.state import Desk
from services.ops.clock_jobs import roll_contracts, tick
from services.ops.config import Config
from services.stores.sqlite.store import SqliteStore
from tests.support.builders import new_york
from tests.support.desk_process import BRIDGE_SECRET, FLASK_KEY, TV_SECRET

SECRETS = {"TV_WEBHOOK_SECRET": TV_SECRET, "BRIDGE_HEARTBEAT_SECRET": BRIDGE_SECRET, "FLASK_SECRET_KEY": FLASK_KEY}


class Program:
    """A desk of ES, CL and EURUSD whose clock the test moves."""

    def __init__(self, folder: Path, **settings: str) -> None:
        self.now = new_york("2026-12-11", "17:59")
        self.config = Config.from_env({**SECRETS, "ASSETS": "ES,CL,EURUSD", **settings})
        store = SqliteStore(folder / "desk.sqlite")
        self.manager = StateManager(store, self.config.rules_at, lambda: self.now)

    def at(self, moment: datetime) -> Desk:
        """Run the jobs of that moment; return the desk after them."""
        self.now = moment
        tick(self.manager)
        roll_contracts(self.manager, self.config)
        tick(self.manager)
        return self.manager.snapshot.desk


@pytest.fixture
def program(tmp_path: Path) -> Iterator[Program]:
    running = Program(tmp_path)
    yield running
    running.manager.stop()


def contracts(desk: Desk) -> dict[str, str]:
    return {symbol: asset.contract.symbol for symbol, asset in desk.assets.items()}


def test_a_desk_that_runs_trades_the_next_contract_from_the_roll_date_on(program: Program) -> None:
    roll = new_york("2026-12-11", "18:00")  # Friday evening: from here on it is Monday's trade date
    assert contracts(program.at(roll - timedelta(seconds=1)))["ES"] == "MESZ6"
    rolled = program.at(roll)
    assert contracts(rolled) == {"ES": "MESH7", "CL": "MCLF7", "EURUSD": "EURUSD"}
    dates = rolled.assets["ES"].contract.dates
    assert dates is not None
    assert dates.next_contract == "MESM7"
    assert [(alert.asset, alert.code) for alert in rolled.alerts] == [
        ("ES", "contract_rolls_soon"),
        ("ES", "contract_rolls"),
        ("CL", "contract_rolls_soon"),  # on Wednesday
    ]
    assert contracts(program.at(new_york("2026-12-15", "18:00")))["CL"] == "MCLG7"


def test_a_contract_that_is_set_by_hand_stays_and_is_warned_of(tmp_path: Path) -> None:
    program = Program(tmp_path, CONTRACTS="ES=MESZ6")
    desk = program.at(new_york("2026-12-18", "09:30"))
    assert contracts(desk)["ES"] == "MESZ6"
    assert "contract_expired" in [alert.code for alert in desk.alerts]
    program.manager.stop()
