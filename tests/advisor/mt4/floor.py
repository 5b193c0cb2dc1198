"""The paper account beside a stand-in for feeds: both by one clock that a test moves."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any, Self, TypeVar

import pytest

from advisor.mt4.asked import OrderAsked, order_of
from advisor.mt4.file import Mt4File
from advisor.mt4.paper import PaperAccount
from advisor.mt4.paper_store import PaperStore
from advisor.mt4.prices import FeedsPrices
from sidecar.problems import ServiceRefused
from sidecar.web import WebClient
from tests.support.desk_process import SERVICE_SECRET
from tests.support.fakes.price_feeds import PriceFeeds
from wire.mt4 import AccountState, CloseAnswer, DealRow, Mt4Action, PositionRow, TradeAnswer, TradeBody

NOON = int(datetime(2026, 11, 18, 12, 0, 20, tzinfo=UTC).timestamp())
Result = TypeVar("Result")


def asked(action: Mt4Action = "BUY", volume: float = 0.1, symbol: str = "EURUSD", **more: Any) -> OrderAsked:
    """Return an order as a body gives it."""
    key = more.pop("key", None)
    return order_of(TradeBody(symbol=symbol, action=action, volume=volume, **more), key)


class PaperFloor:
    """One account in a file. Every call runs to its end."""

    def __init__(self, folder: Path, feeds: PriceFeeds) -> None:
        self.feeds = feeds
        self.path = folder / "advisor.sqlite"
        self._loop = asyncio.new_event_loop()
        self._open()

    def _open(self) -> None:
        self.file = Mt4File(self.path)
        self._web = WebClient(self.feeds.url, SERVICE_SECRET)
        self.account = PaperAccount(PaperStore(self.file), FeedsPrices(self._web), self.feeds.clock)

    def runs(self, work: Coroutine[Any, Any, Result]) -> Result:
        """Run a call."""
        return self._loop.run_until_complete(work)

    def restarts(self) -> Self:
        """End the program, and start it on the same file."""
        self.close()
        self._loop = asyncio.new_event_loop()
        self._open()
        return self

    def close(self) -> None:
        self.runs(self._web.close())
        self.file.close()
        self._loop.close()

    # -- calls --------------------------------------------------------------------------------------------------

    def trades(self, action: Mt4Action = "BUY", volume: float = 0.1, **more: Any) -> TradeAnswer:
        return self.runs(self.account.trade(asked(action, volume, **more)))

    def closes(self, position_id: str | None, volume: str | None = None) -> CloseAnswer:
        assert position_id is not None
        return self.runs(self.account.close(position_id, None if volume is None else Decimal(volume)))

    @property
    def positions(self) -> tuple[PositionRow, ...]:
        return self.runs(self.account.positions())

    @property
    def orders(self) -> list[str]:
        return [one.id for one in self.runs(self.account.orders())]

    @property
    def state(self) -> AccountState:
        return self.runs(self.account.status())

    @property
    def deals(self) -> tuple[DealRow, ...]:
        return self.runs(self.account.deals(1_000))

    def told(self) -> list[tuple[str, str, str, str]]:
        """Return entry, reason, price and profit of every fill."""
        return [(one.entry, one.reason, f"{one.price:f}", f"{one.profit:f}") for one in self.deals]

    def refused(self, work: Coroutine[Any, Any, Any]) -> tuple[str, Any]:
        """Return code and reason of a refusal; nothing of the account has changed."""
        before = self._stored()
        with pytest.raises(ServiceRefused) as refused:
            self.runs(work)
        assert self._stored() == before
        return refused.value.code, refused.value.reason

    def refuses(self, action: Mt4Action = "BUY", volume: float = 0.1, **more: Any) -> tuple[str, Any]:
        """Return why an order is refused."""

        async def trade() -> Any:
            return await self.account.trade(asked(action, volume, **more))

        return self.refused(trade())

    def _stored(self) -> list[Any]:
        with self.file.reading() as file:
            return [
                file.execute(f"SELECT * FROM {name}").fetchall()  # noqa: S608
                for name in ("mt4_account", "mt4_orders", "mt4_positions", "mt4_deals", "mt4_requests")
            ]
