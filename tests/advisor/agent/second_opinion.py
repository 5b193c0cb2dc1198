"""A second reading of a recorded state, written from SPEC and the JSON alone: it knows nothing of the advisor.

It says which gates refuse an entry, when each opens, from when an entry is possible, and checks every sentence: its
numbers, its times, its gates. ``faults`` is empty when an explanation is right.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from tests.advisor.agent.second_opinion_words import ENDS, EXITS, NAMES_IN_SENTENCES

Json = dict[str, Any]
NEW_YORK = ZoneInfo("America/New_York")
NEVER = datetime(9999, 1, 1, tzinfo=UTC)
COLOUR_OF = {"BUY": "green", "SELL": "red"}
OTHER = {"green": "red", "red": "green"}
LENGTH = re.compile(r"(\d+) (d|h|min|s)\b")
SECONDS_OF = {"d": 86_400, "h": 3_600, "min": 60, "s": 1}
CLOCK = re.compile(r"(\d\d):(\d\d)(?::(\d\d))? New York time(?: on \w+ (\d+) (\w+) (\d{4}))?")
BRICK_NAME = re.compile(r"\b(?:1|2\.5|4|6|8|12)pt\b")
ANY_NUMBER = re.compile(r"\d+(?:,\d{3})*(?:\.\d+)?")


class Gate(NamedTuple):
    """A closed gate as the state has it, or as SPEC 4 judges it for the direction."""

    name: str
    code: str | None
    at: datetime | None
    seconds: int | None
    binds: tuple[str, ...]


# -- what is closed (SPEC 4) ----------------------------------------------------------------------------------------


def structure_of(asset: Json) -> str:
    """Return the zone of SPEC 2: BUY or SELL of a NORMAL one, FREE, or NONE. A stale colour gives none (SPEC 3)."""
    colours = [
        "neutral" if asset[f"{name}_renko_stale"] else asset[f"{name}_renko_color"] for name in ("high", "macro")
    ]
    if "neutral" in colours:
        return "NONE"
    if colours[0] != colours[1]:
        return "FREE"
    return "BUY" if colours[0] == "green" else "SELL"


def direction_meant(asset: Json, asked: str | None) -> str | None:
    """Return the direction: the asked one, else that of a NORMAL structure."""
    structure = structure_of(asset)
    return asked or (structure if structure in COLOUR_OF else None)


def closed_gates(state: Json, asset: Json, asked: str | None) -> list[Gate]:
    """Return the gates that refuse a market entry, in the order of the ladder."""
    direction = direction_meant(asset, asked)
    found = []
    for rung in asset["ladder"]:
        is_closed, code = rung["state"] == "closed", rung["code"]
        if rung["gate"] == "zone" and direction and structure_of(asset) in COLOUR_OF:
            is_closed, code = direction != structure_of(asset), "against_structure"
        if rung["gate"] == "two_half_filter" and direction:
            opposed = asset["two_half_renko_color"] == OTHER[COLOUR_OF[direction]]
            is_closed, code = state["global"]["limits"]["two_half_filter"] and opposed, "two_half_filter"
        if is_closed and "market" in rung["binds"]:
            at = None if rung["reopens_at"] is None else datetime.fromisoformat(rung["reopens_at"])
            found.append(Gate(rung["gate"], code, at, rung["retry_after_s"], tuple(rung["binds"])))
    return found


def takes_commands(state: Json) -> bool:
    """Return whether the process takes any command: with its store down, and on a standby, each gets 503 (SPEC 9)."""
    return bool(state["global"]["store"] == "up" and state["global"]["role"] == "writer")


def bridge_is_away(gates: list[Gate]) -> bool:
    """Return whether an exit would wait at the desk: its bridge is silent, without the broker, or not one of LIVE."""
    away = {"bridge_silent", "bridge_offline", "bridge_without_live"}
    return any(gate.name == "bridge" and gate.code in away for gate in gates)


# -- what may be said -----------------------------------------------------------------------------------------------


def faults(record: Json, explained: Json) -> list[str]:
    """Return what is wrong with an explanation of a recorded state, in words."""
    state = record["state"]
    symbols = [record["asset"]] if record["asset"] else list(state["assets"])
    found = list(_faults_of_frame(record, explained, symbols))
    for symbol in symbols:
        asset = state["assets"][symbol]
        said = explained["statements"]
        own = said if len(symbols) == 1 else [s for s in said if s["facts"]["asset"] == symbol]
        found += _faults_of_asset(state, asset, record["direction"], own, is_alone=len(symbols) == 1)
    for statement in explained["statements"]:
        found += _faults_of_numbers(statement)
    return found


def _faults_of_frame(record: Json, explained: Json, symbols: list[str]) -> Iterator[str]:
    state = record["state"]
    expected = {
        "ok": True,
        "about": "block",
        "source": "rules",
        "env": state["global"]["env"],
        "asset": record["asset"],
        "direction": record["direction"],
        "day": None,
        "silent": [],
    }
    for name, value in expected.items():
        if explained[name] != value:
            yield f"{name} is {explained[name]!r}, not {value!r}"
    if datetime.fromisoformat(explained["as_of"]) != datetime.fromisoformat(state["now"]):
        yield "as_of is not the state's moment"
    result = explained["tools"][0]
    if (result["tool"], result["env"], result["missing"]) != ("explain_blocks", state["global"]["env"], None):
        yield "the tool is another one, or of another environment"
    if [entry["asset"] for entry in result["result"]["entries"]] != symbols:
        yield "the tool speaks of other assets"


def _faults_of_asset(
    state: Json, asset: Json, asked: str | None, statements: list[Json], *, is_alone: bool
) -> Iterator[str]:
    gates = closed_gates(state, asset, asked)
    by_code: dict[str, list[Json]] = {}
    for statement in statements:
        by_code.setdefault(statement["code"], []).append(statement)
    yield from _faults_of_answer(state, asset, asked, gates, statements[0])
    wanted = _codes_wanted(state, asset, asked, gates, is_alone=is_alone)
    said = {code: len(found) for code, found in by_code.items()}
    if said != wanted:
        yield f"said are {said}, to be said are {wanted}"
        return
    for gate, statement in zip(gates if is_alone else [], by_code.get("gate_closed", []), strict=True):
        yield from _faults_of_gate(gate, asset, statement)
    yield from _faults_of_times(gates, by_code)
    yield from _faults_of_exits(state, asset, by_code)
    for statement in by_code.get("exits_pass", []):
        if ("must be forced" in statement["text"]) != asset["initial_exit_lock_active"]:
            yield f"the initial exit lock is told wrongly: {statement['text']}"


def _faults_of_exits(state: Json, asset: Json, by_code: dict[str, list[Json]]) -> Iterator[str]:
    """Check that nothing promises an exit that nobody takes or nobody passes on, and that the stop is told as it is."""
    texts = " ".join(statement["text"] for found in by_code.values() for statement in found)
    if not takes_commands(state) and ("You may" in texts or "you may" in texts or "No gate stops" in texts):
        yield f"something is promised that is refused: {texts}"
    for statement in by_code.get("exit_refused", []):
        writer = state["global"]["writer"] if state["global"]["role"] == "standby" else ""
        if "is refused" not in statement["text"] or writer not in statement["text"]:
            yield f"the refused exit is told wrongly: {statement['text']}"
    told = [*by_code.get("exit_waits", []), *by_code.get("exit_refused", [])]
    rests = {True: "a stop rests", False: "no stop rests", None: "whether a stop rests"}[asset["stop_resting"]]
    for statement in told:
        if rests not in statement["text"]:
            yield f"the stop is told wrongly: {statement['text']}"
    for statement in by_code.get("exit_waits", []):
        if EXITS[statement["facts"]["code"]] not in statement["text"]:
            yield f"what becomes of an exit is told wrongly: {statement['text']}"


def _codes_wanted(state: Json, asset: Json, asked: str | None, gates: list[Gate], *, is_alone: bool) -> dict[str, int]:
    """Return how often each kind of statement has to come."""
    timed = [gate for gate in gates if gate.at is not None]
    wanted = {_code_of_answer(state, gates): 1}
    if not takes_commands(state):
        if asset["position"]:
            wanted["exit_refused"] = 1
    elif gates:
        wanted["waits_for_event" if not timed else "entry_from" if len(timed) == len(gates) else "entry_not_before"] = 1
    if not is_alone:
        return wanted
    if gates:
        wanted["gate_closed"] = len(gates)
    if len(timed) > 1:
        wanted["order_of_opening"] = 1
    if takes_commands(state):
        wanted |= _meanwhile_wanted(asset, asked, gates)
    return wanted


def _code_of_answer(state: Json, gates: list[Gate]) -> str:
    if state["global"]["role"] == "standby":
        return "standby"
    return "store_down" if state["global"]["store"] == "down" else "blocked" if gates else "open"


def _meanwhile_wanted(asset: Json, asked: str | None, gates: list[Gate]) -> dict[str, int]:
    wanted = {}
    if asset["position"]:
        wanted["exits_pass"] = 1
    if asset["position"] and bridge_is_away(gates):
        wanted["exit_waits"] = 1
    waits = asset["preorder_active"] or asset["intent_active"]
    closes_preorder = any(
        rung["state"] == "closed" and "preorder" in rung["binds"] for rung in asset["ladder"]
    )  # the gates of a pre-order ask for no direction
    if gates and direction_meant(asset, asked) and not waits and not closes_preorder:
        wanted["preorder_possible"] = 1
    if waits:
        wanted["entry_waits"] = 1
    return wanted


def _faults_of_answer(state: Json, asset: Json, asked: str | None, gates: list[Gate], answer: Json) -> Iterator[str]:
    text, facts = answer["text"], answer["facts"]
    direction = direction_meant(asset, asked)
    env = state["global"]["env"]
    if facts.get("direction") != direction or facts["closed"] != len(gates) or facts["env"] != env:
        yield f"the answer's facts are {facts}"
    if f"in {env}" not in text or ("simulated" in text) != asset["simulated"]:
        yield f"the answer does not say whose market it is: {text}"
    verb = {"BUY": "buy", "SELL": "sell", None: "enter"}[direction]
    is_refused = bool(gates) or not takes_commands(state)
    writer = state["global"]["writer"] if state["global"]["role"] == "standby" else ""
    if facts.get("writer", "") != writer or writer not in text:
        yield f"the writer is told wrongly: {text} {facts}"
    if is_refused and not text.startswith(f"You cannot {verb} {asset['symbol']} now"):
        yield f"the answer is not that it is refused: {text}"
    if not is_refused and not text.startswith("You may "):
        yield f"the answer is not that it is allowed: {text}"
    for name, words in NAMES_IN_SENTENCES.items():
        is_named = words in text.partition(":")[2].replace("2.5pt filter", "" if words == "zone" else "2.5pt filter")
        if answer["code"] == "blocked" and is_named != (name in {gate.name for gate in gates}):
            yield f"{name} is named wrongly in: {text}"


def _faults_of_gate(gate: Gate, asset: Json, statement: Json) -> Iterator[str]:
    text, facts = statement["text"], statement["facts"]
    if (facts["gate"], facts.get("code")) != (gate.name, gate.code):
        yield f"{gate.name} with {gate.code} is told as {facts['gate']} with {facts.get('code')}"
    if f"The {NAMES_IN_SENTENCES[gate.name]} gate is closed" not in text:
        yield f"{gate.name} is not named in: {text}"
    rung = next(rung for rung in asset["ladder"] if rung["gate"] == gate.name)
    named = [rung["facts"][name] for name in ("symbol", "account") if name in rung["facts"]]
    foreign = [name for name in named if not re.fullmatch(r"[A-Za-z0-9._!:-]{1,40}", name)]
    is_desks = rung["state"] == "closed" and rung["code"] == gate.code and not foreign
    told = json.dumps(statement, ensure_ascii=False)
    if any(name in told or name.split()[-1] in told for name in foreign) or (foreign and "read" not in text):
        yield f"a foreign text is told: {told}"
    if is_desks and rung["detail"] and rung["detail"] not in text:
        yield f"the desk's reason is missing: {rung['detail']}"
    if is_desks and not rung["facts"].items() <= facts.items():
        yield f"the desk's facts {rung['facts']} are missing"
    said = text.rpartition("closed")[2] if gate.at is None else text.rpartition("It opens")[2]
    if gate.at is None:
        if f"until {ENDS[gate.name, gate.code or '']}." not in text or CLOCK.search(said):
            yield f"what ends it is not said: {text}"
        return
    if seconds_in(said) != [gate.seconds] or clocks_in(said) != [local(gate.at)]:
        yield f"it opens at {gate.at} in {gate.seconds} s, said is: {said}"


def _faults_of_times(gates: list[Gate], by_code: dict[str, list[Json]]) -> Iterator[str]:
    timed = sorted((gate for gate in gates if gate.at is not None), key=lambda gate: gate.at or NEVER)
    for statement in by_code.get("order_of_opening", []):
        facts = statement["facts"]
        first, last = timed[0], timed[-1]
        if seconds_in(statement["text"]) != [first.seconds, last.seconds]:
            yield f"first and last are wrong: {statement['text']}"
        if (facts["opens_first"], facts["opens_last"]) != (first.name, last.name):
            yield f"first and last are wrong: {facts}"
    for code in ("entry_from", "entry_not_before"):
        for statement in by_code.get(code, []):
            latest = timed[-1]
            text = statement["text"]
            if seconds_in(text)[:1] != [latest.seconds] or clocks_in(text) != [local(latest.at or NEVER)]:
                yield f"the earliest entry is at {latest.at}, said is: {text}"
    for code in ("waits_for_event", "entry_not_before"):
        for statement in by_code.get(code, []):
            waits = [gate.name for gate in gates if gate.at is None]
            ends = [f"until {ENDS[gate.name, gate.code or '']}" for gate in gates if gate.at is None]
            if statement["facts"]["waits_for"].split(", ") != waits or not _all_in_order(ends, statement["text"]):
                yield f"it waits for {waits}, until {ends}, said is: {statement['text']}"


def _all_in_order(parts: list[str], text: str) -> bool:
    """Return whether a text names each part behind the one before, and each of them so often as it is among them."""
    at = 0
    for part in parts:
        found = text.find(part, at)
        if found < 0:
            return False
        at = found + len(part)
    return text.count("until ") == sum(part.count("until ") for part in parts)


# -- numbers and times ----------------------------------------------------------------------------------------------


def seconds_in(text: str) -> list[int]:
    """Return the lengths of time of a text, in seconds; parts that follow each other are one."""
    found: list[int] = []
    end = -2
    for part in LENGTH.finditer(text):
        seconds = int(part[1]) * SECONDS_OF[part[2]]
        if part.start() == end + 1 and found:
            found[-1] += seconds
        else:
            found.append(seconds)
        end = part.end()
    return found


def local(instant: datetime) -> tuple[int, int, int]:
    """Return hour, minute and second in New York."""
    there = instant.astimezone(NEW_YORK)
    return there.hour, there.minute, there.second


def clocks_in(text: str) -> list[tuple[int, int, int]]:
    """Return the clocks of a text."""
    return [(int(found[1]), int(found[2]), int(found[3] or 0)) for found in CLOCK.finditer(text)]


def _faults_of_numbers(statement: Json) -> Iterator[str]:
    """Check that every number of a sentence is among its facts: as it is, in a text of the desk, or as a time."""
    facts = statement["facts"]
    rest = BRICK_NAME.sub(" ", statement["text"])
    texts = [value for value in facts.values() if isinstance(value, str) and len(value) > 2]
    for value in sorted(texts, key=len, reverse=True):
        rest = rest.replace(BRICK_NAME.sub(" ", value), " ")
    lengths = {value for name, value in facts.items() if name.endswith("_s")}
    if not set(seconds_in(rest)) <= lengths:
        yield f"a length of time of {rest!r} is no fact of {facts}"
    times = [
        datetime.fromisoformat(v) for v in facts.values() if isinstance(v, str) and re.match(r"\d{4}-\d\d-\d\dT", v)
    ]
    if not set(clocks_in(rest)) <= {local(time) for time in times}:
        yield f"a time of {rest!r} is no fact of {facts}"
    rest = CLOCK.sub(" ", LENGTH.sub(" ", rest))
    known = {abs(float(v)) for v in facts.values() if isinstance(v, int | float) and not isinstance(v, bool)}
    for number in ANY_NUMBER.findall(rest):
        if float(number.replace(",", "")) not in known:
            yield f"{number} in {statement['text']!r} is no fact of {facts}"
