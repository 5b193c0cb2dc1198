"""Builds the bridge from its objects and runs its jobs."""

import threading
from collections.abc import Callable
from dataclasses import dataclass
from secrets import token_hex

from bridge.brokers.broker import Broker
from bridge.brokers.paper import PaperBroker
from bridge.client import DeskClient
from bridge.clock import Clock, DeskTime
from bridge.config import BridgeSettings
from bridge.fill_sender import FillSender
from bridge.fills import FillOutbox
from bridge.jobs import Job, repeat
from bridge.ledger import Ledger
from bridge.orders import OrderRecord
from bridge.pulse import CHANGE_CHECK_SECONDS, Heartbeats, Snapshots
from bridge.quotes import DeskFeed, PriceFeed, QuoteSink, TapeFeed
from bridge.reports import Outbox, Reporter
from bridge.sender import ReportSender
from bridge.ticks import TickSender
from bridge.worker import Worker
from wire.bridge import Quote

DOUBT_SECONDS = 1.0
FEED_PAUSE_SECONDS = 1.0
SECONDS_TO_STOP = 0.5


@dataclass(frozen=True)
class BrokerSetup:
    """A broker, and the jobs it needs in addition to those of the bridge."""

    broker: Broker
    jobs: tuple[Job, ...] = ()


class Bridge:
    """A bridge between one desk and the broker that the settings name."""

    def __init__(self, settings: BridgeSettings, ledger: Ledger) -> None:
        """Build the bridge on `ledger`; nothing is sent before `run`."""
        self.stop = threading.Event()
        self._ledger = ledger
        clock = DeskTime()
        self._desk = DeskClient(settings.desk_url, settings.secret, settings.owner, ledger.instance, clock)
        setup = BROKERS[settings.broker](settings, self._desk, ledger, clock, self.stop)
        self._broker = setup.broker
        self._broker_jobs = setup.jobs
        orders = self._orders = OrderRecord(ledger)
        self._kill_switch = settings.limits.kill_switch
        self._outbox = Outbox(ledger, clock)
        self._fills = FillOutbox(ledger, clock)
        self._reporter = Reporter(ledger, orders, self._outbox, self._fills)
        self._worker = Worker(
            desk=self._desk,
            broker=self._broker,
            orders=orders,
            outbox=self._outbox,
            reporter=self._reporter,
            hard_limits=settings.limits,
            clock=clock,
            is_time_known=clock.is_known,
        )

    def run(self) -> None:
        """Run the jobs until `stop` is set, then end within a second; pending calls to the desk are abandoned."""
        self._broker.open(self._reporter)
        self._worker.recover()
        threads = [
            threading.Thread(target=repeat, args=(job, self.stop), name=job.name, daemon=True) for job in self._jobs()
        ]
        for thread in threads:
            thread.start()
        self.stop.wait()
        self._wake_all()
        for thread in threads:
            thread.join(SECONDS_TO_STOP / len(threads))
        self._broker.close()
        self._ledger.close()

    def _jobs(self) -> tuple[Job, ...]:
        worker = self._worker
        reporter = self._reporter
        stop = self.stop
        sender = ReportSender(self._desk, self._outbox)
        fills = FillSender(self._desk, self._fills, self._broker, self._ledger.instance)
        heartbeats = Heartbeats(self._desk, self._broker, self._ledger, kill_switch=self._kill_switch)
        snapshots = Snapshots(self._desk, self._broker, self._orders, self._ledger.instance, reporter.position_changed)
        return (
            Job("orders", self._claim, lambda found: worker.rest_after_poll(found, stop)),
            Job("doubts", worker.resolve_doubts, lambda _: reporter.doubt_arose.wait(DOUBT_SECONDS)),
            Job("reports", sender.run, sender.rest),
            Job("fills", fills.run, fills.rest),
            Job("heartbeat", heartbeats.run, lambda _: stop.wait(CHANGE_CHECK_SECONDS)),
            Job("snapshot", snapshots.run, snapshots.rest),
            *self._broker_jobs,
        )

    def _claim(self) -> bool:
        """Take orders while the ledger is in its place: without it a restart would not know what was sent."""
        self._ledger.require_kept()
        return self._worker.poll()

    def _wake_all(self) -> None:
        self._outbox.wake.set()
        self._fills.wake.set()
        self._reporter.doubt_arose.set()
        self._reporter.position_changed.set()


def _paper(
    settings: BridgeSettings, desk: DeskClient, ledger: Ledger, clock: Clock, stop: threading.Event
) -> BrokerSetup:
    tape = settings.paper.tape
    feed: PriceFeed = TapeFeed(tape, clock) if tape is not None else DeskFeed(desk, clock)
    broker = PaperBroker(ledger, settings.paper, feed, clock)
    if tape is None:  # its prices come from the desk: to tell them again would be an echo
        return BrokerSetup(broker, (_prices_job(feed, broker.on_quote, stop),))
    ticks = TickSender(desk, f"{ledger.instance}-{token_hex(4)}", simulated=True)

    def hear(quote: Quote) -> None:
        broker.on_quote(quote)
        ticks.add(quote)

    tell = Job("ticks", ticks.run, lambda _: ticks.rest(stop))
    return BrokerSetup(broker, (_prices_job(feed, hear, stop), tell))


def _prices_job(feed: PriceFeed, sink: QuoteSink, stop: threading.Event) -> Job:
    return Job("prices", feed.follow(sink, stop), lambda _: stop.wait(FEED_PAUSE_SECONDS))


BrokerBuilder = Callable[[BridgeSettings, DeskClient, Ledger, Clock, threading.Event], BrokerSetup]

BROKERS: dict[str, BrokerBuilder] = {"paper": _paper}
"""The function that builds each broker, by its name for ``--broker``."""
