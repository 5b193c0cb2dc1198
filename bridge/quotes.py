"""Last prices for the paper broker: from the desk's stream, or from a tape."""

import re
import threading
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Protocol

import msgspec
import requests
import structlog
import urllib3

from bridge.client import DeskClient, DeskUnavailable
from bridge.clock import Clock
from bridge.jobs import Work
from wire.bridge import Quote, decode_quote

logger = structlog.get_logger(__name__)

SILENCE_SECONDS = 15.0
"""The desk sends a ping every 2 s; a stream without a byte for this long is dead."""

LONGEST_TAPE_PAUSE_SECONDS = 5.0
LONGEST_LINE_BYTES = 65_536

TRADES_BELOW_ZERO = re.compile(r"M?CL[FGHJKMNQUVXZ]\d", re.ASCII)
"""Contracts of crude oil."""

QuoteSink = Callable[[Quote], None]


class PriceFeed(Protocol):
    """A source of last prices."""

    def is_live(self) -> bool:
        """Return whether prices are arriving."""

    def follow(self, sink: QuoteSink, stop: threading.Event) -> Work:
        """Return the work of a job: pass prices to `sink` until the source ends or `stop` is set."""


class DeskFeed:
    """The desk's own last prices, over ``GET /api/stream?topics=quotes``."""

    def __init__(self, desk: DeskClient, clock: Clock) -> None:
        """Listen to `desk`; a price without a time gets the time of `clock`."""
        self._desk = desk
        self._clock = clock
        self._live = False

    def is_live(self) -> bool:
        """Return whether the stream is open; comments keep it open while no price changes."""
        return self._live

    def follow(self, sink: QuoteSink, stop: threading.Event) -> Work:
        """Return the work of a job: listen until the stream ends; it raises `DeskUnavailable` when none arrives."""
        return lambda: self._listen(sink, stop)

    def _listen(self, sink: QuoteSink, stop: threading.Event) -> bool:
        try:
            with self._desk.open_quotes(SILENCE_SECONDS) as stream:
                for name, event in events_of(chunks_of(stream)):
                    self._live = True
                    if name == "quote":
                        self._pass_on(event, sink)
                    if stop.is_set():
                        break
        except DeskUnavailable as error:
            if not self._live:
                raise
            logger.warning("prices interrupted", reason=str(error))
        finally:
            self._live = False
        return True

    def _pass_on(self, event: str, sink: QuoteSink) -> None:
        try:
            quote = decode_quote(event, self._clock())
        except msgspec.DecodeError as error:
            logger.warning("a quote cannot be read", reason=str(error))
            return
        if _is_a_price(quote):
            sink(quote)


class TapeFeed:
    """Prices from a file of lines ``{"symbol": "MESZ6", "price": 5250.25, "ts": "..."}``, sent with the current time.

    The gaps between the lines' times are kept, up to 5 s each; after the last line the last prices repeat.
    """

    def __init__(self, path: Path, clock: Clock) -> None:
        """Play the file at `path`."""
        self._path = path
        self._clock = clock
        self._live = False

    def is_live(self) -> bool:
        """Return whether the tape is playing."""
        return self._live

    def follow(self, sink: QuoteSink, stop: threading.Event) -> Work:
        """Return the work of a job: play the tape, then repeat its last prices."""
        return lambda: self._play(sink, stop)

    def _play(self, sink: QuoteSink, stop: threading.Event) -> bool:
        self._live = True
        last: dict[str, Quote] = {}
        for pause_seconds, quote in self._lines():
            if stop.wait(pause_seconds):
                return False
            last[quote.symbol] = quote
            sink(msgspec.structs.replace(quote, at=self._clock()))
        while last and not stop.wait(LONGEST_TAPE_PAUSE_SECONDS):
            for quote in last.values():
                sink(msgspec.structs.replace(quote, at=self._clock()))
        self._live = False
        return False

    def _lines(self) -> Iterator[tuple[float, Quote]]:
        before: datetime | None = None
        for line in self._path.read_text(encoding="utf-8-sig").splitlines():
            if not line.strip():
                continue
            quote = decode_quote(line, self._clock())
            if not _is_a_price(quote):
                continue
            gap = (quote.at - before).total_seconds() if before else 0.0
            before = quote.at
            yield min(LONGEST_TAPE_PAUSE_SECONDS, max(0.0, gap)), quote


def _is_a_price(quote: Quote) -> bool:
    """Return whether the market can trade at the price (SPEC 3): at 0 every stop of a long would fire."""
    if quote.price > 0 or TRADES_BELOW_ZERO.match(quote.symbol):
        return True
    logger.warning("a quote at which no market trades is passed over", symbol=quote.symbol, price=str(quote.price))
    return False


def chunks_of(stream: requests.Response) -> Iterator[bytes]:
    """Yield the bytes of an answer as they arrive; raises `DeskUnavailable` on a timeout or a broken connection."""
    raw: urllib3.HTTPResponse = stream.raw
    try:
        while chunk := raw.read1(LONGEST_LINE_BYTES):
            yield chunk
    except (urllib3.exceptions.HTTPError, OSError) as error:
        raise DeskUnavailable(f"the stream of prices broke: {type(error).__name__}") from error


def events_of(chunks: Iterable[bytes]) -> Iterator[tuple[str, str]]:
    """Parse server-sent events into (name, text) as the HTML standard has it.

    A comment yields ``("", "")``, so that the reader knows the stream is alive. An unfinished last event is dropped.
    """
    name = "message"
    texts = list[str]()
    for line in lines_of(chunks):
        if line.startswith(b":"):
            yield "", ""
        elif not line:
            if texts:
                yield name, "\n".join(texts)
            name = "message"
            texts = []
        else:
            field, _, value = line.decode("utf-8", "replace").partition(":")
            value = value.removeprefix(" ")
            if field == "event":
                name = value
            elif field == "data":
                texts.append(value)


def lines_of(chunks: Iterable[bytes]) -> Iterator[bytes]:
    r"""Split a stream of bytes into lines that end with ``\n``, ``\r\n`` or ``\r``, also across chunks."""
    rest = b""
    skip_newline = False
    for chunk in chunks:
        if skip_newline and chunk.startswith(b"\n"):
            chunk = chunk[1:]
        skip_newline = chunk.endswith(b"\r")
        lines = (rest + chunk).replace(b"\r\n", b"\n").replace(b"\r", b"\n").split(b"\n")
        rest = lines.pop()
        if len(rest) > LONGEST_LINE_BYTES:
            raise DeskUnavailable("the stream of prices sends a line without end")
        yield from lines
