"""A desk under other rules that follows the journal beside the real desk.

It decides every real command. Its orders are paired with the real ones: what the broker did to a real order happens to
its twin here. An order without a real twin never reached the broker and is rejected at once. The broker's snapshots are
changed to what they would have been for this desk's positions.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from decimal import Decimal
from typing import Any

from msgspec.structs import replace

from services.engine.decide import decide
from services.engine.earlier.reconcile import broker_position
from services.engine.model.account import Reading
from services.engine.model.bridge_commands import BookFills, ReportExecution, TakeSnapshot
from services.engine.model.commands import (
    AnyCommand,
    CancelIntent,
    CancelPreOrder,
    ConfigureDesk,
    EnterMarket,
    ExitPosition,
    SetLimits,
    SwitchEnv,
    TickClock,
)
from services.engine.model.events import AnyEvent, OrderEnded, OrderQueued
from services.engine.model.order import Order
from services.engine.model.proposal_commands import OfProposals
from services.engine.model.settings import Rules
from services.engine.model.state import Asset, AssetLive, Desk, DeskLive
from services.engine.model.trade_events import TradeClosed
from services.engine.steps.trades import track_excursion
from services.history.recomputing import Recomputed
from services.history.twins import own_position, pairing, worth
from services.stores.codec import documents
from services.stores.store import JournalRow
from wire.types import Instant, OrderStatus, Price

NEVER = "this entry never happened: nobody knows how it would have filled"
ZERO = Decimal(0)


class OtherDesk:
    """One desk under changed rules. ``follow`` takes the journal row by row and returns this desk's events.

    ``_twins`` maps ids of real orders and trades to this desk's. ``_apart`` holds the assets whose broker position
    does not apply to this desk. ``_won`` is how much more the real account has won, in USD by environment.
    """

    def __init__(self, opening: Desk, changes: dict[str, Any]) -> None:
        self._changes = changes
        rules = {name: self._changed(getattr(opening, name)) for name in ("rules", "wanted", "configured")}
        self.desk = replace(opening, **rules)
        known = [*opening.orders, *(asset.trade.id for asset in opening.assets.values() if asset.trade)]
        self._twins = dict(zip(known, known, strict=True))
        self._paired = set(known)
        self._queued: set[str] = set()
        self._apart: set[str] = set()
        self._won: defaultdict[str, Decimal] = defaultdict(Decimal)
        self.ended: dict[str, Order] = {}

    def follow(self, command: AnyCommand, before: Desk, real: Recomputed) -> tuple[AnyEvent, ...]:
        """Follow one row. ``before`` is the real desk before it, ``real`` the real decision.

        The order matters: new orders must be paired before those without a twin are rejected, and both before the ends
        of real orders are applied to their twins.
        """
        now = real.row.at
        self._observe(real.row, before, now)
        if isinstance(command, SwitchEnv):
            self._stop_waiting(before, now)
        translated = self._translated(command, before, real)
        events = self._decide(translated or TickClock(), now)
        self._count(real.events, 1)
        self._pair(real.events, events)
        self._reject_unpaired(events, now)
        self._end_with(real, now)
        self._note_apart(command, before, real.desk)
        self.desk = replace(self.desk, sequence=real.desk.sequence)
        return events

    def twin_of(self, real_id: str) -> str | None:
        """Return the id of this desk's order or trade that is paired with a real one."""
        return self._twins.get(real_id)

    def _decide(self, command: AnyCommand, now: Instant) -> tuple[AnyEvent, ...]:
        decision = decide(self.desk, command, now)
        self.desk = decision.desk
        self.ended.update((order.id, order) for order in decision.orders if order.status.is_final)
        self._count(decision.events, -1)
        return decision.events

    def _count(self, events: Iterable[AnyEvent], sign: int) -> None:
        """Add closed trades to the difference in USD between the real account and this desk's, by environment."""
        for event in events:
            if isinstance(event, TradeClosed):
                self._won[event.env] += sign * event.result_usd

    # -- rules ------------------------------------------------------------------------------------------------

    def _changed(self, rules: Rules) -> Rules:
        return replace(rules, **self._changes)

    def _translated(self, command: AnyCommand, before: Desk, real: Recomputed) -> AnyCommand | None:
        """Return the command changed for this desk, None for one that does not concern it."""
        if isinstance(command, ConfigureDesk):
            return ConfigureDesk(self._changed(command.rules))
        if isinstance(command, SetLimits):
            kept = {name: Decimal(int(v)) if isinstance(v, bool | int) else v for name, v in self._changes.items()}
            numbers = {name: kept.get(name, value) for name, value in command.limits.items()}
            words = {name: self._changes.get(name, value) for name, value in command.words.items()}
            return SetLimits(numbers, words, confirm=True)
        if isinstance(command, ReportExecution):
            return self._own_report(command, before, real)
        if isinstance(command, OfProposals):
            return None  # another stop would refuse other proposals: their clicks are entries like any other
        if isinstance(command, EnterMarket):
            return replace(command, proposal=None)
        if isinstance(command, ExitPosition) and command.trade is not None:
            return replace(command, trade=self._twins.get(command.trade, command.trade))
        if isinstance(command, BookFills):
            return None  # the trades that they close on the real desk are closed by ``_end_with``
        if isinstance(command, TakeSnapshot):
            return self._own_snapshot(command, before, real.desk)
        return command

    # -- orders -----------------------------------------------------------------------------------------------

    def _pair(self, real: Iterable[AnyEvent], own: Iterable[AnyEvent]) -> None:
        """Pair the orders that both desks queued in this row, and the positions that both adopted."""
        mine: defaultdict[tuple[str, str], list[str]] = defaultdict(list)
        for event in own:
            if (key := pairing(event)) is not None:
                mine[key[0]].append(key[1])
        for event in real:
            if (key := pairing(event)) is None:
                continue
            self._queued.add(key[1])
            if mine[key[0]]:
                self._bind(key[1], mine[key[0]].pop(0))

    def _bind(self, real_id: str, own_id: str) -> None:
        self._twins[real_id] = own_id
        self._paired.add(own_id)

    def _reject_unpaired(self, events: Iterable[AnyEvent], now: Instant) -> None:
        queued = [event.order_id for event in events if isinstance(event, OrderQueued) and event.kind != "EXIT"]
        for order_id in queued:
            if order_id not in self._paired and order_id in self.desk.orders:
                self._decide(ReportExecution(order_id, OrderStatus.REJECTED, reason=NEVER), now)

    def _own_report(self, report: ReportExecution, before: Desk, real: Recomputed) -> ReportExecution | None:
        """Return the report for the twin of its order. When quantities differ, the filled share stays the same."""
        order = before.orders.get(report.order_id)
        own_id = self._twins.get(report.order_id) or self._twin_found(order)
        if order is None:
            if own_id is None:
                return None if report.order_id in self._queued else report
            return replace(report, order_id=own_id, recalled=self.ended.get(own_id, report.recalled))
        own = self.desk.orders.get(own_id) if own_id is not None else None
        if own is None:
            return None
        if (own.qty, own.filled_qty) == (order.qty, order.filled_qty):
            return replace(report, order_id=own.id)
        moved = real.desk.orders.get(order.id) or next((o for o in real.orders if o.id == order.id), order)
        share = own.qty if moved.remaining == 0 else own.qty * moved.filled_qty // order.qty
        return replace(report, order_id=own.id, qty=None, cum_qty=max(share, own.filled_qty))

    def _twin_found(self, order: Order | None) -> str | None:
        """Pair the order with an open order of the same asset and kind that was queued in another row."""
        own = self.desk.open_order(order.asset) if order is not None else None
        if order is None or own is None or own.kind != order.kind or own.id in self._paired:
            return None
        self._bind(order.id, own.id)
        return own.id

    def _end_with(self, real: Recomputed, now: Instant) -> None:
        """End the twins of the orders and trades that really ended in this row."""
        for event in real.events:
            if isinstance(event, OrderEnded):
                own = self._twins.get(event.order_id)
                if own is not None and own in self.desk.orders and event.status is not OrderStatus.FILLED:
                    self._decide(ReportExecution(own, event.status, reason=event.reason), now)
            elif isinstance(event, TradeClosed):
                self._close(event.asset, self._twins.get(event.id), event.exit_price, now)

    def _close(self, symbol: str, trade_id: str | None, price: Price, now: Instant) -> None:
        """Close this desk's twin of a trade at the real price, unless its own exits have closed it."""
        for _ in range(3):  # first end an order that is still open, then exit the position
            asset = self.desk.assets.get(symbol)
            if asset is None or asset.trade is None or asset.trade.id != trade_id:
                return
            if self.desk.open_order(symbol) is None:
                self._decide(ExitPosition(symbol, force=True), now)
            order = self.desk.open_order(symbol)
            if order is not None and order.kind == "EXIT":
                report = ReportExecution(order.id, OrderStatus.FILLED, price, cum_qty=order.qty)
                self._decide(report, now)
            elif order is not None:
                self._decide(ReportExecution(order.id, OrderStatus.CANCELLED, reason=NEVER), now)

    def _stop_waiting(self, before: Desk, now: Instant) -> None:
        """Cancel entries that wait only on this desk: they would prevent the switch of the environment."""
        for symbol, asset in self.desk.assets.items():
            real = before.assets.get(symbol)
            if _waits(asset.preorder) and not (real and _waits(real.preorder)):
                self._decide(CancelPreOrder(symbol), now)
            if _waits(asset.intent) and not (real and _waits(real.intent)):
                self._decide(CancelIntent(symbol), now)

    # -- prices and the account ---------------------------------------------------------------------------------

    def _observe(self, row: JournalRow, before: Desk, now: Instant) -> None:
        """Put the prices that the writer saw on this desk, with open points of this desk's own trade."""
        if row.observed is None:
            return
        observed = documents.read_observed(row.observed)
        assets = {symbol: self._own_live(symbol, live, before) for symbol, live in observed.assets.items()}
        live = observed.desk
        if live is not None:
            live = self._own_account(live, self._apart_usd(before))
        self.desk = documents.with_observations(self.desk, documents.Observed(live, assets))
        if live is not None:  # the new equity may reach this desk's daily stop: an unchanged limit makes it check that
            limit = self.desk.wanted.daily_stop_limit_pct
            self._decide(SetLimits({"daily_stop_limit_pct": limit}, confirm=True), now)

    def _own_live(self, symbol: str, live: AssetLive, before: Desk) -> AssetLive:
        asset = self.desk.assets.get(symbol)
        real = before.assets.get(symbol)
        if asset is None or real is None or self._is_twin(real, asset):
            return live
        known = asset.live
        mine = replace(
            live,
            open_points=known.open_points,
            open_points_at=known.open_points_at,
            best_points=known.best_points,
            worst_points=known.worst_points,
        )
        if asset.trade is None or live.last_price is None:
            return mine
        points = asset.trade.open_points(live.last_price)
        marked = replace(asset, live=replace(mine, open_points=points, open_points_at=live.price_at))
        return track_excursion(marked, points).live

    def _own_snapshot(self, snapshot: TakeSnapshot, before: Desk, after: Desk) -> TakeSnapshot:
        """Return the snapshot that the broker would have sent for this desk's positions."""
        changed = {}
        for symbol, asset in self.desk.assets.items():
            real = before.assets.get(symbol)
            if real is None or (symbol not in self._apart and real.position == asset.position):
                continue
            changed[(asset.trade.contract if asset.trade else asset.contract).symbol] = own_position(
                real, asset, snapshot, is_apart=symbol in self._apart
            )
        positions = (*(p for p in snapshot.positions if p.symbol not in changed), *changed.values())
        apart = self._apart_usd(after, self._won_by(before, after))
        return replace(
            snapshot,
            balance=_less(snapshot.balance, apart),
            realized=_less(snapshot.realized, apart),
            positions=positions if changed else snapshot.positions,
        )

    def _won_by(self, before: Desk, after: Desk) -> Decimal:
        """Return the result in USD of the trades that this snapshot closes on the real desk."""
        closed = [a for s, a in before.assets.items() if a.trade and after.assets[s].trade is None]
        return sum((worth(asset) for asset in closed), ZERO)

    def _own_account(self, live: DeskLive, apart: Decimal) -> DeskLive:
        """Return the account without what only the real desk has won; balance and the broker's figures alike."""
        if not apart:
            return live
        believed, last = live.beliefs.believed, live.beliefs.last
        beliefs = replace(
            live.beliefs,
            believed=None if believed is None else _without(believed, apart),
            last=None if last is None else _without(last, apart),
        )
        return replace(live, equity=_less(live.equity, apart), beliefs=beliefs)

    def _apart_usd(self, real: Desk, closing: Decimal = ZERO) -> Decimal:
        """Return the booked and open PnL that only the real desk has."""
        apart = self._won[real.env] + closing
        for symbol, asset in real.assets.items():
            own = self.desk.assets.get(symbol)
            if own is None or not self._is_twin(asset, own) or asset.position != own.position:
                apart += worth(asset) - (worth(own) if own is not None else ZERO)
        return apart

    # -- where the two differ -----------------------------------------------------------------------------------

    def _is_twin(self, real: Asset, own: Asset) -> bool:
        """Return whether both desks hold the same trade, or neither holds one."""
        if real.trade is None or own.trade is None:
            return real.trade is own.trade
        return self._twins.get(real.trade.id) == own.trade.id

    def _note_apart(self, command: AnyCommand, before: Desk, after: Desk) -> None:
        """Record the assets whose broker position does not apply to this desk, until a snapshot agrees again."""
        for symbol, real in after.assets.items():
            own = self.desk.assets.get(symbol)
            order = after.open_order(symbol)
            alone = order is not None and order.kind != "EXIT" and self._twins.get(order.id) not in self.desk.orders
            if own is None or alone or not self._is_twin(real, own):
                self._apart.add(symbol)
            elif isinstance(command, TakeSnapshot):
                agrees = broker_position(before.assets[symbol], command).position == real.position
                self._apart -= {symbol} if agrees else set()


def _less(amount: Decimal | None, apart: Decimal) -> Decimal | None:
    return amount if amount is None or not apart else amount - apart


def _without(reading: Reading, apart: Decimal) -> Reading:
    return replace(
        reading,
        balance=reading.balance - apart,
        realized=_less(reading.realized, apart),
        figures=_less(reading.figures, apart),
        books=reading.books - apart,
        marked=reading.marked - apart,
    )


def _waits(waiting: Any) -> bool:
    return waiting is not None and waiting.is_active
