"""The facts in a form of words: what stands for a number, a name or a side, and whether it is that of the statement.

A number must be its fact: in its unit, on its side of zero, rounded at most to the digits that are written. Pure.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from types import MappingProxyType

from msgspec import Struct

from advisor.agent.block_words import GATE_NAMES, gate_name
from advisor.agent.grounding import fits as fits_digits
from advisor.agent.grounding import is_cut
from advisor.agent.number_tokens import SECONDS, Token
from advisor.agent.wording import NEW_YORK
from wire.explain import Statement, ToolResult

SLOT = re.compile(r"(?<!\?P)<(?P<name>[a-z_]+)(?::(?P<mode>[a-z]+))?>")
NUMBER = r"(?:(?:about|around|roughly|nearly|almost|exactly) )?#(?P<{0}>\d+)#"
CLOCK = NUMBER + r"(?: (?P<{0}__zone>new york time|utc))?"
_GATE = f"(?:{'|'.join(map(re.escape, sorted(GATE_NAMES.values(), key=len, reverse=True)))})"
_SIZE = r"(?:1|2\.5|4|6|8|12)pt"
_SIZES = rf"{_SIZE}(?:(?:,| and|, and) {_SIZE})*"
WORDS: Mapping[str, str] = MappingProxyType(
    {
        "asset": r"[a-z][a-z0-9]{0,9}",
        "contract": r"[a-z0-9]{2,12}",
        "refused_verb": "buy|sell|enter",
        "allowed_verb": "buy|sell",
        "nothing_allowed": "",
        "gate": _GATE,
        "lock": "cooldown|candle lock|daily stop",
        "zone_gate": "zone",
        "gates": rf"(?:the )?{_GATE}(?:(?:,| and|, and) (?:the )?{_GATE})*",
        "held_side": "long|short",
        "stop_rests": r"a stop rests at the broker|no stop rests at the broker"
        r"|it is not known whether a stop rests at the broker|whether a stop rests at the broker is not known",
        "bricks_coloured": rf"{_SIZES}(?: bricks?)? (?:is|are) (?:green|red)",
        "bricks_say": rf"{_SIZES}(?: bricks?)? (?:say|says|point to|points to) (?:buy|sell)",
        "all_colour": "green|red",
        "exit_forced": "a manual exit must be forced|the initial exit lock (?:is active|still holds)",
        "detail": r"[a-z0-9 ,'-]{8,120}?",
        "one_override": "once|one time",
        "zone": "normal|free|none",
        "zone_direction": "buy|sell",
    }
)
CLOCKS = frozenset({"reopens_at", "entry_from"})
DURATIONS = frozenset({"retry_after_s", "entry_in_s", "timeframe"})
PRICES = frozenset({"average_price", "stop_price", "high", "low"})
UNITS = (("_usd", r"\$|usd|dollars?"), ("_points", r"points?|pts?"), ("_pct", "%|percent|per cent|pct"))
FOREIGN_MONEY = re.compile(r"[€£]")
FAR = Decimal("0.05")
"""What a number in thousands, minutes or hours may be off: 149 s are no 2 minutes."""

SIDES = {"long": "BUY", "short": "SELL"}
COLOURS = {"BUY": "green", "SELL": "red"}


class Source(Struct, frozen=True):
    """One of the desk's own statements, and the result that it is made of."""

    statement: Statement
    result: ToolResult

    @property
    def form_key(self) -> str:
        """Return where its forms stand."""
        return f"{self.statement.tool}.{self.statement.code}"


def pattern_of(form: str) -> re.Pattern[str]:
    """Return the pattern of a form: each slot a group of its own, named so that `fills` knows what it must be."""
    count = iter(range(100))

    def slot(found: re.Match[str]) -> str:
        name, mode = found["name"], found["mode"] or "size"
        group = f"{name}__{mode}__{next(count)}"
        if name in WORDS:
            return f"(?P<{group}>{WORDS[name]})"
        return (CLOCK if name in CLOCKS else NUMBER).format(group)

    return re.compile(SLOT.sub(slot, form))


def fills(found: re.Match[str], source: Source, tokens: Sequence[Token]) -> bool:
    """Return whether everything that a form has in it is what the statement says."""
    return all(
        _is_said(group, said, found, source, tokens)
        for group, said in found.groupdict().items()
        if said is not None and "__" in group and not group.endswith("__zone")
    )


def _is_said(group: str, said: str, found: re.Match[str], source: Source, tokens: Sequence[Token]) -> bool:
    name, mode, _ = group.split("__")
    if name in WORDS:
        return _WORD_CHECKS[name](said, source)
    fact = source.statement.facts.get(name)
    token = tokens[int(said)]
    if fact is None or isinstance(fact, bool):
        return False
    if name in CLOCKS:
        return _is_clock(token, str(fact), found.groupdict().get(f"{group}__zone") == "utc")
    if name in DURATIONS:
        seconds = _seconds(fact)
        return token.kind == "duration" and not token.sign and seconds is not None and fits(token, seconds)
    return isinstance(fact, int | float) and _is_amount(token, name, mode, Decimal(str(fact)))


# -- numbers --------------------------------------------------------------------------------------------------------


