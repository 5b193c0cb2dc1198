"""Ask the advisor how it is, when somebody looks: its two ports, each believed only in its own words."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any, Generic, TypeVar
from urllib.parse import urlsplit

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from services.ops.advisor_calls import Addresses
from services.ops.beside_call import Away, Bounds, call
from services.ops.beside_watch import LOOK_WAITS_SECONDS, Lookout
from wire.advisor_answer import AdvisorAnswer, AgentFound, MlFound, NotThere
from wire.agent import AgentHealth
from wire.feeds_answer import Found
from wire.hosts import is_read_on_the_way
from wire.keys import SERVICE_HEADER
from wire.ml_engine import MlHealth
from wire.types import Instant

BOUNDS = Bounds(seconds=3.0, longest=64 * 1024)
"""The agent asks its provider before it answers, for at most 2 s."""

ML_HEALTH = "/health"
AGENT_HEALTH = "/api/v1/health"

HERE = ("127.0.0.1", "localhost", "::1")

Health = TypeVar("Health", MlHealth, AgentHealth)


class Heard(Struct, Generic[Health], frozen=True):
    """What the last question found, since when it is so, and when it was asked."""

    health: Health | None
    reason: NotThere | None
    since: Instant
    asked_at: Instant

    @property
    def state(self) -> Found:
        """How the port is."""
        if self.health is None:
            return "away"
        return "up" if self.health.status == "healthy" else "degraded"


class PortWatch(Generic[Health]):
    """Keeps what one port said last."""

    def __init__(
        self,
        url: str | None,
        path: str,
        model: type[Health],
        secret: str | None,
        now: Callable[[], Instant],
        clock: Callable[[], float],
    ) -> None:
        self._url = url
        self._headers = {} if secret is None or is_here(url) else {SERVICE_HEADER: secret}
        self._path = path
        self._decoder: msgspec.json.Decoder[Health] = msgspec.json.Decoder(model)
        self._now = now
        self._lookout: Lookout[Heard[Health]] = Lookout(self._ask, clock)

    def begin(self) -> None:
        """Ask, unless it is off."""
        if self._url is not None:
            self._lookout.begin()

    def look(self, waits: float) -> dict[str, Any]:
        """Return the fields of what is known. Wait no longer than so many seconds for the answer."""
        if self._url is None:
            return {"state": "off", "reason": None, "since": None, "asked_at": None, "url": None, "health": None}
        heard = self._lookout.look(waits)
        if heard is None:
            unknown = dict.fromkeys(("reason", "since", "asked_at", "health"))
            return {"state": "unknown", "url": self._url, **unknown}
        return {
            "state": heard.state,
            "url": self._url,
            **{name: getattr(heard, name) for name in Heard.__struct_fields__},
        }

    def _ask(self, before: Heard[Health] | None) -> Heard[Health]:
        heard = self._asked(self._url or "", self._now())
        is_same = before is not None and (before.reason, before.state) == (heard.reason, heard.state)
        return replace(heard, since=before.since) if before is not None and is_same else heard

    def _asked(self, url: str, at: Instant) -> Heard[Health]:
        if is_read_on_the_way(url):
            return Heard(None, "read_on_the_way", at, at)
        try:
            return Heard(self._decoder.decode(call(url, self._path, BOUNDS, self._headers).body), None, at, at)
        except Away as error:
            reason: NotThere = "unreadable" if error.reason == "other_desk" else error.reason
            return Heard(None, reason, at, at)
        except ValueError:  # DecodeError is one
            return Heard(None, "unreadable", at, at)


class AdvisorWatch:
    """Keeps what the advisor said last. Nobody is asked while nobody looks.

    Parameters: the addresses of its two ports and the secret that they are shown, the desk's clock, and a clock in
    seconds.
    """

    def __init__(
        self,
        addresses: Addresses,
        now: Callable[[], Instant],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._ml = PortWatch(addresses.ml, ML_HEALTH, MlHealth, addresses.secret, now, clock)
        self._agent = PortWatch(addresses.agent, AGENT_HEALTH, AgentHealth, addresses.secret, now, clock)

    def look(self) -> AdvisorAnswer:
        """Return what is known, at most some seconds old. Both ports are waited for together, 0.3 s at most."""
        ends_at = time.monotonic() + LOOK_WAITS_SECONDS
        self._ml.begin()
        self._agent.begin()
        ml = MlFound(**self._ml.look(LOOK_WAITS_SECONDS))
        agent = AgentFound(**self._agent.look(max(0.0, ends_at - time.monotonic())))
        return AdvisorAnswer(state=together(ml.state, agent.state), ml=ml, agent=agent)


def is_here(url: str | None) -> bool:
    """Return whether the address is this machine's: there the advisor says to everybody how it is.

    By the name of another machine or container it answers only who shows the secret.
    """
    return urlsplit(url or "").hostname in HERE


def together(*states: Found) -> Found:
    """Return how the ports that are on are, taken together."""
    on = {state for state in states if state != "off"}
    if not on:
        return "off"
    if "unknown" in on:
        return "unknown"
    return on.pop() if len(on) == 1 else "degraded"
