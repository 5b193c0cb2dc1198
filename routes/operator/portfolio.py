"""External positions: the operator notes what other accounts hold. They are valued, never traded, seen by no gate."""

from __future__ import annotations

import secrets
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal
from typing import Annotated, Literal

import structlog
from flask import Response, request
from pydantic import AfterValidator, Field

from routes.http.describing import answers, takes_header
from routes.http.errors import Busy, InvalidRequest, error_answer
from routes.http.parsing import MOST_CONTRACTS, Money, OperatorBody, Symbol, accepts
from routes.http.replies import app_services, fresh, reply
from routes.operator import operator_calls
from services.desk.commit_batch import KeyReused
from services.engine.model.state import Desk
from services.market.instruments import can_trade_at
from services.portfolio.external import (
    MOST_HELD,
    External,
    Noted,
    external_of,
    external_record,
    held_external,
    id_of,
    taken_out,
)
from services.portfolio.naming import Named, UnknownMarket, market_named
from services.portfolio.positions import external_position, is_held_at_broker, positions_of
from wire.portfolio import ExternalAnswer

portfolio_notes = operator_calls("portfolio_notes", __name__)
log = structlog.get_logger(__name__)

LONGEST_KEY = 200
LONGEST_ACCOUNT = 64
LONGEST_NOTE = 300
LONGEST_ID = 64
ONE_AT_A_TIME = threading.Lock()
WAITS_SECONDS = 2.0
"""Longer only while the store hangs: then nobody else waits for it, and no thread is held from an exit."""

ASK_AGAIN_SECONDS = 2


def _words(text: str) -> str:
    """Return a text without spaces around. Raises ValueError for one that nobody can read."""
    words = text.strip()
    if not (words and words.isprintable()):
        raise ValueError("must be printable and not empty")
    return words


def _above_zero(number: Decimal) -> Decimal:
    if number <= 0:
        raise ValueError("must be above 0")
    return number


class ExternalBody(OperatorBody):
    """What another account holds."""

    symbol: Annotated[Symbol, Field(examples=["MESZ6"])]
    side: Literal["long", "short"]
    qty: Annotated[Money, AfterValidator(_above_zero), Field(examples=[2])]
    avg_price: Annotated[Money, Field(examples=[6712.25])]
    account: Annotated[str, AfterValidator(_words), Field(max_length=LONGEST_ACCOUNT)] | None = None
    note: Annotated[str, Field(max_length=LONGEST_NOTE)] = ""


@portfolio_notes.post("/api/portfolio/positions")
@answers(ExternalAnswer, status=201, errors=(409, 422, 503))
@takes_header("Idempotency-Key", "the same key notes the position once, however often it comes", LONGEST_KEY)
@accepts(ExternalBody)
def note_position(body: ExternalBody) -> Response:
    """Note an external position. Its answer says which contract was understood, and what a point of it is worth.

    409 `held_at_broker` when the bridge reports a position in that market: it is in the portfolio already. An account
    that is certainly another one than the bridge's may hold the same market. 409 `taken_out` when the position of the
    key was taken out since.
    """
    desk = app_services().manager.snapshot.desk
    noted = _noted(body, desk)
    with _one_at_a_time():
        return _note_once(desk, noted, id_of(_key()), body.model_dump_json())


def _note_once(desk: Desk, noted: Noted, position_id: str, asked: str) -> Response:
    services = app_services()
    store = services.manager.store
    known = external_of(store, position_id)
    if known is not None:
        if known.asked != asked:
            raise KeyReused("the Idempotency-Key was used for another position")
        if known.removed_at is not None:
            sentence = "the position of this Idempotency-Key was taken out since: note it with another key"
            return error_answer(sentence, 409, "taken_out")
        return _shown(desk, known, 201)
    if is_held_at_broker(desk, noted.symbol, noted.account):
        return _held(noted.symbol)
    if len(held_external(store)) >= MOST_HELD:
        raise InvalidRequest("", f"{MOST_HELD} external positions are held, take one out first")
    position = External(position_id, noted, services.manager.now, asked)
    services.manager.keep_records([external_record(position)])
    log.info("an external position was noted", position=position.id, symbol=noted.symbol, account=noted.account)
    return _shown(desk, position, 201)


