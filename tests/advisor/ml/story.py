"""What the tests of forecasts share: a training that must give cards, and the bars of price files."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from msgspec import Struct

from advisor.ml.bars import Minute, Series
from advisor.ml.cards import Made
from advisor.ml.train import DEFAULTS, Trained, TrainOptions, train
from services.market.price_files.options import PriceBar, PriceTick, ReadingOptions
from services.market.price_files.reader import open_price_file
from wire.ml_engine import ModelCard, RrConfig

NOW = datetime(2026, 11, 30, 22, 10, tzinfo=UTC)


class Cards(Struct):
    """What a training gave."""

    range: Made
    tp: dict[RrConfig, Made]

    @property
    def cards(self) -> list[ModelCard]:
        return [self.range.card, *(made.card for made in self.tp.values())]


def trained(series: Series, options: TrainOptions = DEFAULTS) -> Cards:
    """Train, and insist on cards."""
    given = train(series, NOW, options)
    assert isinstance(given, Trained)
    return Cards(given.range, given.tp)


def minutes_of(path: Path, asset: str) -> Iterator[Minute]:
    """Yield the minutes of a price file: its bars, or what its ticks make."""
    with path.open("rb") as stream:
        minute: Minute | None = None
        for row in open_price_file(stream, path.name, ReadingOptions(asset=asset)).rows:
            if isinstance(row, PriceBar):
                volume = None if row.volume is None else float(row.volume)
                opened, high, low, close = (float(price) for price in (row.open, row.high, row.low, row.close))
                yield Minute(int(row.start.timestamp()), opened, high, low, close, volume, "ticks")
            elif isinstance(row, PriceTick):
                t, price = int(row.at.timestamp()) // 60 * 60, float(row.price)
                if minute is not None and minute.t == t:
                    high, low = max(minute.h, price), min(minute.l, price)
                    minute = Minute(t, minute.o, high, low, price, None, "ticks")
                    continue
                if minute is not None:
                    yield minute
                minute = Minute(t, price, price, price, price, None, "ticks")
        if minute is not None:
            yield minute
