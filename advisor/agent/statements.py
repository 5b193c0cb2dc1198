"""How a statement is made: its sentence, its facts, the tool they come from. And how a finding is read back."""

from __future__ import annotations

from decimal import Decimal
from typing import TypeVar

import msgspec
from msgspec import Struct

from advisor.agent.wording import facts_of
from wire.asset import Facts
from wire.explain import Statement, ToolName, ToolResult
from wire.types import Env

Finding = TypeVar("Finding", bound=Struct)

MISSING: dict[str, str] = {
    "web_away": "The desk does not answer, so nothing can be said about it now.",
    "journal_away": "The journal cannot be read now, so nothing can be said of what it holds.",
    "not_decided": "The day could not be decided again: what the refused entries would have become is not known.",
    "too_slow": "The day could not be decided again in time: what the refused entries would have become is not known.",
}


def said(
    code: str,
    text: str,
    facts: Facts,
    tool: ToolName,
    n: int | None = None,
    interval: tuple[Decimal, Decimal] | None = None,
) -> Statement:
    """Return a statement."""
    low, high = (None, None) if interval is None else interval
    return Statement(code=code, text=text, facts=facts, tool=tool, n=n, low=low, high=high)


def finding_of(result: ToolResult, shape: type[Finding]) -> Finding:
    """Return a tool's finding in its own shape. A result with ``missing`` has none."""
    return msgspec.convert(result.result, shape)


def env_of(result: ToolResult) -> Env:
    """Return the environment that a finding of the desk is of. No such finding is of none."""
    if result.env is None:
        raise ValueError(f"{result.tool} found something of no environment")
    return result.env


def why_missing(result: ToolResult) -> Statement:
    """Return why a tool found nothing, in words: what is not known is said to be not known."""
    code = result.missing or "unknown"
    detail = result.result.get("detail")
    text = MISSING.get(code)
    if text is None and isinstance(detail, str) and detail:
        text = f"Nothing is known here: {detail.rstrip('.')}."
    return said("not_known", text or "Nothing is known here now.", facts_of(missing=code), result.tool)
