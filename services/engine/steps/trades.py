"""A trade from its first fill to flat (SPEC 2, 7.5)."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

from msgspec.structs import replace

from services.engine.model.events import CooldownStarted
from services.engine.model.order import Order
from services.engine.model.settings import Rules
from services.engine.model.state import Asset
from services.engine.model.trade import Protections, Trade
from services.engine.model.trade_events import TradeClosed, TradeOpened
from services.engine.rules.beliefs import GROSS_UNTIL
from services.engine.rules.costs import with_costs
from services.engine.rules.suspect_fills import entry_is_suspect
from services.engine.steps.charges import book, remember_uncharged
from services.engine.steps.week import count_closed, count_entry
from services.engine.transition import Transition
from wire.types import Contract, Instant, Price, Usd

ZERO = Decimal(0)


def fill_entry(transition: Transition, order: Order, quantity: int, price: Price) -> None:
    """Open the trade with an entry's first fill, or add a further fill to it.

    What fills when the trade has been closed already opens another one: of an entry with the entry's terms, of a
    scale-in with default protections, because its trade and their terms are gone.
    """
    asset = transition.asset(order.asset)
    if asset.trade is None and order.entry is None:
        adopt(transition, asset, quantity * order.sign, price, order.contract)
        return
    if asset.trade is None:
        _open(transition, asset, order, quantity, price)
        return
    transition.put_asset(mark_to_market(replace(asset, trade=grown(asset.trade, quantity, price, keeps_stop=False))))


def grown(trade: Trade, quantity: int, price: Price, *, keeps_stop: bool = True) -> Trade:
    """Return the trade with ``quantity`` more contracts, entered at ``price``.

    Its stop moves only in its favour (SPEC 6.7); generation 1 moved it with the average, also away.
    """
    return replace(
        trade,
        quantity=trade.quantity + quantity,
        entered_quantity=trade.entered_quantity + quantity,
        entry_notional=trade.entry_notional + price * quantity,
        held_cost=None if trade.held_cost is None else trade.held_cost + price * quantity,
        stop_kept=trade.stop_price if keeps_stop else None,
    )


def mark_to_market(asset: Asset) -> Asset:
    """Compute open points from the current average price. They are unknown until a price came since entry (SPEC 6.6).

    Newer open points of the broker are dropped too: they refer to the position before this fill.
    """
    trade = asset.trade
    live = asset.live
    points = None
    at = live.price_at
    is_known = trade is not None and not entry_is_suspect(asset)
    if trade is not None and is_known and live.last_price is not None and at is not None and at >= trade.opened_at:
        broker_is_newer = live.open_points_at is not None and live.open_points_at > at
        points = None if broker_is_newer else trade.open_points(live.last_price)
    return replace(asset, live=replace(live, open_points=points, open_points_at=None if points is None else at))


def _open(transition: Transition, asset: Asset, order: Order, quantity: int, price: Price) -> None:
    trade = trade_of(order, transition.desk.rules, quantity, price, transition.now)
    if order.filled_qty:  # its earlier fills made a trade that has been closed under the order's id
        trade = replace(trade, id=transition.new_id())
    open_trade(transition, asset, trade)
    take_slot(transition)


def take_slot(transition: Transition) -> None:
    """Use one slot of the day's trade limit (SPEC 5.5)."""
    day = transition.desk.day
    transition.change_desk(day=replace(day, trades_taken=day.trades_taken + 1))
    count_entry(transition)


