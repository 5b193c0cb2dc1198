"""The paper account: the wire of an MT4 account, prices of feeds, nobody's money. It is stored, and survives restarts.

A market order is filled at the newest price, which must be fresh. What rests and what protects a position is filled by
closed minutes (``fills.py``), whether or not anybody is connected.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import msgspec
import structlog
from msgspec import Struct

from advisor.mt4.asked import OrderAsked
from advisor.mt4.closings import CLOSE, answered, asked_of
from advisor.mt4.lots import LEVERAGE, LOTS, Lot
from advisor.mt4.paper_book import (
    PaperOrder,
    PaperPosition,
    closed,
    entry_deal,
    minute_of,
    opened,
)
from advisor.mt4.paper_minutes import let_minutes_pass
from advisor.mt4.paper_store import PaperStore
from advisor.mt4.paper_views import answer_of, closing_of, deal_row, order_row, position_row, state_of
from advisor.mt4.prices import FeedsPrices, Quote, tick_of, utc_now
from advisor.mt4.sides import refuse_off_tick, refuse_wrong_sides
from sidecar.problems import RETRY_SECONDS, ServiceRefused
from sidecar.queries import known_symbol
from wire.encoding import encode
from wire.mt4 import (
    AccountKind,
    AccountState,
    CloseAnswer,
    DealRow,
    Mt4Candle,
    Mt4Tick,
    Mt4Timeframe,
    OrderRow,
    PositionRow,
    TradeAnswer,
    UnknownClosing,
)

logger = structlog.get_logger(__name__)

PAPER = "paper"
LOOK_SECONDS = 5.0
MOST_OPEN = 200
"""Positions and resting orders together."""

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)


class Worth(Struct, frozen=True):
    """An open position and the newest price of its market, None when none is known."""

    position: PaperPosition
    price: Decimal | None

    @property
    def profit(self) -> Decimal | None:
        """What it makes or loses now."""
        lot = LOTS[self.position.symbol]
        return None if self.price is None else self.position.profit_at(self.price, self.position.volume, lot)


class PaperAccount:
    """The account. One act after the other: none sees half of another."""

    kind: AccountKind = "paper"
    id = PAPER

    def __init__(self, store: PaperStore, prices: FeedsPrices, clock: Callable[[], datetime] = utc_now) -> None:
        """Keep it in `store`; trade at `prices`."""
        self._store = store
        self._prices = prices
        self._clock = clock
        self._turn = asyncio.Lock()

    async def run(self) -> None:
        """Let the minutes pass, until the task is cancelled."""
        while True:
            try:
                async with self._turn:
                    await self._let_minutes_pass()
            except ServiceRefused as refused:
                logger.debug("the paper account waits", reason=refused.code)
            await asyncio.sleep(LOOK_SECONDS)

    # -- reading ------------------------------------------------------------------------------------------------

    async def connect(self) -> AccountState:
        """Return how the account is: there is nothing to reach."""
        return await self.status()

    async def disconnect(self) -> None:
        """Nothing is to be let go: what rests goes on to rest."""

    async def left(self) -> None:
        """Nothing is closed: there is no connection."""

    async def status(self) -> AccountState:
        """Return balance, equity and margin."""
        async with self._turn:
            await self._look()
            return state_of(PAPER, self._store.balance(), await self._worths())

    async def positions(self) -> tuple[PositionRow, ...]:
        """Return what is open."""
        async with self._turn:
            await self._look()
            return tuple(position_row(one.position, one.price, one.profit) for one in await self._worths())

    async def orders(self) -> tuple[OrderRow, ...]:
        """Return what rests."""
        async with self._turn:
            await self._look()
            return tuple(order_row(one) for one in self._store.orders())

    async def deals(self, limit: int) -> tuple[DealRow, ...]:
        """Return the newest fills."""
        async with self._turn:
            await self._look()
            return tuple(deal_row(number, deal) for number, deal in self._store.deals(limit))

    async def tick(self, symbol: str) -> Mt4Tick:
        """Return the newest price, which must be fresh: 503 `no_price` else."""
        return tick_of(await self._fresh(known_symbol(symbol, LOTS)))

    async def candles(self, symbol: str, timeframe: Mt4Timeframe, limit: int) -> tuple[Mt4Candle, ...]:
        """Return candles of the market whose price is the newest."""
        named = known_symbol(symbol, LOTS)
        newest = await self._prices.newest(named)
        is_simulated = newest is not None and newest.simulated
        return await self._prices.candles(named, timeframe, limit, simulated=is_simulated)

    # -- acts ---------------------------------------------------------------------------------------------------

    async def trade(self, order: OrderAsked) -> TradeAnswer:
        """Fill a market order at once, let any other rest. The same `key` again is answered as it was."""
        lot = LOTS[known_symbol(order.symbol, LOTS)]
        refuse_off_tick(order, lot.tick)
        async with self._turn:
            before = self._answered(order)
            if before is not None:
                return before
            await self._let_minutes_pass()
            state = state_of(PAPER, self._store.balance(), await self._worths())
            quote = await self._fresh(lot.symbol)  # last: everything above may have taken its time
            refuse_wrong_sides(order, quote.fill("SELL", lot.tick), quote.fill("BUY", lot.tick))
            self._refuse_without_margin(order, state, quote, lot)
            return self._place(order, quote, lot)

    async def close(self, position_id: str, volume: Decimal | None, name: str | None = None) -> CloseAnswer:
        """Close a position at the newest price of its market. A `name` is stored with what was done by it."""
        asked = asked_of(PAPER, position_id, volume)
        async with self._turn:
            before = None if name is None else self._store.answered(name, CLOSE)
            if before is not None:
                return answered(*before, asked)
            await self._let_minutes_pass()
            position = self._open_position(position_id)
            quantity = position.volume if volume is None else volume
            if quantity > position.volume:
                raise ServiceRefused(
                    "trade_refused", f"{position.volume:f} lots are held, fewer than {volume:f}", reason="volume_held"
                )
            lot = LOTS[position.symbol]
            price = (await self._leaving(position)).fill("SELL" if position.side == "BUY" else "BUY", lot.tick)
            deal = closed(position, quantity, price, "close", self._now(), lot)
            answer = closing_of(position, quantity, price)
            with self._store.changing() as change:
                change.closes(position, deal)
                if name is not None:
                    change.answers(name, asked, encode(answer).decode(), CLOSE)
        return answer

    async def cancel(self, order_id: str) -> None:
        """Take out a resting order. What was filled before is filled: 404, or 409 while its minute is not settled."""
        async with self._turn:
            touched = await self._let_minutes_pass()
            order = next((one for one in self._store.orders() if str(one.ticket) == order_id), None)
            if order is None:
                raise ServiceRefused("unknown_order", f"no order {order_id} rests: it was filled, or never was")
            if order.ticket in touched:
                raise ServiceRefused("trade_refused", f"the price has filled order {order_id}", reason="being_filled")
            with self._store.changing() as change:
                change.ends(order, "cancelled")

    def unknown(self) -> tuple[UnknownClosing, ...]:
        """Return nothing: what is done here is known."""
        return ()

    # -- within a turn ------------------------------------------------------------------------------------------

    async def _look(self) -> None:
        """Let the minutes pass for a reader, who also hears what is stored while feeds is away."""
        try:
            await self._let_minutes_pass()
        except ServiceRefused as refused:
            if refused.code != "no_price":
                raise

    async def _let_minutes_pass(self) -> set[int]:
        """Let every stored minute pass that was not looked at. Raises `ServiceRefused` while feeds is away."""
        return await let_minutes_pass(self._store, self._prices, self._clock().timestamp())

    async def _worths(self) -> list[Worth]:
        """Return what is open with its newest price, of any age."""
        worths: list[Worth] = []
        quotes: dict[tuple[str, bool], Quote | None] = {}
        for position in self._store.positions():
            market = position.symbol, position.simulated
            if market not in quotes:
                quotes[market] = await self._known(position)
            worths.append(Worth(position, _leaving_price(quotes[market], position)))
        return worths

    async def _known(self, position: PaperPosition) -> Quote | None:
        try:
            return await self._prices.newest(position.symbol, simulated=position.simulated)
        except ServiceRefused:
            return None  # feeds is away: the price is unknown

    async def _fresh(self, symbol: str) -> Quote:
        quote = await self._prices.newest(symbol)
        if quote is None or not quote.is_fresh(self._clock()):
            raise ServiceRefused("no_price", f"no fresh price of {symbol} is known", RETRY_SECONDS)
        return quote

    async def _leaving(self, position: PaperPosition) -> Quote:
        """Return the price at which a position may be closed. A simulated market that stands still has its last one."""
        quote = await self._prices.newest(position.symbol, simulated=position.simulated)
        if quote is None or not (position.simulated or quote.is_fresh(self._clock())):
            raise ServiceRefused("no_price", f"no fresh price of {position.symbol} is known", RETRY_SECONDS)
        return quote

    def _open_position(self, position_id: str) -> PaperPosition:
        found = next((one for one in self._store.positions() if str(one.ticket) == position_id), None)
        if found is None:
            raise ServiceRefused("unknown_position", f"no position {position_id} is open: it was closed, or never was")
        return found

    def _refuse_without_margin(self, order: OrderAsked, state: AccountState, quote: Quote, lot: Lot) -> None:
        """Refuse an order that the free margin does not carry; resting orders count as if they were filled."""
        resting = self._store.orders()
        if len(resting) + len(self._store.positions()) >= MOST_OPEN:
            raise ServiceRefused(
                "trade_refused", f"{MOST_OPEN} orders and positions are there already", reason="too_many"
            )
        if state.free_margin is None:
            raise ServiceRefused("no_price", "what is open has no known price, so the margin is unknown", RETRY_SECONDS)
        needed = lot.margin(order.price or quote.fill(order.side, lot.tick), order.volume)
        kept = sum((LOTS[one.symbol].margin(one.price, one.volume) for one in resting), Decimal(0))
        if needed + kept > state.free_margin:
            raise ServiceRefused(
                "trade_refused",
                f"it needs {needed:f} USD of margin at 1:{LEVERAGE}, more than is free",
                reason="margin",
            )

    def _place(self, order: OrderAsked, quote: Quote, lot: Lot) -> TradeAnswer:
        now = self._now()
        with self._store.changing() as change:
            placed = PaperOrder(
                ticket=change.ticket(),
                symbol=lot.symbol,
                action=order.action,
                volume=order.volume,
                price=order.price or quote.fill(order.side, lot.tick),
                stop_loss=order.stop_loss,
                take_profit=order.take_profit,
                comment=order.comment,
                placed_at=now,
                simulated=quote.simulated,
                next_minute=minute_of(now),
            )
            if order.is_market:
                position = opened(placed, placed.price, now, placed.next_minute)
                change.opens(position, entry_deal(position, "market"))
            else:
                change.rests(placed)
            answer = answer_of(placed, is_filled=order.is_market)
            if order.key is not None:
                change.answers(order.key, _request_of(order), encode(answer).decode())
        return answer

    def _answered(self, order: OrderAsked) -> TradeAnswer | None:
        """Return what the same order was answered before. Raises `ServiceRefused` (409) for another of its name."""
        before = None if order.key is None else self._store.answered(order.key)
        if before is None:
            return None
        if before[0] != _request_of(order):
            raise ServiceRefused("trade_refused", "this Idempotency-Key named another order", reason="key_reused")
        return msgspec.json.decode(before[1], type=TradeAnswer)

    def _now(self) -> int:
        return (self._clock() - EPOCH) // MICROSECOND


def _leaving_price(quote: Quote | None, position: PaperPosition) -> Decimal | None:
    """Return at what price a position is valued: the side that it would be closed at."""
    if quote is None:
        return None
    side = quote.bid if position.side == "BUY" else quote.ask
    return side if side is not None else quote.last


def _request_of(order: OrderAsked) -> str:
    return encode(order).decode()
