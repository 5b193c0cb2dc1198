"""``WS /ws/stream`` of the data service: prices, candles at their close, the best bid and ask (data-service.md)."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Collection, Iterable
from datetime import datetime

import structlog

from feeds.bars.store import BarStore
from feeds.bars.types import BarCandle
from feeds.bars.worker import BarWorker
from feeds.channels.data_bars import ask_bars
from feeds.channels.data_closes import Closes, Ended, Pair, is_whole
from feeds.channels.data_requests import Heard, RequestWrong, read_request
from feeds.channels.data_views import candle_data, orderbook_of, ticker_of
from feeds.desk import DeskPicture
from feeds.hub import Part
from feeds.price_keeper import PriceKeeper
from feeds.prices.types import PriceHeard
from services.market.instruments import INSTRUMENTS
from sidecar.keys import KeyDoor
from sidecar.local_sockets import LocalChannel, LocalClient
from sidecar.mailbox import Letter
from sidecar.problems import STATUS, ServiceRefused, problem_body
from sidecar.use import Use
from wire.bridge import QuoteEvent
from wire.data_service import (
    CandleMessage,
    OrderbookMessage,
    StreamErrorMessage,
    StreamProblem,
    SubscribedMessage,
    TickerData,
    TickerMessage,
)
from wire.encoding import encode

logger = structlog.get_logger(__name__)

TICKER_PAUSE_SECONDS = 0.1
"""A symbol's price is told at most so often."""

REQUESTS = 60
REQUESTS_SECONDS = 10.0
TOO_MANY_REQUESTS = 1008
WRONG_IN_A_ROW = 10


class Listener:
    """What is known of one program: what it hears, and how it has asked."""

    def __init__(self) -> None:
        self.heard = Heard()
        self.wrong = 0
        self.asked: deque[float] = deque(maxlen=REQUESTS)

    def is_flooding(self) -> bool:
        """Count a request and return whether they are too many."""
        now = time.monotonic()
        is_full = len(self.asked) == REQUESTS and now - self.asked[0] < REQUESTS_SECONDS
        self.asked.append(now)
        return is_full