def trade_of(order: Order, rules: Rules, quantity: int, price: Price, now: Instant) -> Trade:
    """Return the trade that the first fill of an ENTRY opens, with its default protections (SPEC 6)."""
    terms = order.entry
    if terms is None:
        raise ValueError(f"order {order.id} was {order.kind}, only an ENTRY opens a trade")
    return Trade(
        id=order.id,
        side=order.side,
        contract=order.contract,
        quantity=quantity,
        entered_quantity=quantity,
        entry_notional=price * quantity,
        opened_at=now,
        mode=terms.trade_mode,
        zone=terms.zone,
        env=order.env,
        override=terms.override,
        protections=Protections(
            points_tp_enabled=terms.trade_mode == "SCALP",
            points_tp_target=rules.points_tp_target,
            main_flip_exit_enabled=terms.zone == "FREE",
            stop_points=rules.stop_points if order.stop_points is None else order.stop_points,
        ),
    )


def adopt(transition: Transition, asset: Asset, position: int, price: Price, contract: Contract | None = None) -> None:
    """Open a trade for a position that the broker holds and the desk does not know (SPEC 8.4).

    It gets default protections and no initial exit lock. ``contract`` is the asset's current one if None. What it had
    won before is not in the desk's books.
    """
    trade = adopted_trade(transition, transition.new_id(), position, price, contract or asset.contract)
    open_trade(transition, asset, trade, adopted=True)
    price_now = asset.live.last_price
    if transition.desk.generation > 1:
        book(transition, asset.symbol, opening=ZERO if price_now is None else trade.result_at(price_now))


def adopted_trade(transition: Transition, name: str, position: int, price: Price, contract: Contract) -> Trade:
    """Return the trade, with ``name`` as its id, that a position without an entry's terms makes."""
    rules = transition.desk.rules
    return Trade(
        id=name,
        side="BUY" if position > 0 else "SELL",
        contract=contract,
        quantity=abs(position),
        entered_quantity=abs(position),
        entry_notional=price * abs(position),
        opened_at=transition.now,
        mode="SCALP",
        zone="ADOPTED",
        env=transition.desk.env,
        initial_exit_locked=False,
        protections=Protections(
            points_tp_enabled=True, points_tp_target=rules.points_tp_target, stop_points=rules.stop_points
        ),
    )


def open_trade(transition: Transition, asset: Asset, trade: Trade, *, adopted: bool = False) -> None:
    """Put the new trade on the desk and reset its best and worst points."""
    counted = ZERO if transition.desk.generation > GROSS_UNTIL else None
    live = replace(
        asset.live,
        open_points=None,
        open_points_at=None,
        best_points=ZERO,
        worst_points=ZERO,
        best_usd=counted,
        worst_usd=counted,
    )
    transition.put_asset(replace(asset, trade=trade, live=live))
    transition.record(
        TradeOpened(asset.symbol, trade.id, trade.side, trade.quantity, trade.entry_price, adopted=adopted)
    )


def fill_exit(transition: Transition, order: Order, quantity: int, price: Price) -> None:
    """Reduce the position by an exit's fill. At zero the trade is closed (SPEC 7.5)."""
    reduce_position(transition, transition.asset(order.asset), quantity, price, order.source)


def reduce_position(
    transition: Transition, asset: Asset, quantity: int, price: Price, reason: str, *, estimated: bool = False
) -> None:
    """Take ``quantity`` contracts out of the trade at ``price``; ``estimated`` when nobody told that price.

    They leave at the average, which stays what it was (SPEC 4). Generation 1 averaged all that was ever entered.
    """
    if asset.trade is None:
        return
    trade = replace(
        asset.trade,
        quantity=asset.trade.quantity - quantity,
        exited_quantity=asset.trade.exited_quantity + quantity,
        exit_notional=asset.trade.exit_notional + price * quantity,
        estimated=asset.trade.estimated or estimated,
        held_cost=_cost_left(asset.trade, quantity) if transition.desk.generation > 1 else asset.trade.held_cost,
    )
    tracked = _with_result(_with_points(asset, trade.open_points(price)), asset.trade.result_at(price))
    if trade.quantity == 0:
        _close(transition, tracked, trade, reason)
    else:
        transition.put_asset(replace(tracked, trade=trade))


