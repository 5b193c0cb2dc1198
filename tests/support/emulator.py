"""Google's Firestore emulator for tests, which speaks the real protocol.

``python3 -m tests.support.emulator make test`` runs a command beside one emulator, its address in
FIRESTORE_EMULATOR_HOST. Without that the first test that needs it starts one, and all tests of a run share it. No
emulator outlives its owner: a small shell ends its process group when the owner has ended, in whatever way. This file
needs only the standard library, because it also runs before anything is installed.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

from tests.support.ports import free_port

HOST_VARIABLE = "FIRESTORE_EMULATOR_HOST"
NEEDED_VARIABLE = "LOCKSTEP_NEEDS_EMULATOR"
HOW_TO = (
    "the Firestore emulator needs the Google Cloud CLI, its component cloud-firestore-emulator, and Java; "
    "then `gcloud emulators firestore start --host-port=127.0.0.1:8790` and FIRESTORE_EMULATOR_HOST=127.0.0.1:8790"
)
READY_SECONDS = 120.0  # Java starts slowly on a busy machine
# gcloud leaves its Java child running when it ends, and starts a process group of its own unless it leads one already.
GUARD = 'while kill -s 0 -- "-$1"; do kill -s 0 "$2" || kill -s KILL -- "-$1"; sleep 1; done'


class NoEmulator(Exception):
    """The emulator could not be started; the message says what is missing."""


class Emulator:
    """One emulator process, empty at every start. ``owner`` is the process that it must not outlive."""

    def __init__(self, port: int | None = None, owner: int | None = None) -> None:
        self.host = f"127.0.0.1:{port or free_port()}"
        self._owner = owner or os.getpid()
        self._log = tempfile.TemporaryFile()  # noqa: SIM115 - it lasts as long as the emulator
        self._process: subprocess.Popen[bytes] | None = None
        self._guard: subprocess.Popen[bytes] | None = None

    def start(self) -> Emulator:
        """Start it and wait until it answers. Raises NoEmulator."""
        if shutil.which("gcloud") is None:
            raise NoEmulator(f"gcloud is not installed: {HOW_TO}")
        command = ["gcloud", "emulators", "firestore", "start", f"--host-port={self.host}"]
        self._process = subprocess.Popen(command, stdout=self._log, stderr=self._log, start_new_session=True)
        guard = ["sh", "-c", GUARD, "guard", str(self._process.pid), str(self._owner)]
        quiet = subprocess.DEVNULL
        self._guard = subprocess.Popen(guard, stdout=quiet, stderr=quiet, start_new_session=True)
        deadline = time.monotonic() + READY_SECONDS
        while not answers(self.host, 0.5):
            if self._process.poll() is not None or time.monotonic() > deadline:
                self.kill()
                self._log.seek(0)
                words = self._log.read().decode("utf-8", "replace")[-2000:]
                raise NoEmulator(f"the emulator did not start: {HOW_TO}\n{words}")
        return self

    def kill(self) -> None:
        """Kill it and its children; ``start`` starts an empty one at the same address."""
        if self._process is not None:
            with contextlib.suppress(ProcessLookupError):  # it ended by itself
                self._signal(signal.SIGKILL)
            self._process.wait(READY_SECONDS)
            self._process = None
        if self._guard is not None:
            self._guard.kill()
            self._guard.wait(READY_SECONDS)
            self._guard = None

    def pause(self) -> None:
        """Stop its threads: connections stay open, answers do not come.

        Returns when every thread has stopped: on a busy machine some would run on for a while and answer.
        """
        self._signal(signal.SIGSTOP)
        deadline = time.monotonic() + READY_SECONDS
        while not all(state in "TZX" for state in self._thread_states()):
            if time.monotonic() > deadline:
                raise RuntimeError("the emulator did not stop")
            time.sleep(0.01)

    def _thread_states(self) -> Iterator[str]:
        """Yield the state of each thread of its process group, as ``/proc`` writes it."""
        for stat in Path("/proc").glob("[0-9]*/task/[0-9]*/stat"):
            with contextlib.suppress(OSError):  # it has just ended
                state, _parent, group, *_ = stat.read_text("ascii", "replace").rpartition(")")[2].split()
                if self._process is not None and int(group) == self._process.pid:
                    yield state

    def resume(self) -> None:
        """Let it continue, also with requests that came meanwhile."""
        self._signal(signal.SIGCONT)

    def _signal(self, number: signal.Signals) -> None:
        if self._process is None:
            raise RuntimeError("the emulator is not running")
        os.killpg(self._process.pid, number)

    def __enter__(self) -> Emulator:
        return self.start()

    def stop(self) -> None:
        """End it."""
        self.kill()
        self._log.close()

    def __exit__(self, *_: object) -> None:
        self.stop()


def answers(host: str, seconds: float = 5.0) -> bool:
    """Wait until an emulator answers at that address; False after the time limit."""
    ask = urllib.request.build_opener(urllib.request.ProxyHandler({})).open
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        try:
            with ask(f"http://{host}/", timeout=2.0) as answer:
                return bool(answer.status == 200)
        except (urllib.error.URLError, OSError):
            time.sleep(0.1)
    return False


def shared_host(folder: Path, owner: int) -> str:
    """Return the address of the run's emulator; the first worker starts it. ``folder`` is the same for all workers.

    Raises NoEmulator. It ends with ``owner``, the process that began the run.
    """
    given = os.environ.get(HOST_VARIABLE)
    if given:
        if not answers(given):
            raise NoEmulator(f"no Firestore emulator answers at {HOST_VARIABLE}={given}")
        return given
    note = folder / f"emulator-of-{owner}"
    with (folder / "emulator.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (note.exists() and answers(note.read_text("utf-8"))):
            note.write_text(Emulator(owner=owner).start().host, "utf-8")
        return note.read_text("utf-8")


def warm_up(host: str) -> None:
    """Send a new emulator its first requests, which take longer than a store waits."""
    from services.stores.firestore.store import FirestoreStore
    from services.stores.store import StoredKey, StoreError

    store = FirestoreStore("warming-up", emulator_host=host)
    deadline = time.monotonic() + READY_SECONDS
    while True:
        try:
            store.put_api_key(StoredKey("k", b"{}"))
            store.load()
            break
        except StoreError as error:
            if time.monotonic() > deadline:
                raise NoEmulator(f"the emulator at {host} answers no question: {error}") from error
    store.close()


def owner_of_the_run() -> int:
    """Return the main process of a test run: for a parallel worker the one that started it."""
    return os.getppid() if "PYTEST_XDIST_WORKER" in os.environ else os.getpid()


def is_needed() -> bool:
    """Return whether a missing emulator must fail tests instead of skipping them."""
    asked = (os.environ.get(name, "").lower() for name in ("CI", NEEDED_VARIABLE))
    return any(value in {"1", "true", "yes"} for value in asked)


def main(command: list[str]) -> int:
    """Run a command beside an emulator; return its status."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    try:
        with Emulator() as emulator:
            environ = {**os.environ, HOST_VARIABLE: emulator.host, NEEDED_VARIABLE: "1"}
            return subprocess.run(command, env=environ, check=False).returncode
    except NoEmulator as error:
        print(f"cannot test the Firestore store: {error}", file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
