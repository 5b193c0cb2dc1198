"""A trader whose bricks are built at the desk: of the closes of bars, or of a bridge's ticks."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, Self

from services.engine.model.bar_commands import CloseBar
from services.engine.model.commands import TakeOver
from services.engine.model.feed import BASE_LENGTH, BaseName, MarketHours, ToldLast
from services.engine.model.ladder import Rung
from services.engine.model.replies import BarTaken
from services.engine.model.state import GENERATION
from services.engine.rules.gates import ladder
from services.engine.rules.verdicts import EntryRequest
from tests.support.builders import STREAM_OF_POINTS
from tests.support.narrow import of_type
from tests.support.trader import Trader
from wire.types import Color

STEP = Decimal("0.25")
SIZES = tuple(STREAM_OF_POINTS)


class BuiltTrader(Trader):
    """At a desk that builds the bricks of all its assets (``BRICKS=desk``)."""

    def __init__(self, at: str = "09:30:00", assets: tuple[str, ...] = ("ES",), **more: Any) -> None:
        self.newest_bar: datetime | None = None
        super().__init__(at=at, assets=assets, **{"bricks_by_desk": assets, "is_heard": False, **more})

    def bars(self, *closes: object, base: BaseName = "15S", **more: Any) -> Self:
        """Hear a bar for each close, one after the other; ``more`` are fields of ``CloseBar``."""
        for close in closes:
            self.bar(close, base=base, **more)
        return self

    def bar(self, close: object, base: BaseName = "15S", skipped: int = 0, symbol: str = "ES1!", **more: Any) -> Self:
        """Hear the next bar, at its end. ``skipped`` bars before it are lost on the way."""
        length = timedelta(seconds=BASE_LENGTH[base])
        start = more.pop("start", None) or self._next_start(length) + skipped * length
        self._move_to(max(self.now, start + length))
        self.newest_bar = max(start, self.newest_bar or start)
        price = Decimal(str(close))
        told = {"sent_at": start + length, "hours": MarketHours(), **more}
        bar = CloseBar(
            asset=self.asset_in_hand,
            symbol=symbol,
            base=base,
            started_at=start,
            ohlc=(price, price, price, price),
            **told,
        )
        return self.asks(bar)

    def _next_start(self, length: timedelta) -> datetime:
        if self.newest_bar is not None:
            return self.newest_bar + length
        seconds = self.now.timestamp() % length.total_seconds()
        return self.now - timedelta(seconds=seconds)

    def rises(self, points: float, steps: int = 1) -> Self:
        """Hear bars that rise from the last price by so many points."""
        return self._moves(Decimal(str(points)), steps)

    def falls(self, points: float, steps: int = 1) -> Self:
        return self._moves(-Decimal(str(points)), steps)

    def _moves(self, points: Decimal, steps: int) -> Self:
        last = self.asset.live.last_price
        assert last is not None, "no price was heard yet"
        return self.bars(*[last + points * step / steps for step in range(1, steps + 1)])

    def is_settled(self, start: object = 5250) -> Self:
        """Hear bars that rise until every size is certain: 48 points, two bricks of 12pt from anywhere."""
        return self.bar(start).rises(48, steps=24)

    def begins_anew(self) -> Self:
        """Let another process take the desk over, as after a restart."""
        self.restarts()
        return self.asks(TakeOver("another process", 2, "1.0", counts_ids=True, generation=GENERATION))

    # -- results ----------------------------------------------------------------------------------------------

    @property
    def taken(self) -> BarTaken:
        return of_type(BarTaken, self.answer)

    @property
    def faults(self) -> list[str]:
        """The kinds of faults that stand, each once."""
        return sorted({fault.kind for fault in self.asset.feed.faults})

    def gate(self, name: str) -> Rung:
        """Return a gate of the ladder as an entry would find it now."""
        entry = EntryRequest(self.asset, "BUY")
        return next(rung for rung in ladder(self.desk, entry, self.now) if rung.gate == name)

    @property
    def to_settle(self) -> dict[float, int]:
        """How many bricks each size still needs until it is certain."""
        one = self.asset.live.feed.one
        chains = {chain.stream: chain for chain in (*self.asset.feed.chains, *([one] if one else []))}
        return {points: chains[stream].to_settle for points, stream in STREAM_OF_POINTS.items() if stream in chains}

    def colors(self) -> dict[float, Color]:
        return {points: self.asset.stream(stream).color for points, stream in STREAM_OF_POINTS.items()}


def last_of(points: float, color: Color, lo: object, hi: object) -> ToldLast:
    """Return the last brick of a size as a message tells it."""
    return ToldLast(STREAM_OF_POINTS[points], color, Decimal(str(lo)), Decimal(str(hi)))
