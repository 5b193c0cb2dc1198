"""A real advisor decides upon real stored bars by itself: once, also when it is killed in between."""

from __future__ import annotations

import time
from contextlib import closing
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import requests

from advisor.auto.store import AutoStore, Configured
from feeds.bars.types import Bar
from tests.advisor.auto.floor import QUARTER
from tests.advisor.auto.second_book import second
from tests.support.advisor_floor import AdvisorFloor, AdvisorProcess
from tests.support.desk_process import SERVICE_SECRET, eventually
from wire.auto_trade import AutoTradeConfig

LEFT_SECONDS = 30
"""So much of a bar must be left, so that the next one does not end within the test."""


def quarter_with_time_left() -> int:
    """Return when the last bar ended, of which the next one does not end soon."""
    left = QUARTER - time.time() % QUARTER
    if left < LEFT_SECONDS:
        time.sleep(left + 1)
    return int(time.time()) // QUARTER * QUARTER


def minutes_until(end: int) -> list[Bar]:
    price = Decimal(50_000)
    starts = range(end - 20 * QUARTER, end, 60)
    return [Bar("BTCUSD", t, price, price + 5, price - 5, price, Decimal(1), "provider") for t in starts]


def switched_on(advisor: AdvisorProcess) -> None:
    """Store a configuration as one that is long in force: no test waits for the end of a bar."""
    config = AutoTradeConfig(
        enabled=True,
        symbols=("BTCUSD",),
        max_risk_per_trade=Decimal("0.01"),
        max_daily_trades=5,
        min_confidence=Decimal("0.5"),
        paper_trading=True,
        require_confirmation=False,
    )
    with closing(AutoStore(advisor.database)) as store:
        store.configure(Configured(config, 0))


def decisions(advisor: AdvisorProcess) -> list[dict[str, Any]]:
    url = f"http://127.0.0.1:{advisor.agent_port}/api/v1/auto-trade/decisions"
    answer = requests.get(url, headers={"X-Service-Secret": SERVICE_SECRET}, timeout=30)
    assert answer.status_code == 200, answer.text
    found: list[dict[str, Any]] = answer.json()["decisions"]
    return found


@pytest.mark.processes
def test_a_running_advisor_decides_upon_the_newest_bar_once(tmp_path: Path) -> None:
    with AdvisorFloor(tmp_path) as floor:
        end = quarter_with_time_left()
        floor.stores(minutes_until(end))
        switched_on(floor.advisor)
        [decision] = eventually(lambda: decisions(floor.advisor))
        assert second(decision["bar_start"]) == end - QUARTER
        assert (decision["symbol"], decision["action"], decision["executed"]) == ("BTCUSD", "HOLD", False)
        seen = second(decision["timestamp"]) - end
        assert decision["reason"] == ("late_bar" if seen > 60 else "not_trained")
        floor.advisor.kill()
        floor.advisor.start()
        eventually(lambda: floor.advisor.health()["feeds"])
        time.sleep(2.5)  # it has looked twice
        assert decisions(floor.advisor) == [decision]
