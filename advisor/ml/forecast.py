"""The range of the next bar from a card's files and the bars until now."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from datetime import timedelta
from decimal import Decimal
from typing import TypeVar

import msgspec
from msgspec import Struct

from advisor.ml.atr import ATR_BARS, atr14
from advisor.ml.bars import Series
from advisor.ml.boosted import Boosted, NoBoosting
from advisor.ml.features import BARS_READ, Features
from advisor.ml.numbers import decimal_of, outside, price_at, tick_of, ticks_of
from advisor.ml.table import FEATURES, HOURS, MOST_ATR, QUANTILES, Moves, RangeTable, distances
from wire.ml_engine import ModelCard, RangeBand, RangeBands, RangeMethod, RangePrediction
from wire.types import Instant, Price

T = TypeVar("T")
TABLE_FILE = "table.json"
FEWEST_HELD = 20
"""With fewer outcomes it is not said how often forecasts held."""
NEWEST_BARS = BARS_READ + ATR_BARS
"""What a forecast reads; more would change nothing."""
PROBED = Decimal("0.0001")
"""How far an answer may lie from what a card says: another processor rounds its last digits otherwise."""


class ModelUnreadable(ValueError):
    """The files of a model cannot be used. ``reason`` is a code of ``wire.ml_engine.ModelTrouble``."""

    def __init__(self, reason: str, detail: str = "") -> None:
        super().__init__(detail or reason)
        self.reason = reason


class NoForecast(LookupError):
    """The bars do not suffice: fewer than 14, or a market that did not move. Code ``no_bars``."""

    code = "no_bars"


class Held(Struct, frozen=True):
    """How many of the last ``n`` forecasts of a quantile held on each side."""

    high: int
    low: int
    n: int

    @property
    def shares(self) -> tuple[Decimal | None, Decimal | None]:
        """Which share held, None before 20 forecasts are over."""
        if self.n < FEWEST_HELD:
            return None, None
        return decimal_of(self.high / self.n), decimal_of(self.low / self.n)


NONE_HELD = Held(0, 0, 0)


class Outlook(Struct, frozen=True):
    """The forecast of one bar: distances in price, in whole ticks."""

    close: float
    atr: float
    method: RangeMethod
    as_of: Instant
    valid_until: Instant
    high: tuple[float, float]
    low: tuple[float, float]


class RangeModel:
    """A range model that answers: its card, its table, and LightGBM where the card earned one."""

    def __init__(self, card: ModelCard, table: RangeTable, boosted: Boosted | None) -> None:
        self.card = card
        self.table = table
        self._boosted = boosted
        is_proven = any(skill.against == "flat" and skill.low > 0 for skill in card.skills)
        self._without_model: RangeMethod = "hour" if card.verdict == "hour" or is_proven else "flat"

    @classmethod
    def from_files(cls, card: ModelCard, files: Mapping[str, bytes]) -> RangeModel:
        """Read the files that a card names. Raises ModelUnreadable, with a code as its reason.

        A damaged LightGBM file may end the process that reads it: try an unknown one in a child first.
        """
        if card.target != "range" or card.verdict == "not_trained":
            raise ModelUnreadable("unreadable", f"{card.id} was no card of a range")
        checked = checked_files(card, files)
        try:
            table = msgspec.json.decode(checked[TABLE_FILE], type=RangeTable)
        except msgspec.DecodeError as broken:
            raise ModelUnreadable("unreadable", str(broken)) from broken
        if table.features != FEATURES or card.features != FEATURES:
            raise ModelUnreadable("features_differ", f"{card.id} was made for {card.features}, this reads {FEATURES}")
        if not table.is_sound:
            raise ModelUnreadable("unreadable", f"the table of {card.id} holds moves that cannot be")
        return cls(card, table, read_boosted(card, Boosted.from_files, checked))

    def probe(self) -> bool:
        """Return whether the model gives what its card says of three rows of inputs."""
        width = 0 if self._boosted is None else self._boosted.width
        for row in self.card.probe:
            hour, features, expected = row[:1], row[1 : 1 + width], row[1 + width :]
            if len(expected) != len(QUANTILES) * 2 or not 0 <= hour[0] < HOURS:
                return False
            moves = self._moves(int(hour[0]), tuple(float(value) for value in features) or None)
            if any(abs(decimal_of(move) - said) > PROBED for move, said in zip(moves, expected, strict=True)):
                return False
        return bool(self.card.probe)

    def bands(self, series: Series, held: Mapping[float, Held] | None = None) -> RangeBands:
        """Return the usual range of the next bar. ``held`` says how the last forecasts of each quantile did.

        Raises NoForecast.
        """
        outlook = self.outlook(series)
        realised = held or {}
        return RangeBands(
            asset=series.symbol,
            timeframe=series.timeframe,
            close=on_grid(series.symbol, outlook.close),
            as_of=outlook.as_of,
            valid_until=outlook.valid_until,
            atr=decimal_of(outlook.atr),
            method=outlook.method,
            model=self.card.id,
            bands=tuple(
                _band(series.symbol, outlook, place, realised.get(quantile, NONE_HELD))
                for place, quantile in enumerate(QUANTILES)
            ),
        )

    def predict(self, series: Series, quantile: float = 0.8, held: Held = NONE_HELD) -> RangePrediction:
        """Return how far the next bar goes up and down. Raises NoForecast, and ValueError for another quantile."""
        if quantile not in QUANTILES:
            raise ValueError(f"the quantile was {quantile}, must be one of {', '.join(map(str, QUANTILES))}")
        place = QUANTILES.index(quantile)
        outlook = self.outlook(series)
        held_high, held_low = held.shares
        return RangePrediction(
            horizon=series.timeframe,
            delta_high=decimal_of(outlook.high[place]),
            delta_low=decimal_of(outlook.low[place]),
            confidence_high=held_high,
            confidence_low=held_low,
            method=outlook.method,
            quantile=decimal_of(quantile),
            n=held.n,
            model=self.card.id,
            close=on_grid(series.symbol, outlook.close),
            as_of=outlook.as_of,
            valid_until=outlook.valid_until,
        )

    def outlook(self, series: Series) -> Outlook:
        """Return the forecast in plain numbers. Raises NoForecast."""
        recent = series.newest(NEWEST_BARS)
        unit = atr14(recent)[-1] if len(recent) >= ATR_BARS else None
        if unit is None:
            raise NoForecast(f"{series.symbol} {series.timeframe}: {len(series)} bars, or none that moved")
        last = len(recent) - 1
        features = self._features(recent, last)
        moves = self._moves(recent.next_hour[last], features)
        if not all(0 <= move < MOST_ATR for move in moves):
            raise NoForecast(f"{series.symbol} {series.timeframe}: {self.card.id} gives a range that cannot be")
        up_half, up_most, down_half, down_most = distances(moves, unit, tick_of(series.symbol))
        ended = recent.ends_at(last)
        return Outlook(
            close=recent.close[last],
            atr=unit,
            method=self._method(features),
            as_of=ended,
            valid_until=ended + timedelta(seconds=series.seconds),
            high=(up_half, up_most),
            low=(down_half, down_most),
        )

    def _features(self, series: Series, last: int) -> tuple[float, ...] | None:
        if self._boosted is None:
            return None
        return Features(series, self._boosted.width).row(last)

    def _method(self, features: tuple[float, ...] | None) -> RangeMethod:
        """Return what answers: without the features that a model reads, what was proven without it."""
        if self.card.verdict == "flat":
            return "flat"
        return "model" if self._boosted is not None and features is not None else self._without_model

    def _moves(self, hour: int, features: tuple[float, ...] | None) -> Moves:
        method = self._method(features)
        if method == "flat":
            return self.table.flat
        table = self.table.moves(hour)
        if method == "hour" or self._boosted is None or features is None:
            return table
        return self._boosted.moves(table, features)


def _band(symbol: str, outlook: Outlook, place: int, held: Held) -> RangeBand:
    held_high, held_low = held.shares
    return RangeBand(
        quantile=decimal_of(QUANTILES[place]),
        high=outside(symbol, outlook.close + outlook.high[place], "up"),
        low=outside(symbol, outlook.close - outlook.low[place], "down"),
        held_high=held_high,
        held_low=held_low,
        n=held.n,
    )


def on_grid(symbol: str, price: float) -> Price:
    """Return a price on the tick grid of its symbol."""
    return price_at(symbol, ticks_of(symbol, price))


def checked_files(card: ModelCard, files: Mapping[str, bytes]) -> dict[str, bytes]:
    """Return the files that a card names. Raises ModelUnreadable: one is missing, or its hash is another one."""
    checked: dict[str, bytes] = {}
    if TABLE_FILE not in card.files:
        raise ModelUnreadable("missing", f"{card.id} names no {TABLE_FILE}")
    for name, expected in card.files.items():
        content = files.get(name)
        if content is None:
            raise ModelUnreadable("missing", f"{card.id} has no {name}")
        if hashlib.sha256(content).hexdigest() != expected:
            raise ModelUnreadable("hash_differs", f"{name} of {card.id} is not the file that its card names")
        checked[name] = content
    return checked


def read_boosted(card: ModelCard, read: Callable[[Mapping[str, bytes]], T], files: Mapping[str, bytes]) -> T | None:
    """Return the LightGBM model that a card serves, None where it serves none. Raises ModelUnreadable."""
    if card.verdict != "model":
        return None
    try:
        return read(files)
    except NoBoosting as missing:
        raise ModelUnreadable("missing", str(missing)) from missing
    except ValueError as broken:
        raise ModelUnreadable("unreadable", str(broken)) from broken
