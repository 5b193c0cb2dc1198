"""A desk that builds the bricks of an asset, over HTTP: bars, ticks, and a kill between them (SPEC 3)."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from tests.support.desk_process import DeskProcess
from tests.support.tv_chart import Chart, as_sent

pytestmark = pytest.mark.processes

BAR_MS = 15_000
PRICES_ALONE = ("secret", "symbol", "tf", "t", "now", "ohlc")  # what a script of one's own may send


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[DeskProcess]:
    with DeskProcess(tmp_path, ASSETS="ES,NQ", BRICKS_ES="desk") as desk:
        yield desk


def sends(desk: DeskProcess, message: dict[str, Any]) -> dict[str, Any]:
    answer = desk.tradingview().post("/tv", data=as_sent(message))
    assert answer.status_code == 200, answer.text
    said: dict[str, Any] = answer.json()
    return said


def feed_of(desk: DeskProcess, asset: str = "ES") -> dict[str, Any]:
    feed: dict[str, Any] = desk.operator().asset(asset)["feed"]
    return feed


def settled(desk: DeskProcess) -> Chart:
    """Send bars of the last minute that rise 90 points; return the chart that goes on."""
    chart = Chart(started_ms=int(time.time() * 1000) - 4 * BAR_MS)
    for close in (5250, 5280, 5310, 5340):
        message = chart.closes(close)
        assert "ignored" not in sends(desk, {name: message[name] for name in PRICES_ALONE})
    return chart


def test_prices_alone_make_the_bricks_of_all_sizes(desk: DeskProcess) -> None:
    settled(desk)
    feed = feed_of(desk)
    assert (feed["source"], feed["whole"], feed["faults"]) == ("15S", True, [])
    assert {(row["color"], row["to_settle"]) for row in feed["streams"]} == {("green", 0)}
    closes = {row["size"]: row["hi"] for row in feed["streams"]}
    assert closes == {1: 5340, 2.5: 5340, 4: 5340, 6: 5340, 8: 5336, 12: 5340}
    assert feed_of(desk, "NQ")["source"] is None


def test_what_others_say_of_bricks_makes_none(desk: DeskProcess) -> None:
    chart = settled(desk)
    single = desk.tradingview().brick(8, "red", asset="ES", close=5328).json()
    assert (single["ok"], single["ignored"]) == (True, "built_by_desk")
    message = chart.closes(5352)
    assert message["bricks"]
    said = sends(desk, message)
    assert (said["ignored"], said["applied"]) == ("built_by_desk", len(message["bricks"]))
    assert desk.operator().asset()["high_renko_color"] == "green"
    again = sends(desk, message)
    assert again["applied"] == 0


def test_a_kill_forgets_no_bar_and_the_next_one_opens_the_gate(desk: DeskProcess) -> None:
    chart = settled(desk)
    before = feed_of(desk)["streams"]
    desk.kill()
    desk.start()
    after = feed_of(desk)
    assert [(row["lo"], row["hi"], row["to_settle"]) for row in after["streams"]] == [
        (row["lo"], row["hi"], row["to_settle"]) for row in before
    ]
    assert [fault["kind"] for fault in after["faults"]] == ["restart"]
    sends(desk, chart.closes(5340))
    assert feed_of(desk)["whole"]


def test_ticks_take_over_and_are_not_certain_yet(desk: DeskProcess) -> None:
    settled(desk)
    contract = desk.operator().asset()["contract"]
    now = datetime.now(UTC).isoformat()
    ticks = [{"ts": now, "price": price, "seq": seq} for seq, price in enumerate((5340, 5341, 5302), start=1)]
    body = {"symbol": contract, "ticks": ticks, "instance": "a bridge"}
    answer = desk.bridge().post("/api/bridge/ticks", json=body)
    assert (answer.status_code, answer.json()["taken"]) == (200, 3)
    asset = desk.operator().asset()
    assert (asset["last_price"], asset["high_renko_color"]) == (5302, "red")
    assert (asset["feed"]["source"], asset["feed"]["whole"]) == ("ticks", False)
    assert {row["size"]: row["to_settle"] for row in asset["feed"]["streams"]}[12] == 1
    assert asset["zone_type"] == "NONE"
    repeated = desk.bridge().post("/api/bridge/ticks", json=body).json()
    assert (repeated["taken"], repeated["repeated"]) == (0, 3)
