"""The programs of a desk, this version of them, and how one says to web which program it is."""

from __future__ import annotations

import re
from typing import Literal, cast

from msgspec import Struct

VERSION = "0.7.0"

ProgramName = Literal["web", "bridge", "feeds", "advisor", "tape"]

AGENT = re.compile(r"lockstep-(web|bridge|feeds|advisor|tape)/([0-9][0-9a-z.+-]{0,30})")


class ProgramMark(Struct, frozen=True):
    """Which program calls, and of which version."""

    name: ProgramName
    version: str


def agent_of(name: ProgramName) -> str:
    """Return the ``User-Agent`` with which a program of this version calls web."""
    return f"lockstep-{name}/{VERSION}"


def read_agent(text: str) -> ProgramMark | None:
    """Return which program a ``User-Agent`` names, None when it names none of ours."""
    named = AGENT.fullmatch(text)
    return None if named is None else ProgramMark(cast(ProgramName, named[1]), named[2])
