"""An account at MetaApi, over its documented wire: read, closed, and what nobody knows never sent twice."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from advisor.mt4.file import Mt4File
from advisor.mt4.result_codes import DONE, REFUSED, UNKNOWN, outcome_of
from advisor.mt4.sent import KEPT, LONGEST, SentBook, client_id_of
from sidecar.problems import ServiceRefused
from tests.advisor.mt4.floor import asked
from tests.advisor.mt4.meta_floor import MetaFloor
from tests.support.fakes.metaapi import ACCOUNT, MetaApiServer, Planned
from tests.support.fakes.metaapi_models import error

PROFIT = Decimal(2)


@pytest.fixture
def floor(tmp_path: Path) -> Iterator[MetaFloor]:
    with MetaApiServer() as server:
        floor = MetaFloor(tmp_path, server)
        yield floor
        floor.close()


# -- reading ---------------------------------------------------------------------------------------------------------


def test_the_account_is_told_as_the_contract_says(floor: MetaFloor) -> None:
    state = floor.runs(floor.account.connect())
    assert (state.id, state.login, state.server, state.platform) == (ACCOUNT, "15194881", "ICMarketsSC-Demo", "mt4")
    assert (state.balance, state.free_margin, state.leverage) == (Decimal("7319.9"), Decimal("7120.22"), 100)
    assert (state.kind, state.real, state.profit) == ("metaapi", False, Decimal("7306.649913") - Decimal("7319.9"))
    assert floor.gates == []


def test_positions_orders_and_deals_are_mapped(floor: MetaFloor) -> None:
    ticket = floor.server.holds(0.1, comment="mine")
    floor.trades(asked("BUY_LIMIT", 0.2, price=1.05))
    [position] = floor.runs(floor.account.positions())
    assert (position.id, position.type, position.volume, position.profit) == (ticket, "BUY", Decimal("0.1"), PROFIT)
    assert (position.stop_loss, position.take_profit, position.swap) == (Decimal("1.1"), None, Decimal("-0.5"))
    [order] = floor.runs(floor.account.orders())
    assert (order.action, order.volume, order.price) == ("BUY_LIMIT", Decimal("0.2"), Decimal("1.05"))
    floor.runs(floor.account.close(ticket, None))
    [deal] = floor.runs(floor.account.deals(10))
    assert (deal.side, deal.entry, deal.position_id, deal.profit) == ("SELL", "out", ticket, PROFIT)
    floor.runs(floor.account.cancel(order.id))
    assert floor.runs(floor.account.orders()) == ()


def test_candles_come_from_the_other_host_and_only_closed_ones(floor: MetaFloor) -> None:
    candles = floor.runs(floor.account.candles("EURUSD", "1h", 10))
    hour = datetime.now(UTC).replace(minute=0, second=0, microsecond=0)
    assert [one.time for one in candles] == [hour - timedelta(hours=2), hour - timedelta(hours=1)]
    assert candles[0].volume == 1435
    assert {host for host, path in floor.server.asked if "candles" in path} == {"candles"}
    tick = floor.runs(floor.account.tick("EURUSD"))
    assert (tick.spread, tick.last, tick.simulated) == (Decimal("0.00004"), None, False)
    assert {host for host, path in floor.server.asked if "candles" not in path} == {"trading"}


def test_a_symbol_that_the_account_has_not_is_not_an_account_that_is_not_there(floor: MetaFloor) -> None:
    assert floor.code(floor.account.tick("EURUSDm"))[0] == "unknown_symbol"
    assert floor.code(floor.account.candles("GER40", "1h", 5))[0] == "unknown_symbol"


@pytest.mark.parametrize(
    ("status", "body", "code"),
    [
        (401, error("UnauthorizedError", "no"), "token_refused"),
        (403, error("ForbiddenError", "no"), "token_refused"),
        (404, error("NotFoundError", "no"), "unknown_account"),
        (500, error("InternalError", "no"), "mt4_away"),
        (504, error("TimeoutError", "not connected to broker yet"), "mt4_away"),
        (200, {"platform": "mt4"}, "mt4_away"),
        (200, [], "mt4_away"),
    ],
)
def test_what_metaapi_refuses_is_told(floor: MetaFloor, status: int, body: Any, code: str) -> None:
    floor.server.failing.append((status, {}, body))
    assert floor.code(floor.account.connect())[0] == code


def test_a_server_that_is_not_there_is_told(tmp_path: Path) -> None:
    with MetaApiServer() as server:
        floor = MetaFloor(tmp_path, server)
    assert floor.code(floor.account.connect())[0] == "mt4_away"
    assert floor.code(floor.account.close("5", None)) == ("mt4_away", floor.refused(floor.account.connect()).reason)
    floor.close()


def test_too_many_requests_are_not_followed_by_more(floor: MetaFloor) -> None:
    floor.server.failing.append((429, {"Retry-After": "7"}, error("TooManyRequestsError", "slow down")))
    assert floor.refused(floor.account.connect()).retry_after_s == 7
    asked_so_far = len(floor.server.asked)
    again = floor.refused(floor.account.positions())
    assert (again.code, again.retry_after_s) == ("rate_limit_exceeded", 7)
    assert len(floor.server.asked) == asked_so_far
    ticket = floor.server.holds(0.1)
    closed = floor.runs(floor.account.close(ticket, None))  # closing is never held back
    assert (closed.success, closed.closed_volume) == (True, None)
    assert floor.server.positions == []


def test_without_the_header_the_recommended_time_counts(floor: MetaFloor) -> None:
    until = (datetime.now(UTC) + timedelta(seconds=30)).isoformat().replace("+00:00", "Z")
    body = error("TooManyRequestsError", "slow down", metadata={"recommendedRetryTime": until})
    floor.server.failing.append((429, {}, body))
    assert 25 <= (floor.refused(floor.account.connect()).retry_after_s or 0) <= 31


# -- real money ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "is_asked"),
    [
        ("ACCOUNT_TRADE_MODE_DEMO", False),
        ("ACCOUNT_TRADE_MODE_CONTEST", False),
        ("ACCOUNT_TRADE_MODE_REAL", True),
        ("ACCOUNT_TRADE_MODE_OF_TOMORROW", True),
    ],
)
def test_the_gate_stands_before_real_money_and_before_what_nobody_knows(
    tmp_path: Path, kind: str, is_asked: bool
) -> None:
    with MetaApiServer(kind) as server:
        floor = MetaFloor(tmp_path, server)
        floor.refuses_real = True
        if is_asked:
            assert floor.code(floor.account.connect())[0] == "real_account"
            assert floor.code(floor.account.trade(asked()))[0] == "real_account"
            assert server.trades == []
        else:
            assert floor.runs(floor.account.connect()).real is False
        ticket = server.holds(0.1)
        assert floor.runs(floor.account.close(ticket, None)).success  # closing is never gated
        floor.close()


@pytest.mark.parametrize(
    ("account", "reason"),
    [({"tradeAllowed": False}, "trade_not_allowed"), ({"investorMode": True}, "investor_mode")],
)
def test_an_account_that_may_not_trade_is_sent_no_order(tmp_path: Path, account: Any, reason: str) -> None:
    with MetaApiServer(**account) as server:
        floor = MetaFloor(tmp_path, server)
        assert floor.code(floor.account.trade(asked())) == ("trade_refused", reason)
        assert server.trades == []
        floor.close()


def test_an_account_of_metatrader_5_is_refused(tmp_path: Path) -> None:
    with MetaApiServer(platform="mt5") as server:
        floor = MetaFloor(tmp_path, server)
        assert floor.code(floor.account.connect()) == ("not_connected", "not_mt4")
        floor.close()


# -- result codes ----------------------------------------------------------------------------------------------------


def test_every_code_is_in_one_table_and_those_of_the_issue_are_where_it_says() -> None:
    assert set(DONE) == {0, 10008, 10009, 10010, 10025}
    assert {-1, -7, -11} <= set(UNKNOWN)
    assert not set(DONE) & set(REFUSED) | set(DONE) & set(UNKNOWN) | set(REFUSED) & set(UNKNOWN)
    for outcome, table in (("done", DONE), ("refused", REFUSED), ("unknown", UNKNOWN)):
        assert {outcome_of(number, text) for number, text in table.items()} == {outcome}
    assert outcome_of(424242, "ERR_OF_TOMORROW") == "unknown"
    assert outcome_of(10009, "TRADE_RETCODE_REJECT") == "unknown"
    assert outcome_of(10006, "TRADE_RETCODE_DONE") == "unknown"


def test_a_success_is_one_and_answered_again_without_being_sent_again(floor: MetaFloor) -> None:
    for number in DONE:
        floor.server.plans(Planned(number))
        answer = floor.trades(asked("BUY", 0.1, key=f"order {number}"))
        assert (answer.success, answer.order_id is not None) == (True, True)
        assert floor.trades(asked("BUY", 0.1, key=f"order {number}")) == answer
    assert len(floor.server.trades) == len(DONE)


def test_a_refusal_is_told_by_its_code_and_stays_one(floor: MetaFloor) -> None:
    for number, text in REFUSED.items():
        floor.server.plans(Planned(number))
        order = asked("BUY", 0.1, key=f"order {number}")
        assert floor.code(floor.account.trade(order)) == ("trade_refused", text)
        assert floor.code(floor.account.trade(order)) == ("trade_refused", "refused_before")
    assert len(floor.server.trades) == len(REFUSED)
    assert floor.server.positions == []


UNKNOWNS = [
    Planned(777_777),
    Planned(10_009, "TRADE_RETCODE_REJECT", executes=False),
    Planned(http=500, executes=False),
    Planned(http=502, executes=False),
    Planned(http=504, executes=False),
    Planned(http=408, executes=False),
    Planned(silent=True, executes=False),
    Planned(cut=True, executes=False),
]


def test_each_code_that_nobody_knows_is_looked_up_and_never_sent_again(floor: MetaFloor) -> None:
    for number, text in UNKNOWN.items():
        done, not_done = (asked("BUY", 0.1, key=f"{word} {number}") for word in ("done", "not done"))
        floor.server.plans(Planned(number, executes=True), Planned(number, executes=False))
        assert floor.trades(done).position_id == floor.server.positions[-1]["id"]
        assert floor.code(floor.account.trade(not_done)) == ("unknown_outcome", text)
    assert len(floor.server.positions) == len(UNKNOWN)
    assert len(floor.server.trades) == 2 * len(UNKNOWN)


@pytest.mark.parametrize("executes", [True, False])
@pytest.mark.parametrize("planned", UNKNOWNS, ids=lambda one: f"{one.code}-{one.http}-{one.silent}-{one.cut}")
def test_what_nobody_knows_is_looked_up_and_never_sent_again(
    floor: MetaFloor, planned: Planned, executes: bool
) -> None:
    planned.executes = executes
    floor.server.plans(planned)
    order = asked("BUY", 0.1, key="once")
    client_id = client_id_of("EURUSD", "once")
    if executes:
        assert floor.trades(order).position_id == floor.server.positions[0]["id"]
    else:
        assert floor.code(floor.account.trade(order))[0] == "unknown_outcome"
        assert floor.code(floor.account.trade(order)) == ("unknown_outcome", "sent_before")
    assert len(floor.server.trades) == 1
    assert floor.server.trades[0]["clientId"] == client_id
    assert len(floor.server.of_client(client_id)) == int(executes)


def test_timed_out_and_executed_later_is_found_by_the_same_name_after_a_restart(tmp_path: Path) -> None:
    with MetaApiServer() as server:
        server.plans(Planned(-7, executes=True, shown_after=30))
        floor = MetaFloor(tmp_path, server)
        assert floor.code(floor.account.trade(asked("SELL", 0.1, key="once"))) == (
            "unknown_outcome",
            "ERR_TRADE_TIMED_OUT",
        )
        floor.close()
        floor = MetaFloor(tmp_path, server)
        assert floor.code(floor.account.trade(asked("SELL", 0.1, key="once"))) == ("unknown_outcome", "sent_before")
        answer = floor.trades(asked("SELL", 0.1, key="once"))
        assert answer.position_id == server.positions[0]["id"]
        assert len(server.trades) == len(server.of_client(client_id_of("EURUSD", "once"))) == 1
        floor.close()


def test_the_same_name_twice_at_once_is_sent_once(floor: MetaFloor) -> None:
    async def twice() -> list[Any]:
        orders = (floor.account.trade(asked("BUY", 0.1, key="one")) for _ in range(2))
        return await asyncio.gather(*orders, return_exceptions=True)

    answers = floor.runs(twice())
    assert sorted(type(one).__name__ for one in answers) == ["ServiceRefused", "TradeAnswer"]
    assert len(floor.server.trades) == 1


def test_what_was_not_taken_may_be_sent_another_time(floor: MetaFloor) -> None:
    floor.server.plans(Planned(http=429, executes=False), Planned())
    assert floor.code(floor.account.trade(asked("BUY", 0.1, key="one")))[0] == "rate_limit_exceeded"
    floor.waited += 60
    assert floor.trades(asked("BUY", 0.1, key="one")).success
    assert len(floor.server.positions) == 1


def test_what_became_of_an_order_is_forgotten_and_what_nobody_knows_is_not(tmp_path: Path) -> None:
    now = [datetime(2026, 1, 5, tzinfo=UTC)]
    book = SentBook(Mt4File(tmp_path / "advisor.sqlite"), lambda: now[0])
    for name in ("done", "unknown"):
        book.begin(name, ACCOUNT, "{}")
    book.end("done", "done", "5", "5")
    now[0] += KEPT + timedelta(seconds=1)
    book.begin("new", ACCOUNT, "{}")
    known = {name: book.find(name) for name in ("done", "unknown", "new")}
    assert known["done"] is None
    assert known["unknown"] is not None
    assert known["unknown"].outcome == "unknown"
    assert known["new"] is not None


def test_a_name_is_of_one_order(floor: MetaFloor) -> None:
    floor.trades(asked("BUY", 0.1, key="one"))
    assert floor.code(floor.account.trade(asked("BUY", 0.2, key="one"))) == ("trade_refused", "key_reused")


def test_comment_and_client_id_have_room_together(floor: MetaFloor) -> None:
    floor.trades(asked("BUY", 0.1, comment="Trading Platform AI and more"))
    [sent] = floor.server.trades
    assert len(sent["comment"]) + len(sent["clientId"]) == LONGEST
    assert "Trading Platform AI".startswith(sent["comment"])
    assert len(client_id_of("A-VERY.LONG#SYMBOL", None)) <= LONGEST


# -- closing ---------------------------------------------------------------------------------------------------------


def test_a_position_is_closed_whole_or_in_part(floor: MetaFloor) -> None:
    ticket = floor.server.holds(0.3)
    part = floor.runs(floor.account.close(ticket, Decimal("0.1")))
    assert (part.closed_volume, part.remaining_volume) == (Decimal("0.1"), Decimal("0.2"))
    whole = floor.runs(floor.account.close(ticket, None))
    assert (whole.closed_volume, whole.remaining_volume) == (Decimal("0.2"), Decimal(0))
    assert [one["actionType"] for one in floor.server.trades] == ["POSITION_PARTIAL", "POSITION_CLOSE_ID"]
    assert floor.code(floor.account.close(ticket, None))[0] == "unknown_position"  # the broker's word
    assert len(floor.server.trades) == 3


def test_more_than_is_held_is_refused_and_all_of_it_is_a_whole_closing(floor: MetaFloor) -> None:
    ticket = floor.server.holds(0.1)
    assert floor.code(floor.account.close(ticket, Decimal("0.11"))) == ("trade_refused", "volume_held")
    floor.runs(floor.account.close(ticket, Decimal("0.1")))
    assert [one["actionType"] for one in floor.server.trades] == ["POSITION_CLOSE_ID"]


def test_a_partial_success_does_not_say_more_than_it_knows(floor: MetaFloor) -> None:
    ticket = floor.server.holds(0.2)
    floor.server.plans(Planned(10_010))
    closed = floor.runs(floor.account.close(ticket, None))
    assert (closed.success, closed.closed_volume, closed.remaining_volume) == (True, None, None)


@pytest.mark.parametrize("renumbers", [False, True])
@pytest.mark.parametrize("keeps_names", [False, True])
def test_what_remains_may_have_another_number(floor: MetaFloor, *, renumbers: bool, keeps_names: bool) -> None:
    ticket = floor.server.holds(0.3)
    floor.server.renumbers = renumbers
    floor.server.keeps_names = keeps_names
    floor.server.plans(Planned(-7, executes=True))
    part = floor.runs(floor.account.close(ticket, Decimal("0.1")))
    assert (part.closed_volume, part.remaining_volume) == (Decimal("0.1"), Decimal("0.2"))
    [rest] = floor.runs(floor.account.positions())
    assert ((rest.id == ticket), rest.volume) == (not renumbers, Decimal("0.2"))
    floor.server.plans(Planned(-11, executes=True))
    whole = floor.runs(floor.account.close(rest.id, None))
    assert (whole.closed_volume, whole.remaining_volume) == (Decimal("0.2"), Decimal(0))
    assert len(floor.server.trades) == 2


@pytest.mark.parametrize("executes", [True, False])
@pytest.mark.parametrize("volume", [None, "0.1"])
@pytest.mark.parametrize(
    "planned", [Planned(-7), *UNKNOWNS[-4:]], ids=lambda one: f"{one.code}-{one.http}-{one.silent}-{one.cut}"
)
def test_a_closing_that_nobody_knows_of_is_looked_up(
    floor: MetaFloor, planned: Planned, volume: str | None, executes: bool
) -> None:
    planned.executes = executes
    ticket = floor.server.holds(0.3)
    floor.server.plans(planned)
    closing = floor.account.close(ticket, None if volume is None else Decimal(volume))
    if executes:
        assert floor.runs(closing).remaining_volume == (0 if volume is None else Decimal("0.2"))
    else:
        assert floor.code(closing)[0] == "unknown_outcome"
        assert floor.server.positions[0]["volume"] == 0.3
    assert len(floor.server.trades) == 1


def test_after_an_unknown_closing_in_part_only_all_of_it_may_be_closed(floor: MetaFloor) -> None:
    ticket = floor.server.holds(0.3)
    floor.server.plans(Planned(-1, executes=False))
    assert floor.code(floor.account.close(ticket, Decimal("0.1")))[0] == "unknown_outcome"
    assert floor.code(floor.account.close(ticket, Decimal("0.1"))) == ("unknown_outcome", "close_unknown")
    assert len(floor.server.trades) == 1
    floor.server.positions[0]["volume"] = 0.2  # it came after all
    assert floor.runs(floor.account.close(ticket, Decimal("0.1"))).remaining_volume == Decimal("0.2")
    assert len(floor.server.trades) == 1  # the call that is sent again is the first one
    assert floor.runs(floor.account.close(ticket, Decimal("0.1"))).remaining_volume == Decimal("0.1")
    assert floor.runs(floor.account.close(ticket, None)).remaining_volume == 0


def test_not_seen_is_not_closed(floor: MetaFloor) -> None:
    """A terminal that has not synchronized shows no position at all: without its fill nothing is known."""
    ticket = floor.server.holds(0.1)
    floor.server.plans(Planned(-11, executes=False))

    async def closes() -> Any:
        closing = asyncio.create_task(floor.account.close(ticket, None))
        while not floor.server.arrived.is_set():
            await asyncio.sleep(0.005)
        floor.server.positions.clear()
        return await closing

    assert floor.code(closes())[0] == "unknown_outcome"


def test_closing_twice_at_once_is_sent_once(floor: MetaFloor) -> None:
    ticket = floor.server.holds(0.2)

    async def twice() -> list[Any]:
        closings = (floor.account.close(ticket, Decimal("0.1")) for _ in range(2))
        return await asyncio.gather(*closings, return_exceptions=True)

    refused = [one for one in floor.runs(twice()) if isinstance(one, ServiceRefused)]
    assert [one.reason for one in refused] == ["close_under_way"]
    assert len(floor.server.trades) == 1


def test_a_disconnection_while_an_order_is_under_way_does_not_lose_its_answer(floor: MetaFloor) -> None:
    ticket = floor.server.holds(0.1)
    floor.server.plans(Planned(silent=True, executes=True))

    async def leaves() -> Any:
        closing = asyncio.create_task(floor.account.close(ticket, None))
        while not floor.server.arrived.is_set():
            await asyncio.sleep(0.005)
        await floor.account.disconnect()
        answer = await closing
        await floor.account.left()
        return answer

    assert floor.runs(leaves()).remaining_volume == 0


def test_after_a_disconnection_nothing_is_asked(floor: MetaFloor) -> None:
    async def leaves() -> None:
        await floor.account.disconnect()
        await floor.account.left()

    floor.runs(leaves())
    for work in (floor.account.positions(), floor.account.close("5", None), floor.account.trade(asked())):
        assert floor.code(work) == ("not_connected", "left")
    assert floor.server.asked == []


def test_an_order_that_was_taken_out_without_an_answer_is_looked_up(floor: MetaFloor) -> None:
    placed = floor.trades(asked("BUY_LIMIT", 0.1, price=1.05))
    floor.server.plans(Planned(-7, executes=False), Planned(-7, executes=True))
    assert floor.code(floor.account.cancel(placed.order_id or ""))[0] == "unknown_outcome"
    floor.runs(floor.account.cancel(placed.order_id or ""))
    assert floor.server.orders == []


# -- the token -------------------------------------------------------------------------------------------------------


def test_the_token_goes_to_its_host_alone(floor: MetaFloor) -> None:
    with MetaApiServer() as stranger:
        floor.server.redirects_to = stranger.url
        assert floor.code(floor.account.connect())[0] == "mt4_away"
        assert stranger.asked == []


def test_no_failure_and_no_log_line_shows_the_token(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    wrong = "another-token-9876543210-of-nobody"
    with MetaApiServer() as server:
        floor = MetaFloor(tmp_path, server, token=wrong)
        shown = [repr(floor.account), repr(floor.client), repr(vars(floor.client))]
        for work in (floor.account.connect(), floor.account.close("5", None), floor.account.trade(asked())):
            refused = floor.refused(work)
            while refused is not None:
                shown += [str(refused), repr(refused), repr(refused.__dict__)]
                refused = refused.__context__  # type: ignore[assignment]
        floor.close()
    shown.append(caplog.text)
    assert not [text for text in shown if wrong in text]
    files = [path.read_bytes() for path in tmp_path.iterdir()]
    assert files
    assert not [content for content in files if wrong.encode() in content]
