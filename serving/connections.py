"""Every open connection, and which one goes when there are too many or when they hold too much."""

from __future__ import annotations

import resource
import time
from collections import OrderedDict
from collections.abc import Mapping
from ipaddress import ip_address
from types import MappingProxyType
from typing import Protocol

from serving.later import Caller
from serving.limits import (
    CONNECTIONS_AT_MOST,
    FILES_KEPT_FREE,
    HELD_BYTES,
    KNOWN_ADDRESSES_KEPT,
    PER_ADDRESS_AT_MOST,
    REPLACED_PER_SECOND,
)

Owner = str | bytes  # an address, or the digest of what a known caller shows
V6_HOME_BITS = 64  # one household or server has a whole /64
PER_CALLER_AT_MOST: Mapping[Caller, int] = MappingProxyType(
    {"operator": 1024, "bridge": 64, "webhook": 64, "service": 64, "reader": 64}
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


class Owners:
    """Whose connections they are: of each owner in the order in which they came or were last served."""

    def __init__(self) -> None:
        self._of: dict[Owner, OrderedDict[Cuttable, None]] = {}
        self._with: dict[int, OrderedDict[Owner, None]] = {}
        self._most = 0

    def __bool__(self) -> bool:
        return bool(self._of)

    @property
    def most(self) -> int:
        """How many connections the largest owner has."""
        return self._most

    def count_of(self, owner: Owner) -> int:
        """Return how many connections this owner has."""
        return len(self._of.get(owner, ()))

    def add(self, owner: Owner, connection: Cuttable) -> int:
        """Add a connection; return how many its owner has now."""
        owned = self._of.setdefault(owner, OrderedDict())
        owned[connection] = None
        self._move(owner, len(owned) - 1, len(owned))
        return len(owned)

    def remove(self, owner: Owner, connection: Cuttable) -> None:
        """Remove a connection."""
        owned = self._of[owner]
        del owned[connection]
        self._move(owner, len(owned) + 1, len(owned))
        if not owned:
            del self._of[owner]

    def oldest_of(self, owner: Owner) -> Cuttable:
        """Return the connection of this owner that waits longest."""
        return next(iter(self._of[owner]))

    def oldest_of_the_largest(self) -> Cuttable:
        """Return the connection that waits longest, of the owner who has the most."""
        return self.oldest_of(next(iter(self._with[self._most])))

    def _move(self, owner: Owner, before: int, after: int) -> None:
        """Keep owners by how many they have, so that the largest is found at once."""
        if before:
            del self._with[before][owner]
            if not self._with[before]:
                del self._with[before]
        if after:
            self._with.setdefault(after, OrderedDict())[owner] = None
        self._most = max(self._most, after)
        while self._most and self._most not in self._with:
            self._most -= 1


class Turns:
    """So many a second, and as many at once after a quiet second."""

    def __init__(self, per_second: int) -> None:
        self._per_second = per_second
        self._left = float(per_second)
        self._at = time.monotonic()

    def take(self) -> bool:
        """Take one turn; return False when none is left."""
        now = time.monotonic()
        self._left = min(self._per_second, self._left + (now - self._at) * self._per_second)
        self._at = now
        if self._left < 1:
            return False
        self._left -= 1
        return True


class Connections:
    """The open connections, of strangers and of known callers.

    Strangers of one address have at most ``per_address``, and a known caller its own limit: the one that waits longest
    gives way to the next. When there are too many in all, the address with the most gives way; a known caller only when
    there is no stranger left. An address that would only replace its own connections has few turns to do so: a crowd
    that opens anew what was cut costs no more than the closing. Used on the event loop only.
    """

    def __init__(self, at_most: int | None = None, per_address: int | None = PER_ADDRESS_AT_MOST) -> None:
        self.at_most = at_most or max(16, min(CONNECTIONS_AT_MOST, files_allowed() - FILES_KEPT_FREE))
        self._per_address = None if per_address is None else min(per_address, self.at_most // 2)
        self._home_of: dict[Cuttable, str] = {}
        self._caller_of: dict[Cuttable, bytes] = {}
        self._strangers = Owners()
        self._known = Owners()
        self._held: OrderedDict[Cuttable, int] = OrderedDict()
        self._held_bytes = 0
        self._known_homes: OrderedDict[str, None] = OrderedDict()
        self._replacing = Turns(REPLACED_PER_SECOND)

    def __len__(self) -> int:
        return len(self._home_of)

    @property
    def everyone(self) -> list[Cuttable]:
        """All of them, as they are now."""
        return list(self._home_of)

    def admits(self, address: str) -> bool:
        """Return whether a connection from this address is let in: always where it pushes out none of its own."""
        home = home_of(address)
        count = self._strangers.count_of(home)
        is_at_its_limit = self._per_address is not None and count >= self._per_address
        has_the_most = count > 0 and len(self) >= self.at_most and count >= self._strangers.most
        return not (is_at_its_limit or has_the_most) or home in self._known_homes or self._replacing.take()

    def opened(self, connection: Cuttable, address: str) -> None:
        """Count a new connection, a stranger's; another one goes when there are too many."""
        home = home_of(address)
        self._home_of[connection] = home
        count = self._strangers.add(home, connection)
        if self._per_address is not None and count > self._per_address:
            self._cut(self._strangers.oldest_of(home))
        elif len(self) > self.at_most:
            self.make_room()

    def closed(self, connection: Cuttable) -> None:
        """Forget a connection."""
        if connection in self._home_of:
            self._take(connection)
            del self._home_of[connection]
            self.holds(connection, 0)

    def served(self, connection: Cuttable, caller: Caller | None, shown: bytes | None) -> None:
        """Note that the application has answered the connection, and whom a guard has admitted."""
        if connection not in self._home_of:
            return
        self._take(connection)
        if caller is None:
            self._strangers.add(self._home_of[connection], connection)
            return
        self._know(self._home_of[connection])
        owner = self._caller_of[connection] = shown or caller.encode()
        if self._known.add(owner, connection) > PER_CALLER_AT_MOST[caller]:
            self._cut(self._known.oldest_of(owner))

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
        owners = self._strangers or self._known
        if owners:
            self._cut(owners.oldest_of_the_largest())

    def _know(self, home: str) -> None:
        self._known_homes[home] = None
        self._known_homes.move_to_end(home)
        if len(self._known_homes) > KNOWN_ADDRESSES_KEPT:
            self._known_homes.popitem(last=False)

    def _take(self, connection: Cuttable) -> None:
        caller = self._caller_of.pop(connection, None)
        if caller is None:
            self._strangers.remove(self._home_of[connection], connection)
        else:
            self._known.remove(caller, connection)

    def _cut(self, connection: Cuttable) -> None:
        self.closed(connection)
        connection.cut()
