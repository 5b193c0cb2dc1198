"""Ask feeds how it is, when somebody looks: whether it is there, which ports it has, and who is connected.

Web believes only the whole answer of the feeds that hears this desk. Whatever else listens at the address is
`unreadable`; the feeds of another desk on the same machine is `other_desk`.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from msgspec import Struct
from msgspec.structs import replace

from services.ops.beside_call import Away, Bounds, call
from services.ops.beside_watch import Lookout
from wire.feeds_answer import Absence, FeedsAnswer, read_health
from wire.feeds_health import FeedsHealth, mark_of
from wire.types import Instant

ANSWERS_WITHIN_SECONDS = 1.0
LONGEST_ANSWER = 64 * 1024
PATH = "/health"
BOUNDS = Bounds(ANSWERS_WITHIN_SECONDS, LONGEST_ANSWER)


class Seen(Struct, frozen=True):
    """What the last question found, since when it is so, and when it was asked."""

    health: FeedsHealth | None
    reason: Absence | None
    since: Instant
    asked_at: Instant


class FeedsWatch:
    """Keeps what feeds said last. Nobody is asked while nobody looks.

    Parameters: the address of feeds (None when it is off), the desk's clock, the name of the process that decides, and
    a clock in seconds.
    """

    def __init__(
        self,
        url: str | None,
        now: Callable[[], Instant],
        writer: Callable[[], str],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._url = url
        self._now = now
        self._writer = writer
        self._was_other = False
        self._lookout = Lookout(self._ask, clock)

    def look(self) -> FeedsAnswer:
        """Return what is known, at most some seconds old; `Lookout.look` says how long that may take."""
        if self._url is None:
            return FeedsAnswer(state="off", reason=None, since=None, asked_at=None, url=None, health=None)
        return answer_of(self._url, self._lookout.look())

    def _ask(self, before: Seen | None) -> Seen | None:
        seen = self._asked(self._url or "", self._now())
        is_same = before is not None and seen is not None and condition_of(before) == condition_of(seen)
        return replace(seen, since=before.since) if before is not None and seen is not None and is_same else seen

    def _asked(self, url: str, asked_at: Instant) -> Seen | None:
        try:
            return self._ours(Seen(ask(url), None, asked_at, asked_at))
        except Away as error:
            return Seen(None, error.reason, asked_at, asked_at)

    def _ours(self, seen: Seen) -> Seen | None:
        """Return what the feeds of this desk said. None for the first answer about another process.

        After a restart or a takeover feeds needs a moment to hear the new one. Raises Away when it stays so.
        """
        web = seen.health.web if seen.health else None
        is_other = web is not None and web.is_up and web.desk is not None and web.desk != mark_of(self._writer())
        was_other, self._was_other = self._was_other, is_other
        if is_other and was_other:
            raise Away("other_desk")
        return None if is_other else seen


def condition_of(seen: Seen) -> str:
    """Return what `since` counts from: a change of this begins a new time."""
    return seen.reason or (seen.health.status if seen.health else "")


def answer_of(url: str, seen: Seen | None) -> FeedsAnswer:
    """Return the answer of ``GET /api/feeds``."""
    if seen is None:
        return FeedsAnswer(state="unknown", reason=None, since=None, asked_at=None, url=url, health=None)
    if seen.health is None:
        return FeedsAnswer(
            state="away", reason=seen.reason, since=seen.since, asked_at=seen.asked_at, url=url, health=None
        )
    is_well = seen.health.ok and seen.health.status == "ok"
    return FeedsAnswer(
        state="up" if is_well else "degraded",
        reason=None,
        since=seen.since,
        asked_at=seen.asked_at,
        url=url,
        health=seen.health,
    )


def ask(url: str) -> FeedsHealth:
    """Ask feeds once, directly, whatever ``http_proxy`` says. Raises Away."""
    answered = call(url, PATH, BOUNDS)
    try:
        return read_health(answered.body)
    except ValueError as error:  # DecodeError is one
        raise Away("unreadable") from error
