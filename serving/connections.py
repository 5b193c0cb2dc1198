"""Every open connection, and which one goes when there are too many."""

from __future__ import annotations

import resource
from collections import OrderedDict
from ipaddress import ip_address
from typing import Protocol

from serving.limits import CONNECTIONS_AT_MOST, FILES_KEPT_FREE, PER_ADDRESS_AT_MOST

V6_HOME = 64  # bits: one household or server has a whole /64


class Cuttable(Protocol):
    """A connection."""

    def cut(self) -> None:
        """Close it now, whatever it is doing."""


def home_of(address: str) -> str:
    """Return what counts as one address: an IPv4 address, or the /64 of an IPv6 one."""
    try:
        read = ip_address(address)
    except ValueError:
        return address
    if read.version == 4:
        return address
    if read.ipv4_mapped is not None:
        return str(read.ipv4_mapped)
    return str(int(read) >> V6_HOME)


def files_allowed() -> int:
    """Raise the process's own limit of open files to what the system allows, and return it."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != hard:
        try:
            resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
        except (ValueError, OSError):
            return soft
    return hard


class Connections:
    """The open connections: strangers in the order in which they came or were last served, and those of known callers.

    Strangers share what is left, and one address has at most ``per_address`` of them: the one that waits longest gives
    way to the next. A connection whose last request a guard has admitted is cut only when there is no stranger left.
    Used on the event loop only.
    """

    def __init__(self, at_most: int | None = None, per_address: int | None = PER_ADDRESS_AT_MOST) -> None:
        self._at_most = at_most or max(16, min(CONNECTIONS_AT_MOST, files_allowed() - FILES_KEPT_FREE))
        self._per_address = per_address
        self._strangers: dict[str, OrderedDict[Cuttable, None]] = {}
        self._in_turn: OrderedDict[Cuttable, str] = OrderedDict()
        self._known: OrderedDict[Cuttable, str] = OrderedDict()

    def __len__(self) -> int:
        return len(self._in_turn) + len(self._known)

    def opened(self, connection: Cuttable, address: str) -> None:
        """Count a new connection; another one goes when there are too many."""
        home = home_of(address)
        self._add_stranger(connection, home)
        of_home = self._strangers[home]
        if self._per_address is not None and len(of_home) > self._per_address:
            self._cut(next(iter(of_home)))
        elif len(self) > self._at_most:
            self._cut(next(iter(self._in_turn if len(self._in_turn) > 1 else self._known)))

    def closed(self, connection: Cuttable) -> None:
        """Forget a connection."""
        self._take(connection)

    def served(self, connection: Cuttable, *, is_known: bool) -> None:
        """Note that a request of the connection was answered, and whether a guard has admitted it."""
        home = self._take(connection)
        if home is None:
            return
        if is_known:
            self._known[connection] = home
        else:
            self._add_stranger(connection, home)

    def _add_stranger(self, connection: Cuttable, home: str) -> None:
        self._in_turn[connection] = home
        self._strangers.setdefault(home, OrderedDict())[connection] = None

    def _take(self, connection: Cuttable) -> str | None:
        home = self._known.pop(connection, None)
        if home is not None:
            return home
        home = self._in_turn.pop(connection, None)
        if home is not None:
            of_home = self._strangers[home]
            del of_home[connection]
            if not of_home:
                del self._strangers[home]
        return home

    def _cut(self, connection: Cuttable) -> None:
        self._take(connection)
        connection.cut()
