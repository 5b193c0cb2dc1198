"""What stands around a clause: a day, an environment, an asset, now. It must be that of the statement. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from datetime import date

from advisor.agent.number_tokens import Token
from advisor.agent.slots import Source
from advisor.agent.wording import WEEKDAYS
from wire.explain import ToolResult

_DAYS = "|".join(day.casefold() for day in WEEKDAYS)
FRAMES = (
    r"(?P<today>today|so far|so far today|until now)",
    r"(?P<now>now|right now|currently|at the moment|still)",
    rf"on (?P<weekday>{_DAYS})(?:,? (?P<of_weekday>#\d+#))?",
    r"on (?:the )?(?P<date>#\d+#)",
    r"in (?P<env>demo|live)",
    r"(?:in|of|for) (?P<asset>[a-z][a-z0-9]{0,9})",
    r"(?P<costs>after known commissions)",
    r"(?P<balance>by the balance)",
    r"(?P<whole>overall|in total|in all|altogether|on the day|unfortunately)",
)
_FRAME = "|".join(f"(?:{frame})" for frame in FRAMES)
AT_BEGIN = re.compile(rf"(?:{_FRAME})[,:]?(?: |$)")
AT_END = re.compile(rf"(?:^| )(?:{_FRAME})$")
MOST_FRAMES = 4
OF_NOW = frozenset({"blocked", "open", "standby", "store_down", "gate_closed", "flat", "held", "colours"})
OF_BOTH = frozenset({"overrides", "refused", "nothing_refused", "exits_locked"})
"""What is counted in both environments together: one of them must not be named with it."""

OF_DAY = frozenset({"day_review", "blocked_attempts", "what_if_day"})
RESULTS = frozenset({"day_result", "best_and_worst"})

Around = tuple[tuple[str, str], ...]


def without(text: str) -> Iterator[tuple[str, Around]]:
    """Give the clause, and the clause without what is around it, each with what was taken away."""
    yield text, ()
    taken: list[tuple[str, str]] = []
    for _ in range(MOST_FRAMES):
        found = AT_BEGIN.match(text) or AT_END.search(text)
        if found is None:
            return
        taken += [(name, value) for name, value in found.groupdict().items() if value]
        text = text[: found.start()] + text[found.end() :]
        text = text.strip()
        yield text, tuple(taken)


def fit(around: Around, source: Source, results: Sequence[ToolResult], tokens: Sequence[Token]) -> bool:
    """Return whether everything around a clause is that of the statement."""
    return all(_is_of(name, value, source, results, tokens) for name, value in around)


def _is_of(name: str, value: str, source: Source, results: Sequence[ToolResult], tokens: Sequence[Token]) -> bool:
    code, tool = source.statement.code, source.statement.tool
    day = day_of(source)
    match name:
        case "today":
            return tool in OF_DAY and day is not None and day in _running(results)
        case "now":
            return code in OF_NOW
        case "weekday":
            return day is not None and WEEKDAYS[day.weekday()].casefold() == value
        case "date" | "of_weekday":
            return day is not None and _is_date(tokens[int(value.strip("#"))], day)
        case "env":
            return code not in OF_BOTH and (source.result.env or "").casefold() == value
        case "asset":
            return (asset_of(source) or "").casefold() == value
        case "costs":
            return code in RESULTS
        case "balance":
            return code == "balance_now"
        case _:
            return code in ("day_result", "balance_now")


def day_of(source: Source) -> date | None:
    """Return the day that a statement speaks of; none for what is not of a day."""
    day = source.result.result.get("day") if source.statement.tool in OF_DAY else None
    if isinstance(day, date):
        return day
    return date.fromisoformat(day) if isinstance(day, str) else None


def asset_of(source: Source) -> str | None:
    """Return the asset that a statement speaks of; none where it is of the whole desk, or of several."""
    named = source.statement.facts.get("asset") or source.result.result.get("asset")
    if named is None and source.statement.tool == "explain_blocks":
        entries = source.result.result.get("entries", ())
        named = entries[0]["asset"] if len(entries) == 1 else None
    return named if isinstance(named, str) else None


def is_named(source: Source, text: str, results: Sequence[ToolResult]) -> bool:
    """Return whether a clause names what tells its statement from those of another asset, day or environment."""
    alike = [one for one in results if one.tool == source.statement.tool and one.missing is None]
    if source.statement.code == "flat" and any(source.result.result[one] for one in ("foreign", "disagreements")):
        return False  # nothing held by the desk is not all that is held
    asset = asset_of(source)
    if asset is not None and len(_assets(alike)) > 1 and not re.search(rf"\b{re.escape(asset.casefold())}\b", text):
        return False
    if len({str(one.result.get("day")) for one in alike}) > 1 and not re.search(rf"\bon (?:the )?(?:#|{_DAYS})", text):
        return False
    if len({one.env for one in alike}) > 1 and not re.search(r"\bin (?:demo|live)\b", text):
        return False
    directions = {(entry["asset"], entry["direction"]) for one in alike for entry in one.result.get("entries", ())}
    return len(directions) == len({asset for asset, _ in directions})


def is_only_one(source: Source) -> bool:
    """Return whether ``it`` can be but one thing: the one trade of a day, which is its result as well."""
    return source.statement.code == "day_result" and source.statement.facts.get("trades") == 1


def is_only_gate(source: Source) -> bool:
    """Return whether no other gate is closed."""
    entries = source.result.result.get("entries", ())
    return len(entries) == 1 and len(entries[0]["closed"]) == 1


def _assets(results: Sequence[ToolResult]) -> set[str]:
    entries = {entry["asset"] for one in results for entry in one.result.get("entries", ())}
    held = {entry["asset"] for one in results for entry in one.result.get("held", ())}
    return entries | held | {one.result["asset"] for one in results if one.result.get("asset")}


def _running(results: Sequence[ToolResult]) -> set[date]:
    """Return the running day, as a review of it has it."""
    found = (one.result.get("day") for one in results if one.tool == "day_review" and one.result.get("now"))
    return {day if isinstance(day, date) else date.fromisoformat(day) for day in found if day}


def _is_date(token: Token, day: date) -> bool:
    year, month_and_day = divmod(int(token.value), 10_000)
    return token.kind == "date" and month_and_day == day.month * 100 + day.day and year in (0, day.year)
