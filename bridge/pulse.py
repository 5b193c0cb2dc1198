"""Heartbeats every 10 s and snapshots of the account every few seconds (contract: Bridge)."""

import threading
import time
from collections.abc import Callable

from bridge.brokers.broker import AccountStatement, Broker, BrokerUnavailable, ContractPosition, ProtectiveStop
from bridge.client import DeskClient
from bridge.ledger import Ledger
from bridge.orders import OrderRecord
from wire.bridge import ContractPnl, Heartbeat, PnlSnapshot, RestingStop

HEARTBEAT_SECONDS = 10.0
CHANGE_CHECK_SECONDS = 0.5
CLOSE_LOOK_SECONDS = 2.0
FLAT_SECONDS = 5.0

SECOND_LOOK_SECONDS = 2.1
"""The desk needs a second snapshot at least 2 s after a change (SPEC 8.4); the excess over 2 s is a margin."""


class Heartbeats:
    """Sends heartbeats with the state of connections and ledger: every 10 s, and when the state changes."""

    def __init__(
        self,
        desk: DeskClient,
        broker: Broker,
        ledger: Ledger,
        kill_switch: bool,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        """Report the state of `broker` and `ledger` to `desk`; `monotonic` seconds measure the interval.

        `kill_switch` says that the bridge refuses entries.
        """
        self._desk = desk
        self._broker = broker
        self._ledger = ledger
        self._kill_switch = kill_switch
        self._monotonic = monotonic
        self._sent: tuple[bool, bool, bool] | None = None
        self._sent_at = 0.0

    def run(self) -> bool:
        """Send a heartbeat when one is due; False when it is not."""
        works = (self._broker.is_connected(), self._broker.has_market_data(), self._ledger.is_healthy())
        now = self._monotonic()
        if works == self._sent and now - self._sent_at < HEARTBEAT_SECONDS:
            return False
        self._desk.heartbeat(
            Heartbeat(
                ts_connected=works[0],
                md_connected=works[1],
                repo_ok=works[2],
                account=self._broker.account,
                trade_route=self._broker.trade_route,
                last_rapi_event_utc=self._broker.last_event_at(),
                instance=self._ledger.instance,
                env=self._broker.env,
                envs=self._broker.envs,
                kill_switch=self._kill_switch,
            )
        )
        self._sent = works
        self._sent_at = now
        return True


class Snapshots:
    """Sends snapshots of account, positions and stops.

    They go every 2 s while broker and desk may differ (a position, or an order that is not final), else every 5 s, and
    at once after a change.
    """

    def __init__(
        self,
        desk: DeskClient,
        broker: Broker,
        orders: OrderRecord,
        instance: str,
        position_changed: threading.Event,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        """Report the account of `broker` to `desk`; `position_changed` makes the next snapshot due at once."""
        self._desk = desk
        self._broker = broker
        self._orders = orders
        self._instance = instance
        self._position_changed = position_changed
        self._monotonic = monotonic
        self._second_look_at: float | None = None
        self._may_differ = False

    def run(self) -> bool:
        """Send one snapshot; False when the broker cannot answer now."""
        if self._position_changed.is_set():
            self._position_changed.clear()
            self._second_look_at = self._monotonic() + SECOND_LOOK_SECONDS
        elif self._second_look_at is not None and self._monotonic() >= self._second_look_at:
            self._second_look_at = None
        try:
            statement = self._broker.statement()
            stops = self._broker.protective_stops()
        except BrokerUnavailable:
            return False
        self._may_differ = any(held.position for held in statement.contracts) or self._orders.has_open()
        self._desk.pnl_snapshot(self._snapshot_of(statement, stops))
        return True

    def seconds_to_next(self) -> float:
        """Return the seconds until the next snapshot is due, unless the position changes before."""
        if self._second_look_at is not None:
            return max(0.0, self._second_look_at - self._monotonic())
        return CLOSE_LOOK_SECONDS if self._may_differ else FLAT_SECONDS

    def rest(self, _: bool) -> None:
        """Wait for the next snapshot or the next change."""
        self._position_changed.wait(self.seconds_to_next())

    def _snapshot_of(self, statement: AccountStatement, stops: tuple[ProtectiveStop, ...]) -> PnlSnapshot:
        return PnlSnapshot(
            realized=statement.realized,
            unrealized=statement.unrealized,
            account_balance=statement.equity,
            symbols=tuple(_contract_pnl(held) for held in statement.contracts),
            as_of=statement.as_of,
            env=self._broker.env,
            account=self._broker.account,
            instance=self._instance,
            stops=tuple(_resting(stop) for stop in stops),
        )


def _resting(stop: ProtectiveStop) -> RestingStop:
    return RestingStop(contract=stop.contract, side=stop.side, qty=stop.qty, price=stop.price)


def _contract_pnl(held: ContractPosition) -> ContractPnl:
    return ContractPnl(
        symbol=held.contract,
        position=held.position,
        open_pnl=held.open_pnl,
        avg_price=held.avg_price,
        last_fill_price=held.last_fill_price,
    )
