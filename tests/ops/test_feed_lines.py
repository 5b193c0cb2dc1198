"""Every line that the set-up page offers for a shell works as printed, against real feeds."""

import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest

from routes.pages.feed_rows import FEEDS, FeedRow, Sample, feed_rows
from services.ops.feeds_watch import FeedsWatch
from tests.ops.test_feeds_behind_proxies import key_of
from tests.support.desk_process import QUICK, DeskProcess, eventually
from tests.support.feeds_process import PORT_SETTINGS, FeedsProcess
from tests.support.paths import REPOSITORY
from wire.feeds_answer import FeedsAnswer

LINES = [(row, sample) for row in FEEDS for sample in row.samples]
NOT_ASKED = FeedsAnswer(state="unknown", reason=None, since=None, asked_at=None, url=None, health=None)


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DeskProcess]:
    with DeskProcess(tmp_path_factory.mktemp("desk"), **QUICK) as desk:
        for size in (8, 12, 6):
            desk.tradingview().brick(size, "green")
        desk.tradingview().heartbeat(5250.25)
        yield desk


@pytest.fixture(scope="module")
def feeds(desk: DeskProcess, tmp_path_factory: pytest.TempPathFactory) -> Iterator[FeedsProcess]:
    with FeedsProcess(desk, tmp_path_factory.mktemp("feeds"), on=tuple(PORT_SETTINGS)) as feeds:
        yield feeds.hears_web()


@contextmanager
def typed(line: str, folder: Path) -> Iterator[Path]:
    """Run a line as in a terminal that stays open; give the file with what it printed."""
    line = line.replace(".venv/bin/python", shlex.quote(sys.executable))
    heard = folder / "heard"
    with heard.open("wb") as out:
        shell = subprocess.Popen(
            ["sh", "-c", f"exec env {line}"], cwd=REPOSITORY, env=dict(os.environ), stdin=subprocess.PIPE, stdout=out
        )
    try:
        yield heard
    finally:
        shell.kill()
        shell.wait(60)


@pytest.mark.processes
@pytest.mark.parametrize(("row", "sample"), LINES, ids=lambda part: getattr(part, "name", None) or part.shows[:20])
def test_a_line_works_as_printed(
    desk: DeskProcess, feeds: FeedsProcess, tmp_path: Path, row: FeedRow, sample: Sample
) -> None:
    line = sample.line.replace("PORT", str(feeds.ports[row.name])).replace("ASSET", "ES")
    line = line.replace("YOUR_API_KEY", key_of(desk, "ws:connect", "prices:read", "states:read", "alerts:read"))
    with typed(line, tmp_path) as heard:
        if row.name == "signals":
            eventually(lambda: "Connected" in heard.read_text())
            desk.bridge().fills(desk.operator().enters_when_the_candle_allows(), 5250.25)
            eventually(lambda: "STRATEGY_SIGNAL" in heard.read_text())
        elif "examples/" in line:
            eventually(lambda: "listening to quotes" in heard.read_text())
            desk.tradingview().heartbeat(5250.75)
            eventually(lambda: re.search(r"ES +5250\.75  volume unknown", heard.read_text()))
        elif "format=csv" in line:
            eventually(lambda: heard.read_text().startswith("symbol,entry,target,stop_loss"))
        else:
            eventually(lambda: re.search(r"[\[{]\"|\[\]", heard.read_text()))
            assert '"error"' not in heard.read_text()


def test_behind_a_proxy_the_market_feed_alone_has_the_desks_address() -> None:
    market, *others = feed_rows("https://desk.example.com", "NQ", NOT_ASKED)
    assert market.address == "wss://desk.example.com/ws/market/v1"
    assert all("//desk.example.com/" in sample.line and "127.0.0.1" not in sample.line for sample in market.samples)
    assert market.samples[0].line.endswith(" NQ --url wss://desk.example.com/ws/market/v1")
    assert all("127.0.0.1:PORT" in row.address for row in others)


@pytest.mark.processes
def test_the_page_has_the_ports_that_feeds_has(desk: DeskProcess, feeds: FeedsProcess) -> None:
    writer = desk.operator().state()["global"]["writer"]
    watch = FeedsWatch(feeds.url(), lambda: datetime.now(UTC), lambda: writer)
    answer = eventually(lambda: (seen := watch.look()).health and seen)
    assert {row.name: row.port for row in feed_rows(None, "ES", answer)} == feeds.ports
