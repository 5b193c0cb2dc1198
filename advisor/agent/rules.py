"""The rules explainer: which tools a message is about, and an answer made of their facts alone. No model is in it.

Sentences are made of findings, never of what a trader wrote: a note, a tag or a reason is read by nobody here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from types import MappingProxyType

from advisor.agent.coach_words import coach, told_silence
from advisor.agent.explanations import statements_of
from advisor.agent.market_words import say_consensus, say_phase, say_positions, say_range, say_signal
from advisor.agent.routes import Call, lacks_asset, route
from advisor.agent.statements import why_missing
from advisor.agent.tools import TOOLS
from wire.explain import Statement, ToolName, ToolResult

__all__ = ["Call", "abilities", "route", "sentences_of", "word"]

MARKET: Mapping[ToolName, Callable[[ToolResult], Iterable[Statement]]] = MappingProxyType(
    {
        "positions": say_positions,
        "consensus": say_consensus,
        "range_forecast": say_range,
        "signal": say_signal,
        "amd_phase": say_phase,
    }
)
MOST_ALIKE = 5
"""Groups that do not differ and are told all the same, when nobody asked for one grouping."""


def word(message: str, results: Sequence[ToolResult]) -> str:
    """Return the answer to a message, made of what its tools found; without any, what can be asked."""
    if not results:
        return (f"Name an asset, for example ES. {abilities()}") if lacks_asset(message) else abilities()
    sentences = (statement.text for result in results for statement in sentences_of(result))
    return " ".join(dict.fromkeys(sentences))  # one reason for two tools is said once


def sentences_of(result: ToolResult) -> tuple[Statement, ...]:
    """Return what is said of a result. Of many groups that do not differ a few are enough."""
    if result.missing is not None:
        return (why_missing(result),)
    if result.tool in MARKET:
        return tuple(MARKET[result.tool](result))
    if result.tool == "journal_statistics":
        return (*coach(result), *told_silence(result)) if "by" in result.arguments else _shortened(coach(result))
    return statements_of(result)


def abilities() -> str:
    """Return what can be asked. It has no number, so that it needs no fact."""
    *first, last = (tool.wording for tool in TOOLS)
    return f"Ask me {', '.join(first)}, or {last}. I answer by rules, of the desk's own facts."


def _shortened(statements: Sequence[Statement]) -> tuple[Statement, ...]:
    alike = [statement for statement in statements if statement.code == "group_alike"]
    left_out = set(map(id, alike[MOST_ALIKE:]))
    return tuple(statement for statement in statements if id(statement) not in left_out)
