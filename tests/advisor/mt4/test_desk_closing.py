"""A closing on the desk's route names the trade that it means: come late, it ends no other one."""

from __future__ import annotations

import asyncio
import json
from typing import Any, cast

import pytest

from advisor.agent.desk_reader import DeskReader
from advisor.mt4.desk import DeskAccount
from advisor.mt4.prices import FeedsPrices
from advisor.mt4.requests import RequestBook
from sidecar.problems import ServiceRefused
from tests.data.explain_states import Asked, recorded
from tests.support.trader import Trader


class Holding:
    """A web whose desk holds a trade. It keeps what it is told to exit, and answers as a test says."""

    def __init__(self, trader: Trader) -> None:
        self.document = recorded(Asked(trader))["state"]
        self.trade = trader.trade.id
        self.exits: list[dict[str, Any]] = []
        self.answers: tuple[int, dict[str, Any]] = (200, {"ok": True})

    async def get(self, path: str, answer_seconds: float = 1.0, **query: str | int) -> bytes:
        """Answer the state."""
        assert (path, query) == ("/api/state", {})
        return json.dumps(self.document).encode()

    async def exchange(
        self, method: str, path: str, body: bytes | None = None, answer_seconds: float = 1.0, **headers: str
    ) -> tuple[int, bytes]:
        """Take an exit."""
        assert (method, path) == ("POST", "/api/exit")
        self.exits.append(json.loads(body or b""))
        status, answer = self.answers
        return status, json.dumps(answer).encode()


@pytest.fixture
def web() -> Holding:
    return Holding(Trader().is_long(5250))


@pytest.fixture
def account(web: Holding) -> DeskAccount:
    names = cast(RequestBook, None)  # of orders: a closing asks for none
    return DeskAccount(DeskReader(web), web, FeedsPrices(None), names)


def test_a_closing_names_the_trade_whose_position_it_was(web: Holding, account: DeskAccount) -> None:
    assert asyncio.run(account.close(web.trade, None)).success
    assert web.exits == [{"asset": "ES", "force": True, "trade": web.trade}]


def test_when_the_desk_holds_another_trade_meanwhile_that_is_said_and_nothing_was_closed(
    web: Holding, account: DeskAccount
) -> None:
    web.answers = (409, {"ok": False, "code": "other_trade", "error": "ES is in another trade"})
    with pytest.raises(ServiceRefused) as refused:
        asyncio.run(account.close(web.trade, None))
    assert (refused.value.code, refused.value.reason) == ("trade_refused", "other_trade")
