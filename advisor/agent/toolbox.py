"""Calls a tool by its name: checks what it is asked, and makes a result of what it finds or of why it finds nothing."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import msgspec
import structlog
from msgspec import Struct

from advisor.agent.desk_reader import DeskReader
from advisor.agent.sources import Clock, MlReader, NothingThere, Sources, ToolRefused, utc_now
from advisor.agent.tool import Found, Tool
from advisor.agent.tools import BY_NAME
from sidecar.web import DeskAway
from wire.explain import ToolResult

__all__ = ["MlReader", "ToolRefused", "Toolbox"]

logger = structlog.get_logger(__name__)


class Toolbox:
    """Every tool, and where they read. Nothing in it changes the desk."""

    def __init__(self, desk: DeskReader, ml: MlReader, clock: Clock = utc_now) -> None:
        """Read `desk` and `ml`; `clock` says as of when nothing was found."""
        self._desk = desk
        self._ml = ml
        self._clock = clock

    def sources(self) -> Sources:
        """Return what the tools of one question share: they see one state of the desk."""
        return Sources(self._desk, self._ml, self._clock)

    async def call(self, name: str, arguments: dict[str, Any], sources: Sources | None = None) -> ToolResult:
        """Ask a tool. Raises `ToolRefused` for an unknown tool and for arguments that it does not take.

        A desk that does not answer is a result with ``missing: web_away``, its journal alone ``journal_away``.
        """
        tool = BY_NAME.get(name)
        if tool is None:
            raise ToolRefused("unknown_tool", f"{name[:40]!r} is no tool: there are {', '.join(BY_NAME)}")
        asked = _read(tool, arguments)
        sources = sources or self.sources()
        try:
            found = await self._found(tool, asked, sources)
        except DeskAway as error:
            logger.warning("desk_away", tool=tool.name, why=error.why, error=str(error))
            found = self._away(error, sources)
        return result_of(tool, arguments, found)

    def _away(self, error: DeskAway, sources: Sources) -> Found:
        """Return that nothing is known: of the desk, or of its journal alone, as while its store is down."""
        why = {"why": error.why}
        if sources.seen is None:
            return Found(None, self._clock(), why, missing="web_away")
        return Found(sources.seen.desk.env, sources.seen.now, why, missing="journal_away")

    async def _found(self, tool: Tool, asked: Struct, sources: Sources) -> Found:
        try:
            return await tool.find(sources, asked)
        except NothingThere as nothing:
            state = await sources.state()
            return Found(state.desk.env, state.now, {"detail": str(nothing)}, missing=nothing.code)


def result_of(tool: Tool, arguments: dict[str, Any], found: Found) -> ToolResult:
    """Return what travels: times as RFC 3339, decimals as they are."""
    return ToolResult(
        tool=tool.name,
        arguments=dict(arguments),
        env=found.env,
        as_of=found.as_of,
        result=plain(found.finding),
        missing=found.missing,
    )


def plain(finding: Struct | dict[str, Any]) -> dict[str, Any]:
    """Return a finding as plain values."""
    if isinstance(finding, dict):
        return finding
    found: dict[str, Any] = msgspec.to_builtins(finding, builtin_types=(Decimal,))
    return found


def _read(tool: Tool, arguments: dict[str, Any]) -> Struct:
    """Decode the arguments. A model may write a number as a text; a name that is not there is refused."""
    try:
        return msgspec.convert(arguments, tool.parameters, strict=False)
    except msgspec.ValidationError as error:
        raise ToolRefused("invalid_arguments", f"{tool.name}: {error}") from error
