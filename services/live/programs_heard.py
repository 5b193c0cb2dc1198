"""Which programs have called web, by the name that each gives itself: the bridge and the tape are known by this alone.

Kept in memory: after a start nobody has been heard. Web notes a name only after it has admitted the call.
"""

from __future__ import annotations

from msgspec import Struct

from wire.program import ProgramName, read_agent
from wire.types import Instant

OURS = "lockstep-"


class HeardProgram(Struct, frozen=True):
    """The last call of a program: its version, and when it came."""

    version: str
    at: Instant


class ProgramsHeard:
    """The last call of each program. Safe for threads: a row is replaced whole. ``began_at``: when web began."""

    def __init__(self, began_at: Instant) -> None:
        self.began_at = began_at
        self._last: dict[ProgramName, HeardProgram] = {}

    def hear(self, agent: str, now: Instant) -> None:
        """Note an admitted call by its ``User-Agent``. One that names no program of ours is nobody's."""
        mark = read_agent(agent)
        if mark is not None:
            self._last[mark.name] = HeardProgram(mark.version, now)

    def last(self, name: ProgramName) -> HeardProgram | None:
        """Return the last call of a program, None when it has not called."""
        return self._last.get(name)
