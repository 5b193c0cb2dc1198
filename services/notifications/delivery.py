"""The couriers: one thread per target of NOTIFY_URLS takes what waits in the outbox to it (apprise).

A courier sends first and marks then, so a notice arrives twice only when the process ends between the two, never
not at all. The mark goes through the state manager's writer as a chore between two group commits: a connection
of its own would be a second writer, whose lock the desk's commits had to wait for.

One thread per target: a target that hangs holds up nobody but itself. apprise is imported when there is a target,
and no sooner. Its log lines may name a URL, and URLs hold tokens, so they are shut off; of a failure nothing is
kept but the status of the answer or that there was none.
"""

from __future__ import annotations

import logging
import re
import threading
import time
from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Protocol

import structlog
from msgspec import Struct

from services.engine.model.state import Desk
from services.engine.model.trading_day import NEW_YORK
from services.notifications.kinds import MAY_BE_TOLD
from services.stores.codec.committed_events import CommittedEvent
from services.stores.store import JournalRow, NoticeMark, NotTheWriter, Store, StoredNotice, StoreError
from wire.types import Instant

if TYPE_CHECKING:
    from apprise import Apprise

log = structlog.get_logger(__name__)

BACKOFF = tuple(timedelta(seconds=seconds) for seconds in (5, 30, 120, 600, 1800, 3600))  # the last one repeats
GIVEN_UP_AFTER = timedelta(hours=24)
LATE_AFTER = timedelta(minutes=1)
CONNECT_SECONDS = 4.0
ANSWER_SECONDS = 8.0
REST_AT_MOST_SECONDS = 60.0
STORE_REST_SECONDS = 1.0
STOP_WITHIN_SECONDS = 0.3
APPRISE_LEVELS = {"info": "info", "success": "success", "warning": "warning", "critical": "failure"}
STATUS = re.compile(r"error=(\d{3})\b")


class WrongTarget(ValueError):
    """A URL of NOTIFY_URLS is no apprise URL."""


class NoticeBell:
    """Rings when a commit may have put a notice into the outbox, or when another process has taken the desk."""

    def __init__(self) -> None:
        self.rings = 0

    def on_commit(self, rows: Sequence[JournalRow], events: Sequence[CommittedEvent], desk: Desk) -> None:
        """Ring when one of these events may cause a notice."""
        if any(isinstance(one.event, MAY_BE_TOLD) for one in events):
            self.rings += 1


class Outbox(Protocol):
    """What delivery asks of the desk: the stored notices, the time, and the writer's hand for a mark."""

    @property
    def store(self) -> Store: ...

    @property
    def is_writer(self) -> bool: ...

    @property
    def now(self) -> Instant: ...

    def mark_notice(self, mark: NoticeMark) -> None:
        """Have the writer store what became of a notice. Raises StoreError."""

    def wait_until(self, is_true: Callable[[Any], bool], timeout: float) -> bool:
        """Wait until a published state satisfies the question; False when the time ran out."""

    def wake(self) -> None:
        """Let everybody who waits look again."""


class Target(Struct, frozen=True):
    """One place of NOTIFY_URLS, from 1. Its ``scheme`` is all that may be shown of the URL."""

    place: int
    scheme: str
    service: Any

    def send(self, title: str, body: str, level: str) -> str | None:
        """Send one message. Returns None when the target took it, else why not, free of secrets."""
        try:
            result = self.service.notify(title=title, body=body, notify_type=APPRISE_LEVELS[level])
            if result:
                return None
            lines = " ".join(entry.message for entry in result.logs())
        except Exception as error:  # noqa: BLE001 - a plugin may raise anything, and its message may hold the URL
            return f"the program failed: {type(error).__name__}"
        status = STATUS.search(lines)
        return f"the target answered {status[1]}" if status else "the target could not be reached"


def open_targets(urls: Sequence[str]) -> tuple[Target, ...]:
    """Build what sends to each URL. Raises WrongTarget that names a wrong one by its place, never by its text."""
    if not urls:
        return ()
    import apprise

    quiet = logging.getLogger("apprise")
    quiet.handlers = [logging.NullHandler()]
    quiet.propagate = False
    # A time limit of apprise's own would send from its thread pool, which the process waits for at its end.
    asset = apprise.AppriseAsset(app_id="Lockstep", storage_mode="memory", service_timeout=0, result_log_disk_size=0)
    targets = []
    for place, url in enumerate(urls, 1):
        service = apprise.Apprise(asset=asset)
        if not service.add(url) or len(service) != 1:
            raise WrongTarget(f"Lockstep cannot start: NOTIFY_URLS: number {place} of {len(urls)} was no apprise URL")
        _bound(service)
        targets.append(Target(place, url.partition("://")[0].lower(), service))
    return tuple(targets)


