"""Closing at MetaApi when answers are late, lost, contradicted or cannot be stored: a part is never closed twice."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from advisor.mt4.metaapi_client import MOST_BYTES
from tests.advisor.mt4.floor import asked
from tests.advisor.mt4.meta_floor import SHORT, MetaFloor
from tests.support.fakes.metaapi import MetaApiServer, Planned
from tests.support.fakes.metaapi_models import deal, error, trade_response

PART = Decimal("0.05")
NEVER_SHOWN = 1_000
AWAY: tuple[int, dict[str, str], Any] = (504, {}, error("TimeoutError", "not connected to broker yet"))
DEEP = b'{"numericCode":10009,"stringCode":"TRADE_RETCODE_DONE","message":' + b"[" * 5_000 + b"]" * 5_000 + b"}"


@pytest.fixture
def floor(tmp_path: Path) -> Iterator[MetaFloor]:
    with MetaApiServer() as server:
        floor = MetaFloor(tmp_path, server)
        yield floor
        floor.close()


def test_a_part_that_nobody_knows_of_is_not_sent_again_though_nothing_could_be_read_before_it(floor: MetaFloor) -> None:
    """The worst hour of a connection: positions cannot be read, the closing times out, and is executed late."""
    ticket = floor.server.holds(0.1)
    floor.server.failing.extend([AWAY] * 4)
    floor.server.plans(Planned(-7, executes=True, shown_after=NEVER_SHOWN))
    assert floor.code(floor.account.close(ticket, PART)) == ("unknown_outcome", "ERR_TRADE_TIMED_OUT")
    for _ in range(2):
        floor.runs(floor.account.positions())  # whoever looks, with a key that reads only
        assert floor.code(floor.account.close(ticket, PART)) == ("unknown_outcome", "close_unknown")
    assert len(floor.server.trades) == 1
    assert floor.runs(floor.account.close(ticket, None)).success  # all of it may always be closed
    assert floor.server.positions == []


def test_fewer_lots_by_another_hand_are_not_the_part(floor: MetaFloor) -> None:
    ticket = floor.server.holds(0.1)
    floor.server.plans(Planned(-7, executes=True, shown_after=NEVER_SHOWN))
    assert floor.code(floor.account.close(ticket, PART))[0] == "unknown_outcome"
    floor.server.positions[0]["volume"] = 0.09
    assert floor.code(floor.account.close(ticket, PART)) == ("unknown_outcome", "close_unknown")
    shown, floor.server.positions = floor.server.positions, []
    assert floor.runs(floor.account.positions()) == ()  # a terminal that has not synchronized
    floor.server.positions = shown
    assert floor.code(floor.account.close(ticket, PART)) == ("unknown_outcome", "close_unknown")
    assert len(floor.server.trades) == 1


@pytest.mark.parametrize("is_known", [True, False])
def test_connecting_anew_or_a_restart_ends_no_doubt(tmp_path: Path, *, is_known: bool) -> None:
    with MetaApiServer() as server:
        floor = MetaFloor(tmp_path, server)
        ticket = server.holds(0.1)
        if not is_known:
            server.failing.extend([AWAY] * 4)
        server.plans(Planned(-7, executes=False))
        assert floor.code(floor.account.close(ticket, PART))[0] == "unknown_outcome"
        floor.close()
        floor = MetaFloor(tmp_path, server)
        floor.runs(floor.account.connect())
        assert floor.code(floor.account.close(ticket, PART)) == ("unknown_outcome", "close_unknown")
        server.positions[0]["volume"] = 0.05  # it came after all
        assert floor.code(floor.account.close(ticket, Decimal("0.01"))) == ("trade_refused", "closed_meanwhile")
        assert len(server.trades) == 1
        assert floor.runs(floor.account.close(ticket, Decimal("0.01"))).remaining_volume == Decimal("0.04")
        assert len(server.trades) == 2
        floor.close()


def test_what_is_under_way_is_so_for_every_connection_of_the_account(floor: MetaFloor) -> None:
    ticket = floor.server.holds(0.1)
    again = floor.connected_anew()
    floor.server.plans(Planned(silent=True, executes=False))
    refused = floor.while_sending(floor.account.close(ticket, PART), again.close(ticket, PART))
    assert [(one.code, one.reason) for one in refused][1] == ("trade_refused", "close_under_way")
    assert len(floor.server.trades) == 1


@contextmanager
def busy_file(folder: Path, server: MetaApiServer) -> Iterator[None]:
    """Let another program write to the advisor's file from the moment in which the broker does what it was told."""
    other = sqlite3.connect(folder / "advisor.sqlite", isolation_level=None, check_same_thread=False)
    execute = server.execute

    def executes(*told: Any) -> None:
        execute(*told)
        other.execute("BEGIN IMMEDIATE")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(server, "execute", executes)
        yield
    other.execute("ROLLBACK")
    other.close()


