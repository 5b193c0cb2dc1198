"""Compare the broker's positions with the desk's. After a lasting difference the desk follows the broker (SPEC 8.4)."""

from __future__ import annotations

from msgspec.structs import replace

from services.engine.model.bridge_commands import TakeSnapshot
from services.engine.model.events import PositionAgreed, PositionDisagreed
from services.engine.model.evidence import Disagreement, Followed, Streak
from services.engine.model.state import Asset
from services.engine.model.trade import Trade
from services.engine.model.trade_events import PositionFollowed, TradeRepriced, TradeResized
from services.engine.rules.broker_word import (
    BrokerWord,
    is_after_last_fill,
    is_proof,
    listed_contradiction,
    may_be_an_echo,
    may_be_misnamed,
    speaks_of_positions,
    streak_after,
    watched_contract,
    word_of,
)
from services.engine.rules.fill_prices import Booked, known_price, price_to_book
from services.engine.rules.suspect_fills import entry_is_suspect
from services.engine.steps.adopting import gate_against, take_out, take_out_proven
from services.engine.steps.charges import charge_entry, charge_exit
from services.engine.steps.corrections import remember_untold
from services.engine.steps.doubts import end_doubt
from services.engine.steps.fates import settle_before_exit, settle_fates
from services.engine.steps.foreign_positions import note_foreign_positions
from services.engine.steps.order_queue import end_order
from services.engine.steps.suspect_fills import doubt_fill_price, prove_by_snapshot, prove_fills
from services.engine.steps.trades import adopt, grown, mark_to_market, reduce_position, take_slot
from services.engine.transition import Transition
from wire.types import FillKind, Instant, OrderStatus, Price, Side

CLOSED_AT_THE_BROKER = "BROKER_FLAT"


def compare_positions(transition: Transition, snapshot: TakeSnapshot) -> None:
    """Compare every asset with a snapshot that speaks of positions.

    A report may still be on its way for an order that a bridge holds, so a difference proves nothing meanwhile. An
    order that no bridge has claimed, and one of unknown fate, hide nothing.
    """
    if not speaks_of_positions(transition.desk, snapshot, transition.now):
        return
    note_foreign_positions(transition, snapshot)
    for symbol, asset in transition.desk.assets.items():
        if is_after_last_fill(asset, snapshot, transition.now):
            _compare(transition, symbol, snapshot)


def _compare(transition: Transition, symbol: str, snapshot: TakeSnapshot) -> None:
    asset = transition.asset(symbol)
    word = word_of(watched_contract(asset, transition.desk.open_orders(symbol)), snapshot)
    if not word.explicit and may_be_misnamed(transition.desk, asset, snapshot):
        return
    contradiction = listed_contradiction(asset, transition.desk.open_orders(symbol))
    if not word.explicit and contradiction is not None and _is_in_flight(transition, symbol):
        transition.put_asset(_counting(asset, 0))
        return
    streak = streak_after(asset.live.streak, word, transition.now)
    if may_be_an_echo(asset, snapshot, word.position, transition.now):
        streak = replace(streak, count=0)
    transition.put_asset(replace(asset, live=replace(asset.live, streak=streak)))
    is_proven = settle_fates(transition, symbol, word, streak)
    settle_before_exit(transition, symbol, word, streak)
    asset = transition.asset(symbol)
    if word.position == asset.position:
        if word.explicit or is_proof(transition.desk, streak, transition.now):  # a row left out says nothing alone
            _agree(transition, asset, word)
        elif contradiction is not None and asset.disagreement is None:
            _note_disagreement(transition, asset, contradiction)
    elif _is_in_flight(transition, symbol):
        _keep_disagreement(transition, asset, word.position)
    elif is_proven and is_proof(transition.desk, streak, transition.now):
        _follow_broker(transition, asset, word)
    else:
        _disagree(transition, asset, word, streak)


def _is_in_flight(transition: Transition, symbol: str) -> bool:
    """Return whether a bridge holds an order of the asset and may still report on it."""
    return any(order.is_at_a_bridge for order in transition.desk.open_orders(symbol))


def _agree(transition: Transition, asset: Asset, word: BrokerWord) -> None:
    if asset.disagreement is not None:
        transition.put_asset(replace(asset, disagreement=None))
        transition.record(PositionAgreed(asset.symbol))
    if not _is_in_flight(transition, asset.symbol):
        end_doubt(transition, asset.symbol)
        is_denied = prove_by_snapshot(transition, asset.symbol, word)
        _reprice(transition, transition.asset(asset.symbol), word.avg_price, is_denied=is_denied)
        take_out_proven(transition, asset.symbol)


