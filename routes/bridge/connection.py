"""The bridge reports its own state and the account (contract: bridge heartbeat, PnL snapshot)."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Literal

from flask import Response
from msgspec import UNSET
from pydantic import BeforeValidator, Field

from routes.bridge import alerts_unreadable, bridge_calls, compare_clocks
from routes.http.describing import answers
from routes.http.parsing import (
    MOST_CONTRACTS,
    BridgeBody,
    Instance,
    Moment,
    Money,
    Quantity,
    Symbol,
    WholeNumber,
    Words,
    accepts,
)
from routes.http.replies import answer, app_services
from services.engine.model.bridge_commands import BrokerPosition, HearBridge, TakeSnapshot
from services.engine.model.evidence import RestingStop
from services.live.activity import BRIDGE_HEARTBEAT, SNAPSHOT, heartbeat_text, snapshot_text
from services.market.instruments import contract_named
from wire.answers import SnapshotAnswer, VersionAnswer

bridge = bridge_calls("bridge", __name__)

ContractsHeld = Annotated[WholeNumber, Field(ge=-MOST_CONTRACTS, le=MOST_CONTRACTS)]


def _empty_date_is_none(value: object) -> object:
    """Read the first day of the calendar as None: a .NET bridge sends it while it has no event yet."""
    return None if isinstance(value, str) and value.startswith("0001-01-01") else value


MomentOrNever = Annotated[Moment | None, BeforeValidator(_empty_date_is_none)]


EnvName = Literal["DEMO", "LIVE"]


class BridgeHeartbeatBody(BridgeBody):
    ts_connected: bool = Field(alias="tsConnected")
    md_connected: bool = Field(default=False, alias="mdConnected")
    repo_ok: bool = Field(default=False, alias="repoOk")
    account: Words | None = None
    trade_route: Words | None = Field(default=None, alias="tradeRoute")
    last_rapi_event_at: MomentOrNever = Field(default=None, alias="lastRapiEventUtc")
    instance: Instance | None = None
    env: EnvName | None = None
    envs: Annotated[list[EnvName], Field(max_length=2)] | None = None
    kill_switch: bool | None = Field(default=None, alias="killSwitch")


class PositionBody(BridgeBody):
    symbol: Symbol
    position: ContractsHeld
    open_pnl: Money | None = Field(default=None, alias="openPnl")
    avg_price: Money | None = Field(default=None, alias="avgPrice")
    last_fill_price: Money | None = Field(default=None, alias="lastFillPrice")


class StopBody(BridgeBody):
    """One stop order that rests at the broker."""

    contract: Symbol
    side: Literal["BUY", "SELL"]
    qty: Quantity
    price: Money


class SnapshotBody(BridgeBody):
    realized: Money | None = None
    unrealized: Money | None = None
    balance: Money | None = Field(default=None, alias="accountBalance", examples=[50125.0])
    symbols: Annotated[list[PositionBody], Field(max_length=200)] | None = None
    env: EnvName | None = None
    account: Words | None = None
    as_of: MomentOrNever = None
    instance: Instance | None = None
    stops: Annotated[list[StopBody], Field(max_length=200)] | None = None


@bridge.post("/api/bridge/heartbeat")
@answers(VersionAnswer)
@alerts_unreadable()
@accepts(BridgeHeartbeatBody)
def take_heartbeat(body: BridgeHeartbeatBody) -> Response:
    """Record that the bridge is alive and what it is connected to."""
    compare_clocks(body.instance)  # first: a wait for the store is no wrong clock
    command = HearBridge(
        ts_connected=body.ts_connected,
        md_connected=body.md_connected,
        repo_ok=body.repo_ok,
        account=body.account,
        trade_route=body.trade_route,
        last_rapi_event_at=body.last_rapi_event_at,
        instance=body.instance,
        env=body.env,
        envs=None if body.envs is None else tuple(body.envs),
        kill_switch=body.kill_switch,
    )
    outcome = app_services().manager.submit(command)
    app_services().note_bridge(BRIDGE_HEARTBEAT, heartbeat_text(command), outcome, merge=True)
    return answer(outcome, VersionAnswer(version=outcome.version))


@bridge.post("/api/rithmic/pnl-snapshot")
@answers(SnapshotAnswer)
@alerts_unreadable()
@accepts(SnapshotBody)
def take_snapshot(body: SnapshotBody) -> Response:
    """Take equity and positions, then apply daily stop, reconciliation and exits (SPEC 5.6, 8.4)."""
    compare_clocks(body.instance, body.as_of)
    today = app_services().manager.now.date()
    command = TakeSnapshot(
        body.realized,
        body.unrealized,
        body.balance,
        tuple(_position(held, today) for held in body.symbols or ()),
        tells_positions=body.symbols is not None,
        as_of=body.as_of,
        env=body.env,
        account=body.account,
        instance=body.instance,
        stops=None if body.stops is None else tuple(_stop(stop, today) for stop in body.stops),
    )
    outcome = app_services().manager.submit(command)
    app_services().note_bridge(SNAPSHOT, snapshot_text(command), outcome, merge=True)
    stopped = outcome.desk.day.is_stopped
    return answer(outcome, SnapshotAnswer(version=outcome.version, daily_stop_triggered=stopped))


def _position(held: PositionBody, today: date) -> BrokerPosition:
    """Return a row of a snapshot under its contract's own name, with the asset that it belongs to (SPEC 8.4)."""
    named = contract_named(held.symbol, today)
    return BrokerPosition(
        symbol=held.symbol if named is None else named.symbol,
        position=held.position,
        open_pnl=held.open_pnl,
        avg_price=held.avg_price,
        last_fill_price=held.last_fill_price,
        asset=UNSET if named is None else named.asset,
        expired=UNSET if named is None or not named.has_expired(today) else True,
    )


def _stop(stop: StopBody, today: date) -> RestingStop:
    named = contract_named(stop.contract, today)
    return RestingStop(stop.contract if named is None else named.symbol, stop.side, stop.qty, stop.price)