def _bound(service: Apprise) -> None:
    """Let no URL wait longer than we do (``?cto=`` and ``?rto=`` of apprise)."""
    for plugin in service:
        plugin.socket_connect_timeout = min(plugin.socket_connect_timeout or CONNECT_SECONDS, CONNECT_SECONDS)
        plugin.socket_read_timeout = min(plugin.socket_read_timeout or ANSWER_SECONDS, ANSWER_SECONDS)


class Courier:
    """Takes one target's notices to it, one at a time."""

    def __init__(self, desk: Outbox, target: Target, bell: NoticeBell, stopping: threading.Event) -> None:
        self._desk = desk
        self._bell = bell
        self._target = target
        self._stopping = stopping
        self._unmarked: NoticeMark | None = None

    def run(self) -> None:
        """Work until told to stop; sleep while there is nothing to do."""
        while not self._stopping.is_set():
            heard = self._bell.rings
            try:
                is_writer = self._desk.is_writer
                if not is_writer:
                    self._unmarked = None
                if not is_writer or not self.turn():
                    self._rest(heard, is_writer)
            except StoreError as error:
                log.warning("notices wait for the store", target=self._target.place, error=str(error))
                self._stopping.wait(STORE_REST_SECONDS)
            except Exception:
                log.exception("a courier stumbled", target=self._target.place)
                self._stopping.wait(STORE_REST_SECONDS)

    def turn(self) -> bool:
        """Send the next notice that is due and mark it. Returns True if there was one.

        While a mark could not be written nothing else is sent: a store that is down must not make duplicates.
        Raises StoreError.
        """
        if self._unmarked is None:
            notice = self._desk.store.next_notice(self._target.place, self._desk.now)
            if notice is None:
                return False
            self._unmarked = self._deliver(notice)
        try:
            self._desk.mark_notice(self._unmarked)
        except NotTheWriter:
            self._unmarked = None  # whoever holds the desk now sends it, and marks what becomes of it
            raise
        self._unmarked = None
        return True

    def _deliver(self, notice: StoredNotice) -> NoticeMark:
        body = notice.body + _lateness(notice, self._desk.now)
        error = self._target.send(notice.title, body, notice.level)
        now = self._desk.now
        attempts = notice.attempts + 1
        if error is None:
            return NoticeMark(notice.number, notice.target, now, attempts, sent=True)
        again = next_try(notice, now)
        facts = {"target": self._target.place, "scheme": self._target.scheme, "kind": notice.kind, "error": error}
        if again is None:
            log.error("a notice was given up", **facts, attempts=attempts, title=notice.title)
        else:
            log.warning("a notice was not taken", **facts, attempts=attempts, next_try_at=again.isoformat())
        return NoticeMark(notice.number, notice.target, now, attempts, next_try_at=again, error=error)

    def _rest(self, heard: int, was_writer: bool) -> None:
        """Sleep until a commit may bring a notice, one that waits is due, the writer changes, or the process goes.

        The bell rings before the new state is published, so that whoever waits for the next state looks at it.
        """
        seconds = REST_AT_MOST_SECONDS
        due_at = self._desk.store.next_notice_at(self._target.place) if self._desk.is_writer else None
        if due_at is not None:
            seconds = min(seconds, max(0.0, (due_at - self._desk.now).total_seconds()))
        self._desk.wait_until(lambda _: self._is_woken(heard, was_writer), seconds)

    def _is_woken(self, heard: int, was_writer: bool) -> bool:
        is_news = self._bell.rings != heard or self._desk.is_writer != was_writer
        return is_news or self._stopping.is_set()


def next_try(notice: StoredNotice, now: Instant) -> Instant | None:
    """Return when to try again after a failure, None when the notice is a day old and given up."""
    again = now + BACKOFF[min(notice.attempts, len(BACKOFF) - 1)]
    return None if again > notice.due_at + GIVEN_UP_AFTER else again


def _lateness(notice: StoredNotice, now: Instant) -> str:
    """Say when it was, if it comes late."""
    if now < notice.due_at + LATE_AFTER:
        return ""
    return f" (this was {notice.due_at.astimezone(NEW_YORK):%a %H:%M:%S} New York)"


class Post:
    """All couriers together."""

    def __init__(self, desk: Outbox, targets: Sequence[Target], bell: NoticeBell) -> None:
        self._desk = desk
        self._stopping = threading.Event()
        self._threads = [
            threading.Thread(
                target=Courier(desk, target, bell, self._stopping).run, name=f"courier-{target.place}", daemon=True
            )
            for target in targets
        ]
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """End at once who rests; who is in the middle of sending gets a moment, all together."""
        self._stopping.set()
        self._desk.wake()
        deadline = time.monotonic() + STOP_WITHIN_SECONDS
        for thread in self._threads:
            thread.join(max(0.0, deadline - time.monotonic()))
