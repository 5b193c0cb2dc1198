"""One desk under load to which everything happens in turn: kills, freezes, clocks that are set, files that are moved.

After every strike everything agrees, as after a kill (docs/reference/crash.md).
"""

from __future__ import annotations

import signal
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from tests.crash.campaign import BACK_WITHIN_SECONDS, BRIDGE_RULES, REPLAYED_EVERY, Campaign, CrashFault, Victim
from tests.crash.checks import ledger_rows
from tests.crash.killer import group_of, some_aim
from tests.support.desk_process import eventually
from tests.support.narrow import known
from tests.support.processes import Child, PaperBridge

HOUR = 3600
SIDE_FILES = ("", "-wal", "-shm")
NOTICED_WITHIN_SECONDS = 30.0  # patience for a busy machine; tests/whole asks for the promised time


class Chaos(Campaign):
    """A campaign in which a kill is one strike of several."""

    def __init__(self, folder: Path, seed: int) -> None:
        self._set_by = folder / "set-by.txt"
        super().__init__(folder, "both", seed, {"SET_BY_FILE": str(self._set_by)})
        self.desk.arguments = ["-m", "gunicorn", "tests.support.set_clock_desk:app"]
        self.tally.title = "chaos (sqlite)"
        self._sets_clock(0)
        self._strikes: dict[str, Callable[[], None]] = {
            "web killed": lambda: self._kills("web"),
            "bridge killed": lambda: self._kills("bridge"),
            "both killed": lambda: self._kills("both"),
            "web frozen": lambda: self._freezes(self.desk),
            "bridge frozen": lambda: self._freezes(known(self.paper)),
            "clock set back": lambda: self._jumps(-HOUR),
            "clock set ahead": lambda: self._jumps(HOUR),
            "database moved away": self._pulls_the_database,
            "second bridge": self._starts_a_second_bridge,
        }
        self._deck: list[str] = []

    @property
    def kinds(self) -> int:
        """Return how many kinds of strikes there are; so many in a row are all of them."""
        return len(self._strikes)

    def _round(self, number: int, *, replays: bool) -> None:
        time.sleep(self.dice.uniform(0.2, 0.9))
        if not self._deck:
            self._deck = self.dice.sample(sorted(self._strikes), len(self._strikes))
        name = self._deck.pop()
        self._version_before = self._state()["version"]
        self._strikes[name]()
        self.floor.hold()
        found = self._what_is_wrong(replays=replays or number % REPLAYED_EVERY == 0)
        self._count(name, only_worker=False)
        if found:
            raise CrashFault(f"seed {self.seed}, strike {number} ({name}):\n" + "\n".join(found))
        self.floor.go_on()

    # -- the strikes --------------------------------------------------------------------------------------------

    def _kills(self, victim: Victim) -> None:
        self.victim = victim
        self._kill_and_restart(some_aim(self.dice, self._moments(), may_watch=True), only_worker=False)

    def _plug(self, *, only_worker: bool) -> Callable[[], None]:
        return group_of(self.desk) if self.victim == "web" else super()._plug(only_worker=only_worker)

    def _freezes(self, child: Child) -> None:
        """Stop the process without ending it, as a machine does that runs out of memory or sleeps."""
        child.signal(signal.SIGSTOP)
        time.sleep(self.dice.uniform(0.5, 4.0))
        child.signal(signal.SIGCONT)
        self._is_served_again()

    def _jumps(self, seconds: float) -> None:
        self._sets_clock(seconds)
        eventually(lambda: self._clock_alerts() and not self._clock_alerts()[0]["over"], within=NOTICED_WITHIN_SECONDS)
        time.sleep(self.dice.uniform(0.0, 2.0))
        self._sets_clock(0)
        eventually(lambda: all(alert["over"] for alert in self._clock_alerts()), within=NOTICED_WITHIN_SECONDS)

    def _clock_alerts(self) -> list[dict[str, object]]:
        """Return the alerts about the machine's clock, the newest first."""
        alerts = [alert for alert in self._state()["alerts"] if alert["code"] == "clock"]
        return sorted(alerts, key=lambda alert: str(alert["at"]), reverse=True)

    def _sets_clock(self, seconds: float) -> None:
        written = self._set_by.with_suffix(".new")
        written.parent.mkdir(parents=True, exist_ok=True)
        written.write_text(str(seconds), "utf-8")
        written.replace(self._set_by)

    def _pulls_the_database(self) -> None:
        """Move the database away under the running desk until it has noticed, and back."""
        files = [self.desk.database.with_name(self.desk.database.name + ending) for ending in SIDE_FILES]
        for file in files:
            file.rename(file.with_name(file.name + ".away"))
        try:
            eventually(lambda: self._readiness() == 503, within=NOTICED_WITHIN_SECONDS)
            time.sleep(self.dice.uniform(0.0, 2.0))
        finally:
            for file in files:
                file.with_name(file.name + ".away").rename(file)
        self._is_served_again()

    def _starts_a_second_bridge(self) -> None:
        """Start one with another ledger beside the first: it gets no order."""
        second = PaperBridge(self.desk, **BRIDGE_RULES)
        second.ledger = self.desk.folder / "second-bridge.sqlite"
        second.log_path = self.desk.folder / "second-bridge.log"
        second.settings["BRIDGE_LEDGER_PATH"] = str(second.ledger)
        second.spawn()
        try:
            eventually(lambda: "owner" in second.log().lower(), within=NOTICED_WITHIN_SECONDS)
            time.sleep(self.dice.uniform(0.0, 2.0))
        finally:
            second.kill()
        taken = ledger_rows(second.ledger, "SELECT id FROM orders")
        if taken:
            raise CrashFault(f"seed {self.seed}: the second bridge was handed {taken}")

    # -- back again ---------------------------------------------------------------------------------------------

    def _is_served_again(self) -> None:
        eventually(lambda: self._readiness() == 200, within=BACK_WITHIN_SECONDS)

    def _readiness(self) -> int | None:
        with suppress(OSError):
            return self.desk.stranger().get("/readyz").status_code
        return None
