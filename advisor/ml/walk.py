"""The walk forward: each session is forecast from what was over before it (docs/explanation/forecasts.md)."""

from __future__ import annotations

from itertools import groupby

from msgspec import Struct

from advisor.ml.bars import Series

LEAST_SESSIONS = 10
"""With fewer nothing is trained."""
FIRST_TEST = 5
"""The first so many sessions are only learned from."""
WHOLE_SESSION_SECONDS = 3 * 3_600
"""A trade date with fewer hours of bars is learned from, but counts as no session and is not forecast."""


class NotEnough(Struct, frozen=True):
    """There are too few sessions to learn from."""

    symbol: str
    timeframe: str
    sessions: int
    needed: int = LEAST_SESSIONS

    @property
    def sentence(self) -> str:
        """What is missing: ``ES 15m: 3 of 10 sessions``."""
        return f"{self.symbol} {self.timeframe}: {self.sessions} of {self.needed} sessions"


class Session(Struct, frozen=True):
    """The bars of one trade date: from ``begins`` until just before ``ends``, as places in the series."""

    on: int
    begins: int
    ends: int


class Fold(Struct, frozen=True):
    """One step of the walk: bars before ``learned_until`` may be learned from, those of the session are forecast."""

    number: int
    learned_until: int
    session: Session


def sessions_of(series: Series) -> list[Session]:
    """Return the trade dates that have at least three hours of bars that another one follows."""
    found: list[Session] = []
    begins = 0
    for on, bars in groupby(series.session):
        ends = begins + sum(1 for _ in bars)
        followed = 1 + sum(series.is_followed(index) for index in range(begins, ends - 1))
        if followed * series.seconds >= WHOLE_SESSION_SECONDS:
            found.append(Session(on, begins, ends))
        begins = ends
    return found


def folds(sessions: list[Session], horizon: int, first: int = FIRST_TEST) -> list[Fold]:
    """Return the steps of an expanding walk.

    A label looks ``horizon`` bars ahead. So the last ``horizon`` bars before a session are purged: what they are
    labelled with happens in it. As many before them are an embargo.
    """
    return [
        Fold(number, max(session.begins - purged(horizon) - embargo(horizon), 0), session)
        for number, session in enumerate(sessions)
        if number >= first
    ]


def purged(horizon: int) -> int:
    """Return how many bars before a session have labels that reach into it."""
    return horizon


def embargo(horizon: int) -> int:
    """Return how many bars are left out beside those."""
    return horizon
