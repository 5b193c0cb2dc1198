"""Keeps the price book: tells it what is heard, stores its candles and alerts, and goes on from them after a start."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import msgspec
import structlog

from feeds.desk import DeskPicture
from feeds.hub import Part
from feeds.prices.book import PriceBook
from feeds.prices.types import Alert, Candle, InForce, PriceHeard, SimultaneousBreak
from feeds.store import AlertKind, FeedsStore, StoredAlert, StoredCandle
from wire.bridge import QuoteEvent
from wire.encoding import encode
from wire.stream import BrickHeard
from wire.tradingview import STREAMS, StreamRow
from wire.types import Color

logger = structlog.get_logger(__name__)

ALERTS_REMEMBERED = 20_000
"""Alerts that the book is told of at a start; those of the longest candle, a week, are far fewer."""

STATE_FOLLOWS = timedelta(seconds=2)
"""How soon after an interruption of the stream its state, or the changes that were missed, have come."""

AlertSink = Callable[[int, Alert], None]

_in_force = msgspec.json.Decoder(InForce)
_breaks = msgspec.json.Decoder(SimultaneousBreak)
_candles = msgspec.json.Decoder(Candle)


def read_alert(row: StoredAlert) -> Alert:
    """Read a stored alert. Raises `msgspec.MsgspecError` for one that another program wrote."""
    return _in_force.decode(row.body) if row.kind == "in_force" else _breaks.decode(row.body)


def kind_of(alert: Alert) -> AlertKind:
    """Return the kind under which an alert is stored."""
    return "in_force" if isinstance(alert, InForce) else "simultaneous_break"


class PriceKeeper(Part):
    """The one price book of feeds. It begins when the desk has said which assets it trades."""

    def __init__(self, store: FeedsStore, clock: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        """Keep candles and alerts in `store`; `clock` gives the time at which a price is heard."""
        self._store = store
        self._clock = clock
        self._assets: tuple[str, ...] = ()
        self._pruned_on: date | None = None
        self._colors_missed = False
        self._prices_missed_until: datetime | None = None
        self._has_market_data = True
        self.book: PriceBook | None = None
        self.sinks: list[AlertSink] = []
        """Called for each alert once it is stored, with its id."""

        self.told = {"in_force": 0, "simultaneous_break": 0}
        """Alerts since the start, by kind."""

    # -- what is heard ------------------------------------------------------------------------------------------

    def on_desk(self, desk: DeskPicture) -> None:
        """Begin with the desk's assets. After a start or a gap, take the colours of its bricks from its state."""
        assets = desk.assets()
        if assets and assets != self._assets:
            self._begin(assets)
        if desk.is_up and self.book is not None:
            self._note_outage_of_bridge(self.book, desk)
            self._forget_stale_colors(desk)
            self._hear_colors(self.book, desk)
            self._hear_missed_prices(self.book, desk)

    def on_quote(self, quote: QuoteEvent) -> None:
        """Tell the book of a price. One without an asset belongs to none."""
        if self.book is None or quote.asset is None:
            return
        now = self._clock()
        if quote.after_gap:
            self.book.miss(None, quote.ts or now, quote.asset)
        heard = PriceHeard(
            asset=quote.asset,
            contract=quote.symbol,
            price=quote.price,
            at=quote.ts or now,
            size=quote.size,
            bid=quote.bid,
            ask=quote.ask,
            source=quote.source or "heartbeat",
            simulated=bool(quote.simulated),
            seq=quote.seq,
        )
        self._tell(self.book.hear(heard, now))

    def on_brick(self, brick: BrickHeard) -> None:
        """Tell the book of a brick."""
        if self.book is not None:
            self._tell(self.book.hear_brick(brick.asset, brick.size, brick.color, brick.ts, brick.open, brick.close))

    def on_gap(self, since: datetime | None, until: datetime) -> None:
        """Tell the book that prices may have been missed since the last one, and bricks, too.

        ``since`` is when anything was heard, a ping too, and a price is younger than its message.
        """
        self._colors_missed = True
        self._prices_missed_until = self._clock() + STATE_FOLLOWS
        if self.book is not None:
            self.book.miss(None, until)

    def on_ticks_missed(self) -> None:
        """Tell the book that ticks were missed."""
        if self.book is not None:
            self.book.miss(None, self._clock())

    def on_second(self, now: datetime) -> None:
        """Close candles that have ended, store what changed, and once a day delete what is old."""
        if self.book is not None:
            self.book.pass_time(now)
            self.keep()
        if self._pruned_on != now.date():
            self._pruned_on = now.date()
            gone = self._store.prune(now)
            if gone:
                logger.info("old alerts, signals and candles were deleted", rows=gone)

    def keep(self) -> None:
        """Store the candles that changed."""
        if self.book is not None:
            changed = self.book.changed_candles()
            if changed:
                self._store.keep_candles(map(_stored, changed))

    # -- beginning ----------------------------------------------------------------------------------------------

    def _begin(self, assets: tuple[str, ...]) -> None:
        """Begin a book, and go on from what is stored. Until the first price comes, prices count as missed."""
        self.keep()
        book = PriceBook(assets)
        book.restore(self._stored_alerts(), self._stored_candles(assets))
        book.miss(None, self._clock())
        self._assets, self.book = assets, book
        self._colors_missed = True
        self._prices_missed_until = self._clock() + STATE_FOLLOWS
        logger.info("candles begin", assets=list(assets))

    def _stored_alerts(self) -> list[Alert]:
        rows = [
            *self._store.newest_alerts("in_force", ALERTS_REMEMBERED),
            *self._store.newest_alerts("simultaneous_break", ALERTS_REMEMBERED),
        ]
        return [alert for row in sorted(rows, key=lambda row: row.id) if (alert := _readable(row)) is not None]

    def _stored_candles(self, assets: tuple[str, ...]) -> list[Candle]:
        found = []
        for row in self._store.candles():
            if row.symbol in assets:
                try:
                    found.append(_candles.decode(row.body))
                except msgspec.MsgspecError as error:
                    logger.warning("a stored candle cannot be read and is left out", reason=str(error))
        return found

    def _note_outage_of_bridge(self, book: PriceBook, desk: DeskPicture) -> None:
        """Tell the book that prices were missed while the bridge had no market data: the stream shows no gap then."""
        has_market_data = desk.settings.get("md_connected") is True
        if has_market_data and not self._has_market_data:
            book.miss(None, self._clock())
        self._has_market_data = has_market_data

    def _hear_colors(self, book: PriceBook, desk: DeskPicture) -> None:
        """Tell the book the colours that the state names and it does not know, all of them where bricks were missed.

        Otherwise a brick tells its colour, with its prices: the change of the state comes before its brick.
        """
        known = {symbol: book.tfc(symbol) for symbol in self._assets}
        for symbol, row, asset in self._rows(desk):
            color = asset.get(f"{row.state_name}_color")
            is_due = self._colors_missed or known[symbol][f"R{row.size}"] is None
            if is_due and color in ("green", "red") and not asset.get(f"{row.state_name}_stale"):
                self._hear_color(symbol, row, color, asset)
        self._colors_missed = False

    def _forget_stale_colors(self, desk: DeskPicture) -> None:
        """Let the book forget colours that the desk calls too old to count."""
        for symbol, row, asset in self._rows(desk):
            if asset.get(f"{row.state_name}_stale"):
                self._hear_color(symbol, row, "neutral", asset)

    def _rows(self, desk: DeskPicture) -> Iterator[tuple[str, StreamRow, dict[str, Any]]]:
        for symbol in self._assets:
            asset = desk.asset(symbol) or {}
            for row in STREAMS:
                yield symbol, row, asset

    def _hear_missed_prices(self, book: PriceBook, desk: DeskPicture) -> None:
        """Take the prices of the state that were missed, as samples: web does not send them again.

        Only for a moment: otherwise the state comes just before the same price with its size.
        """
        now = self._clock()
        if self._prices_missed_until is None or now > self._prices_missed_until:
            self._prices_missed_until = None
            return
        for symbol in self._assets:
            asset = desk.asset(symbol) or {}
            price, ts, last = asset.get("last_price"), asset.get("price_ts"), book.last(symbol)
            at = datetime.fromisoformat(ts) if ts else None
            if price is not None and at is not None and (last is None or at > last.at):
                heard = PriceHeard(
                    asset=symbol,
                    contract=str(asset.get("contract")),
                    price=Decimal(str(price)),
                    at=at,
                    source="heartbeat",
                    simulated=bool(asset.get("simulated")),
                )
                self._tell(book.hear(heard, now))

    def _hear_color(self, symbol: str, row: StreamRow, color: Color, asset: dict[str, Any]) -> None:
        at = asset.get(f"{row.state_name}_ts")
        if self.book is not None and at:
            self._tell(self.book.hear_brick(symbol, row.points, color, datetime.fromisoformat(at), None, None))

    # -- alerts -------------------------------------------------------------------------------------------------

    def _tell(self, alerts: Iterable[Alert]) -> None:
        """Store alerts with the candles that caused them, then tell everybody."""
        alerts = tuple(alerts)
        if not alerts:
            return
        now = self._clock()
        with self._store.transaction():
            numbers = [self._store.add_alert(kind_of(alert), alert.at, encode(alert).decode(), now) for alert in alerts]
            self.keep()
        for number, alert in zip(numbers, alerts, strict=True):
            self.told[kind_of(alert)] += 1
            for sink in self.sinks:
                sink(number, alert)


def _readable(row: StoredAlert) -> Alert | None:
    try:
        return read_alert(row)
    except msgspec.MsgspecError as error:
        logger.warning("a stored alert cannot be read and is left out", alert=row.id, reason=str(error))
        return None


def _stored(candle: Candle) -> StoredCandle:
    return StoredCandle(
        symbol=candle.symbol,
        contract=candle.contract,
        source=candle.source,
        simulated=int(candle.simulated),
        timeframe=candle.timeframe,
        start=candle.start.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        body=encode(candle).decode(),
    )
