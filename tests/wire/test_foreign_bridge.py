"""A bridge that others wrote says no more than the contract names: the desk understands it, and it the desk."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.wire_story import RECORDED, Day, desk_of

SAID = json.loads((RECORDED / "foreign_bridge.json").read_text("utf-8"))
SECRET = SAID["heartbeat"]["secret"]


@pytest.fixture
def day(tmp_path: Path) -> Iterator[Day]:
    with desk_of(tmp_path) as day:
        yield day


def test_it_takes_an_entry_and_reports_the_fill(day: Day) -> None:
    day.webhook("/tv_heartbeat", price=5250.25)
    for size in (8, 12, 6):
        day.brick(size, "green")
    assert day.asks("bridge", "POST /api/bridge/heartbeat", SAID["heartbeat"])["ok"]
    assert day.asks("bridge", "POST /api/rithmic/pnl-snapshot", SAID["snapshot"])["daily_stop_triggered"] is False
    assert day.asks("orders", "POST /api/orders", {"asset": "ES", "trade_mode": "SCALP"})["ok"]

    [order] = day.asks("bridge", f"GET /api/orders/pending?secret={SECRET}&limit=20&owner=theirs")["orders"]
    assert set(SAID["reads"]) <= set(order)
    assert (order["asset"], order["side"], order["qty"], order["kind"]) == ("MESZ6", "BUY", 5, "ENTRY")

    report = f"POST /api/orders/{order['id']}/execution-report"
    assert day.asks("bridge", report, SAID["working"])["ok"]
    assert day.asks("bridge", report, SAID["filled"])["ok"]
    state = day.asks("state", "GET /api/state")
    assert (state["assets"]["ES"]["position"], state["assets"]["ES"]["avg_price"]) == (5, 5250.25)
    assert (state["global"]["account"], state["global"]["equity"]) == ("F90210", 50050)
