"""The desk's route beside a web that is slow, away or silent: names of trades, contracts, positions nobody can date."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Coroutine, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from advisor.agent.desk_reader import DeskReader
from advisor.mt4.asked import OrderAsked
from advisor.mt4.desk import DeskAccount
from advisor.mt4.file import Mt4File
from advisor.mt4.prices import FeedsPrices
from advisor.mt4.requests import RequestBook
from sidecar.problems import ServiceRefused
from sidecar.web import DeskAway
from tests.advisor.auto.floor import open_desk
from tests.advisor.mt4.floor import asked

NOON = datetime(2026, 11, 18, 17, 0, tzinfo=UTC)
BRIEF = {"id": "p-1", "status": "OPEN", "asset": "ES", "direction": "BUY", "quantity": 5}


class Web:
    """Answers the state, and to a proposal what a test says."""

    def __init__(self) -> None:
        self.now = NOON
        self.document = open_desk()
        self.price = 5000.0
        self.fails: DeskAway | None = None
        self.posts: list[dict[str, Any]] = []
        self.refuses: tuple[int, dict[str, Any]] | None = None
        self.made: list[dict[str, Any]] = []
        """What ``GET /api/proposals`` lists."""

    @property
    def asset(self) -> dict[str, Any]:
        found: dict[str, Any] = self.document["assets"]["ES"]
        return found

    async def get(self, path: str, answer_seconds: float = 1.0, **query: str | int) -> bytes:
        assert (path, answer_seconds > 0, query) == ("/api/state", True, {})
        await asyncio.sleep(0)
        self.asset.update(last_price=self.price, price_ts=self.now.isoformat())
        return json.dumps(self.document).encode()

    async def exchange(
        self, method: str, path: str, body: bytes | None = None, answer_seconds: float = 1.0, **headers: str
    ) -> tuple[int, bytes]:
        await asyncio.sleep(0)
        if method == "GET":
            assert (path, body) == ("/api/proposals?status=all&limit=500", None)
            if self.fails is not None:
                raise self.fails
            return 200, json.dumps({"version": 1, "proposals": self.made}).encode()
        assert (method, path, answer_seconds > 0, len(headers)) == ("POST", "/api/proposals", True, 1)
        self.posts.append(json.loads(body or b""))
        if self.fails is not None:
            raise self.fails
        if self.refuses is not None:
            return self.refuses[0], json.dumps(self.refuses[1]).encode()
        return 201, json.dumps({"proposal": {**BRIEF, "valid_until": "2026-11-18T17:15:00Z"}}).encode()

    def lists_what_was_posted(self, **but: Any) -> None:
        """Let the desk have made the newest proposal that it was sent, but for these fields."""
        self.made = [{**BRIEF, "status": "EXPIRED", "proposer": "service", **self.posts[-1], **but}]

    def clock(self) -> datetime:
        return self.now


@pytest.fixture
def web() -> Web:
    return Web()


@pytest.fixture
def account(web: Web, tmp_path: Path) -> Iterator[DeskAccount]:
    file = Mt4File(tmp_path / "advisor.sqlite")
    yield DeskAccount(DeskReader(web), web, FeedsPrices(None), RequestBook(file, "desk", web.clock), web.clock)
    file.close()


def opened(web: Web, folder: Path) -> DeskAccount:
    """Return the account of a program that has just started."""
    names = RequestBook(Mt4File(folder / "advisor.sqlite"), "desk", web.clock)
    return DeskAccount(DeskReader(web), web, FeedsPrices(None), names, web.clock)


def order(symbol: str = "ES", key: str = "one") -> OrderAsked:
    return asked("BUY", 1, symbol, stop_loss=4990.0, key=key)


def code(work: Coroutine[Any, Any, Any]) -> str:
    with pytest.raises(ServiceRefused) as refused:
        asyncio.run(work)
    return refused.value.code


def test_one_name_twice_at_once_is_one_proposal(account: DeskAccount, web: Web) -> None:
    async def twice() -> list[Any]:
        return list(await asyncio.gather(account.trade(order()), account.trade(order())))

    first, second = asyncio.run(twice())
    assert first == second
    assert len(web.posts) == 1


def test_what_never_reached_the_desk_is_proposed_at_the_price_of_its_own_time(account: DeskAccount, web: Web) -> None:
    web.fails = DeskAway("unreachable", "nobody is there")
    assert code(account.trade(order())) == "web_away"
    web.fails, web.price, web.now = None, 5030.0, NOON + timedelta(minutes=14)
    assert asyncio.run(account.trade(order())).proposal is not None
    assert [one["entry"] for one in web.posts] == [5000.0, 5030.0]
    assert web.posts[1]["valid_until"] == "2026-11-18T17:29:00Z"


def test_what_may_have_reached_the_desk_is_sent_again_as_it_was(account: DeskAccount, web: Web) -> None:
    web.fails = DeskAway("failing", "no answer in time")
    assert code(account.trade(order())) == "unknown_outcome"
    web.fails = DeskAway("unreachable", "nobody is there")
    assert code(account.trade(order())) == "web_away"  # this time for certain, which says nothing of the first
    web.fails, web.price = None, 5030.0
    assert asyncio.run(account.trade(order())).proposal is not None
    assert [one["entry"] for one in web.posts] == [5000.0] * 3


PROPOSAL_OPEN = (409, {"code": "proposal_open", "error": "one is open"})


@pytest.mark.parametrize("refusal", [PROPOSAL_OPEN, (400, {"code": "proposal_invalid"}), (429, {"code": "rate"})])
def test_what_the_desk_refused_is_proposed_at_the_price_of_its_own_time(
    account: DeskAccount, web: Web, refusal: tuple[int, dict[str, Any]]
) -> None:
    web.refuses = refusal
    assert code(account.trade(order())) in ("trade_refused", "invalid_parameter", "web_away")
    web.refuses, web.price, web.now = None, 5030.0, NOON + timedelta(seconds=20)
    assert asyncio.run(account.trade(order())).proposal is not None
    assert [one["entry"] for one in web.posts] == [5000.0, 5030.0]


def test_a_refusal_of_what_was_sent_again_says_that_nothing_was_made(account: DeskAccount, web: Web) -> None:
    web.fails = DeskAway("silent", "no answer in time")
    assert code(account.trade(order())) == "unknown_outcome"
    web.fails, web.refuses = None, (429, {"code": "rate"})
    assert code(account.trade(order())) == "web_away"  # the desk has not looked at it: that says nothing of the first
    web.refuses = PROPOSAL_OPEN
    assert code(account.trade(order())) == "trade_refused"
    web.refuses, web.price = None, 5030.0
    assert asyncio.run(account.trade(order())).proposal is not None
    assert [one["entry"] for one in web.posts] == [5000.0] * 3 + [5030.0]


class Killed(BaseException):
    """The program ends here."""


@pytest.mark.parametrize(("but", "entries"), [({}, []), (None, [5030.0]), ({"source": "auto-trade"}, [5030.0])])
def test_a_name_that_was_kept_and_not_answered_asks_the_desk_first(
    web: Web, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, but: dict[str, Any] | None, entries: list[float]
) -> None:
    """Killed as it was sent: a quarter of an hour later the old price is nobody's, and what was made is made."""

    async def dies(method: str, path: str, body: bytes | None = None, *_: object, **__: str) -> tuple[int, bytes]:
        assert (method, path) == ("POST", "/api/proposals")
        web.posts.append(json.loads(body or b""))
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(web, "exchange", dies)
        with pytest.raises(Killed):
            asyncio.run(opened(web, tmp_path).trade(order()))
    if but is not None:
        web.lists_what_was_posted(**but)
    web.posts.clear()
    web.price, web.now = 5030.0, NOON + timedelta(minutes=14)
    web.fails = DeskAway("unreachable", "nobody is there")
    assert code(opened(web, tmp_path).trade(order())) == "unknown_outcome"  # of the first nobody knows
    web.fails = None
    made = asyncio.run(opened(web, tmp_path).trade(order())).proposal
    assert made is not None
    assert made.status == ("OPEN" if entries else "EXPIRED")
    assert [one["entry"] for one in web.posts] == entries
    assert asyncio.run(opened(web, tmp_path).trade(order())).proposal == made
    assert len(web.posts) == len(entries)


