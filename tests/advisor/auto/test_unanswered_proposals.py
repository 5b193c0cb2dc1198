"""A proposal whose answer was lost: nobody knows whether it is open, and the record never says that it is not."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from advisor.auto.store import AutoStore
from sidecar.problems import ServiceRefused
from sidecar.web import DeskAway
from tests.advisor.auto.floor import QUARTER, Floor, Json
from tests.advisor.auto.test_confirming import BAR, closes, code_of, the_decision, waiting

LOST = DeskAway("silent", "no answer")
MADE = (201, {"ok": True, "proposal": {"id": "p-1", "status": "OPEN"}})


@pytest.fixture
def live(tmp_path: Path) -> Iterator[Floor]:
    floor = waiting(tmp_path, paper_trading=False)
    yield floor
    floor.close()


@pytest.fixture
def asked(live: Floor) -> Floor:
    """A floor with one proposal that was asked for; its answer was lost."""
    live.web.proposal = LOST
    assert code_of(lambda: live.confirms(the_decision(live)["id"])) == "web_away"
    live.web.proposal = MADE
    return live


def become(floor: Floor) -> tuple[str, str | None, str | None]:
    decision = floor.decisions()[0]
    return decision["result"], decision["blocked_by"], decision["proposal_id"]


def test_it_is_asked_for_again_under_its_name(asked: Floor) -> None:
    name = the_decision(asked)["id"]
    assert become(asked) == ("proposing", None, None)
    assert asked.confirms(name).result == "proposed"
    first, again = asked.web.proposals
    assert first == again
    assert asked.confirms(name).proposal_id == "p-1"
    assert len(asked.web.proposals) == 2


def test_one_that_the_desk_has_is_not_asked_for_again(asked: Floor) -> None:
    asked.web.has(id="p-7")
    assert asked.confirms(the_decision(asked)["id"]).proposal_id == "p-7"
    assert len(asked.web.proposals) == 1


def test_a_gate_that_closes_meanwhile_hides_no_proposal(asked: Floor) -> None:
    """The operator took it: the click itself has closed the gate."""
    asked.web.has(status="TAKEN")
    closes(asked)
    assert asked.confirms(the_decision(asked)["id"]).proposal_id == "p-1"


def test_a_market_that_went_on_meanwhile_hides_no_proposal(asked: Floor) -> None:
    asked.web.has()
    asked.web.document["assets"]["ES"]["last_price"] = 5_010.0
    assert asked.confirms(the_decision(asked)["id"]).proposal_id == "p-1"


@pytest.mark.parametrize(
    "changes",
    [
        {"proposer": "key"},
        {"source": "somebody"},
        {"asset": "NQ"},
        {"direction": "SELL"},
        {"valid_until": "2026-11-17T14:46:00Z"},
    ],
    ids=str,
)
def test_what_somebody_else_proposed_is_not_ours(asked: Floor, changes: Json) -> None:
    asked.web.has(**{"id": "p-9", **changes})
    assert asked.confirms(the_decision(asked)["id"]).proposal_id == "p-1"
    assert len(asked.web.proposals) == 2


# -- where the desk has none it would be made now --------------------------------------------------------------------


def closed(floor: Floor) -> str:
    closes(floor)
    return "blocked"


def past(floor: Floor) -> str:
    floor.web.document["assets"]["ES"]["last_price"] = 4_980.0
    return "blocked"


def poor(floor: Floor) -> str:
    floor.web.document["global"]["equity"] = 100
    return "blocked"


def no_price(floor: Floor) -> str:
    floor.web.document["assets"]["ES"].update(last_price=None, price_ts=None)
    return "no_price"


@pytest.mark.parametrize("happens", [closed, past, poor, no_price])
def test_none_is_made_that_would_be_refused_now(asked: Floor, happens: Any) -> None:
    code = happens(asked)
    name = the_decision(asked)["id"]
    assert code_of(lambda: asked.confirms(name)) == code
    assert (become(asked), len(asked.web.proposals)) == (("proposing", None, None), 1)
    asked.web.has()
    assert asked.confirms(name).proposal_id == "p-1"


@pytest.mark.parametrize("why", ["silent", "unreachable", "failing"])
def test_without_the_desks_list_none_is_made(asked: Floor, why: str) -> None:
    asked.web.listed = DeskAway(why, "no list")
    assert code_of(lambda: asked.confirms(the_decision(asked)["id"])) == "web_away"
    assert len(asked.web.proposals) == 1


def test_a_list_that_does_not_reach_back_proves_nothing(asked: Floor) -> None:
    asked.web.has(source="somebody", created_at="2027-01-01T00:00:00Z")
    assert isinstance(asked.web.listed, list)
    asked.web.listed *= 500
    assert code_of(lambda: asked.confirms(the_decision(asked)["id"])) == "web_away"
    asked.web.listed[-1] = {**asked.web.listed[-1], "created_at": "2020-01-01T00:00:00Z"}
    assert asked.confirms(the_decision(asked)["id"]).proposal_id == "p-1"


@pytest.mark.parametrize(
    "answer",
    [DeskAway("unreachable", "no connection"), DeskAway("refused", "401"), (429, {"code": "rate_limited"})],
    ids=["unreachable", "refused", "busy"],
)
def test_a_proposal_that_never_reached_the_desk_waits_for_a_yes_as_before(live: Floor, answer: Any) -> None:
    name = the_decision(live)["id"]
    live.web.proposal = answer
    assert code_of(lambda: live.confirms(name)) == "web_away"
    assert become(live) == ("awaiting", None, None)
    live.web.proposal = MADE
    live.web.document["assets"]["ES"]["last_price"] = 4_980.0
    assert code_of(lambda: live.confirms(name)) == "blocked"
    assert become(live) == ("blocked", "setup_over", None)


@pytest.mark.parametrize("answer", [DeskAway("unreachable", "no connection"), (429, {"code": "rate_limited"})], ids=str)
def test_a_second_call_that_never_arrived_says_nothing_of_the_first(asked: Floor, answer: Any) -> None:
    asked.web.proposal = answer
    assert code_of(lambda: asked.confirms(the_decision(asked)["id"])) == "web_away"
    assert become(asked) == ("proposing", None, None)


def test_a_first_call_that_never_arrived_says_nothing_of_a_second_one(live: Floor) -> None:
    """Two yeses at once: while the first finds no connection, the second is sent and loses its answer."""
    name = the_decision(live)["id"]
    unanswered = iter([DeskAway("unreachable", "no connection"), LOST])

    async def confirms_again() -> None:
        with pytest.raises(ServiceRefused, match="made once"):
            await live.control.confirm(name)

    async def exchange(*_: Any, **__: Any) -> tuple[int, bytes]:
        live.web.proposals.append(({}, {}))
        mine = next(unanswered)
        if len(live.web.proposals) == 1:
            await confirms_again()
        raise mine

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(live.web, "exchange", exchange)
        assert code_of(lambda: live.confirms(name)) == "web_away"
    assert len(live.web.proposals) == 2
    assert become(live) == ("proposing", None, None)


# -- nobody says yes again -------------------------------------------------------------------------------------------


def test_what_the_desk_has_is_found_without_being_asked_for(asked: Floor) -> None:
    asked.looks()
    assert become(asked) == ("proposing", None, None)
    asked.web.has()
    asked.looks(int(asked.market.now) + 10)
    assert become(asked) == ("proposed", None, "p-1")
    assert len(asked.web.proposals) == 1


def test_it_is_looked_for_until_a_minute_after_its_time(asked: Floor) -> None:
    asked.market.now = BAR + QUARTER + 30
    asked.looks()
    assert become(asked)[0] == "unknown"
    asked.web.has()
    asked.looks(BAR + QUARTER + 45)
    assert become(asked) == ("proposed", None, "p-1")


def test_a_list_that_is_not_told_leaves_it_unknown(asked: Floor) -> None:
    asked.web.listed = DeskAway("silent", "no list")
    asked.looks(BAR + QUARTER)
    assert become(asked)[0] == "unknown"


def test_it_is_asked_for_again_after_a_restart(asked: Floor) -> None:
    asked.restarts()
    assert asked.confirms(the_decision(asked)["id"]).proposal_id == "p-1"


def test_a_no_is_refused_and_the_place_of_the_day_stays_taken(asked: Floor) -> None:
    name = the_decision(asked)["id"]
    assert code_of(lambda: asked.control.reject(name)) == "already_decided"
    assert become(asked) == ("proposing", None, None)
    assert (asked.status()["trades_today"], asked.status()["awaiting"]) == (1, 0)
    assert asked.confirms(name).result == "proposed"


def test_a_no_that_comes_while_it_is_made_changes_nothing(live: Floor) -> None:
    name = the_decision(live)["id"]
    refused: list[str] = []

    def says_no() -> None:
        if live.web.proposals:
            refused.append(code_of(lambda: live.control.reject(name)))

    live.web.meanwhile = says_no
    assert live.confirms(name).result == "proposed"
    assert refused == ["already_decided"]
    assert become(live) == ("proposed", None, "p-1")


def test_another_program_finds_it_in_the_file_while_it_is_made(live: Floor) -> None:
    """It was stored before it was sent, so that an advisor that ends there knows of it afterwards."""
    stored: list[str | None] = []

    def looks_into_the_file() -> None:
        if live.web.proposals:
            with closing(AutoStore(live.path)) as other:
                stored.extend(one.result for one in other.decisions(5))

    live.web.meanwhile = looks_into_the_file
    live.confirms(the_decision(live)["id"])
    assert stored == ["proposing"]


def test_nobody_asks_again_and_it_is_unknown_and_keeps_its_place(asked: Floor) -> None:
    name = the_decision(asked)["id"]
    asked.market.now = BAR + QUARTER - 1
    asked.looks()
    assert become(asked) == ("proposing", None, None)
    asked.market.now = BAR + QUARTER
    asked.looks()
    assert become(asked) == ("unknown", None, None)
    asked.control.reject(asked.decisions()[1]["id"])  # that of the following bar
    assert asked.status()["trades_today"] == 1
    assert asked.confirms(name).result == "unknown"
    assert len(asked.web.proposals) == 1
    assert code_of(lambda: asked.control.reject(name)) == "already_decided"


@pytest.mark.parametrize(
    ("answer", "found"),
    [
        (MADE, ("proposed", None, "p-1")),
        ((409, {"code": "proposal_open"}), ("blocked", "proposal_open", None)),
        (LOST, ("unknown", None, None)),
    ],
    ids=["made", "refused", "lost"],
)
def test_an_answer_that_comes_after_its_time_is_recorded(
    live: Floor, answer: tuple[int, Json] | DeskAway, found: tuple[str, str | None, str | None]
) -> None:
    """The time is over while the desk makes it, and another call has seen that."""

    def time_passes() -> None:
        if live.web.proposals:
            live.market.now = BAR + QUARTER
            assert become(live)[0] == "proposing"
            live.store.expire(int(live.market.now))

    live.web.meanwhile, live.web.proposal = time_passes, answer
    name = the_decision(live)["id"]
    if answer == MADE:
        live.confirms(name)
    else:
        code_of(lambda: live.confirms(name))
    assert become(live) == found


def test_asked_for_twice_at_one_time_what_was_made_counts(live: Floor) -> None:
    """The second call is refused, and then the answer of the first one comes."""
    name = the_decision(live)["id"]

    def another_is_refused() -> None:
        if live.web.proposals:
            assert live.store.settle(name, "blocked", blocked_by="proposal_open")

    live.web.meanwhile = another_is_refused
    assert live.confirms(name).proposal_id == "p-1"
    assert become(live) == ("proposed", None, "p-1")
    assert not live.store.settle(name, "blocked", blocked_by="proposal_open")


def switched_off(floor: Floor) -> None:
    floor.configures(enabled=False, paper_trading=False, require_confirmation=True)


def back_in_demo(floor: Floor) -> None:
    floor.web.document["global"]["env"] = "DEMO"


@pytest.mark.parametrize("happens", [switched_off, back_in_demo])
def test_switched_off_or_in_demo_nothing_is_asked_for_again(asked: Floor, happens: object) -> None:
    """Whether it was made stays unknown: that is told, and no proposal is made now."""
    assert callable(happens)
    happens(asked)
    assert code_of(lambda: asked.confirms(the_decision(asked)["id"])) == "blocked"
    assert become(asked) == ("proposing", None, None)
    assert len(asked.web.proposals) == 1


@pytest.mark.parametrize(
    "answer",
    [(201, {"ok": True}), (201, []), (409, {"error": "no"}), (404, "gone")],
    ids=str,
)
def test_an_answer_that_says_nothing_of_the_proposal_is_none(live: Floor, answer: tuple[int, Json]) -> None:
    live.web.proposal = answer
    assert code_of(lambda: live.confirms(the_decision(live)["id"])) == "web_away"
    assert become(live) == ("proposing", None, None)
