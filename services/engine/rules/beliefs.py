"""Judge what a balance is worth, and the day's result in three ways (SPEC 5.6).

All functions are pure, all amounts USD.
"""

from __future__ import annotations

from decimal import Decimal

from msgspec import Struct
from msgspec.structs import replace

from services.engine.model.account import Beliefs, DayBooks, Reading, SuspectCode, Suspicion
from services.engine.model.bridge_commands import TakeSnapshot
from services.engine.model.state import Asset, Desk
from services.engine.model.times import is_younger
from services.engine.rules.broker_word import READINGS_APART, word_of
from services.engine.rules.firm_floor import LimitReached, LossLimit, nearest_limit
from services.engine.rules.suspect_fills import excess_of_closed_trades, excess_of_open_trade
from wire.types import Instant, Usd

ZERO = Decimal(0)
GROSS_UNTIL = 4  # the last generation whose trades and books are gross
BALANCE_IS_NEW_SECONDS = 60
UNEXPLAINED_PCT = Decimal("0.5")  # of the day's start: what may stay unexplained
MAY_DIFFER = Decimal("0.25")  # of the larger loss: two ways agree


# -- the desk's own books ------------------------------------------------------------------------------------------


def open_result(asset: Asset) -> Usd:
    """Return what the open trade has won so far by the desk's last price, its partial exits included.

    Net of the commission that it has paid (SPEC 5.6). In place of a fill's price that is not proven the last price of
    then counts (SPEC 8.3).
    """
    trade = asset.trade
    if trade is None:
        return ZERO
    live = asset.live
    is_priced = live.last_price is not None and live.price_at is not None and live.price_at >= trade.opened_at
    price = live.last_price if is_priced and live.last_price is not None else trade.entry_price
    return trade.result_at(price) - trade.costs - (excess_of_open_trade(asset) if is_priced else ZERO)


def books_result(desk: Desk) -> Usd:
    """Return the day's result by the desk's own fills and prices, counted from the roll of the day."""
    books = desk.day.books
    doubted = sum((excess_of_closed_trades(asset) for asset in desk.assets.values()), ZERO)
    return books.closed - books.opening - doubted + sum((open_result(asset) for asset in desk.assets.values()), ZERO)


def result_that_counts(desk: Desk) -> Usd:
    """Return the same without what only the operator's word has added to it (SPEC 8.1)."""
    withheld = sum((asset.doubt.withheld for asset in desk.assets.values() if asset.doubt is not None), ZERO)
    return books_result(desk) - withheld


def marked_result(desk: Desk, snapshot: TakeSnapshot) -> Usd:
    """Return the same with the open PnL that the snapshot tells, where it tells any."""
    result = books_result(desk)
    held = [asset for asset in desk.assets.values() if asset.trade is not None]
    told = [(asset, word_of(asset.trade.contract, snapshot).open_pnl) for asset in held if asset.trade is not None]
    if snapshot.unrealized is not None and any(pnl is None for _, pnl in told):
        return result + snapshot.unrealized - sum((_unrealized(asset) for asset in held), ZERO)
    return result + sum((pnl - _unrealized(asset) for asset, pnl in told if pnl is not None), ZERO)


def _unrealized(asset: Asset) -> Usd:
    """Return the part of the open trade's result that is still open; what it has paid is not."""
    trade = asset.trade
    if trade is None:
        return ZERO
    taken_out = trade.exit_notional - trade.entry_price * trade.exited_quantity
    return open_result(asset) + trade.costs - trade.contract.usd(taken_out * trade.sign)


def books_read_at(desk: Desk, now: Instant) -> Instant:
    """Return the time of the newest price in the books; while flat they are as of now."""
    priced = [asset.live.price_at for asset in desk.assets.values() if asset.trade is not None and asset.live.price_at]
    return max(priced) if priced else now


# -- the day's result ----------------------------------------------------------------------------------------------


class DayResult(Struct, frozen=True):
    """The day's result by balance, by the broker's own figures, and by the desk's books; None where it is unknown."""

    balance: Usd | None
    figures: Usd | None
    books: Usd


def start_of(desk: Desk) -> Usd | None:
    """Return what the day's result is measured against, None while nothing is known (LIVE only).

    Until the day's first believed balance it is the account's last believed one, in DEMO without one ``demo_equity``.
    """
    if desk.day.start_equity is not None:
        return desk.day.start_equity
    believed = desk.live.beliefs.believed
    if believed is not None:
        return believed.balance
    return desk.rules.demo_equity if desk.env == "DEMO" else None


def day_result(desk: Desk) -> DayResult:
    """Return the day's result as the last believed balance and the desk's books show it."""
    believed = desk.live.beliefs.believed
    if believed is None:
        return DayResult(None, None, result_that_counts(desk))
    return replace(_result_of(desk, believed), books=result_that_counts(desk))


