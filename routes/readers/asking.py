"""What the calls of the advisor share: they wait without a thread, and say every failure as web does.

What the advisor itself refuses keeps its status, its code and its sentence. Everything else that is no answer is 503
`advisor_away`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

import msgspec
from flask import Response
from msgspec import Struct

from routes.http.error_codes import ERRORS
from routes.http.errors import Busy, error_answer
from routes.http.guards import caller_key
from routes.http.later import is_first_call, remembered, wait_for
from routes.http.replies import app_services, fresh, reply
from services.ops.advisor_calls import (
    SENTENCES,
    AdvisorAway,
    AdvisorCall,
    AdvisorPort,
    TooManyAsk,
)
from services.ops.beside_call import Answered, Question
from wire.types import AwareTime, ErrorCode, Instant

Model = TypeVar("Model", bound=Struct)
Call = TypeVar("Call", bound=AdvisorCall)

ASK_AGAIN_SECONDS = 5
PLACES_FREE_IN_SECONDS = 1
GRACE_SECONDS = 1.0  # a call ends by itself; only one whose name is being looked up does not
OK = 200
DENIED = (401, 403)
LONGEST_SENTENCE = 1_000
PASSED_ON: frozenset[ErrorCode] = frozenset(
    {
        *("invalid_parameter", "invalid_body", "unknown_symbol", "not_found", "rate_limit_exceeded"),
        *("not_trained", "no_bars", "stale", "provider_away", "web_away", "not_available", "busy"),
    }
)
OTHER_SECRET = "the advisor refuses the desk: both need the same SERVICE_SECRET"  # noqa: S105 - a sentence


class Refusal(Struct, frozen=True):
    """How the advisor refuses (``wire/service_problem.py``)."""

    error: str
    detail: str
    timestamp: AwareTime


_refusals = msgspec.json.Decoder(Refusal)


def asked(
    port: AdvisorPort, question: Question, model: type[Model], is_it: Callable[[Model], bool] | None = None
) -> Response:
    """Ask the advisor and answer with what it says, within 2 s.

    An answer that is no ``model``, or of which ``is_it`` says that it is another one, is not passed on.
    """
    calls = app_services().advisor
    try:
        answered = waited_for(lambda: calls.ask(port, question, is_of_key=caller_key() is not None), 2.0).result()
    except AdvisorAway as error:
        return away(str(error))
    return told(answered, model, is_it)


def waited_for(begin: Callable[[], Call], seconds: float) -> Call:
    """Begin a call, and return it when the view is called again. Raises AdvisorAway, Busy, `Paused`."""
    if is_first_call():
        try:
            call = begin()
        except TooManyAsk as error:
            sentence = "the advisor is being asked as much at once as it may be"
            raise Busy(sentence, PLACES_FREE_IN_SECONDS, "too_busy") from error
        wait_for(lambda: call.is_over, seconds + GRACE_SECONDS, "advisor", call, call.give_up)
    waited: Call = remembered(None)
    if not waited.is_over:
        waited.give_up()
    return waited


def told(answered: Answered, model: type[Model], is_it: Callable[[Model], bool] | None = None) -> Response:
    """Return the answer for what the advisor answered."""
    if answered.status != OK:
        return refused_by_the_advisor(answered)
    try:
        body = msgspec.json.decode(answered.body, type=model)
    except ValueError:  # DecodeError is one
        return away(SENTENCES["unreadable"])
    if is_it is not None and not is_it(body):
        return away(SENTENCES["unreadable"])
    return fresh(reply(body))


def refused_by_the_advisor(answered: Answered) -> Response:
    """Return the answer for a refusal of the advisor."""
    if answered.status in DENIED:
        return away(OTHER_SECRET)
    try:
        refusal = _refusals.decode(answered.body)
    except ValueError:  # DecodeError is one
        return away(SENTENCES["unreadable"])
    kind = next((ERRORS[code] for code in PASSED_ON if code == refusal.error), None)
    if kind is None or answered.status not in kind.statuses:
        return away(SENTENCES["unreadable"])
    sentence = refusal.detail[:LONGEST_SENTENCE] or kind.title
    return fault(sentence, answered.status, kind.code, refusal.timestamp)


def away(sentence: str) -> Response:
    """Return the answer when the advisor says nothing; it may be asked again soon."""
    response = fault(sentence, 503, "advisor_away", app_services().manager.now)
    response.headers["Retry-After"] = str(ASK_AGAIN_SECONDS)
    return response


def fault(sentence: str, status: int, code: ErrorCode, at: Instant) -> Response:
    """Return an error with the moment of it, as the services say theirs. No cache keeps it."""
    return fresh(error_answer(sentence, status, code, timestamp=at))
