"""How many bytes the stream sends to each listener for one change, on a desk with a long day behind it."""

from __future__ import annotations

import statistics
import time
from pathlib import Path

from services.live.activity import ActivityLog
from services.live.broadcast import Broadcaster
from tests.bench.measure import Row
from tests.support.heard import Heard, Told
from tests.support.stored_trader import StoredTrader

TRADES, QUOTES = 100, 100
BYTES_AT_MOST = 400
HEARD_WITHIN_SECONDS = 10.0


def change_after_many_trades(folder: Path) -> list[Row]:
    """Close a hundred trades, then send quotes one by one and weigh the change that each makes."""
    folder.mkdir(parents=True)
    trader = StoredTrader(folder / "desk.sqlite", cooldown_seconds=0, max_trades_per_day=TRADES)
    broadcaster = Broadcaster(trader.manager, ActivityLog())
    try:
        _close_trades(trader)
        with Heard(broadcaster) as heard:
            sizes = [_change_of(trader, heard, 5252 + number).size for number in range(QUOTES)]
    finally:
        broadcaster.stop()
        trader.stops()
    median, largest = statistics.median(sizes), max(sizes)
    what = f"one `change` of the stream for a quote, with {TRADES} closed trades"
    measured = f"median {median:.0f}, at most {largest} bytes"
    return [Row(what, measured, f"≤ {BYTES_AT_MOST} bytes", largest <= BYTES_AT_MOST)]


def _close_trades(trader: StoredTrader) -> None:
    for _ in range(TRADES):
        trader.later(seconds=300).with_structure("green")
        trader.enters("BUY").filled_at(5250.25).exits(force=True).filled_at(5252)
    if len(trader.manager.snapshot.history) != TRADES:
        raise RuntimeError(f"{len(trader.manager.snapshot.history)} trades have closed, not {TRADES}")


def _change_of(trader: StoredTrader, heard: Heard, price: float) -> Told:
    """Send a quote and return the change that the listener was sent for it."""
    before = len(heard.of("change"))
    trader.hears(price)
    deadline = time.monotonic() + HEARD_WITHIN_SECONDS
    while time.monotonic() < deadline:
        changes = heard.of("change")[before:]
        if changes:
            return changes[0]
        time.sleep(0.001)
    raise RuntimeError("no change was sent for a quote")
