"""The container's health check: ask the desk whether it is alive, and end it when it was well once and is frozen.

A container is restarted when it ends, not when it is unwell. Every process but the first is killed: under an init the
container ends with them, and a gunicorn that is the first process itself starts a new worker.

``python -m services.ops.alive <address>``; the standard library alone, because it is started every ten seconds.
"""

from __future__ import annotations

import os
import signal
import sys
import tempfile
import urllib.request
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

ANSWERS_WITHIN_SECONDS = 2.0
FAILURES_IN_A_ROW = 3
DIRECTLY = urllib.request.build_opener(urllib.request.ProxyHandler({}))  # whatever http_proxy says
COUNT = Path(tempfile.gettempdir(), "lockstep-failed-checks")


def is_alive(address: str) -> bool:
    """Return whether the desk answers 200 in time."""
    try:
        with DIRECTLY.open(address, timeout=ANSWERS_WITHIN_SECONDS):
            return True
    except (OSError, ValueError):
        return False


def is_frozen(well: bool, count: Path = COUNT) -> bool:
    """Note one check. Return whether as many failed in a row as end the desk; before the first good one none does."""
    if well:
        count.write_text("0", "ascii")
        return False
    failed = int(count.read_text("ascii")) + 1 if count.exists() else 0
    if failed:
        count.write_text(str(failed), "ascii")
    return failed >= FAILURES_IN_A_ROW


def end_all(processes: Iterable[int]) -> None:
    """Kill these processes, all but the first of the container and this one."""
    for process in processes:
        if process not in (1, os.getpid()):
            with suppress(ProcessLookupError, PermissionError):
                os.kill(process, signal.SIGKILL)


def main(address: str) -> int:
    """Check once. Return the status that Docker reads: 0 when it is well."""
    well = is_alive(address)
    if is_frozen(well):
        COUNT.unlink()  # the next desk is waited for anew
        end_all(int(path.name) for path in Path("/proc").iterdir() if path.name.isdecimal())
    return 0 if well else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