def test_what_the_broker_did_is_told_though_it_cannot_be_stored(floor: MetaFloor, tmp_path: Path) -> None:
    ticket = floor.server.holds(0.1)
    floor.runs(floor.account.close(floor.server.holds(0.1), None))  # the file is there
    with busy_file(tmp_path, floor.server):
        told = floor.runs(floor.account.close(ticket, PART))
    assert (told.success, told.closed_volume, told.remaining_volume) == (True, PART, PART)
    assert floor.runs(floor.account.close(ticket, Decimal("0.01"))).remaining_volume == Decimal("0.04")
    with busy_file(tmp_path, floor.server):
        traded = floor.trades(asked("BUY", 0.1, key="one"))
    assert floor.trades(asked("BUY", 0.1, key="one")).position_id == traded.position_id
    assert [one["actionType"] for one in floor.server.trades].count("ORDER_TYPE_BUY") == 1


def test_an_answer_that_drips_ends_and_holds_nothing(floor: MetaFloor) -> None:
    ticket = floor.server.holds(0.1)
    floor.server.plans(Planned(drips=True, executes=False), Planned())
    assert floor.code(floor.account.close(ticket, None)) == ("unknown_outcome", "TimeoutError")
    assert floor.runs(floor.account.close(ticket, None)).remaining_volume == 0
    assert SHORT.trade < 1


def test_an_answer_that_cannot_be_read_is_looked_up(floor: MetaFloor) -> None:
    ticket = floor.server.holds(0.1)
    floor.server.plans(Planned(raw=DEEP))
    assert floor.runs(floor.account.close(ticket, None)).remaining_volume == 0
    floor.server.failing.append((200, {}, DEEP))
    assert floor.code(floor.account.connect())[0] == "mt4_away"


def test_an_answer_that_is_longer_than_any_is_not_read_to_its_end(floor: MetaFloor) -> None:
    floor.server.failing.append((200, {}, {**floor.server.account, "name": "x" * MOST_BYTES}))
    assert floor.code(floor.account.connect())[0] == "mt4_away"
    done = json.dumps({**trade_response(10_009, None, "5", "5"), "name": "x" * MOST_BYTES}).encode()
    floor.server.plans(Planned(raw=done, executes=False))
    assert floor.code(floor.account.close(floor.server.holds(0.1), None)) == ("unknown_outcome", "AnswerTooLong")


def test_a_refusal_of_any_length_is_told_in_few_words(floor: MetaFloor) -> None:
    floor.server.plans(Planned(http=400, raw=b'{"error": "' + b"x" * 300_000 + b'"}'), Planned(http=429, raw=DEEP))
    refused = floor.refused(floor.account.trade(asked("BUY", 0.1)))
    assert (refused.code, len(refused.reason or "")) == ("trade_refused", 60)
    assert floor.code(floor.account.trade(asked("BUY", 0.1)))[0] == "rate_limit_exceeded"


@pytest.mark.parametrize("balance", ["NaN", "Infinity"])
def test_what_is_no_number_is_no_balance(tmp_path: Path, balance: str) -> None:
    with MetaApiServer(balance=balance) as server:
        floor = MetaFloor(tmp_path, server)
        assert floor.code(floor.account.connect())[0] == "mt4_away"
        floor.close()


@pytest.mark.parametrize(("credit", "profit"), [(500, Decimal(0)), (0, Decimal(500)), (None, None)])
def test_the_brokers_credit_is_no_profit(tmp_path: Path, credit: int | None, profit: Decimal | None) -> None:
    with MetaApiServer(balance=1_000, equity=1_500, credit=credit) as server:
        floor = MetaFloor(tmp_path, server)
        assert floor.runs(floor.account.connect()).profit == profit
        floor.close()


def test_the_newest_deals_are_found_behind_any_number_of_older_ones(floor: MetaFloor) -> None:
    ticket = floor.server.holds(0.1)
    old = deal("1", "DEAL_TYPE_SELL", "DEAL_ENTRY_OUT", {"volume": 0.1}, "1")
    floor.server.deals = [{**old, "id": str(number)} for number in range(2_000)]
    floor.server.plans(Planned(-7, executes=True))
    assert floor.runs(floor.account.close(ticket, None)).remaining_volume == 0
    assert [one.position_id for one in floor.runs(floor.account.deals(1))] == [ticket]


def test_a_fill_that_does_not_say_how_much_is_not_none(floor: MetaFloor, monkeypatch: pytest.MonkeyPatch) -> None:
    ticket = floor.server.holds(0.1)

    def executes(body: dict[str, Any], number: str, _: Planned) -> None:
        told = deal(number, "DEAL_TYPE_SELL", "DEAL_ENTRY_OUT", {**body, "volume": None}, ticket)
        floor.server.deals.append(told)

    monkeypatch.setattr(floor.server, "execute", executes)
    floor.server.plans(Planned(-7, executes=True))
    closed = floor.runs(floor.account.close(ticket, None))
    assert (closed.success, closed.closed_volume, closed.remaining_volume) == (True, None, None)
