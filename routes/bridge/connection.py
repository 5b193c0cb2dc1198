"""The bridge speaks of itself and of the account (contract: bridge heartbeat, PnL snapshot)."""

from __future__ import annotations

from typing import Annotated

from flask import Response
from pydantic import BeforeValidator, Field

from routes.bridge import bridge_calls
from routes.http.describing import answers
from routes.http.parsing import MOST_CONTRACTS, BridgeBody, Moment, Money, Symbol, WholeNumber, Words, accepts
from routes.http.replies import answer, app_services
from services.engine.model.commands import BrokerPosition, HearBridge, TakeSnapshot
from services.live.activity import BRIDGE_HEARTBEAT, SNAPSHOT, heartbeat_text, snapshot_text
from wire.answers import SnapshotAnswer, VersionAnswer

bridge = bridge_calls("bridge", __name__)

ContractsHeld = Annotated[WholeNumber, Field(ge=-MOST_CONTRACTS, le=MOST_CONTRACTS)]


def _empty_date_is_none(value: object) -> object:
    """A .NET bridge without an event yet sends the first day of the calendar."""
    return None if isinstance(value, str) and value.startswith("0001-01-01") else value


MomentOrNever = Annotated[Moment | None, BeforeValidator(_empty_date_is_none)]


class BridgeHeartbeatBody(BridgeBody):
    ts_connected: bool = Field(alias="tsConnected")
    md_connected: bool = Field(default=False, alias="mdConnected")
    repo_ok: bool = Field(default=False, alias="repoOk")
    account: Words | None = None
    trade_route: Words | None = Field(default=None, alias="tradeRoute")
    last_rapi_event_at: MomentOrNever = Field(default=None, alias="lastRapiEventUtc")


class PositionBody(BridgeBody):
    symbol: Symbol
    position: ContractsHeld
    open_pnl: Money | None = Field(default=None, alias="openPnl")
    avg_price: Money | None = Field(default=None, alias="avgPrice")
    last_fill_price: Money | None = Field(default=None, alias="lastFillPrice")


class SnapshotBody(BridgeBody):
    realized: Money | None = None
    unrealized: Money | None = None
    balance: Money | None = Field(default=None, alias="accountBalance", examples=[50125.0])
    symbols: Annotated[list[PositionBody], Field(max_length=200)] = Field(default_factory=list)


@bridge.post("/api/bridge/heartbeat")
@answers(VersionAnswer)
@accepts(BridgeHeartbeatBody)
def take_heartbeat(body: BridgeHeartbeatBody) -> Response:
    """Note that the bridge lives and what it is connected to."""
    command = HearBridge(
        ts_connected=body.ts_connected,
        md_connected=body.md_connected,
        repo_ok=body.repo_ok,
        account=body.account,
        trade_route=body.trade_route,
        last_rapi_event_at=body.last_rapi_event_at,
    )
    outcome = app_services().manager.submit(command)
    app_services().note_bridge(BRIDGE_HEARTBEAT, heartbeat_text(command), outcome, merge=True)
    return answer(outcome, VersionAnswer(version=outcome.version))


@bridge.post("/api/rithmic/pnl-snapshot")
@answers(SnapshotAnswer)
@accepts(SnapshotBody)
def take_snapshot(body: SnapshotBody) -> Response:
    """Take equity and positions; the daily stop, the reconciliation and the exits follow (SPEC 5.6, 8.4)."""
    positions = tuple(
        BrokerPosition(held.symbol, held.position, held.open_pnl, held.avg_price, held.last_fill_price)
        for held in body.symbols
    )
    command = TakeSnapshot(body.realized, body.unrealized, body.balance, positions)
    outcome = app_services().manager.submit(command)
    app_services().note_bridge(SNAPSHOT, snapshot_text(command), outcome, merge=True)
    stopped = outcome.desk.day.is_stopped
    return answer(outcome, SnapshotAnswer(version=outcome.version, daily_stop_triggered=stopped))
