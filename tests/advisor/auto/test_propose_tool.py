"""An assistant proposes an entry: only with a key that may, and it stays the operator's click."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from mcp import Client

from advisor.auto.propose_tool import NAME
from tests.advisor.chat.test_mcp import asks, assistant
from tests.support.desk_process import PASSWORD, DeskProcess

pytestmark = pytest.mark.processes
ENTRY: dict[str, Any] = {"asset": "ES", "direction": "BUY", "entry": 5250.25, "stop": 5245.25, "target": 5260.25}
WHY = {"reason": "You asked for a long above the structure."}


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DeskProcess]:
    with DeskProcess(tmp_path_factory.mktemp("desk")) as desk:
        yield desk


def key_of(desk: DeskProcess, *scopes: str) -> str:
    made = desk.operator().post("/api/keys", json={"name": "mcp", "scopes": list(scopes), "password": PASSWORD})
    token: str = made.json()["token"]
    return token


async def finds_and_proposes(client: Client) -> Any:
    found = {one.name: one for one in (await client.list_tools()).tools}
    return found, client.instructions, await asks(client, NAME, **ENTRY, **WHY)


def test_with_a_key_of_other_scopes_there_is_no_such_tool(desk: DeskProcess, tmp_path: Path) -> None:
    key = key_of(desk, "agent:chat", "mt4:trade")
    found, _, (is_error, answer) = assistant(desk.url, tmp_path / "log", finds_and_proposes, LOCKSTEP_KEY=key)
    assert NAME not in found
    assert (is_error, answer["error"]) == (True, "unknown_tool")
    assert desk.operator().get("/api/proposals").json()["proposals"] == []


def test_with_it_the_operator_sees_a_proposal_and_nothing_is_ordered(desk: DeskProcess, tmp_path: Path) -> None:
    async def act(client: Client) -> Any:
        return (
            *(await finds_and_proposes(client)),
            await asks(client, NAME, **ENTRY, **WHY),
            await asks(client, NAME, **{**ENTRY, "asset": "NQ", "stop": 5250.25}, **WHY),
            await asks(client, NAME, **{**ENTRY, "size": 9}, **WHY),
            await asks(client, NAME, **ENTRY),
        )

    key = key_of(desk, "agent:trade")
    found, said, made, again, flat_stop, sized, silent = assistant(desk.url, tmp_path / "log", act, LOCKSTEP_KEY=key)
    operator = desk.operator()
    [shown] = operator.get("/api/proposals").json()["proposals"]
    assert (made[0], made[1]["proposal"]["id"]) == (False, shown["id"])
    assert {name: shown[name] for name in ENTRY} == ENTRY
    assert (shown["source"], shown["reason"], shown["status"]) == ("assistant", WHY["reason"], "OPEN")
    assert (again[0], again[1]["code"]) == (True, "proposal_open")
    assert (flat_stop[0], flat_stop[1]["ok"]) == (True, False)
    assert [(is_error, body["error"]) for is_error, body in (sized, silent)] == [(True, "invalid_arguments")] * 2
    assert operator.state()["orders"] == []
    assert (found[NAME].annotations.read_only_hint, len([one for one in found if one != NAME])) == (False, 10)
    assert f"`{NAME}`" in str(said)
    assert key not in (tmp_path / "log").read_text()
