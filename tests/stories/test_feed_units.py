"""A script that counts in another unit than the desk: its bricks are no bricks of the desk (SPEC 2, 4 row 16)."""

from __future__ import annotations

from decimal import Decimal

from tests.stories.test_feed import faults, gate, hears
from tests.support.builders import CONTRACTS
from tests.support.script_chart import ScriptChart
from tests.support.trader import Trader
from wire.types import Contract

BEFORE_UNITS = Contract("MNQZ6", "CME", tick_size=Decimal("0.25"), point_value=Decimal(2))
OF_ONE = "the alert counts in units of 1, the desk in units of 4"


def chart_of_nasdaq(unit: str, **more: object) -> ScriptChart:
    """Return a chart on which every size stands on a green brick."""
    terms = {"seen": (18000, 18400), "symbol": "CME_MINI:NQ1!", "asset": "NQ", "unit": Decimal(unit), **more}
    return ScriptChart(**terms)  # type: ignore[arg-type]


def desk_of_nasdaq(contract: Contract = CONTRACTS["NQ"], **more: int) -> Trader:
    return Trader(at="09:30:01", assets=("NQ",), contracts={"NQ": contract}, **more)  # type: ignore[arg-type]


def test_a_message_without_bricks_says_nothing_of_the_unit() -> None:
    wrong = chart_of_nasdaq("1")
    trader = hears(desk_of_nasdaq(), wrong.closes(18400), wrong.closes(18400))
    assert gate(trader).detail == OF_ONE
    begun_anew = chart_of_nasdaq("1", seen=())  # added to the chart again: it has no brick yet
    begun_anew.starts_at = wrong.starts_at
    hears(trader, begun_anew.closes("18400.25"), begun_anew.closes("18400.25"))
    assert not gate(trader).is_open
    assert gate(trader).detail == OF_ONE


def test_a_script_that_is_given_the_right_unit_opens_the_gate() -> None:
    wrong, right = chart_of_nasdaq("1"), chart_of_nasdaq("4")
    trader = hears(desk_of_nasdaq(), wrong.closes(18400), wrong.closes(18400))
    right.starts_at = wrong.starts_at
    hears(trader, right.closes(18400))
    assert not gate(trader).is_open, "one message proves nothing"
    hears(trader, right.closes(18400))
    assert (gate(trader).is_open, faults(trader)) == (True, set())


def test_after_another_chart_the_gate_names_the_unit() -> None:
    right, wrong = chart_of_nasdaq("4"), chart_of_nasdaq("1", base="1", at="09:40:00")
    trader = hears(desk_of_nasdaq(), right.closes(18400), right.closes(18400)).at("09:41:00")
    assert gate(trader).is_open
    hears(trader, wrong.closes(18400))
    assert gate(trader).detail == OF_ONE


def test_a_desk_that_learns_of_units_waits_for_a_script_that_does() -> None:
    script = chart_of_nasdaq("1")
    trader = hears(desk_of_nasdaq(BEFORE_UNITS, generation=4), script.closes(18400), script.closes(18400))
    assert gate(trader).is_open
    trader.restarts(contracts={"NQ": CONTRACTS["NQ"]})
    assert trader.enters("BUY").refused_by == "tempo"
    assert trader.asset.feed.chains == ()
    hears(trader, script.closes(18400), script.closes(18400))
    assert gate(trader).detail == OF_ONE
    assert trader.replays_equal()
