"""The name under which a process holds the desk, and whether the process with a name is known to have ended.

A name is ``host/pid/machine/born/nonce``. ``machine`` identifies one boot and one namespace of process ids, so that the
same pid in another container is another process. ``born`` is the start time of the process. Without ``/proc`` no
process is known to have ended; a standby then takes over when the lease runs out.
"""

from __future__ import annotations

import os
import secrets
import socket
from hashlib import blake2b
from pathlib import Path

PROC = Path("/proc")


def new_name() -> str:
    """Return a unique name for this process."""
    pid = os.getpid()
    return "/".join((socket.gethostname() or "?", str(pid), _machine(), _born(pid), secrets.token_hex(4)))


def shown(name: str) -> str:
    """Return the part of a name that is displayed: ``host/pid``."""
    return "/".join(name.rsplit("/", 4)[:2])


def is_gone(name: str) -> bool:
    """Return whether the process of this name is known to have ended, False when that is unknown on this machine."""
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
    """Return the clock tick in which a process was started, empty when it does not run (or is a zombie)."""
    try:
        fields = (PROC / str(pid) / "stat").read_text("utf-8", "replace").rpartition(")")[2].split()
    except OSError:
        return ""
    return "" if fields[0] in "ZX" else fields[19]
