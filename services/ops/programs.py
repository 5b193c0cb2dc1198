"""How each program of the desk is, from what web hears of it. What is not heard is said, and never counts as well."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from urllib.parse import urlsplit

from msgspec import Struct

from services.desk.publication import Snapshot
from services.engine.steps.feed_watch import BRIDGE_SEEN_SECONDS
from services.live.programs_heard import ProgramsHeard
from wire.advisor_answer import AdvisorAnswer, AgentFound, MlFound
from wire.feeds_answer import FeedsAnswer
from wire.feeds_health import FeedsHealth
from wire.program import VERSION, ProgramName
from wire.status_answer import ProgramPort, ProgramRow, ProgramState, StatusAnswer, WhyNotUp
from wire.types import Instant

SECOND = timedelta(seconds=1)
MARKET = "market"
USUAL_PORTS = {"http": 80, "https": 443}


class Heard(Struct, frozen=True):
    """All that web knows of the programs, as of ``now``. ``port`` is the one web was called at."""

    snapshot: Snapshot
    programs: ProgramsHeard
    feeds: FeedsAnswer
    advisor: AdvisorAnswer
    port: int
    now: Instant


def status_of(heard: Heard) -> StatusAnswer:
    """Return the answer of ``GET /api/status``."""
    rows = (_web(heard), _bridge(heard), _feeds(heard), _advisor(heard), _tape(heard))
    return StatusAnswer(now=heard.now, role=heard.snapshot.role, version=VERSION, programs=rows)


def _row(
    heard: Heard,
    name: ProgramName,
    state: ProgramState,
    why: WhyNotUp | None = None,
    *,
    version: str | None = None,
    heard_at: Instant | None = None,
    since: Instant | None = None,
    uptime_s: int | None = None,
    ports: Iterable[ProgramPort] = (),
) -> ProgramRow:
    return ProgramRow(
        name=name,
        state=state,
        why=why,
        version=version,
        heard_at=heard_at,
        age_s=None if heard_at is None else max(0, (heard.now - heard_at) // SECOND),
        since=since,
        uptime_s=uptime_s,
        ports=tuple(ports),
    )


def _web(heard: Heard) -> ProgramRow:
    is_down = heard.snapshot.store == "down"
    return _row(
        heard,
        "web",
        "degraded" if is_down else "up",
        "store_down" if is_down else None,
        version=VERSION,
        heard_at=heard.now,
        uptime_s=max(0, (heard.now - heard.programs.began_at) // SECOND),
        ports=(ProgramPort(name="http", port=heard.port, state="listening"),),
    )


def _bridge(heard: Heard) -> ProgramRow:
    """The bridge by its heartbeat: another program's bridge sends one, too, and says no version."""
    live = heard.snapshot.desk.live
    called, at = heard.programs.last("bridge"), live.bridge_heard_at
    version = None if called is None else called.version
    if at is None:
        return _row(heard, "bridge", "not_heard", "never_heard", version=version)
    if heard.now - at >= timedelta(seconds=BRIDGE_SEEN_SECONDS):
        return _row(heard, "bridge", "away", "silent", version=version, heard_at=at)
    if not live.ts_connected:
        return _row(heard, "bridge", "degraded", "broker_unreached", version=version, heard_at=at)
    return _row(heard, "bridge", "up", version=version, heard_at=at)


def _tape(heard: Heard) -> ProgramRow:
    """The tape by its messages alone: it has no port, and real webhooks need none."""
    called = heard.programs.last("tape")
    if called is None:
        return _row(heard, "tape", "not_heard", "never_heard")
    max_age = timedelta(seconds=heard.snapshot.desk.rules.heartbeat_max_age_seconds)
    is_silent = heard.now - called.at >= max_age
    state: ProgramState = "away" if is_silent else "up"
    return _row(heard, "tape", state, "silent" if is_silent else None, version=called.version, heard_at=called.at)


def _feeds(heard: Heard) -> ProgramRow:
    feeds = heard.feeds
    health = feeds.health
    if health is None:
        ports = _asked_at(MARKET, feeds.url)
        return _row(heard, "feeds", feeds.state, feeds.reason, since=feeds.since, ports=ports)
    return _row(
        heard,
        "feeds",
        feeds.state,
        _trouble_of(health),
        version=health.version,
        heard_at=feeds.asked_at,
        since=feeds.since,
        uptime_s=health.uptime_s,
        ports=(ProgramPort(name=port.name, port=port.port, state=port.state) for port in health.ports),
    )


def _trouble_of(health: FeedsHealth) -> WhyNotUp | None:
    if not health.web.is_up:
        return "desk_unheard"
    if any(port.state == "taken" for port in health.ports):
        return "port_taken"
    return None if health.status == "ok" and health.ok else "not_well"


def _advisor(heard: Heard) -> ProgramRow:
    ml, agent = heard.advisor.ml, heard.advisor.agent
    asked = [found.asked_at for found in (ml, agent) if found.health is not None and found.asked_at is not None]
    return _row(
        heard,
        "advisor",
        heard.advisor.state,
        _trouble_of_advisor(heard.advisor),
        version=None if ml.health is None else ml.health.version,
        heard_at=max(asked, default=None),
        since=max((found.since for found in (ml, agent) if found.since is not None), default=None),
        ports=(*_advisor_port("ml", ml), *_advisor_port("agent", agent)),
    )


def _trouble_of_advisor(advisor: AdvisorAnswer) -> WhyNotUp | None:
    """Return why it is not up: the reason of a port that is away, before what a port says of itself."""
    on: list[MlFound | AgentFound] = [found for found in (advisor.ml, advisor.agent) if found.state != "off"]
    if advisor.state in ("up", "off", "unknown"):
        return None
    away = [found.reason for found in on if found.state == "away"]
    if not away:
        return _told_trouble(advisor)
    return away[0] if len(away) == len(on) else "one_port_away"


def _told_trouble(advisor: AdvisorAnswer) -> WhyNotUp:
    """Return what the two ports say is wrong, what trading would miss first."""
    ml, agent = advisor.ml.health, advisor.agent.health
    if agent is not None and not agent.web:
        return "desk_unheard"
    if ml is not None and not ml.feeds:
        return "feeds_unheard"
    if ml is not None and ml.trouble:
        return "models_refused"
    return "provider_away" if agent is not None and agent.reason is not None else "not_well"


def _advisor_port(name: str, found: MlFound | AgentFound) -> tuple[ProgramPort, ...]:
    if found.health is None:
        return _asked_at(name, found.url)
    return tuple(ProgramPort(name=name, port=port.port, state="listening") for port in _asked_at(name, found.url))


def _asked_at(name: str, url: str | None) -> tuple[ProgramPort, ...]:
    """Return the port at which web asks, of which nothing is known; off without an address."""
    if url is None:
        return (ProgramPort(name=name, port=None, state="off"),)
    parts = urlsplit(url)
    return (ProgramPort(name=name, port=parts.port or USUAL_PORTS.get(parts.scheme), state="unknown"),)
