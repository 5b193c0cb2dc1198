"""A trading day decided again: what would have become of the entries that the desk refused."""

from __future__ import annotations

from datetime import date

from flask import Response

from routes.http.describing import answers
from routes.http.errors import Busy, error_answer
from routes.http.guards import guarded_by
from routes.http.later import is_first_call, remembered, wait_for
from routes.http.parsing import asks
from routes.http.replies import AppServices, app_services, fresh, reply
from routes.readers import reader_calls
from routes.readers.journal import Asked, Day, roll
from services.engine.model.trading_day import trading_day_of
from services.ops.what_if_days import SECONDS, DayDecided, Key, NotDecided, OtherDayRuns, UnknownDay
from wire.what_if import WhatIfDay

what_if = reader_calls("what_if", __name__)

ASK_AGAIN_SECONDS = 5
GRACE_SECONDS = 2.0  # the child is killed by then, whatever it does


class WhatIfAsked(Asked):
    """The trading day."""

    day: Day


@what_if.get("/api/what-if/day")
@guarded_by("what_if_reader")
@answers(WhatIfDay, errors=(404, 503))
@asks(WhatIfAsked)
def decide_day_again(query: WhatIfAsked) -> Response:
    """Return what would have become of a trading day's refused entries, by the prices that the journal kept.

    The day is decided again in a process of its own, one day at a time (503 `busy` while it is another one), within
    60 s. A desk on Firestore has none (503 `not_available`).
    """
    services = app_services()
    if not services.what_if.is_possible:
        sentence = "a day is decided again for a desk on SQLite; `flask desk replay --day` does it by hand"
        return fresh(error_answer(sentence, 503, "not_available"))
    try:
        decided = _waited_for(services, query.day)
        return fresh(reply(decided.result()))
    except UnknownDay as error:
        return fresh(error_answer(str(error), 404, "not_found"))
    except NotDecided as error:
        return fresh(error_answer(str(error), 503, "not_decided"))


def _waited_for(services: AppServices, day: date) -> DayDecided:
    """Begin the day, and return it when the view is called again. Raises UnknownDay, Busy, `Paused`."""
    days = services.what_if
    if not is_first_call():
        asked: DayDecided = remembered(None)
        days.leave(asked)
        if not asked.is_over:
            raise Busy("the day is still being decided again", ASK_AGAIN_SECONDS, "busy")
        return asked
    try:
        asked = days.ask(_key(services, day))
    except OtherDayRuns as error:
        raise Busy("another day is being decided again", ASK_AGAIN_SECONDS, "busy") from error
    if not asked.is_over:
        wait_for(lambda: asked.is_over, SECONDS + GRACE_SECONDS, "what-if", asked, lambda: days.leave(asked))
    return asked


def _key(services: AppServices, day: date) -> Key:
    """Return what the day's answer depends on. Raises UnknownDay for a day that the desk has not lived."""
    desk = services.manager.snapshot.desk
    today = desk.day.trading_day
    if not first_day(services) <= day <= today:
        raise UnknownDay(f"no row of the trading day {day} is kept")
    return day, desk.sequence if day == today else 0


def first_day(services: AppServices) -> date:
    """Return the trading day of the journal's first row; of a desk without rows today. Raises StoreError."""
    return services.what_if.first_day(lambda: _day_of_first_row(services))


def _day_of_first_row(services: AppServices) -> date:
    row = next(iter(services.manager.store.journal()), None)
    return services.manager.snapshot.desk.day.trading_day if row is None else trading_day_of(row.at, roll())
