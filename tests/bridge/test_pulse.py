"""Heartbeats and snapshots: what the desk sees of the bridge, and how often."""

import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest

from bridge.brokers.broker import AccountStatement, ContractPosition, ProtectiveStop
from bridge.client import DeskClient, DeskUnavailable
from bridge.ledger import Ledger
from bridge.orders import OrderRecord
from bridge.pulse import Heartbeats, Snapshots
from tests.bridge.test_ledger import ticket
from tests.support.fakes.desk_server import SECRET, DeskServer
from tests.support.fakes.unasked_broker import UnaskedBroker
from wire.types import Env


class StillBroker(UnaskedBroker):
    """A broker in a state that the story sets."""

    account = "PAPER-1"
    trade_route = "PAPER"
    env: Env = "DEMO"
    envs: tuple[Env, ...] = ("DEMO",)

    def __init__(self) -> None:
        self.stops: tuple[ProtectiveStop, ...] = ()
        self.connected = True
        self.market_data = False
        self.position = 0

    def is_connected(self) -> bool:
        return self.connected

    def has_market_data(self) -> bool:
        return self.market_data

    def last_event_at(self) -> datetime:
        return datetime(2026, 11, 20, 14, 30, tzinfo=UTC)

    def protective_stops(self) -> tuple[ProtectiveStop, ...]:
        return self.stops

    def statement(self) -> AccountStatement:
        held = ContractPosition(
            contract="MESZ6",
            position=self.position,
            avg_price=Decimal("5250.25") if self.position else None,
            last_fill_price=Decimal("5250.25"),
            open_pnl=Decimal("-12.50") if self.position else Decimal(0),
        )
        return AccountStatement(
            as_of=datetime(2026, 11, 20, 14, 31, tzinfo=UTC),
            realized=Decimal("250.00"),
            unrealized=held.open_pnl,
            equity=Decimal("50237.50"),
            contracts=(held,),
        )


class Pulse:
    def __init__(self, desk: DeskServer, path: Path) -> None:
        self.desk, self.broker, self.seconds = desk, StillBroker(), 0.0
        self.ledger = Ledger(path)
        client = DeskClient(desk.url, SECRET, "bridge")
        self.position_changed = threading.Event()
        self.orders = OrderRecord(self.ledger)
        self.heartbeats = Heartbeats(
            client, self.broker, self.ledger, kill_switch=False, monotonic=lambda: self.seconds
        )
        self.snapshots = Snapshots(
            client, self.broker, self.orders, self.ledger.instance, self.position_changed, lambda: self.seconds
        )

    def heartbeats_within(self, seconds: int) -> int:
        before = len(self.desk.heartbeats)
        for _ in range(seconds):
            self.heartbeats.run()
            self.seconds += 1
        return len(self.desk.heartbeats) - before

    def next_snapshot_in(self) -> float:
        self.snapshots.run()
        return self.snapshots.seconds_to_next()


@pytest.fixture
def pulse(tmp_path: Path) -> Iterator[Pulse]:
    with DeskServer() as desk:
        yield Pulse(desk, tmp_path / "ledger.sqlite")


def test_heartbeat_says_what_works(pulse: Pulse) -> None:
    pulse.heartbeats.run()
    assert pulse.desk.heartbeats == [
        {
            "secret": SECRET,
            "tsConnected": True,
            "mdConnected": False,
            "repoOk": True,
            "account": "PAPER-1",
            "tradeRoute": "PAPER",
            "lastRapiEventUtc": "2026-11-20T14:30:00Z",
            "instance": pulse.ledger.instance,
            "env": "DEMO",
            "envs": ["DEMO"],
            "killSwitch": False,
        }
    ]


def test_heartbeat_comes_every_ten_seconds(pulse: Pulse) -> None:
    assert pulse.heartbeats_within(30) == 3


def test_heartbeat_comes_at_once_when_something_changes(pulse: Pulse) -> None:
    pulse.heartbeats_within(2)
    pulse.broker.market_data = True
    assert pulse.heartbeats_within(1) == 1
    pulse.ledger.close()
    assert pulse.heartbeats_within(1) == 1
    assert pulse.desk.heartbeats[-1]["repoOk"] is False


def test_snapshot_carries_account_and_contracts_as_plain_numbers(pulse: Pulse) -> None:
    pulse.broker.position = 5
    stop = ProtectiveStop(contract="MESZ6", side="SELL", qty=5, price=Decimal("5235.25"))
    pulse.broker.stops = (stop,)
    pulse.snapshots.run()
    assert pulse.desk.snapshots[0][1] == {
        "secret": SECRET,
        "realized": 250.0,
        "unrealized": -12.5,
        "accountBalance": 50237.5,
        "symbols": [
            {
                "symbol": "MESZ6",
                "position": 5,
                "openPnl": -12.5,
                "avgPrice": 5250.25,
                "lastFillPrice": 5250.25,
            }
        ],
        "as_of": "2026-11-20T14:31:00Z",
        "env": "DEMO",
        "account": "PAPER-1",
        "instance": pulse.ledger.instance,
        "stops": [{"contract": "MESZ6", "side": "SELL", "qty": 5, "price": 5235.25}],
    }


def test_a_snapshot_without_a_resting_stop_says_that_there_is_none(pulse: Pulse) -> None:
    pulse.snapshots.run()
    assert pulse.desk.snapshots[0][1]["stops"] == []


def test_snapshots_come_faster_while_an_order_is_not_final(pulse: Pulse) -> None:
    order = ticket()
    pulse.orders.accept(order, datetime(2026, 11, 20, 14, 31, tzinfo=UTC))
    assert pulse.next_snapshot_in() == 2
    pulse.orders.close(order.id)
    assert pulse.next_snapshot_in() == 5


def test_snapshots_come_faster_in_a_position(pulse: Pulse) -> None:
    assert pulse.next_snapshot_in() == 5
    pulse.broker.position = -3
    assert pulse.next_snapshot_in() == 2


def test_change_of_position_brings_two_snapshots_that_the_desk_can_compare(pulse: Pulse) -> None:
    pulse.position_changed.set()
    wait = pulse.next_snapshot_in()
    assert 2.0 < wait < 2.5
    pulse.seconds += wait
    assert pulse.next_snapshot_in() == 5


def test_snapshot_that_fails_says_so(pulse: Pulse) -> None:
    pulse.desk.shutdown()
    pulse.desk.server_close()
    with pytest.raises(DeskUnavailable):
        pulse.snapshots.run()
