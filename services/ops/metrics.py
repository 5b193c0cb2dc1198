"""The metrics of the desk for Prometheus. ``docs/how-to/operations.md`` explains each.

Each application has a registry of its own. Counters of events grow with each commit (``on_commit``), also with those
that a standby follows; the writer measures the duration of its commits. Routes count requests when they answer. Gauges
are computed from the current snapshot at each scrape.
"""

from __future__ import annotations

from collections import Counter as Tally
from collections.abc import Iterable, Iterator, Sequence
from typing import Protocol

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Histogram,
    ProcessCollector,
    disable_created_metrics,
    generate_latest,
)
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from services.desk.publication import Snapshot
from services.engine.model.events import AlertRaised, EntryBlocked, ExitBlocked, OrderEnded
from services.engine.model.feed_events import FeedFaultFound
from services.engine.model.lock_names import INITIAL_EXIT_GATE
from services.engine.model.state import Desk
from services.engine.model.trade_events import TradeClosed
from services.engine.rules.alerts import ALERTS
from services.engine.rules.feed_words import CODES
from services.engine.rules.gates import ENTRY_GATES
from services.stores.codec.committed_events import CommittedEvent
from services.stores.store import JournalRow
from wire.types import FINAL_STATUSES, Instant, OrderStatus

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
COMMIT_SECONDS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5)
COMMIT_COMMANDS = (1, 2, 4, 8, 16, 32, 64, 128, 256)
ORDER_KINDS = ("ENTRY", "SCALE_IN", "EXIT")
WEBHOOK_OUTCOMES = ("ok", "duplicate", "stale", "dead_letter", "denied", "not_stored", "fault")
LOGIN_OUTCOMES = ("right", "wrong", "locked_out", "busy")
COMMIT_FAILURES = ("StoreDown", "OutcomeUnknown", "VersionConflict", "NotTheWriter")

disable_created_metrics()  # type: ignore[no-untyped-call]  # Prometheus sees a restart by itself; these would double every line


class Manager(Protocol):
    """What the gauges need of the state manager."""

    @property
    def snapshot(self) -> Snapshot: ...
    @property
    def now(self) -> Instant: ...
    @property
    def commands_waiting(self) -> int: ...


class Stream(Protocol):
    """What the gauges need of the broadcaster."""

    @property
    def listeners(self) -> int: ...


