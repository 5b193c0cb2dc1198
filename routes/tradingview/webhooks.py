"""TradingView's webhooks: heartbeats, bricks and levels, with any content type (SPEC 3)."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime, timedelta

from flask import Response, request
from msgspec import UNSET, structs
from pydantic import TypeAdapter, ValidationError

from routes.http.bodies import SentBody, Unreadable
from routes.http.describing import answers
from routes.http.errors import InvalidRequest, error_answer
from routes.http.parsing import Moment, reads
from routes.http.replies import answer, app_services
from routes.tradingview import tradingview_calls
from routes.tradingview.messages import BrickBody, HeartbeatBody, LevelBody, as_far_as_readable
from routes.tradingview.refused import is_of_webhook, note_refused
from services.access.secret_mask import HIDDEN
from services.desk.commit_batch import Outcome
from services.engine.model.commands import AnyCommand, CloseBrick, KeepDeadLetter, NotePrice, TouchLevel
from services.engine.model.replies import BrickTaken, OrderTaken, PriceNoted
from services.engine.model.wording import Explanation
from services.live.activity import LogLine, brick_text, price_text
from services.market.instruments import can_trade_at, continuous_named, delivery_named, resolve_asset
from services.market.session import after_session_time, trade_date
from services.ops.logs import blackout
from services.views.rows import order_view
from wire.answers import BrickAnswer, HeartbeatAnswer, LevelAnswer, VersionAnswer
from wire.encoding import encode
from wire.tradingview import HEARTBEAT_PATH, LEVEL_PATH, STREAM_OF_PATH, WEBHOOK_PATHS

webhooks = tradingview_calls("webhooks", __name__)

KINDS = tuple(path.strip("/") for path in WEBHOOK_PATHS)
SECRET_VALUE = re.compile(r'("secret"\s*:\s*")(?:[^"\\]|\\.)*(")?')
SIMULATED = "simulated"
FAILED = {503: "not_stored", 500: "fault"}
MOMENT: TypeAdapter[datetime] = TypeAdapter(Moment)


class UnreadableWebhook(Exception):
    """A webhook with the right secret cannot be parsed: kept as a dead letter, answered with ``status``."""

    def __init__(self, reason: str, status: int = 422) -> None:
        super().__init__(reason)
        self.status = status


class WebhookAnswer(Response):
    """An answer that carries what became of its webhook; without it the webhook was denied or failed."""

    def __init__(self, answered: Response, became: str) -> None:
        super().__init__(answered.get_data(), answered.status_code, answered.headers)
        self.became = became


@webhooks.post(HEARTBEAT_PATH)
@answers(HeartbeatAnswer, errors=(422,))
@reads(HeartbeatBody)
def take_heartbeat(sent: SentBody) -> Response:
    """Note price and freshness."""
    readable = as_far_as_readable(sent)

    def command() -> AnyCommand:
        heard = readable.read_as(HeartbeatBody)
        asset = asset_named(heard.symbol)
        manager = app_services().manager
        if heard.timestamp is not None and heard.source != SIMULATED:
            manager.hear_time(heard.timestamp)
        now = manager.now
        delivery = delivery_named(heard.symbol, asset, now.date())
        continuous = continuous_named(heard.symbol, asset, trade_date(now))
        return NotePrice(asset, heard.price, heard.timestamp, heard.source == SIMULATED, delivery, continuous)

    return _take(readable, command)


@webhooks.post(LEVEL_PATH)
@answers(LevelAnswer, errors=(422,))
@reads(LevelBody)
def take_level(sent: SentBody) -> Response:
    """Exit the asset whose level was touched."""
    readable = as_far_as_readable(sent)
    return _take(readable, lambda: TouchLevel(asset_named(readable.read_as(LevelBody).symbol)))


@answers(BrickAnswer, errors=(422,))
@reads(BrickBody)
def take_brick(sent: SentBody) -> Response:
    """Apply one closed brick of the size that the path names."""
    readable = as_far_as_readable(sent)
    received_at = app_services().manager.now
    return _take(readable, lambda: brick_at(request.path, readable.read_as(BrickBody), received_at))


def brick_at(path: str, brick: BrickBody, received_at: datetime) -> CloseBrick:
    """Return the command that a brick sent to ``path`` is. Raises InvalidRequest for an unknown symbol.

    A close at which the market cannot trade is one that nobody can read. The colour ages from its receipt.
    """
    asset = asset_named(brick.symbol)
    is_priced = brick.close is None or can_trade_at(asset, brick.close)
    return CloseBrick(
        asset=asset,
        stream=STREAM_OF_PATH[path],
        color=brick.color,
        bar_id=brick.bar_id,
        bar_at=brick.bar_ts or _time_in(brick.bar_id),
        close=brick.close if is_priced else None,
        simulated=brick.source == SIMULATED,
        unread=brick.unread if is_priced else tuple(sorted({*brick.unread, "close"})),
        stale_at=stale_from(received_at),
    )


def stale_from(received_at: datetime) -> datetime:
    """Return when the colour of a brick will be too old: session time counts from its receipt (SPEC 3)."""
    rules = app_services().manager.snapshot.desk.rules
    return after_session_time(received_at, timedelta(hours=rules.brick_max_age_hours))


for _path in STREAM_OF_PATH:
    webhooks.add_url_rule(_path, endpoint=_path.strip("/"), view_func=take_brick, methods=["POST"])


def _take(sent: SentBody, read: Callable[[], AnyCommand]) -> Response:
    """Read the webhook, decide it, log it; what cannot be read is kept and answered so."""
    try:
        command = _read(sent, read)
    except UnreadableWebhook as error:
        return keep_dead_letter(sent, error)
    outcome = app_services().manager.submit(command)
    body, said_outcome = answer_to(outcome, getattr(command, "unread", ()))
    if not outcome.is_journaled:
        _note(command, said_outcome, why_of(outcome))
    response = answer(outcome, body)
    if response.status_code >= 400:
        return response
    return WebhookAnswer(response, said_outcome if said_outcome in ("duplicate", "stale") else "ok")


def _note(command: AnyCommand, outcome: str, why: Explanation | None) -> None:
    """Add a line to the activity log for a webhook that is not journaled."""
    services = app_services()
    line = LogLine(
        services.manager.now, kind_called(), getattr(command, "asset", None), _text_of(command), outcome, why=why
    )
    services.activity.note("tradingview", line, merge=isinstance(command, NotePrice))


@webhooks.after_request
def count(response: Response) -> Response:
    """Count what became of the webhook, also when it never got as far as the desk."""
    became = response.became if isinstance(response, WebhookAnswer) else FAILED.get(response.status_code, "denied")
    app_services().metrics.webhook(kind_called(), became)
    return response


@webhooks.after_app_request
def log_refused(response: Response) -> Response:
    """Leave a line for every call that the desk has not seen, also one of a wrong method or a misspelt path."""
    if is_of_webhook(request.path) and response.status_code >= 400 and not isinstance(response, WebhookAnswer):
        note_refused(response)
    return response


def _read(sent: SentBody, read: Callable[[], AnyCommand]) -> AnyCommand:
    if isinstance(sent.decoded, Unreadable):
        raise UnreadableWebhook(f"the body was {sent.decoded.reason}")
    try:
        return read()
    except InvalidRequest as error:
        raise UnreadableWebhook(f"{error.field}: {error.reason}", 400 if error.field == "color" else 422) from None


def asset_named(symbol: str) -> str:
    """Return the desk's asset that a symbol names. Raises InvalidRequest when it names none for certain."""
    asset = resolve_asset(symbol, app_services().manager.snapshot.desk.assets)
    if asset is None:
        raise InvalidRequest("asset", f"{blackout.masked(symbol)[:40]!r} is no symbol of an asset on this desk")
    return asset


