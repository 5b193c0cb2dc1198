"""A caller that is gone before its closing is answered: feeds and the agent over real sockets, in one program."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
import uvicorn
from starlette.applications import Starlette
from starlette.routing import Route

import feeds.channels.mt4_forward as forward
from advisor.channels import mt4_access
from advisor.channels.mt4_access import Mt4Access
from advisor.channels.mt4_rest import Mt4Rest
from advisor.mt4.metaapi_client import Timeouts
from advisor.mt4.metaapi_lookup import LookUps
from advisor.mt4.service import Mt4Service
from sidecar.keys import KeyDoor
from sidecar.problems import ServiceRefused, answer_refused
from sidecar.use import Use
from sidecar.web import WebClient
from tests.advisor.mt4.test_service import runs
from tests.support.desk_process import SERVICE_SECRET
from tests.support.fakes.metaapi import ACCOUNT, TOKEN, MetaApiServer, Planned
from tests.support.ports import free_port
from wire.keys import SERVICE_HEADER
from wire.mt4 import ConnectBody

SECRET = {SERVICE_HEADER: SERVICE_SECRET}
PATIENCE_SECONDS = 20.0


@asynccontextmanager
async def served(routes: list[Route], port: int) -> AsyncIterator[None]:
    """Serve calls at a port until the block ends."""
    app = Starlette(routes=routes, exception_handlers={ServiceRefused: answer_refused})
    server = uvicorn.Server(uvicorn.Config(app, host="127.0.0.1", port=port, log_level="critical"))
    running = asyncio.create_task(server.serve())
    while not server.started:
        await asyncio.sleep(0.01)
    yield
    server.should_exit = True
    await running


@asynccontextmanager
async def both_ports(service: Mt4Service) -> AsyncIterator[httpx.AsyncClient]:
    """Serve the agent's calls and those of the data service, and return a client of the latter."""
    agent_port, data_port = free_port(), free_port()
    keys = KeyDoor(WebClient(f"http://127.0.0.1:{free_port()}", None))
    rest = Mt4Rest(service, Mt4Access(keys, SERVICE_SECRET), Use("agent", agent_port))
    passing = forward.Mt4Forward(f"http://127.0.0.1:{agent_port}", SERVICE_SECRET, keys)
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(served(rest.routes(), agent_port))
        await stack.enter_async_context(served(passing.routes(), data_port))
        url = f"http://127.0.0.1:{data_port}/api/mt4"
        yield await stack.enter_async_context(httpx.AsyncClient(base_url=url, headers=SECRET, timeout=PATIENCE_SECONDS))
        await passing.close()


def over_sockets(folder: Path, act: Any) -> None:
    """Run an act beside both ports and an account at MetaApi."""

    async def run(service: Mt4Service, server: MetaApiServer) -> None:
        await service.connect(ConnectBody(account_id=ACCOUNT, token=TOKEN))
        async with both_ports(service) as client:
            await act(client, server)

    runs(folder, run)


def reason(answer: httpx.Response) -> tuple[int, Any, Any]:
    return answer.status_code, answer.json().get("error"), answer.json().get("reason")


@pytest.mark.parametrize("name", [None, "mine"])
def test_feeds_gives_up_and_the_caller_asks_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str | None
) -> None:
    """The broker closes the part after feeds has given the call up: whoever asks again hears of that one part."""
    monkeypatch.setattr(forward, "CLOSE_SECONDS", 0.15)  # MetaApi's answer is waited for 0.4 s
    named = {} if name is None else {"Idempotency-Key": name}

    async def act(client: httpx.AsyncClient, server: MetaApiServer) -> None:
        ticket = server.holds(0.1)
        server.plans(Planned(silent=True, executes=True))

        async def closes() -> httpx.Response:
            return await client.post(f"/positions/{ticket}/close?volume=0.05", headers=named)

        assert reason(await closes()) == (503, "unknown_outcome", "agent_silent")
        while (again := await closes()).status_code != 200:
            waits = [(409, "trade_refused", "close_under_way"), (503, "unknown_outcome", "agent_silent")]
            assert reason(again) in ([(503, "unknown_outcome", "under_way")] if name else waits)
            await asyncio.sleep(0.02)
        assert (again.json()["closed_volume"], again.json()["remaining_volume"]) == (0.05, 0.05)
        assert len(server.trades) == 1
        third = await closes()
        assert third.json()["remaining_volume"] == (0 if name is None else 0.05)  # told once, without a name
        assert len(server.trades) == (2 if name is None else 1)

    over_sockets(tmp_path, act)


def test_a_closing_is_waited_for_as_long_as_the_agent_may_need(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(forward, "ANSWER_SECONDS", 0.15)

    async def act(client: httpx.AsyncClient, server: MetaApiServer) -> None:
        ticket = server.holds(0.1)
        server.plans(Planned(silent=True, executes=True))
        answer = await client.post(f"/positions/{ticket}/close?volume=0.05")
        assert (answer.status_code, answer.json()["remaining_volume"]) == (200, 0.05)

    over_sockets(tmp_path, act)


def test_the_agent_ends_before_feeds_gives_up() -> None:
    """Reading, the trade, three look-ups of two readings with their pauses: the sum of the agent's own limits."""
    times, look_ups = Timeouts(), LookUps()
    longest = times.read + times.trade + look_ups.tries * 2 * times.read + (look_ups.tries - 1) * look_ups.pause_seconds
    assert longest < forward.CLOSE_SECONDS


def test_programs_of_the_desk_that_read_too_often_can_close_all_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All that feeds passes on shows one secret: what the keys there read together holds back no closing."""
    monkeypatch.setattr(mt4_access, "DESK_REQUESTS", 5)

    async def act(client: httpx.AsyncClient, server: MetaApiServer) -> None:
        ticket = server.holds(0.1)
        while (await client.get("/orders")).status_code != 429:
            pass
        assert (await client.post("/connect", json={})).status_code == 429
        assert (await client.post(f"/positions/{ticket}/close?volume=0.05")).status_code == 200
        assert (await client.post("/orders/5/cancel")).status_code != 429

    over_sockets(tmp_path, act)
