"""The one connection: which account is connected, what outlasts a change of it, and what a restart knows."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from advisor.agent.desk_reader import DeskReader
from advisor.mt4.desk import DeskAccount
from advisor.mt4.file import Mt4File
from advisor.mt4.metaapi import MetaApiAccount
from advisor.mt4.metaapi_client import MetaApiClient, Timeouts
from advisor.mt4.metaapi_lookup import LookUps
from advisor.mt4.paper import PaperAccount
from advisor.mt4.paper_store import PaperStore
from advisor.mt4.prices import FeedsPrices, utc_now
from advisor.mt4.real import RealGate
from advisor.mt4.requests import RequestBook
from advisor.mt4.sent import SentBook
from advisor.mt4.service import Mt4Service
from advisor.mt4.settings import Mt4Settings
from sidecar.problems import ServiceRefused
from sidecar.web import WebClient
from tests.advisor.mt4.floor import asked
from tests.support.fakes.metaapi import ACCOUNT, TOKEN, MetaApiServer, Planned
from tests.support.ports import free_port
from wire.mt4 import ConnectBody, Mt4Route

Act = Callable[[Mt4Service, MetaApiServer], Coroutine[Any, Any, None]]


def runs(folder: Path, act: Act, route: Mt4Route = "paper") -> None:
    """Run an act on a service beside MetaApi, without web and feeds."""

    async def run() -> None:
        file = Mt4File(folder / "advisor.sqlite")
        web = WebClient(f"http://127.0.0.1:{free_port()}", None)
        desk, prices = DeskReader(web), FeedsPrices(None)

        sent = SentBook(file, utc_now)

        def opens(account: str, token: str) -> MetaApiAccount:
            client = MetaApiClient(server.url, server.candles_url, account, token, Timeouts(2.0, 0.4, 2.0))
            gate = RealGate(desk, is_allowed=True)
            return MetaApiAccount(client, account, sent, gate, look_ups=LookUps(2, 0.02, 0.0))

        own = DeskAccount(desk, web, prices, RequestBook(file, "desk"))
        paper = PaperAccount(PaperStore(file), prices)
        service = Mt4Service(Mt4Settings(route=route), file, paper, own, opens)
        await act(service, server)
        await service.end()
        await web.close()
        file.close()

    with MetaApiServer() as server:
        asyncio.run(run())


def test_what_is_under_way_is_answered_though_the_account_is_let_go(tmp_path: Path) -> None:
    async def act(service: Mt4Service, server: MetaApiServer) -> None:
        ticket = server.holds(0.1)
        await service.connect(ConnectBody(account_id=ACCOUNT, token=TOKEN))
        server.plans(Planned(silent=True, executes=True))
        closing = asyncio.create_task(service.account.close(ticket, None))
        while not server.arrived.is_set():
            await asyncio.sleep(0.005)
        await service.disconnect()
        with pytest.raises(ServiceRefused, match="no MT4 account is connected"):
            await service.account.close(ticket, None)
        await service.connect(ConnectBody())
        assert (await closing).remaining_volume == 0
        assert service.account.kind == "paper"

    runs(tmp_path, act)


def test_a_restart_knows_paper_and_forgets_metaapi_and_another_route(tmp_path: Path) -> None:
    def is_connected(expected: str | None) -> Act:
        async def act(service: Mt4Service, _server: MetaApiServer) -> None:
            if expected is None:
                with pytest.raises(ServiceRefused) as refused:
                    service.account.id  # noqa: B018 - it is what refuses
                assert refused.value.code == "not_connected"
            else:
                assert service.account.id == expected

        return act

    async def connects_paper(service: Mt4Service, _server: MetaApiServer) -> None:
        await service.connect(ConnectBody())

    async def connects_metaapi(service: Mt4Service, _server: MetaApiServer) -> None:
        await service.connect(ConnectBody(account_id=ACCOUNT, token=TOKEN))

    runs(tmp_path, is_connected(None))
    runs(tmp_path, connects_paper)
    runs(tmp_path, is_connected("paper"))
    runs(tmp_path, is_connected(None), route="desk")
    runs(tmp_path, is_connected("paper"))
    runs(tmp_path, connects_metaapi)
    runs(tmp_path, is_connected(None))


def test_a_failed_connection_changes_nothing(tmp_path: Path) -> None:
    async def act(service: Mt4Service, server: MetaApiServer) -> None:
        await service.connect(ConnectBody())
        server.account["type"] = "ACCOUNT_TRADE_MODE_REAL"  # the desk is away: nobody knows whether it is LIVE
        for token, code in (("wrong-token", "token_refused"), (TOKEN, "web_away")):
            with pytest.raises(ServiceRefused) as refused:
                await service.connect(ConnectBody(account_id=ACCOUNT, token=token))
            assert refused.value.code == code
            assert service.account.kind == "paper"

    runs(tmp_path, act)


def test_no_order_goes_to_metaapi_on_either_route(tmp_path: Path) -> None:
    async def act(service: Mt4Service, server: MetaApiServer) -> None:
        await service.connect(ConnectBody(account_id=ACCOUNT, token=TOKEN))
        with pytest.raises(ServiceRefused) as refused:
            await service.trade(asked("BUY", 0.1, stop_loss=1.05))
        assert (refused.value.code, refused.value.reason) in (
            ("trade_refused", "route_paper"),
            ("web_away", refused.value.reason),
        )
        assert server.trades == []

    runs(tmp_path, act)
    runs(tmp_path, act, route="desk")


def test_a_body_with_a_token_shows_none() -> None:
    assert TOKEN not in repr(ConnectBody(account_id=ACCOUNT, token=TOKEN))


def test_a_named_closing_of_a_part_is_closed_once_though_its_answer_was_lost(tmp_path: Path) -> None:
    part = Decimal("0.04")

    async def act(service: Mt4Service, server: MetaApiServer) -> None:
        ticket = server.holds(0.1)
        await service.connect(ConnectBody(account_id=ACCOUNT, token=TOKEN))
        first = await service.close(ticket, part, "mine")
        assert first.remaining_volume == Decimal("0.06")
        assert await service.close(ticket, part, "mine") == first
        assert len(server.trades) == 1
        with pytest.raises(ServiceRefused) as refused:
            await service.close(ticket, Decimal("0.01"), "mine")
        assert (refused.value.code, refused.value.reason) == ("trade_refused", "key_reused")
        server.plans(Planned(130))
        with pytest.raises(ServiceRefused, match="ERR_INVALID_STOPS"):
            await service.close(ticket, part, "refused")
        assert (await service.close(ticket, part, "refused")).closed_volume == part  # nothing was closed before
        server.plans(Planned(-7, executes=False))
        for reason in ("ERR_TRADE_TIMED_OUT", "sent_before", "sent_before"):
            with pytest.raises(ServiceRefused) as refused:
                await service.close(ticket, None, "unknown")
            assert (refused.value.code, refused.value.reason) == ("unknown_outcome", reason)
        assert len(server.trades) == 4
        assert (await service.close(ticket, None, None)).success  # without a name nothing stands before it

    runs(tmp_path, act)


def test_connecting_anew_while_a_part_is_being_closed_closes_no_second_one(tmp_path: Path) -> None:
    async def act(service: Mt4Service, server: MetaApiServer) -> None:
        ticket = server.holds(0.1)
        await service.connect(ConnectBody(account_id=ACCOUNT, token=TOKEN))
        server.plans(Planned(silent=True, executes=False))
        closing = asyncio.create_task(service.account.close(ticket, Decimal("0.04")))
        while not server.arrived.is_set():
            await asyncio.sleep(0.005)
        await service.connect(ConnectBody(account_id=ACCOUNT, token=TOKEN))
        with pytest.raises(ServiceRefused) as refused:
            await service.account.close(ticket, Decimal("0.04"))
        assert refused.value.reason in ("close_under_way", "close_unknown")
        with pytest.raises(ServiceRefused, match="nobody knows"):
            await closing
        with pytest.raises(ServiceRefused) as refused:
            await service.account.close(ticket, Decimal("0.04"))
        assert refused.value.reason == "close_unknown"
        assert len(server.trades) == 1

    runs(tmp_path, act)
