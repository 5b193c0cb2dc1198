"""A desktop assistant reads the desk: the official client of MCP, over stdio, beside a real desk."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from mcp import Client, StdioServerParameters
from mcp.client.stdio import stdio_client
from mcp_types import TextContent

from advisor.agent.tools import TOOLS
from tests.support.desk_process import SERVICE_SECRET, DeskProcess
from tests.support.paths import REPOSITORY
from tests.support.ports import free_port

pytestmark = pytest.mark.processes
ANSWERS_WITHIN_SECONDS = 60


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DeskProcess]:
    with DeskProcess(tmp_path_factory.mktemp("desk")) as desk:
        yield desk


def assistant(
    url: str, log: Path, act: Callable[[Client], Awaitable[Any]], secret: str = SERVICE_SECRET, **more: str
) -> Any:
    """Let an assistant start the program, do something, and end it. Return what it did, and the log."""
    nowhere = f"http://127.0.0.1:{free_port()}"
    settings = {"LOCKSTEP_URL": url, "ADVISOR_URL": nowhere, "SERVICE_SECRET": secret, **more}
    program = StdioServerParameters(
        command=sys.executable, args=["-m", "advisor.mcp"], env=settings, cwd=str(REPOSITORY)
    )

    async def run() -> Any:
        with log.open("w") as written:
            async with (
                asyncio.timeout(ANSWERS_WITHIN_SECONDS),
                Client(stdio_client(program, errlog=written)) as client,
            ):
                return await act(client)

    return asyncio.run(run())


async def asks(client: Client, name: str, **arguments: Any) -> tuple[bool, dict[str, Any]]:
    """Ask a tool; return whether that is an error, and what it says."""
    answer = await client.call_tool(name, arguments)
    [content] = answer.content
    assert isinstance(content, TextContent)
    return answer.is_error, json.loads(content.text)


def test_an_assistant_finds_every_tool_and_reads_the_desk(desk: DeskProcess, tmp_path: Path) -> None:
    async def act(client: Client) -> Any:
        return (
            (await client.list_tools()).tools,
            await asks(client, "positions"),
            await asks(client, "explain_blocks", asset="ES"),
            await asks(client, "place_order", asset="ES"),
            await asks(client, "explain_blocks", asset="AAPL"),
            await asks(client, "range_forecast", asset="ES"),
        )

    tools, (is_error, positions), (_, blocks), unknown, symbol, ranges = assistant(desk.url, tmp_path / "log", act)
    assert [one.name for one in tools] == [tool.name for tool in TOOLS]
    assert all(one.annotations.read_only_hint for one in tools)
    assert all(one.input_schema["type"] == "object" and "$ref" not in json.dumps(one.input_schema) for one in tools)
    assert (is_error, positions["missing"], positions["env"]) == (False, None, "DEMO")
    assert positions["result"]["flat"] is True
    assert blocks["result"]["entries"][0]["asset"] == "ES"
    assert (unknown[0], unknown[1]["error"]) == (True, "unknown_tool")
    assert (symbol[0], symbol[1]["error"]) == (True, "unknown_symbol")
    assert (ranges[0], ranges[1]["missing"]) == (False, "not_available")
    log = (tmp_path / "log").read_text()
    assert "tools for an assistant" in log
    assert SERVICE_SECRET not in log


def test_a_desk_that_is_away_is_told_as_such(tmp_path: Path) -> None:
    async def act(client: Client) -> Any:
        return await asks(client, "positions")

    is_error, answer = assistant(f"http://127.0.0.1:{free_port()}", tmp_path / "log", act)
    assert (is_error, answer["missing"]) == (False, "web_away")


def test_without_the_secret_it_says_so(desk: DeskProcess, tmp_path: Path) -> None:
    async def act(client: Client) -> Any:
        return await asks(client, "positions")

    is_error, answer = assistant(desk.url, tmp_path / "log", act, secret="")
    assert (is_error, answer["error"]) == (True, "no_secret")
    assert "SERVICE_SECRET is not set" in (tmp_path / "log").read_text()
