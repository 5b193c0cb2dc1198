"""The last 100 webhooks and bridge messages, for the page's log (SPEC 11, ``logs``).

A message that repeats the one before it (heartbeats, snapshots) raises that line's count instead of pushing
the rest out. After a start the log begins with what the journal remembers. When a level exit was last received stands
beside the lists, because bricks push its line out: no part of the desk's state names it.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Sequence
from typing import Any, Literal

import structlog
from msgspec import MsgspecError, Struct
from msgspec.structs import replace

from services.documents import read_command, read_events
from services.engine.commands import CloseBrick, KeepDeadLetter, ReportExecution, TouchLevel
from services.engine.events import AlertRaised, LateBrickIgnored
from services.engine.words import STREAM_POINTS, Instant
from services.stores.store import JournalRow, Store, StoreError

log = structlog.get_logger(__name__)

Feed = Literal["tradingview", "rithmic"]
FEED_OF_ORIGIN: dict[str, Feed] = {"tradingview": "tradingview", "bridge": "rithmic"}
LINES_KEPT = 100
LEVEL_EXIT = "tv_level_exit"


class LogLine(Struct, frozen=True):
    """One message: when, what kind, for which asset, what it said, what became of it, how often in a row."""

    ts: Instant
    kind: str
    asset: str | None
    text: str
    outcome: str
    count: int = 1

    def repeats(self, other: LogLine) -> bool:
        return (self.kind, self.asset, self.outcome) == (other.kind, other.asset, other.outcome)


class ActivityLog:
    """Two bounded lists, newest first, and whoever listens to new lines.

    Who takes ``lock`` and the broadcaster's own takes this one first.
    """

    def __init__(self) -> None:
        self._lines: dict[Feed, deque[LogLine]] = {
            "tradingview": deque(maxlen=LINES_KEPT),
            "rithmic": deque(maxlen=LINES_KEPT),
        }
        self._level_exits: dict[str, Instant] = {}
        self.lock = threading.RLock()
        self.on_line: Callable[[Feed, LogLine, bool], None] = lambda feed, line, replaces_last: None

    def remember(self, store: Store) -> None:
        """Fill the log from the journal, oldest line first; one that cannot be read just now begins empty."""
        try:
            for origin in FEED_OF_ORIGIN:
                self.tell(list(reversed(store.last_rows(origin, LINES_KEPT))))
        except StoreError as error:
            log.warning("the log begins empty", error=str(error))

    def tell(self, rows: Sequence[JournalRow]) -> None:
        """Add what journal rows say, oldest first; rows of other origins are no messages."""
        for row in rows:
            if row.origin in FEED_OF_ORIGIN:
                self.note(FEED_OF_ORIGIN[row.origin], _line_of(row))

    def note(self, feed: Feed, line: LogLine, *, merge: bool = False) -> None:
        """Add a line; with ``merge`` one that repeats the newest raises its count instead."""
        with self.lock:
            lines = self._lines[feed]
            merged = merge and bool(lines) and line.repeats(lines[0])
            if merged:
                line = replace(line, count=lines.popleft().count + 1)
            lines.appendleft(line)
            if line.kind == LEVEL_EXIT and line.asset is not None:
                self._level_exits[line.asset] = line.ts
            self.on_line(feed, line, merged)

    def as_document(self) -> dict[str, Any]:
        """Return ``logs`` and ``level_exit_ts`` as the state shows them."""
        with self.lock:
            lists: dict[str, Any] = {feed: [line_view(line) for line in lines] for feed, lines in self._lines.items()}
            return {"logs": lists, "level_exit_ts": dict(self._level_exits)}


def line_view(line: LogLine) -> dict[str, Any]:
    return {name: getattr(line, name) for name in line.__struct_fields__}


def _line_of(row: JournalRow) -> LogLine:
    """Tell a journal row as the log told it when it happened."""
    try:
        command, events = read_command(row.command), read_events(row.events)
    except MsgspecError as error:
        return LogLine(row.at, row.kind, row.asset, str(error), "unreadable")
    match command:
        case KeepDeadLetter(path=path, reason=reason):
            return LogLine(row.at, path.strip("/"), None, reason, "dead letter")
        case TouchLevel(asset=asset):
            return LogLine(row.at, LEVEL_EXIT, asset, "", "exit")
        case CloseBrick(asset=asset):
            late = any(isinstance(event, LateBrickIgnored) for event in events)
            return LogLine(row.at, row.kind, asset, brick_text(command), "stale" if late else "ok")
        case ReportExecution(status=status):
            conflict = any(isinstance(event, AlertRaised) for event in events)
            return LogLine(row.at, row.kind, row.asset, str(status), "alert" if conflict else "ok")
        case _:
            return LogLine(row.at, row.kind, row.asset, "", "ok")


def brick_text(brick: CloseBrick) -> str:
    """Write a brick as a trader reads it: ``2.5pt red``."""
    return f"{STREAM_POINTS[brick.stream]:f}pt {brick.color}"
