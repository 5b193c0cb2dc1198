"""What the pictures of the advisor are taken of: a real advisor, and hours of a market whose width has hours, too."""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from feeds.bars.store import BarStore
from feeds.bars.types import Bar
from tests.browser.live_desk import LiveDesk
from tests.support.advisor_floor import HOUR, AdvisorProcess, hourly, the_hour
from tests.support.feeds_process import FeedsProcess

DAYS = 90
BUSY_HOURS = range(13, 20)  # UTC: New York's day
MODEL_WORDS = ("train", "ES", "--timeframe", "1h")


def hours_of_a_market(ends: int, last: float, seed: int = 11) -> list[Bar]:
    """Return the minutes of a walk of hours that ends at ``last``; by day it is three times as wide as by night."""
    dice, price = random.Random(seed), last
    bars: list[Bar] = []
    for back in range(1, DAYS * 24):
        start = ends - back * HOUR
        width = 9.0 if start // HOUR % 24 in BUSY_HOURS else 3.0
        opened = price + dice.gauss(0, width)
        high = max(opened, price) + abs(dice.gauss(0, width / 3))
        low = min(opened, price) - abs(dice.gauss(0, width / 3))
        bars += reversed(hourly("ES", start, (on_grid(opened), on_grid(high), on_grid(low), on_grid(price))))
        price = opened
    return bars[::-1]


def on_grid(price: float) -> float:
    return round(price * 4) / 4


@contextmanager
def advised(desk: LiveDesk, folder: Path, last: float) -> Iterator[None]:
    """Run the desk with feeds and an advisor beside it, and a model of ES, 1h."""
    feeds = FeedsProcess(desk, folder / "feeds", ("market",))
    advisor = AdvisorProcess(folder / "advisor", feeds.url(), desk.url)
    agent = f"http://127.0.0.1:{advisor.agent_port}"
    desk.settings |= {"FEEDS_URL": feeds.url(), "ADVISOR_URL": advisor.url(), "AGENT_URL": agent}
    with desk, feeds, advisor:
        with closing(BarStore(folder / "feeds" / "bars.sqlite")) as store:
            store.put(hours_of_a_market(the_hour(), last))
        trained = advisor.runs(*MODEL_WORDS)
        assert trained.returncode == 0, trained.stdout
        advisor.serves(advisor.card("ES", "1h")["id"])
        yield
