"""Yes and no to a decision that waits: a shadow trade on paper, in LIVE a proposal, and never one twice."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from sidecar.problems import ServiceRefused
from tests.advisor.auto.floor import QUARTER, Floor, Json, Market, open_desk
from tests.advisor.auto.second_book import second, shadow_again, told
from tests.advisor.auto.test_shadow_book import OPENS, flat

DAWN = OPENS - 16 * QUARTER
BAR = OPENS


def waiting(folder: Path, **config: Any) -> Floor:
    """Return a floor with one decision that waits, two seconds after its bar."""
    env = "DEMO" if config.get("paper_trading", True) else "LIVE"
    floor = Floor(folder, Market(flat(DAWN, 900), BAR - 5), open_desk(env=env))
    floor.configures(require_confirmation=True, **config)
    floor.looks(BAR + 2)
    floor.web.calls.clear()
    return floor


@pytest.fixture
def paper(tmp_path: Path) -> Iterator[Floor]:
    floor = waiting(tmp_path)
    yield floor
    floor.close()


@pytest.fixture
def live(tmp_path: Path) -> Iterator[Floor]:
    floor = waiting(tmp_path, paper_trading=False)
    yield floor
    floor.close()


def the_decision(floor: Floor) -> Json:
    [decision] = floor.decisions()
    return decision


def code_of(call: Callable[[], object]) -> str:
    with pytest.raises(ServiceRefused) as refused:
        call()
    return refused.value.code


# -- on paper --------------------------------------------------------------------------------------------------------


def test_a_decision_waits_and_takes_a_place_of_the_day(paper: Floor) -> None:
    decision = the_decision(paper)
    assert (decision["action"], decision["result"], decision["executed"]) == ("BUY", "awaiting", False)
    assert second(decision["confirm_until"]) == BAR + QUARTER
    status = paper.status()
    assert (status["awaiting"], status["trades_today"], status["results"]["open"]) == (1, 1, 0)


def test_a_confirmed_trade_is_entered_at_the_next_minute_and_not_at_the_open_that_is_past(paper: Floor) -> None:
    paper.market.now = BAR + 125
    paper.market.changes(BAR, o=4_900.0, l=4_900.0)
    paper.market.changes(BAR + 180, o=5_000.5)
    paper.confirms(the_decision(paper)["id"])
    paper.runs(BAR + 14 * QUARTER)
    decision = next(one for one in paper.decisions() if one["executed"])
    assert second(decision["shadow"]["entry_from"]) == BAR + 180
    assert decision["shadow"]["entry"] == 5_000.5
    assert second(decision["shadow"]["until"]) == BAR + 12 * QUARTER
    assert told(decision) == shadow_again(decision, paper.market.minutes)


@pytest.mark.parametrize(("second_of_minute", "entered"), [(0, 180), (0.9, 180), (59.9, 180), (60, 240)])
def test_the_open_of_the_minute_in_which_it_was_confirmed_is_past(
    paper: Floor, second_of_minute: float, entered: int
) -> None:
    paper.market.now = BAR + 120 + second_of_minute
    shadow = paper.confirms(the_decision(paper)["id"]).shadow
    assert shadow is not None
    assert shadow.entry_from.timestamp() == BAR + entered


@pytest.mark.parametrize(("asked_at", "blocked_by"), [(QUARTER - 61, None), (QUARTER - 20, "session_ends")])
def test_a_yes_in_the_last_minute_enters_the_next_bar_whose_close_is_asked_about(
    tmp_path: Path, asked_at: int, blocked_by: str | None
) -> None:
    """Decided three hours before the close: entered one bar later the trade would be held into the closed market."""
    decided = OPENS + 4 * 3_600
    floor = Floor(tmp_path, Market(flat(decided - 16 * QUARTER, 500), decided - 5), open_desk())
    floor.configures(require_confirmation=True)
    floor.looks(decided + 2)
    floor.market.now = decided + asked_at
    name = the_decision(floor)["id"]
    if blocked_by is None:
        assert floor.confirms(name).result == "pending"
    else:
        assert code_of(lambda: floor.confirms(name)) == "blocked"
    assert the_decision(floor)["blocked_by"] == blocked_by
    floor.close()


def test_yes_twice_is_one_trade_and_answers_the_same(paper: Floor) -> None:
    name = the_decision(paper)["id"]
    first = paper.confirms(name)
    assert paper.confirms(name) == first
    assert paper.status()["results"]["open"] == 1
    assert code_of(lambda: paper.control.reject(name)) == "already_decided"


def test_no_is_kept_over_a_restart_and_frees_the_place(paper: Floor) -> None:
    name = the_decision(paper)["id"]
    rejected = paper.control.reject(name)
    assert (rejected.result, rejected.executed) == ("rejected", False)
    paper.restarts()
    assert paper.control.reject(name) == rejected
    assert code_of(lambda: paper.confirms(name)) == "already_decided"
    assert paper.status()["trades_today"] == 0


def test_nobody_answers_and_it_expires_to_the_second(paper: Floor) -> None:
    name = the_decision(paper)["id"]
    paper.market.now = BAR + QUARTER - 1
    paper.looks()
    assert the_decision(paper)["result"] == "awaiting"
    paper.market.now = BAR + QUARTER
    assert code_of(lambda: paper.confirms(name)) == "expired"
    assert code_of(lambda: paper.control.reject(name)) == "expired"
    assert paper.control.decisions(1, None)[0].result == "expired"


def test_it_expires_while_the_advisor_is_away(paper: Floor) -> None:
    paper.store.close()
    paper.market.now = BAR + 3 * QUARTER + 2
    paper.start()
    paper.looks()
    assert paper.decisions()[0]["result"] == "expired"


def test_a_no_that_comes_while_the_desk_is_asked_stands(paper: Floor) -> None:
    name = the_decision(paper)["id"]
    paper.web.meanwhile = lambda: paper.control.reject(name)
    assert code_of(lambda: paper.confirms(name)) == "already_decided"
    decision = the_decision(paper)
    assert (decision["result"], decision["executed"]) == ("rejected", False)
    assert paper.status()["results"]["open"] == 0


def test_it_expires_while_the_desk_is_asked(paper: Floor) -> None:
    def time_passes() -> None:
        paper.market.now = BAR + QUARTER

    paper.web.meanwhile = time_passes
    assert code_of(lambda: paper.confirms(the_decision(paper)["id"])) == "expired"


def test_a_hold_and_a_decision_that_is_not_there_cannot_be_confirmed(paper: Floor) -> None:
    paper.rule.actionable = False
    paper.looks(BAR + QUARTER + 2)
    hold = paper.decisions()[-1]
    assert hold["action"] == "HOLD"
    assert code_of(lambda: paper.confirms(hold["id"])) == "already_decided"
    assert code_of(lambda: paper.confirms("dec-nothing")) == "unknown_decision"
    assert code_of(lambda: paper.control.reject("dec-nothing")) == "unknown_decision"


def closes(floor: Floor) -> None:
    floor.web.document["assets"]["ES"]["may_enter"] = []
    rung = next(rung for rung in floor.web.document["assets"]["ES"]["ladder"] if rung["gate"] == "cooldown")
    rung.update(state="closed", sentence="it is closed", code="cooldown", title="COOLDOWN", detail="it is closed")


def test_a_gate_that_has_closed_meanwhile_ends_it(paper: Floor) -> None:
    closes(paper)
    name = the_decision(paper)["id"]
    assert code_of(lambda: paper.confirms(name)) == "blocked"
    decision = the_decision(paper)
    assert (decision["result"], decision["blocked_by"], decision["shadow"]) == ("blocked", "cooldown", None)
    assert code_of(lambda: paper.confirms(name)) == "already_decided"


@pytest.mark.parametrize("away", [True, False])
def test_a_desk_that_does_not_answer_changes_nothing(paper: Floor, away: bool) -> None:
    paper.web.is_away = away
    paper.web.document["global"]["store"] = "down"
    name = the_decision(paper)["id"]
    assert code_of(lambda: paper.confirms(name)) == "web_away"
    assert the_decision(paper)["result"] == "awaiting"
    paper.web.is_away = False
    paper.web.document["global"]["store"] = "up"
    assert paper.confirms(name).result == "pending"


@pytest.mark.parametrize("change", [{"enabled": False}, {"paper_trading": False}])
def test_a_yes_to_what_was_switched_off_meanwhile_ends_it(paper: Floor, change: Json) -> None:
    paper.web.document["global"]["env"] = "LIVE"
    paper.configures(require_confirmation=True, **change)
    assert code_of(lambda: paper.confirms(the_decision(paper)["id"])) == "blocked"
    assert the_decision(paper)["blocked_by"] == "configuration"


def test_the_trades_of_the_day_are_counted_again_at_the_yes(paper: Floor) -> None:
    """It has a place itself, which a smaller limit may have taken away."""
    paper.configures(require_confirmation=True, max_daily_trades=1)
    assert paper.confirms(the_decision(paper)["id"]).result == "pending"
    paper.looks(BAR + QUARTER + 2)
    assert paper.decisions()[-1]["blocked_by"] == "position_open"


def test_on_paper_the_desk_is_only_read(paper: Floor) -> None:
    paper.confirms(the_decision(paper)["id"])
    paper.runs(BAR + 5 * QUARTER)
    assert set(paper.web.calls) == {("GET", "/api/state")}


# -- in LIVE ---------------------------------------------------------------------------------------------------------


def test_in_live_a_yes_is_a_proposal_and_no_trade(live: Floor) -> None:
    decision = the_decision(live)
    assert (decision["mode"], decision["env"], decision["result"]) == ("proposals", "LIVE", "awaiting")
    assert live.status()["mode"] == "proposals"
    confirmed = live.confirms(decision["id"])
    assert (confirmed.result, confirmed.proposal_id, confirmed.executed) == ("proposed", "p-1", False)
    [(body, headers)] = live.web.proposals
    signal = decision["ml_signal"]
    assert headers == {"Idempotency_Key": decision["id"]}
    assert body == {
        "asset": "ES",
        "direction": "BUY",
        "entry": signal["entry_price"],
        "stop": signal["stop_loss"],
        "target": signal["take_profit"],
        "valid_until": decision["confirm_until"],
        "source": "auto-trade",
        "reason": decision["reasoning"],
    }
    assert len(body["reason"]) <= 300
    assert live.web.calls == [("GET", "/api/state"), ("POST", "/api/proposals")]
    live.runs(BAR + 14 * QUARTER)
    assert live.status()["results"]["open"] == 0


def test_without_a_yes_nothing_reaches_the_desk_in_live(live: Floor) -> None:
    live.runs(BAR + 6 * QUARTER)
    assert live.web.proposals == []
    assert {decision["result"] for decision in live.decisions()} == {"expired", "awaiting"}


def test_the_env_is_asked_anew_at_the_yes(live: Floor) -> None:
    live.web.document["global"]["env"] = "DEMO"
    assert code_of(lambda: live.confirms(the_decision(live)["id"])) == "blocked"
    assert the_decision(live)["blocked_by"] == "not_live"
    assert live.web.proposals == []


def test_back_in_demo_nothing_waits_to_be_proposed(live: Floor) -> None:
    live.web.document["global"]["env"] = "DEMO"
    live.looks(BAR + QUARTER + 2)
    assert [decision["blocked_by"] for decision in live.decisions()] == [None, "not_live"]


@pytest.mark.parametrize("role", ["standby", "writer"])
def test_a_standby_is_no_fresh_knowledge_of_the_env(live: Floor, role: str) -> None:
    live.web.document["global"].update(role=role, store="up" if role == "standby" else "down")
    assert code_of(lambda: live.confirms(the_decision(live)["id"])) == "web_away"
    assert live.web.proposals == []


def test_what_the_desk_refuses_to_have_proposed_is_recorded(live: Floor) -> None:
    live.web.proposal = (409, {"ok": False, "error": "one is open", "code": "proposal_open"})
    name = the_decision(live)["id"]
    assert code_of(lambda: live.confirms(name)) == "proposal_refused"
    decision = the_decision(live)
    assert (decision["result"], decision["blocked_by"], decision["proposal_id"]) == ("blocked", "proposal_open", None)


def test_the_desks_own_stop_is_what_a_proposal_risks(live: Floor) -> None:
    """Five contracts of MES: the signal's two points are 50 USD, the fifteen that rest at the broker are 375."""
    name = the_decision(live)["id"]
    live.configures(paper_trading=False, require_confirmation=True, max_risk_per_trade=0.002)
    live.web.document["global"]["equity"] = 375 / 0.002 - 1
    assert code_of(lambda: live.confirms(name)) == "blocked"
    assert (the_decision(live)["blocked_by"], live.web.proposals) == ("risk_too_large", [])


