"""Send the stored notices to the targets of NOTIFY_URLS, with one thread per target (apprise).

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
from services.notifications.stored import (
    StoredNotice,
    due_again,
    is_outdated,
    next_notice,
    not_taken,
    notice_record,
    taken,
    waiting_notices,
    withdrawn,
)
from services.stores.codec.committed_events import CommittedEvent
from services.stores.records import Record
from services.stores.store import JournalRow, NotTheWriter, Store, StoreError
from wire.types import Instant

if TYPE_CHECKING:
    from apprise import Apprise

log = structlog.get_logger(__name__)

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
    """Counts the commits that may have stored a notice. Senders compare the count to know of news."""

    def __init__(self) -> None:
        self.count = 0

    def on_commit(self, rows: Sequence[JournalRow], events: Sequence[CommittedEvent], desk: Desk) -> None:
        """Count the commit when one of its events may cause a notice."""
        if any(isinstance(one.event, NOTIFIED_EVENTS) for one in events):
            self.count += 1


class Shown(Protocol):
    """A published state, of which delivery needs the desk."""

    @property
    def desk(self) -> Desk: ...


class NoticeDesk(Protocol):
    """The part of the state manager that delivery needs: stored notices, the desk and its time, and marks."""

    @property
    def store(self) -> Store: ...

    @property
    def snapshot(self) -> Shown: ...

    @property
    def is_writer(self) -> bool: ...

    @property
    def epoch(self) -> int: ...

    @property
    def now(self) -> Instant: ...

    def mark_records(self, records: Sequence[Record], epoch: int) -> None:
        """Have the writer store the marks of notices that were read in this epoch. Raises StoreError."""

    def wait_until(self, is_true: Callable[[Any], bool], timeout: float) -> bool:
        """Wait until a published state satisfies ``is_true``. Return False when the time ran out."""

    def wake(self) -> None:
        """Wake every waiting thread."""


class Marked(Struct, frozen=True):
    """Notices whose marks have changed and are not stored yet, and the epoch in which they were read."""

    epoch: int
    notices: Sequence[StoredNotice]


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

    def __init__(self, desk: NoticeDesk, target: Target, counter: NoticeCounter, stopping: threading.Event) -> None:
        self._desk = desk
        self._counter = counter
        self._target = target
        self._stopping = stopping
        self._unmarked: Marked | None = None
        self._due_at: Instant | None = None

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
            epoch = self._desk.epoch
            waiting = waiting_notices(self._desk.store, self._target.place)
            notice = next_notice(waiting, self._desk.now)
            self._due_at = min((one.next_try_at for one in waiting if one.next_try_at is not None), default=None)
            if notice is None:
                return False
            self._unmarked = Marked(epoch, self._handled(notice, waiting))
        try:
            self._desk.mark_records([notice_record(one) for one in self._unmarked.notices], self._unmarked.epoch)
        except NotTheWriter:
            self._unmarked = None  # the process that holds the desk now sends it again and marks it
            raise
        self._unmarked = None
        return True

    def _handled(self, notice: StoredNotice, waiting: Sequence[StoredNotice]) -> list[StoredNotice]:
        """Send a notice, or withdraw one that is outdated. Return the notices whose marks change by that."""
        if is_outdated(notice, waiting, self._desk.snapshot.desk):
            return [withdrawn(notice)]
        body = notice.body + _lateness(notice, self._desk.now)
        error = self._target.send(notice.title, body, notice.level)
        now = self._desk.now
        if error is None:
            return [taken(notice, now), *due_again(notice, waiting, now)]
        marked = not_taken(notice, now, error)
        self._log_failure(marked)
        return [marked]

    def _log_failure(self, notice: StoredNotice) -> None:
        place, scheme = self._target.place, self._target.scheme
        facts = {"target": place, "scheme": scheme, "kind": notice.kind, "error": notice.last_error}
        if notice.next_try_at is None:
            log.error("a notice was given up", **facts, attempts=notice.attempts, title=notice.title)
        else:
            again = notice.next_try_at.isoformat()
            log.warning("a notice was not taken", **facts, attempts=notice.attempts, next_try_at=again)

    def _rest(self, seen: int, was_writer: bool) -> None:
        """Sleep until a commit may bring a notice, a waiting one is due, the writer changes, or the process stops.

        A commit is counted before its state is published, so a thread that waits for the next state sees it.
        """
        seconds = REST_AT_MOST_SECONDS
        if was_writer and self._due_at is not None:
            seconds = min(seconds, max(0.0, (self._due_at - self._desk.now).total_seconds()))
        self._desk.wait_until(lambda _: self._is_woken(seen, was_writer), seconds)

    def _is_woken(self, seen: int, was_writer: bool) -> bool:
        is_news = self._counter.count != seen or self._desk.is_writer != was_writer
        return is_news or self._stopping.is_set()


def _lateness(notice: StoredNotice, now: Instant) -> str:
    """Return the time of the event as text when the notice is late, else an empty text."""
    if now < notice.due_at + LATE_AFTER:
        return ""
    return f" (this was {notice.due_at.astimezone(NEW_YORK):%a %H:%M:%S} New York)"


class NoticeSenders:
    """The senders of all targets, each on its own thread."""

    def __init__(self, desk: NoticeDesk, targets: Sequence[Target], counter: NoticeCounter) -> None:
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
