"""A conversation is its owner's alone, lives in memory, and is bounded."""

from __future__ import annotations

from advisor.agent.conversations import (
    LONGEST_KEPT,
    MOST_CONVERSATIONS,
    MOST_OF_AN_OWNER,
    MOST_TURNS,
    Conversations,
    Owner,
)

ANNA = Owner("key-anna", "")
BEN = Owner("key-ben", "")


def test_nobody_sees_what_another_key_or_user_said() -> None:
    talks = Conversations()
    talks.add(ANNA, "conv1", "How is my day?", "Two trades.")
    assert [turn.message for turn in talks.turns(ANNA, "conv1")] == ["How is my day?"]
    assert talks.turns(BEN, "conv1") == ()
    assert talks.turns(Owner("key-anna", "carla"), "conv1") == ()


def test_only_the_last_turns_are_kept_and_long_ones_are_cut() -> None:
    talks = Conversations()
    for number in range(MOST_TURNS + 5):
        talks.add(ANNA, "conv1", f"{number}", "x" * 10_000)
    turns = talks.turns(ANNA, "conv1")
    assert [turn.message for turn in turns] == [str(number) for number in range(5, MOST_TURNS + 5)]
    assert {len(turn.response) for turn in turns} == {LONGEST_KEPT}


def test_who_begins_many_conversations_forgets_only_the_own_ones() -> None:
    talks = Conversations()
    talks.add(BEN, "ben", "Hello", "Hello")
    for number in range(MOST_OF_AN_OWNER + 10):
        talks.add(Owner("key-anna", f"user-{number}"), "conv", "Hello", "Hello")
    assert len(talks) == MOST_OF_AN_OWNER + 1
    assert talks.turns(BEN, "ben")


def test_there_is_a_bound_for_all() -> None:
    talks = Conversations()
    for number in range(MOST_CONVERSATIONS + 10):
        talks.add(Owner(f"key-{number}", ""), "conv", "Hello", "Hello")
    assert len(talks) == MOST_CONVERSATIONS
    assert talks.turns(Owner("key-0", ""), "conv") == ()