def test_a_proposal_within_the_risk_of_the_desks_own_stop_is_made(live: Floor) -> None:
    live.configures(paper_trading=False, require_confirmation=True, max_risk_per_trade=0.002)
    live.web.document["global"]["equity"] = 375 / 0.002
    assert live.confirms(the_decision(live)["id"]).result == "proposed"


@pytest.mark.parametrize("price", [4_990.0, 4_998.0, 5_004.0, 5_030.0])
def test_a_setup_that_is_over_is_not_proposed(live: Floor, price: float) -> None:
    """The market has been at the stop or at the target since: a click would buy something else."""
    name = the_decision(live)["id"]
    live.web.document["assets"]["ES"]["last_price"] = price
    assert code_of(lambda: live.confirms(name)) == "blocked"
    assert (the_decision(live)["blocked_by"], live.web.proposals) == ("setup_over", [])


@pytest.mark.parametrize("price", [4_998.25, 5_003.75])
def test_a_setup_between_stop_and_target_is_proposed(live: Floor, price: float) -> None:
    live.web.document["assets"]["ES"]["last_price"] = price
    assert live.confirms(the_decision(live)["id"]).result == "proposed"


@pytest.mark.parametrize("known", [{"last_price": None, "price_ts": None}, {"price_ts": "2026-11-17T14:29:09Z"}])
def test_without_a_fresh_price_nobody_knows_whether_it_is_over(live: Floor, known: Json) -> None:
    name = the_decision(live)["id"]
    asset = live.web.document["assets"]["ES"]
    before = dict(asset)
    asset.update(known)
    assert live.web.document["now"].startswith("2026-11-17T14:31:1")
    assert code_of(lambda: live.confirms(name)) == "no_price"
    assert (the_decision(live)["result"], live.web.proposals) == ("awaiting", [])
    asset.update(before)
    assert live.confirms(name).result == "proposed"