def _is_amount(token: Token, name: str, mode: str, fact: Decimal) -> bool:
    unit = next((unit for suffix, unit in UNITS if name.endswith(suffix)), None)
    if unit is None:
        is_whole = name not in PRICES and fact == fact.to_integral_value()
        same = token.value == fact and not token.sign
        return token.kind == "number" and same and (is_whole or name in PRICES)
    has_unit = re.search(rf"(?:{unit})(?![a-z])", token.text.casefold()) and not FOREIGN_MONEY.search(token.text)
    is_of_kind = token.kind == ("percent" if name.endswith("_pct") else "amount")
    return bool(has_unit) and is_of_kind and _is_on_its_side(token, mode, fact) and fits(token, fact)


def _is_on_its_side(token: Token, mode: str, fact: Decimal) -> bool:
    """Return whether an amount is called what it is. Without any word it needs its minus."""
    match mode:
        case "loss":
            return fact < 0 and token.sign != "+"
        case "gain":
            return fact > 0 and token.sign != "-"
        case "signed":
            return token.sign == "-" if fact < 0 else token.sign != "-"
        case "alike":
            return fact != 0
        case _:
            return fact >= 0 and not token.sign


def fits(token: Token, fact: Decimal) -> bool:
    """Return whether a number is its fact, rounded to the written digits. In tens or minutes that may be far off."""
    is_near = token.step <= 1 or abs(token.value - abs(fact)) <= abs(fact) * FAR
    return is_near and fits_digits(token, fact)


def _is_clock(token: Token, instant: str, is_utc: bool) -> bool:
    there = datetime.fromisoformat(instant).astimezone(UTC if is_utc else NEW_YORK)
    return token.kind == "clock" and is_cut(token, Decimal(there.hour * 3_600 + there.minute * 60 + there.second))


def _seconds(fact: object) -> Decimal | None:
    """Return a length of time: whole seconds, or a timeframe such as 15m."""
    if isinstance(fact, int):
        return Decimal(fact)
    found = re.fullmatch(r"(\d+)([smhd])", str(fact))
    return Decimal(int(found[1]) * SECONDS[found[2]]) if found else None


# -- words ----------------------------------------------------------------------------------------------------------


def _allowed(source: Source) -> set[str]:
    return set(str(source.statement.facts.get("allowed", "")).split(", ")) - {""}


def _is_refused(said: str, source: Source) -> bool:
    """Return whether an entry is refused. Of a direction that nobody asked for nothing is said: it may be an exit."""
    if said == "enter":
        return not _allowed(source)
    direction = source.statement.facts.get("direction", said.upper())
    return said.upper() == direction and direction not in _allowed(source)


def _is_fact(name: str) -> Callable[[str, Source], bool]:
    def is_it(said: str, source: Source) -> bool:
        fact = source.statement.facts.get(name)
        return isinstance(fact, str) and fact.casefold() == said

    return is_it


def _is_gate(said: str, source: Source) -> bool:
    return gate_name(str(source.statement.facts.get("gate"))) == said


def _is_lock(said: str, source: Source) -> bool:
    """Return whether a gate that is a lock is this one. The daily stop is none before it has triggered."""
    return _is_gate(said, source) and source.statement.facts.get("code") not in ("daily_stop_awaited", "firm_limit")


def _are_closed(said: str, source: Source) -> bool:
    asset = source.statement.facts.get("asset")
    entry = next((one for one in source.result.result["entries"] if one["asset"] == asset), None)
    closed = {gate_name(gate["gate"]) for gate in entry["closed"]} if entry else set()
    named = [name.removeprefix("the ").strip() for name in re.split(r",? and |, ", said)]
    return set(named) <= closed and len(set(named)) == len(named)


def _is_stop(said: str, source: Source) -> bool:
    rests = source.statement.facts.get("stop_rests")
    if said.startswith("a "):
        return rests is True
    return rests is False if said.startswith("no ") else not isinstance(rests, bool)


def _brick_colours(source: Source) -> dict[str, str | None]:
    return {brick["size"]: brick["colour"] for brick in source.result.result["colours"]}


def _are_coloured(said: str, source: Source) -> bool:
    """Return whether the named bricks all have the named colour."""
    known = _brick_colours(source)
    return all(known.get(size) == said.split()[-1] for size in re.findall(_SIZE, said))


def _do_say(said: str, source: Source) -> bool:
    """Return whether the two bricks of the structure say a direction: the desk's own words for their colour."""
    direction = said.split()[-1].upper()
    sizes = set(re.findall(_SIZE, said))
    is_of_zone = source.statement.facts.get("zone_direction") == direction
    return sizes <= {"8pt", "12pt"} and is_of_zone and _are_coloured(f"{said} {COLOURS[direction]}", source)


_WORD_CHECKS: Mapping[str, Callable[[str, Source], bool]] = MappingProxyType(
    {
        "asset": _is_fact("asset"),
        "contract": _is_fact("contract"),
        "refused_verb": _is_refused,
        "allowed_verb": lambda said, source: said.upper() in _allowed(source),
        "nothing_allowed": lambda _, source: not _allowed(source),
        "gate": _is_gate,
        "lock": _is_lock,
        "zone_gate": _is_gate,
        "gates": _are_closed,
        "held_side": lambda said, source: source.statement.facts.get("side") == SIDES[said],
        "stop_rests": _is_stop,
        "bricks_coloured": _are_coloured,
        "bricks_say": _do_say,
        "all_colour": lambda said, source: {one for one in _brick_colours(source).values() if one} == {said},
        "exit_forced": lambda _, source: source.statement.facts.get("initial_exit_locked") is True,
        "detail": _is_fact("detail"),
        "one_override": lambda _, source: source.statement.facts.get("overrides") == 1,
        "zone": _is_fact("zone"),
        "zone_direction": _is_fact("zone_direction"),
    }
)
