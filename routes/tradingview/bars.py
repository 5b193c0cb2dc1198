"""TradingView's one alert: a bar of the base timeframe, with the bricks of all sizes that it formed (SPEC 3).

A message becomes one command: all of it is stored, or nothing. The price comes first: what the bricks then decide
(exits, a pre-order) is decided by the close that formed them, with a heartbeat that was just heard. Bricks follow from
the small size to the large, the oldest first. A message that cannot be stored is answered with 503; TradingView sends
it again.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from flask import Response
from msgspec import UNSET, Struct, UnsetType, structs

from routes.http.bodies import SentBody
from routes.http.describing import answers
from routes.http.errors import InvalidRequest
from routes.http.parsing import reads
from routes.http.replies import answer, app_services
from routes.tradingview import tradingview_calls
from routes.tradingview.webhooks import (
    SIMULATED,
    UnreadableWebhook,
    WebhookAnswer,
    asset_named,
    count,
    heartbeat_answer,
    keep_dead_letter,
    kind_called,
    stale_from,
    why_of,
)
from services.desk.commit_batch import Outcome
from services.engine.model.bar_commands import CloseBar, NoteDelayedQuotes
from services.engine.model.feed import MarketHours, ToldBrick, ToldLast
from services.engine.model.replies import BarTaken, PriceNoted
from services.engine.model.wording import Explanation
from services.engine.rules.feed_delivery import seconds_ahead
from services.live.activity import LogLine
from services.live.bar_lines import bar_facts, bar_text
from services.market.bar_hours import open_since, silent_from
from services.market.instruments import can_trade_at, continuous_named, delayed_asset, delivery_named, instrument_for
from services.market.session import trade_date
from services.views.rows import order_view
from wire.answers import BarAnswer
from wire.bar_message import BarRefusal, read_bar_message
from wire.stream import BarHeard
from wire.tradingview import BAR_PATH, BASE_SECONDS, STREAM_OF_SIZE, STREAM_POINTS, BarMessage, LastBrick, NewBrick
from wire.types import Instant, Stream

bars = tradingview_calls("bars", __name__)
bars.after_request(count)

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
CLOSE = 3  # the place of the close in ohlc


class HeardBar(Struct, frozen=True):
    """A message that was read, the desk's asset that it names, and when it was received."""

    message: BarMessage
    asset: str
    received_at: Instant

    @property
    def close(self) -> Decimal:
        return self.message.ohlc[CLOSE]

    @property
    def started_at(self) -> Instant:
        """When the bar started: the time of its bricks."""
        return _instant(self.message.t)

    @property
    def ended_at(self) -> Instant:
        """When the next bar started at the earliest."""
        return self.started_at + timedelta(seconds=BASE_SECONDS[self.message.tf])

    @property
    def sent_at(self) -> Instant:
        """When the alert fired: the time of its price."""
        return _instant(self.message.now)

    @property
    def is_simulated(self) -> bool:
        return self.message.source == SIMULATED


@bars.post(BAR_PATH)
@answers(BarAnswer, errors=(422,))
@reads(BarMessage)
def take_bar(sent: SentBody) -> Response:
    """Note the close of a bar, then apply the bricks of all sizes that it formed.

    Sent again it changes nothing: a brick is known by symbol, base timeframe, size, the bar's start and its number. A
    message whose parts contradict each other is refused whole.
    """
    try:
        heard = _heard(sent)
    except UnreadableWebhook as error:
        return keep_dead_letter(sent, error)
    bar = bar_of(heard, stale_from(heard.received_at))
    outcome = app_services().manager.submit(bar)
    publish(bar, outcome)
    body, code = _answer_to(outcome)
    if not outcome.is_journaled:
        _note(bar, outcome, code)
    response = answer(outcome, body)
    if response.status_code >= 400:
        return response
    return WebhookAnswer(response, "duplicate" if body.duplicate is True else "ok")


def bar_of(heard: HeardBar, stale_at: Instant) -> CloseBar:
    """Return the command that a message is; from ``stale_at`` on the colours of its bricks are too old.

    Raises UnknownInstrument for an asset without a calendar.
    """
    message, on = heard.message, heard.received_at
    calendar = instrument_for(heard.asset).calendar
    return CloseBar(
        asset=heard.asset,
        symbol=message.symbol,
        base=message.tf,
        started_at=heard.started_at,
        sent_at=heard.sent_at,
        ohlc=message.ohlc,
        volume=message.v,
        bricks=tuple([_told(message, brick) for brick in message.bricks]),  # the reader has ordered them
        last=tuple([_last_of(size, message.last[size]) for size in STREAM_OF_SIZE if size in message.last]),
        simulated=heard.is_simulated,
        delivery=delivery_named(message.symbol, heard.asset, on.date()),
        continuous=continuous_named(message.symbol, heard.asset, trade_date(on)),
        stale_at=stale_at,
        hours=MarketHours(*open_since(calendar, heard.started_at)),
        silent_at=silent_from(calendar, message.tf, heard.ended_at),
    )


