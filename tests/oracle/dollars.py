"""What an order may risk, read from SPEC 4 (`risk`), 5.9 and 7.5. Commissions are of one side."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import TYPE_CHECKING

from tests.oracle.facts import ZERO, Book, Position, Sheet
from tests.oracle.week import left_of_week

if TYPE_CHECKING:
    from tests.oracle.gates import Ask
    from tests.oracle.model import Oracle

INDICES = ("ES", "NQ", "YM", "RTY")


def commission(oracle: Oracle, sheet: Sheet) -> Decimal:
    """What one contract costs each way, as the operator has set it; 0 where nobody has."""
    return Decimal(oracle.rules["commissions"].get(sheet.symbol[:-2], ZERO))


def round_turn(oracle: Oracle, sheet: Sheet, qty: int) -> Decimal:
    return commission(oracle, sheet) * 2 * qty


def price_since_entry(book: Book, trade: Position) -> Decimal | None:
    return book.price if book.price_at is not None and book.price_at >= trade.opened_at else None


def open_risk(book: Book) -> Decimal:
    """From the last price (else the average) to where the stop rests, never below 0."""
    trade = book.trade
    if trade is None:
        return ZERO
    price = price_since_entry(book, trade)
    distance = ((trade.average if price is None else price) - trade.stop()) * trade.sign
    return max(ZERO, distance) * trade.qty * trade.sheet.usd


def added(oracle: Oracle, book: Book, trade: Position, qty: int) -> Decimal:
    """What a scale-in risks: from the price (else the broker's open points, else the average) to the resting stop."""
    price = price_since_entry(book, trade)
    if price is None:
        price = trade.average if book.marked is None else book.marked
    distance = max(ZERO, (price - trade.stop()) * trade.sign)
    return distance * qty * trade.sheet.usd + round_turn(oracle, trade.sheet, qty)


def risk_on_its_way(oracle: Oracle, book: Book) -> Decimal:
    """What the unfilled rest of a working entry will risk, at its own stop."""
    order = book.entering
    if order is None:
        return ZERO
    if order.kind == "SCALE_IN" and book.trade is not None:
        return added(oracle, book, book.trade, order.rest)
    at_stop = order.stop_points * order.sheet.unit * order.rest * order.sheet.usd
    return at_stop + round_turn(oracle, order.sheet, order.rest)


def risk_of(oracle: Oracle, ask: Ask, qty: int) -> Decimal:
    """What this order would lose at its stop, its commission in and out with it."""
    book = ask.book
    if ask.adds and book.trade is not None:
        return added(oracle, book, book.trade, qty)
    at_stop = oracle.rules["stop_points"] * book.sheet.unit * qty * book.sheet.usd
    return Decimal(at_stop + round_turn(oracle, book.sheet, qty))


def left_of_day(oracle: Oracle) -> Decimal:
    """The daily limit, the week's and the firm's: what the tightest of them leaves."""
    left = [oracle.own_limit + oracle.worst_result]
    if oracle.firm_limit is not None:
        left.append(oracle.firm_limit + oracle.worst_result)
    of_week = left_of_week(oracle)
    return min(left if of_week is None else [*left, of_week])


def fits(oracle: Oracle, ask: Ask, qty: int) -> bool:
    """Whether an order of that size passes: by itself, beside all open risk, and within the contract caps."""
    risk = risk_of(oracle, ask, qty)
    if risk > oracle.start * oracle.rules["max_risk_per_order_pct"] / 100:
        return False
    open_now = sum((open_risk(book) + risk_on_its_way(oracle, book) for book in oracle.books.values()), ZERO)
    return open_now + risk <= left_of_day(oracle) and within_caps(oracle, ask, qty)


def in_full(sheet: Sheet, qty: int) -> Decimal:
    """In full-size contracts: a micro is a tenth."""
    return Decimal(qty) / (10 if sheet.is_micro else 1)


def contracts(book: Book) -> Iterator[tuple[Sheet, int]]:
    """What is held, and what working entries may still add."""
    if book.trade is not None:
        yield book.trade.sheet, book.trade.qty
    if book.entering is not None:
        yield book.entering.sheet, book.entering.rest


def within_caps(oracle: Oracle, ask: Ask, qty: int) -> bool:
    rules, sheet = oracle.rules, ask.book.trade.sheet if ask.adds and ask.book.trade else ask.book.sheet
    full = {name: sum((in_full(*one) for one in contracts(book)), ZERO) for name, book in oracle.books.items()}
    mine = next(name for name, book in oracle.books.items() if book is ask.book)
    more = in_full(sheet, qty)
    of_asset = rules["max_contracts_by_asset"].get(mine)
    if of_asset is not None and sum(count for _, count in contracts(ask.book)) + qty > of_asset:
        return False
    over_all = [cap for cap in (rules["max_contracts"], oracle.firm_contracts) if cap is not None]
    if over_all and sum(full.values(), more) > min(over_all):
        return False
    cap = rules["max_contracts_correlated"]
    correlated = sum((count for name, count in full.items() if name in INDICES), more)
    return cap is None or mine not in INDICES or correlated <= cap


def largest_that_fits(oracle: Oracle, ask: Ask) -> int:
    """Return the largest size up to the one asked for that would pass; 0 when none does."""
    return next((size for size in range(ask.qty or 0, 0, -1) if fits(oracle, ask, size)), 0)