@portfolio_notes.delete("/api/portfolio/positions/<position_id>")
@answers(ExternalAnswer, errors=(404, 409, 503))
def take_out(position_id: str) -> Response:
    """Take an external position out of the portfolio. Nothing is traded.

    409 `held_at_broker` for a position that the bridge reports: only a trade ends that.
    """
    with _one_at_a_time():
        return _take_out(position_id[:LONGEST_ID])


def _take_out(position_id: str) -> Response:
    services = app_services()
    store, desk = services.manager.store, services.manager.snapshot.desk
    held = external_of(store, position_id)
    if held is None or held.removed_at is not None:
        at_the_broker = next((one for one in positions_of(desk) if one.id == position_id), None)
        if at_the_broker is not None:
            return _held(at_the_broker.symbol)
        return error_answer(f"there is no external position {position_id}", 404, "not_found")
    if is_held_at_broker(desk, held.noted.symbol, held.noted.account):
        return _held(held.noted.symbol)
    gone = taken_out(held, services.manager.now)
    services.manager.keep_records([external_record(gone)])
    log.info("an external position was taken out", position=gone.id, symbol=gone.noted.symbol)
    return _shown(desk, gone, 200)


@contextmanager
def _one_at_a_time() -> Iterator[None]:
    """Let no other note be judged between this one's check and its write: one process notes. Raises Busy."""
    if not ONE_AT_A_TIME.acquire(timeout=WAITS_SECONDS):
        raise Busy("another position is being noted", ASK_AGAIN_SECONDS, "too_busy")
    try:
        yield
    finally:
        ONE_AT_A_TIME.release()


def _noted(body: ExternalBody, desk: Desk) -> Noted:
    """Return what was said, with the contract that it names. Raises InvalidRequest."""
    try:
        named = market_named(body.symbol, desk, app_services().manager.now.date())
    except UnknownMarket as error:
        raise InvalidRequest("symbol", str(error), code="unknown_asset") from None
    _check_numbers(body, named)
    return Noted(
        symbol=named.symbol,
        contract=named.contract,
        point_value=named.point_value,
        side=body.side,
        qty=body.qty,
        avg_price=body.avg_price,
        account=body.account,
        note=body.note.strip(),
    )


def _check_numbers(body: ExternalBody, named: Named) -> None:
    if body.qty > MOST_CONTRACTS:
        raise InvalidRequest("qty", f"must be at most {MOST_CONTRACTS:,}")
    if not named.is_divisible and body.qty != body.qty.to_integral_value():
        raise InvalidRequest("qty", f"must be whole contracts of {named.contract}")
    if not can_trade_at(named.symbol, body.avg_price):
        raise InvalidRequest("avg_price", f"{named.symbol} cannot be traded at {body.avg_price}")


def _key() -> str:
    """Return the caller's key, or random text: without a key two calls are two positions."""
    key = request.headers.get("Idempotency-Key")
    if key is None:
        return secrets.token_hex()
    if not 1 <= len(key) <= LONGEST_KEY:
        raise InvalidRequest("Idempotency-Key", f"must be 1 to {LONGEST_KEY} characters")
    return key


def _shown(desk: Desk, position: External, status: int) -> Response:
    return fresh(reply(ExternalAnswer(position=external_position(desk, position)), status))


def _held(symbol: str) -> Response:
    sentence = f"the bridge reports a position in {symbol}: it is in the portfolio already, and only a trade ends it"
    return error_answer(sentence, 409, "held_at_broker", facts={"asset": symbol})
