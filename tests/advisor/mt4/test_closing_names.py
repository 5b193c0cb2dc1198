"""Names of closings over all accounts: one name is one closing, whoever fails, ends or has too many of them."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec
import pytest

from advisor import database
from advisor.mt4 import requests as names
from advisor.mt4.account import Mt4Account
from advisor.mt4.asked import volume_in, volume_of
from advisor.mt4.closings import CLOSE, NamedClosings
from advisor.mt4.file import Mt4File
from advisor.mt4.paper_store import PaperChange
from advisor.mt4.prices import utc_now
from advisor.mt4.requests import RequestBook
from advisor.mt4.sent import SentBook
from advisor.mt4.service import Mt4Service
from sidecar.mt4_keys import name_of
from sidecar.problems import ServiceRefused
from tests.advisor.mt4.floor import NOON, PaperFloor, asked
from tests.advisor.mt4.test_service import runs
from tests.support.fakes.metaapi import ACCOUNT, TOKEN, MetaApiServer, Planned
from tests.support.fakes.price_feeds import PriceFeeds
from wire.mt4 import CloseAnswer, CloseBody, ConnectBody

PART = Decimal("0.04")
DONE = CloseAnswer(success=True, position_id="t-1", closed_volume=None, remaining_volume=None, price=None)


class Killed(BaseException):
    """The program ends here."""


@pytest.fixture
def floor(tmp_path: Path) -> Iterator[PaperFloor]:
    with PriceFeeds(NOON) as feeds:
        feeds.quotes("1.10000", "1.09999", "1.10001")
        floor = PaperFloor(tmp_path, feeds)
        yield floor
        floor.close()


def named(floor: PaperFloor) -> NamedClosings:
    """Return the names as the service has them."""
    book = RequestBook(floor.file, CLOSE)
    return NamedClosings(book, SentBook(floor.file, floor.feeds.clock))


def reason_of(refused: ServiceRefused) -> tuple[str, Any]:
    return refused.code, refused.reason


@pytest.mark.parametrize("is_stored", [False, True])
def test_a_part_of_paper_and_its_name_are_stored_together(
    floor: PaperFloor, monkeypatch: pytest.MonkeyPatch, *, is_stored: bool
) -> None:
    """Killed before or after the one transaction: the name sent again closes the part that is missing, or none."""
    position = floor.trades("BUY", 1.0).position_id or ""
    closes = PaperChange.closes

    def dies(change: PaperChange, *told: Any) -> None:
        if is_stored:
            closes(change, *told)
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(PaperChange, "closes", dies)
        with pytest.raises(Killed):
            floor.runs(named(floor).close(floor.account, position, PART, "mine"))
    floor.restarts()
    first = floor.runs(named(floor).close(floor.account, position, PART, "mine"))
    assert first.remaining_volume == Decimal("0.96")
    floor.restarts()
    assert floor.runs(named(floor).close(floor.account, position, PART, "mine")) == first
    assert [one.volume for one in floor.positions] == [Decimal("0.96")]


def test_a_name_of_paper_outlasts_a_program_that_ends_before_it_has_answered(
    floor: PaperFloor, monkeypatch: pytest.MonkeyPatch
) -> None:
    position = floor.trades("BUY", 1.0).position_id or ""
    close = floor.account.close

    async def closes_and_dies(*told: Any) -> CloseAnswer:
        await close(*told)
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(floor.account, "close", closes_and_dies)
        with pytest.raises(Killed):
            floor.runs(named(floor).close(floor.account, position, PART, "mine"))
    floor.restarts()
    assert floor.runs(named(floor).close(floor.account, position, PART, "mine")).remaining_volume == Decimal("0.96")
    assert [one.volume for one in floor.positions] == [Decimal("0.96")]


def test_a_name_of_paper_is_none_of_an_account_at_metaapi_and_the_other_way(tmp_path: Path, floor: PaperFloor) -> None:
    position = floor.trades("BUY", 1.0).position_id or ""
    floor.runs(named(floor).close(floor.account, position, PART, "of paper"))

    async def act(service: Mt4Service, server: MetaApiServer) -> None:
        server.positions.append({**server.positions[0], "id": position} if server.holds(0.1) else {})
        await service.connect(ConnectBody(account_id=ACCOUNT, token=TOKEN))
        with pytest.raises(ServiceRefused) as refused:
            await service.close(position, PART, "of paper")
        assert reason_of(refused.value) == ("trade_refused", "key_reused")
        assert server.trades == []
        await service.close(position, PART, "of metaapi")

    runs(tmp_path, act)
    with pytest.raises(ServiceRefused) as refused:
        floor.runs(named(floor).close(floor.account, position, PART, "of metaapi"))
    assert reason_of(refused.value) == ("trade_refused", "key_reused")
    assert [one.volume for one in floor.positions] == [Decimal("0.96")]


def test_one_lot_is_one_lot_however_it_is_written(tmp_path: Path) -> None:
    def of_body(text: str) -> Decimal:
        body = msgspec.json.decode(b'{"position_id":"5","volume":%s}' % text.encode(), type=CloseBody)
        assert body.volume is not None
        return volume_of(body.volume)

    async def act(service: Mt4Service, server: MetaApiServer) -> None:
        ticket = server.holds(3.0)
        await service.connect(ConnectBody(account_id=ACCOUNT, token=TOKEN))
        first = await service.close(ticket, of_body("1"), "mine")
        for same in (of_body("1.0"), of_body("1.00"), volume_in("1"), volume_in("1.0")):
            assert await service.close(ticket, same, "mine") == first
        assert len(server.trades) == 1

    runs(tmp_path, act)
    assert str(of_body("100")) == str(of_body("1e2")) == "100"
    assert asked("BUY_LIMIT", 1, price=1) == asked("BUY_LIMIT", 1.0, price=1.0)
    assert str(asked("BUY_LIMIT", 1, price=1).price) == str(asked("BUY_LIMIT", 1.0, price=1.0).price)


def test_who_waits_is_told_to_wait_and_not_to_look(tmp_path: Path) -> None:
    async def act(service: Mt4Service, server: MetaApiServer) -> None:
        ticket = server.holds(0.1)
        await service.connect(ConnectBody(account_id=ACCOUNT, token=TOKEN))
        server.plans(Planned(silent=True, executes=True))
        under_way = asyncio.create_task(service.close(ticket, PART, "mine"))
        while not server.arrived.is_set():
            await asyncio.sleep(0.005)
        with pytest.raises(ServiceRefused) as refused:
            await service.close(ticket, PART, "mine")
        assert reason_of(refused.value) == ("unknown_outcome", "under_way")
        assert service.account.unknown() == ()  # it is not one that nobody will know
        with pytest.raises(ServiceRefused) as refused:
            await service.close(ticket, None, "mine")
        assert reason_of(refused.value) == ("trade_refused", "key_reused")
        told = await under_way
        assert await service.close(ticket, PART, "mine") == told
        assert len(server.trades) == 1

    runs(tmp_path, act)


def test_the_names_of_others_push_out_none(floor: PaperFloor, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(names, "KEPT", 3)
    position = floor.trades("BUY", 1.0).position_id or ""
    mine, busy = (name_of(who, "part") or "" for who in ("key 1", "key 2"))
    floor.runs(named(floor).close(floor.account, position, PART, mine))
    book = RequestBook(floor.file, CLOSE)
    book.keep("nobody knows", "{}")
    for number in range(6):
        trade = name_of("key 1", f"order {number}")
        floor.runs(floor.account.trade(asked("BUY", 0.01, key=trade)))  # of the same key, and of another kind
        floor.runs(named(floor).close(floor.account, position, Decimal("0.01"), name_of("key 2", f"{number}") or ""))
        book.keep(f"{number}", "{}")
        book.answers(f"{number}", "{}")
    assert floor.runs(named(floor).close(floor.account, position, PART, mine)).remaining_volume == Decimal("0.96")
    assert book.find("nobody knows") is not None  # without an answer it is never forgotten
    assert [book.find(f"{number}") is not None for number in range(6)] == [False] * 3 + [True] * 3
    assert book.find(busy) is None


class Desk:
    """A desk that exits, and a file that takes no name after that."""

    kind = "desk"
    id = "desk"

    def __init__(self, book: RequestBook) -> None:
        self.exits = 0
        self._book = book

    async def close(self, position_id: str, volume: Decimal | None, name: str | None = None) -> CloseAnswer:
        assert (position_id, volume, name) == ("t-1", None, None)
        self.exits += 1
        return DONE


@pytest.mark.parametrize("failing", ["keep", "answers", "find"])
def test_a_name_that_cannot_be_stored_neither_keeps_from_closing_nor_takes_back_what_was_done(
    floor: PaperFloor, monkeypatch: pytest.MonkeyPatch, failing: str
) -> None:
    book = RequestBook(floor.file, CLOSE)
    desk: Any = Desk(book)
    account: Mt4Account = desk

    def fails(*_: object) -> None:
        raise ServiceRefused("not_available", "the file is busy")

    monkeypatch.setattr(RequestBook, failing, fails)
    assert floor.runs(named(floor).close(account, "t-1", None, "mine")) == DONE
    assert desk.exits == 1


def test_the_names_of_an_older_file_are_known(tmp_path: Path) -> None:
    """What was sent and answered by the program before this one is not sent again by this one."""
    path = tmp_path / "advisor.sqlite"
    with closing(sqlite3.connect(path, isolation_level=None)) as old:
        for step in sorted(database.MIGRATIONS.glob("*.sql"))[:3]:
            old.executescript(step.read_text("utf-8"))
        add = "INSERT INTO mt4_requests (name, request, answer) VALUES (?, ?, ?)"
        old.execute(add, ("desk:mine", "an order", "its body"))
        old.execute(add, ("close:mine", "a closing", "its answer"))
        sent = '{"actionType":"POSITION_PARTIAL","positionId":"5","volume":0.05,"heldBefore":0.1}'
        old.execute(
            "INSERT INTO mt4_sent (client_id, account, request, sent_at) VALUES ('c', ?, ?, 1)", (ACCOUNT, sent)
        )
        old.execute("PRAGMA user_version = 3")
    file = Mt4File(path)
    of_desk, of_closing = RequestBook(file, "desk").find("mine"), RequestBook(file, CLOSE).find("mine")
    assert (of_desk and (of_desk.request, of_desk.body, of_desk.answer)) == ("an order", "its body", "")
    assert (of_closing and (of_closing.request, of_closing.answer)) == ("a closing", "its answer")
    [doubt] = SentBook(file, utc_now).open_parts(ACCOUNT, "5")
    assert (doubt.request.held_before, doubt.name) == (Decimal("0.1"), None)
    file.close()
