"""What the desk holds, what the bricks say, and what the ML engine knows of ranges, signals and phases."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Annotated, Literal

from msgspec import Meta, Struct

from advisor.agent.asked import asset_named, asset_of_desk
from advisor.agent.findings import (
    Colour,
    Consensus,
    ForeignHeld,
    HeldPosition,
    OpenOrder,
    Positions,
)
from advisor.agent.foreign_names import readable
from advisor.agent.sources import Sources
from advisor.agent.tool import Found
from sidecar.problems import ServiceRefused
from wire.asset import AssetState, TradeState
from wire.ml_engine import MlTimeframe, RrConfig
from wire.state import LiveDocument
from wire.tradingview import STREAMS

Lookback = Annotated[int, Meta(ge=50, le=5000)]


class AskedPositions(Struct, frozen=True, forbid_unknown_fields=True):
    """Of one asset, or of the whole desk."""

    asset: str | None = None


class AskedConsensus(Struct, frozen=True, forbid_unknown_fields=True):
    """Of which asset."""

    asset: str


class AskedRange(Struct, frozen=True, forbid_unknown_fields=True):
    """The next bar of which length."""

    asset: str
    timeframe: MlTimeframe = "15m"


class AskedSignal(Struct, frozen=True, forbid_unknown_fields=True):
    """The signal of which bars, with which target over stop."""

    asset: str
    timeframe: MlTimeframe = "15m"
    rr_config: RrConfig = "rr_2_1"


class AskedPhase(Struct, frozen=True, forbid_unknown_fields=True):
    """The phase of which bars."""

    asset: str
    timeframe: MlTimeframe = "15m"
    lookback: Lookback = 100


# -- positions ------------------------------------------------------------------------------------------------------


async def find_positions(sources: Sources, asked: AskedPositions) -> Found:
    """Read what the desk holds."""
    state = await sources.state()
    only = None if asked.asset is None else asset_of_desk(asked.asset, state.assets)
    return Found(state.desk.env, state.now, positions_of(state, only))


def positions_of(state: LiveDocument, only: str | None) -> Positions:
    """Return the open trades, the open orders and what the broker holds besides."""
    assets = [asset for asset in state.assets.values() if only in (None, asset.symbol)]
    held = tuple(_held(asset, asset.trade, state.now) for asset in assets if asset.trade is not None)
    orders = tuple(
        OpenOrder(
            asset=order.asset,
            contract=order.symbol,
            kind=order.kind,
            side=order.side,
            quantity=order.qty,
            filled=order.filled_qty,
            status=order.status,
            fate_unknown=order.fate_unknown_at is not None,
        )
        for order in state.orders
        if only in (None, order.asset)
    )
    foreign = tuple(
        ForeignHeld(symbol=readable(row.symbol), position=row.position, accepted=row.accepted)
        for row in state.desk.foreign_positions
        if only in (None, row.asset) or row.asset is None
    )
    disagreements = {asset.symbol: asset.disagreement for asset in assets if asset.disagreement is not None}
    return Positions(
        asset=only,
        held=held,
        orders=orders,
        foreign=foreign,
        disagreements=disagreements,
        flat=not held and not any(asset.position for asset in assets),
    )


def _held(asset: AssetState, trade: TradeState, now: datetime) -> HeldPosition:
    missing: dict[str, str] = {}
    if trade.open_points is None:
        missing["open_points"] = "no_price"
    if asset.pnl is None:
        missing["open_usd"] = "no_price"
    if asset.last_price is None:
        missing["last_price"] = "no_price"
    if asset.stop_resting is None:
        missing["stop_rests"] = "bridge_does_not_tell"
    return HeldPosition(
        asset=asset.symbol,
        contract=trade.contract,
        side=trade.side,
        quantity=trade.quantity,
        average_price=trade.entry_price,
        last_price=asset.last_price,
        open_points=None if trade.open_points is None else round(trade.open_points, 4),
        open_usd=None if asset.pnl is None else round(asset.pnl, 2),
        stop_price=trade.stop_price,
        stop_rests=asset.stop_resting,
        held_s=(now - trade.opened_at) // timedelta(seconds=1),
        simulated=asset.simulated,
        missing=missing,
    )


# -- consensus ------------------------------------------------------------------------------------------------------


async def find_consensus(sources: Sources, asked: AskedConsensus) -> Found:
    """Read the brick colours and the zone of the desk.

    Feeds tell their weighted vote over a WebSocket alone; it is not read here, and none is made up in its place.
    """
    state = await sources.state()
    asset = state.assets[asset_of_desk(asked.asset, state.assets)]
    return Found(state.desk.env, state.now, consensus_of(asset, state.now))


def consensus_of(asset: AssetState, now: datetime) -> Consensus:
    """Return the desk's own colours and zone."""
    return Consensus(
        asset=asset.symbol,
        source="desk",
        vote_missing="feeds_not_asked",
        zone=asset.zone_type,
        zone_direction=asset.zone_direction,
        colours=tuple(_colour(asset, f"{row.points:f}pt", row.state_name, now) for row in STREAMS),
        simulated=asset.simulated,
    )


def _colour(asset: AssetState, size: str, name: str, now: datetime) -> Colour:
    colour = getattr(asset, f"{name}_color")
    told_at: datetime | None = getattr(asset, f"{name}_ts")
    is_stale: bool = getattr(asset, f"{name}_stale")
    missing: Literal["not_seen", "stale"] | None = "not_seen" if colour == "neutral" else "stale" if is_stale else None
    return Colour(
        size=size,
        colour=None if missing else colour,
        missing=missing,
        age_s=None if told_at is None else (now - told_at) // timedelta(seconds=1),
    )


# -- the ML engine --------------------------------------------------------------------------------------------------


async def find_range(sources: Sources, asked: AskedRange) -> Found:
    """Ask how far the price usually goes within the next bar."""
    try:
        answer = await sources.ml.bands(asset_named(asked.asset), asked.timeframe)
    except ServiceRefused as refused:
        return _refused(sources, refused)
    return Found(None, answer.as_of, answer)


async def find_signal(sources: Sources, asked: AskedSignal) -> Found:
    """Ask which side would be a trade by the numbers. It is information, no proposal."""
    try:
        answer = await sources.ml.signal(asset_named(asked.asset), asked.timeframe, asked.rr_config)
    except ServiceRefused as refused:
        return _refused(sources, refused)
    return Found(None, answer.timestamp, answer)


async def find_phase(sources: Sources, asked: AskedPhase) -> Found:
    """Ask for the phase of accumulation, manipulation, distribution."""
    try:
        answer = await sources.ml.amd(asset_named(asked.asset), asked.timeframe, asked.lookback)
    except ServiceRefused as refused:
        return _refused(sources, refused)
    return Found(None, answer.as_of, answer)


def _refused(sources: Sources, refused: ServiceRefused) -> Found:
    return Found(None, sources.clock(), {"detail": str(refused)}, missing=refused.code)