def test_while_the_desk_lists_no_end_nothing_is_proposed_again(account: DeskAccount, web: Web) -> None:
    web.fails = DeskAway("silent", "no answer in time")
    assert code(account.trade(order())) == "unknown_outcome"
    web.fails, web.now = None, NOON + timedelta(minutes=14)
    web.lists_what_was_posted(entry=1.0)
    web.made *= 500
    assert code(account.trade(order())) == "unknown_outcome"
    assert len(web.posts) == 1


def test_a_contract_that_the_desk_does_not_trade_is_none_of_it(account: DeskAccount, web: Web) -> None:
    for symbol in ("ESM5", "MESM6", "ESZ2027"):
        assert code(account.trade(order(symbol, key=symbol))) == "unknown_symbol"
        assert code(account.tick(symbol)) == "unknown_symbol"
    assert web.posts == []
    for symbol in ("ES", "ES1!", web.asset["contract"]):
        assert asyncio.run(account.trade(order(symbol, key=symbol))).proposal is not None


def test_a_position_that_nobody_can_date_is_told_all_the_same(account: DeskAccount, web: Web) -> None:
    web.asset.update(position=-5, trade=None, avg_price=None)
    [position] = asyncio.run(account.positions())
    assert (position.id, position.type, position.open_price, position.open_time) == ("ES", "SELL", None, None)
