"""The local feeds over TCP, beside a real desk: what they say, and to whom."""

from __future__ import annotations

import csv
import io
import json
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
import requests

from tests.support.desk_process import PATIENCE_SECONDS, QUICK, DeskProcess, eventually
from tests.support.feeds_process import FeedsProcess
from tests.support.local_clients import Listener, Trading, refused_with
from wire.local_feeds import ConsensusMessage, TelemetrySnapshot, TradeSetup

pytestmark = pytest.mark.processes

LOCAL = ("consensus", "telemetry", "journal", "signals")
SOCKETS = (("consensus", "/ws/consensus"), ("telemetry", "/any/path/at/all"), ("signals", "/connect"))
PAGE = "http://localhost:5173"


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DeskProcess]:
    with DeskProcess(tmp_path_factory.mktemp("desk"), **QUICK) as desk:
        yield desk


@pytest.fixture(scope="module")
def feeds(desk: DeskProcess, tmp_path_factory: pytest.TempPathFactory) -> Iterator[FeedsProcess]:
    with FeedsProcess(desk, tmp_path_factory.mktemp("feeds"), LOCAL, CORS_ORIGINS=PAGE) as feeds:
        yield feeds.hears_web()


@pytest.fixture(scope="module")
def trading(desk: DeskProcess) -> Trading:
    return Trading(desk)


def listens(feeds: FeedsProcess, feed: str, *headers: str, **more: Any) -> Listener:
    return Listener(feeds.url(feed, "ws") + dict(SOCKETS)[feed], *headers, **more)


def journal(feeds: FeedsProcess, path: str = "/api/journal", **query: str) -> requests.Response:
    return requests.get(feeds.url("journal") + path, params=query, timeout=PATIENCE_SECONDS)


def setups(feeds: FeedsProcess, **query: str) -> list[dict[str, Any]]:
    answer = journal(feeds, **query)
    assert answer.status_code == 200, answer.text
    rows: list[dict[str, Any]] = answer.json()
    return rows


# -- who may use them -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("feed", LOCAL)
def test_they_listen_on_both_loopbacks_and_nowhere_else(feeds: FeedsProcess, feed: str) -> None:
    port = feeds.ports[feed]
    for host in ("127.0.0.1", "::1"):
        with socket.create_connection((host, port), timeout=5):
            pass
    with pytest.raises(ConnectionRefusedError), socket.create_connection(("127.0.0.2", port), timeout=5):
        pass


@pytest.mark.parametrize(("feed", "path"), SOCKETS)
def test_a_socket_is_refused_to_foreign_pages_and_rebound_names(feeds: FeedsProcess, feed: str, path: str) -> None:
    url, port = feeds.url(feed, "ws") + path, feeds.ports[feed]
    for origin in ("https://evil.example", "null", f"http://evil.example:{port}", "http://localhost:3000"):
        assert refused_with(url, origin=origin) == 403, origin
    for host in (f"evil.example:{port}", "localhost", "127.0.0.1:80", f"127.0.0.1.nip.io:{port}"):
        assert refused_with(url, host=host) == 403, host
    for origin in (PAGE, f"http://127.0.0.1:{port}", f"http://localhost:{port}"):  # the last two: sent by libraries
        listens(feeds, feed, origin=origin).leaves()
    Listener(f"ws://localhost:{port}{path}").leaves()
    Listener(f"ws://[::1]:{port}{path}").leaves()


def test_the_journal_is_refused_to_foreign_pages_and_rebound_names(feeds: FeedsProcess) -> None:
    url, port = feeds.url("journal") + "/api/journal", feeds.ports["journal"]
    for headers in (
        {"Origin": "https://evil.example"},
        {"Host": f"evil.example:{port}"},
        {"Host": "localhost"},
        {"Sec-Fetch-Site": "cross-site"},
    ):
        answer = requests.get(url, headers=headers, timeout=PATIENCE_SECONDS)
        assert (answer.status_code, answer.json()["ok"]) == (403, False), headers
        assert "Access-Control-Allow-Origin" not in answer.headers


