"""The tape's ticks: beside its webhooks, marked as simulated, and never in their way."""

from __future__ import annotations

import json
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from tape import ticks
from tape.player import TapeSettings, play
from tape.ticks import MOST_AT_ONCE, TICKS_QUEUED, TickSender
from tests.live.test_stream import Ear
from tests.support.desk_process import BRIDGE_SECRET, SERVICE_SECRET, TV_SECRET, DeskProcess, eventually
from tests.tape.test_player import settings, tape
from tests.tape.test_webhooks import DROP, Desk


@pytest.fixture
def desk() -> Iterator[Desk]:
    desk = Desk()
    yield desk
    desk.close()


def ticks_of(desk: Desk) -> list[dict[str, Any]]:
    return [tick for path, body in desk.taken if path == ticks.PATH for tick in body["ticks"]]


def test_every_price_is_a_tick_and_what_was_queued_at_the_end_is_sent(desk: Desk) -> None:
    play(tape("5000", "5000.25", "5000.5"), settings(desk, bridge_secret="bridge-secret"))
    assert [(tick["price"], tick["seq"]) for tick in ticks_of(desk)] == [(5000, 1), (5000.25, 2), (5000.5, 3)]
    (body, *_) = [body for path, body in desk.taken if path == ticks.PATH]
    assert (body["symbol"], body["instance"], body["simulated"]) == ("ES", "run1", True)
    assert "bridge-secret" not in json.dumps(desk.taken)


def test_without_the_bridges_secret_none_are_sent(desk: Desk) -> None:
    play(tape("5000", "5001"), settings(desk))
    assert {path for path, _ in desk.tries} == {"/tv_heartbeat", "/tv_renko_small"}


@pytest.mark.parametrize("answer", [404, 401, 400])
def test_a_desk_that_refuses_them_is_not_asked_on(desk: Desk, answer: int) -> None:
    said: list[str] = []
    sender = TickSender(desk.url, "bridge-secret", "ES", "run1", said.append)
    desk.answers = [answer]
    for _ in range(3):
        sender.add(Decimal(5000))
        sender.send_queued()
    assert (len(desk.tries), len(said)) == (1, 1)
    assert "The tape goes on." in said[0]


@pytest.mark.parametrize("trouble", [DROP, 503])
def test_what_the_desk_does_not_take_is_lost_and_the_next_is_sent(desk: Desk, trouble: int | str) -> None:
    sender = TickSender(desk.url, "bridge-secret", "ES", "run1", lambda _: None)
    desk.answers = [trouble]
    for price in (5000, 5001, 5002):
        sender.add(Decimal(price))
        sender.send_queued()
    assert [tick["price"] for tick in ticks_of(desk)] == [5001, 5002]
    assert [body.get("gap", False) for path, body in desk.taken if path == ticks.PATH] == [True, False]


def test_a_tape_that_is_faster_than_the_desk_loses_its_oldest_ticks(desk: Desk) -> None:
    sender = TickSender(desk.url, "bridge-secret", "ES", "run1", lambda _: None)
    for price in range(TICKS_QUEUED + 50):
        sender.add(Decimal(price))
    sender.send_queued()
    assert [tick["seq"] for tick in ticks_of(desk)] == list(range(51, 51 + MOST_AT_ONCE))


@pytest.mark.processes
def test_a_simulated_market_is_heard_by_a_service_as_ticks(tmp_path: Path) -> None:
    with DeskProcess(tmp_path) as desk:
        caller = desk.stranger()
        caller.headers["X-Service-Secret"] = SERVICE_SECRET
        ear = Ear(caller)
        ear.hears("state")
        chosen = settings_of(desk, source="simulated", bridge_secret=BRIDGE_SECRET)
        play(tape("5000", "5000.25", "5000.5"), chosen)
        eventually(lambda: len([quote for quote in quotes(ear) if quote["source"] == "ticks"]) == 3)
        ear.close()
        told = [(quote["price"], quote["simulated"]) for quote in quotes(ear) if quote["source"] == "ticks"]
        assert told == [(5000, True), (5000.25, True), (5000.5, True)]
        contract = desk.operator().state()["assets"]["ES"]["contract"]
        assert {quote["symbol"] for quote in quotes(ear)} == {contract}


def quotes(ear: Ear) -> list[dict[str, Any]]:
    return [event.body for event in ear.of("quote")]


def settings_of(desk: DeskProcess, **changes: Any) -> TapeSettings:
    plain: dict[str, Any] = {
        "asset": "ES",
        "url": f"http://127.0.0.1:{desk.port}",
        "secret": TV_SECRET,
        "run_id": "run1",
        "speed": 0.0,
    }
    return TapeSettings(**{**plain, **changes})
