"""The name under which a process holds the desk, and whether the process behind a name is known to be gone.

A name is ``host/pid/machine/born/nonce``. ``machine`` stands for one boot and one set of process ids, so that the
same pid in another container is another process; ``born`` is when it was started. Without ``/proc`` nobody is known
to be gone, and a lost writer is followed when its lease runs out.
"""

from __future__ import annotations

import os
import secrets
import socket
from hashlib import blake2b
from pathlib import Path

PROC = Path("/proc")


def new_name() -> str:
    """Return a name of this process that nobody else has."""
    pid = os.getpid()
    return "/".join((socket.gethostname() or "?", str(pid), _machine(), _born(pid), secrets.token_hex(4)))


def shown(name: str) -> str:
    """Return what a person is shown of a name: ``host/pid``."""
    return "/".join(name.rsplit("/", 4)[:2])


def is_gone(name: str) -> bool:
    """Tell whether the process of this name is known to have ended; False when that cannot be known from here."""
    try:
        _, pid, machine, born, _ = name.rsplit("/", 4)
        return bool(machine) and machine == _machine() and _born(int(pid)) != born
    except ValueError:
        return False


def _machine() -> str:
    try:
        boot = (PROC / "sys/kernel/random/boot_id").read_text("ascii").strip()
        processes = os.readlink(PROC / "self/ns/pid")
    except OSError:
        return ""
    return blake2b(f"{boot} {processes}".encode(), digest_size=6).hexdigest()


def _born(pid: int) -> str:
    """Return the tick in which a process was started, empty when there is none, or none but its remains."""
    try:
        fields = (PROC / str(pid) / "stat").read_text("utf-8", "replace").rpartition(")")[2].split()
    except OSError:
        return ""
    return "" if fields[0] in "ZX" else fields[19]
