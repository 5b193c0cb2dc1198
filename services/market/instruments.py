"""The table of instruments: one row per asset, its contract on a date, and the symbols that name it.

Sizes are in price, values in USD per point per contract. A *point* is the unit of bricks, stops and targets: one index
point, one dollar of oil or gold, one pip of EURUSD. Sources: CME contract specifications; the tick sizes of CFDs are
those of the quotes they are tested with.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from datetime import date, timedelta
from decimal import Decimal
from types import MappingProxyType
from typing import Literal

from msgspec import Struct

from services.market.rolls import CRUDE_ROLL, GOLD_ROLL, INDEX_ROLL, MONTH_LETTERS, RollRule
from wire.types import Contract, Price, Usd

ContractSize = Literal["micro", "full"]

OTC = "OTC"
LONGEST_SYMBOL = 40
TICKER = re.compile(r"(?:(?P<venue>[A-Z0-9_]+):)?(?P<name>[A-Z0-9]+!?)")
DELAYED_VENUE = re.compile(r"_DLY?$")
TRADES_BELOW_ZERO = frozenset({"CL"})
FUTURES_VENUES = frozenset({"CME", "CBOT", "NYMEX", "COMEX"})
EXPIRED_FOR_CERTAIN_DAYS = 7
DELIVERY_CODE = re.compile(
    rf"(?P<letter>[{MONTH_LETTERS}])(?P<year>\d{{1,2}}|20\d\d)| (?P<number>\d\d)-(?P<short>\d\d)", re.ASCII
)
DELIVERY = re.compile(rf"(?:\d!|[{MONTH_LETTERS}](?:\d|\d\d|20\d\d))?")


class UnknownInstrument(LookupError):
    """The asset is not in the table. A retry does not help: the configuration is wrong."""

    def __init__(self, asset: str) -> None:
        known = ", ".join(INSTRUMENTS)
        super().__init__(f"unknown instrument {asset[:LONGEST_SYMBOL]!r}: known are {known}")
        self.asset = asset


class MicroContract(Struct, frozen=True):
    """The micro version of a futures contract: the same price and tick, a tenth of the USD per point."""

    root: str
    point_value: Usd


class Instrument(Struct, frozen=True):
    """One row of the table. Without ``roll`` it is a CFD: it has no expiry, no micro, and no delivery month."""

    symbol: str
    title: str
    exchange: str
    tick_size: Price
    point_value: Usd
    point_size: Price = Decimal(1)
    micro: MicroContract | None = None
    roll: RollRule | None = None

    def contract(self, on: date, size: ContractSize = "micro") -> Contract:
        """Return the contract to trade on a date. Without a micro contract, ``micro`` gives the full one."""
        root = self.symbol
        point_value = self.point_value
        if size == "micro" and self.micro is not None:
            root = self.micro.root
            point_value = self.micro.point_value
        return Contract(
            symbol=root + self.roll.front_month(on) if self.roll else root,
            exchange=self.exchange,
            tick_size=self.tick_size,
            point_value=point_value,
            point_size=self.point_size,
        )

    def ticks(self, price: Price | str) -> int:
        """Return the price as a whole number of ticks, rounded to the nearest tick."""
        return round(Decimal(price) / self.tick_size)

    def ticks_in(self, points: Decimal) -> int:
        """Return a distance in points as ticks. Raises ValueError when it is not a whole number of ticks."""
        ticks = points * self.point_size / self.tick_size
        if ticks != int(ticks):
            raise ValueError(f"{points} points was not a whole number of ticks of {self.symbol}")
        return int(ticks)

    @property
    def roots(self) -> tuple[str, ...]:
        """The roots of its contracts: the full size's and, where there is one, the micro's."""
        return (self.symbol, self.micro.root) if self.micro else (self.symbol,)

    def means(self, venue: str | None, name: str) -> bool:
        """Return whether an exchange prefix and a ticker, both upper case, name this instrument."""
        if self.roll is None:
            return name == self.symbol
        if venue is not None and venue.split("_")[0] not in FUTURES_VENUES:
            return False
        return any(name.startswith(root) and DELIVERY.fullmatch(name, len(root)) for root in self.roots)


def contract_for(asset: str, on: date, size: ContractSize = "micro") -> Contract:
    """Return the contract of an asset on a trade date: ``MESZ6`` on ``CME`` for ``ES`` on 2026-11-20.

    Raises UnknownInstrument for an asset that is not in the table.
    """
    return instrument_for(asset).contract(on, size)


def instrument_for(asset: str) -> Instrument:
    """Return the asset's row. Raises UnknownInstrument, which names the known ones."""
    try:
        return INSTRUMENTS[asset]
    except KeyError:
        raise UnknownInstrument(asset) from None


