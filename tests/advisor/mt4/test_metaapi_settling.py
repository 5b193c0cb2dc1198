"""Closings that nobody knows of: found later, told once, shown while they are open, and never a second part."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from advisor.mt4 import metaapi_settling
from advisor.mt4.metaapi_lookup import LookUps
from advisor.mt4.sent import UNTOLD_FOR
from tests.advisor.mt4.meta_floor import MetaFloor
from tests.support.fakes.metaapi import ACCOUNT, MetaApiServer, Planned
from tests.support.fakes.metaapi_models import deal, error
from wire.mt4 import CloseAnswer

PART = Decimal("0.05")
SEEN_BY_THE_NEXT_CALL = 6
"""Readings after which it is shown: those of the closing's own look-ups find nothing."""

NEVER_SHOWN = 1_000


@pytest.fixture
def floor(tmp_path: Path) -> Iterator[MetaFloor]:
    with MetaApiServer() as server:
        floor = MetaFloor(tmp_path, server)
        yield floor
        floor.close()


def unknown_part(floor: MetaFloor, shown_after: int = NEVER_SHOWN, name: str | None = None, **plan: Any) -> str:
    """Close a part of 0.10 that nobody hears of, and return the ticket."""
    ticket = floor.server.holds(0.1)
    floor.server.plans(Planned(-7, executes=plan.get("executes", True), shown_after=shown_after))
    assert floor.code(floor.account.close(ticket, PART, name)) == ("unknown_outcome", "ERR_TRADE_TIMED_OUT")
    return ticket


def held(floor: MetaFloor) -> list[float]:
    return [one["volume"] for one in floor.server.positions]


# -- the call that comes again ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("renumbers", [False, True])
def test_the_call_that_is_sent_again_is_answered_as_the_first(floor: MetaFloor, *, renumbers: bool) -> None:
    floor.server.renumbers = renumbers
    ticket = unknown_part(floor, SEEN_BY_THE_NEXT_CALL)
    again: CloseAnswer | None = None
    while again is None:
        try:
            again = floor.runs(floor.account.close(ticket, PART))
        except Exception as refused:  # noqa: BLE001 - looked at below
            assert getattr(refused, "reason", None) == "close_unknown"  # noqa: PT017
    assert (again.closed_volume, again.remaining_volume) == (PART, PART)
    assert (len(floor.server.trades), held(floor)) == (1, [0.05])


def test_another_volume_or_another_name_is_told_to_look_and_closes_nothing(floor: MetaFloor) -> None:
    for volume, name in ((Decimal("0.02"), None), (PART, "another")):
        ticket = unknown_part(floor)
        floor.server.positions[-1]["volume"] = 0.05  # it came after all
        sent = len(floor.server.trades)
        assert floor.code(floor.account.close(ticket, volume, name)) == ("trade_refused", "closed_meanwhile")
        assert len(floor.server.trades) == sent
        assert floor.runs(floor.account.close(ticket, Decimal("0.01"), name)).success  # a new wish