def test_a_page_that_cors_origins_names_may_read_the_journal(feeds: FeedsProcess) -> None:
    url = feeds.url("journal") + "/api/journal"
    asked = {"Origin": PAGE, "Access-Control-Request-Method": "GET", "Access-Control-Request-Headers": "x-api-key"}
    preflight = requests.options(url, headers=asked, timeout=PATIENCE_SECONDS)
    assert preflight.status_code == 204
    assert preflight.headers["Access-Control-Allow-Origin"] == PAGE
    assert "X-API-Key" in preflight.headers["Access-Control-Allow-Headers"]
    answer = requests.get(url, headers={"Origin": PAGE}, timeout=PATIENCE_SECONDS)
    assert (answer.status_code, answer.headers["Access-Control-Allow-Origin"]) == (200, PAGE)
    assert answer.headers["Vary"] == "Origin"
    foreign = requests.options(url, headers={**asked, "Origin": "https://evil.example"}, timeout=PATIENCE_SECONDS)
    assert foreign.status_code == 403


def test_every_port_tells_how_feeds_are(feeds: FeedsProcess) -> None:
    for feed in LOCAL:
        answer = requests.get(feeds.url(feed) + "/health", timeout=PATIENCE_SECONDS)
        assert (answer.status_code, answer.json()["ok"]) == (200, True)
        assert (
            requests.get(
                feeds.url(feed) + "/health", headers={"Host": "evil.example"}, timeout=PATIENCE_SECONDS
            ).status_code
            == 403
        )


def test_clients_are_counted_and_bounded(feeds: FeedsProcess) -> None:
    def clients() -> int:
        ports = {port["name"]: port for port in feeds.health()["ports"]}
        count: int = ports["signals"]["clients"]
        return count

    eventually(lambda: clients() == 0)
    crowd = [listens(feeds, "signals") for _ in range(64)]
    eventually(lambda: clients() == 64)
    assert refused_with(feeds.url("signals", "ws") + "/connect") == 503
    crowd.pop().leaves()
    eventually(lambda: clients() == 63)
    crowd.append(listens(feeds, "signals"))
    for one in crowd:
        one.leaves()
    eventually(lambda: clients() == 0)


def test_a_parameter_that_is_none_is_refused(feeds: FeedsProcess) -> None:
    url = feeds.url("signals", "ws") + "/connect"
    for query in ("sinceid=5", "since_id=five", "since_id="):
        assert refused_with(f"{url}?{query}") == 400, query
    assert refused_with(feeds.url("signals", "ws") + "/elsewhere") in (403, 404)


# -- consensus ------------------------------------------------------------------------------------------------------


def test_the_consensus_follows_the_bricks_and_is_the_only_kind_of_message(
    feeds: FeedsProcess, trading: Trading
) -> None:
    with listens(feeds, "consensus") as reader:
        reader.hears(symbol="ES")
        reader.hears(symbol="NQ")
        trading.market.heartbeat(asset="NQ")
        for size in (12, 8, 6, 4, 2.5):
            trading.market.brick(size, "red", asset="NQ")
        vote = reader.hears(symbol="NQ", conviction_score=100)
        assert (vote["decision"], vote["regime"], vote["momentum"]) == ("SELL", "trend", "down")
        assert vote["confluences"] == ["R12 red", "R8 red", "R6 red", "R4 red", "R2.5 red", "trend"]
        assert [part["weight"] for part in vote["components"]] == [0, 1, 2, 3, 4, 5]
        assert vote["degraded"] is False
        count = len(reader.heard)
        assert reader.hears(6, symbol="NQ")["decision"] == "SELL", "it comes again each 5 s"
        assert len(reader.heard) - count <= 3
    for message in reader.heard:
        msgspec.convert(message, ConsensusMessage)
        assert isinstance(message["conviction_score"], int)


