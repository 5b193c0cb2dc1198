"""What a client of the market WebSocket asks for: parsing of its messages, and what it is subscribed to (pure)."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from types import MappingProxyType
from typing import Any, Literal

import msgspec
from msgspec import Struct

from wire.keys import Scope
from wire.market import Acknowledged, MarketChannelName, MarketErrorCode

QUOTES: MarketChannelName = "quotes"
STATES: MarketChannelName = "states"
IN_FORCE: MarketChannelName = "alerts.in_force"
BREAKS: MarketChannelName = "alerts.simultaneous_breaks"
SCOPE_OF: Mapping[MarketChannelName, Scope] = MappingProxyType(
    {QUOTES: "prices:read", STATES: "states:read", IN_FORCE: "alerts:read", BREAKS: "alerts:read"}
)
BY_SYMBOL = (QUOTES, STATES)
MOST_TOPICS = 100
MOST_SYMBOLS = 500
OPS = ("subscribe", "unsubscribe")


class RequestUnreadable(Exception):
    """A client's message cannot be read; the message is one sentence, ``code`` says which rule it broke."""

    def __init__(self, code: MarketErrorCode, sentence: str) -> None:
        """Name the rule."""
        super().__init__(sentence)
        self.code = code


class Topic(Struct, frozen=True):
    """One channel of a request; its symbols are as the client wrote them."""

    channel: str
    symbols: tuple[str, ...]


class TopicsRequest(Struct, frozen=True):
    """A request of the client."""

    op: Literal["subscribe", "unsubscribe"]
    topics: tuple[Topic, ...]


def read_request(text: str | None) -> TopicsRequest:
    """Read a text message; None stands for a binary one. Raises `RequestUnreadable`."""
    if text is None:
        raise RequestUnreadable("binary_frame", "messages are text, this one was binary")
    try:
        message = msgspec.json.decode(text)
    except msgspec.DecodeError as error:
        raise RequestUnreadable("not_json", f"the message is not JSON: {error}") from error
    except RecursionError as error:
        raise RequestUnreadable("not_json", "the message is nested too deeply") from error
    if not isinstance(message, dict):
        raise RequestUnreadable("not_an_object", "the message must be an object with op and topics")
    op = message.get("op")
    if op not in OPS:
        raise RequestUnreadable("unknown_op", f"op must be one of {', '.join(OPS)}")
    return TopicsRequest(op, _topics(message.get("topics")))


def _topics(listed: Any) -> tuple[Topic, ...]:
    if not isinstance(listed, list):
        raise RequestUnreadable("topics_invalid", "topics must be a list of objects with a channel")
    if len(listed) > MOST_TOPICS:
        raise RequestUnreadable("too_many_topics", f"a message may name {MOST_TOPICS} topics")
    topics = tuple(_topic(one) for one in listed)
    if sum(len(topic.symbols) for topic in topics) > MOST_SYMBOLS:
        raise RequestUnreadable("too_many_topics", f"a message may name {MOST_SYMBOLS} symbols")
    return topics


def _topic(one: Any) -> Topic:
    if not isinstance(one, dict) or not isinstance(one.get("channel"), str):
        raise RequestUnreadable("topics_invalid", "each topic must be an object with a channel")
    symbols = one.get("symbols")
    if symbols is None:
        symbols = []
    if not isinstance(symbols, list) or not all(isinstance(symbol, str) for symbol in symbols):
        raise RequestUnreadable("topics_invalid", "symbols must be a list of strings")
    return Topic(one["channel"], tuple(symbols))


class Subscriptions:
    """What one socket hears."""

    def __init__(self) -> None:
        """Hear nothing."""
        self._symbols: dict[str, set[str]] = {QUOTES: set(), STATES: set()}
        self._whole: set[str] = set()

    def hears(self, channel: MarketChannelName, symbol: str | None = None) -> bool:
        """Return whether it hears a channel, of one symbol where the channel has symbols."""
        return channel in self._whole if symbol is None else symbol in self._symbols[channel]

    def subscribe(self, request: TopicsRequest, scopes: Collection[str], known: Collection[str]) -> Acknowledged:
        """Add what the key's scopes allow and the desk trades; the rest is left out without an error."""
        channels: dict[MarketChannelName, None] = {}
        taken: dict[str, dict[str, None]] = {}
        for topic in request.topics:
            channel = _known_channel(topic.channel)
            if channel is None or SCOPE_OF[channel] not in scopes:
                continue
            if channel not in BY_SYMBOL:
                self._whole.add(channel)
                channels[channel] = None
                continue
            symbols = [symbol for symbol in map(_spelled, topic.symbols) if symbol in known]
            if symbols:
                self._symbols[channel].update(symbols)
                channels[channel] = None
                taken.setdefault(channel, {}).update(dict.fromkeys(symbols))
        return _acknowledged(channels, taken)

    def unsubscribe(self, request: TopicsRequest) -> Acknowledged:
        """Remove symbols, or the whole channel when none are named."""
        channels: dict[MarketChannelName, None] = {}
        taken: dict[str, dict[str, None]] = {}
        for topic in request.topics:
            channel = _known_channel(topic.channel)
            if channel is None:
                continue
            channels[channel] = None
            self._whole.discard(channel)
            if channel in BY_SYMBOL:
                symbols = {_spelled(symbol) for symbol in topic.symbols} or set(self._symbols[channel])
                gone = sorted(self._symbols[channel] & symbols)
                self._symbols[channel].difference_update(gone)
                taken.setdefault(channel, {}).update(dict.fromkeys(gone))
        return _acknowledged(channels, taken)

    def keep_only(self, scopes: Collection[str]) -> None:
        """End the channels whose scope the key has lost."""
        for channel, scope in SCOPE_OF.items():
            if scope not in scopes:
                self._whole.discard(channel)
                if channel in BY_SYMBOL:
                    self._symbols[channel].clear()


def _known_channel(name: str) -> MarketChannelName | None:
    return next((channel for channel in SCOPE_OF if channel == name), None)


def _spelled(symbol: str) -> str:
    return symbol.strip().upper()


def _acknowledged(channels: Mapping[MarketChannelName, None], taken: Mapping[str, Mapping[str, None]]) -> Acknowledged:
    return Acknowledged(
        channels=tuple(channels), symbols={channel: tuple(symbols) for channel, symbols in taken.items()}
    )
