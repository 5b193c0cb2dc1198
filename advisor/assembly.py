"""Builds the advisor from its parts and runs them on one loop until it is told to stop."""

from __future__ import annotations

import asyncio

from advisor.channels.agent_port import AgentService
from advisor.channels.ml_port import MlService
from advisor.channels.mt4_calls import Mt4Calls
from advisor.config import AdvisorConfig
from sidecar.keys import KeyDoor
from sidecar.listen import Listener
from sidecar.tasks import kept_running
from sidecar.use import Use
from sidecar.web import WebClient

ML = "ml"
AGENT = "agent"
SECONDS_TO_STOP = 4.0


class Advisor:
    """All parts of the advisor."""

    def __init__(self, config: AdvisorConfig) -> None:
        """Build them; nothing listens before `run`."""
        self.stop = asyncio.Event()
        self._web = WebClient(config.lockstep_url, config.service_secret)
        self._keys = KeyDoor(self._web)
        self._ml = MlService(config, Use(ML, config.ml_port), self._keys)
        ml = self._ml
        self._agent = AgentService(config, Use(AGENT, config.agent_port), self._keys, self._web, ml.engine, ml.history)
        self._mt4 = Mt4Calls(config, self._agent.use, self._keys, self._web)
        of_mt4 = self._mt4.routes()
        beside = [*self._agent.routes(), *of_mt4] if config.one_port is not None else []
        self._listeners: tuple[Listener, ...] = (self._ml.listener(*beside), self._agent.listener(*of_mt4))

    async def run(self) -> None:
        """Run until `stop` is set. What fails is begun anew."""
        parts = (self._keys.run, *self._ml.running(), *self._agent.running(), *self._mt4.running())
        running = [asyncio.create_task(kept_running(one)) for one in parts]
        listening = [asyncio.create_task(kept_running(one.run)) for one in self._listeners]
        try:
            await self.stop.wait()
        finally:
            self._agent.stop()
            for listener in self._listeners:
                listener.stop()
            await asyncio.wait(listening, timeout=SECONDS_TO_STOP)
            for task in (*running, *listening):
                task.cancel()
            await asyncio.gather(*running, *listening, return_exceptions=True)
            await self._mt4.close()
            self._agent.close()
            await self._ml.close()
            await self._web.close()
