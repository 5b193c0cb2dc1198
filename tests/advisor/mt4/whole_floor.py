"""A real desk, feeds with the data service, and an advisor, beside a stand-in for MetaApi."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import suppress
from decimal import Decimal
from itertools import cycle
from pathlib import Path
from typing import Any, Self

import requests

from advisor.channels.agent_openapi import openapi_document as agent_document
from feeds.bars.types import Bar
from feeds.channels.data_openapi import openapi_document as data_document
from tests.support.advisor_floor import AdvisorProcess
from tests.support.data_floor import DataFloor
from tests.support.desk_process import PATIENCE_SECONDS, SERVICE_SECRET, eventually
from tests.support.fakes.metaapi import MetaApiServer
from tests.support.service_document import ServiceDocument
from wire.keys import SERVICE_HEADER

MINUTE = 60
AGENT_BASE = "/api/v1/auto-trade/mt4"
DATA_BASE = "/api/mt4"
SECRET = {SERVICE_HEADER: SERVICE_SECRET}


class Mt4Floor(DataFloor):
    """The four programs. Every answer must be what the document of its port says."""

    def __init__(self, folder: Path, meta: MetaApiServer, **advisor_settings: str) -> None:
        super().__init__(folder)
        own = {"METAAPI_URL": meta.url, "METAAPI_CANDLES_URL": meta.candles_url, **advisor_settings}
        self.advisor = AdvisorProcess(folder / "advisor", self.feeds.url(), self.desk.url, **own)
        self.feeds.settings["AGENT_URL"] = self.agent_url
        self.documents = ServiceDocument(agent_document()), ServiceDocument(data_document())
        self._trader_keys: Iterator[str] = iter(())
        self.trader_key = self.reader_key = self.stranger_key = ""

    @property
    def agent_url(self) -> str:
        return f"http://127.0.0.1:{self.advisor.agent_port}"

    def __enter__(self) -> Self:
        super().__enter__()
        try:
            self.starts_the_advisor()
            keys = self.keys(12, "mt4:trade")  # each may be used 120 times a minute
            self.trader_key, self._trader_keys = keys[0], cycle(keys[1:])
            self.reader_key = self.key("mt4:read")
            self.stranger_key = self.key("agent:chat", "state:read")
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *ends: object) -> None:
        self.advisor.kill()
        super().__exit__(*ends)

    def starts_the_advisor(self) -> None:
        """Start it, and wait until both of its ports answer."""
        self.advisor.start()
        eventually(self._answers)

    def _answers(self) -> bool:
        with suppress(requests.ConnectionError):
            return requests.get(f"{self.agent_url}/openapi.json", timeout=PATIENCE_SECONDS).ok
        return False

    # -- prices -------------------------------------------------------------------------------------------------

    def prices(self, price: str, symbol: str = "EURUSD", minutes: int = 1) -> None:
        """Store minutes that have just ended, all at one price."""
        ended = int(time.time()) // MINUTE * MINUTE
        exact = Decimal(price)
        self.stores(
            Bar(symbol, ended - MINUTE * back, exact, exact, exact, exact, None, "provider")
            for back in range(minutes, 0, -1)
        )

    # -- calls --------------------------------------------------------------------------------------------------

    def agent(self, method: str, path: str, body: Any = None, key: str | None = None, **more: Any) -> requests.Response:
        """Call the agent's view, with the trader's key by itself."""
        return self._call(self.agent_url + AGENT_BASE, 0, method, path, body, key, **more)

    def data_mt4(
        self, method: str, path: str, body: Any = None, key: str | None = None, **more: Any
    ) -> requests.Response:
        """Call the data service's view."""
        return self._call(self.feeds.url("data") + DATA_BASE, 1, method, path, body, key, **more)

    def _call(
        self, base: str, document: int, method: str, path: str, body: Any, key: str | None, **more: Any
    ) -> requests.Response:
        shown = more.pop("headers", {"X-API-Key": next(self._trader_keys) if key is None else key})
        answer = requests.request(method, base + path, json=body, headers=shown, timeout=PATIENCE_SECONDS, **more)
        return self.documents[document].documented(answer)

    def connects_mt4(self, **body: Any) -> dict[str, Any]:
        """Connect an account, the one of the route without a name."""
        answer = self.agent("POST", "/connect", body)
        assert answer.status_code == 200, answer.text
        told: dict[str, Any] = answer.json()
        return told


def code_of(answer: requests.Response) -> tuple[int, Any, Any]:
    """Return status, code and reason of an error."""
    return answer.status_code, answer.json().get("error"), answer.json().get("reason")