def bricks_of(snapshot: dict[str, Any], size: float) -> list[dict[str, Any]]:
    (bricks,) = (series["bricks"] for series in snapshot["series"] if series["size"] == size)
    found: list[dict[str, Any]] = bricks
    return found


# -- telemetry ------------------------------------------------------------------------------------------------------


def test_a_chart_begins_with_snapshots_and_hears_ticks_bricks_and_markers(
    feeds: FeedsProcess, trading: Trading
) -> None:
    trading.market.brick(4, "green", close=5254)
    with listens(feeds, "telemetry") as chart:
        snapshot = chart.hears(type="snapshot", symbol="ES", complete=True, where=lambda told: bricks_of(told, 4))
        msgspec.convert(snapshot, TelemetrySnapshot)
        newest = bricks_of(snapshot, 4)[-1]
        assert (newest["color"], newest["close"]) == ("green", 5254)
        trading.market.heartbeat(price=5255.5)
        tick = chart.hears(type="tick", symbol="ES", price=5255.5)
        assert (tick["source"], tick["size"], tick["bid"]) == ("heartbeat", None, None)
        trade = {"ts": tick["ts"], "price": 5255.75, "size": 3, "bid": 5255.5, "ask": 5255.75, "seq": 1}
        told = trading.bridge.post("/api/bridge/ticks", json={"symbol": "MESM4", "ticks": [trade]})
        assert told.status_code == 200, told.text
        tick = chart.hears(type="tick", source="ticks")
        assert (tick["symbol"], tick["price"], tick["size"], tick["bid"], tick["ask"]) == (
            "ES",
            5255.75,
            3,
            5255.5,
            5255.75,
        )
        trading.market.brick(4, "green", close=5258)
        brick = chart.hears(type="brick", symbol="ES", size=4)
        assert (brick["n"], brick["open"], brick["close"]) == (newest["n"] + 1, 5254, 5258)
        trading.enters(5256)
        marker = chart.hears(type="marker")
        assert (marker["symbol"], marker["price"], marker["kind"], marker["side"]) == ("ES", 5256, "ENTRY", "BUY")
        trading.exits(5257)
        assert chart.hears(type="marker", kind="EXIT")["qty"] == marker["qty"]
    kinds = {message["type"] for message in chart.heard}
    assert kinds <= {"snapshot", "tick", "brick", "marker"}


# -- journal --------------------------------------------------------------------------------------------------------


def test_the_journal_has_the_open_trade_and_then_the_closed_one(feeds: FeedsProcess, trading: Trading) -> None:
    entry = trading.enters(5250.25)
    row = next(row for row in eventually(lambda: setups(feeds)) if row["id"] == entry["id"])
    assert (row["symbol"], row["entry"], row["stop_loss"], row["target"]) == ("ES", 5250.25, 5235.25, None)
    assert (row["side"], row["qty"], row["closed_at"], row["exit"]) == ("BUY", entry["qty"], None, None)
    trading.exits(5251.25)
    row = next(row for row in setups(feeds) if row["id"] == entry["id"])
    assert (row["exit"], row["exit_reason"], row["pnl_points"]) == (5251.25, "manual", 1)
    assert row["r_multiple"] == 0.066667
    assert row["closed_at"] > row["opened_at"]
    for one in setups(feeds):
        msgspec.convert(one, TradeSetup)


def test_a_trade_with_a_target_is_complete(feeds: FeedsProcess, trading: Trading) -> None:
    entry = trading.enters(5250, trade_mode="SCALP")
    assert [row["id"] for row in eventually(lambda: setups(feeds, only="complete"))] == [entry["id"]]
    trading.exits(5251)
    (row,) = setups(feeds, only="complete")
    assert (row["id"], row["target"], row["stop_loss"]) == (entry["id"], 5265, 5235)