def test_what_somebody_else_saw_first_is_still_told_to_who_asked(
    floor: MetaFloor, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A page that polls ends the doubt; the caller of the lost answer comes later, and asks for no second part."""
    ticket = unknown_part(floor, SEEN_BY_THE_NEXT_CALL)
    for _ in range(8):
        floor.runs(floor.account.positions())
    assert floor.account.unknown() == ()
    assert floor.runs(floor.account.close(ticket, PART)).remaining_volume == PART
    assert len(floor.server.trades) == 1
    assert floor.runs(floor.account.close(ticket, PART)).remaining_volume == 0  # told once
    assert len(floor.server.trades) == 2
    ticket = unknown_part(floor, SEEN_BY_THE_NEXT_CALL)
    for _ in range(8):
        floor.runs(floor.account.positions())
    late = datetime.now(UTC) + UNTOLD_FOR + timedelta(seconds=1)
    monkeypatch.setattr(floor.sent, "_clock", lambda: late)
    assert floor.runs(floor.account.close(ticket, PART)).remaining_volume == 0  # nobody asks again so late


# -- names -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("volume", [None, PART])
def test_a_name_is_answered_once_the_account_shows_what_became_of_it(floor: MetaFloor, volume: Decimal | None) -> None:
    ticket = floor.server.holds(0.1)
    floor.server.plans(Planned(-7, executes=True, shown_after=8))
    assert floor.code(floor.account.close(ticket, volume, "mine"))[0] == "unknown_outcome"
    assert floor.code(floor.account.close(ticket, volume, "mine")) == ("unknown_outcome", "sent_before")
    for _ in range(4):
        floor.runs(floor.account.positions())
    told = floor.runs(floor.account.close(ticket, volume, "mine"))
    assert (told.closed_volume, told.remaining_volume) == ((Decimal("0.1"), 0) if volume is None else (PART, PART))
    again = floor.connected_anew()
    assert floor.runs(again.close(ticket, volume, "mine")) == told
    assert len(floor.server.trades) == 1


def test_a_name_is_of_one_closing_at_one_account(floor: MetaFloor, tmp_path: Path) -> None:
    ticket = floor.server.holds(0.3)
    floor.runs(floor.account.close(ticket, PART, "mine"))
    assert floor.code(floor.account.close(ticket, None, "mine")) == ("trade_refused", "key_reused")
    assert floor.code(floor.account.close("5", PART, "mine")) == ("trade_refused", "key_reused")
    other = MetaFloor(tmp_path, floor.server, account="another-account")
    assert other.code(other.account.close(ticket, PART, "mine")) == ("trade_refused", "key_reused")
    assert len(floor.server.trades) == 1
    other.close()


def test_what_nobody_knows_of_one_account_is_nothing_of_another(floor: MetaFloor, tmp_path: Path) -> None:
    ticket = unknown_part(floor)
    assert len(floor.sent.open_parts(ACCOUNT, ticket)) == 1
    assert floor.sent.open_parts("another-account", ticket) == []
    other = MetaFloor(tmp_path, floor.server, account="another-account")
    assert other.account.unknown() == ()
    other.close()


# -- looked up while it is connected ---------------------------------------------------------------------------------


def test_a_connected_account_looks_by_itself_and_says_what_is_open(
    floor: MetaFloor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(metaapi_settling, "FIRST_SECONDS", 0.02)
    ticket = unknown_part(floor, NEVER_SHOWN, executes=False)
    [open_one] = floor.account.unknown() or ()
    assert (open_one.position_id, open_one.volume) == (ticket, PART)
    client_id = floor.server.trades[0]["clientId"]
    told = {"volume": 0.05, "clientId": client_id}

    async def looks() -> None:
        await floor.account.connect()
        floor.server.positions.clear()
        floor.server.deals.append(deal("9", "DEAL_TYPE_SELL", "DEAL_ENTRY_OUT", told, ticket))
        while floor.account.unknown() != ():
            await asyncio.sleep(0.01)

    floor.runs(looks())
    assert floor.runs(floor.account.close(ticket, PART)).remaining_volume == PART
    assert len(floor.server.trades) == 1


def test_readings_ask_for_a_look_only_now_and_then_and_never_wait_for_it(tmp_path: Path) -> None:
    with MetaApiServer() as server:
        floor = MetaFloor(tmp_path, server, look_ups=LookUps(1, 0.0, 30.0))

        async def looks() -> None:
            await floor.account.connect()
            await asyncio.sleep(0)
            ticket = server.holds(0.1)
            server.plans(Planned(-7, executes=False))
            with pytest.raises(Exception, match="nobody knows"):
                await floor.account.close(ticket, PART)
            before = len(histories(server))
            for _ in range(5):
                await floor.account.positions()
                await floor.account.status()
                await asyncio.sleep(0.02)
            while len(histories(server)) == before:
                await asyncio.sleep(0.01)
            for _ in range(5):
                await floor.account.positions()
                await asyncio.sleep(0.02)
            assert len(histories(server)) == before + 1

        floor.runs(looks())
        floor.close()


def histories(server: MetaApiServer) -> list[str]:
    return [path for _, path in server.asked if "/history-deals/" in path]


def test_who_asks_again_and_again_is_not_looked_up_each_time(tmp_path: Path) -> None:
    with MetaApiServer() as server:
        floor = MetaFloor(tmp_path, server, look_ups=LookUps(1, 0.0, 30.0))
        ticket = unknown_part(floor, executes=False, name="mine")
        before = len(histories(server))
        for _ in range(3):
            assert floor.code(floor.account.close(ticket, PART, "mine")) == ("unknown_outcome", "sent_before")
            assert floor.code(floor.account.close(ticket, PART)) == ("unknown_outcome", "close_unknown")
        assert len(histories(server)) == before + 1
        floor.close()


def test_nothing_is_looked_up_while_metaapi_is_asked_too_often(floor: MetaFloor) -> None:
    ticket = unknown_part(floor, NEVER_SHOWN)
    floor.server.failing.append((429, {"Retry-After": "60"}, error("TooManyRequestsError", "slow down")))
    assert floor.code(floor.account.positions())[0] == "rate_limit_exceeded"
    so_far = len(floor.server.asked)
    assert floor.code(floor.account.close(ticket, PART)) == ("unknown_outcome", "close_unknown")
    assert len(floor.server.asked) == so_far


def test_a_fill_of_another_hand_is_not_ours_and_an_older_one_neither(floor: MetaFloor) -> None:
    ticket = unknown_part(floor, NEVER_SHOWN, executes=False)
    floor.server.deals.append(deal("9", "DEAL_TYPE_SELL", "DEAL_ENTRY_OUT", {"volume": 0.05, "clientId": "x"}, ticket))
    assert floor.code(floor.account.close(ticket, PART)) == ("unknown_outcome", "close_unknown")
    floor.runs(floor.account.deals(10))
    assert len(floor.account.unknown() or ()) == 1


# -- a doubt has an end ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("days", "is_held", "is_readable", "fill", "ends"),
    [
        (1.01, True, True, None, True),
        (0.99, True, True, None, False),
        (1.01, False, True, None, False),
        (1.01, True, False, None, False),
        (1.01, True, True, {"volume": 0.05}, False),
        (31, True, True, None, False),
    ],
)
def test_a_day_later_what_is_not_seen_anywhere_was_not_done(
    floor: MetaFloor,
    monkeypatch: pytest.MonkeyPatch,
    days: float,
    is_held: bool,
    is_readable: bool,
    fill: dict[str, Any] | None,
    ends: bool,
) -> None:
    ticket = unknown_part(floor, executes=False, name="mine")
    if fill is not None:
        floor.server.deals.append(deal("9", "DEAL_TYPE_SELL", "DEAL_ENTRY_OUT", fill, ticket))
    if not is_held:
        floor.server.positions[0]["volume"] = 0.09
    if not is_readable:
        floor.server.failing.extend([(504, {}, error("TimeoutError", "no history"))])
    later = datetime.now(UTC) + timedelta(days=days)
    monkeypatch.setattr(floor.sent, "_clock", lambda: later)
    refused = floor.code(floor.account.close(ticket, PART, "mine"))
    if ends:
        assert refused == ("trade_refused", "not_done")
        assert floor.runs(floor.account.close(ticket, PART, "mine")).remaining_volume == PART
        assert len(floor.server.trades) == 2
    else:
        assert refused == ("unknown_outcome", "sent_before")
        assert len(floor.server.trades) == 1


# -- a file that cannot be used, a terminal that shows nothing -------------------------------------------------------


def test_all_of_a_position_is_closed_while_another_program_writes(floor: MetaFloor, tmp_path: Path) -> None:
    first, second, third = (floor.server.holds(0.1) for _ in range(3))
    floor.runs(floor.account.positions())
    floor.runs(floor.account.close(first, None))  # the file is there
    with closing(sqlite3.connect(tmp_path / "advisor.sqlite", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        assert floor.runs(floor.account.close(second, None)).remaining_volume == 0
        assert floor.runs(floor.account.close(third, None, "mine")).remaining_volume == 0
        part = floor.server.holds(0.1)
        assert floor.code(floor.account.close(part, PART))[0] == "not_available"  # a part may be done twice
        other.execute("ROLLBACK")
    assert held(floor) == [0.1]


def test_all_of_a_position_is_closed_though_the_disk_is_full(floor: MetaFloor) -> None:
    floor.runs(floor.account.close(floor.server.holds(0.1), None))
    with floor.file.reading() as file:
        ((pages,),) = file.execute("PRAGMA page_count").fetchall()
        file.execute(f"PRAGMA max_page_count = {pages}")
    for _ in range(60):
        assert floor.runs(floor.account.close(floor.server.holds(0.1), None)).success
    assert held(floor) == []


@pytest.mark.parametrize("volume", [None, PART])
def test_a_terminal_that_shows_nothing_does_not_keep_a_position_from_closing(
    floor: MetaFloor, volume: Decimal | None
) -> None:
    ticket = floor.server.holds(0.1)
    floor.server.unseen, floor.server.positions = floor.server.positions, []
    assert floor.runs(floor.account.close(ticket, volume)).success
    assert [one["volume"] for one in floor.server.unseen] == ([] if volume is None else [0.05])
    floor.server.unseen.clear()
    assert floor.code(floor.account.close(ticket, volume, "mine"))[0] == "unknown_position"  # the broker's own word
    assert floor.code(floor.account.close(ticket, volume, "mine"))[0] == "unknown_position"  # and its name is free


# -- what the first look-up takes for the closing --------------------------------------------------------------------


def test_the_look_up_takes_no_older_fill_and_none_of_a_position_that_is_held(floor: MetaFloor) -> None:
    """The same lots, closed before by another hand: of this closing there is nothing to be seen."""
    for is_shown in (True, False):
        ticket = floor.server.holds(0.1)
        old = deal("1", "DEAL_TYPE_SELL", "DEAL_ENTRY_OUT", {"volume": 0.1}, ticket)
        late = {"time": (datetime.now(UTC) + timedelta(minutes=1)).isoformat()}
        early = {"time": (datetime.now(UTC) - timedelta(minutes=1)).isoformat()}
        floor.server.deals.append({**old, **(late if is_shown else early)})
        if not is_shown:
            floor.server.unseen, floor.server.positions = floor.server.positions, []
        floor.server.plans(Planned(-7, executes=False))
        assert floor.code(floor.account.close(ticket, None))[0] == "unknown_outcome"
