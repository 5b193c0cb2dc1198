"""A tool: its name, what it is for, what it is asked, and the function that looks."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Any

from msgspec import Struct

from advisor.agent.sources import Sources
from wire.explain import ToolName
from wire.types import Env


class Found(Struct, frozen=True):
    """What a tool found, of which environment, as of when. With ``missing`` the finding only says why not."""

    env: Env | None
    as_of: datetime
    finding: Struct | dict[str, Any]
    missing: str | None = None


class Tool(Struct, frozen=True, kw_only=True):
    """One row of the table. ``find`` gets the sources and the parameters, decoded. It only reads.

    ``wording`` is the words in which a person asks for it; the router's answer lists them.
    """

    name: ToolName
    description: str
    wording: str
    parameters: type[Struct]
    find: Callable[[Sources, Any], Awaitable[Found]]
