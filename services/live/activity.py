"""The last 100 webhooks and bridge messages, for the page's log (SPEC 11, ``logs``).

A message that repeats the one before it (heartbeats, snapshots) raises that line's count and adds no line. A journaled
message becomes a line when it is committed; the line reads the same on the writer, on a standby and after a restart. A
message without an event (a duplicate, most heartbeats) is not journaled: the route that received it adds its line.
The time of the last level exit is kept beside the lists, because bricks push its line out and the desk does not store
it.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Sequence
from datetime import timedelta

import structlog
from msgspec import UNSET, MsgspecError, Struct, structs

from services.engine.model.bar_commands import CloseBar
from services.engine.model.bridge_commands import BookFills, ClaimOrders, HearBridge, ReportExecution, TakeSnapshot
from services.engine.model.commands import AnyCommand, CloseBrick, KeepDeadLetter, NotePrice, TouchLevel
from services.engine.model.events import (
    AlertRaised,
    AnyEvent,
    FillBooked,
    FillRefused,
    LateBrickIgnored,
    OrderReported,
)
from services.engine.model.feed_events import FeedFaultEnded, FeedFaultFound
from services.engine.model.settings import RULE_SETTING
from services.engine.model.state import Desk
from services.engine.model.ticks import HearTicks
from services.engine.model.times import AHEAD_TOLERANCE
from services.engine.model.wording import Explanation, facts_of
from services.engine.rules.alerts import explanation_of
from services.engine.rules.feed_delivery import seconds_ahead
from services.live.bar_lines import bar_facts, bar_text
from services.stores.codec.committed_events import CommittedEvent
from services.stores.codec.documents import read_command, read_events
from services.stores.store import JournalRow, Store, StoreError
from wire.state import Activity, LogRow, Logs
from wire.stream import Feed
from wire.tradingview import BAR_PATH, HEARTBEAT_PATH, LEVEL_PATH, STREAM_POINTS, STREAMS
from wire.types import Instant

log = structlog.get_logger(__name__)

FEED_OF_ORIGIN: dict[str, Feed] = {"tradingview": "tradingview", "bridge": "rithmic"}
LINES_KEPT = 100
COUNTED_FOR = timedelta(minutes=1)
ROWS_WAITING = 1_000
LEVEL_EXIT = LEVEL_PATH.strip("/")
HEARTBEAT = HEARTBEAT_PATH.strip("/")
BRICK_KINDS = {row.stream: row.kind for row in STREAMS}
GAPS = ("missed_bar", "broken_chain")
BRIDGE_HEARTBEAT = "heartbeat"
SNAPSHOT = "pnl-snapshot"
REPORT = "execution-report"
FILLS = "fills"
BAR = BAR_PATH.strip("/")
REPEATING = (HEARTBEAT, BAR, BRIDGE_HEARTBEAT, SNAPSHOT)
USUAL_MAX_AGE = RULE_SETTING["heartbeat_max_age_seconds"].default
REFUSING_ALERTS = ("overfill", "report_conflict")  # in rows written before refusals were events


class LogLine(Struct, frozen=True):
    """One message: its time, kind, asset, text, outcome, and how often it came in a row.

    ``outcome`` is a code; with ``why`` it is a text for people and ``why`` holds the code.
    """

    ts: Instant
    kind: str
    asset: str | None
    text: str
    outcome: str
    count: int = 1
    why: Explanation | None = None

    def repeats(self, other: LogLine) -> bool:
        return (self.kind, self.asset, self.outcome) == (other.kind, other.asset, other.outcome)

    def is_refused_like(self, other: LogLine) -> bool:
        """Return whether both were refused at the same path, from the same address, for the same reason."""
        if self.why is None or other.why is None or self.why.code != "refused" or not self.repeats(other):
            return False
        is_same_reason = self.why.detail == other.why.detail
        return is_same_reason and self.why.facts.get("address") == other.why.facts.get("address")


class ActivityLog:
    """Two bounded lists of lines, newest first; ``on_line`` is called with each new line.

    Committed rows wait until a reader calls: the reader's thread makes their lines, so that the writer does not spend
    time on them. Lock order: ``lock`` first, then the broadcaster's lock.
    """

    def __init__(self) -> None:
        self._lines: dict[Feed, deque[LogLine]] = {
            "tradingview": deque(maxlen=LINES_KEPT),
            "rithmic": deque(maxlen=LINES_KEPT),
        }
        self._level_exits: dict[str, Instant] = {}
        self._waiting: deque[JournalRow] = deque(maxlen=ROWS_WAITING)
        self.lock = threading.RLock()
        self.on_line: Callable[[Feed, LogLine, bool], None] = lambda feed, line, replaces_last: None

    def on_commit(self, rows: Sequence[JournalRow], events: Sequence[CommittedEvent], desk: Desk) -> None:
        """Queue committed messages; ``absorb`` turns them into lines."""
        self._waiting.extend(row for row in rows if row.origin in FEED_OF_ORIGIN)

    def absorb(self) -> None:
        """Turn the messages committed since the last call into lines."""
        with self.lock:
            while self._waiting:
                self._add_row(self._waiting.popleft())

    def remember(self, store: Store) -> None:
        """Fill the log from the journal, oldest line first; leave it empty when the store cannot be read."""
        with self.lock:
            heard = self._waiting[0].sequence if self._waiting else None
            try:
                for origin in FEED_OF_ORIGIN:
                    for row in reversed(store.last_rows(origin, LINES_KEPT)):
                        if heard is None or row.sequence < heard:
                            self._add_row(row)
            except StoreError as error:
                log.warning("the log begins empty", error=str(error))

    def _add_row(self, row: JournalRow) -> None:
        """Add the line of a journaled message; a claim of orders has none."""
        line = _line_of(row)
        if line is not None:
            self._add(FEED_OF_ORIGIN[row.origin], line, merge=line.kind in REPEATING)

    def note(self, feed: Feed, line: LogLine, *, merge: bool = False) -> None:
        """Add the line of a message that is not journaled; with ``merge`` a repeat raises the newest line's count."""
        with self.lock:
            self.absorb()
            self._add(feed, line, merge=merge)

    def note_counted(self, feed: Feed, line: LogLine) -> bool:
        """Add the line of a refused call, or count it in an equal one of the last minute; return whether it is new."""
        with self.lock:
            self.absorb()
            lines = self._lines[feed]
            for place, known in enumerate(lines):
                if line.ts - known.ts >= COUNTED_FOR:
                    break
                if known.is_refused_like(line):
                    is_newest = place == 0
                    at = line.ts if is_newest else known.ts
                    lines[place] = structs.replace(known, ts=at, count=known.count + 1)
                    if is_newest:
                        self.on_line(feed, lines[0], True)
                    return False
            self._add(feed, line, merge=False)
            return True

    def _add(self, feed: Feed, line: LogLine, *, merge: bool) -> None:
        lines = self._lines[feed]
        merged = merge and bool(lines) and line.repeats(lines[0])
        if merged:
            line = structs.replace(line, count=lines.popleft().count + 1)
        lines.appendleft(line)
        if line.kind == LEVEL_EXIT and line.asset is not None:
            self._level_exits[line.asset] = line.ts
        self.on_line(feed, line, merged)

    def as_document(self) -> Activity:
        """Return ``logs`` and ``level_exit_ts`` of the state document."""
        with self.lock:
            self.absorb()
            return self.absorbed()

    def absorbed(self) -> Activity:
        """Return the same of the messages absorbed so far; the caller holds ``lock``. Nobody is told of a line."""
        lists = {feed: tuple([line_view(line) for line in lines]) for feed, lines in self._lines.items()}
        return Activity(logs=Logs(**lists), level_exit_ts=dict(self._level_exits))


