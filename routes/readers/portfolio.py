"""The portfolio: what every account holds, and how it went. External positions are noted in ``routes/operator``."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from time import sleep
from typing import Annotated, Any

from flask import Response
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, WithJsonSchema

from routes.http.describing import answers
from routes.http.errors import Busy, InvalidRequest
from routes.http.guards import GuardedCalls, caller_is_service, caller_key
from routes.http.later import is_first_call
from routes.http.parsing import EARLIEST, LATEST, RFC_3339, asks
from routes.http.replies import app_services, fresh, reply
from routes.readers.mt4_book import mt4_book, mt4_fills
from routes.readers.turns import Turns
from services.engine.model.trading_day import day_end
from services.journal.trades import day_begin
from services.portfolio.history import Span, history_of
from services.portfolio.whole import portfolio_of
from wire.portfolio import PortfolioAnswer, PortfolioHistoryAnswer
from wire.types import Instant

portfolio = GuardedCalls("portfolio", __name__, "portfolio_reader")

MOST_DAYS = 400
USUAL_DAYS = 30
LONGEST_ACCOUNT = 64
RESTS_SECONDS = 0.01
"""After each piece of a long past, about as long as the piece takes: a webhook or a click goes first."""

ASK_AGAIN_SECONDS = 2
TURNS = Turns()


def _day_or_instant(value: object) -> object:
    if isinstance(value, str) and RFC_3339.fullmatch(value):
        moment = datetime.fromisoformat(value.upper())
        if EARLIEST <= moment < LATEST:
            return moment.astimezone(UTC)
    elif isinstance(value, str) and len(value) == len("2026-11-20"):
        day = date.fromisoformat(value)
        if EARLIEST.date() <= day < LATEST.date():
            return day
    raise ValueError("must be a trading day like 2026-11-20, or an RFC 3339 instant, between 2000 and 2100")


WHEN_WORDS = {"type": "string", "description": "a trading day, or an RFC 3339 instant", "examples": ["2026-11-20"]}
When = Annotated[Any, BeforeValidator(_day_or_instant), WithJsonSchema(WHEN_WORDS)]


class HistoryAsked(BaseModel):
    """A span of the past. An unknown name is refused: ignored, a misspelt filter would select everything."""

    model_config = ConfigDict(extra="forbid")

    first: When | None = Field(default=None, alias="from", description="30 days before `to` when it is not named")
    last: When | None = Field(default=None, alias="to", description="a day counts whole; now when it is not named")
    account: Annotated[str, Field(min_length=1, max_length=LONGEST_ACCOUNT)] | None = None


@portfolio.get("/api/portfolio")
@answers(PortfolioAnswer, errors=(503,))
def show_portfolio() -> Response:
    """Return what every account holds: the desk's trades, external positions, and the MT4 account's.

    MT4 is asked for 2 s at most; while it says nothing its positions are `missing`, which is not none.
    """
    book, absent = mt4_book()
    manager = app_services().manager
    return fresh(reply(portfolio_of(manager.store, manager.snapshot.desk, manager.now, book, absent)))


@portfolio.get("/api/portfolio/history")
@answers(PortfolioHistoryAnswer, errors=(503,))
@asks(HistoryAsked)
def show_history(query: HistoryAsked) -> Response:
    """Return how the accounts went: equity, fills of the desk, and what was noted of external positions.

    `from` and `to` are at most 400 days apart. A long span has fewer points: `every_s` says how far they are apart.
    One past is read at a time, the operator's before a program's: who is not next is told to ask again at once (503
    `too_busy`), and a program's that is being read is broken off for the operator's.
    Of MT4 the newest 500 fills are asked for, and its equity is known from when the desk sampled it.
    """
    manager = app_services().manager
    desk = manager.snapshot.desk
    span = _span_of(query, manager.now, desk.rules.day_roll)
    is_operator = caller_key() is None and not caller_is_service()
    if is_first_call() and TURNS.would_refuse(is_operator=is_operator):
        raise _too_busy()
    fills, absent = mt4_fills(span)
    if not TURNS.takes(is_operator=is_operator):
        raise _too_busy()
    try:
        rest = _rest if is_operator else _rest_or_let_go
        return fresh(reply(history_of(manager.store, desk, span, fills, absent, rest)))
    finally:
        TURNS.ends()


def _rest() -> None:
    sleep(RESTS_SECONDS)


def _rest_or_let_go() -> None:
    """Rest, or end a program's reading when the operator asks. Raises Busy."""
    if TURNS.is_kept_for_operator():
        raise _too_busy()
    _rest()


def _too_busy() -> Busy:
    return Busy("another past of the portfolio is being read", ASK_AGAIN_SECONDS, "too_busy")


def _span_of(query: HistoryAsked, now: Instant, roll: str) -> Span:
    last = now if query.last is None else _end_of(query.last, roll)
    first = last - timedelta(days=USUAL_DAYS) if query.first is None else _begin_of(query.first, roll)
    if first >= last:
        raise InvalidRequest("from", "must be before to")
    if last - first > timedelta(days=MOST_DAYS):
        raise InvalidRequest("from", f"must be at most {MOST_DAYS} days before to")
    return Span(first, last, query.account)


def _begin_of(when: datetime | date, roll: str) -> Instant:
    return when if isinstance(when, datetime) else day_begin(when, roll)


def _end_of(when: datetime | date, roll: str) -> Instant:
    return when if isinstance(when, datetime) else day_end(when, roll)
