"""The journal's bounds: more rows than may be sent are cut to the newest, and a header says so."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator

import pytest
import requests
from starlette.routing import BaseRoute

from feeds.channels.journal import JournalFeed
from sidecar.use import Use
from sidecar.web import WebClient
from tests.support.desk_process import PATIENCE_SECONDS, QUICK, SERVICE_SECRET, DeskProcess
from tests.support.local_clients import Trading
from tests.support.local_server import LocalServer

pytestmark = pytest.mark.processes

MOST = 2


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DeskProcess]:
    with DeskProcess(tmp_path_factory.mktemp("desk"), **QUICK) as desk:
        yield desk


@pytest.fixture(scope="module")
def journal(desk: DeskProcess) -> Iterator[LocalServer]:
    """The journal's port, which sends two rows at most."""

    def routes(use: Use) -> list[BaseRoute]:
        return [*JournalFeed(use, None, WebClient(desk.url, SERVICE_SECRET), MOST).routes()]

    with LocalServer("journal", routes) as server:
        yield server


def test_what_is_beyond_the_bound_is_cut_and_said(desk: DeskProcess, journal: LocalServer) -> None:
    url = journal.url("http") + "/api/journal"
    trading = Trading(desk)
    ids: list[str] = []
    for closed in range(1, 4):
        ids.insert(0, trading.enters(5250)["id"])
        trading.exits(5251)
        answer = requests.get(url, timeout=PATIENCE_SECONDS)
        assert [row["id"] for row in answer.json()] == ids[:MOST], "the newest first"
        assert answer.headers.get("X-Truncated") == (str(MOST) if closed > MOST else None)
    sheet = requests.get(url, params={"format": "csv"}, timeout=PATIENCE_SECONDS)
    assert sheet.headers["X-Truncated"] == str(MOST)
    assert [row["id"] for row in csv.DictReader(io.StringIO(sheet.text))] == ids[:MOST]
    opened = trading.enters(5250)["id"]
    assert [row["id"] for row in requests.get(url, timeout=PATIENCE_SECONDS).json()] == [opened, ids[0]], (
        "open ones come first"
    )
    trading.exits(5251)


def test_a_wrong_secret_is_no_empty_journal(desk: DeskProcess) -> None:
    def routes(use: Use) -> list[BaseRoute]:
        return [*JournalFeed(use, None, WebClient(desk.url, "not-the-desks-secret")).routes()]

    with LocalServer("journal", routes) as server:
        answer = requests.get(server.url("http") + "/api/journal", timeout=PATIENCE_SECONDS)
        assert (answer.status_code, answer.json()["ok"]) == (503, False)
