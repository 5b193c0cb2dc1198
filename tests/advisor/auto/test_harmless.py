"""With auto-trade on, the trader's desk is as without it: slots, cooldown, statistics, journal, to the byte.

A random operator with every control trades a tape twice, by the same dice. Beside the second run auto-trade decides
upon every bar: it reads that desk as its service door would answer. Then both desks are compared.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest
from msgspec.structs import replace

from advisor.ml.bars import Minute, Series
from services.desk.publication import Snapshot
from services.engine.model.commands import ConsumeTrade
from services.engine.model.zone import zone_of
from services.market.ticks import Tick
from services.views.state_view import live_document
from sidecar.web import DeskAway
from tests.advisor.auto.floor import QUARTER, AnsweringDesk, Floor, Market
from tests.advisor.auto.second_book import shadow_again, told
from tests.data.generated_tapes import GAPPED, GeneratedTape, Mood
from tests.data.recorded_tapes import recorded_tapes
from tests.whole import test_tape_days as tape_days
from tests.whole.test_tape_days import TapeDay
from wire.encoding import encode
from wire.ml_engine import SignalDirection

RECORDED = recorded_tapes(("es_1m_2013_lean",))
CLICKS = 0.05
FORTNIGHT: GeneratedTape = replace(
    GAPPED,
    name="fortnight",
    seed=16,
    moods=tuple(Mood((0, 1, 1, 2), percent) for percent in (46, 50, 54)),
    stretches=14,
    ticks_per_stretch=1_200,
    mean_pause=timedelta(seconds=20),
)


class ReadDesk(AnsweringDesk):
    """The service door of a desk that is being traded. Whatever else is asked of it is remembered and refused."""

    def __init__(self, day: TapeDay) -> None:
        super().__init__({})
        self.day = day

    async def get(self, path: str, answer_seconds: float = 1.0, **query: str | int) -> bytes:
        """Answer the state of this moment."""
        self.calls.append(("GET", path))
        if path != "/api/state":
            raise DeskAway("failing", "404")
        snapshot = Snapshot(self.day.desk, len(self.day.sheet.rows), ())
        return encode(live_document(snapshot, self.day.now))


class CalmDay(TapeDay):
    """A day of an operator who clicks seldom: the ladder is open often enough for auto-trade, too."""

    def _operator_clicks(self) -> None:
        if self.dice.random() < CLICKS:
            super()._operator_clicks()


class Watched(CalmDay):
    """A day beside which auto-trade decides upon every bar, four seconds and a minute after it."""

    def __init__(self, tape: str, seed: int, folder: Path) -> None:
        super().__init__(tape, seed)
        first = int(self.ticks[0].at.timestamp())
        self.auto = Floor(folder, Market(minutes_of(self.ticks), first))
        self.door = ReadDesk(self)
        self.auto.web = self.door
        self.auto.start()
        self.auto.rule.side = self._side
        self.looked = first // QUARTER * QUARTER
        self.auto.configures()

    def _side(self, _series: Series) -> SignalDirection:
        """Return the side that the structure allows, so that the ladder is often open."""
        return "short" if zone_of(self.asset, self.now).direction == "SELL" else "long"

    def _until(self, then: Any, work: bool = False) -> None:
        super()._until(then, work)
        second = int(self.now.timestamp())
        while self.looked + QUARTER + 64 <= second:
            self.looked += QUARTER
            if second - self.looked < 4 * QUARTER:  # nobody looks at bars of hours without trade
                self.auto.looks(self.looked + 4)
                self.auto.looks(self.looked + 64)


def minutes_of(ticks: Sequence[Tick]) -> list[Minute]:
    """Return the minutes that these prices make."""
    minutes: list[Minute] = []
    for tick in ticks:
        t, price = int(tick.at.timestamp()) // 60 * 60, float(tick.price)
        if minutes and minutes[-1].t == t:
            last = minutes[-1]
            minutes[-1] = Minute(t, last.o, max(last.h, price), min(last.l, price), price, None, "ticks")
        else:
            minutes.append(Minute(t, price, price, price, price, None, "ticks"))
    return minutes


def written(day: TapeDay) -> tuple[bytes, ...]:
    """Return all of a desk as bytes: what every reader sees of it, its journal, its closed trades and its orders."""
    document = live_document(Snapshot(day.desk, len(day.sheet.rows), ()), day.now)
    rest = (day.desk, day.sheet.rows, day.sheet.trades, sorted(day.ended.items()))
    return encode(document), *(msgspec.msgpack.encode(one) for one in rest)


def compared(tape: str, seed: int, folder: Path, ticks: int | None = None) -> Counter[str]:
    """Trade a tape without and with auto-trade; return what auto-trade made of its bars."""
    alone, watched = CalmDay(tape, seed), Watched(tape, seed, folder)
    for day in (alone, watched):
        day.ticks = day.ticks[:ticks]
        day.play()
    assert written(watched) == written(alone)
    assert watched.desk.day == alone.desk.day  # slots, daily stop
    assert watched.desk.locks == alone.desk.locks  # candle, cooldown
    assert len(alone.sheet.trades) > 0
    assert set(watched.door.calls) == {("GET", "/api/state")}
    decisions = watched.auto.decisions()
    watched.auto.close()
    for one in decisions:
        if one["executed"] and one["shadow"]["counted"] is not None:
            assert told(one) == shadow_again(one, watched.auto.market.minutes)
    made = Counter(str(one["blocked_by"] or one["result"]) for one in decisions)
    made["decisions"] = len(decisions)
    made["executed"] = sum(one["executed"] for one in decisions)
    return made


@pytest.fixture(autouse=True)
def a_fortnight(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(tape_days.TAPES, "fortnight", "ES")
    monkeypatch.setitem(tape_days.GENERATED, "fortnight", FORTNIGHT)


def test_three_days_of_a_trader_are_the_same_to_the_byte(tmp_path: Path) -> None:
    made = compared("fortnight", 2, tmp_path, ticks=3_600)
    assert made["decisions"] > 60
    assert made["executed"] >= 1
    assert made.keys() >= {"tempo", "position", "cooldown"}  # it was asked, and said no to auto-trade


@pytest.mark.soak
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("seed", range(3))
def test_a_fortnight_is_the_same_to_the_byte(tmp_path: Path, seed: int) -> None:
    made = compared("fortnight", seed, tmp_path)
    assert made["decisions"] > 300
    assert made["executed"] >= 5


@pytest.mark.soak
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("tape", RECORDED)
@pytest.mark.parametrize("seed", range(3))
def test_thirteen_recorded_sessions_are_the_same_to_the_byte(tmp_path: Path, tape: str, seed: int) -> None:
    made = compared(tape, seed, tmp_path)
    assert made["decisions"] > 1_000
    assert made["executed"] >= 5


def test_the_comparison_can_fail(tmp_path: Path) -> None:
    """One click more at the very end shows."""
    one, other = CalmDay("fortnight", 1), CalmDay("fortnight", 1)
    for day in (one, other):
        day.ticks = day.ticks[:300]
        day.play()
    assert written(one) == written(other)
    other.ask(ConsumeTrade())
    assert written(one) != written(other)