def _result_of(desk: Desk, reading: Reading) -> DayResult:
    """Return the day's result as one reading shows it."""
    start = desk.day.start_equity
    zero = desk.live.beliefs.figures_zero
    return DayResult(
        balance=None if start is None else reading.balance - start + desk.day.books.unproven,
        figures=None if reading.figures is None or zero is None else reading.figures - zero,
        books=reading.books,
    )


def agree(one: Usd, other: Usd, high: Usd = ZERO) -> bool:
    """Return whether two results differ by at most a quarter of the larger loss; else the one denies the other.

    A loss is counted from the result ``high``.
    """
    return abs(one - other) <= MAY_DIFFER * max(high - one, high - other, ZERO)


# -- one balance ---------------------------------------------------------------------------------------------------


def reading_of(desk: Desk, snapshot: TakeSnapshot, now: Instant) -> Reading | None:
    """Return the balance that a snapshot tells of the account of the environment traded, None when it tells none.

    A balance of 0 or less is absent, and so is one of the other environment, one older than 60 s and one from before
    the last heard. One without an account belongs to the bridge's last named one.
    """
    beliefs = desk.live.beliefs
    if snapshot.balance is None or snapshot.balance <= 0 or snapshot.env not in (None, desk.env):
        return None
    at = now if snapshot.as_of is None else min(snapshot.as_of, now)
    if not is_younger(at, BALANCE_IS_NEW_SECONDS, now) or (beliefs.last is not None and at < beliefs.last.at):
        return None
    told = snapshot.realized is not None or snapshot.unrealized is not None
    return Reading(
        balance=snapshot.balance,
        at=at,
        books=books_result(desk),
        marked=marked_result(desk, snapshot),
        realized=snapshot.realized,
        figures=(snapshot.realized or ZERO) + (snapshot.unrealized or ZERO) if told else None,
        account=snapshot.account or desk.live.account or (beliefs.believed.account if beliefs.believed else None),
        is_flat=all(asset.trade is None for asset in desk.assets.values()),
    )


def is_of_another_account(desk: Desk, reading: Reading) -> bool:
    """Return whether the reading names another account than the believed one. A first name is no change.

    The first balance of all is measured by the account that the bridge's heartbeat names.
    """
    believed, live = desk.live.beliefs.believed, desk.live
    named = live.account if live.env in (None, desk.env) else None
    known = named if believed is None else believed.account
    return known is not None and reading.account is not None and reading.account != known


def unexplained(believed: Reading, reading: Reading) -> Usd:
    """Return what of the balance's change neither the desk's books nor the broker's figures explain."""
    change = reading.balance - believed.balance
    explained = [reading.books - believed.books, reading.marked - believed.marked]
    if reading.figures is not None and believed.figures is not None:
        explained.append(reading.figures - believed.figures)
    return min((change - part for part in explained), key=abs)


def fills_explain(desk: Desk, reading: Reading) -> bool:
    """Return whether the balance's change fits the doubted prices of fills as they were told, not the stand-ins.

    Two prices whose errors cancel each other fit any balance: each fill must be seen in it.
    """
    believed = desk.live.beliefs.believed
    each = [fill.excess for asset in desk.assets.values() for fill in asset.suspect_fills]
    excess = sum(each, ZERO)
    if believed is None or not excess:
        return False
    rest = reading.balance - believed.balance - (reading.books - believed.books)
    is_seen = all(abs(one) <= abs(rest) + tolerance(desk) for one in each)
    return is_seen and abs(rest - excess) <= tolerance(desk) and abs(rest - excess) < abs(rest)


def tolerance(desk: Desk) -> Usd:
    """Return how much of a balance's change may stay unexplained."""
    return (start_of(desk) or ZERO) * UNEXPLAINED_PCT / 100


def figures_began_anew(believed: Reading, reading: Reading, allowed: Usd) -> bool:
    """Return whether the broker's realized figure returned to 0 while the balance did not move with it."""
    if reading.realized != 0 or not believed.realized or reading.figures is None or believed.figures is None:
        return False
    change = reading.balance - believed.balance
    by_books = min((change - (reading.books - believed.books), change - (reading.marked - believed.marked)), key=abs)
    return abs(by_books) <= allowed < abs(change - (reading.figures - believed.figures))


def suspicion_of(desk: Desk, reading: Reading, now: Instant) -> Suspicion | None:
    """Return why the reading is not believed, None when it is."""
    beliefs = desk.live.beliefs
    believed = beliefs.believed
    if is_of_another_account(desk, reading):
        differs_by = ZERO if believed is None else reading.balance - believed.balance
        return _suspicion(beliefs, "other_account", differs_by, reading, now)
    if believed is None:
        return None
    rest = unexplained(believed, reading)
    if abs(rest) > tolerance(desk):
        return _suspicion(beliefs, "jump", rest, reading, now)
    return _denial(desk, reading, now)


