"""Two bridges of the contract on one desk are seen by their turns (SPEC 8.2)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from services.live.bridge_callers import BridgeCallers

NOON = datetime(2026, 11, 20, 17, 0, tzinfo=UTC)


def told(turns: str, seconds: float = 1) -> list[str]:
    """Return what is told when these callers ask one after the other, so many seconds apart."""
    callers = BridgeCallers()
    answers = [callers.note(turn, NOON + timedelta(seconds=seconds * number)) for number, turn in enumerate(turns)]
    return [answer for answer in answers if answer is not None]


def test_one_bridge_that_asks_again_and_again_is_one() -> None:
    assert told("AAAAAAAA") == []


def test_a_bridge_that_moves_to_another_address_is_one() -> None:
    assert told("AAAABBBB") == []


def test_a_bridge_that_moves_and_comes_back_is_one() -> None:
    assert told("AABBAA") == []


def test_two_bridges_that_ask_in_turns_are_told_once() -> None:
    assert told("ABABABABAB") == ["A"]


def test_two_bridges_of_different_pace_are_told_once() -> None:
    assert told("AAABAAABAAAB") == ["A"]


def test_two_bridges_that_ask_in_turns_again_after_one_was_silent_are_told_again() -> None:
    assert told("ABAB" + "A" * 70 + "BAB") == ["A", "A"]


def test_a_second_bridge_that_was_silent_for_a_minute_begins_anew() -> None:
    assert told("ABAB", seconds=61) == []
