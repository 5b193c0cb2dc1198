"""The paper broker: fills market orders at the last price, and rests protective stops (SPEC 6.7, 8.5).

It keeps its books in the bridge's ledger and calls its listener inside the same transaction, so that a fill and its
report are written together or not at all. One lock orders all work, so that a stop and an exit cannot both close the
same contracts.
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from decimal import Decimal

import structlog
from msgspec.structs import replace

from bridge.brokers.broker import (
    AccountStatement,
    BrokerEvent,
    BrokerListener,
    BrokerOrder,
    Execution,
    OrderCancelled,
    OrderExecuted,
    OrderRefused,
    OrderRejected,
    OrderWorking,
    PositionChanged,
    ProtectiveStop,
    UnorderedFill,
)
from bridge.brokers.holding import Holding, after_fill, holding_for, point_of, stop_fill_price, with_stop
from bridge.brokers.paper_books import STOP_TAG, PaperBooks, RestingOrder
from bridge.clock import Clock
from bridge.config import PaperSettings
from bridge.ledger import Ledger
from bridge.quotes import PriceFeed
from wire.bridge import OrderTicket, Quote, StopToRest
from wire.types import Env

logger = structlog.get_logger(__name__)

OLDEST_ENTRY_PRICE = timedelta(seconds=60)
"""An entry waits for a price no older than this; an exit fills at the last known price."""

EXIT_PATIENCE = timedelta(seconds=5)
"""After a restart an exit waits this long for a price before it fills at the last price in the ledger."""

LISTED_AFTER_LAST_FILL = timedelta(days=1)
"""A flat contract stays in the statement this long after its last fill, which covers its trading day."""


class PaperBroker:
    """A broker that needs only prices; implements `bridge.brokers.broker.Broker`."""

    trade_route = "PAPER"
    env: Env = "DEMO"
    envs: tuple[Env, ...] = ("DEMO",)

    def __init__(self, ledger: Ledger, settings: PaperSettings, feed: PriceFeed, clock: Clock) -> None:
        """Open the books in `ledger`; `feed` reports whether prices arrive, the prices come through `on_quote`."""
        self._ledger = ledger
        self._settings = settings
        self._feed = feed
        self._clock = clock
        self._lock = threading.RLock()
        self._books = PaperBooks(ledger)
        self._listener: BrokerListener | None = None
        self._quotes: dict[str, Quote] = {}
        self._last_event_at: datetime | None = None
        self._holdings: dict[str, Holding] = {}
        self._resting: list[RestingOrder] = []
        self._read_books()

    @property
    def account(self) -> str:
        """The paper account: every ledger is one of its own."""
        return self._ledger.paper_account

    def open(self, listener: BrokerListener) -> None:
        """Send events to `listener` from now on."""
        self._listener = listener

    def close(self) -> None:
        """Do nothing: the books are on disk already."""

    def is_connected(self) -> bool:
        """Return whether orders can be taken: the paper broker depends only on the ledger."""
        return self._ledger.is_healthy()

    def has_market_data(self) -> bool:
        """Return whether prices are arriving."""
        return self._feed.is_live()

    def last_event_at(self) -> datetime | None:
        """Return the time of the last price or fill."""
        return self._last_event_at

    def submit(self, order: OrderTicket) -> None:
        """Fill a market order at the last price, or rest it until there is one. Raises `OrderRefused`."""
        if order.env not in self.envs:
            raise OrderRefused("paper broker does not execute LIVE orders")
        with self._one_step():
            resting = RestingOrder(order, self._clock())
            self._books.place(order, resting.placed_at)
            self._resting.append(resting)
            self._send(OrderWorking(order.id))
            self._work(resting)

    def cancel(self, client_tag: str, reason: str) -> None:
        """Cancel an order that is still waiting for a price."""
        with self._one_step():
            for resting in list(self._resting):
                if resting.ticket.id == client_tag:
                    self._cancel(resting, reason)

    def look_up(self, client_tag: str) -> BrokerOrder | None:
        """Find an order by its tag; None when it was never submitted."""
        return self._books.find(client_tag)

    def statement(self) -> AccountStatement:
        """Return account and positions of one moment at the last prices."""
        with self._lock:
            as_of, holdings = self._clock(), list(self._holdings.values())
        realized = sum((held.realized for held in holdings), Decimal(0))
        unrealized = sum((held.open_pnl for held in holdings), Decimal(0))
        commission = sum((held.commission for held in holdings), Decimal(0))
        return AccountStatement(
            realized=realized,
            unrealized=unrealized,
            as_of=as_of,
            equity=self._settings.start_balance + realized - commission + unrealized,
            contracts=tuple(held.contract_position() for held in holdings if self._is_listed(held)),
        )

    def rest_stop(self, stop: StopToRest) -> None:
        """Rest a stop for a position that has none."""
        with self._one_step():
            held = self._holdings.get(stop.contract)
            if held is not None and held.protective_stop is None and held.position and held.closing_side == stop.side:
                self._keep(replace(held, stop_price=stop.price))

    def protective_stops(self) -> tuple[ProtectiveStop, ...]:
        """Return the stops that rest for open positions."""
        with self._lock:
            stops = [held.protective_stop for held in self._holdings.values()]
        return tuple(stop for stop in stops if stop is not None)

    def on_clock(self, now: datetime) -> None:
        """Cancel expired entries, fill exits that waited long enough, and store the last prices of open positions."""
        with self._lock:
            for resting in list(self._resting):
                with self._one_step():
                    self._work(resting, now)
            self._keep_marks()

    def on_quote(self, quote: Quote) -> None:
        """Take a price: fill waiting exits first, then the stop, then entries. Ignore an older price.

        Exits come before the stop, so that the stop closes only what they left.
        """
        with self._lock:
            known = self._quotes.get(quote.symbol)
            if known is not None and quote.at < known.at:
                return
            self._quotes[quote.symbol] = quote
            self._last_event_at = self._clock()
            held = self._holdings.get(quote.symbol)
            if held is not None:
                self._holdings[quote.symbol] = replace(held, mark=quote.price)
            self._work_all(quote.symbol, exits=True)
            self._fire_stop(quote)
            self._work_all(quote.symbol, exits=False)

    def _work_all(self, contract: str, *, exits: bool) -> None:
        for resting in list(self._resting):
            if resting.ticket.contract == contract and resting.ticket.is_exit == exits:
                with self._one_step():
                    self._work(resting)

    def _work(self, resting: RestingOrder, now: datetime | None = None) -> None:
        """Fill the order, cancel or reject it, or leave it waiting for a price."""
        ticket = resting.ticket
        now = now or self._clock()
        held = holding_for(ticket, self._holdings.get(ticket.contract))
        if ticket.has_expired(now):
            self._cancel(resting, "expired before a price to fill at")
        elif reason := _position_refusal(ticket, held):
            self._reject(resting, reason)
        elif (price := self._price_for(resting, held, now)) is not None:
            self._fill(resting, held, price, now)

    def _price_for(self, resting: RestingOrder, held: Holding, now: datetime) -> Decimal | None:
        """Return the price at which a market order fills now, None while there is none."""
        quote = self._quotes.get(resting.ticket.contract)
        if resting.ticket.is_exit:
            if quote is not None:
                return quote.price
            return held.mark if now - resting.placed_at >= EXIT_PATIENCE else None
        is_fresh = quote is not None and now - quote.at <= OLDEST_ENTRY_PRICE
        return quote.price if quote is not None and is_fresh else None

    def _fill(self, resting: RestingOrder, held: Holding, price: Decimal, now: datetime) -> None:
        """Fill the order; an exit larger than the position fills in part and its rest is cancelled."""
        ticket = resting.ticket
        qty = min(ticket.qty, abs(held.position)) if ticket.is_exit else ticket.qty
        worse = price + ticket.sign * self._slippage(held)
        execution, held = self._book_fill(ticket.id, held, ticket.sign * qty, worse, now)
        if not ticket.is_exit and ticket.stop_points is not None:
            held = with_stop(held, ticket.stop_points, point_of(ticket))
        self._keep(held)
        self._end(resting)
        self._send(OrderExecuted(ticket.id, execution))
        if qty < ticket.qty:
            reason = f"only {qty} contracts were open"
            self._books.finish(ticket.id, "CANCELLED", reason)
            self._send(OrderCancelled(ticket.id, reason))
        else:
            self._books.finish(ticket.id, "FILLED")
        self._send(PositionChanged(held.contract))

    def _fire_stop(self, quote: Quote) -> None:
        """Close the position when the price reaches its protective stop."""
        held = self._holdings.get(quote.symbol)
        stop = held.protective_stop if held is not None else None
        if held is None or stop is None:
            return
        price = stop_fill_price(stop, quote.price, self._slippage(held))
        if price is None:
            return
        with self._one_step():
            execution, flat = self._book_fill(STOP_TAG, held, -held.position, price, self._clock())
            self._keep(flat)
            commission = self._settings.commission * execution.qty
            self._send(
                UnorderedFill(
                    contract=held.contract, side=stop.side, kind="STOP", execution=execution, commission=commission
                )
            )
            self._send(PositionChanged(held.contract))
        logger.warning("protective stop filled", contract=stop.contract, qty=execution.qty, price=str(price))

    def _book_fill(
        self, tag: str, held: Holding, signed_qty: int, price: Decimal, now: datetime
    ) -> tuple[Execution, Holding]:
        self._last_event_at = now
        execution = self._books.add_fill(tag, held.contract, signed_qty, price, now)
        held = after_fill(held, signed_qty, price, now, self._settings.commission)
        quote = self._quotes.get(held.contract)
        return execution, replace(held, mark=quote.price if quote is not None else held.mark)

    def _slippage(self, held: Holding) -> Decimal:
        return self._settings.slippage_ticks * held.tick_size

    def _cancel(self, resting: RestingOrder, reason: str) -> None:
        self._end(resting)
        self._books.finish(resting.ticket.id, "CANCELLED", reason)
        self._send(OrderCancelled(resting.ticket.id, reason))

    def _reject(self, resting: RestingOrder, reason: str) -> None:
        self._end(resting)
        self._books.finish(resting.ticket.id, "REJECTED", reason)
        self._send(OrderRejected(resting.ticket.id, reason))

    def _end(self, resting: RestingOrder) -> None:
        self._resting.remove(resting)

    def _keep(self, held: Holding) -> None:
        self._books.keep(held)
        self._holdings[held.contract] = held

    def _keep_marks(self) -> None:
        """Store the last prices of open positions for the time after a restart."""
        written = self._books.holdings()
        for held in self._holdings.values():
            if held.position and written[held.contract].mark != held.mark:
                self._books.keep(held)

    def _is_listed(self, held: Holding) -> bool:
        if held.position or held.last_fill_at is None:
            return bool(held.position)
        return self._clock() - held.last_fill_at <= LISTED_AFTER_LAST_FILL

    def _send(self, event: BrokerEvent) -> None:
        if self._listener is not None:
            self._listener.on_broker_event(event)

    @contextmanager
    def _one_step(self) -> Iterator[None]:
        """Change memory and ledger together: when the transaction fails, memory is read again from the ledger."""
        with self._lock:
            try:
                with self._ledger.transaction():
                    yield
            except BaseException:
                self._read_books()
                raise

    def _read_books(self) -> None:
        self._holdings = self._books.holdings()
        self._resting = self._books.resting()


def _position_refusal(ticket: OrderTicket, held: Holding) -> str | None:
    """Return the reason why the position does not allow the order, None when it does."""
    if ticket.kind == "SCALE_IN" and not held.position:
        return "no position to scale into"
    if not ticket.is_exit:
        return None
    if not held.position:
        return "no position"
    if ticket.side != held.closing_side:
        return f"a {ticket.side} does not close a position of {held.position}"
    return None
