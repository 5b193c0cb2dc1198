"""Every open connection, and which one goes when there are too many or when they hold too much."""

from __future__ import annotations

import resource
from collections import OrderedDict
from collections.abc import Mapping
from ipaddress import ip_address
from types import MappingProxyType
from typing import Protocol

from serving.later import Caller
from serving.limits import CONNECTIONS_AT_MOST, FILES_KEPT_FREE, HELD_BYTES, PER_ADDRESS_AT_MOST

V6_HOME_BITS = 64  # one household or server has a whole /64
PER_CALLER_AT_MOST: Mapping[Caller, int] = MappingProxyType(
    {"operator": 1024, "bridge": 64, "webhook": 64, "reader": 64}
)
"""Connections of one session, secret or key that a guard has admitted."""


class Cuttable(Protocol):
    """A connection."""

    def cut(self) -> None:
        """Close it now, whatever it is doing."""

    def look(self, now: float) -> None:
        """End what has taken too long. ``now`` is in seconds of the monotonic clock."""

    def leave(self) -> None:
        """Close it, after the answer that is under way."""


def home_of(address: str) -> str:
    """Return what counts as one address: an IPv4 address, or the /64 of an IPv6 one."""
    try:
        read = ip_address(address.partition("%")[0])
    except ValueError:
        return address
    if read.version == 4:
        return str(read)
    if read.ipv4_mapped is not None:
        return str(read.ipv4_mapped)
    return f"{int(read) >> V6_HOME_BITS:x}/64"


def files_allowed() -> int:
    """Raise the process's own limit of open files to what the system allows, and return it."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != hard:
        try:
            resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
        except (ValueError, OSError):
            return soft
    return hard if hard != resource.RLIM_INFINITY else CONNECTIONS_AT_MOST + FILES_KEPT_FREE


class Connections:
    """The open connections: strangers' and known callers', each in the order in which they came or were last served.

    Strangers of one address have at most ``per_address``, and a known caller its own limit: the one that waits longest
    gives way to the next. When there are too many in all a stranger goes; a known caller's goes only when there is no
    stranger left, and then one of the caller who has the most. Used on the event loop only.
    """

    def __init__(self, at_most: int | None = None, per_address: int | None = PER_ADDRESS_AT_MOST) -> None:
        self.at_most = at_most or max(16, min(CONNECTIONS_AT_MOST, files_allowed() - FILES_KEPT_FREE))
        self._per_address = per_address
        self._home_of: dict[Cuttable, str] = {}
        self._owner_of: dict[Cuttable, str | bytes] = {}
        self._of_owner: dict[str | bytes, OrderedDict[Cuttable, None]] = {}
        self._strangers: OrderedDict[Cuttable, None] = OrderedDict()
        self._held: OrderedDict[Cuttable, int] = OrderedDict()
        self._held_bytes = 0

    def __len__(self) -> int:
        return len(self._owner_of)

    def __contains__(self, connection: Cuttable) -> bool:
        return connection in self._owner_of

    @property
    def everyone(self) -> list[Cuttable]:
        """All of them, as they are now."""
        return list(self._owner_of)

    def opened(self, connection: Cuttable, address: str) -> None:
        """Count a new connection, a stranger's; another one goes when there are too many."""
        home = home_of(address)
        self._home_of[connection] = home
        self._put(connection, home, is_stranger=True)
        if self._per_address is not None and len(self._of_owner[home]) > self._per_address:
            self._cut(next(iter(self._of_owner[home])))
        elif len(self) > self.at_most:
            self.make_room()

    def closed(self, connection: Cuttable) -> None:
        """Forget a connection."""
        self._take(connection)
        self._home_of.pop(connection, None)
        self.holds(connection, 0)

    def served(self, connection: Cuttable, caller: Caller | None, shown: bytes | None) -> None:
        """Note that the application has answered the connection, and whom a guard has admitted."""
        if connection not in self._owner_of:
            return
        self._take(connection)
        if caller is None:
            self._put(connection, self._home_of[connection], is_stranger=True)
            return
        owner = shown or caller.encode()
        self._put(connection, owner, is_stranger=False)
        if len(self._of_owner[owner]) > PER_CALLER_AT_MOST[caller]:
            self._cut(next(iter(self._of_owner[owner])))

    def holds(self, connection: Cuttable, count: int) -> None:
        """Note how many bytes the connection makes the process keep. The one that began first goes when it is too much.

        The bytes are those of a body that is not whole, or of an answer that is not read.
        """
        before = self._held.pop(connection, 0)
        if count:
            self._held[connection] = count
        self._held_bytes += count - before
        while self._held_bytes > HELD_BYTES:
            self._cut(next(iter(self._held)))

    def make_room(self) -> None:
        """Cut one connection."""
        if self._strangers:
            self._cut(next(iter(self._strangers)))
        elif self._of_owner:
            most: OrderedDict[Cuttable, None] = max(self._of_owner.values(), key=len)
            self._cut(next(iter(most)))

    def _put(self, connection: Cuttable, owner: str | bytes, *, is_stranger: bool) -> None:
        self._owner_of[connection] = owner
        self._of_owner.setdefault(owner, OrderedDict())[connection] = None
        if is_stranger:
            self._strangers[connection] = None

    def _take(self, connection: Cuttable) -> None:
        owner = self._owner_of.pop(connection, None)
        if owner is None:
            return
        of_owner = self._of_owner[owner]
        del of_owner[connection]
        if not of_owner:
            del self._of_owner[owner]
        self._strangers.pop(connection, None)

    def _cut(self, connection: Cuttable) -> None:
        self.closed(connection)
        connection.cut()