def _reprice(transition: Transition, asset: Asset, average: Price | None, *, is_denied: bool) -> None:
    """Take the broker's average for an entry whose price nobody had told, or which it denies (SPEC 8.3)."""
    trade = asset.trade
    if trade is None or average is None or not (trade.unpriced or is_denied):
        return
    trade = replace(
        trade,
        entry_notional=average * trade.entered_quantity,
        held_cost=None if trade.held_cost is None else average * trade.quantity,
        unpriced=False,
        estimated=trade.estimated and (is_denied or trade.exited_quantity > 0),
    )
    transition.put_asset(replace(asset, trade=trade))
    prove_fills(transition, asset.symbol, "correction", lambda fill: fill.is_entry and fill.trade_id == trade.id)
    transition.put_asset(mark_to_market(transition.asset(asset.symbol)))
    transition.record(TradeRepriced(asset.symbol, trade.id, average))


def _disagree(transition: Transition, asset: Asset, word: BrokerWord, streak: Streak) -> None:
    known = asset.disagreement
    if known is None or known.broker_position != word.position:
        _note_disagreement(transition, asset, word.position)
    elif is_proof(transition.desk, streak, transition.now):
        _follow_broker(transition, asset, word)


def _keep_disagreement(transition: Transition, asset: Asset, broker_position: int) -> None:
    """Go on disagreeing while a report may be on its way. Readings of that time count for an order's fate alone."""
    known = asset.disagreement
    if known is None:
        return
    if known.broker_position != broker_position:
        _note_disagreement(transition, asset, broker_position)
    elif all(order.fate_unknown_at is None for order in transition.desk.open_orders(asset.symbol)):
        transition.put_asset(_counting_from_here(asset))


def _counting_from_here(asset: Asset) -> Asset:
    return _counting(asset, 1)


def _counting(asset: Asset, at_most: int) -> Asset:
    """Let at most so many of the readings until now be of those that prove."""
    streak = asset.live.streak
    if streak is None:
        return asset
    return replace(asset, live=replace(asset.live, streak=replace(streak, count=min(streak.count, at_most))))


def _note_disagreement(transition: Transition, asset: Asset, broker_position: int) -> None:
    """Close ``reconcile``. What was read until now counts no more: proof is two readings from here on."""
    doubted = replace(asset, disagreement=Disagreement(broker_position, transition.now, asset.live.last_price))
    transition.put_asset(_counting_from_here(doubted))
    transition.record(PositionDisagreed(asset.symbol, broker_position, asset.position))


def _follow_broker(transition: Transition, asset: Asset, broker: BrokerWord) -> None:
    """Change the desk's position to the broker's, and raise an alert."""
    booked = _price_of(asset, broker, transition.now)
    asset = transition.put_asset(replace(asset, disagreement=None))
    held = asset.position
    contract = watched_contract(asset, transition.desk.open_orders(asset.symbol)).symbol
    if booked is None:
        detail = f"the broker holds {broker.position} {contract}, no price is known to book it"
        _note_disagreement(transition, asset, broker.position)
        transition.alert("reconcile", detail, asset.symbol, _facts(asset, contract, broker, followed=False))
        return
    appears = broker.position if held * broker.position <= 0 else 0
    shut = gate_against(transition, asset.symbol, contract, appears)
    transition.record(PositionAgreed(asset.symbol))
    withdraw_unclaimed(transition, asset.symbol, broker.position)
    if held and held * broker.position <= 0:  # the broker is flat or on the other side: close the trade first
        trade_closes_at(transition, transition.asset(asset.symbol), abs(held), booked)
        held = 0
    if broker.position and held:
        _resize(transition, transition.asset(asset.symbol), abs(broker.position), broker, booked)
    elif broker.position:
        average = booked.price if broker.avg_price is None else broker.avg_price
        adopt(transition, transition.asset(asset.symbol), broker.position, average)
        charge_entry(transition, asset.symbol, abs(broker.position))
        take_slot(transition)
        opened = transition.asset(asset.symbol).trade
        guessed = broker.avg_price is None and booked.estimated
        _record_followed(transition, asset.symbol, opened, broker.position, Booked(average, guessed), "ENTRY")
    _note_followed(transition, asset.symbol, broker.position - asset.position)
    end_doubt(transition, asset.symbol)
    transition.alert(
        "reconcile",
        f"the desk held {asset.position} {contract}, the broker {broker.position}: followed the broker",
        asset.symbol,
        _facts(asset, contract, broker, followed=True),
        None if broker.position else "warning",
    )
    if shut is not None:
        take_out(transition, asset.symbol, shut)


def _note_followed(transition: Transition, symbol: str, change: int) -> None:
    """Remember what was taken over, so that a fill that is told later does not count twice."""
    asset = transition.asset(symbol)
    known = asset.followed
    if known is not None and known.change * change > 0:
        change += known.change
    transition.put_asset(replace(asset, followed=Followed(change, transition.now)))


