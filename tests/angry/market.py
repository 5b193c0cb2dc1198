"""The market of the angry trader: several assets that walk at random and jump, or follow a tape.

Every price between two steps is traded once, so that a resting stop is filled at its own price or one tick worse: what
jumps over a stop without trading at it is no loss that any desk can prevent, and is not played here.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from random import Random

from services.market.instruments import INSTRUMENTS
from services.market.ticks import Tick

OPENS = {
    "ES": Decimal(5250),
    "NQ": Decimal(18_500),
    "YM": Decimal(39_000),
    "RTY": Decimal(2000),
    "EURUSD": Decimal("1.1"),
}
CALM, WILD = 1.2, 3.0  # units a step
JUMPS_OF = (8, 15, 25)  # units
FEES = {"MES": "0.62", "ES": "2.40", "MNQ": "0.62", "NQ": "2.40", "MYM": "0.62", "YM": "2.40"}
FEES |= {"M2K": "0.62", "RTY": "2.40", "EURUSD": "0.30"}


def product_of(contract: str) -> str:
    """Return the product of a contract: ``MES`` of ``MESZ6``, and ``EURUSD`` of itself."""
    return contract if contract in FEES else contract[:-2]


def asset_of(contract: str) -> str:
    """Return the asset whose price the contract has."""
    product = product_of(contract)
    return next(asset for asset in OPENS if product in INSTRUMENTS[asset].roots)


def usd_per_price(contract: str) -> Decimal:
    """Return what 1.00 of price is worth, in USD for one contract."""
    product = product_of(contract)
    instrument = INSTRUMENTS[asset_of(contract)]
    is_micro = instrument.micro is not None and instrument.micro.root == product
    return instrument.micro.point_value if is_micro and instrument.micro else instrument.point_value


def unit_of(asset: str) -> Decimal:
    return INSTRUMENTS[asset].unit


def tick_of(asset: str) -> Decimal:
    return INSTRUMENTS[asset].tick_size


class Market:
    """The last price of each asset. ``moves`` makes one step; a new mood is drawn now and then."""

    def __init__(self, rng: Random) -> None:
        self._rng = rng
        self.prices = dict(OPENS)
        self._width = CALM
        self._drift = 0.0

    def moves(self) -> dict[str, Decimal]:
        """Move every asset; the indices together, as they do on a bad day. Return the prices of before."""
        before = dict(self.prices)
        if self._rng.random() < 0.01:
            self._width = self._rng.choice([CALM, CALM, WILD])
            self._drift = self._rng.choice([-0.5, 0.0, 0.0, 0.5])
        together = self._rng.gauss(self._drift, self._width)
        if self._rng.random() < 0.004:
            together += self._rng.choice([-1, 1]) * self._rng.choice(JUMPS_OF)
        for asset in self.prices:
            units = together * 0.7 + self._rng.gauss(0, self._width * 0.6)
            self.prices[asset] = self._near(asset, units)
        return before

    def _near(self, asset: str, units: float) -> Decimal:
        """Return the price after a move, kept within 4 % of where the market opened."""
        tick, price = tick_of(asset), self.prices[asset]
        to = price + tick * round(Decimal(units) * unit_of(asset) / tick)
        low, high = OPENS[asset] * Decimal("0.96"), OPENS[asset] * Decimal("1.04")
        return to if low < to < high else price


class TapeMarket(Market):
    """One asset follows a tape, forwards and backwards; the others walk. The tape is scaled to the asset's level."""

    def __init__(self, rng: Random, asset: str, ticks: Sequence[Tick], speed: int) -> None:
        super().__init__(rng)
        self.asset, self._speed = asset, speed
        scale = OPENS[asset] / ticks[0].price
        tick = tick_of(asset)
        self._tape = [tick * round(one.price * scale / tick) for one in ticks]
        self._at, self._way = 0, 1

    def moves(self) -> dict[str, Decimal]:
        before = super().moves()
        self._at += self._way * self._speed
        if not 0 <= self._at < len(self._tape):
            self._way = -self._way
            self._at = min(max(self._at, 0), len(self._tape) - 1)
        self.prices[self.asset] = self._tape[self._at]
        return before