def test_days_symbols_and_sheets_of_the_journal(feeds: FeedsProcess, trading: Trading) -> None:
    today = trading.operator.state()["global"]["trading_day"]
    assert setups(feeds, **{"from": today, "to": today}) == setups(feeds)
    assert setups(feeds, symbol="es") == setups(feeds, **{"from": "2020-01-01"})
    assert setups(feeds, symbol="NQ") == []
    assert setups(feeds, to="2020-01-01") == []
    answer = journal(feeds, format="csv")
    assert answer.headers["Content-Type"].startswith("text/csv")
    sheet = list(csv.DictReader(io.StringIO(answer.text)))
    assert [row["id"] for row in sheet] == [row["id"] for row in setups(feeds)]
    statistics = journal(feeds, "/api/journal/statistics").json()
    assert statistics["figures"]["trades"] == len(setups(feeds))


@pytest.mark.parametrize(
    "query",
    [
        {"form": "csv"},
        {"format": "xml"},
        {"only": "closed"},
        {"from": "24.11.2026"},
        {"from": "2026-02-30"},
        {"to": "1999-12-31"},
        {"from": "2026-11-24", "to": "2026-11-23"},
        {"symbol": "FOO"},
    ],
    ids=json.dumps,
)
def test_a_query_that_cannot_be_read_is_400_and_says_why(feeds: FeedsProcess, query: dict[str, str]) -> None:
    answer = journal(feeds, **query)
    assert (answer.status_code, answer.json()["ok"]) == (400, False)
    assert next(iter(query)) in answer.json()["error"]


def test_errors_of_the_journal_are_in_its_dialect(feeds: FeedsProcess) -> None:
    for method, path, status in (("GET", "/", 404), ("POST", "/api/journal", 405), ("DELETE", "/api/journal", 405)):
        answer = requests.request(method, feeds.url("journal") + path, timeout=PATIENCE_SECONDS)
        assert (answer.status_code, answer.json()["ok"]) == (status, False)
    assert requests.head(feeds.url("journal") + "/api/journal", timeout=PATIENCE_SECONDS).status_code == 200


# -- while web is away ----------------------------------------------------------------------------------------------


def test_a_dead_desk_is_said_and_nothing_is_made_up(tmp_path: Path) -> None:
    with DeskProcess(tmp_path / "desk", **QUICK) as desk, FeedsProcess(desk, tmp_path / "feeds", LOCAL) as feeds:
        feeds.hears_web()
        trading = Trading(desk)
        with listens(feeds, "consensus") as reader, listens(feeds, "telemetry") as chart:
            trading.enters(5250.25)
            chart.hears(type="snapshot", symbol="ES")
            desk.kill()
            vote = reader.hears(symbol="ES", degraded=True)
            assert (vote["decision"], vote["conviction_score"]) == ("HOLD", 0)
            assert chart.hears(type="snapshot", symbol="ES", degraded=True)["series"]
            answer = journal(feeds)
            assert (answer.status_code, answer.json()["ok"]) == (503, False)
            assert journal(feeds, "/api/journal/statistics").status_code == 503
            with listens(feeds, "telemetry") as late:
                assert late.hears(type="snapshot", symbol="ES")["degraded"] is True
            desk.start()
            assert reader.hears(symbol="ES", degraded=False)["symbol"] == "ES"
            assert chart.hears(type="snapshot", symbol="ES", degraded=False)["levels"]["entry"] == 5250.25
        assert [row["closed_at"] for row in setups(feeds)] == [None]


def test_feeds_that_never_heard_a_desk_hold_and_say_so(tmp_path: Path) -> None:
    nobody = "http://127.0.0.1:9"
    with FeedsProcess(nobody, tmp_path, LOCAL) as feeds:
        with listens(feeds, "consensus") as reader:
            vote = reader.hears(degraded=True)
            assert (vote["decision"], vote["symbol"], vote["confluences"]) == ("HOLD", None, [])
        with listens(feeds, "signals") as listener:
            assert listener.hears_nothing()
        assert journal(feeds).status_code == 503
