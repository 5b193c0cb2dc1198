"""Ticks on their way from a broker's market to the desk: in bundles, bounded, and never in anybody's way."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal

import pytest

from bridge.client import DeskClient, DeskUnavailable
from bridge.ticks import MOST_AT_ONCE, NOT_ASKED_FOR_SECONDS, TICKS_QUEUED, TickSender
from tests.support.fakes.desk_server import SECRET, DeskServer
from wire.bridge import Quote


class Hand:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def desk() -> Iterator[DeskServer]:
    with DeskServer() as desk:
        yield desk


def sender_to(desk: DeskServer, clock: Hand | None = None) -> TickSender:
    return TickSender(DeskClient(desk.url, SECRET, "bridge"), "run-1", None, clock or Hand())


def quote(price: int, symbol: str = "MESZ6") -> Quote:
    return Quote(symbol, Decimal(price), datetime.now(UTC))


def test_each_contract_has_a_bundle_and_every_tick_a_number(desk: DeskServer) -> None:
    sender = sender_to(desk)
    assert not sender.run()
    for price, symbol in ((5250, "MESZ6"), (18000, "MNQZ6"), (5251, "MESZ6")):
        sender.add(quote(price, symbol))
    assert sender.run()
    told = {body["symbol"]: [(tick["price"], tick["seq"]) for tick in body["ticks"]] for body in desk.ticks}
    assert told == {"MESZ6": [(5250, 1), (5251, 3)], "MNQZ6": [(18000, 2)]}
    assert {body["instance"] for body in desk.ticks} == {"run-1"}
    assert all("simulated" not in body for body in desk.ticks)


def test_a_market_that_is_faster_than_the_desk_loses_its_oldest_ticks(desk: DeskServer) -> None:
    sender = sender_to(desk)
    for price in range(1, TICKS_QUEUED + 101):
        sender.add(quote(price))
    bundles = 0
    while sender.run():
        bundles += 1
    assert (bundles, {len(body["ticks"]) for body in desk.ticks}) == (TICKS_QUEUED // MOST_AT_ONCE, {MOST_AT_ONCE})
    assert desk.ticks[0]["ticks"][0]["seq"] == 101


def test_a_desk_of_before_is_asked_again_after_a_while(desk: DeskServer) -> None:
    clock = Hand()
    sender = sender_to(desk, clock)
    desk.takes_ticks = False
    for price in (5250, 5251):
        sender.add(quote(price))
        assert sender.run()
    assert desk.asked_for_ticks == 1
    desk.takes_ticks = True
    clock.now += NOT_ASKED_FOR_SECONDS
    sender.add(quote(5252))
    sender.run()
    assert [tick["price"] for tick in desk.ticks[0]["ticks"]] == [5252]


def test_ticks_of_an_outage_are_lost_and_not_told_late(desk: DeskServer) -> None:
    sender = sender_to(desk)
    sender.add(quote(5250))
    desk.goes_away()
    with pytest.raises(DeskUnavailable):
        sender.run()
    with desk.comes_back() as back:
        sender.add(quote(5251))
        sender.run()
        assert [tick["price"] for body in back.ticks for tick in body["ticks"]] == [5251]


def test_the_bundle_after_a_lost_one_says_that_ticks_are_missing(desk: DeskServer) -> None:
    """Where the desk builds bricks of ticks, one that it never saw may have closed a brick."""
    sender = sender_to(desk)
    sender.add(quote(5250))
    sender.run()
    assert "gap" not in desk.ticks[0]
    desk.goes_away()
    for symbol in ("MESZ6", "MNQZ6"):
        sender.add(quote(5251, symbol))
    with pytest.raises(DeskUnavailable):
        sender.run()
    with desk.comes_back() as back:
        for price in (5252, 5253):
            for symbol in ("MESZ6", "MNQZ6", "MYMZ6"):
                sender.add(quote(price, symbol))
            sender.run()
        gaps = [(body["symbol"], body.get("gap", False)) for body in back.ticks]
    assert gaps[:3] == [("MESZ6", True), ("MNQZ6", True), ("MYMZ6", False)]
    assert [gap for _, gap in gaps[3:]] == [False, False, False]


def test_a_queue_that_overflows_is_a_gap(desk: DeskServer) -> None:
    sender = sender_to(desk)
    for price in range(TICKS_QUEUED + 1):
        sender.add(quote(price))
    sender.run()
    assert desk.ticks[0]["gap"] is True
