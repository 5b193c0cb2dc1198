"""No document of the desk grows with the day: each stays far below what a distributed store takes (DESIGN 11)."""

from __future__ import annotations

from itertools import cycle

from services.stores.codec import documents
from tests.support.trader import Trader
from wire.types import Color, Side

ASSETS = ("ES", "NQ", "YM", "EURUSD")
SIZES = (1, 2.5, 4, 6, 8, 12)
LARGEST_DOCUMENT = 200_000
HOURS = 23
BAR_ID = "a-bar-id-as-long-as-tradingview-sends-them-{}-{}-{:06d}"


def largest_of(trader: Trader, largest: dict[str, int]) -> None:
    for name, body in documents.desk_documents(trader.desk).items():
        largest[name] = max(largest.get(name, 0), len(body))
    for order in trader.desk.orders.values():
        largest["an order"] = max(largest.get("an order", 0), len(documents.write_order(order)))


def trades(trader: Trader, asset: str, direction: Side, price: float) -> None:
    """Enter if the ladder lets the operator, be filled in five parts, and be out again a brick later."""
    if trader.enters(direction, asset=asset).refused_by is not None:
        return
    for qty in range(1, trader.open_order.qty):
        trader.partly_filled(1, price)
        assert qty == abs(trader.position)
    trader.partly_filled(1, price).exits(force=True).filled_at(price)


def test_after_a_whole_session_every_document_is_small() -> None:
    """Every 20 s a brick closes on each asset, and the operator trades whenever it is allowed: 23 h from the open."""
    trader = Trader(at="18:00:01", on="2026-11-16", assets=ASSETS, max_trades_per_day=10_000)
    largest: dict[str, int] = {}
    sizes = cycle(SIZES)
    for turn in range(HOURS * 180):
        trader.later(20)
        color: Color = "green" if turn // 40 % 2 else "red"
        size = next(sizes)
        for asset in ASSETS:
            trader.brick(size, color, asset=asset, bar_id=BAR_ID.format(asset, size, turn))
        if turn % 6 == 5:
            trades(trader, ASSETS[turn // 6 % 4], "BUY" if color == "green" else "SELL", 5250.25)
        if turn % 30 == 0:
            largest_of(trader, largest)
    assert len(trader.trades) > 200
    assert set(largest) >= {"_global", *ASSETS}
    assert max(largest.values()) < LARGEST_DOCUMENT, largest
    print(f"the largest documents of a session, in bytes: {largest}; {len(trader.journal)} journal rows")
