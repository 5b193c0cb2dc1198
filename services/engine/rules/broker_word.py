"""What a snapshot says of the broker's positions, and when it proves something (SPEC 8.4). All functions are pure."""

from __future__ import annotations

from datetime import timedelta

from msgspec import UNSET, Struct
from msgspec.structs import replace

from services.engine.model.bridge_commands import BrokerPosition, TakeSnapshot
from services.engine.model.evidence import Streak
from services.engine.model.order import Order
from services.engine.model.state import Asset, Desk
from services.engine.model.times import is_younger
from services.engine.rules.fill_prices import known_price
from wire.types import Contract, Instant, Price, Usd

READINGS_APART = timedelta(seconds=2)
AFTER_A_FILL = timedelta(seconds=2)
RECONNECT_SETTLES = timedelta(seconds=10)
READINGS_OF_A_LISTED_CONTRACT = 2
READINGS_OF_AN_OMITTED_CONTRACT = 3


class BrokerWord(Struct, frozen=True):
    """The broker's position in one contract, as one snapshot says it.

    ``explicit`` is false when the snapshot does not list the contract: then ``position`` is 0. ``open_pnl`` is None
    when any row of the contract leaves it out.
    """

    position: int
    explicit: bool
    open_pnl: Usd | None = None
    avg_price: Price | None = None
    last_fill_price: Price | None = None


def speaks_of_positions(desk: Desk, snapshot: TakeSnapshot, now: Instant) -> bool:
    """Return whether the snapshot says anything about positions (SPEC 8.4).

    It does not when it has no list, speaks of another environment or account, or when the bridge's last heartbeat says
    that it is not connected to the broker. In LIVE that heartbeat must also be fresh.
    """
    live = desk.live
    if not snapshot.tells_positions or snapshot.env not in (None, desk.env):
        return False
    if snapshot.account is not None and live.account is not None and snapshot.account != live.account:
        return False
    if live.bridge_heartbeat_at is not None and not live.ts_connected:
        return False
    return desk.env == "DEMO" or is_younger(live.bridge_heartbeat_at, desk.rules.bridge_max_age_seconds, now)


def is_after_last_fill(asset: Asset, snapshot: TakeSnapshot, now: Instant) -> bool:
    """Return whether the snapshot's data are later than the asset's last fill; without ``as_of`` 2 s are allowed."""
    if asset.last_fill_at is None:
        return True
    if snapshot.as_of is not None:
        return snapshot.as_of >= asset.last_fill_at
    return now >= asset.last_fill_at + AFTER_A_FILL


def may_be_an_echo(asset: Asset, snapshot: TakeSnapshot, position: int, now: Instant) -> bool:
    """Return whether the position may be that of before the last fill: a broker's list lags behind its fills.

    Such a list has the time at which it was read, not that of what it says. It closes ``reconcile`` and proves nothing.
    """
    if asset.last_fill_at is None or position == asset.position:
        return False
    read_at = now if snapshot.as_of is None else min(snapshot.as_of, now)
    return read_at < asset.last_fill_at + AFTER_A_FILL


def watched_contract(asset: Asset, orders: list[Order]) -> Contract:
    """Return the contract to compare: of the open trade, else of the asset's open order, else the current one."""
    if asset.trade is not None:
        return asset.trade.contract
    return orders[0].contract if orders else asset.contract


def word_of(contract: Contract, snapshot: TakeSnapshot) -> BrokerWord:
    """Return what the snapshot says of a contract. Its rows add up; prices come from the rows that hold something.

    A price of 0 is unknown (SPEC 8.3).
    """
    rows = [row for row in snapshot.positions if row.symbol == contract.symbol]
    if not rows:
        return BrokerWord(0, explicit=False)
    holding = [row for row in rows if row.position] or rows
    pnls = [row.open_pnl for row in rows]
    return BrokerWord(
        position=sum(row.position for row in rows),
        explicit=True,
        open_pnl=None if None in pnls else sum((pnl for pnl in pnls if pnl is not None), Usd(0)),
        avg_price=_average(holding),
        last_fill_price=next(
            (price for row in rows if (price := known_price(row.last_fill_price, row.symbol)) is not None), None
        ),
    )


def _average(rows: list[BrokerPosition]) -> Price | None:
    """Return the average price of the rows, weighted by their contracts; None when one of them has none."""
    priced = [
        (price, abs(row.position)) for row in rows if (price := known_price(row.avg_price, row.symbol)) is not None
    ]
    held = sum(quantity for _, quantity in priced)
    if len(priced) < len(rows) or not held:
        return priced[0][0] if len(priced) == len(rows) else None
    return sum((price * quantity for price, quantity in priced), Price(0)) / held


def streak_after(streak: Streak | None, word: BrokerWord, now: Instant) -> Streak:
    """Return the streak with this reading. Another position begins a new one; readings closer than 2 s count once."""
    if streak is None or streak.position != word.position:
        return Streak(word.position, 1, now, word.explicit)
    explicit = streak.explicit and word.explicit
    if now < streak.counted_at + READINGS_APART:
        return replace(streak, explicit=explicit)
    return Streak(word.position, streak.count + 1, now, explicit)


def listed_contradiction(asset: Asset, orders: list[Order]) -> int | None:
    """Return the broker's position when the last snapshot listed one that is not the desk's, None otherwise.

    A snapshot that leaves the contract out does not take it back: it takes three of them. What was read before an
    order's fate became unknown has no part in deciding it.
    """
    read = asset.live.streak
    if read is None or not read.explicit or read.position == asset.position:
        return None
    return None if any(order.fate_unknown_at is not None for order in orders) else read.position


def is_proof(desk: Desk, streak: Streak, now: Instant) -> bool:
    """Return whether the streak proves its position.

    A listed contract needs two readings. One that the snapshots omit needs three, and no reconnect of the bridge
    within 10 s before: right after one the broker's list may not be complete.
    """
    if streak.explicit:
        return streak.count >= READINGS_OF_A_LISTED_CONTRACT
    connected_at = desk.live.connected_at
    is_settled = connected_at is None or now >= connected_at + RECONNECT_SETTLES
    return streak.count >= READINGS_OF_AN_OMITTED_CONTRACT and is_settled


def may_be_misnamed(desk: Desk, asset: Asset, snapshot: TakeSnapshot) -> bool:
    """Return whether a row that nobody can read may be the asset's contract, which the snapshot leaves out.

    It holds what the desk does, or what an order at a bridge would make. One that the operator has accepted is another.
    """
    running = [order for order in desk.open_orders(asset.symbol) if order.is_at_a_bridge and order.kind != "EXIT"]
    expected = {asset.position, *(asset.position + order.sign * order.remaining for order in running)} - {0}
    accepted = {(held.symbol, held.position) for held in desk.foreign if held.accepted}
    unread = [row for row in snapshot.positions if row.asset is UNSET and (row.symbol, row.position) not in accepted]
    return any(row.position in expected for row in unread)


def is_foreign(desk: Desk, row: BrokerPosition) -> bool:
    """Return whether the row holds a position in a contract that the desk does not trade."""
    watched = {watched_contract(asset, desk.open_orders(symbol)).symbol for symbol, asset in desk.assets.items()}
    return row.position != 0 and row.symbol not in watched


def asset_of(desk: Desk, row: BrokerPosition) -> str | None:
    """Return the desk's asset to whose roots the row's contract belongs, None for an unknown symbol."""
    return row.asset if row.asset is not UNSET and row.asset in desk.assets else None