def withdraw_unclaimed(transition: Transition, symbol: str, broker_position: int) -> None:
    """Take back what no bridge has claimed: an exit of what the broker does not hold, an entry beside a position."""
    for order in transition.desk.open_orders(symbol):
        if order.status is not OrderStatus.PENDING:
            continue
        left = -broker_position * order.sign  # what an exit of this side can still take out
        if order.kind != "EXIT":
            end_order(transition, order, OrderStatus.CANCELLED, "the broker's position is not the desk's")
        elif left <= 0:
            end_order(transition, order, OrderStatus.CANCELLED, "flat at the broker")
        elif left < order.qty:
            transition.put_order(replace(order, qty=left))


def _facts(asset: Asset, symbol: str, broker: BrokerWord, *, followed: bool) -> dict[str, str | int]:
    """Return the facts of the alert: both positions as they were before the desk followed."""
    positions = {"desk_position": asset.position, "broker_position": broker.position}
    return {**positions, "symbol": symbol, "followed": followed}


def _price_of(asset: Asset, broker: BrokerWord, now: Instant) -> Booked | None:
    """Return the price of what happened at the broker; None when nothing is known.

    The broker's last fill is the truth. Without it a flat broker most likely was stopped out when a price since it was
    seen to be flat lies at or beyond the stop; else the last price is the best guess.
    """
    told = None if broker.last_fill_price is None else price_to_book(asset, broker.last_fill_price, now)
    if told is not None and not told.estimated:
        return told
    trade = asset.trade
    last = known_price(asset.live.last_price, asset.contract.symbol)
    since = asset.disagreement.price if asset.disagreement is not None else None
    prices = [price for price in (last, since) if price is not None]
    is_known = trade is not None and not entry_is_suspect(asset)
    if trade is not None and is_known and any((price - trade.stop_price) * trade.sign <= 0 for price in prices):
        return Booked(trade.stop_price, estimated=True)
    entered_at = None if trade is None else trade.entry_price
    guess = next((price for price in (last, broker.avg_price, entered_at) if price is not None), None)
    return None if guess is None else Booked(guess, estimated=True)


def trade_closes_at(transition: Transition, asset: Asset, quantity: int, booked: Booked) -> None:
    """Close the trade that the broker no longer holds. Its fill may still be told."""
    _record_followed(transition, asset.symbol, asset.trade, -asset.position, booked, "EXIT")
    asset = charge_exit(transition, asset.symbol, quantity)
    reduce_position(transition, asset, quantity, booked.price, CLOSED_AT_THE_BROKER, estimated=booked.estimated)
    remember_untold(transition, asset, quantity, booked)
    _doubt(transition, asset, quantity, booked)


def _record_followed(
    transition: Transition, symbol: str, trade: Trade | None, change: int, booked: Booked, kind: FillKind
) -> None:
    """Record that the position of ``trade`` was changed by ``change`` contracts (signed) to be the broker's."""
    if trade is None or not change or transition.desk.generation <= 2:
        return
    side: Side = "BUY" if change > 0 else "SELL"
    contract = trade.contract.symbol
    event = PositionFollowed(symbol, contract, side, abs(change), booked.price, kind, trade.id, booked.estimated)
    transition.record(event)


def _doubt(transition: Transition, before: Asset, quantity: int, booked: Booked) -> None:
    """Hold the price at which the broker's position was followed as suspect where it is (SPEC 8.3)."""
    trade = before.trade
    if trade is not None:
        doubt_fill_price(transition, before, trade.contract, -trade.sign * quantity, booked)


def _resize(transition: Transition, asset: Asset, quantity: int, broker: BrokerWord, booked: Booked) -> None:
    """Cut or grow the trade to the broker's quantity."""
    trade = asset.trade
    if trade is None:
        return
    change = quantity - trade.quantity
    price = booked.price if change < 0 or broker.avg_price is None else broker.avg_price
    guessed = booked.estimated or price != booked.price  # the average is that of the whole position
    _record_followed(transition, asset.symbol, trade, trade.sign * change, Booked(price, guessed), "RESIZE")
    if change < 0:
        asset = charge_exit(transition, asset.symbol, -change)
        reduce_position(transition, asset, -change, booked.price, CLOSED_AT_THE_BROKER, estimated=booked.estimated)
        _doubt(transition, asset, -change, booked)
    else:
        transition.put_asset(mark_to_market(replace(asset, trade=grown(trade, change, price))))
        charge_entry(transition, asset.symbol, change)
    transition.record(TradeResized(asset.symbol, quantity))
