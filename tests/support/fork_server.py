"""Forks our programs for tests, so that each of some hundred processes need not import its program again.

``python -m gunicorn app:app`` spends half a second of a core on imports, feeds, bridge and advisor a third. The first
one of a test process starts a server, ``python -m tests.support.fork_server gunicorn``, which imports what the program
imports; each process is then a fork of it. It is a process as any other: with a session, an environment and a log of
its own it runs the program's own main. The server holds no thread, no file and no setting: our programs read their
settings when they are built, which is after the fork.

Only tests under pytest fork (``tests/conftest.py``): a benchmark and a test of the command itself start the command.
"""

from __future__ import annotations

import functools
import importlib
import json
import os
import runpy
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from tests.support.paths import REPOSITORY

IMPORTED = {
    "gunicorn": ("gunicorn.app.wsgiapp", "gunicorn.arbiter", "serving.worker", "app"),
    "feeds": ("feeds.__main__",),
    "bridge": ("bridge.__main__",),
    "advisor": ("advisor.__main__",),
}
"""The programs that are forked, and what their servers import. Everything else is started by its command."""

HIDDEN = {"feeds": ("rich",), "advisor": ("rich", "pandas", "pyarrow")}
"""What these programs keep out before they import anything, as the first lines of their ``__main__`` say."""

KEPT_OF_THE_ENVIRONMENT = ("PATH", "HOME", "LANG", "TMPDIR")
LOOK_SECONDS = 0.005
IN, OUT, ERRORS = 0, 1, 2


def kept_environment() -> dict[str, str]:
    """Return the few variables of ours that a program needs to run."""
    return {name: value for name, value in os.environ.items() if name in KEPT_OF_THE_ENVIRONMENT}


def may_fork(arguments: list[str]) -> bool:
    """Return whether these arguments of Python start a program that is forked."""
    return arguments[0] == "-m" and arguments[1] in IMPORTED


class Fork:
    """One forked process: what tests use of ``subprocess.Popen``."""

    def __init__(self, server: ForkServer, pid: int) -> None:
        self._server = server
        self.pid = pid
        self.returncode: int | None = None

    def poll(self) -> int | None:
        """Return its status if it has ended: negative after a signal."""
        if self.returncode is None:
            status = self._server.ask({"ended": self.pid})
            self.returncode = None if status is None else os.waitstatus_to_exitcode(status)
        return self.returncode

    def wait(self, timeout: float) -> int:
        """Wait for its end and return its status. Raises TimeoutExpired after so many seconds."""
        deadline = time.monotonic() + timeout
        while (status := self.poll()) is None:
            if time.monotonic() > deadline:
                raise subprocess.TimeoutExpired(str(self.pid), timeout)
            time.sleep(LOOK_SECONDS)
        return status

    def terminate(self) -> None:
        """Send SIGTERM."""
        self._send(signal.SIGTERM)

    def kill(self) -> None:
        """Send SIGKILL."""
        self._send(signal.SIGKILL)

    def _send(self, number: signal.Signals) -> None:
        if self.poll() is None:  # as long as nobody asked for its status no other process has its id
            os.kill(self.pid, number)


class ForkServer:
    """The test process's side. The server ends with the test process, whose end closes the pipe between them."""

    def __init__(self, program: str, environ: Mapping[str, str]) -> None:
        self._one_at_a_time = threading.Lock()
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.support.fork_server", program],
            cwd=REPOSITORY,
            env=dict(environ),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            start_new_session=True,
        )

    def fork(self, arguments: list[str], environ: Mapping[str, str], log_path: Path) -> Fork:
        """Start the program with these arguments; return when it leads a process group of its own."""
        pid = self.ask({"arguments": arguments, "environ": dict(environ), "log": str(log_path)})
        if pid is None:
            raise RuntimeError("the server of forks gave no process")
        return Fork(self, pid)

    def ask(self, request: dict[str, Any]) -> int | None:
        """Send one request and return its answer."""
        with self._one_at_a_time:
            if self._process.stdin is None or self._process.stdout is None:
                raise RuntimeError("the server of forks has no pipes")
            self._process.stdin.write(json.dumps(request).encode() + b"\n")
            self._process.stdin.flush()
            answer = self._process.stdout.readline()
        if not answer:
            raise RuntimeError("the server of forks has ended")
        told: int | None = json.loads(answer)
        return told


@functools.cache
def server_of(program: str) -> ForkServer:
    """Return this test process's server of a program. It gets only what every child gets of the environment."""
    return ForkServer(program, kept_environment())


# -- the server's side -------------------------------------------------------------------------------------------------


def serve() -> list[str] | None:
    """Answer until the test process has ended: None. In a fork return at once the arguments of its program."""
    for line in _lines():
        request = json.loads(line)
        if (pid := request.get("ended")) is not None:
            ended, status = os.waitpid(pid, os.WNOHANG)
            _answer(status if ended else None)
        elif os.fork() == 0:
            _begin_anew(request["environ"], request["log"])
            arguments: list[str] = request["arguments"]
            return arguments
    return None


def _lines() -> Iterator[bytes]:
    """Yield the requests. Unbuffered: a fork must not inherit half of the next one."""
    held = b""
    while received := os.read(IN, 65536):
        *whole, held = (held + received).split(b"\n")
        yield from whole


def _answer(value: int | None) -> None:
    os.write(OUT, json.dumps(value).encode() + b"\n")


def _begin_anew(environ: dict[str, str], log_path: str) -> None:
    """Become what a new process would be. The test process hears of it when its signals reach the whole group."""
    os.setsid()
    nothing = os.open(os.devnull, os.O_RDONLY)
    log = os.open(log_path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o666)
    os.environ.clear()
    os.environ.update(environ)
    time.tzset()
    _answer(os.getpid())
    for own, to in ((nothing, IN), (log, OUT), (log, ERRORS)):
        os.dup2(own, to)
    os.close(nothing)
    os.close(log)


def main(program: str) -> None:
    """Import, serve, and in a fork run the program as its command does."""
    sys.modules.update(dict.fromkeys(HIDDEN.get(program, ())))  # type: ignore[arg-type]
    for name in IMPORTED[program]:
        importlib.import_module(name)
    sys.modules.pop(f"{program}.__main__", None)  # run once more, by its own name, in each fork
    if threading.active_count() != 1:
        raise RuntimeError(f"an import has started a thread, which a fork would lack: {threading.enumerate()}")
    if (arguments := serve()) is not None:
        sys.argv = [program, *arguments]
        runpy.run_module(program, run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main(sys.argv[1])
