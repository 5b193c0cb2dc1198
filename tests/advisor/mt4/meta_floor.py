"""One account of the adapter beside the stand-in for MetaApi."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Coroutine
from pathlib import Path
from typing import Any, TypeVar

import pytest

from advisor.mt4.asked import OrderAsked
from advisor.mt4.file import Mt4File
from advisor.mt4.metaapi import MetaApiAccount
from advisor.mt4.metaapi_client import MetaApiClient, Timeouts
from advisor.mt4.metaapi_lookup import LookUps
from advisor.mt4.prices import utc_now
from advisor.mt4.sent import SentBook
from sidecar.problems import ServiceRefused
from tests.support.fakes.metaapi import ACCOUNT, TOKEN, MetaApiServer
from wire.mt4 import TradeAnswer

Result = TypeVar("Result")
LONGEST_CALL_SECONDS = 30.0
QUICK = LookUps(3, 0.02, 0.0)
SHORT = Timeouts(read=2.0, trade=0.4, candles=2.0)


class MetaFloor:
    """One account of the adapter beside the stand-in."""

    def __init__(
        self,
        folder: Path,
        server: MetaApiServer,
        token: str = TOKEN,
        account: str = ACCOUNT,
        look_ups: LookUps = QUICK,
    ) -> None:
        self._look_ups = look_ups
        self.server = server
        self._name = account
        self.gates: list[str] = []
        self.refuses_real = False
        self._loop = asyncio.new_event_loop()
        self.file = Mt4File(folder / "advisor.sqlite")
        self.waited = 0.0
        self.client = MetaApiClient(
            server.url, server.candles_url, account, token, SHORT, lambda: time.monotonic() + self.waited
        )
        self.sent = SentBook(self.file, utc_now)
        self.account = self.connected_anew()

    def connected_anew(self) -> MetaApiAccount:
        """Return one more connection of the account in the same program."""
        return MetaApiAccount(self.client, self._name, self.sent, self._gate, look_ups=self._look_ups)

    def while_sending(self, first: Coroutine[Any, Any, Any], second: Coroutine[Any, Any, Any]) -> list[ServiceRefused]:
        """Run a call while an earlier one waits for the broker; both are refused."""

        async def both() -> list[Any]:
            sending = asyncio.create_task(first)
            while not self.server.arrived.is_set():
                await asyncio.sleep(0.005)
            return list(await asyncio.gather(sending, second, return_exceptions=True))

        return self.runs(both())

    async def _gate(self) -> None:
        self.gates.append("asked")
        if self.refuses_real:
            raise ServiceRefused("real_account", "not here")

    def runs(self, work: Coroutine[Any, Any, Result]) -> Result:
        return self._loop.run_until_complete(asyncio.wait_for(work, LONGEST_CALL_SECONDS))

    def trades(self, order: OrderAsked) -> TradeAnswer:
        return self.runs(self.account.trade(order))

    def refused(self, work: Coroutine[Any, Any, Any]) -> ServiceRefused:
        with pytest.raises(ServiceRefused) as refused:
            self.runs(work)
        return refused.value

    def code(self, work: Coroutine[Any, Any, Any]) -> tuple[str, Any]:
        refused = self.refused(work)
        return refused.code, refused.reason

    def close(self) -> None:
        self.runs(self.account.disconnect())
        self.runs(self.account.left())
        self.file.close()
        self._loop.close()
