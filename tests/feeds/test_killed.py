"""Web and feeds are killed again and again while the desk trades: every fact, fill and alert is there once."""

from __future__ import annotations

import json
import random
import threading
import time
from collections import Counter
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
import requests

from tests.support.desk_process import QUICK, DeskProcess, closing_connection, eventually
from tests.support.market_floor import CONTRACT
from tests.support.probed_feeds import ProbedFeeds, committed, trade

pytestmark = pytest.mark.processes
KILLS = 2
KILLS_OF_THE_SOAK = 20


class Trading:
    """Fills, bricks and ticks without an end, over every outage of the desk."""

    def __init__(self, desk: DeskProcess, seed: int) -> None:
        self._desk = desk
        self._random = random.Random(seed)
        self._stop = threading.Event()
        self._sequence = 0
        self._price = 5250.0
        self._color = "red"
        self.rounds = 0
        self._threads = [
            threading.Thread(target=self._repeat, args=(act,)) for act in (self._trades, self._ticks, self._bricks)
        ]

    def __enter__(self) -> Trading:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join(90)

    def _repeat(self, act: object) -> None:
        assert callable(act)
        while not self._stop.is_set():
            with suppress(requests.RequestException, AssertionError, KeyError, ValueError):  # the desk was killed
                act()
            self._stop.wait(0.05)

    def _trades(self) -> None:
        self._settles_what_a_kill_left()
        trade(self._desk)
        self.rounds += 1

    def _bricks(self) -> None:
        """Turn the whole stack of NQ: all of its sizes break in one direction."""
        self._color = "red" if self._color == "green" else "green"
        alerts = self._desk.tradingview()
        for size in (1, 2.5, 4, 6, 8, 12):
            alerts.brick(size, self._color, asset="NQ")
        self._stop.wait(1.0)

    def _settles_what_a_kill_left(self) -> None:
        """Fill every open order, and be flat: an order that was cut short would let no other one in."""
        operator, bridge = self._desk.operator(), self._desk.bridge()
        for _ in range(2):
            bridge.claims()
            for row in operator.state()["orders"]:
                bridge.reports(row["id"], "FILLED", fill_price=5250.0, qty=row["qty"])
            operator.post("/api/exit-all", json={"force": True})
        bridge.snapshots(**{CONTRACT: operator.asset()["position"]})

    def _ticks(self) -> None:
        rows = []
        for _ in range(5):
            self._sequence += 1
            self._price = round(self._price + self._random.choice((-0.75, -0.5, -0.25, 0.25, 0.5, 0.75)), 2)
            ts = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
            rows.append({"ts": ts, "price": self._price, "seq": self._sequence, "size": 1})
        self._desk.bridge().post("/api/bridge/ticks", json={"symbol": CONTRACT, "ticks": rows})


def killed_under_trading(folder: Path, kills: int, seed: int, pause: float) -> None:
    """Kill web and feeds so often each, at moments by chance, and hold what feeds have against what the desk has."""
    chance = random.Random(seed)
    with DeskProcess(folder / "desk", **QUICK) as desk, ProbedFeeds(desk, folder / "feeds", ("market",)) as feeds:
        feeds.hears_web()
        with Trading(desk, seed) as trading:
            eventually(lambda: trading.rounds)
            for process in chance.sample([desk, feeds] * kills, 2 * kills):
                time.sleep(chance.uniform(0, pause))
                process.kill()
                process.start()
            done = trading.rounds
            eventually(lambda: trading.rounds > done)
            eventually(lambda: told(feeds, "simultaneous_break"))  # a machine that starts them fast has traded little
        expected = committed(desk)
        eventually(lambda: len(feeds.heard()) >= len(expected))
        assert feeds.heard() == expected
        check_alerts(feeds)


def told(feeds: ProbedFeeds, kind: str) -> list[dict[str, Any]]:
    """Return the alerts of one kind in the order in which they were told."""
    with closing_connection(feeds.database) as connection:
        rows = connection.execute("SELECT body FROM alerts WHERE kind = ? ORDER BY id", (kind,)).fetchall()
    return [json.loads(body) for (body,) in rows]


def check_alerts(feeds: ProbedFeeds) -> None:
    """Each alert was told once, under an id of its own, and bricks made some."""
    in_force, breaks = told(feeds, "in_force"), told(feeds, "simultaneous_break")
    named = Counter((one["symbol"], one["timeframe"], one["candle_start"], one["direction"]) for one in in_force)
    named += Counter((one["cohort"], one["members"][0]["symbol"], one["direction"], one["at"]) for one in breaks)
    assert [key for key, number in named.items() if number > 1] == []
    assert breaks


def test_every_fact_is_heard_once_over_kills_of_both(tmp_path: Path) -> None:
    killed_under_trading(tmp_path, KILLS, seed=1, pause=1.0)


@pytest.mark.soak
@pytest.mark.parametrize("seed", range(3))
def test_every_fact_is_heard_once_over_twenty_kills_of_each(tmp_path: Path, seed: int) -> None:
    killed_under_trading(tmp_path, KILLS_OF_THE_SOAK, seed, pause=4.0)
