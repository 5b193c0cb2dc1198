"""Ports for the programs of tests. It needs nothing but Python, for it is used before anything is installed."""

from __future__ import annotations

import os
import random
import socket
from collections.abc import Iterator
from pathlib import Path

LOWEST_PORT = 11_000  # browsers refuse some below
OUTGOING_PORTS = Path("/proc/sys/net/ipv4/ip_local_port_range")
USUAL_OUTGOING_PORT = 32_768


def free_port() -> int:
    """Return a port without a listener that nobody gets until a test's own program listens there, or listens again.

    The machine gives the ports of outgoing connections from a range of its own: out of this range a port that is
    free now may be taken a moment later. And none is returned twice, so what stands for nobody stays nobody's.
    """
    return next(port for port in _PORTS if _is_free(port))


def _ports() -> Iterator[int]:
    """Yield ports below those of outgoing connections, in an order of this process: several run tests at a time."""
    order = random.Random(os.getpid())
    while True:
        yield from order.sample(range(LOWEST_PORT, _first_outgoing_port()), k=_first_outgoing_port() - LOWEST_PORT)


def _first_outgoing_port() -> int:
    try:
        return max(LOWEST_PORT + 1_000, int(OUTGOING_PORTS.read_text("ascii").split()[0]))
    except OSError:
        return USUAL_OUTGOING_PORT  # a system without this file


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True


_PORTS = _ports()
