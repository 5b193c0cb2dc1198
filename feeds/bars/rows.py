"""Bars as rows of the file: what can be a bar at all, and prices as numbers that lose none of 15 digits."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from decimal import Decimal

from feeds.bars.types import MINUTE, RANKS, SOURCES, Bar, BarRefused
from services.market.instruments import INSTRUMENTS, can_trade_at

Row = tuple[str, int, float, float, float, float, float | None, int]
COLUMNS = ("symbol", "t", "open", "high", "low", "close", "volume", "source")
SIMULATED_RANK = RANKS["simulated"]
FIRST_T, LAST_T = 946_684_800, 4_102_444_800  # the years 2000 to 2099
LARGEST_PRICE = 10.0**9
LARGEST_VOLUME = 10.0**15


def row_of(bar: Bar) -> Row:
    """Return a bar as a row. Raises BarRefused for one that no market makes."""
    opened, high, low, closed = float(bar.open), float(bar.high), float(bar.low), float(bar.close)
    volume = None if bar.volume is None else float(bar.volume)
    if not (low <= opened <= high and low <= closed <= high):  # also where one of them is no number
        raise _refused(bar, f"open or close lies outside {bar.low} to {bar.high}")
    if bar.t % MINUTE or not FIRST_T <= bar.t < LAST_T:
        raise _refused(bar, "it begins at no minute of the years 2000 to 2099")
    if bar.symbol not in INSTRUMENTS:
        raise _refused(bar, f"known symbols are {', '.join(INSTRUMENTS)}")
    if not -LARGEST_PRICE <= low <= high <= LARGEST_PRICE or (low <= 0 and not can_trade_at(bar.symbol, bar.low)):
        raise _refused(bar, f"{bar.low} to {bar.high} are no prices at which it can trade")
    if volume is not None and not 0 <= volume <= LARGEST_VOLUME:
        raise _refused(bar, f"the volume was {bar.volume}")
    return bar.symbol, bar.t, opened, high, low, closed, volume, RANKS[bar.source]


def best_of_each(rows: Iterable[Row]) -> dict[tuple[str, bool], list[Row]]:
    """Return one row of each minute, by symbol and by whether it is simulated.

    Of several it is the one of the lowest rank, of equal ranks the last.
    """
    found: dict[tuple[str, bool], dict[int, Row]] = {}
    for row in rows:
        best = found.setdefault((row[0], row[-1] == SIMULATED_RANK), {})
        known = best.get(row[1])
        if known is None or row[-1] <= known[-1]:
            best[row[1]] = row
    return {key: list(best.values()) for key, best in found.items()}


def bars_of(rows: Iterable[Row]) -> list[Bar]:
    """Return rows as bars."""
    exact = Exact()
    return [
        Bar(symbol, t, exact[opened], exact[high], exact[low], exact[closed], volume_of(volume), SOURCES[rank])
        for symbol, t, opened, high, low, closed, volume, rank in rows
    ]


class Exact(dict[float, Decimal]):
    """Stored numbers as the decimals that they were. The bars of a symbol repeat few of them many times."""

    def __missing__(self, stored: float) -> Decimal:
        """Read a number that was not read before."""
        self[stored] = exact = Decimal(repr(stored))
        return exact


def volume_of(stored: float | None) -> Decimal | int | None:
    """Return a stored volume: contracts are whole, coins are not."""
    if stored is None:
        return None
    return int(stored) if stored.is_integer() else Decimal(repr(stored))


def _refused(bar: Bar, reason: str) -> BarRefused:
    at = datetime.fromtimestamp(bar.t, UTC).isoformat() if abs(bar.t) < LAST_T else str(bar.t)
    return BarRefused(f"the bar of {bar.symbol[:20]} at {at} was refused: {reason}")
