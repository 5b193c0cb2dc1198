"""From the price book and the desk to the bodies of the market feed (pure)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import msgspec

from feeds.desk import DeskPicture
from feeds.prices.book import PriceBook
from feeds.prices.periods import calendar_of
from feeds.prices.types import TFC_NAMES, Alert, Candle, InForce, PriceHeard, Setup, SimultaneousBreak
from services.market.instruments import INSTRUMENTS
from services.market.liquidity import liquidity_in
from wire.market import (
    MarketBreak,
    MarketBreakMember,
    MarketCandle,
    MarketInForce,
    MarketInstrument,
    MarketPrice,
    MarketQuote,
    MarketSetup,
    MarketSetupOf,
    MarketState,
    MarketZone,
    OneMarketStatus,
)
from wire.types import Instant


def quote_of(price: PriceHeard, volume: int | None) -> MarketQuote:
    """Return a price as ``quote`` tells it."""
    return MarketQuote(
        symbol=price.asset,
        price=price.price,
        volume=volume,
        bid=price.bid,
        ask=price.ask,
        ts=price.at,
        source=price.source,
        simulated=price.simulated,
        contract=price.contract,
    )


def latest_quote(book: PriceBook, symbol: str) -> MarketQuote | None:
    """Return the newest price of a symbol, None before the first."""
    last = book.last(symbol)
    return None if last is None else quote_of(last, book.volume_of_day(symbol))


def state_of(book: PriceBook, desk: DeskPicture, symbol: str) -> MarketState:
    """Return everything that is known of a symbol. What the desk alone knows is null while web is away."""
    last = book.last(symbol)
    asset = (desk.asset(symbol) if desk.is_up else None) or {}
    return MarketState(
        symbol=symbol,
        price=None if last is None else MarketPrice(price=last.price, volume=book.volume_of_day(symbol)),
        tfc=dict(book.tfc(symbol)),
        scenarios=scenarios_of(book, symbol),
        setups=tuple(setup_of(setup) for setup in book.setups(symbol)),
        zone=MarketZone(type=asset.get("zone_type"), direction=asset.get("zone_direction")),
        tempo_ready=asset.get("tempo_ready"),
        simulated=asset.get("simulated"),
    )


def scenarios_of(book: PriceBook, symbol: str) -> dict[str, str | None]:
    """Return the scenario of the current candle of each timeframe, None where it is unknown."""
    found: dict[str, str | None] = {}
    for timeframe, name in TFC_NAMES.items():
        newest = book.candles(symbol, timeframe, 1)
        found[name] = newest[-1].scenario if newest and not newest[-1].is_closed else None
    return found


def setup_of(setup: Setup) -> MarketSetup:
    """Return a setup as a state lists it."""
    return MarketSetup(**_setup_fields(setup))


def setups_of(book: PriceBook, symbols: Iterable[str]) -> tuple[MarketSetupOf, ...]:
    """Return the setups of these symbols."""
    return tuple(
        MarketSetupOf(symbol=setup.symbol, **_setup_fields(setup))
        for symbol in symbols
        for setup in book.setups(symbol)
    )


def _setup_fields(setup: Setup) -> dict[str, Any]:
    return {name: getattr(setup, name) for name in MarketSetup.__struct_fields__}


def candle_of(candle: Candle) -> MarketCandle:
    """Return a candle as the REST half lists it."""
    return MarketCandle(**{name: getattr(candle, name) for name in MarketCandle.__struct_fields__})


def alert_body(number: int, alert: Alert) -> MarketInForce | MarketBreak:
    """Return an alert as its event and the REST half tell it."""
    if isinstance(alert, InForce):
        return MarketInForce(id=number, **msgspec.structs.asdict(alert))
    return _break_body(number, alert)


def _break_body(number: int, alert: SimultaneousBreak) -> MarketBreak:
    members = tuple(MarketBreakMember(**msgspec.structs.asdict(member)) for member in alert.members)
    return MarketBreak(id=number, **{**msgspec.structs.asdict(alert), "members": members})


def instrument_of(desk: DeskPicture, symbol: str) -> MarketInstrument:
    """Return a symbol with what the desk and the table of instruments say of it."""
    asset = desk.asset(symbol) or {}
    row = INSTRUMENTS.get(symbol)
    return MarketInstrument(
        symbol=symbol,
        contract=asset.get("contract"),
        exchange=asset.get("exchange"),
        title=None if row is None else row.title,
        tick_size=asset.get("tick_size"),
        point_size=asset.get("point_size"),
        point_value=asset.get("point_value"),
        simulated=asset.get("simulated"),
    )


def market_status(symbol: str, now: Instant) -> OneMarketStatus:
    """Return whether the market of a symbol is open by its own calendar."""
    calendar = calendar_of(symbol)
    reason = liquidity_in(calendar, now)
    return OneMarketStatus(
        symbol=symbol,
        calendar=calendar.name,
        is_open=calendar.is_open(now),
        trade_date=calendar.trade_date(now),
        opens_at=calendar.next_open(now),
        closes_at=calendar.next_close(now),
        is_thin=reason is not None,
        reason=reason,
    )
