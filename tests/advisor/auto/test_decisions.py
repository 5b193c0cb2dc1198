"""One decision of each closed bar: recorded once, whatever happens, with its reason and with what refused it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from decimal import Decimal
from pathlib import Path
from typing import Any, get_args

import pytest
from msgspec.structs import replace
from structlog.testing import capture_logs

from advisor.auto.store import KEPT_HOLDS, AutoStore
from advisor.ml.bars import Series
from sidecar.problems import ServiceRefused
from tests.advisor.auto.floor import QUARTER, Floor, Json, Market, open_desk
from tests.advisor.auto.second_book import second
from tests.advisor.auto.test_shadow_book import OPENS, flat
from tests.support.paths import REPOSITORY
from wire.auto_trade import Result, WhyDecided
from wire.ml_engine import SignalDirection

BAR = OPENS + 16 * QUARTER
"""The end of a bar, in the middle of a session."""


@pytest.fixture
def floor(tmp_path: Path) -> Iterator[Floor]:
    """Auto-trade switched on a moment before a bar ends."""
    floor = Floor(tmp_path, Market(flat(OPENS, 900), BAR - 5))
    floor.configures()
    yield floor
    floor.close()


def newest(floor: Floor) -> Json:
    return floor.decisions()[-1]


def said(decision: Json) -> tuple[Any, ...]:
    return tuple(decision[name] for name in ("action", "reason", "blocked_by", "result", "executed"))


# -- once ------------------------------------------------------------------------------------------------------------


def test_a_bar_is_decided_once_however_often_it_is_seen(floor: Floor) -> None:
    for later in (2, 3, 4, 30, 200):
        floor.looks(BAR + later)
    [decision] = floor.decisions()
    assert said(decision) == ("SELL", "signal", None, "pending", True)
    assert (second(decision["bar_start"]), second(decision["timestamp"])) == (BAR - QUARTER, BAR + 2)


def test_a_restart_decides_nothing_again(floor: Floor) -> None:
    floor.looks(BAR + 2)
    before = floor.decisions()
    floor.restarts()
    floor.rule.side = lambda series: "long"
    floor.looks(BAR + 5)
    assert floor.decisions() == before


def test_two_programs_on_one_file_make_one_decision(floor: Floor) -> None:
    """Another one has seen the same bar, and says otherwise."""
    floor.looks(BAR + 2)
    before = floor.decisions()
    [stored] = floor.store.decisions(1)
    with closing(AutoStore(floor.path)) as other:
        assert not other.add(replace(stored, id="dec-another", action="HOLD", result=None), None)
    assert floor.decisions() == before


def test_a_bar_that_is_corrected_later_keeps_its_decision(floor: Floor) -> None:
    floor.looks(BAR + 2)
    before = floor.decisions()
    floor.market.changes(BAR - 60, h=5_050.0, c=5_050.0)
    floor.restarts()
    floor.looks(BAR + 10)
    assert floor.decisions() == before


def test_a_late_bar_is_a_hold(floor: Floor) -> None:
    """The next open is past: a shadow trade at that price is one that nobody could have had."""
    floor.looks(BAR + 61)
    assert said(newest(floor)) == ("HOLD", "late_bar", "late_bar", None, False)
    floor.looks(BAR + QUARTER + 60)
    assert newest(floor)["action"] != "HOLD"


def test_a_bar_whose_following_bar_is_over_is_not_decided_at_all(floor: Floor) -> None:
    floor.market.loses(BAR, BAR + 3 * QUARTER)
    floor.looks(BAR + 2 * QUARTER)
    assert floor.decisions() == []


def test_of_bars_that_come_at_one_time_the_newest_is_decided(floor: Floor) -> None:
    """The advisor was away for an hour."""
    floor.looks(BAR + 4 * QUARTER + 3)
    [decision] = floor.decisions()
    assert second(decision["bar_start"]) == BAR + 3 * QUARTER


def test_nothing_is_decided_of_bars_before_it_was_switched_on(tmp_path: Path) -> None:
    floor = Floor(tmp_path, Market(flat(OPENS, 900), BAR + 20))
    floor.configures()
    floor.looks(BAR + 21)
    assert floor.decisions() == []
    floor.configures(min_confidence=0.7)  # a change is no new beginning
    floor.looks(BAR + QUARTER + 2)
    assert len(floor.decisions()) == 1
    floor.close()


@pytest.mark.parametrize("source", ["simulated", "sampled"])
def test_a_simulated_bar_is_no_bar(floor: Floor, source: str) -> None:
    floor.market.changes(BAR - 60, source=source)
    floor.looks(BAR + 2)
    assert [second(one["bar_start"]) for one in floor.decisions()] == []


def test_off_is_off_and_open_trades_go_on(floor: Floor) -> None:
    floor.looks(BAR + 2)
    floor.configures(enabled=False)
    floor.runs(BAR + 14 * QUARTER)
    [decision] = floor.decisions()
    assert (decision["result"], decision["shadow"]["counted"]) == ("timeout", True)
    assert floor.status()["enabled"] is False


# -- hold and blocked ------------------------------------------------------------------------------------------------


def silent(code: Any) -> Any:
    def change(floor: Floor) -> None:
        floor.rule.silent = ServiceRefused(code, "there is none")

    return change


def broken(floor: Floor) -> None:
    def fails(series: Series) -> SignalDirection:
        raise ZeroDivisionError("no bar moved")

    floor.rule.side = fails


def no_skill(floor: Floor) -> None:
    floor.rule.actionable = False
    floor.rule.confidence = Decimal(0)


def doubtful(floor: Floor) -> None:
    floor.rule.confidence = Decimal("0.49")


def away(floor: Floor) -> None:
    floor.web.is_away = True


def desk(**changes: Any) -> Any:
    def change(floor: Floor) -> None:
        floor.web.document["global"].update(changes)

    return change


def closes(gate: str) -> Any:
    def change(floor: Floor) -> None:
        asset = floor.web.document["assets"]["ES"]
        asset["may_enter"] = []
        for rung in asset["ladder"]:
            if rung["gate"] == gate:
                rung.update(state="closed", sentence="it is closed", code=gate, title="CLOSED", detail="it is closed")

    return change


def unexplained(floor: Floor) -> None:
    floor.web.document["assets"]["ES"]["may_enter"] = []


def not_traded(floor: Floor) -> None:
    floor.web.document["assets"] = {"NQ": {**floor.web.document["assets"]["ES"], "symbol": "NQ"}}


def small(floor: Floor) -> None:
    """A stop of two points of MES is 10 USD, the most that may be risked 8."""
    floor.web.document["global"]["equity"] = 400


def unreadable(floor: Floor) -> None:
    floor.web.document = {"version": 1}


HOLDS: dict[str, tuple[Any, tuple[Any, ...]]] = {
    "no model": (silent("not_trained"), ("HOLD", "not_trained", None)),
    "no bars": (silent("no_bars"), ("HOLD", "no_bars", None)),
    "a model that fails": (broken, ("HOLD", "fault", None)),
    "no skill": (no_skill, ("HOLD", "no_skill", None)),
    "low confidence": (doubtful, ("HOLD", "low_confidence", None)),
    "desk away": (away, ("HOLD", "desk_away", "desk_away")),
    "an answer that is no state": (unreadable, ("HOLD", "desk_away", "desk_away")),
    "its store down": (desk(store="down"), ("HOLD", "store_down", "store_down")),
    "a standby": (desk(role="standby"), ("HOLD", "standby", "standby")),
}
BLOCKED: dict[str, tuple[Any, str]] = {
    "cooldown": (closes("cooldown"), "cooldown"),
    "the candle's entry is taken": (closes("candle_lock"), "candle_lock"),
    "no reason": (unexplained, "unexplained"),
    "not on the desk": (not_traded, "not_traded"),
    "a small account": (small, "risk_too_large"),
    "unknown equity in LIVE": (desk(equity=None, env="LIVE"), "equity_unknown"),
}


@pytest.mark.parametrize("case", HOLDS)
def test_a_hold_is_recorded_with_its_reason(floor: Floor, case: str) -> None:
    change, expected = HOLDS[case]
    change(floor)
    floor.looks(BAR + 2)
    decision = newest(floor)
    assert said(decision) == (*expected, None, False)
    assert (decision["shadow"], decision["confirm_until"]) == (None, None)
    assert (decision["env"] is None) == (expected[1] == "desk_away")
    assert (
        (decision["ml_signal"] is None)
        == (decision["confidence"] is None)
        == (case in ("no model", "no bars", "a model that fails"))
    )
    assert floor.status()["trades_today"] == 0


@pytest.mark.parametrize("case", BLOCKED)
def test_what_the_ladder_or_a_limit_refuses_is_recorded_with_what_refused_it(floor: Floor, case: str) -> None:
    change, blocked_by = BLOCKED[case]
    gates = {rung["gate"] for rung in floor.web.document["assets"]["ES"]["ladder"]}
    if case in ("cooldown", "the candle's entry is taken"):
        assert blocked_by in gates
    change(floor)
    floor.looks(BAR + 2)
    decision = newest(floor)
    assert decision["action"] in ("BUY", "SELL")
    assert said(decision)[1:] == ("signal", blocked_by, "blocked", False)
    assert floor.status()["trades_today"] == 0
    assert floor.status()["last_decision"]["blocked_by"] == blocked_by


def test_in_demo_the_equity_of_the_settings_stands_until_a_balance_is_known(floor: Floor) -> None:
    floor.web.document["global"]["equity"] = None
    floor.looks(BAR + 2)
    demo_equity = Decimal(str(floor.web.document["global"]["limits"]["demo_equity"]))
    point = Decimal(str(floor.web.document["assets"]["ES"]["point_value"]))
    assert newest(floor)["shadow"]["quantity"] == int(demo_equity * Decimal("0.02") / (2 * point))


def test_the_first_closed_gate_is_named(floor: Floor) -> None:
    ladder = [rung["gate"] for rung in floor.web.document["assets"]["ES"]["ladder"] if "market" in rung["binds"]]
    for gate in reversed(ladder):
        closes(gate)(floor)
    floor.looks(BAR + 2)
    assert newest(floor)["blocked_by"] == ladder[0]


def test_the_desk_is_asked_once_a_bar_and_only_read(floor: Floor) -> None:
    floor.runs(BAR + 20 * QUARTER)
    assert set(floor.web.calls) == {("GET", "/api/state")}
    assert len(floor.web.calls) == 1 + len(floor.decisions())  # and once when it was switched on


# -- the file --------------------------------------------------------------------------------------------------------


def test_old_holds_are_deleted_and_nothing_else(floor: Floor, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("advisor.auto.store.KEPT_HOLDS", 5)
    floor.looks(BAR + 2)
    no_skill(floor)
    floor.runs(BAR + 9 * QUARTER)
    before = floor.decisions()
    floor.store.prune()
    kept = floor.decisions()
    assert kept == [before[0], *before[-5:]]
    assert KEPT_HOLDS == 10_000


def test_a_file_that_cannot_be_used_is_said_and_tried_again(tmp_path: Path) -> None:
    path = tmp_path / "advisor.sqlite"
    path.mkdir()
    floor = Floor(tmp_path, Market(flat(OPENS, 900), BAR - 5))
    with pytest.raises(ServiceRefused, match="cannot be used") as refused:
        floor.configures()
    assert (refused.value.code, refused.value.status) == ("not_available", 503)
    with capture_logs() as logged, pytest.raises(ServiceRefused):
        floor.looks()
    assert logged == []  # it was said once, and is tried again every second
    path.rmdir()
    floor.configures()
    floor.looks(BAR + 2)
    assert len(floor.decisions()) == 1
    floor.close()


def test_the_configuration_is_kept_with_symbols_as_the_desk_names_them(floor: Floor) -> None:
    floor.configures(min_confidence=0.55, symbols=["CME_MINI:ES1!", "es"])
    floor.restarts()
    config = floor.status()["config"]
    assert (config["min_confidence"], config["symbols"], config["enabled"]) == (0.55, ["ES"], True)


def test_the_page_has_every_reason_and_every_result() -> None:
    text = (REPOSITORY / "docs" / "reference" / "agent.md").read_text("utf-8")
    for code in (*get_args(WhyDecided), *get_args(Result)):
        assert f"`{code}`" in text, code


def test_the_page_says_the_numbers_of_the_program() -> None:
    text = (REPOSITORY / "docs" / "reference" / "agent.md").read_text("utf-8")
    assert f"The newest {KEPT_HOLDS} HOLDs of a symbol are kept" in text
    assert "more than 60 s after its end" in text


def test_before_it_was_configured_it_is_off(tmp_path: Path) -> None:
    floor = Floor(tmp_path, Market(flat(OPENS, 900), BAR - 5), open_desk())
    floor.looks(BAR + 2)
    status = floor.status()
    assert (status["enabled"], status["mode"], status["config"], status["last_decision"]) == (
        False,
        "paper",
        None,
        None,
    )
    assert floor.web.calls == []
    floor.close()
