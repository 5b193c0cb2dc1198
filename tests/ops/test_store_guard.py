"""What this machine had opened before speaks against another store of the same day (SPEC 5.9)."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from services.desk.manager import StateManager
from services.engine.model.bridge_commands import HearBridge, TakeSnapshot
from services.engine.model.commands import SwitchEnv, TickClock
from services.engine.model.store_doubts import ConfirmStore, StoreDoubt
from services.ops.config import Config
from services.ops.opened_stores import folder_of_opened, read_opened
from services.ops.store_guard import StoreGuard
from services.stores.sqlite.store import SqliteStore
from tests.support.builders import new_york, rules_for
from tests.support.desk_process import SETTINGS


class Program:
    """A desk with its store and its guard; the test moves its clock and lets the guard look."""

    def __init__(self, folder: Path, name: str, now: datetime) -> None:
        self.now = now
        path = folder / name
        self.manager = StateManager(SqliteStore(path), lambda _: rules_for("ES"), lambda: self.now)
        self.guard = StoreGuard(folder / "opened", str(path))

    def looks(self, seconds: float = 1) -> StoreDoubt | None:
        """Let time pass and the guard look; return what the desk doubts then, None when it is confirmed."""
        self.now += timedelta(seconds=seconds)
        self.manager.submit(TickClock())
        self.guard.look(self.manager)
        doubt = self.manager.snapshot.desk.store_doubt
        return None if doubt is None or doubt.confirmed else doubt

    def is_of(self, account: str) -> Program:
        """Hear a bridge that names the account."""
        self.manager.submit(HearBridge(ts_connected=True, envs=("DEMO", "LIVE"), account=account))
        return self

    def trades_live(self) -> Program:
        self.manager.submit(HearBridge(ts_connected=True, envs=("DEMO", "LIVE")))
        self.manager.submit(SwitchEnv("LIVE"))
        assert self.manager.snapshot.desk.env == "LIVE"
        return self


MORNING = new_york("2026-11-17", "09:30")
Opens = Callable[..., Program]


@pytest.fixture
def opens(tmp_path: Path) -> Iterator[Opens]:
    running: list[Program] = []

    def opened(name: str, now: datetime = MORNING) -> Program:
        running.append(Program(tmp_path, name, now))
        return running[-1]

    yield opened
    for program in running:
        program.manager.stop()


def closes(program: Program) -> datetime:
    """End the program; return the time."""
    program.manager.stop()
    return program.now


def test_the_first_store_of_a_machine_is_doubted_by_nothing(opens: Opens, tmp_path: Path) -> None:
    program = opens("first.sqlite").is_of("SIM1")
    assert program.looks() is None
    [kept] = read_opened(tmp_path / "opened")
    assert (kept.where, kept.uses["DEMO"].account) == (str(tmp_path / "first.sqlite"), "SIM1")


@pytest.mark.parametrize(("account", "code"), [("SIM1", "newer_store"), ("SIM2", None)])
def test_another_store_for_the_same_account_is_doubted(opens: Opens, account: str, code: str | None) -> None:
    first = opens("first.sqlite").is_of("SIM1")
    first.looks()
    second = opens("second.sqlite", closes(first)).is_of(account)
    doubt = second.looks()
    assert (doubt and doubt.code) == code
    assert doubt is None or "first.sqlite was used for SIM1 today, until 14:30:01 UTC" in doubt.detail


def test_a_restart_of_the_doubted_store_does_not_end_the_doubt(opens: Opens) -> None:
    first = opens("first.sqlite").is_of("SIM1")
    first.looks()
    second = opens("second.sqlite", closes(first)).is_of("SIM1")
    second.looks(60)
    again = opens("second.sqlite", closes(second)).is_of("SIM1")
    assert again.looks(60) is not None


def test_after_the_confirmation_it_is_the_one_in_use_and_the_first_is_doubted(opens: Opens) -> None:
    first = opens("first.sqlite").is_of("SIM1")
    first.looks()
    second = opens("second.sqlite", closes(first)).is_of("SIM1")
    second.looks()
    second.manager.submit(ConfirmStore("a new database"))
    assert second.looks() is None
    second = opens("second.sqlite", closes(second)).is_of("SIM1")
    assert second.looks() is None
    back = opens("first.sqlite", closes(second)).is_of("SIM1").looks()
    assert back is not None
    assert "second.sqlite" in back.detail


def test_a_store_of_yesterday_says_nothing(opens: Opens) -> None:
    first = opens("first.sqlite").is_of("SIM1")
    first.looks()
    closes(first)
    assert opens("second.sqlite", new_york("2026-11-17", "18:00")).is_of("SIM1").looks() is None


def test_an_older_copy_of_the_store_is_doubted(opens: Opens, tmp_path: Path) -> None:
    first = opens("desk.sqlite").is_of("SIM1")
    first.looks()
    moment = closes(first)
    shutil.copy(tmp_path / "desk.sqlite", tmp_path / "copy.sqlite")
    later = opens("desk.sqlite", moment).is_of("SIM1")
    assert later.looks(60) is None
    older = opens("copy.sqlite", closes(later)).is_of("SIM1").looks()
    assert older is not None
    assert older.code == "older_copy"
    assert "this is an older copy" in older.detail


def test_in_live_an_account_that_nobody_names_may_be_any(opens: Opens) -> None:
    first = opens("first.sqlite").is_of("REAL1").trades_live()
    first.looks()
    second = opens("second.sqlite", closes(first)).trades_live()
    assert second.looks() is None, "no balance was heard yet: gate account is closed anyway"
    second.manager.submit(TakeSnapshot(balance=Decimal(50_000)))
    doubt = second.looks()
    assert (doubt and doubt.code) == "newer_store"


def test_in_demo_it_is_none(opens: Opens) -> None:
    first = opens("first.sqlite").is_of("SIM1")
    first.looks()
    assert opens("second.sqlite", closes(first)).looks() is None


@pytest.mark.parametrize("damage", ["not json", '{"store": 1}', ""])
def test_what_cannot_be_read_is_said_loudly(opens: Opens, tmp_path: Path, damage: str) -> None:
    (tmp_path / "opened").mkdir()
    (tmp_path / "opened" / "a1.json").write_text(damage)
    program = opens("desk.sqlite").is_of("SIM1")
    doubt = program.looks()
    assert doubt is not None
    assert doubt.code == "unreadable"
    assert "nobody knows what else was opened today" in doubt.detail
    assert program.manager.snapshot.desk.alerts[-1].code == "store_doubtful"
    program.manager.submit(ConfirmStore("I have looked at it"))
    assert program.looks() is None
    assert len(list((tmp_path / "opened").iterdir())) == 2, "this store's use is kept all the same"


def test_a_folder_that_cannot_be_written_is_said_too(opens: Opens, tmp_path: Path) -> None:
    (tmp_path / "opened").write_text("a file where the folder should be")
    doubt = opens("desk.sqlite").is_of("SIM1").looks()
    assert (doubt and doubt.code) == "unreadable"


def test_its_file_is_written_whole_and_not_each_second(opens: Opens, tmp_path: Path) -> None:
    program = opens("desk.sqlite").is_of("SIM1")
    program.looks()
    [file] = (tmp_path / "opened").iterdir()
    assert file.stat().st_mode & 0o777 == 0o600
    first = file.read_bytes()
    program.looks(29)
    assert file.read_bytes() == first
    program.looks(1)
    assert file.read_bytes() != first
    assert os.listdir(tmp_path / "opened") == [file.name]


def test_every_checkout_of_a_machine_keeps_it_in_one_folder(tmp_path: Path) -> None:
    folders = {folder_of_opened(Path(checkout), str(tmp_path)) for checkout in ("/opt/one", "/opt/two")}
    assert folders == {tmp_path / "lockstep" / "opened"}
    assert Config.from_env(SETTINGS | {"SQLITE_PATH": "x"}).opened_folder is None
