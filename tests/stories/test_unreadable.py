"""A bridge's message that nobody can read is told to a person (SPEC 8.3)."""

from __future__ import annotations

from services.engine.model.bridge_commands import NoteUnreadable
from tests.support.trader import Trader

FAULT = "extra.qty: must be at least 0, was -5"
SNAPSHOT = NoteUnreadable("/api/rithmic/pnl-snapshot", "symbols: must be a list, was 'none'", tells_fills=False)


def test_an_unreadable_report_names_its_asset_and_counts() -> None:
    trader = Trader(assets=("ES", "NQ")).with_structure("green", "NQ").enters("BUY").claims()
    note = NoteUnreadable(f"/api/orders/{trader.open_order.id}/execution-report", FAULT, order_id=trader.open_order.id)
    trader.asks(note).later(1).asks(note)
    assert trader.alerts == ["bridge_unreadable"]
    assert (trader.last_alert.asset, trader.last_alert.level) == ("NQ", "critical")
    assert trader.last_alert.facts == {
        "path": note.path,
        "reason": FAULT,
        "order_id": trader.open_order.id,
        "count": 2,
    }
    assert trader.position == 0
    assert trader.replays_equal()


def test_other_messages_are_told_again_after_ten_minutes() -> None:
    trader = Trader()
    for _ in range(300):
        trader.later(2).asks(SNAPSHOT)
    assert trader.alerts == ["bridge_unreadable"]
    assert trader.last_alert.level == "warning"
    trader.later(2).asks(SNAPSHOT)
    assert trader.alerts == ["bridge_unreadable"] * 2
