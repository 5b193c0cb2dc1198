"""Real processes for tests and benchmarks: started, terminated, and killed with all their children."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Self

from tests.support.fork_server import Fork, kept_environment, may_fork, server_of
from tests.support.own_time import Stopwatch
from tests.support.paths import REPOSITORY

if TYPE_CHECKING:
    from tests.support.desk_process import DeskProcess

ENDS_WITHIN_SECONDS = 60.0  # longest wait on a busy machine


class Child:
    """One Python program in a process group of its own; ``log_path`` holds its output.

    Its environment is ``settings`` and the few variables of ours that a program needs to run.
    """

    may_be_forked = False
    """Whether our programs are forks of what is imported already; otherwise each is started by its command."""

    def __init__(self, arguments: list[str], settings: Mapping[str, str], log_path: Path) -> None:
        self.arguments = arguments
        self.settings = dict(settings)
        self.log_path = log_path
        self.process: subprocess.Popen[bytes] | Fork | None = None

    @property
    def spawned(self) -> subprocess.Popen[bytes] | Fork:
        """The process that was started last, where there must be one."""
        process = self.process
        assert process is not None, "it was never started"
        return process

    def spawn(self) -> subprocess.Popen[bytes] | Fork:
        """Start it and return at once."""
        environ = {**kept_environment(), **self.settings}
        if self.may_be_forked and may_fork(self.arguments):
            _, program, *arguments = self.arguments
            self.process = server_of(program).fork(arguments, environ, self.log_path)
            return self.process
        with self.log_path.open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, *self.arguments],
                cwd=REPOSITORY,
                env=environ,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        return self.process

    def start(self) -> Self:
        """Start it and wait until it is ready."""
        self.spawn()
        return self

    def kill(self) -> None:
        """Kill the whole group at once, without any clean-up."""
        self.signal(signal.SIGKILL)
        if self.process is not None:
            self.process.wait(ENDS_WITHIN_SECONDS)

    def terminate(self) -> float:
        """Send SIGTERM, wait for the end, and return how many own seconds that took."""
        watch = Stopwatch(self.process)
        if self.process is not None and self.process.poll() is None:
            self.process.terminate()
            try:
                watch.waits_for_end_of(self.process, ENDS_WITHIN_SECONDS)
            finally:
                self.kill()
        return watch.seconds

    def signal(self, number: int) -> None:
        """Signal the whole group: gunicorn's master and its worker."""
        if self.process is not None:
            with suppress(ProcessLookupError):
                os.killpg(self.process.pid, number)

    def log(self) -> str:
        return self.log_path.read_text("utf-8", "replace") if self.log_path.exists() else ""


class PaperBridge(Child):
    """The paper bridge beside a desk: ``python -m bridge --broker paper`` with a ledger of its own."""

    def __init__(self, desk: DeskProcess, **settings: str) -> None:
        self.ledger = desk.folder / "bridge.sqlite"
        own = {
            "LOCKSTEP_URL": desk.url,
            "BRIDGE_HEARTBEAT_SECRET": desk.settings["BRIDGE_HEARTBEAT_SECRET"],
            "BRIDGE_LEDGER_PATH": str(self.ledger),
        }
        super().__init__(["-m", "bridge", "--broker", "paper"], {**own, **settings}, desk.folder / "bridge.log")
