"""The table of instruments: one row per asset, its contract on a date, and the symbols that name it.

Sizes are in price, values in USD per 1.00 of price per contract. The *unit* is the asset's own point, of bricks, stops
and targets: 1.00 of ES, 4.00 of NQ, a pip of EURUSD. The table has the usual one, ``POINT_UNIT_<ASSET>`` sets another.
Sources: SPEC 2 for units, CME contract specifications; the tick sizes of CFDs are those of the quotes they are tested
with.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from datetime import date, timedelta
from decimal import Decimal
from types import MappingProxyType
from typing import Literal

from msgspec import Struct

from services.market.calendars import (
    CME_ENERGY,
    CME_EQUITY,
    CME_METALS,
    CRYPTO,
    FX,
    INDEX_CFD,
    SPOT_METALS,
    Calendar,
)
from services.market.rolls import CRUDE_ROLL, GOLD_ROLL, INDEX_ROLL, MONTH_LETTERS, RollRule
from services.market.spelling import CONTINUOUS, DELAYED_VENUE, DELIVERY, LONGEST_SYMBOL, Spelled, delivery_of, spelled
from wire.types import Contract, Price, Usd

ContractSize = Literal["micro", "full"]

OTC = "OTC"
TRADES_BELOW_ZERO = frozenset({"CL"})
FUTURES_VENUES = frozenset({"CME", "CBOT", "NYMEX", "COMEX", "XCME", "XCBT", "XNYM", "XCEC"})
SHARE_VENUES = frozenset({"NYSE", "NASDAQ", "AMEX", "ARCA", "BATS", "LSE", "TSX", "XETR"})
EXPIRED_FOR_CERTAIN_DAYS = 7


class UnknownInstrument(LookupError):
    """The asset is not in the table. A retry does not help: the configuration is wrong."""

    def __init__(self, asset: str) -> None:
        known = ", ".join(INSTRUMENTS)
        super().__init__(f"unknown instrument {asset[:LONGEST_SYMBOL]!r}: known are {known}")
        self.asset = asset


class DataOnly(LookupError):
    """The asset is known for its bars and charts only: the desk does not trade it, so it cannot be in ``ASSETS``."""

    def __init__(self, asset: str) -> None:
        tradable = ", ".join(TRADABLE)
        super().__init__(f"{asset} is known for its data only (bars and charts), it cannot be traded: {tradable} can")
        self.asset = asset


class MicroContract(Struct, frozen=True):
    """The micro version of a futures contract: the same price and tick, a tenth of the value."""

    root: str
    point_value: Usd


class Instrument(Struct, frozen=True):
    """One row of the table. Without ``roll`` it is a CFD: it has no expiry, no micro, and no delivery month.

    ``spellings`` are further names of a CFD, each written by a program that means nothing else by it. ``unit`` is the
    price of one point (SPEC 2).
    """

    symbol: str
    title: str
    exchange: str
    calendar: Calendar
    tick_size: Price
    point_value: Usd
    unit: Price = Decimal(1)
    micro: MicroContract | None = None
    roll: RollRule | None = None
    spellings: tuple[str, ...] = ()
    is_data_only: bool = False

    def contract(self, on: date, size: ContractSize = "micro", unit: Price | None = None) -> Contract:
        """Return the contract to trade on a date. Without a micro contract, ``micro`` gives the full one.

        ``unit`` is the price of one point where it is not the usual one.
        """
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
            unit=self.unit if unit is None else unit,
        )

    def ticks(self, price: Price | str) -> int:
        """Return the price as a whole number of ticks, rounded to the nearest tick."""
        return round(Decimal(price) / self.tick_size)

    def ticks_in(self, points: Decimal) -> int:
        """Return a distance in points as ticks. Raises ValueError when it is not a whole number of ticks."""
        ticks = points * self.unit / self.tick_size
        if ticks != int(ticks):
            raise ValueError(f"{points} points was not a whole number of ticks of {self.symbol}")
        return int(ticks)

    @property
    def roots(self) -> tuple[str, ...]:
        """The roots of its contracts: the full size's and, where there is one, the micro's."""
        return (self.symbol, self.micro.root) if self.micro else (self.symbol,)

    def means(self, read: Spelled) -> bool:
        """Return whether a symbol names this instrument for certain; one of delayed quotes names none."""
        if read.is_delayed:
            return False
        if self.roll is None:
            is_quoted_there = read.exchange not in FUTURES_VENUES and read.exchange not in SHARE_VENUES
            return is_quoted_there and read.name in (self.symbol, *self.spellings)
        if read.exchange is not None and read.exchange not in FUTURES_VENUES:
            return False
        return any(read.name.startswith(root) and DELIVERY.fullmatch(read.name, len(root)) for root in self.roots)


def contract_for(asset: str, on: date, size: ContractSize = "micro", unit: Price | None = None) -> Contract:
    """Return the contract of an asset on a trade date: ``MESZ6`` on ``CME`` for ``ES`` on 2026-11-20.

    ``unit`` is the price of one point where it is not the usual one.

    Raises UnknownInstrument for an asset that is not in the table, and DataOnly for one that is not traded.
    """
    instrument = instrument_for(asset)
    if instrument.is_data_only:
        raise DataOnly(asset)
    return instrument.contract(on, size, unit)


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
    """Return which of the desk's assets a symbol names, ``None`` when it names none of them for certain.

    ``ES``, ``es``, ``ES1!``, ``CME_MINI:ES1!``, ``ESZ2026``, ``ESZ6``, ``MES1!``, ``/ES``, ``ES=F`` and ``MES 12-26``
    all name ``ES``. Delayed quotes (exchange ``…_DL`` or ``…_DLY``) name no asset, and neither does a share with a
    future's ticker (``NYSE:ES``) nor another pair (``BTCUSDT``). Never raises, whatever the text.
    """
    read = spelled(symbol)
    return None if read is None else next((asset for asset in assets if _means(asset, read)), None)


def delayed_asset(symbol: str, assets: Collection[str]) -> str | None:
    """Return which of the assets a symbol names with delayed quotes, ``CME_MINI_DL:ES1!``; None for any other."""
    read = spelled(symbol)
    if read is None or not read.is_delayed:
        return None
    real = Spelled(DELAYED_VENUE.sub("", read.venue or ""), read.name)
    return next((asset for asset in assets if _means(asset, real)), None)


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
    read = spelled(spelling.strip())
    if read is None:
        return None
    for instrument in INSTRUMENTS.values():
        if instrument.roll is None and read.name in (instrument.symbol, *instrument.spellings):
            return NamedContract(instrument.symbol, instrument.symbol, (date.max.year - 1, 12))
        for root in instrument.roots if instrument.roll is not None else ():
            delivery = delivery_of(read.name.removeprefix(root), on) if read.name.startswith(root) else None
            if delivery is not None:
                year, month = delivery
                return NamedContract(instrument.symbol, f"{root}{MONTH_LETTERS[month - 1]}{year % 10}", delivery)
    return None


def delivery_named(symbol: str, asset: str, on: date) -> str | None:
    """Return the delivery that a TradingView symbol of the asset names: ``Z6`` of ``CME_MINI:ESZ2026``.

    None for a symbol without a month: the asset's own, ``ES1!``, ``/ES``, a CFD. A later continuous contract is
    ``2!``. A month that nobody can hold is written with its whole year, ``Z2016``, so that it equals no contract of
    today.
    """
    name = _name_of(symbol)
    for root in INSTRUMENTS[asset].roots if asset in INSTRUMENTS and INSTRUMENTS[asset].roll else ():
        code = name.removeprefix(root)
        if name.startswith(root) and DELIVERY.fullmatch(code) and code not in ("", CONTINUOUS):
            delivery = delivery_of(code, on)
            return code if delivery is None else _code_of(NamedContract(asset, name, delivery), on)
    return None


def continuous_named(symbol: str, asset: str, on: date) -> str | None:
    """Return the delivery that the calendar gives a continuous contract of the asset: ``Z6`` in November 2026.

    ``ES1!``, ``/ES`` and ``ES=F`` are one. None for a symbol that is none.
    """
    instrument = INSTRUMENTS.get(asset)
    if instrument is None or instrument.roll is None or not _name_of(symbol).endswith(CONTINUOUS):
        return None
    return instrument.roll.front_month(on)


def _name_of(symbol: str) -> str:
    read = spelled(symbol)
    return "" if read is None else read.name


def _code_of(contract: NamedContract, on: date) -> str:
    year, month = contract.delivery
    letter = MONTH_LETTERS[month - 1]
    is_of_today = on.year - 1 <= year < on.year + 9 and not contract.has_expired(on)
    return f"{letter}{year % 10}" if is_of_today else f"{letter}{year}"


def _means(asset: str, read: Spelled) -> bool:
    instrument = INSTRUMENTS.get(asset)
    return instrument.means(read) if instrument is not None else read.name == asset and not read.is_delayed


def refuse_shared_roots(rows: Iterable[Instrument]) -> tuple[Instrument, ...]:
    """Return the rows, or raise ValueError when two of them could be named by one symbol (SPEC 2)."""
    owners: dict[str, str] = {}
    kept = tuple(rows)
    for row in kept:
        for name in (*row.roots, *row.spellings):
            if name in owners:
                raise ValueError(f"{name} would name both {owners[name]} and {row.symbol}")
            owners[name] = row.symbol
    return kept


def _index_future(
    symbol: str, title: str, exchange: str, tick: str, usd: int, micro: MicroContract, unit: str
) -> Instrument:
    return Instrument(
        symbol,
        title,
        exchange,
        CME_EQUITY,
        tick_size=Decimal(tick),
        point_value=Usd(usd),
        unit=Decimal(unit),
        micro=micro,
        roll=INDEX_ROLL,
    )


def _pair(base: str, title: str, calendar: Calendar, tick: str, lot: int, unit: str = "1") -> Instrument:
    """Return a pair against the dollar; of a lot of so many, 1.00 of price is worth as many dollars."""
    spellings = (f"{base}/USD", f"{base}_USD", f"{base}-USD", f"{base}USD=X")
    return Instrument(
        f"{base}USD",
        title,
        OTC,
        calendar,
        tick_size=Decimal(tick),
        point_value=Usd(lot),
        unit=Decimal(unit),
        spellings=spellings,
        is_data_only=calendar is CRYPTO,
    )


_ROWS = (
    _index_future("ES", "E-mini S&P 500", "CME", "0.25", 50, MicroContract("MES", Usd(5)), unit="1"),
    _index_future("NQ", "E-mini Nasdaq-100", "CME", "0.25", 20, MicroContract("MNQ", Usd(2)), unit="4"),
    _index_future("YM", "E-mini Dow", "CBOT", "1", 5, MicroContract("MYM", Usd("0.5")), unit="8"),
    _index_future("RTY", "E-mini Russell 2000", "CME", "0.10", 50, MicroContract("M2K", Usd(5)), unit="0.6"),
    Instrument(
        "CL",
        "WTI crude oil",
        "NYMEX",
        CME_ENERGY,
        tick_size=Decimal("0.01"),
        point_value=Usd(1000),
        unit=Decimal("0.02"),
        micro=MicroContract("MCL", Usd(100)),
        roll=CRUDE_ROLL,
    ),
    Instrument(
        "GC",
        "Gold",
        "COMEX",
        CME_METALS,
        tick_size=Decimal("0.10"),
        point_value=Usd(100),
        unit=Decimal("0.8"),
        micro=MicroContract("MGC", Usd(10)),
        roll=GOLD_ROLL,
    ),
    Instrument(
        "US30",
        "Dow CFD",
        OTC,
        INDEX_CFD,
        tick_size=Decimal("0.1"),
        point_value=Usd(1),
        unit=Decimal(8),
        spellings=("US30USD", "US30_USD"),
    ),
    # lots as small as SPEC 2 has them: of 10,000 euros or pounds a pip of 0.0001 is 1 USD, of 10 oz a dollar is 10
    _pair("EUR", "Euro / US dollar, 10,000 EUR", FX, "0.00001", 10_000, unit="0.0001"),
    _pair("GBP", "Pound / US dollar, 10,000 GBP", FX, "0.00001", 10_000, unit="0.0001"),
    _pair("XAU", "Gold spot, 10 oz", SPOT_METALS, "0.001", 10, unit="0.8"),
    _pair("BTC", "Bitcoin / US dollar", CRYPTO, "0.01", 1),
    _pair("ETH", "Ether / US dollar", CRYPTO, "0.01", 1),
)
INSTRUMENTS: Mapping[str, Instrument] = MappingProxyType({row.symbol: row for row in refuse_shared_roots(_ROWS)})
TRADABLE = tuple(symbol for symbol, row in INSTRUMENTS.items() if not row.is_data_only)
