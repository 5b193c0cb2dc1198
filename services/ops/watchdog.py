"""Report to systemd that the desk answers, so that a frozen one is ended and started again (``WatchdogSec``).

It asks the desk's own ``/healthz`` through its port, which answers while the server, a thread and the writer work.
"""

from __future__ import annotations

import socket
import threading
import urllib.request

import structlog
from msgspec import Struct

ASKS_EVERY_SECONDS = 5.0
ANSWERS_WITHIN_SECONDS = 3.0
FROZEN_AFTER_SECONDS = 30  # from the first answer on; before it the unit's own, longer time holds: a start may upgrade
DIRECTLY = urllib.request.build_opener(urllib.request.ProxyHandler({}))  # whatever http_proxy says
LIMIT = f"WATCHDOG_USEC={FROZEN_AFTER_SECONDS * 1_000_000}"

log = structlog.get_logger(__name__)


class Supervisor(Struct, frozen=True):
    """Where systemd listens, and the address under which this desk answers."""

    socket: str
    health: str


def start(supervisor: Supervisor) -> None:
    """Report from now on, in a thread of its own."""
    threading.Thread(target=_report, args=(supervisor,), name="watchdog", daemon=True).start()


def _report(supervisor: Supervisor) -> None:
    pause = threading.Event()
    is_limited = False
    while not pause.wait(ASKS_EVERY_SECONDS):
        is_limited = report_once(supervisor, says_limit=not is_limited) or is_limited


def report_once(supervisor: Supervisor, *, says_limit: bool = False) -> bool:
    """Report that the desk answers, if it does. Return whether it was reported. ``says_limit`` shortens the time."""
    try:
        with DIRECTLY.open(supervisor.health, timeout=ANSWERS_WITHIN_SECONDS):
            pass
        _send(supervisor.socket, f"{LIMIT}\nWATCHDOG=1" if says_limit else "WATCHDOG=1")
    except (OSError, ValueError) as error:
        log.warning("not reported to systemd: the desk does not answer itself", error=str(error))
        return False
    return True


def _send(address: str, text: str) -> None:
    """Send a text to systemd. An address that begins with ``@`` is an abstract one."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as line:
        line.connect("\0" + address[1:] if address.startswith("@") else address)
        line.sendall(text.encode())
