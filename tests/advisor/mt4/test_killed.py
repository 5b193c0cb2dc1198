"""``kill -9`` under paper orders: each named order exists exactly once, whatever its sender heard."""

from __future__ import annotations

import threading
from contextlib import suppress
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import requests

from tests.advisor.mt4.whole_floor import DATA_BASE, SECRET, Mt4Floor
from tests.support.desk_process import PATIENCE_SECONDS
from tests.support.fakes.metaapi import MetaApiServer

pytestmark = [pytest.mark.processes, pytest.mark.soak]
KILLS, ORDERS = 5, 12


def sends(url: str, name: str) -> dict[str, Any] | None:
    """Send a named order; None when no answer came."""
    body = {"symbol": "EURUSD", "action": "BUY", "volume": 0.01}
    with suppress(requests.RequestException):
        answer = requests.post(url, json=body, headers={**SECRET, "Idempotency-Key": name}, timeout=PATIENCE_SECONDS)
        if answer.status_code == 200:
            told: dict[str, Any] = answer.json()
            return told
    return None


def test_each_named_order_exists_exactly_once(tmp_path: Path) -> None:
    with MetaApiServer() as meta, Mt4Floor(tmp_path, meta) as floor:
        floor.prices("1.10000")
        floor.connects_mt4()
        url = f"{floor.agent_url}{DATA_BASE}/trade"
        heard: dict[str, dict[str, Any] | None] = {}
        for kill in range(KILLS):
            names = [f"{kill}-{number}" for number in range(ORDERS)]
            senders = [
                threading.Thread(target=lambda name=name: heard.update({name: sends(url, name)})) for name in names
            ]
            for sender in senders:
                sender.start()
            senders[kill].join()
            floor.advisor.kill()
            for sender in senders:
                sender.join()
            floor.prices("1.10000")
            floor.starts_the_advisor()
        assert None in heard.values()  # some were lost on the way
        again = {name: sends(url, name) for name in heard}
        assert all(again[name] == told for name, told in heard.items() if told is not None)
        positions = floor.agent("GET", "/positions").json()["positions"]
        assert sorted(one["id"] for one in positions) == sorted(
            str(told["order_id"]) for told in again.values() if told
        )
        assert len(positions) == KILLS * ORDERS
        assert sum(Decimal(str(one["volume"])) for one in positions) == Decimal("0.6")
