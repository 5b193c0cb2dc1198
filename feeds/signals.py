"""From committed events to ``STRATEGY_SIGNAL``: one for every change of the position (contract: engine-signals).

The fills of one order make one signal, told when the order has ended. Some cannot wait for that: another fill of the
asset is told after them, an order whose fate is unknown or whose rest hangs for ``LONGEST_WAIT`` tells what it has
filled so far. So the amounts that a follower has heard always lead to the position of the desk.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from decimal import Decimal

from msgspec import Struct
from msgspec.structs import replace

from feeds.fills import PositionFill, fills_of
from wire.events import EventRow
from wire.signals import StrategySignal
from wire.types import Env

LONGEST_WAIT = timedelta(seconds=2)
IDS_OF_A_ROW = 1000  # committed events of one journal row have ids in one thousand
MOST_DIGITS = 15
PRICE_PLACES = Decimal("0.00000001")
HEARD_FOR = timedelta(minutes=6)  # longer than a signal is told as new
MOST_HEARD = 2_000
ENDS_THE_WAIT = frozenset({"OrderEnded", "OrderFateUnknown"})


class Group(Struct, frozen=True):
    """Fills that become one signal, oldest first. ``is_ripe`` when nothing more is awaited; ``since`` by feeds' clock.

    ``cause`` is the order's id, None for a fill without an order.
    """

    asset: str
    cause: str | None
    since: datetime
    fills: tuple[PositionFill, ...]
    is_ripe: bool = False

    @property
    def row(self) -> int:
        """The journal row of the newest fill."""
        return self.fills[-1].event_id // IDS_OF_A_ROW


class PendingFills(Struct, frozen=True):
    """The fills that no signal has told yet, in the order of their first fills, and the id of the last signal.

    ``env`` is the desk's, as far as it was heard: fills without an order are of it. ``heard`` are the newest events
    with fills, by id and time: a desk that was restored from an older journal tells them again.
    """

    last_id: int = 0
    groups: tuple[Group, ...] = ()
    env: Env | None = None
    heard: tuple[tuple[int, datetime], ...] = ()


Told = tuple[PendingFills, tuple[StrategySignal, ...]]


def hear(pending: PendingFills, event: EventRow, now: datetime) -> Told:
    """Return the pending after an event, and the signals that are due before anything of this event is told."""
    row = event.id // IDS_OF_A_ROW
    pending, signals = _tell(pending, [group for group in pending.groups if group.is_ripe and group.row != row])
    if event.type == "EnvSwitched" and event.data.get("env") in ("DEMO", "LIVE"):
        pending = replace(pending, env=event.data["env"])
    fills = () if (event.id, event.ts) in pending.heard else fills_of(event)
    if fills:
        pending = replace(pending, heard=_heard_with(pending, event))
    for fill in fills:
        fill = fill if fill.env is not None else replace(fill, env=pending.env)
        pending, earlier = _tell(pending, [group for group in pending.groups if _stands_before(group, fill)])
        signals += earlier
        pending = _added(pending, fill, event, now)
    if event.type in ENDS_THE_WAIT:
        pending = _ripened(pending, event.data.get("order_id"))
    return pending, signals


def _heard_with(pending: PendingFills, event: EventRow) -> tuple[tuple[int, datetime], ...]:
    """Return the events that were heard, and this one, without those that are too old to be told as new again."""
    heard = (*pending.heard, (event.id, event.ts))
    newest = max(at for _, at in heard)
    return tuple((number, at) for number, at in heard if at > newest - HEARD_FOR)[-MOST_HEARD:]


def tell_ripe(pending: PendingFills) -> Told:
    """Return the signals of all groups that await nothing more: to be called at the end of a page of events."""
    return _tell(pending, [group for group in pending.groups if group.is_ripe])


def tell_late(pending: PendingFills, now: datetime) -> Told:
    """Return the signals of the groups that have waited for the end of their order too long, and of the ripe ones."""
    return _tell(pending, [group for group in pending.groups if group.is_ripe or now - group.since >= LONGEST_WAIT])


def _stands_before(group: Group, fill: PositionFill) -> bool:
    """Return whether a group must be told before this fill: it is of the same asset and not of the same change."""
    return group.asset == fill.asset and not _takes(group, fill)


def _takes(group: Group, fill: PositionFill) -> bool:
    """Return whether a fill belongs to the group: the same order's, or a part of the same fill in the same row."""
    last = group.fills[-1]
    is_same_change = (last.side, last.contract, last.env) == (fill.side, fill.contract, fill.env)
    if group.asset != fill.asset or group.cause != fill.order_id or not is_same_change:
        return False
    return not group.is_ripe or group.row == fill.event_id // IDS_OF_A_ROW


def _added(pending: PendingFills, fill: PositionFill, event: EventRow, now: datetime) -> PendingFills:
    """Return the pending with one more fill. Nothing more is awaited of what no open order explains."""
    for place, group in enumerate(pending.groups):
        if _takes(group, fill):
            grown = replace(group, fills=(*group.fills, fill))
            return replace(pending, groups=(*pending.groups[:place], grown, *pending.groups[place + 1 :]))
    awaits_more = event.type in ("OrderReported", "OrderFateSettled")
    group = Group(fill.asset, fill.order_id, now, (fill,), is_ripe=not awaits_more)
    return replace(pending, groups=(*pending.groups, group))


def _ripened(pending: PendingFills, order_id: str | None) -> PendingFills:
    if order_id is None:
        return pending
    groups = tuple(replace(one, is_ripe=True) if one.cause == order_id else one for one in pending.groups)
    return replace(pending, groups=groups)


def _tell(pending: PendingFills, due: Sequence[Group]) -> Told:
    last_id = pending.last_id
    signals = []
    for group in due:
        last_id = max(last_id + 1, group.fills[-1].event_id)
        signals.append(signal_of(group.fills, last_id))
    kept = tuple(group for group in pending.groups if group not in due)
    return replace(pending, last_id=last_id, groups=kept), tuple(signals)


def signal_of(fills: Sequence[PositionFill], signal_id: int) -> StrategySignal:
    """Return the signal of the fills of one change."""
    last = fills[-1]
    return StrategySignal(
        action=last.side,
        price=average_price(fills),
        amount=sum(fill.qty for fill in fills),
        order_type="Stop" if last.is_stop else "Market",
        symbol=last.asset,
        strategy_name=f"lockstep.{last.source}",
        trade_type="live" if last.env == "LIVE" else "paper",
        contract=last.contract,
        id=signal_id,
        ts=last.at,
    )


def average_price(fills: Iterable[PositionFill]) -> Decimal | None:
    """Return the average by contracts, None when a price of them is unknown."""
    cost = Decimal(0)
    contracts = 0
    for fill in fills:
        if fill.price is None:
            return None
        cost += fill.price * fill.qty
        contracts += fill.qty
    average = cost / contracts
    if average.adjusted() > MOST_DIGITS:
        return average  # no price of any market; it is told as it is
    rounded = average.quantize(PRICE_PLACES).normalize()
    return rounded if rounded != rounded.to_integral_value() else rounded.quantize(Decimal(1))
