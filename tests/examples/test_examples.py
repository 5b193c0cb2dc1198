"""The examples, run as the programs they are, beside a real desk with feeds."""

from __future__ import annotations

import csv
import os
import shlex
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from itertools import cycle
from pathlib import Path

import pytest

from feeds.bars.store import BarStore
from tests.support.data_floor import minutes
from tests.support.desk_process import PATIENCE_SECONDS, eventually
from tests.support.fakes.notice_target import NoticeTarget
from tests.support.feeds_process import FeedsProcess
from tests.support.local_clients import Trading
from tests.support.market_floor import MarketFloor
from tests.support.paths import REPOSITORY
from tests.support.processes import Child

pytestmark = pytest.mark.processes

STACK = (12, 8, 6, 4, 2.5, 1)


class Floor(MarketFloor):
    """A desk with every feed that an example needs."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.feeds = FeedsProcess(self.desk, folder / "feeds", ("market", "signals", "journal", "data"))

    @contextmanager
    def runs(self, folder: Path, *arguments: str, key: str = "") -> Iterator[Child]:
        """Run an example until the test has seen enough."""
        program, *rest = arguments
        child = Child([f"examples/{program}", *rest], {"LOCKSTEP_KEY": key}, folder / f"{program}.txt")
        child.start()
        try:
            yield child
        finally:
            child.kill()

    def finishes(self, folder: Path, *arguments: str) -> str:
        """Run an example to its end; return what it printed."""
        with self.runs(folder, *arguments) as child:
            assert child.spawned.wait(PATIENCE_SECONDS) == 0, child.log()
        return child.log()


@pytest.fixture(scope="module")
def floor(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Floor]:
    with Floor(tmp_path_factory.mktemp("examples")) as floor:
        yield floor


@pytest.fixture
def chat() -> Iterator[NoticeTarget]:
    target = NoticeTarget()
    yield target
    target.leave()


def test_quotes_are_printed_over_a_restart_of_feeds_until_a_newer_program_takes_over(
    floor: Floor, tmp_path: Path
) -> None:
    key = floor.key()
    with floor.runs(tmp_path, "quotes.py", "ES", "--url", floor.address, key=key) as program:
        eventually(lambda: "listening to quotes" in program.log())
        floor.ticks(5250.25)
        eventually(lambda: "5250.25" in program.log())
        floor.feeds.restart()
        eventually(lambda: program.log().count("listening to quotes") == 2)
        assert "trying again in 1 s" in program.log()
        floor.feeds.hears_web()
        floor.ticks(5251.75)
        eventually(lambda: "5251.75" in program.log())
        with floor.connects(key):
            assert program.spawned.wait(PATIENCE_SECONDS) == 0
        assert "not connecting again: a newer connection took over" in program.log()


def test_a_wrong_key_ends_the_program_with_the_reason(floor: Floor, tmp_path: Path) -> None:
    with floor.runs(tmp_path, "quotes.py", "ES", "--url", floor.address, key="lk_wrong") as program:
        assert program.spawned.wait(PATIENCE_SECONDS) == 0
    assert "the key is missing or unknown" in program.log()


def test_waits_double_while_nobody_answers(floor: Floor, tmp_path: Path) -> None:
    with floor.runs(tmp_path, "quotes.py", "ES", "--url", "ws://127.0.0.1:9/", key="lk_any") as program:
        eventually(lambda: "trying again in 4 s" in program.log())
    waits = [line.rsplit(" in ", 1)[1] for line in program.log().splitlines()]
    assert waits == ["1 s", "2 s", "4 s"]


def has_ended_after(floor: Floor, price: float, shell: subprocess.Popen[bytes]) -> bool:
    floor.ticks(price)
    return shell.poll() is not None


def test_a_program_whose_output_nobody_takes_ends(floor: Floor) -> None:
    key = floor.key("ws:connect", "prices:read")
    url = f"ws://127.0.0.1:{floor.feeds.ports['market']}/ws/market/v1"
    line = f"{shlex.quote(sys.executable)} examples/quotes.py ES --url {url} | head -1"
    environment = {**os.environ, "LOCKSTEP_KEY": key}
    shell = subprocess.Popen(["sh", "-c", line], cwd=REPOSITORY, env=environment, start_new_session=True)
    prices = cycle((5252.0, 5252.25))
    try:
        # Ticks, not heartbeats: for a minute after the last tick a heartbeat's price is not shown.
        eventually(lambda: has_ended_after(floor, next(prices), shell))
    finally:
        with suppress(ProcessLookupError):
            os.killpg(shell.pid, signal.SIGKILL)
        shell.wait(PATIENCE_SECONDS)


def test_an_alert_reaches_the_chat(floor: Floor, tmp_path: Path, chat: NoticeTarget) -> None:
    market = floor.desk.tradingview()
    with floor.runs(tmp_path, "alerts_to_chat.py", chat.url, "--url", floor.address, key=floor.key()):
        eventually(lambda: floor.feeds.health()["ports"][0]["clients"] == 1)
        for color in ("red", "green"):
            for size in STACK:
                market.brick(size, color)
        chat.waits_for(lambda target: target.messages)
    assert "renko_stack broke" in chat.messages[0]["message"]


def test_signals_reach_telegram_once_also_what_happened_while_the_program_was_dead(
    floor: Floor, tmp_path: Path, chat: NoticeTarget
) -> None:
    trading = Trading(floor.desk)
    url = floor.feeds.url("signals", "ws") + "/connect"
    arguments = ("signals_to_telegram.py", chat.url, "--url", url, "--state", str(tmp_path / "last.id"))
    with floor.runs(tmp_path, *arguments) as program:
        eventually(lambda: floor.feeds.health()["ports"][4]["clients"] == 1)
        trading.enters(5250.25)
        chat.waits_for(lambda target: len(target.messages) == 1)
        eventually(lambda: (tmp_path / "last.id").exists())
        assert program.spawned.poll() is None
    trading.exits(5251.25)
    with floor.runs(tmp_path, *arguments):
        chat.waits_for(lambda target: len(target.messages) == 2)
        trading.enters(5250)
        chat.waits_for(lambda target: len(target.messages) == 3)
        trading.exits(5251)
        chat.waits_for(lambda target: len(target.messages) == 4)
    assert [message["message"] for message in chat.messages][:2] == [
        "BUY 5 ES at 5250.25, lockstep.entry (paper)",
        "SELL 5 ES at 5251.25, lockstep.manual (paper)",
    ]


def test_the_journal_becomes_a_csv_file_and_a_workbook(floor: Floor, tmp_path: Path) -> None:
    trading = Trading(floor.desk)
    url = floor.feeds.url("journal") + "/api/journal"
    entry = trading.enters(5250)
    book = tmp_path / "journal.xlsx"
    before = floor.finishes(tmp_path, "journal_to_sheet.py", str(book), "--url", url)
    trading.exits(5251)
    note = {"note": '=HYPERLINK("http://evil.example")', "tags": []}
    assert trading.operator.post(f"/api/journal/trades/{entry['id']}/note", json=note).status_code == 200
    floor.finishes(tmp_path, "journal_to_sheet.py", str(book), "--url", url)
    floor.finishes(tmp_path, "journal_to_csv.py", str(tmp_path / "journal.csv"), "--url", url)
    assert "new trades" in before
    with (tmp_path / "journal.csv").open(newline="") as file:
        sheet = {row["id"]: row for row in csv.DictReader(file)}
    assert (sheet[entry["id"]]["exit"], sheet[entry["id"]]["note"]) == ("5251", f"'{note['note']}")
    from openpyxl import load_workbook  # here: every worker of a run reads this file, one uses it

    rows = [[cell.value for cell in row] for row in load_workbook(book)["journal"].iter_rows()]
    mine = [dict(zip(rows[0], row, strict=True)) for row in rows[1:] if row[0] == entry["id"]]
    assert [(row["exit"], row["note"]) for row in mine] == [(5251, note["note"])], "one row, brought up to date"
    cells = next(row for row in load_workbook(book)["journal"].iter_rows() if row[0].value == entry["id"])
    assert cells[rows[0].index("note")].data_type == "s", "a text, not a formula"


def test_a_desk_that_is_away_leaves_the_file_of_before(floor: Floor, tmp_path: Path) -> None:
    kept = tmp_path / "journal.csv"
    kept.write_text("of yesterday")
    with floor.runs(tmp_path, "journal_to_csv.py", str(kept), "--url", "http://127.0.0.1:9/api/journal") as program:
        assert program.spawned.wait(PATIENCE_SECONDS) == 1
    assert kept.read_text() == "of yesterday"
    assert "does not answer" in program.log()


def test_stored_bars_become_a_csv_file_page_by_page(floor: Floor, tmp_path: Path) -> None:
    with closing(BarStore(floor.feeds.database.with_name("bars.sqlite"))) as store:
        store.put(minutes("XAUUSD", (2350 + n % 7 for n in range(10_050))))
    sheet, url = tmp_path / "gold.csv", floor.feeds.url("data")
    floor.finishes(tmp_path, "bars_to_csv.py", "XAU/USD", "1m", str(sheet), "--url", url)
    rows = list(csv.DictReader(sheet.open()))
    assert len({row["timestamp"] for row in rows}) == len(rows) == 10_050
    assert (rows[0]["timestamp"], rows[0]["close"], rows[0]["volume"]) == ("2024-11-18T14:30:00Z", "2350.0", "")
    with floor.runs(tmp_path, "bars_to_csv.py", "AAPL", "1m", str(sheet), "--url", url) as program:
        assert program.spawned.wait(PATIENCE_SECONDS) == 1
    assert "404 unknown_symbol" in program.log()
    assert len(list(csv.DictReader(sheet.open()))) == 10_050
