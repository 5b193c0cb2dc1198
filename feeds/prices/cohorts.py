"""Simultaneous breaks: all members of a named cohort break in one direction within a minute."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import timedelta
from decimal import Decimal

from feeds.prices.types import STACK_SIZES, Cohort, Direction, InForce, Member, SimultaneousBreak
from services.market.instruments import INSTRUMENTS
from services.market.renko import BrickColor
from services.market.rolls import INDEX_ROLL
from wire.types import Color, Instant

INDEX_FUTURES = tuple(row.symbol for row in INSTRUMENTS.values() if row.roll is INDEX_ROLL)
WINDOW_S = 60
WINDOW = timedelta(seconds=WINDOW_S)
LEAST_INDICES = 2
LEAST_SIZES = 3


class Gathering:
    """The latest break of each member, until all are there within the window: then each has been used once."""

    def __init__(self) -> None:
        self._members: dict[str, Member] = {}

    def add(self, member: Member, needed: Collection[str]) -> tuple[Member, ...]:
        """Add a break. Return all members when it completes them: by time, at one time as ``needed`` lists them."""
        earlier = self._members.get(member.symbol)
        if earlier is None or earlier.at <= member.at:
            self._members[member.symbol] = member
        newest = max(one.at for one in self._members.values())
        self._members = {name: one for name, one in self._members.items() if newest - one.at <= WINDOW}
        if any(name not in self._members for name in needed):
            return ()
        complete = tuple(sorted((self._members[name] for name in needed), key=lambda one: one.at))
        self._members = {}
        return complete

    def remove(self, symbol: str) -> None:
        """Forget a member's break: the price turned."""
        self._members.pop(symbol, None)

    def use(self, members: Sequence[Member]) -> None:
        """Forget the breaks that a simultaneous break of before has used."""
        self._members = {name: one for name, one in self._members.items() if one not in members}


class IndexFutures:
    """The configured index futures: a simultaneous break is one of all of them, on the same timeframe."""

    def __init__(self, assets: Sequence[str]) -> None:
        self.members = tuple(asset for asset in assets if asset in INDEX_FUTURES)
        self._gatherings: dict[tuple[str, Direction, bool], Gathering] = {}

    def hear(self, alert: InForce) -> SimultaneousBreak | None:
        """Add a break and return the simultaneous one that it completes."""
        if alert.symbol not in self.members or len(self.members) < LEAST_INDICES:
            return None
        member = Member(symbol=alert.symbol, timeframe=alert.timeframe, trigger=alert.trigger, at=alert.at)
        gathering = self._gathering(alert.timeframe, alert.direction, alert.simulated)
        complete = gathering.add(member, self.members)
        return _break("index_futures", alert.direction, complete, alert.simulated) if complete else None

    def restore(self, alert: InForce | SimultaneousBreak) -> None:
        """Take an alert of before: what it used is not used again."""
        if isinstance(alert, InForce):
            self.hear(alert)
            return
        for timeframe in {member.timeframe for member in alert.members}:
            self._gathering(timeframe, alert.direction, bool(alert.simulated)).use(alert.members)

    def _gathering(self, timeframe: str, direction: Direction, simulated: bool) -> Gathering:
        return self._gatherings.setdefault((timeframe, direction, simulated), Gathering())


class RenkoStack:
    """The colours of one asset's brick sizes. A brick has no wick: only colour and reversal are known of it."""

    def __init__(self, asset: str) -> None:
        self._asset = asset
        self._colors: dict[str, BrickColor] = {}
        self._heard_at: dict[str, Instant] = {}
        self._gatherings: dict[Direction, Gathering] = {"up": Gathering(), "down": Gathering()}

    def color(self, size: str) -> BrickColor | None:
        """Return the colour of a size (``R6``), None when none is known."""
        return self._colors.get(size)

    def hear(self, size: Decimal, color: Color, at: Instant, opened: Decimal | None) -> SimultaneousBreak | None:
        """Add a brick, or a colour of the desk's state. Return the simultaneous reversal that it completes.

        A brick older than the newest of its size is ignored, and so is a size that the desk has not. ``neutral`` means
        that the colour is not known any more.
        """
        name = STACK_SIZES.get(size)
        if name is None or at < self._heard_at.get(name, at):
            return None
        self._heard_at[name] = at
        if color == "neutral":
            self._colors.pop(name, None)
            return None
        before = self._colors.get(name)
        self._colors[name] = color
        return self._reversed(name, color, at, opened) if before not in (None, color) else None

    def _reversed(self, name: str, color: BrickColor, at: Instant, opened: Decimal | None) -> SimultaneousBreak | None:
        """A brick that turns begins where the one before it began: its open is the trigger."""
        direction, other = _directions(color)
        symbol = f"{self._asset}:{name}"
        self._gatherings[other].remove(symbol)
        member = Member(symbol=symbol, timeframe=name, trigger=opened, at=at)
        needed = [f"{self._asset}:{known}" for known in STACK_SIZES.values() if known in self._colors]
        if len(needed) < LEAST_SIZES:
            return None
        complete = self._gatherings[direction].add(member, needed)
        return _break("renko_stack", direction, complete, None) if complete else None


def _directions(color: BrickColor) -> tuple[Direction, Direction]:
    return ("up", "down") if color == "green" else ("down", "up")


def _break(
    cohort: Cohort, direction: Direction, members: tuple[Member, ...], simulated: bool | None
) -> SimultaneousBreak:
    at = max(member.at for member in members)
    return SimultaneousBreak(
        cohort=cohort, direction=direction, window_s=WINDOW_S, members=members, at=at, simulated=simulated
    )