def _told(message: BarMessage, brick: NewBrick) -> ToldBrick:
    stream = STREAM_OF_SIZE[size_of(brick)]
    return ToldBrick(stream, brick.k, brick.color, brick.lo, brick.hi, message.brick_id(brick))


def _last_of(size: str, brick: LastBrick) -> ToldLast:
    return ToldLast(STREAM_OF_SIZE[size], brick.color, brick.lo, brick.hi)


def publish(bar: CloseBar, outcome: Outcome) -> None:
    """Send the bar to the programs beside web, unless its price or its time is not believed, or of another contract."""
    taken = outcome.answer
    if not isinstance(taken, BarTaken) or taken.noted.suspect or taken.noted.ignored is not None:
        return
    if seconds_ahead(bar, app_services().manager.now):
        return
    opened, high, low, closed = bar.ohlc
    heard = BarHeard(
        asset=bar.asset,
        symbol=bar.symbol,
        base=bar.base,
        started_at=bar.started_at,
        open=opened,
        high=high,
        low=low,
        close=closed,
        volume=bar.volume,
        simulated=bar.simulated,
    )
    app_services().broadcaster.publish_bar(heard)


def size_of(brick: NewBrick) -> str:
    """Return the size as the table of streams writes it."""
    return f"{brick.size:f}"


def _heard(sent: SentBody) -> HeardBar:
    """Read the message, and hear the time at which it was sent. Raises UnreadableWebhook."""
    read = read_bar_message(sent.raw)
    if isinstance(read, BarRefusal):
        raise UnreadableWebhook(f"{read.field}: {read.reason}" if read.field else read.reason)
    try:
        asset = asset_named(read.symbol)
    except InvalidRequest as error:
        _note_delayed_quotes(read.symbol)
        raise UnreadableWebhook(f"symbol: {error.reason}") from None
    manager = app_services().manager
    heard = HeardBar(read, asset, manager.now)
    if not can_trade_at(asset, heard.close):
        raise UnreadableWebhook(f"ohlc[{CLOSE}]: {heard.close:f} is no price at which {asset} can trade")
    if not heard.is_simulated:
        manager.hear_time(heard.sent_at)
    return heard


def _note_delayed_quotes(symbol: str) -> None:
    """Have the desk know that an alert changed to delayed quotes: its message is refused like an unknown symbol."""
    manager = app_services().manager
    delayed = delayed_asset(symbol, manager.snapshot.desk.assets)
    if delayed is not None:
        manager.submit(NoteDelayedQuotes(delayed, symbol))


def _answer_to(outcome: Outcome) -> tuple[BarAnswer, str]:
    """Return the answer, and the outcome's code for the log."""
    taken = outcome.answer if isinstance(outcome.answer, BarTaken) else BarTaken(PriceNoted())
    said, code = heartbeat_answer(outcome.version, taken.noted)
    bricks = taken.applied + taken.duplicates + taken.late
    is_known = taken.duplicates > 0 and taken.duplicates == bricks
    body = BarAnswer(
        **structs.asdict(said),
        applied=taken.applied,
        duplicates=taken.duplicates,
        late=taken.late,
        effects=taken.effects,
        orders=tuple([order_view(order) for order in taken.orders]),
        duplicate=True if is_known else UNSET,
        differs=_sizes(taken.differs),
        adopted=_sizes(taken.adopted),
    )
    if taken.ignored is not None and body.ignored is UNSET:
        body = structs.replace(body, ignored=taken.ignored)
        code = f"ignored: {taken.ignored}"
    told = "differs" if taken.differs else "duplicate" if is_known else "stale" if taken.stale else "ok"
    return body, told if code == "ok" else code


def _sizes(streams: Sequence[Stream]) -> tuple[str, ...] | UnsetType:
    return tuple([f"{STREAM_POINTS[stream]:f}" for stream in streams]) or UNSET


def _note(bar: CloseBar, outcome: Outcome, code: str) -> None:
    """Add the line of a message that is not journaled: nothing followed from it."""
    services = app_services()
    at = services.manager.now
    differs = outcome.answer.differs if isinstance(outcome.answer, BarTaken) else ()
    why = why_of(outcome) or Explanation(code)
    why = structs.replace(why, facts={**why.facts, **bar_facts(bar, differs, at)})
    line = LogLine(at, kind_called(), bar.asset, bar_text(bar, differs), code, why=why)
    services.activity.note("tradingview", line, merge=True)


def _instant(milliseconds: int) -> Instant:
    return EPOCH + timedelta(milliseconds=milliseconds)
