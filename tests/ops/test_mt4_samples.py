"""The thread that samples the MT4 account: it asks with the secret, keeps what it hears, and outlasts every fault."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import msgspec

from services.ops.advisor_calls import Addresses
from services.ops.mt4_samples import Mt4Samples
from services.portfolio.mt4 import STATUS_PATH
from services.portfolio.mt4_course import mt4_days
from tests.support.advisor_stand_in import AdvisorStandIn, advisor
from tests.support.desk_process import SERVICE_SECRET, eventually
from tests.support.feeds_stand_in import http
from tests.support.stored_trader import StoredTrader

ACCOUNT = {"id": "paper-1", "equity": 10_050.0, "currency": "USD", "real": False, "kind": "paper"}
STATUS = http(msgspec.json.encode({"connected": True, "account": ACCOUNT}))


@contextmanager
def sampling(trader: StoredTrader, url: str) -> Iterator[None]:
    samples = Mt4Samples(trader.manager, Addresses(None, url, SERVICE_SECRET), every_seconds=0.02)
    try:
        yield
    finally:
        samples.stop()


def equities(trader: StoredTrader) -> list[float]:
    days = mt4_days(trader.manager.store, trader.now, trader.now + timedelta(days=1))
    return [float(sample.equity) for day in days for sample in day.samples]


def test_it_samples_once_in_five_minutes_and_after_every_fault(tmp_path: Path) -> None:
    trader = StoredTrader(tmp_path / "desk.sqlite")
    with advisor() as program:
        _answers(program, http(b"<html>"), trader)
        assert equities(trader) == []
        with sampling(trader, program.url):
            program.says[STATUS_PATH] = STATUS
            eventually(lambda: equities(trader) == [10_050])
            heard = len(program.heard)
            eventually(lambda: len(program.heard) > heard + 2)
            assert equities(trader) == [10_050]
            trader.later(seconds=301)
            eventually(lambda: equities(trader) == [10_050, 10_050])
        assert {one.headers.get("x-service-secret") for one in program.heard} == {SERVICE_SECRET}
    trader.stops()


def _answers(program: AdvisorStandIn, said: bytes, trader: StoredTrader) -> None:
    """Let the program answer this to three questions."""
    program.says[STATUS_PATH] = said
    with sampling(trader, program.url):
        eventually(lambda: len(program.heard) > 2)