class DataStream(LocalChannel, Part):
    """The connected programs. It hears the desk after the price keeper."""

    def __init__(self, use: Use, keys: KeyDoor | None, keeper: PriceKeeper, bars: BarWorker) -> None:
        """Tell what `keeper` hears, and the candles of `bars`."""
        super().__init__(use, "prices:read", keys)
        self._keeper = keeper
        self._bars = bars
        self._listeners: dict[LocalClient, Listener] = {}
        self._told: dict[str, TickerData] = {}
        self._resting: set[str] = set()
        self._closes = Closes()
        self._reading: asyncio.Task[None] | None = None

    # -- connections --------------------------------------------------------------------------------------------

    def fault_of(self, status: int, sentence: str) -> bytes:
        """Return a refusal in the words of this service."""
        return problem_body("invalid_parameter" if status == STATUS["invalid_parameter"] else "busy", sentence)

    def expect(self, client: LocalClient) -> None:
        """Begin with nothing heard."""
        self._listeners[client] = Listener()

    def farewell(self, client: LocalClient) -> None:
        """Forget a program."""
        self._listeners.pop(client, None)

    def hear(self, client: LocalClient, text: str | None) -> None:
        """Obey a request, or answer what is wrong with it."""
        listener = self._listeners[client]
        if listener.is_flooding():
            client.close(TOO_MANY_REQUESTS, "too many requests")
            return
        try:
            request = read_request(text, INSTRUMENTS)
        except RequestWrong as error:
            listener.wrong += 1
            problem = StreamProblem(code=error.code, message=str(error))
            client.send(Letter("error", encode(StreamErrorMessage(data=problem))))
            if listener.wrong >= WRONG_IN_A_ROW:
                client.close(TOO_MANY_REQUESTS, "too many wrong requests in a row")
            return
        listener.wrong = 0
        before, listener.heard = listener.heard, listener.heard.after(request)
        client.send(Letter("subscribed", encode(SubscribedMessage(data=listener.heard.as_told()))))
        for symbol in sorted(listener.heard.ticker - before.ticker):
            self._send_price([client], symbol, is_ticker=True)
        for symbol in sorted(listener.heard.orderbook - before.orderbook):
            self._send_price([client], symbol, is_ticker=False)

    # -- prices -------------------------------------------------------------------------------------------------

    def on_quote(self, quote: QuoteEvent) -> None:
        """Tell the newest price of the asset."""
        if quote.asset is not None:
            self._tell_price(quote.asset)

    def on_desk(self, desk: DeskPicture) -> None:
        """Tell the prices that came with the state after an interruption."""
        for symbol in desk.assets():
            self._tell_price(symbol)

    def _tell_price(self, symbol: str) -> None:
        """Tell a price that is new, unless one was told a moment ago: then the newest follows."""
        price = self._price(symbol)
        if not self._listeners or symbol in self._resting or price is None:
            return
        ticker = ticker_of(price)
        if self._told.get(symbol) == ticker:  # the state says a price again that its own message has told
            return
        self._told[symbol] = ticker
        self._resting.add(symbol)
        asyncio.get_running_loop().call_later(TICKER_PAUSE_SECONDS, self._end_rest, symbol)
        self._send_price(self._hearers(symbol, is_ticker=True), symbol, is_ticker=True)
        self._send_price(self._hearers(symbol, is_ticker=False), symbol, is_ticker=False)

    def _end_rest(self, symbol: str) -> None:
        self._resting.discard(symbol)
        self._tell_price(symbol)

    def _send_price(self, clients: Iterable[LocalClient], symbol: str, *, is_ticker: bool) -> None:
        price = self._price(symbol)
        letter = None if price is None else _ticker_letter(price) if is_ticker else _book_letter(price)
        if letter is not None:
            for client in clients:
                client.send(letter)

    def _hearers(self, symbol: str, *, is_ticker: bool) -> list[LocalClient]:
        listening = self._listeners.items()
        return [one for one, how in listening if symbol in (how.heard.ticker if is_ticker else how.heard.orderbook)]

    def _price(self, symbol: str) -> PriceHeard | None:
        book = self._keeper.book
        return None if book is None else book.last(symbol)

    # -- candles ------------------------------------------------------------------------------------------------

    def on_second(self, now: datetime) -> None:
        """Have the candles read whose periods have ended."""
        self._closes.pass_time(now, self._wanted())
        if self._closes.awaited and (self._reading is None or self._reading.done()):
            self._reading = asyncio.get_running_loop().create_task(self._tell_closed(now))

    def _wanted(self) -> Collection[Pair]:
        return {pair for listener in self._listeners.values() for pair in listener.heard.candles}

    async def _tell_closed(self, now: datetime) -> None:
        awaited = [(one, self._is_simulated(one.symbol)) for one in self._closes.awaited]
        try:
            found = await ask_bars(self._bars, lambda store: closed_candles(store, awaited, now))
        except ServiceRefused as error:
            logger.info("candles are told later", reason=error.code)
            return
        self._closes.settle(found)
        for ended, candle in found:
            self._send_candle(ended, candle)

    def _send_candle(self, ended: Ended, candle: BarCandle) -> None:
        letter = Letter("candle", encode(CandleMessage(data=candle_data(candle, ended.timeframe))))
        for client, listener in tuple(self._listeners.items()):
            if (ended.symbol, ended.timeframe) in listener.heard.candles:
                client.send(letter)

    def _is_simulated(self, symbol: str) -> bool:
        price = self._price(symbol)
        return price is not None and price.simulated


def closed_candles(
    store: BarStore, awaited: Iterable[tuple[Ended, bool]], now: datetime
) -> list[tuple[Ended, BarCandle]]:
    """Read the candles of periods that have ended, each with whether it is of the simulated market; the whole ones."""
    found: list[tuple[Ended, BarCandle]] = []
    for ended, simulated in awaited:
        last = store.last(ended.symbol, simulated=simulated)
        newest = None if last is None else last.t
        candles = store.candles(ended.symbol, ended.timeframe, ended.start, ended.end, 1, simulated=simulated)
        found.extend((ended, candle) for candle in candles if is_whole(candle, ended, newest, now))
    return found


def _ticker_letter(price: PriceHeard) -> Letter:
    return Letter("ticker", encode(TickerMessage(data=ticker_of(price))), ("ticker", price.asset))


def _book_letter(price: PriceHeard) -> Letter | None:
    book = orderbook_of(price)
    return None if book is None else Letter("orderbook", encode(OrderbookMessage(data=book)), ("book", price.asset))