def _cost_left(trade: Trade, quantity: int) -> Price:
    """Return what the contracts that stay have cost, exactly where the average has no end."""
    cost = trade.entry_notional if trade.held_cost is None else trade.held_cost
    held = trade.entered_quantity if trade.held_cost is None else trade.quantity
    return cost * (trade.quantity - quantity) / held


def _close(transition: Transition, asset: Asset, trade: Trade, reason: str) -> None:
    keeps_token = asset.tempo.ready and transition.desk.generation < 5  # later ones spend it at flat (SPEC 5.7)
    tempo = replace(asset.tempo, ready=keeps_token, flip_may_rearm=trade.fresh_main_bricks > 0)
    live = replace(
        asset.live,
        open_points=None,
        open_points_at=None,
        best_points=None,
        worst_points=None,
        best_usd=None,
        worst_usd=None,
    )
    transition.put_asset(replace(asset, trade=None, due_exit=None, tempo=tempo, live=live))
    closed = closed_trade(asset, trade, transition.now, reason)
    if transition.desk.generation > GROSS_UNTIL:
        excursion = {"mae_usd": asset.live.worst_usd, "mfe_usd": asset.live.best_usd}
        closed = replace(with_costs(closed, trade), **excursion)
    transition.record(closed)
    remember_uncharged(transition, asset.symbol, trade, closed)
    count_closed(transition, trade, closed.result_usd)
    if transition.desk.generation > 1:
        book(transition, asset.symbol, closed=closed.result_usd)
    _start_cooldown(transition)


def closed_trade(asset: Asset, trade: Trade, now: Instant, reason: str) -> TradeClosed:
    """Return the event of a closed trade. PnL is exact: notionals are subtracted before anything is divided."""
    contract = trade.contract
    size = trade.entered_quantity
    won = (trade.exit_notional - trade.entry_notional) * trade.sign
    return TradeClosed(
        id=trade.id,
        asset=asset.symbol,
        contract=contract.symbol,
        side=trade.side,
        size=size,
        entry_price=trade.entry_price,
        exit_price=trade.exit_notional / trade.exited_quantity,
        entry_ts=trade.opened_at,
        exit_ts=now,
        pnl_points=contract.points(won) / size,
        pnl_usd=contract.usd(won),
        mae_points=asset.live.worst_points or ZERO,
        mfe_points=asset.live.best_points or ZERO,
        mode=trade.mode,
        zone=trade.zone,
        reason=reason,
        env=trade.env,
        override=trade.override,
        forced_exit=trade.forced_exit,
        estimated=trade.estimated,
        unit=contract.unit,
        exit_by=trade.exit_by,
    )


def track_excursion(asset: Asset, open_points: Decimal) -> Asset:
    """Widen the trade's best and worst open points, and its best and worst result in USD (MFE, MAE)."""
    tracked = _with_points(asset, open_points)
    trade = asset.trade
    return tracked if trade is None else _with_result(tracked, trade.result_with(open_points))


def _with_points(asset: Asset, open_points: Decimal) -> Asset:
    live = asset.live
    best = max(live.best_points or ZERO, open_points)
    worst = min(live.worst_points or ZERO, open_points)
    return replace(asset, live=replace(live, best_points=best, worst_points=worst))


def _with_result(asset: Asset, result: Usd) -> Asset:
    """Widen the best and the worst gross result of the trade, what has left it included."""
    live = asset.live
    if live.best_usd is None or live.worst_usd is None:
        return asset  # an earlier program began the trade: what it was worth before is not known
    return replace(
        asset, live=replace(live, best_usd=max(live.best_usd, result), worst_usd=min(live.worst_usd, result))
    )


def _start_cooldown(transition: Transition) -> None:
    until = transition.now + timedelta(seconds=transition.desk.rules.cooldown_seconds)
    transition.change_desk(locks=replace(transition.desk.locks, cooldown_until=until))
    transition.record(CooldownStarted(until))
