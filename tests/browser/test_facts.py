"""What the page makes of the journal's events: why an entry was cancelled, and what the broker did to a trade."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import Page

from tests.browser.modules import call

ORDER = {"side": "BUY", "qty": 5, "contract": "MESZ6"}
ENDED = {"order_id": "o", "kind": "SCALE_IN", "status": "CANCELLED", "filled_qty": 0, "reason": None, "order": ORDER}
BRICK = {"stream": "high", "color": "red"}
WHAT = "SCALE-IN BUY 5 MESZ6 CANCELLED, nothing was filled — "


Told = dict[str, Any]


def event(number: int, kind: str, data: Told, asset: str | None = "ES", ts: str = "15:00:00") -> Told:
    return {"id": number, "ts": f"2031-01-06T{ts}Z", "type": kind, "asset": asset, "data": data}


@pytest.mark.parametrize(
    ("before", "reason", "words"),
    [
        ([event(7000, "BrickApplied", BRICK)], "HIGH exit came due", "with the 8pt brick that closed red"),
        ([event(7000, "BrickApplied", BRICK, asset="NQ")], "exit came due", "exit came due"),
        ([event(6000, "BrickApplied", BRICK)], "manual exit came due", "manual exit came due"),
        ([event(7000, "DailyStopTriggered", {"reason": "x"}, asset=None)], "exit came due", "with the daily stop"),
        ([event(7000, "OrderReported", {"order_id": "o"})], None, "after the bridge had claimed it"),
        ([event(7000, "OrderReported", {"order_id": "other"})], None, "no reason was given"),
    ],
)
def test_why_an_order_was_cancelled(dashboard: Page, before: list[Told], reason: str | None, words: str) -> None:
    ended = event(7001, "OrderEnded", {**ENDED, "reason": reason})
    behind = event(7002, "BrickApplied", BRICK)
    told = call(
        dashboard,
        "js/reading/order_ends.js",
        "module.cancelledSentence(module.lastCancelled(argument, 'ES'), argument)",
        [*before, ended, behind],
    )
    assert told == WHAT + words


def test_an_exit_a_fill_and_another_asset_are_no_cancelled_entry(dashboard: Page) -> None:
    others = [
        event(1000, "OrderEnded", {**ENDED, "kind": "EXIT"}),
        event(2000, "OrderEnded", {**ENDED, "filled_qty": 1}),
        event(3000, "OrderEnded", {**ENDED, "status": "REJECTED"}),
        event(4000, "OrderEnded", ENDED, asset="NQ"),
    ]
    assert call(dashboard, "js/reading/order_ends.js", "module.lastCancelled(argument, 'ES')", others) is None


def test_what_the_broker_did_to_a_trade_is_read_newest_first(dashboard: Page) -> None:
    events = [
        event(1000, "TradeOpened", {"adopted": False, "qty": 5}, ts="15:01:00"),
        event(2000, "PositionDisagreed", {"broker_position": -3, "desk_position": -5}, ts="15:02:00"),
        event(3000, "TradeResized", {"quantity": 3}, ts="15:02:02"),
        event(4000, "PositionDisagreed", {"broker_position": 9, "desk_position": 0}, asset="NQ", ts="15:03:00"),
        event(5000, "PositionDisagreed", {"broker_position": -2, "desk_position": -3}, ts="15:04:00"),
        event(6000, "TradeResized", {"quantity": 2}, ts="15:04:02"),
    ]
    asset = {"symbol": "ES", "trade": {"opened_at": "2031-01-06T15:01:00Z", "side": "SELL"}}
    told = call(
        dashboard,
        "js/reading/broker_followed.js",
        "module.followings(argument.events, argument.asset).map(({ broker, desk }) => [broker, desk])",
        {"events": events, "asset": asset},
    )
    assert told == [[-2, -3], [-3, -5]]
