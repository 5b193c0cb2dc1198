"""The bridge's call for ticks of the market: quotes of the stream, and prices that outrank TradingView's (SPEC 3)."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated

from flask import Response
from pydantic import Field

from routes.bridge import bridge_calls
from routes.http.describing import answers
from routes.http.errors import InvalidRequest
from routes.http.parsing import BridgeBody, ExactMoment, Instance, Money, Quantity, Symbol, WholeNumber, accepts
from routes.http.replies import app_services, reply
from services.engine.model.feed import MarketHours
from services.engine.model.state import Asset
from services.engine.model.ticks import HearTicks, ToldTick
from services.engine.rules.environment import SIMULATED, is_of_no_market
from services.engine.rules.roll_week import watched
from services.market.bar_hours import open_since, silent_from
from services.market.instruments import contract_named, instrument_for
from services.market.session import after_session_time
from services.stores.store import NotTheWriter
from wire.answers import TicksAnswer
from wire.bridge import Tick, TicksReport
from wire.types import Contract

ticks = bridge_calls("bridge_ticks", __name__)

MOST_TICKS = 500
HIGHEST_SEQ = 2**63 - 1
Seq = Annotated[WholeNumber, Field(ge=0, le=HIGHEST_SEQ)]


class TickBody(BridgeBody):
    """One trade of the market. What is unknown is null."""

    ts: ExactMoment
    price: Money
    seq: Seq
    size: Quantity | None = None
    bid: Money | None = None
    ask: Money | None = None


class TicksBody(BridgeBody):
    symbol: Symbol
    ticks: Annotated[list[TickBody], Field(max_length=MOST_TICKS)]
    instance: Instance | None = None
    simulated: bool | None = None
    gap: bool = False


@ticks.post("/api/bridge/ticks")
@answers(TicksAnswer)
@accepts(TicksBody)
def take_ticks(body: TicksBody) -> Response:
    """Publish ticks of a contract that the desk trades as quotes of the stream, and let the desk decide by them.

    Each counts once. Ticks of the contract whose price counts outrank TradingView's prices for 10 s (SPEC 3).
    """
    services = app_services()
    if not services.manager.is_writer:
        raise NotTheWriter(services.manager.snapshot.writer)
    is_simulated = body.simulated is True
    asset, contract = _traded(body.symbol, is_simulated=is_simulated)
    if is_of_no_market(services.manager.snapshot.desk, simulated=is_simulated):
        return reply(TicksAnswer(taken=0, repeated=0, left_out={SIMULATED: len(body.ticks)} if body.ticks else {}))
    report = TicksReport(
        symbol=contract.symbol,
        ticks=tuple([_tick(one) for one in body.ticks]),
        instance=body.instance,
        simulated=body.simulated,
        gap=body.gap,
    )
    taken = services.ticks.take(report, asset, contract, services.manager.now)
    services.broadcaster.publish_ticks(taken.quotes)
    services.manager.submit(_heard(body, asset, contract))
    return reply(TicksAnswer(taken=len(taken.quotes), repeated=taken.repeated, left_out=taken.left_out))


def _heard(body: TicksBody, asset: Asset, contract: Contract) -> HearTicks:
    """Return the desk's command. The desk judges for itself: what it knows of ticks survives a restart."""
    services = app_services()
    now, calendar = services.manager.now, instrument_for(asset.symbol).calendar
    max_age = timedelta(hours=services.manager.snapshot.desk.rules.brick_max_age_hours)
    return HearTicks(
        asset=asset.symbol,
        contract=contract.symbol,
        ticks=tuple([ToldTick(one.ts, one.price, one.seq) for one in body.ticks]),
        instance=body.instance,
        simulated=body.simulated is True,
        gap=body.gap,
        stale_at=after_session_time(now, max_age),
        hours=MarketHours(*open_since(calendar, now)),
        silent_at=silent_from(calendar, "15S", now),
    )


def _traded(symbol: str, *, is_simulated: bool) -> tuple[Asset, Contract]:
    """Return the asset whose contract is named, and that contract. Raises InvalidRequest for any other.

    A simulated market may name the asset: it has no contracts.
    """
    services = app_services()
    simulated = services.manager.snapshot.desk.assets.get(symbol.upper()) if is_simulated else None
    if simulated is not None:
        return simulated, watched(simulated)
    named = contract_named(symbol, services.manager.now.date())
    own = None if named is None else services.manager.snapshot.desk.assets.get(named.asset)
    if named is None or own is None:
        raise InvalidRequest(
            "symbol", f"was {symbol!r:.60}, which names no contract of this desk", code="unknown_asset"
        )
    for contract in (watched(own), own.contract):
        if contract.symbol == named.symbol:
            return own, contract
    trades = watched(own).symbol
    raise InvalidRequest("symbol", f"was {symbol!r:.60}, the desk trades {trades}", code="unknown_asset")


def _tick(body: TickBody) -> Tick:
    return Tick(ts=body.ts, price=body.price, seq=body.seq, size=body.size, bid=body.bid, ask=body.ask)