class Metrics:
    """The metrics of one application."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self._webhooks = Counter(
            "lockstep_webhooks", "Webhooks answered.", ["stream", "outcome"], registry=self.registry
        )
        self._logins = Counter("lockstep_logins", "Attempts to log in.", ["outcome"], registry=self.registry)
        self._commit_seconds = Histogram(
            "lockstep_commit_seconds",
            "Time the store took for a commit.",
            buckets=COMMIT_SECONDS,
            registry=self.registry,
        )
        self._commit_commands = Histogram(
            "lockstep_commit_commands", "Commands in a commit.", buckets=COMMIT_COMMANDS, registry=self.registry
        )
        self._failures = Counter("lockstep_commit_failures", "Commits that failed.", ["kind"], registry=self.registry)
        self._refusals = Counter(
            "lockstep_gate_refusals", "Entries a gate refused, exits the lock.", ["gate"], registry=self.registry
        )
        self._orders = Counter(
            "lockstep_orders_ended", "Orders that became final.", ["kind", "status"], registry=self.registry
        )
        self._trades = Counter("lockstep_trades_closed", "Trades that reached flat.", ["asset"], registry=self.registry)
        self._faults = Counter("lockstep_feed_faults_found", "Faults of a feed.", ["kind"], registry=self.registry)
        self._alerts = Counter("lockstep_alerts", "Alerts the desk raised.", ["code"], registry=self.registry)
        ProcessCollector(registry=self.registry)
        self._begin_at_zero()

    def _begin_at_zero(self) -> None:
        """Create every counter with 0, so that Prometheus sees the first event as an increase."""
        for gate in (*(gate.name for gate in ENTRY_GATES), INITIAL_EXIT_GATE):
            self._refusals.labels(gate)
        for kind in ORDER_KINDS:
            for status in sorted(FINAL_STATUSES):
                self._orders.labels(kind, status)
        for name in COMMIT_FAILURES:
            self._failures.labels(name)
        for code in ALERTS:
            self._alerts.labels(code)
        for kind in CODES:
            self._faults.labels(kind)
        for outcome in LOGIN_OUTCOMES:
            self._logins.labels(outcome)

    def watch(self, manager: Manager, stream: Stream) -> None:
        """Add the gauges of this desk; call it once per application."""
        self.registry.register(DeskGauges(manager, stream))

    def expect_webhooks(self, streams: Iterable[str]) -> None:
        """Create the counters of these streams with 0 before the first webhook."""
        for stream in streams:
            for outcome in WEBHOOK_OUTCOMES:
                self._webhooks.labels(stream, outcome)

    def webhook(self, stream: str, outcome: str) -> None:
        """Count an answered webhook."""
        self._webhooks.labels(stream, outcome).inc()

    def login(self, outcome: str) -> None:
        """Count an attempt to log in."""
        self._logins.labels(outcome).inc()

    def committed(self, seconds: float, commands: int) -> None:
        """Record duration and size of a group commit of this process."""
        self._commit_seconds.observe(seconds)
        self._commit_commands.observe(commands)

    def on_commit(self, rows: Sequence[JournalRow], events: Sequence[CommittedEvent], desk: Desk) -> None:
        """Count the committed events."""
        for one in events:
            match one.event:
                case EntryBlocked(gate=gate):
                    self._refusals.labels(gate).inc()
                case ExitBlocked():
                    self._refusals.labels(INITIAL_EXIT_GATE).inc()
                case OrderEnded(kind=kind, status=status):
                    self._orders.labels(kind, status).inc()
                case TradeClosed(asset=asset):
                    self._trades.labels(asset).inc()
                case FeedFaultFound(kind=kind):
                    self._faults.labels(kind).inc()
                case AlertRaised(alert=alert):
                    self._alerts.labels(alert.code).inc()

    def failed(self, kind: str) -> None:
        """Count a commit that failed."""
        self._failures.labels(kind).inc()

    def exposition(self) -> bytes:
        """Return all metrics in the text format of Prometheus."""
        return generate_latest(self.registry)


class DeskGauges(Collector):
    """The gauges, computed from one snapshot at each scrape."""

    def __init__(self, manager: Manager, stream: Stream) -> None:
        self._manager = manager
        self._stream = stream

    def describe(self) -> Iterable[Metric]:
        """Return no names, so that registering does not read the desk."""
        return ()

    def collect(self) -> Iterator[Metric]:
        """Compute the gauges from the current snapshot."""
        snapshot = self._manager.snapshot
        now = self._manager.now
        yield _gauge("store_up", "1 when the last commit reached the store.", snapshot.store == "up")
        yield _gauge("is_writer", "1 when this process is the writer, 0 on a standby.", snapshot.role == "writer")
        yield _gauge("commands_waiting", "Commands that wait for the writer.", self._manager.commands_waiting)
        yield _gauge("stream_listeners", "Open event streams.", self._stream.listeners)
        yield from _of_desk(snapshot.desk, now)
        yield from _of_assets(snapshot.desk, now)


def _of_desk(desk: Desk, now: Instant) -> Iterator[Metric]:
    yield _gauge("journal_sequence", "The last row of the journal.", desk.sequence)
    yield _gauge("live_environment", "1 in LIVE, 0 in DEMO.", desk.env == "LIVE")
    yield _gauge("daily_stop_triggered", "1 while the daily stop holds.", desk.day.is_stopped)
    yield _gauge("trades_taken", "Entries used of the day's limit.", desk.day.trades_taken)
    waiting = Tally(order.status for order in desk.orders.values())
    orders = GaugeMetricFamily("lockstep_orders_open", "Orders that are not final.", labels=["status"])
    for status in OrderStatus:
        if not status.is_final:
            orders.add_metric([status.value], waiting[status])
    yield orders
    bridge = GaugeMetricFamily("lockstep_bridge_age_seconds", "Time since the bridge was heard; none if it never was.")
    if desk.live.bridge_heard_at is not None:
        bridge.add_metric([], (now - desk.live.bridge_heard_at).total_seconds())
    yield bridge


def _of_assets(desk: Desk, now: Instant) -> Iterator[Metric]:
    heard = GaugeMetricFamily(
        "lockstep_tradingview_age_seconds",
        "Time since TradingView's heartbeat; none if there was none.",
        labels=["asset"],
    )
    held = GaugeMetricFamily("lockstep_position_contracts", "Contracts held, short is negative.", labels=["asset"])
    disputed = GaugeMetricFamily(
        "lockstep_position_disagreement", "1 while broker and desk hold different positions.", labels=["asset"]
    )
    gapped = GaugeMetricFamily(
        "lockstep_feed_faults", "What is wrong with the bricks of an asset; 0 while they are whole.", labels=["asset"]
    )
    for symbol, asset in desk.assets.items():
        gapped.add_metric([symbol], len(asset.feed.faults))
        if asset.live.last_heartbeat_at is not None:
            heard.add_metric([symbol], (now - asset.live.last_heartbeat_at).total_seconds())
        held.add_metric([symbol], asset.position)
        disputed.add_metric([symbol], asset.disagreement is not None)
    yield from (heard, held, disputed, gapped)


def _gauge(name: str, says: str, value: float) -> Metric:
    return GaugeMetricFamily(f"lockstep_{name}", says, value=float(value))
