"""A line that loses, doubles and delays messages at random, and counts what it did."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from random import Random
from typing import TypeVar

Message = TypeVar("Message")
DROPPED, DOUBLED, DELAYED = 0.03, 0.03, 0.03  # the share of messages
LONGEST_DELAY = 4  # messages that overtake a late one


def delivered(sent: Sequence[Message], dice: Random, counts: Counter[str]) -> Iterator[Message]:
    """Yield what was sent as a bad line delivers it."""
    late: list[tuple[int, Message]] = []
    for place, one in enumerate(sent):
        yield from [held for due, held in late if due == place]
        fate = dice.random()
        if fate < DROPPED:
            counts["dropped"] += 1
        elif fate < DROPPED + DELAYED:
            counts["delayed"] += 1
            late.append((place + dice.randint(1, LONGEST_DELAY), one))
        else:
            yield one
            if fate > 1 - DOUBLED:
                counts["doubled"] += 1
                yield one
