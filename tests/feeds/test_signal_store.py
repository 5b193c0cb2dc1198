"""Who is told which signal: nothing twice, nothing missed, nothing old."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from feeds.signal_store import Seat, SignalStore
from feeds.signals import PendingFills
from feeds.store import FeedsStore
from wire.signals import StrategySignal

NOON = datetime(2026, 11, 24, 17, 0, tzinfo=UTC)


class Desk:
    """A store of signals in a file, its clock, and listeners that note what they are told."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.now = NOON
        self.open()
        self.signals: list[int] = []
        self.connected: dict[str, tuple[Seat, list[int]]] = {}

    def open(self) -> None:
        self.store = FeedsStore(self.path)
        self.signals_kept = SignalStore(self.store, self.now)

    def dies(self) -> None:
        """End feeds without a word, and start them again."""
        self.store.close()
        self.connected.clear()
        self.open()

    def trades(self, *, age: float = 0, is_sent: bool = True) -> int:
        """Change the position; return the signal's id."""
        number = 1 + self.signals_kept.newest_id()
        signal = StrategySignal(
            action="BUY",
            price=Decimal(5250),
            amount=1,
            order_type="Market",
            symbol="ES",
            strategy_name="lockstep.entry",
            trade_type="paper",
            contract="MESZ6",
            id=number,
            ts=self.now - timedelta(seconds=age),
        )
        self.signals_kept.keep(PendingFills(last_id=number), (signal,), self.now, self.oldest)
        for seat, told in self.connected.values() if is_sent else ():
            told.append(number)
            self.signals_kept.note_told(seat, number, self.now)
        return number

    @property
    def oldest(self) -> datetime:
        return self.now - timedelta(minutes=5)

    def connects(self, name: str, since_id: int | None = None, label: str | None = None) -> list[int]:
        """Connect a listener and return what it is told first."""
        seat, missed = self.signals_kept.welcome(name, since_id, self.now, self.oldest)
        told = [signal.id for signal in missed]
        for number in told:
            self.signals_kept.note_told(seat, number, self.now)
        self.connected[label or name] = (seat, told)
        return list(told)

    def leaves(self, name: str) -> None:
        seat, _ = self.connected.pop(name)
        self.signals_kept.leave(seat, self.now)

    def waits(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    desk = Desk(tmp_path / "feeds.sqlite")
    yield desk
    desk.store.close()


# -- nobody listens -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("seconds", "is_told"), [(29.9, True), (30, False), (300, False)])
def test_what_nobody_heard_waits_thirty_seconds_for_the_first_listener(
    desk: Desk, seconds: float, is_told: bool
) -> None:
    number = desk.trades()
    desk.waits(seconds)
    assert desk.connects("bot") == ([number] if is_told else [])
    assert desk.connects("second") == [], "whoever comes after the first listener is not told"


def test_what_is_older_than_five_minutes_is_never_told(desk: Desk) -> None:
    desk.connects("bot")
    desk.trades(age=301, is_sent=False)
    desk.leaves("bot")
    fresh = desk.trades(age=299, is_sent=False)
    assert desk.connects("bot") == [fresh]


# -- listeners that come back ---------------------------------------------------------------------------------------


def test_a_listener_that_comes_back_is_told_what_it_missed_although_another_heard_it(desk: Desk) -> None:
    desk.connects("bot")
    desk.connects("other")
    heard = desk.trades()
    desk.leaves("bot")
    missed = [desk.trades(), desk.trades()]
    desk.waits(25)
    assert desk.connects("bot") == missed
    assert desk.connected["other"][1] == [heard, *missed]


def test_a_listener_that_comes_back_late_is_told_what_has_not_waited_long(desk: Desk) -> None:
    desk.connects("bot")
    desk.connects("other")
    desk.leaves("bot")
    desk.trades()
    desk.waits(20)
    newer = desk.trades()
    desk.waits(15)
    assert desk.connects("bot") == [newer], "the first has waited 35 s"


def test_a_listener_may_say_itself_what_it_heard_last(desk: Desk) -> None:
    first, second = desk.trades(), desk.trades()
    desk.waits(200)
    assert desk.connects("bot", since_id=first) == [second]
    assert desk.connects("other", since_id=0) == [first, second]
    assert desk.connects("third", since_id=999_999) == [first, second], "an id of another file says nothing here"
    desk.waits(101)
    assert desk.connects("fourth", since_id=0) == []


def test_two_of_one_name_both_hear_what_each_of_them_may_have_missed(desk: Desk) -> None:
    """Nobody can say which of them comes back first: one hears a signal again, under its id; neither misses one."""
    desk.connects("bot", label="one")
    desk.connects("bot", label="two")
    desk.leaves("one")
    missed = desk.trades()
    desk.leaves("two")
    assert desk.connects("bot", label="two") == [missed]
    assert desk.connects("bot", label="one") == [missed]
    later = desk.trades()
    assert [told for _, told in desk.connected.values()] == [[missed, later], [missed, later]]


# -- kills ----------------------------------------------------------------------------------------------------------


def test_a_kill_between_commit_and_send_loses_nothing_for_any_listener(desk: Desk) -> None:
    desk.connects("bot")
    desk.connects("other")
    desk.trades()
    unsent = desk.trades(is_sent=False)
    desk.dies()
    desk.waits(20)
    assert desk.connects("bot") == [unsent]
    assert desk.connects("other") == [unsent]


def test_a_restart_long_after_the_kill_still_tells_those_who_were_there(desk: Desk) -> None:
    desk.connects("bot")
    unsent = desk.trades(is_sent=False)
    desk.waits(200)
    desk.dies()
    desk.waits(29)
    assert desk.connects("bot") == [unsent]


def test_what_was_sent_before_a_kill_is_not_sent_again(desk: Desk) -> None:
    desk.connects("bot")
    desk.trades()
    desk.dies()
    assert desk.connects("bot") == []
    assert desk.connects("new") == []


def test_ids_grow_over_a_restart_also_without_any_signal_left(desk: Desk) -> None:
    number = desk.trades(age=400)
    desk.dies()
    assert desk.trades() > number