def line_view(line: LogLine) -> LogRow:
    """Return the line as clients read it; title, detail and facts are present only when known."""
    why = line.why or Explanation(line.outcome)
    return LogRow(
        ts=line.ts,
        kind=line.kind,
        asset=line.asset,
        text=line.text,
        outcome=line.outcome,
        count=line.count,
        code=why.code,
        title=why.title or UNSET,
        detail=why.detail or UNSET,
        facts=why.facts or UNSET,
    )


def refused_line(at: Instant, kind: str, text: str, why: Explanation) -> LogLine:
    """Return the line of a bridge's message that the desk refused."""
    return LogLine(at, kind, None, text, why.code, why=why)


def dead_letter_line(at: Instant, kind: str, reason: str, status: int | None) -> LogLine:
    """Return the line of a webhook that could not be read and was answered with ``status``."""
    outcome = "dead letter" if status is None else f"dead letter ({status})"
    why = Explanation("dead_letter", facts=facts_of({"status": status}))
    return LogLine(at, kind, None, reason, outcome, why=why)


def _line_of(row: JournalRow) -> LogLine | None:
    """Return the line of a journal row; None when it has none."""
    try:
        command = read_command(row.command)
        events = read_events(row.events)
    except MsgspecError as error:
        return LogLine(row.at, row.kind, row.asset, str(error), "unreadable")
    if isinstance(command, ClaimOrders | HearTicks):
        return None
    if row.origin == "bridge":
        return _line_of_bridge(command, events, row.at)
    if isinstance(command, KeepDeadLetter):
        return dead_letter_line(row.at, command.path.strip("/"), command.reason, command.status)
    if isinstance(command, CloseBar):
        return _line_of_bar(command, events, row.at)
    kind, text, outcome = _parts_of_webhook(command, events, row.at)
    return LogLine(row.at, kind, getattr(command, "asset", None), text, outcome)


