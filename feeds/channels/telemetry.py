"""``WS :8081`` on any path: what a chart needs. A snapshot of each asset, then ticks, bricks and markers.

Contract: docs/reference/contracts/local-feeds.md. Bricks are read from web (``GET /api/bricks``) when it comes, and
when the numbers of those heard show a gap; in between they are heard.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import msgspec
import structlog

from feeds.desk import DeskPicture
from feeds.fills import PositionFill, fills_of
from feeds.hub import Part
from feeds.levels import levels_of, price_of
from sidecar.keys import KeyDoor
from sidecar.local_sockets import LocalChannel, LocalClient
from sidecar.mailbox import Letter
from sidecar.use import Use
from sidecar.web import DeskAway, WebClient
from wire.answers import BrickRow, BricksAnswer
from wire.bridge import QuoteEvent
from wire.encoding import encode
from wire.events import EventRow
from wire.local_feeds import (
    BrickMessage,
    BrickSeries,
    MarkerMessage,
    TelemetryBrick,
    TelemetryOrder,
    TelemetrySnapshot,
    TickMessage,
)
from wire.stream import BrickHeard
from wire.tradingview import STREAMS

logger = structlog.get_logger(__name__)

BRICKS_SHOWN = 200
AGAIN_SECONDS = 1.0
OLDEST_MARKER = timedelta(minutes=5)
SIZES = tuple(row.points for row in STREAMS)

Series = tuple[str, Decimal]
_answers = msgspec.json.Decoder(BricksAnswer)


class TelemetryChannel(LocalChannel, Part):
    """The charts that are connected, and what the next one begins with."""

    def __init__(
        self,
        use: Use,
        keys: KeyDoor | None,
        desk: DeskPicture,
        web: WebClient,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        super().__init__(use, "prices:read", keys)
        self._desk = desk
        self._web = web
        self._clock = clock
        self._bricks: dict[Series, deque[TelemetryBrick]] = {}
        self._to_read: set[Series] = set()
        self._heard: dict[Series, int] = {}  # the number of the newest brick of each series
        self._must_read = asyncio.Event()
        self._was_up = False
        self._markers: dict[str, MarkerMessage] = {}

    # -- what the desk tells --------------------------------------------------------------------------------------

    def on_desk(self, desk: DeskPicture) -> None:
        """Say when web went; when it came, read every series: the numbers of its bricks begin anew with its process."""
        came = desk.is_up and not self._was_up
        if self._was_up and not desk.is_up:
            self._send_snapshots(desk.assets())
        self._was_up = desk.is_up
        known = {(symbol, size) for symbol in desk.assets() for size in SIZES}
        missing = known if came else known - self._bricks.keys() - self._to_read
        if came:
            self._heard.clear()
        if desk.is_up and missing:
            self._to_read |= missing
            self._must_read.set()

    def on_quote(self, quote: QuoteEvent) -> None:
        """Send the price."""
        if quote.asset is None or not self.clients:
            return
        tick = TickMessage(
            symbol=quote.asset,
            ts=quote.ts or self._clock(),
            price=quote.price,
            size=quote.size,
            bid=quote.bid,
            ask=quote.ask,
            source=quote.source or "heartbeat",
            simulated=quote.simulated,
        )
        self.send_to_all(Letter("tick", encode(tick), ("tick", quote.asset)))

    def on_brick(self, brick: BrickHeard) -> None:
        """Send the brick, and read the series anew when one before it was missed."""
        series = (brick.asset, brick.size)
        self._heard[series] = brick.n
        bricks = self._bricks.get(series)
        if bricks is not None and bricks and brick.n == bricks[-1].n + 1:
            bricks.append(_shown(brick))
        elif series not in self._to_read:
            self._to_read.add(series)
            self._must_read.set()
        self.send_to_all(Letter("brick", encode(_message(brick))))

    def on_fact(self, event: EventRow) -> None:
        """Remember the markers of an event. The same event may be heard again: a marker has the event's id."""
        for place, fill in enumerate(fills_of(event)):
            marker = _marker(fill, place)
            self._markers[marker.id] = marker

    def on_facts_stored(self) -> None:
        """Send the markers that are not from long ago."""
        markers = tuple(self._markers.values())
        self._markers.clear()
        for marker in markers:
            if marker.ts >= self._clock() - OLDEST_MARKER:
                self.send_to_all(Letter("marker", encode(marker)))

    # -- snapshots ------------------------------------------------------------------------------------------------

    def welcome(self, client: LocalClient) -> None:
        """Send what charts begin with."""
        for symbol in self._desk.assets():
            client.send(self._snapshot(symbol))

    def _send_snapshots(self, symbols: Iterable[str]) -> None:
        for symbol in symbols if self.clients else ():
            self.send_to_all(self._snapshot(symbol))

    def _snapshot(self, symbol: str) -> Letter:
        asset = self._desk.asset(symbol) or {}
        series = {size: self._bricks.get((symbol, size)) for size in SIZES}
        snapshot = TelemetrySnapshot(
            symbol=symbol,
            ts=self._clock(),
            degraded=not self._desk.is_up,
            complete=not any((symbol, size) in self._to_read or bricks is None for size, bricks in series.items()),
            series=tuple(BrickSeries(size=size, bricks=tuple(bricks or ())) for size, bricks in series.items()),
            orders=tuple(_order(order) for order in self._desk.orders() if order.get("asset") == symbol),
            levels=levels_of(asset),
            last_price=price_of(asset.get("last_price")),
            simulated=asset.get("simulated"),
        )
        return Letter("snapshot", encode(snapshot), ("snapshot", symbol))

    # -- reading bricks of web ------------------------------------------------------------------------------------

    async def run(self) -> None:
        """Read series that are not known whole, until the task is cancelled."""
        while True:
            await self._must_read.wait()
            self._must_read.clear()
            read = {series[0] for series in tuple(self._to_read) if await self._read(series)}
            self._send_snapshots(symbol for symbol in self._desk.assets() if symbol in read)
            if self._to_read:
                await asyncio.sleep(AGAIN_SECONDS)
                self._must_read.set()

    async def _read(self, series: Series) -> bool:
        """Read one series. Return whether it is known now; what cannot be read is tried again."""
        symbol, size = series
        if symbol not in self._desk.assets():
            self._to_read.discard(series)
            return False
        try:
            answer = await self._web.get("/api/bricks", asset=symbol, size=f"{size:f}", limit=BRICKS_SHOWN)
            found = _answers.decode(answer)
        except DeskAway:
            return False
        except msgspec.MsgspecError as error:
            logger.warning("the bricks cannot be read", symbol=symbol, size=str(size), reason=str(error))
            return False
        newest = found.bricks[-1].n if found.bricks else 0
        if not found.complete or newest < self._heard.get(series, 0):  # the answer is older than a brick heard since
            return False
        self._bricks[series] = deque((_shown(brick) for brick in found.bricks), BRICKS_SHOWN)
        self._to_read.discard(series)
        return True


def _shown(brick: BrickRow) -> TelemetryBrick:
    return TelemetryBrick(n=brick.n, ts=brick.ts, color=brick.color, open=brick.open, close=brick.close)


def _message(brick: BrickHeard) -> BrickMessage:
    return BrickMessage(
        symbol=brick.asset,
        size=brick.size,
        n=brick.n,
        ts=brick.ts,
        color=brick.color,
        open=brick.open,
        close=brick.close,
    )


def _marker(fill: PositionFill, place: int) -> MarkerMessage:
    return MarkerMessage(
        id=f"{fill.event_id}-{place}",
        symbol=fill.asset,
        ts=fill.at,
        price=fill.price,
        kind=fill.kind,
        side=fill.side,
        qty=fill.qty,
    )


def _order(order: dict[str, Any]) -> TelemetryOrder:
    return TelemetryOrder(
        id=order["id"],
        contract=order["symbol"],
        side=order["side"],
        qty=order["qty"],
        filled_qty=order["filled_qty"],
        kind=order["kind"],
        status=order["status"],
    )
