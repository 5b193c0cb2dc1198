"""How often the ranges that were served have held: one row for each forecast, settled by the bar that followed it.

What held is counted twice: of the band as it is drawn, on the tick grid, and of the exact distance, which a program is
told. They differ where a close lies between two ticks: the band is drawn outwards. It is counted by method and not by
model: every night trains a new model by the same method, and none would ever be measured. What another method did says
nothing of this one.

A file of its own (SQLite, WAL). A forecast is of one closed bar and one quantile, and is made once; what a bar that
never came would have shown is unknown and does not count. Times are seconds of the epoch.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import structlog
from msgspec import Struct
from msgspec.structs import astuple

from advisor.database import SchemaUnknown, open_database
from advisor.ml.forecast import NONE_HELD, Held
from wire.ml_engine import RangeMethod

logger = structlog.get_logger(__name__)

Found = TypeVar("Found")
COUNTED = 500
KEPT = 2_000
"""Forecasts of a symbol, timeframe, quantile and method; older ones are deleted."""

PRUNE_EVERY = 200
ADD = """
    INSERT INTO forecasts (symbol, timeframe, quantile, as_of, ends_at, method, model, high, low, exact_high, exact_low)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING"""
OPEN = """
    SELECT symbol, timeframe, quantile, as_of, ends_at, method, model, high, low, exact_high, exact_low FROM forecasts
    WHERE symbol = ? AND timeframe = ? AND settled = 0 ORDER BY as_of"""
SETTLE = """
    UPDATE forecasts SET settled = 1, held_high = ?, held_low = ?, held_exact_high = ?, held_exact_low = ?
    WHERE symbol = ? AND timeframe = ? AND quantile = ? AND as_of = ?"""
COUNT = """
    SELECT coalesce(sum(held_high), 0), coalesce(sum(held_low), 0),
        coalesce(sum(held_exact_high), 0), coalesce(sum(held_exact_low), 0), count(*)
    FROM (
        SELECT held_high, held_low, held_exact_high, held_exact_low FROM forecasts
        WHERE symbol = ? AND timeframe = ? AND quantile = ? AND method = ? AND held_high IS NOT NULL
        ORDER BY as_of DESC LIMIT ?)"""
PRUNE = """
    DELETE FROM forecasts WHERE rowid IN (SELECT rowid FROM (
        SELECT rowid, row_number() OVER (PARTITION BY symbol, timeframe, quantile, method ORDER BY as_of DESC) AS place
        FROM forecasts) WHERE place > ?)"""


class CoverageUnusable(Exception):
    """The file cannot be used; the message is one sentence with the reason."""


class Forecast(Struct, frozen=True, kw_only=True):
    """One range as it was served at the end of a bar. ``ends_at`` is the end of the bar that it is for.

    ``high`` and ``low`` are the edges of the drawn band, the exact ones those of the distances that were told.
    """

    symbol: str
    timeframe: str
    quantile: float
    as_of: int
    ends_at: int
    method: RangeMethod
    model: str
    high: float
    low: float
    exact_high: float
    exact_low: float


class Outcomes(Struct, frozen=True):
    """How many of the last forecasts of one method held: as they were drawn, and by their exact distances."""

    drawn: Held
    exact: Held


NO_OUTCOMES = Outcomes(NONE_HELD, NONE_HELD)


class Coverage:
    """The open file. Everything runs on one thread; each call is a few rows."""

    def __init__(self, path: Path) -> None:
        """Open `path`, creating it when it is new. Raises `CoverageUnusable`."""
        try:
            self._connection = open_database(path, "NORMAL")
        except (sqlite3.Error, OSError, SchemaUnknown) as error:
            raise CoverageUnusable(f"The file {path} of forecasts cannot be used: {error}.") from error
        self._since_pruned = 0

    def close(self) -> None:
        """Close the file."""
        self._connection.close()

    def note(self, forecast: Forecast) -> bool:
        """Store a forecast unless one of that bar is there. Return whether it is new."""
        added = self._connection.execute(ADD, astuple(forecast)).rowcount
        self._since_pruned += added
        if self._since_pruned >= PRUNE_EVERY:
            self._since_pruned = 0
            self.prune()
        return added == 1

    def open_forecasts(self, symbol: str, timeframe: str) -> list[Forecast]:
        """Return the forecasts that no bar has settled, oldest first."""
        rows = self._connection.execute(OPEN, (symbol, timeframe))
        names = Forecast.__struct_fields__
        return [Forecast(**dict(zip(names, row, strict=True))) for row in rows]

    def settle(self, forecast: Forecast, highest: float | None, lowest: float | None) -> None:
        """Note what the bar did that a forecast was for; without prices there was none, and it does not count."""
        held: tuple[int | None, ...] = (None,) * 4
        if highest is not None and lowest is not None:
            held = (
                *(int(highest <= forecast.high), int(lowest >= forecast.low)),
                *(int(highest <= forecast.exact_high), int(lowest >= forecast.exact_low)),
            )
        which = (forecast.symbol, forecast.timeframe, forecast.quantile, forecast.as_of)
        self._connection.execute(SETTLE, (*held, *which))

    def held(self, symbol: str, timeframe: str, quantile: float, method: RangeMethod) -> Outcomes:
        """Return how many of the last 500 settled forecasts of a method held."""
        row = self._connection.execute(COUNT, (symbol, timeframe, quantile, method, COUNTED)).fetchone()
        high, low, exact_high, exact_low, count = map(int, row)
        return Outcomes(Held(high, low, count), Held(exact_high, exact_low, count))

    def prune(self) -> None:
        """Delete all but the newest 2,000 forecasts of each symbol, timeframe, quantile and method."""
        self._connection.execute(PRUNE, (KEPT,))


class CoverageBook:
    """The file of forecasts as the ML engine uses it: while it cannot be used, nothing is known of what held."""

    def __init__(self, path: Path) -> None:
        """Keep forecasts at `path`; it is opened when it is first needed, and tried again after a failure."""
        self._path = path
        self._open: Coverage | None = None
        self.edition = 0
        """Changes when an outcome is noted."""

        self.trouble: str | None = None
        """Why the file could not be used when that was last tried; None while it can."""

    def held(self, symbol: str, timeframe: str, quantile: float, method: RangeMethod) -> Outcomes:
        """Return how many of the last 500 forecasts of a method held, none while the file cannot be used."""
        return self._use(lambda file: file.held(symbol, timeframe, quantile, method)) or NO_OUTCOMES

    def note(self, forecast: Forecast) -> None:
        """Store a forecast."""
        self._use(lambda file: file.note(forecast))

    def open_forecasts(self, symbol: str, timeframe: str) -> list[Forecast]:
        """Return the forecasts that wait for their bar."""
        return self._use(lambda file: file.open_forecasts(symbol, timeframe)) or []

    def settle(self, forecast: Forecast, highest: float | None, lowest: float | None) -> None:
        """Note what became of a forecast."""
        self._use(lambda file: file.settle(forecast, highest, lowest))
        self.edition += 1

    def close(self) -> None:
        """Close the file."""
        if self._open is not None:
            self._open.close()
            self._open = None

    def _use(self, do: Callable[[Coverage], Found]) -> Found | None:
        """Return what `do` finds in the file, None while it cannot be used."""
        try:
            if self._open is None:
                self._open = Coverage(self._path)
            found = do(self._open)
        except (CoverageUnusable, sqlite3.Error) as error:
            if self.trouble is None:
                logger.error("forecasts cannot be kept; that is tried again", file=str(self._path), reason=str(error))
            self.trouble = str(error)
            return None
        self.trouble = None
        return found