def _line_of_bridge(command: AnyCommand, events: Sequence[AnyEvent], at: Instant) -> LogLine:
    """Return the line of a bridge's message."""
    match command:
        case HearBridge():
            return LogLine(at, BRIDGE_HEARTBEAT, None, heartbeat_text(command), "ok")
        case TakeSnapshot():
            return LogLine(at, SNAPSHOT, None, snapshot_text(command), "ok")
        case ReportExecution():
            return _line_of_report(command, events, at)
        case BookFills():
            return LogLine(at, FILLS, None, fills_text(command), "ok")
        case _:
            return LogLine(at, command.kind_name(), None, "", "ok")


def _line_of_report(report: ReportExecution, events: Sequence[AnyEvent], at: Instant) -> LogLine:
    """Return a report's line. An event says that it was refused; in older rows an alert shows it."""
    for event in events:
        if isinstance(event, FillRefused):
            return refused_line(at, REPORT, report_text(report), event.why)
    if any(isinstance(event, OrderReported | FillBooked) for event in events):
        return LogLine(at, REPORT, None, report_text(report), "ok")
    alerts = [event.alert for event in events if isinstance(event, AlertRaised)]
    refused = next((alert for alert in alerts if alert.code in REFUSING_ALERTS), None)
    if refused is None:
        return LogLine(at, REPORT, None, report_text(report), "ok")
    return refused_line(
        at, REPORT, report_text(report), structs.replace(explanation_of(refused), code="report_conflict")
    )


def _parts_of_webhook(command: AnyCommand, events: Sequence[AnyEvent], at: Instant) -> tuple[str, str, str]:
    """Return kind, text and outcome of a webhook."""
    match command:
        case TouchLevel():
            return LEVEL_EXIT, "", "exit"
        case CloseBrick(stream=stream):
            late = any(isinstance(event, LateBrickIgnored) for event in events)
            return BRICK_KINDS[stream], brick_text(command), "stale" if late else "flagged" if command.unread else "ok"
        case NotePrice():
            return HEARTBEAT, price_text(command), _outcome_by_time(command, at)
        case _:
            return command.kind_name(), "", "ok"


def _line_of_bar(bar: CloseBar, events: Sequence[AnyEvent], at: Instant) -> LogLine:
    """Return the line of a bar: its events say which sizes stood elsewhere than the message says."""
    found = [event for event in events if isinstance(event, FeedFaultFound)]
    differs = tuple([fault.stream for fault in found if fault.stream is not None and fault.kind in GAPS])
    is_other = any(fault.kind == "other_contract" for fault in found)
    late = any(isinstance(event, LateBrickIgnored) for event in events)
    outcome = _outcome_by_time(bar, at)
    ignored = "other_contract" if is_other else None
    if ignored is not None:
        outcome = f"ignored: {ignored}"
    elif seconds_ahead(bar, at):
        outcome = "flagged"
    elif outcome == "ok":
        outcome = "differs" if differs else "stale" if late else "ok"
    code = outcome.replace(" ", "_") if ignored is None else "ignored"
    reason = {} if ignored is None else {"reason": ignored}
    why = Explanation(code, facts={**reason, **bar_facts(bar, differs, at)})
    is_mended = not found and any(isinstance(event, FeedFaultEnded) for event in events)
    return LogLine(at, BAR, bar.asset, bar_text(bar, differs, is_mended=is_mended), outcome, why=why)


def _outcome_by_time(heard: NotePrice | CloseBar, at: Instant) -> str:
    """Return the outcome of a heartbeat as far as its time says it."""
    if heard.sent_at is None:
        return "ok"
    if heard.sent_at > at + AHEAD_TOLERANCE:
        return "flagged"
    return "too old" if heard.sent_at <= at - timedelta(seconds=USUAL_MAX_AGE) else "ok"


def brick_text(brick: CloseBrick) -> str:
    """Write a brick as a trader reads it: ``2.5pt red``, and what of it could not be read."""
    unread = f", {', '.join(brick.unread)} not read" if brick.unread else ""
    return f"{STREAM_POINTS[brick.stream]:f}pt {brick.color}{unread}"


def price_text(heard: NotePrice) -> str:
    return f"{heard.price:f}" if heard.price is not None else ""


def heartbeat_text(heard: HearBridge) -> str:
    return heard.account or ""


def snapshot_text(snapshot: TakeSnapshot) -> str:
    return f"equity {snapshot.balance}"


def fills_text(told: BookFills) -> str:
    """Write executions as a trader reads them: ``STOP SELL 5 MESZ6 @ 5235``; of more than three the first ones."""
    texts = [f"{fill.kind} {fill.side} {fill.qty} {fill.symbol} @ {fill.price:f}" for fill in told.fills[:3]]
    more = len(told.fills) - len(texts)
    return ", ".join([*texts, f"and {more} more"] if more else texts)


def report_text(report: ReportExecution) -> str:
    """Write a report as a trader reads it: ``FILLED SELL 5 MESZ6 @ 6704.75``."""
    price = f"@ {report.fill_price:f}" if report.fill_price is not None else None
    words = (report.status, report.side, report.qty, report.symbol, price, report.reason)
    return " ".join(str(word) for word in words if word is not None)
