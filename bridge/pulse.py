"""The bridge's signs of life: a heartbeat every 10 s, and the account as often as it matters (contract: Bridge)."""

import threading
import time
from collections.abc import Callable

from bridge.brokers.broker import AccountStatement, Broker, BrokerUnavailable, ContractStanding
from bridge.client import DeskClient
from bridge.ledger import Ledger
from wire.bridge import ContractPnl, Heartbeat, PnlSnapshot

HEARTBEAT_SECONDS = 10.0
CHANGE_CHECK_SECONDS = 0.5
IN_POSITION_SECONDS = 2.0
FLAT_SECONDS = 5.0

SECOND_LOOK_SECONDS = 2.1
"""After a change the desk wants a second snapshot at least 2 s after the first (SPEC 8.4); the rest is jitter."""


class Heartbeats:
    """Tells the desk that the bridge lives, and what of it works: every 10 s, and when something changes."""

    def __init__(
        self,
        desk: DeskClient,
        broker: Broker,
        ledger: Ledger,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        """Report on `broker` and `ledger` to `desk`; the interval is measured in `monotonic` seconds."""
        self._desk = desk
        self._broker = broker
        self._ledger = ledger
        self._monotonic = monotonic
        self._told: tuple[bool, bool, bool] | None = None
        self._told_at = 0.0

    def turn(self) -> bool:
        """Send a heartbeat when one is due; False when it is not."""
        works = (self._broker.is_connected(), self._broker.has_market_data(), self._ledger.is_healthy())
        now = self._monotonic()
        if works == self._told and now - self._told_at < HEARTBEAT_SECONDS:
            return False
        self._desk.heartbeat(
            Heartbeat(
                ts_connected=works[0],
                md_connected=works[1],
                repo_ok=works[2],
                account=self._broker.account,
                trade_route=self._broker.trade_route,
                last_rapi_event_utc=self._broker.last_event_at(),
            )
        )
        self._told, self._told_at = works, now
        return True


class Snapshots:
    """Tells the desk account and positions: every 2 s in a position, else every 5 s, at once after a change."""

    def __init__(
        self,
        desk: DeskClient,
        broker: Broker,
        position_changed: threading.Event,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        """Report on `broker` to `desk`; `position_changed` brings the next snapshot forward."""
        self._desk = desk
        self._broker = broker
        self._position_changed = position_changed
        self._monotonic = monotonic
        self._second_look_at: float | None = None
        self._in_position = False

    def turn(self) -> bool:
        """Send one snapshot; False when the broker cannot tell now."""
        if self._position_changed.is_set():
            self._position_changed.clear()
            self._second_look_at = self._monotonic() + SECOND_LOOK_SECONDS
        elif self._second_look_at is not None and self._monotonic() >= self._second_look_at:
            self._second_look_at = None
        try:
            statement = self._broker.statement()
        except BrokerUnavailable:
            return False
        self._in_position = any(held.position for held in statement.contracts)
        self._desk.pnl_snapshot(snapshot_of(statement))
        return True

    def seconds_to_next(self) -> float:
        """Give the wait until the next snapshot is due, unless the position changes before."""
        if self._second_look_at is not None:
            return max(0.0, self._second_look_at - self._monotonic())
        return IN_POSITION_SECONDS if self._in_position else FLAT_SECONDS

    def rest(self, _: bool) -> None:
        """Wait for the next snapshot or the next change."""
        self._position_changed.wait(self.seconds_to_next())


def snapshot_of(statement: AccountStatement) -> PnlSnapshot:
    """Put a broker's statement into the words of the wire."""
    return PnlSnapshot(
        realized=statement.realized,
        unrealized=statement.unrealized,
        account_balance=statement.equity,
        symbols=tuple(_contract_pnl(held) for held in statement.contracts),
    )


def _contract_pnl(held: ContractStanding) -> ContractPnl:
    return ContractPnl(
        symbol=held.contract,
        position=held.position,
        open_pnl=held.open_pnl,
        avg_price=held.avg_price,
        last_fill_price=held.last_fill_price,
    )
