"""Explains a block, a day, or many days, by rules alone: every statement is made of what the tools found."""

from __future__ import annotations

import asyncio
from datetime import date
from typing import Any

from advisor.agent.asked import asset_named, asset_of_desk, day_named
from advisor.agent.block_words import explain_block
from advisor.agent.coach_words import coach, silent
from advisor.agent.day_words import explain_attempts, explain_other_day, explain_trades
from advisor.agent.sources import Sources, ToolRefused
from advisor.agent.statements import why_missing
from advisor.agent.toolbox import Toolbox
from sidecar.problems import ServiceRefused
from sidecar.web import DeskAway
from wire.explain import About, Explained, Statement, ToolName, ToolResult
from wire.service_problem import ServiceFault
from wire.state import LiveDocument
from wire.types import Side

WHAT_IF_SECONDS = 1.2
"""Web waits 2 s for an explanation; deciding a day again may take longer, and the rest is worth saying without it."""

DAY_TOOLS = {
    "day_review": explain_trades,
    "blocked_attempts": explain_attempts,
    "what_if_day": explain_other_day,
}


async def explained(
    toolbox: Toolbox, about: About, asset: str | None = None, direction: Side | None = None, day: str | None = None
) -> Explained:
    """Explain. Without an asset a block is that of every asset, without a day the day is today.

    For the coach `asset` and `day` choose the trades: of one asset, up to that day. Raises `ServiceRefused`:
    ``web_away`` when the desk does not answer, ``unknown_symbol``, and ``invalid_parameter`` for what does not fit.
    """
    _refuse_what_does_not_fit(about, asset, direction, day)
    sources = toolbox.sources()
    try:
        state = await sources.state()
    except DeskAway as error:
        raise ServiceRefused("web_away", f"the desk does not answer: {error.why}") from error
    try:
        return await _explained(toolbox, sources, state, (about, asset, direction, day))
    except ToolRefused as refused:
        is_of_asset = refused.code in ("unknown_symbol", "not_traded_here")
        code: ServiceFault = "unknown_symbol" if is_of_asset else "invalid_parameter"
        raise ServiceRefused(code, str(refused)) from refused


def _refuse_what_does_not_fit(about: About, asset: str | None, direction: Side | None, day: str | None) -> None:
    """Refuse what would be left unheeded: who names it expects it to count."""
    if about == "day" and asset is not None:
        raise ServiceRefused("invalid_parameter", "a day is explained for all assets together: leave asset out")
    if about != "block" and direction is not None:
        raise ServiceRefused("invalid_parameter", "only a block has a direction")
    if about == "block" and day is not None:
        raise ServiceRefused("invalid_parameter", "a block is that of now: leave day out")


async def _explained(
    toolbox: Toolbox,
    sources: Sources,
    state: LiveDocument,
    asked: tuple[About, str | None, Side | None, str | None],
) -> Explained:
    about, asset, direction, day = asked
    named = None if asset is None else asset_named(asset)
    if about == "block":
        named = None if asset is None else asset_of_desk(asset, state.assets)
        results = [await toolbox.call("explain_blocks", _given(asset=named, direction=direction), sources)]
        statements = _statements(results)
        return _answer(about, state, results, statements, asset=named, direction=direction)
    if about == "day":
        on = day_named(day, state.desk.trading_day)
        results = await _day_results(toolbox, sources, on)
        return _answer(about, state, results, _statements(results), day=on)
    last = None if day is None else day_named(day, state.desk.trading_day)
    arguments = _given(asset=named, last_day=None if last is None else last.isoformat())
    results = [await toolbox.call("journal_statistics", arguments, sources)]
    return _answer(about, state, results, _statements(results), asset=named, day=last)


async def _day_results(toolbox: Toolbox, sources: Sources, day: date) -> list[ToolResult]:
    arguments = {"day": day.isoformat()}
    calls = (toolbox.call(name, arguments, sources) for name in ("day_review", "blocked_attempts"))
    review, attempts = await asyncio.gather(*calls)
    if attempts.result.get("refused") == 0:
        return [review, attempts]  # a day without a refused entry need not be decided again
    return [review, attempts, await _in_time(toolbox, sources, arguments)]


async def _in_time(toolbox: Toolbox, sources: Sources, arguments: dict[str, Any]) -> ToolResult:
    """Ask for the day decided again, and go on without it when that takes too long."""
    name: ToolName = "what_if_day"
    try:
        async with asyncio.timeout(WHAT_IF_SECONDS):
            return await toolbox.call(name, arguments, sources)
    except TimeoutError:
        state = await sources.state()
        return ToolResult(
            tool=name, arguments=arguments, env=state.desk.env, as_of=state.now, result={}, missing="too_slow"
        )


def _statements(results: list[ToolResult]) -> tuple[Statement, ...]:
    found = (statement for result in results for statement in statements_of(result))
    return tuple({statement.text: statement for statement in found}.values())  # one reason for two tools is said once


def statements_of(result: ToolResult) -> tuple[Statement, ...]:
    """Return what the rules say of a result of the desk's own tools."""
    if result.missing is not None:
        return (why_missing(result),)
    if result.tool == "explain_blocks":
        return explain_block(result)
    if result.tool == "journal_statistics":
        return coach(result)
    return tuple(DAY_TOOLS[result.tool](result))


def _answer(
    about: About,
    state: LiveDocument,
    results: list[ToolResult],
    statements: tuple[Statement, ...],
    *,
    asset: str | None = None,
    direction: Side | None = None,
    day: date | None = None,
) -> Explained:
    quiet = silent(results[0]) if about == "coach" and results[0].missing is None else ()
    return Explained(
        about=about,
        env=state.desk.env,
        as_of=state.now,
        asset=asset,
        direction=direction,
        day=None if day is None else day.isoformat(),
        statements=statements,
        silent=quiet,
        tools=tuple(results),
    )


def _given(**arguments: str | None) -> dict[str, Any]:
    return {name: value for name, value in arguments.items() if value is not None}
