"""All of MT4 in the advisor: its accounts, its file, its calls."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any, Protocol

from starlette.routing import Route

from advisor.agent.desk_reader import DeskReader
from advisor.channels.mt4_access import Mt4Access
from advisor.channels.mt4_rest import Mt4Rest
from advisor.mt4.desk import DeskAccount
from advisor.mt4.file import Mt4File
from advisor.mt4.metaapi import MetaApiAccount
from advisor.mt4.metaapi_client import MetaApiClient
from advisor.mt4.paper import PaperAccount
from advisor.mt4.paper_store import PaperStore
from advisor.mt4.prices import FeedsPrices, utc_now
from advisor.mt4.real import RealGate
from advisor.mt4.requests import RequestBook
from advisor.mt4.sent import SentBook
from advisor.mt4.service import Mt4Service
from advisor.mt4.settings import Mt4Settings
from sidecar.keys import KeyDoor
from sidecar.use import Use
from sidecar.web import WebClient


class Mt4Config(Protocol):
    """What MT4 needs of the advisor's settings."""

    @property
    def path(self) -> Path:
        """The advisor's file."""

    @property
    def feeds_url(self) -> str | None:
        """Where prices come from."""

    @property
    def service_secret(self) -> str | None:
        """What the programs of the desk show."""

    @property
    def mt4(self) -> Mt4Settings:
        """Where trades go."""


class Mt4Calls:
    """The calls of MT4, beside those of the agent."""

    def __init__(self, config: Mt4Config, use: Use, keys: KeyDoor, web: WebClient) -> None:
        """Build everything; nothing runs before `running`."""
        self._settings = config.mt4
        self._file = Mt4File(config.path)
        self._feeds = None if config.feeds_url is None else WebClient(config.feeds_url, config.service_secret)
        prices = FeedsPrices(self._feeds)
        desk = DeskReader(web)
        self._paper = PaperAccount(PaperStore(self._file), prices)
        self._sent = SentBook(self._file, utc_now)
        self._gate = RealGate(desk, is_allowed=config.mt4.allow_real)
        own = DeskAccount(desk, web, prices, RequestBook(self._file, "desk"))
        self._service = Mt4Service(config.mt4, self._file, self._paper, own, self._open_account)
        self._rest = Mt4Rest(self._service, Mt4Access(keys, config.service_secret), use)

    def routes(self) -> list[Route]:
        """Return the calls of both views."""
        return self._rest.routes()

    def running(self) -> tuple[Callable[[], Coroutine[Any, Any, None]], ...]:
        """Return what runs beside the listener: the paper account's minutes, on every route."""
        return (self._paper.run,)

    async def close(self) -> None:
        """Let go of the connection, of feeds and of the file; who is connected stays stored."""
        await self._service.end()
        if self._feeds is not None:
            await self._feeds.close()
        self._file.close()

    def _open_account(self, account_id: str, token: str) -> MetaApiAccount:
        client = MetaApiClient(self._settings.url, self._settings.candles_url, account_id, token)
        return MetaApiAccount(client, account_id, self._sent, self._gate)