def can_trade_at(asset: str, price: Price) -> bool:
    """Return whether the asset's market can trade at the price: above 0, except for crude oil."""
    return price > 0 or asset in TRADES_BELOW_ZERO


def resolve_asset(symbol: str, assets: Collection[str]) -> str | None:
    """Return which of the desk's assets a TradingView symbol names, ``None`` when it names none of them.

    ``ES``, ``es``, ``ES1!``, ``CME_MINI:ES1!``, ``ESZ2026``, ``ESZ6`` and ``MES1!`` all name ``ES``. Delayed quotes
    (exchange ``…_DL`` or ``…_DLY``) name no asset, and neither does a share with a future's ticker (``NYSE:ES``). Never
    raises, whatever the text.
    """
    if not symbol.isascii() or len(symbol) > LONGEST_SYMBOL:
        return None
    ticker = TICKER.fullmatch(symbol.upper())
    if ticker is None:
        return None
    venue = ticker["venue"]
    name = ticker["name"]
    if venue is not None and DELAYED_VENUE.search(venue):
        return None
    return next((asset for asset in assets if _means(asset, venue, name)), None)


class NamedContract(Struct, frozen=True):
    """A futures contract as some program spelled it: ``MESZ2026`` is ``MESZ6`` of the asset ``ES``.

    ``delivery`` is its year and month.
    """

    asset: str
    symbol: str
    delivery: tuple[int, int]

    def has_expired(self, on: date) -> bool:
        """Return whether the delivery month ended more than 7 days ago: nobody can hold the contract any more."""
        year, month = self.delivery
        following = date(year + month // 12, month % 12 + 1, 1)
        return on >= following + timedelta(days=EXPIRED_FOR_CERTAIN_DAYS)


def contract_named(spelling: str, on: date) -> NamedContract | None:
    """Read a contract's name as brokers and platforms spell it; None for one that names no known contract.

    ``MESZ6``, ``mesz26``, ``MESZ2026``, ``CME:MESZ6`` and ``MES 12-26`` are the same contract. A year of one digit is
    the first such year from last year on. A CFD has no month: its own symbol names it. Never raises.
    """
    text = spelling.strip().upper()
    if not text.isascii() or len(text) > LONGEST_SYMBOL:
        return None
    text = text.partition(":")[2] or text
    for instrument in INSTRUMENTS.values():
        if instrument.roll is None and text == instrument.symbol:
            return NamedContract(instrument.symbol, text, (date.max.year - 1, 12))
        for root in instrument.roots if instrument.roll is not None else ():
            delivery = _delivery(text.removeprefix(root), on) if text.startswith(root) else None
            if delivery is not None:
                year, month = delivery
                return NamedContract(instrument.symbol, f"{root}{MONTH_LETTERS[month - 1]}{year % 10}", delivery)
    return None


def delivery_named(symbol: str, asset: str, on: date) -> str | None:
    """Return the delivery that a TradingView symbol of the asset names: ``Z6`` of ``CME_MINI:ESZ2026``.

    None for a symbol without a month: the asset's own, ``ES1!``, a CFD. A later continuous contract is ``2!``. A month
    that nobody can hold is written with its whole year, ``Z2016``, so that it equals no contract of today.
    """
    name = symbol.upper().rpartition(":")[2]
    for root in INSTRUMENTS[asset].roots if asset in INSTRUMENTS and INSTRUMENTS[asset].roll else ():
        code = name.removeprefix(root)
        if name.startswith(root) and DELIVERY.fullmatch(code) and code not in ("", "1!"):
            delivery = _delivery(code, on)
            return code if delivery is None else _code_of(NamedContract(asset, name, delivery), on)
    return None


def continuous_named(symbol: str, asset: str, on: date) -> str | None:
    """Return the delivery that the calendar gives a continuous contract ``…1!`` of the asset: ``Z6`` in November 2026.

    None for a symbol that is none.
    """
    instrument = INSTRUMENTS.get(asset)
    name = symbol.upper().rpartition(":")[2]
    if instrument is None or instrument.roll is None or not name.endswith("1!"):
        return None
    return instrument.roll.front_month(on)


def _code_of(contract: NamedContract, on: date) -> str:
    year, month = contract.delivery
    letter = MONTH_LETTERS[month - 1]
    is_of_today = on.year - 1 <= year < on.year + 9 and not contract.has_expired(on)
    return f"{letter}{year % 10}" if is_of_today else f"{letter}{year}"


def _delivery(code: str, on: date) -> tuple[int, int] | None:
    """Return year and month of a delivery code: ``Z6``, ``Z26``, ``Z2026`` or `` 12-26``."""
    coded = DELIVERY_CODE.fullmatch(code)
    if coded is None:
        return None
    month = int(coded["number"]) if coded["number"] else MONTH_LETTERS.index(coded["letter"]) + 1
    digits = coded["short"] or coded["year"]
    if not 1 <= month <= len(MONTH_LETTERS):
        return None
    if len(digits) == 1:
        return next(year for year in range(on.year - 1, on.year + 9) if year % 10 == int(digits)), month
    return int(digits) if len(digits) == 4 else 2000 + int(digits), month


def _means(asset: str, venue: str | None, name: str) -> bool:
    instrument = INSTRUMENTS.get(asset)
    return name == asset if instrument is None else instrument.means(venue, name)


def _index_future(symbol: str, title: str, exchange: str, tick: str, usd: int, micro: MicroContract) -> Instrument:
    return Instrument(symbol, title, exchange, Decimal(tick), Usd(usd), micro=micro, roll=INDEX_ROLL)


_ROWS = (
    _index_future("ES", "E-mini S&P 500", "CME", "0.25", 50, MicroContract("MES", Usd(5))),
    _index_future("NQ", "E-mini Nasdaq-100", "CME", "0.25", 20, MicroContract("MNQ", Usd(2))),
    _index_future("YM", "E-mini Dow", "CBOT", "1", 5, MicroContract("MYM", Usd("0.5"))),
    _index_future("RTY", "E-mini Russell 2000", "CME", "0.10", 50, MicroContract("M2K", Usd(5))),
    Instrument(
        "CL",
        "WTI crude oil",
        "NYMEX",
        tick_size=Decimal("0.01"),
        point_value=Usd(1000),
        micro=MicroContract("MCL", Usd(100)),
        roll=CRUDE_ROLL,
    ),
    Instrument(
        "GC",
        "Gold",
        "COMEX",
        tick_size=Decimal("0.10"),
        point_value=Usd(100),
        micro=MicroContract("MGC", Usd(10)),
        roll=GOLD_ROLL,
    ),
    Instrument("US30", "Dow CFD", OTC, tick_size=Decimal("0.1"), point_value=Usd(1)),
    Instrument(  # one standard lot of 100,000 EUR: a pip of 0.0001 is 10 USD
        "EURUSD",
        "Euro / US dollar",
        OTC,
        tick_size=Decimal("0.00001"),
        point_value=Usd(10),
        point_size=Decimal("0.0001"),
    ),
    Instrument("XAUUSD", "Gold spot, 100 oz", OTC, tick_size=Decimal("0.001"), point_value=Usd(100)),
)
INSTRUMENTS: Mapping[str, Instrument] = MappingProxyType({row.symbol: row for row in _ROWS})