def _denial(desk: Desk, reading: Reading, now: Instant) -> Suspicion | None:
    """Return the suspicion of a loss at the limit that another way denies."""
    result = _result_of(desk, reading)
    limit = nearest(desk)
    if result.balance is None or limit is None:
        return None
    is_proven = _is_proven(reading, result, limit.high)
    if result.balance <= limit.result and result.figures is not None and not is_proven:
        return _suspicion(desk.live.beliefs, "loss_denied", result.balance - result.figures, reading, now)
    books = books_toward(desk, limit, result.books)
    if books <= limit.result and _denies_books(result, books, limit.high):
        return _suspicion(desk.live.beliefs, "books_denied", result.balance - result.books, reading, now)
    return None


def _suspicion(beliefs: Beliefs, code: SuspectCode, rest: Usd, reading: Reading, now: Instant) -> Suspicion:
    known = beliefs.suspicion
    since = known.since if known is not None and known.code == code else now
    return Suspicion(code, since, rest, reading)


# -- the daily stop ------------------------------------------------------------------------------------------------


def limit_usd(desk: Desk) -> Usd | None:
    """Return the loss that ends the day."""
    start = start_of(desk)
    return None if start is None else start * desk.rules.daily_stop_limit_pct / 100


def nearest(desk: Desk) -> LossLimit | None:
    """Return the limit that the day's result reaches first: the daily stop's, or one of a firm (SPEC 5.9)."""
    start = start_of(desk)
    return None if start is None else nearest_limit(desk, start)


def limit_reached(desk: Desk, now: Instant) -> LimitReached:
    """Judge the last balance of this account and the desk's books against the nearest limit."""
    limit = nearest(desk)
    if limit is None:
        return LimitReached(by_balance=False, is_proven=False, by_books=False, loss=ZERO)
    books = books_toward(desk, limit, result_that_counts(desk))
    by_balance, is_proven, losses = False, False, [ZERO]
    last = desk.live.beliefs.last
    result = None if last is None else _result_of(desk, last)
    if last is not None and result is not None and result.balance is not None and result.balance <= limit.result:
        is_proven = _is_proven(last, result, limit.high)
        by_balance = is_proven or result.figures is None
        losses.append(limit.high - result.balance if by_balance else ZERO)
    by_books = books <= limit.result and not _is_denied_by_balance(desk, books, now, limit.high)
    losses.append(limit.high - books if by_books else ZERO)
    return LimitReached(by_balance, is_proven, by_books, max(losses), limit)


def books_toward(desk: Desk, limit: LossLimit, books: Usd) -> Usd:
    """Return the books' result as the limit counts it.

    The day's highest result came from balances: there the books count from the last believed one.
    """
    believed, start = desk.live.beliefs.believed, desk.day.start_equity
    if not limit.high or believed is None or start is None:
        return books
    return believed.balance - start + books - believed.books


def _is_proven(reading: Reading, result: DayResult, high: Usd) -> bool:
    """Return whether the broker's figures or the desk's books agree with the loss of the balance."""
    others = (result.figures, reading.books, reading.marked)
    return result.balance is not None and any(agree(result.balance, way, high) for way in others if way is not None)


def _is_denied_by_balance(desk: Desk, books: Usd, now: Instant, high: Usd) -> bool:
    """Return whether a fresh balance, and the broker's figures where it tells any, deny the loss of the books."""
    reading = _reading_that_counts(desk)
    if reading is None or not is_younger(reading.at, BALANCE_IS_NEW_SECONDS, now):
        return False
    return _denies_books(_result_of(desk, reading), books, high)


def _reading_that_counts(desk: Desk) -> Reading | None:
    """Return the newer of the last believed balance and the last that the broker's figures explain (SPEC 5.6).

    A balance that the books alone contradict is suspect, but it goes on denying their loss.
    """
    beliefs = desk.live.beliefs
    return max(
        (reading for reading in (beliefs.believed, beliefs.explained) if reading is not None),
        key=lambda reading: reading.at,
        default=None,
    )


def figures_explain(desk: Desk, reading: Reading) -> bool:
    """Return whether the broker's own figures agree with the balance."""
    result = _result_of(desk, reading)
    if result.balance is None or result.figures is None:
        return False
    return abs(result.balance - result.figures) <= tolerance(desk) or agree(result.balance, result.figures)


def _denies_books(result: DayResult, books: Usd, high: Usd) -> bool:
    ways = [way for way in (result.balance, result.figures) if way is not None]
    return result.balance is not None and all(not agree(way, books, high) for way in ways)


def is_second(first: Instant | None, at: Instant) -> bool:
    """Return whether a reading at ``at`` is independent of the first one: at least 2 s later."""
    return first is not None and at >= first + READINGS_APART


def opening_books(desk: Desk) -> DayBooks:
    """Return the books of a day that begins now: what the open trades have won until now is not the day's."""
    opening = {symbol: open_result(asset) for symbol, asset in desk.assets.items() if asset.trade is not None}
    by_asset = {symbol: -result for symbol, result in opening.items()} if desk.generation > GROSS_UNTIL else {}
    return DayBooks(opening=sum(opening.values(), ZERO), by_asset=by_asset)
