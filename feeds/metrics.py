"""``GET /metrics``: the figures of feeds as Prometheus text, for ``METRICS_TOKEN`` or a key with ``metrics:read``."""

from __future__ import annotations

import hmac
from collections.abc import Iterable

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from feeds.bars.recorder import BarRecorder
from feeds.channels.market_rest import KeyedCalls
from feeds.channels.market_socket import MarketCounts
from feeds.desk import DeskPicture
from feeds.facts import FactFollower
from feeds.follower import Follower
from feeds.health import Checkup
from feeds.hub import Hub
from feeds.jobs.registry import SyncJobs
from feeds.price_keeper import PriceKeeper

TEXT = "text/plain; version=0.0.4; charset=utf-8"


class Figures(Collector):
    """The figures, computed when they are read."""

    def __init__(
        self,
        checkup: Checkup,
        desk: DeskPicture,
        hub: Hub,
        follower: Follower,
        facts: FactFollower,
        keeper: PriceKeeper,
        market: MarketCounts,
        recorder: BarRecorder,
        jobs: SyncJobs,
    ) -> None:
        """Read these parts."""
        self._checkup = checkup
        self._desk = desk
        self._hub = hub
        self._follower = follower
        self._facts = facts
        self._keeper = keeper
        self._market = market
        self._recorder = recorder
        self._jobs = jobs

    def collect(self) -> Iterable[Metric]:
        """Yield every figure (market-feed.md)."""
        yield from self._of_ports()
        yield from self._of_market()
        yield from self._of_web()
        yield from self._of_bars()

    def _of_ports(self) -> Iterable[Metric]:
        clients = GaugeMetricFamily("lockstep_feeds_clients", "connections now", labels=["feed"])
        sent = CounterMetricFamily("lockstep_feeds_messages_sent", "messages or answers", labels=["feed"])
        taken = GaugeMetricFamily("lockstep_feeds_port_taken", "another program has the port", labels=["feed"])
        for use in self._checkup.uses():
            clients.add_metric([use.name], use.clients)
            sent.add_metric([use.name], use.sent)
            taken.add_metric([use.name], use.state == "taken")
        yield from (clients, sent, taken)

    def _of_market(self) -> Iterable[Metric]:
        closes = CounterMetricFamily("lockstep_feeds_closes", "WebSockets that the market feed closed", labels=["code"])
        for code, number in self._market.closes.items():
            closes.add_metric([str(code)], number)
        refused = CounterMetricFamily("lockstep_feeds_upgrades_refused", "upgrades refused", labels=["status"])
        for status, number in self._market.refused.items():
            refused.add_metric([str(status)], number)
        alerts = CounterMetricFamily("lockstep_feeds_alerts", "alerts since the start", labels=["kind"])
        for kind, number in self._keeper.told.items():
            alerts.add_metric([kind], number)
        conflated = CounterMetricFamily("lockstep_feeds_conflated", "quotes and states replaced before they were read")
        conflated.add_metric([], self._market.conflated)
        yield from (closes, refused, alerts, conflated)

    def _of_web(self) -> Iterable[Metric]:
        facts = CounterMetricFamily("lockstep_feeds_facts", "committed events taken in")
        facts.add_metric([], self._facts.taken)
        restarts = CounterMetricFamily("lockstep_feeds_stream_restarts", "how often the stream was opened anew")
        restarts.add_metric([], self._follower.restarts)
        failures = CounterMetricFamily("lockstep_feeds_part_failures", "failures of a part", labels=["part"])
        for part, number in self._hub.failures.items():
            failures.add_metric([part], number)
        yield from (facts, restarts, failures)
        yield GaugeMetricFamily("lockstep_feeds_web_up", "1 while web is heard", value=self._desk.is_up)
        age = self._checkup.facts_lag_s()
        if age is not None:
            yield GaugeMetricFamily("lockstep_feeds_facts_age_seconds", "since events were last read", value=age)

    def _of_bars(self) -> Iterable[Metric]:
        bars = CounterMetricFamily("lockstep_feeds_bars", "minutes added or changed", labels=["by"])
        bars.add_metric(["recorder"], self._recorder.recorded)
        bars.add_metric(["sync"], self._jobs.rows)
        lost = CounterMetricFamily("lockstep_feeds_bars_lost", "minutes that were heard and could not be stored")
        lost.add_metric([], self._recorder.lost)
        syncs = CounterMetricFamily("lockstep_feeds_syncs", "syncs that have ended", labels=["status"])
        for status, number in self._jobs.ended.items():
            syncs.add_metric([status], number)
        yield from (bars, lost, syncs)
        yield GaugeMetricFamily("lockstep_feeds_bars_waiting", "minutes not stored yet", value=self._recorder.waiting)
        yield GaugeMetricFamily("lockstep_feeds_syncs_open", "syncs that run or wait", value=len(self._jobs.open))


def metrics_route(figures: Figures, token: str | None, calls: KeyedCalls) -> Route:
    """Return the route. Without `token` only a key opens it."""
    registry = CollectorRegistry()
    registry.register(figures)

    async def show_metrics(request: Request) -> Response:
        if not _shows(request, token):
            await calls.require(request, "metrics:read")
        return Response(generate_latest(registry), media_type=TEXT, headers={"Cache-Control": "no-store"})

    return Route("/metrics", show_metrics, methods=["GET"])


def _shows(request: Request, token: str | None) -> bool:
    """Return whether the request shows the token, compared in constant time."""
    scheme, _, shown = request.headers.get("authorization", "").partition(" ")
    return token is not None and scheme.lower() == "bearer" and hmac.compare_digest(shown.encode(), token.encode())
