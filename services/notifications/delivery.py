"""Send the notices of the outbox to the targets of NOTIFY_URLS, with one thread per target (apprise).

A notice is sent first and marked afterwards. So it is never lost, and it arrives twice only when the process ends
between the two. The mark is a maintenance write of the state manager's writer: a connection of its own would be a
second writer, and the desk's commits would have to wait for its lock.

With one thread per target a target that hangs delays no other. apprise is imported only when there is a target. Its log
is switched off because its lines may name a URL, and URLs hold tokens. Of a failure only the HTTP status of the answer
is kept.
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
from services.notifications.kinds import NOTIFIED_EVENTS
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


class NoticeCounter:
    """Counts the commits that may have put a notice into the outbox. Senders compare the count to know of news."""

    def __init__(self) -> None:
        self.count = 0

    def on_commit(self, rows: Sequence[JournalRow], events: Sequence[CommittedEvent], desk: Desk) -> None:
        """Count the commit when one of its events may cause a notice."""
        if any(isinstance(one.event, NOTIFIED_EVENTS) for one in events):
            self.count += 1


class Outbox(Protocol):
    """The part of the state manager that delivery needs: stored notices, the time, and a way to mark a notice."""

    @property
    def store(self) -> Store: ...

    @property
    def is_writer(self) -> bool: ...

    @property
    def now(self) -> Instant: ...

    def mark_notice(self, mark: NoticeMark) -> None:
        """Have the writer store the result of sending a notice. Raises StoreError."""

    def wait_until(self, is_true: Callable[[Any], bool], timeout: float) -> bool:
        """Wait until a published state satisfies ``is_true``. Return False when the time ran out."""

    def wake(self) -> None:
        """Wake every waiting thread."""


class Target(Struct, frozen=True):
    """One URL of NOTIFY_URLS; ``place`` is its position, from 1. Only its ``scheme`` may be shown or logged."""

    place: int
    scheme: str
    service: Any

    def send(self, title: str, body: str, level: str) -> str | None:
        """Send one message. Return None when the target accepted it, else the reason, free of secrets."""
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
    """Build a target for each URL. Raises WrongTarget, which names a wrong URL by its position, never by its text."""
    if not urls:
        return ()
    import apprise

    quiet = logging.getLogger("apprise")
    quiet.handlers = [logging.NullHandler()]
    quiet.propagate = False
    # With a timeout of its own apprise would send from a thread pool, and the process would wait for that at its end.
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
    """Limit the timeouts that a URL may set (``?cto=`` and ``?rto=`` of apprise) to ours."""
    for plugin in service:
        plugin.socket_connect_timeout = min(plugin.socket_connect_timeout or CONNECT_SECONDS, CONNECT_SECONDS)
        plugin.socket_read_timeout = min(plugin.socket_read_timeout or ANSWER_SECONDS, ANSWER_SECONDS)


class NoticeSender:
    """Sends one target's notices, one at a time."""

    def __init__(self, desk: Outbox, target: Target, counter: NoticeCounter, stopping: threading.Event) -> None:
        self._desk = desk
        self._counter = counter
        self._target = target
        self._stopping = stopping
        self._unmarked: NoticeMark | None = None

    def run(self) -> None:
        """Send notices until ``stopping`` is set; sleep while there are none."""
        while not self._stopping.is_set():
            seen = self._counter.count
            try:
                is_writer = self._desk.is_writer
                if not is_writer:
                    self._unmarked = None
                if not is_writer or not self.turn():
                    self._rest(seen, is_writer)
            except StoreError as error:
                log.warning("notices wait for the store", target=self._target.place, error=str(error))
                self._stopping.wait(STORE_REST_SECONDS)
            except Exception:
                log.exception("a notice sender failed", target=self._target.place)
                self._stopping.wait(STORE_REST_SECONDS)

    def turn(self) -> bool:
        """Send the next notice that is due and mark it. Return True if there was one. Raises StoreError.

        While a mark could not be stored, no other notice is sent: a store that is down must not cause duplicates.
        """
        if self._unmarked is None:
            notice = self._desk.store.next_notice(self._target.place, self._desk.now)
            if notice is None:
                return False
            self._unmarked = self._deliver(notice)
        try:
            self._desk.mark_notice(self._unmarked)
        except NotTheWriter:
            self._unmarked = None  # the process that holds the desk now sends it again and marks it
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

    def _rest(self, seen: int, was_writer: bool) -> None:
        """Sleep until a commit may bring a notice, a waiting one is due, the writer changes, or the process stops.

        A commit is counted before its state is published, so a thread that waits for the next state sees it.
        """
        seconds = REST_AT_MOST_SECONDS
        due_at = self._desk.store.next_notice_at(self._target.place) if self._desk.is_writer else None
        if due_at is not None:
            seconds = min(seconds, max(0.0, (due_at - self._desk.now).total_seconds()))
        self._desk.wait_until(lambda _: self._is_woken(seen, was_writer), seconds)

    def _is_woken(self, seen: int, was_writer: bool) -> bool:
        is_news = self._counter.count != seen or self._desk.is_writer != was_writer
        return is_news or self._stopping.is_set()


def next_try(notice: StoredNotice, now: Instant) -> Instant | None:
    """Return when to try again after a failure, None when the notice is a day old and is given up."""
    again = now + BACKOFF[min(notice.attempts, len(BACKOFF) - 1)]
    return None if again > notice.due_at + GIVEN_UP_AFTER else again


def _lateness(notice: StoredNotice, now: Instant) -> str:
    """Return the time of the event as text when the notice is late, else an empty text."""
    if now < notice.due_at + LATE_AFTER:
        return ""
    return f" (this was {notice.due_at.astimezone(NEW_YORK):%a %H:%M:%S} New York)"


class NoticeSenders:
    """The senders of all targets, each on its own thread."""

    def __init__(self, desk: Outbox, targets: Sequence[Target], counter: NoticeCounter) -> None:
        self._desk = desk
        self._stopping = threading.Event()
        self._threads = [
            threading.Thread(
                target=NoticeSender(desk, target, counter, self._stopping).run,
                name=f"notices-{target.place}",
                daemon=True,
            )
            for target in targets
        ]
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """Stop all senders. One that is sending gets up to ``STOP_WITHIN_SECONDS``, counted for all together."""
        self._stopping.set()
        self._desk.wake()
        deadline = time.monotonic() + STOP_WITHIN_SECONDS
        for thread in self._threads:
            thread.join(max(0.0, deadline - time.monotonic()))