def _time_in(bar_id: str | None) -> datetime | None:
    """Return the ``bar_id``, without the number behind a ``|``, as a time; None when it is not one (SPEC 3)."""
    if bar_id is None:
        return None
    try:
        return MOMENT.validate_python(bar_id.rpartition("|")[0] or bar_id)
    except ValidationError:
        return None


def answer_to(outcome: Outcome, unread: tuple[str, ...] = ()) -> tuple[VersionAnswer, str]:
    """Return the answer's body and the outcome's code for the log; ``unread`` are the fields that were dropped."""
    version = outcome.version
    match outcome.answer:
        case PriceNoted() as noted:
            return heartbeat_answer(version, noted)
        case BrickTaken(ignored=str(reason)):
            return BrickAnswer(version=version, ignored=reason), f"ignored: {reason}"
        case BrickTaken(duplicate=True):
            return BrickAnswer(version=version, duplicate=True), "duplicate"
        case BrickTaken(stale=True):
            return BrickAnswer(version=version, stale=True), "stale"
        case BrickTaken(effects=effects, orders=orders):
            rows = tuple([order_view(order) for order in orders])
            said = BrickAnswer(version=version, effects=effects, orders=rows)
            return (structs.replace(said, flagged=True, unread=unread), "flagged") if unread else (said, "ok")
        case OrderTaken(ignored=str(reason)):
            return LevelAnswer(version=version, ignored=reason), f"ignored: {reason}"
        case OrderTaken(order=order, latched=latched):
            row = order_view(order) if order else None
            return LevelAnswer(version=version, order=row, latched=latched), "exit"
        case _:
            return VersionAnswer(version=version), "ok"


