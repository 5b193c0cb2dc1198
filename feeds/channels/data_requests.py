"""What a program on the data service's stream asks for, and what it hears then (pure)."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any, Literal, get_args

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from services.market.instruments import resolve_asset
from sidecar.queries import ALSO_SPELLED, TIMEFRAMES
from wire.data_service import DataChannel, DataTimeframe, StreamFault, StreamSubscription

CHANNELS: tuple[DataChannel, ...] = get_args(DataChannel)
ACTIONS = ("subscribe", "unsubscribe")
USUAL_TIMEFRAMES: tuple[DataTimeframe, ...] = ("1m",)
MOST_NAMES = 100
FIELDS = frozenset({"action", "channels", "symbols", "timeframes"})


class RequestWrong(Exception):
    """A request cannot be obeyed; the message is one sentence, ``code`` says why."""

    def __init__(self, code: StreamFault, sentence: str) -> None:
        """Name the code."""
        super().__init__(sentence)
        self.code: StreamFault = code


class StreamRequest(Struct, frozen=True, kw_only=True):
    """A request whose names are all known. ``timeframes`` is None when none were named."""

    action: Literal["subscribe", "unsubscribe"]
    channels: frozenset[DataChannel]
    symbols: frozenset[str]
    timeframes: frozenset[DataTimeframe] | None


class Heard(Struct, frozen=True):
    """What one program hears: symbols by channel, and the timeframes of each symbol's candles."""

    ticker: frozenset[str] = frozenset()
    orderbook: frozenset[str] = frozenset()
    candles: frozenset[tuple[str, DataTimeframe]] = frozenset()

    def after(self, request: StreamRequest) -> Heard:
        """Return what it hears after a request."""
        return self._more(request) if request.action == "subscribe" else self._less(request)

    def _more(self, request: StreamRequest) -> Heard:
        timeframes = request.timeframes or frozenset(USUAL_TIMEFRAMES)
        pairs = frozenset((symbol, one) for symbol in request.symbols for one in timeframes)
        return replace(
            self,
            ticker=self.ticker | (request.symbols if "ticker" in request.channels else frozenset()),
            orderbook=self.orderbook | (request.symbols if "orderbook" in request.channels else frozenset()),
            candles=self.candles | (pairs if "candles" in request.channels else frozenset()),
        )

    def _less(self, request: StreamRequest) -> Heard:
        """End the named channels of the named symbols; without channels all of them, without symbols for all."""
        channels = request.channels or frozenset(CHANNELS)

        def ends(symbol: str, timeframe: DataTimeframe | None = None) -> bool:
            is_named = not request.symbols or symbol in request.symbols
            return is_named and (timeframe is None or not request.timeframes or timeframe in request.timeframes)

        return Heard(
            ticker=frozenset(one for one in self.ticker if "ticker" not in channels or not ends(one)),
            orderbook=frozenset(one for one in self.orderbook if "orderbook" not in channels or not ends(one)),
            candles=frozenset(pair for pair in self.candles if "candles" not in channels or not ends(*pair)),
        )

    def as_told(self) -> StreamSubscription:
        """Return it as the answer to a request tells it."""
        by_channel = {"ticker": self.ticker, "candles": self.candles, "orderbook": self.orderbook}
        timeframes = {timeframe for _, timeframe in self.candles}
        symbols = self.ticker | self.orderbook | {symbol for symbol, _ in self.candles}
        return StreamSubscription(
            channels=tuple(channel for channel in CHANNELS if by_channel[channel]),
            symbols=tuple(sorted(symbols)),
            timeframes=tuple(one for one in TIMEFRAMES if one in timeframes),
        )


def read_request(text: str | None, known: Collection[str]) -> StreamRequest:
    """Read a text message; None stands for a binary one. Raises `RequestWrong`; then nothing of it is obeyed."""
    if text is None:
        raise RequestWrong("binary_frame", "messages are text, this one was binary")
    try:
        message = msgspec.json.decode(text)
    except (msgspec.DecodeError, RecursionError) as error:
        raise RequestWrong("not_json", f"the message is not JSON: {error}") from error
    if not isinstance(message, dict) or message.get("action") not in ACTIONS:
        raise RequestWrong("unknown_action", f"the message must be an object whose action is {' or '.join(ACTIONS)}")
    unknown = sorted(set(message) - FIELDS)
    if unknown:
        raise RequestWrong("invalid_request", f"{unknown[0][:40]!r} is no field of a request")
    request = StreamRequest(
        action=message["action"],
        channels=frozenset(_channel(name) for name in _names(message, "channels")),
        symbols=frozenset(_symbol(name, known) for name in _names(message, "symbols")),
        timeframes=frozenset(_timeframe(name) for name in _names(message, "timeframes")) or None,
    )
    if request.action == "subscribe" and not (request.channels and request.symbols):
        raise RequestWrong("invalid_request", "subscribe needs channels and symbols")
    return request


def _names(message: dict[str, Any], field: str) -> Sequence[str]:
    named = message.get(field)
    if named is None:
        return ()
    if not isinstance(named, list) or not all(isinstance(one, str) for one in named):
        raise RequestWrong("invalid_request", f"{field} must be a list of strings")
    if len(named) > MOST_NAMES:
        raise RequestWrong("too_many", f"{field} may have {MOST_NAMES} names")
    return named


def _channel(name: str) -> DataChannel:
    found = next((channel for channel in CHANNELS if channel == name), None)
    if found is None:
        raise RequestWrong("unknown_channel", f"{name[:40]!r} is no channel: there are {', '.join(CHANNELS)}")
    return found


def _symbol(name: str, known: Collection[str]) -> str:
    found = resolve_asset(name.strip(), known)
    if found is None:
        raise RequestWrong("unknown_symbol", f"{name[:40]!r} is no symbol of this service: {', '.join(known)}")
    return found


def _timeframe(name: str) -> DataTimeframe:
    spelled = ALSO_SPELLED.get(name, name)
    found = next((timeframe for timeframe in TIMEFRAMES if timeframe == spelled), None)
    if found is None:
        raise RequestWrong("invalid_request", f"{name[:40]!r} is no timeframe: there are {', '.join(TIMEFRAMES)}")
    return found
