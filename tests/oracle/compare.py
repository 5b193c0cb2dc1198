"""The facts that engine and oracle must agree on after every move."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

from services.engine.model.order import Order
from services.engine.model.settings import Rules
from services.engine.model.state import Asset, Desk
from services.engine.model.trade import Trade
from services.engine.model.trade_events import TradeClosed
from services.engine.rules import gates
from services.engine.rules.verdicts import EntryRequest
from tests.oracle import window
from tests.oracle.dollars import largest_that_fits
from tests.oracle.doors import scale_in_qty
from tests.oracle.facts import Book, Position, Ticket
from tests.oracle.gates import Ask
from tests.oracle.model import Oracle
from tests.oracle.week import minutes

CENT = Decimal("0.000001")


def differences(desk: Desk, oracle: Oracle, closed: Sequence[TradeClosed], now: datetime) -> list[str]:
    """Return each fact that differs, as a line."""
    pairs: dict[str, tuple[Any, Any]] = {
        "trades taken": (desk.day.trades_taken, oracle.day.taken),
        "daily stop": (desk.day.is_stopped, oracle.day.is_stopped),
        "awaited": (desk.day.books.awaited is not None and not desk.day.is_stopped, oracle.day.is_awaited),
        "trading day": (desk.day.trading_day, oracle.day.name),
        "start of the day": (_rounded(desk.day.start_equity), _rounded(oracle.day.start)),
        "cooldown": (desk.locks.cooldown_until, oracle.cooldown_until),
        "candle": (desk.locks.candle_until, oracle.candle_until),
        "balance suspect": (desk.live.beliefs.suspicion is not None, oracle.balance_is_suspect),
        "closed trades": (len(closed), len(oracle.closed)),
        "overrides": (desk.day.overrides_taken, oracle.day.overrides),
        "lockout": (desk.lockout.ends_at if desk.lockout else None, oracle.locked_out_until),
        "losing trades in a row": (desk.losses.count, oracle.losses.count),
    }
    pairs |= _of_gates(desk, oracle, now)
    if closed and oracle.closed:
        last, mine = closed[-1], oracle.closed[-1]
        pairs["last closed"] = (
            (last.asset, last.size, _rounded(last.pnl_usd), last.reason),
            (mine.asset, mine.size, _rounded(mine.pnl), mine.reason),
        )
        pairs["money of the last closed"] = (
            (_rounded(last.commission_usd), _rounded(last.pnl_net_usd), _rounded(last.risk_usd)),
            (_rounded(mine.costs), _rounded(mine.pnl - mine.costs), _rounded(mine.risk)),
        )
    pairs |= {f"{name} in force": (_rule(desk.rules, name), value) for name, value in oracle.rules.items()}
    pairs |= {f"{name} wanted": (_rule(desk.wanted, name), value) for name, value in oracle.wanted.items()}
    for name, book in oracle.books.items():
        pairs |= _of_asset(desk, desk.assets[name], book)
    return [f"{what}: the desk has {its}, SPEC says {mine}" for what, (its, mine) in pairs.items() if its != mine]


def _of_gates(desk: Desk, oracle: Oracle, now: datetime) -> dict[str, tuple[Any, Any]]:
    """What the gates ``window`` and ``risk`` say of the usual order of one asset after the other."""
    checks = {gate.name: gate.check for gate in gates.ENTRY_GATES}
    symbols = list(oracle.books)
    symbol = symbols[oracle.asked % len(symbols)]
    oracle.asked += 1
    asset, book = desk.assets[symbol], oracle.books[symbol]
    adds = book.trade is not None
    qty = scale_in_qty(oracle, book.trade) if book.trade is not None else int(oracle.rules["entry_qty_6pt"])
    request = EntryRequest(asset, "BUY", is_attempt=True, is_scale_in=adds, quantity=None if adds else qty)
    why = checks["risk"](desk, request, now).why
    cause = checks["window"](desk, request, now).why
    fitting = largest_that_fits(oracle, Ask(book, qty=qty, adds=adds))
    return {
        f"{symbol} fits": (qty if why is None else why.facts["fits"], fitting),
        f"{symbol} window": (None if cause is None else cause.code, window.cause(oracle, now)),
    }


def _of_asset(desk: Desk, asset: Asset, book: Book) -> dict[str, tuple[Any, Any]]:
    symbol = asset.symbol
    due = asset.due_exit
    waits = asset.preorder is not None and asset.preorder.is_active
    pairs: dict[str, tuple[Any, Any]] = {
        f"{symbol} token": (asset.tempo.ready, book.token),
        f"{symbol} flip right": (asset.tempo.flip_may_rearm, book.flip_right),
        f"{symbol} intent": (asset.intent.status if asset.intent else None, book.intent),
        f"{symbol} pre-order": (waits, book.preorder is not None),
        f"{symbol} disagrees": (asset.disagreement is not None, book.disagrees),
        f"{symbol} order in": (_order(desk.open_entry(symbol)), _ticket(book.entering)),
        f"{symbol} order out": (_order(desk.open_exit(symbol)), _ticket(book.leaving)),
        f"{symbol} due exit": (
            (due.source, due.retry_at, due.attempt) if due else None,
            (book.due.source, book.due.retry_at, book.due.attempt) if book.due else None,
        ),
        f"{symbol} contract": (asset.contract.symbol, book.sheet.symbol),
        f"{symbol} position": (asset.position, book.trade.qty * book.trade.sign if book.trade else 0),
    }
    if asset.trade is not None and book.trade is not None:
        pairs |= _of_trade(asset, asset.trade, book, book.trade)
    return pairs


def _of_trade(asset: Asset, trade: Trade, book: Book, mine: Position) -> dict[str, tuple[Any, Any]]:
    symbol = asset.symbol
    status = "used" if trade.scale_in_used else "available" if trade.scale_in_available else "locked"
    pairs = {
        f"{symbol} average": (_rounded(trade.entry_price), _rounded(mine.average)),
        f"{symbol} stop": (_rounded(trade.stop_price), _rounded(mine.stop())),
        f"{symbol} open points": (_rounded(asset.live.open_points), _rounded(book.points)),
        f"{symbol} scale-in": (status, mine.scale_in),
        f"{symbol} initial lock": (trade.initial_exit_locked, mine.is_locked),
        f"{symbol} zone": ((trade.zone, trade.mode), (mine.zone, mine.mode)),
    }
    armed = {name: getattr(trade.protections, name) for name in mine.armed}
    return pairs | {f"{symbol} protections": (armed, mine.armed)}


def _rule(rules: Rules, name: str) -> Any:
    value = getattr(rules, name)
    return minutes(value) if name == "trading_hours" else value


def _order(order: Order | None) -> tuple[Any, ...] | None:
    if order is None:
        return None
    return (order.kind, order.side, order.qty, order.filled_qty, order.source, order.status.value == "PENDING")


def _ticket(ticket: Ticket | None) -> tuple[Any, ...] | None:
    if ticket is None:
        return None
    return (ticket.kind, ticket.side, ticket.qty, ticket.filled, ticket.source, ticket.state == "PENDING")


def _rounded(amount: Decimal | None) -> Decimal | None:
    return None if amount is None else amount.quantize(CENT)