def heartbeat_answer(version: int, noted: PriceNoted) -> tuple[HeartbeatAnswer, str]:
    """Return the answer to a price and its outcome in the log."""
    said = HeartbeatAnswer(
        version=version,
        flagged=noted.flagged or UNSET,
        stale=noted.too_old or UNSET,
        outranked=noted.outranked or UNSET,
    )
    if noted.ignored is not None:
        return structs.replace(said, ignored=noted.ignored), f"ignored: {noted.ignored}"
    if noted.suspect:
        return structs.replace(said, suspect=True), "suspect"
    return said, "too old" if noted.too_old else "flagged" if noted.flagged else "ok"


def why_of(outcome: Outcome) -> Explanation | None:
    """Return the outcome's code and facts for programs, where the log's text is more than the code."""
    match outcome.answer:
        case OrderTaken(ignored=str(reason)) | PriceNoted(ignored=str(reason)) | BrickTaken(ignored=str(reason)):
            return Explanation("ignored", facts={"reason": reason})
        case PriceNoted(too_old=True, suspect=False):
            return Explanation("too_old")
        case _:
            return None


def keep_dead_letter(sent: SentBody, error: UnreadableWebhook) -> Response:
    """Keep a body that cannot be read, without its secret, and answer that it was not taken."""
    reason = blackout.masked(str(error))
    app_services().manager.submit(KeepDeadLetter(request.path, reason, _body_without_secret(sent), error.status))
    return WebhookAnswer(error_answer(reason, error.status, "webhook_unreadable"), "dead_letter")


def _body_without_secret(sent: SentBody) -> str:
    """Return the body as it may be kept: no secret of this desk is in it, wherever and however it was written."""
    if isinstance(sent.decoded, dict):
        return blackout.masked(encode({**sent.decoded, "secret": HIDDEN}).decode())
    return blackout.masked(SECRET_VALUE.sub(rf"\1{HIDDEN}\2", sent.raw.decode("utf-8", "replace")))


def kind_called() -> str:
    """Return the kind of the webhook that was called: its path without the slash."""
    return request.path.strip("/")


def _text_of(command: AnyCommand) -> str:
    if isinstance(command, CloseBrick):
        return brick_text(command)
    return price_text(command) if isinstance(command, NotePrice) else ""
