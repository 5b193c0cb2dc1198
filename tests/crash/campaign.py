"""One desk under load, killed again and again: web, the bridge, or both at once. After every kill everything agrees."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from random import Random
from typing import Any, Literal

import requests

from services.stores.sqlite.reader import SqliteReader
from services.stores.store import StoreDown
from tests.crash import checks
from tests.crash.books import Books, Note
from tests.crash.checks import AFTER_EVERY_KILL, NOW_AND_THEN, Sight, faults, is_quiet
from tests.crash.comparison import changes
from tests.crash.counts import Tally
from tests.crash.killer import Aim, Killer, group_of, some_aim, worker_of
from tests.crash.load import ASSETS, Floor, Market, Operator
from tests.crash.oracle import Oracle
from tests.crash.scripted_bridge import ScriptedBridge
from tests.support.desk_process import QUICK, DeskProcess, eventually
from tests.support.processes import PaperBridge

Victim = Literal["web", "bridge", "both"]
COOLDOWN_SECONDS = CANDLE_SECONDS = 1
RULES = {**QUICK, "ASSETS": ",".join(ASSETS), "CONTRACTS": "", "COOLDOWN_SECONDS": "1", "DAILY_STOP_LIMIT_PCT": "99.95"}
BRIDGE_RULES = {"BRIDGE_MAX_ORDERS_PER_MINUTE": "100000", "BRIDGE_MAX_POSITION": "1000"}
BACK_WITHIN_SECONDS = 90.0  # patience, not a promise: a busy machine fails nothing by being slow
QUIET_WITHIN_SECONDS = 90.0
REPLAYED_EVERY = 10
PASSING = ("heartbeat", "live brick", "beat", "snapshot")  # prices and ages: nothing of them is journaled by itself
KINDS_SENT = ("brick", "click", "claim", "fill")


class CrashFault(AssertionError):
    """A kill lost, doubled or changed something."""


class Campaign:
    """One desk, its load, and ``kills`` of ``victim``. Everything random comes from ``seed``."""

    def __init__(
        self,
        folder: Path,
        victim: Victim,
        seed: int,
        settings: dict[str, str] | None = None,
        open_store: Callable[[DeskProcess], Any] = lambda desk: SqliteReader(desk.database),
    ) -> None:
        self.victim, self.seed = victim, f"{seed} {victim}"
        self.dice = Random(self.seed)
        self.desk = DeskProcess(folder, **RULES, **(settings or {}))
        self.is_watched = self.desk.settings["STORE"] == "sqlite"
        self._open_store = open_store
        self.books, self.killer = Books(), Killer()
        self.floor = Floor(self.desk, self.books, self.killer)
        self.paper = PaperBridge(self.desk, **BRIDGE_RULES) if victim != "web" else None
        self.script: ScriptedBridge | None = None
        self.oracle = Oracle(COOLDOWN_SECONDS, CANDLE_SECONDS)
        self.tally = Tally(f"{victim} ({self.desk.settings['STORE']})")
        self._version_before, self._writer = 0, ""
        self._spawned_at = datetime.now(UTC)

    def run(self, kills: int) -> Tally:
        """Kill so often. Raises CrashFault with the seed, the kill and what it broke."""
        with self._everything_up():
            for number in range(1, kills + 1):
                is_last = number == kills
                self._round(number, replays=is_last or number % REPLAYED_EVERY == 0)
            if self.script is not None:
                self._daily_stop_survives(self.script)
            self._whole_journal_is_what_was_followed()
            self._sum_up()
        return self.tally

    @contextmanager
    def _everything_up(self) -> Iterator[None]:
        try:
            self.desk.spawn()
            self._wait_for_the_first_start()
            self.store = self._open_store(self.desk)
            try:
                self._enter_everybody()
                yield
            finally:
                self.floor.close()
                if self.paper is not None:
                    self.paper.kill()
                self.store.close()
        finally:
            self.desk.hang_up()
            self.desk.kill()

    def _wait_for_the_first_start(self) -> None:
        stranger = self.desk.stranger()
        deadline = time.monotonic() + BACK_WITHIN_SECONDS
        while time.monotonic() < deadline:
            with suppress(OSError):
                if stranger.get("/api/auth/status").status_code == 200:
                    return
            if not self.is_watched:
                self._supervise()
            time.sleep(0.05)
        raise AssertionError(f"the desk did not answer: {self.desk.log()[-3000:]}")

    def _enter_everybody(self) -> None:
        self.operator = self.desk.operator()
        cookie = self.operator.session_cookie
        self.floor.enter(*(Market(self.floor, asset, self.seed, n) for asset in ASSETS for n in (1, 2)))
        self.floor.enter(Operator(self.floor, cookie, self.seed))
        if self.paper is not None:
            self.paper.start()
        else:
            self.script = ScriptedBridge(self.floor, self.seed)
            self.floor.enter(self.script)
        self.floor.go_on()
        time.sleep(1.0)

    # -- one kill -------------------------------------------------------------------------------------------

    def _round(self, number: int, *, replays: bool) -> None:
        time.sleep(self.dice.uniform(0.2, 0.9))
        is_still = self.victim == "web" and self.dice.random() < 0.2
        before = self._stand_still() if is_still else None
        aim = Aim("any") if is_still else some_aim(self.dice, self._moments(), may_watch=self.is_watched)
        only_worker = self.victim == "web" and self.dice.random() < 0.25
        twice = self.dice.random() < 0.25
        how = ", ".join(
            word for word, holds in (("worker", only_worker), ("held", is_still), ("twice", twice)) if holds
        )
        where = f"round {number} ({how or 'once'}; {aim})"
        self._kill_and_restart(aim, only_worker=only_worker, twice=twice)
        self.floor.hold()
        found = self._what_is_wrong(replays=replays)
        if before is not None:
            found += changes(before, self._state())
        self._count("held" if is_still else aim.moment, only_worker=only_worker)
        if found:
            raise CrashFault(f"seed {self.seed}, {where}:\n" + "\n".join(found))
        self.floor.go_on()

    def _moments(self) -> tuple[str, ...]:
        return KINDS_SENT if self.victim == "web" else ("click", "click", "brick")

    def _stand_still(self) -> dict[str, Any]:
        self.floor.hold()
        return self._state()

    def _kill_and_restart(self, aim: Aim, *, only_worker: bool, twice: bool = False) -> None:
        state = self._state()
        self._version_before, self._writer = state["version"], state["global"]["writer"]
        self.killer.aim_at(aim, self._plug(only_worker=only_worker), self._files())
        if twice:  # and once more while it finds its way back
            self._spawn_what_died(only_worker=False)
            time.sleep(self.dice.uniform(0.0, 0.8))
            self.killer.aim_at(Aim("any"), self._plug(only_worker=False))
            self._count("again", only_worker=False)
        began = time.monotonic()
        self._spawn_what_died(only_worker=only_worker and not twice)
        if self.victim != "bridge":
            eventually(self._is_led_by_another, within=BACK_WITHIN_SECONDS)
            self.tally.seconds.append(time.monotonic() - began)
        if self.victim != "web":
            eventually(self._hears_the_bridge, within=BACK_WITHIN_SECONDS)
            self.tally.bridge_seconds.append(time.monotonic() - began)

    def _spawn_what_died(self, *, only_worker: bool) -> None:
        if self.victim != "bridge" and not only_worker:
            self.desk.kill()
            self.desk.spawn()
        if self.victim != "web" and self.paper is not None:
            self.paper.kill()
            self.paper.spawn()
            self._spawned_at = datetime.now(UTC)

    def _hears_the_bridge(self) -> bool:
        heard = self._state()["global"]["rithmic_last_ts"]
        return heard is not None and datetime.fromisoformat(heard) > self._spawned_at

    def _is_led_by_another(self) -> bool:
        shown = self._state()["global"]
        return bool(shown["role"] == "writer" and shown["writer"] != self._writer)

    def _state(self) -> dict[str, Any]:
        """Return the document, as soon as there is somebody to ask."""
        deadline = time.monotonic() + BACK_WITHIN_SECONDS
        while True:
            try:
                return self.operator.state()
            except (OSError, ValueError):  # a broken connection is an OSError, half an answer a ValueError
                assert time.monotonic() < deadline, f"the desk does not answer: {self.desk.log()[-3000:]}"
                if not self.is_watched:
                    self._supervise()
                time.sleep(0.02)

    def _supervise(self) -> None:
        """Start a web again that ended at its start because its store, over a network, did not answer in time."""
        if self.desk.process is not None and self.desk.process.poll() is not None:
            self.desk.spawn()

    def _plug(self, *, only_worker: bool) -> Callable[[], None]:
        if only_worker:
            return worker_of(self.desk)
        if self.paper is None:
            return group_of(self.desk)
        if self.victim == "bridge":
            return group_of(self.paper)
        first, second = self.dice.sample((self.desk, self.paper), 2)
        return group_of(first, second)

    def _files(self) -> list[Path]:
        """Return the files whose change says that a commit is under way."""
        stores = {"web": [self.desk.database], "bridge": [], "both": [self.desk.database]}[self.victim]
        ledgers = [self.paper.ledger] if self.paper is not None else []
        chosen = ledgers if ledgers and (not stores or self.dice.random() < 0.5) else stores
        return [store.with_name(store.name + "-wal") for store in chosen]

    # -- what must agree --------------------------------------------------------------------------------------

    def _what_is_wrong(self, *, replays: bool) -> list[str]:
        late = [] if self.paper is None or self._bridge_gets_quiet() else ["the bridge has not done what it took"]
        asked = {**AFTER_EVERY_KILL, **(NOW_AND_THEN if replays else {})}
        trouble = "the desk went on writing though nobody asked for anything"
        for _ in range(10):
            try:
                sight = self._look()
                found = [*late, *faults(sight, asked), *self._keys_answer_anew()]
                head = self.store.head()
            except StoreDown as error:  # a store over a network may be slow to be read
                trouble = str(error)
                time.sleep(1)
                continue
            if head is not None and head.sequence == sight.stored.head.sequence:
                return found
        raise AssertionError(trouble)

    def _look(self) -> Sight:
        state = self._state()
        stored = self.store.load()
        assert stored is not None
        self.oracle.follow(self.store.journal(self.oracle.sequence))
        ledger = self.paper.ledger if self.paper is not None else None
        held = self.script.positions if self.script is not None else None
        return Sight(self.books, self.oracle, self.store, stored, state, self._version_before, ledger, held)

    def _keys_answer_anew(self) -> list[str]:
        """Click again with keys of before the kill: the first answer must come again, and no second order."""
        answered = [note for note in self.books.notes("click") if note.status is not None]
        wrong = []
        for note in self.dice.sample(answered, min(2, len(answered))):
            again = self._clicks(key=note.name, **note.facts)
            first, second = (note.status, _id_in(note.answer)), (again.status_code, _id_in(again.json()))
            if first != second:
                wrong.append(f"keys_answer_the_same: {note.name} was answered {first}, now {second}")
        return wrong

    def _clicks(self, **entry: Any) -> requests.Response:
        """Ask for an entry; a store that is too busy to answer (503) is asked again."""
        deadline = time.monotonic() + BACK_WITHIN_SECONDS
        while (answer := self.operator.enters(**entry)).status_code == 503 and time.monotonic() < deadline:
            time.sleep(0.1)
        return answer

    def _bridge_gets_quiet(self) -> bool:
        """Wait until the real bridge has done and told all; False when it never is."""
        assert self.paper is not None
        deadline = time.monotonic() + QUIET_WITHIN_SECONDS
        while not is_quiet(self.paper.ledger) or self._state()["orders"]:
            if time.monotonic() > deadline:
                return False
            time.sleep(0.02)
        return True

    def _daily_stop_survives(self, script: ScriptedBridge) -> None:
        """Lose nearly everything, be stopped for the day, and still be stopped after a kill that follows at once."""
        self.floor.hold()
        script.balance = 1
        script.tells_account(again=True)
        time.sleep(2.1)  # the second reading that the desk waits for
        note = script.tells_account(again=True)
        assert note.answer.get("daily_stop_triggered"), note.answer
        before = self._state()
        self._kill_and_restart(Aim("any"), only_worker=False)
        self._count("held", only_worker=False)
        found = changes(before, self._state()) + self._what_is_wrong(replays=True)
        refused = self._clicks(direction="BUY", entry_override=True)
        if refused.json().get("gate") != "daily_stop":
            found.append(f"an entry after the daily stop was answered {refused.status_code}: {refused.text[:200]}")
        if found:
            raise CrashFault(f"seed {self.seed}, after the daily stop:\n" + "\n".join(found))

    def _whole_journal_is_what_was_followed(self) -> None:
        """Read the journal anew from its first row: no row that was seen before has changed since."""
        anew = Oracle(COOLDOWN_SECONDS, CANDLE_SECONDS)
        for row in self.store.journal():
            if row.sequence > self.oracle.sequence:
                break
            anew.follow([row])
        if anew.digest.digest() != self.oracle.digest.digest():
            raise CrashFault(f"seed {self.seed}: rows that were read before have changed since")

    # -- the counts -------------------------------------------------------------------------------------------

    def _count(self, moment: str, *, only_worker: bool) -> None:
        self.tally.kills += 1
        self.tally.workers_only += only_worker
        self.tally.moments[moment] = self.tally.moments.get(moment, 0) + 1

    def _sum_up(self) -> None:
        durable = [note for note in self.books.notes() if note.kind not in PASSING]
        lost = [note for note in durable if note.lost]
        self.tally.acknowledged = sum(note.is_acknowledged for note in durable)
        self.tally.in_doubt = len(lost)
        self.tally.came_true = len(self._came_true(lost))
        self.tally.rows = self.oracle.sequence
        self.tally.orders = len(self.oracle.orders)
        self.tally.fills = self.oracle.count("exec").total()

    def _came_true(self, lost: list[Note]) -> list[Note]:
        """Return the commands of which a try that got no answer is known to have been committed all the same."""
        since = datetime.now(UTC) - checks.LONG_AGO
        happened = {reply.key: reply.answered_at for reply in self.store.replies_since(since)}
        happened |= {name: at for (_, name), at in self.oracle.first_at.items()}
        return [n for n in lost if n.lost_at is not None and n.name in happened and happened[n.name] <= n.lost_at]


def _id_in(answer: dict[str, Any]) -> str | None:
    return (answer.get("order") or {}).get("id")
