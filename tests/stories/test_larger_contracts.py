"""Larger contracts and more assets of new settings wait for the next trading day (SPEC 5.9)."""

from __future__ import annotations

from decimal import Decimal

import pytest
from msgspec.structs import replace

from services.engine.model.events import ContractChanged, DeskConfigured, UnitChanged
from services.engine.rules.alerts import ALERTS
from tests.support.builders import CONTRACTS
from tests.support.trader import Trader
from wire.types import Contract

MICRO = CONTRACTS["ES"]
FULL = Contract("ESZ6", "CME", tick_size=Decimal("0.25"), point_value=Decimal(50), unit=Decimal(1))
WIDER = replace(MICRO, unit=Decimal(2))


def restarted(contract: Contract, **more: Contract) -> Trader:
    """Restart a desk that trades the micro ES with other contracts in its settings."""
    return Trader(demo_equity=Decimal(500_000)).with_structure("green").restarts(contracts={"ES": contract, **more})


def is_waiting(trader: Trader) -> bool:
    """Whether an alert says that something waits, and is not over."""
    waiting = [alert for alert in trader.desk.alerts if alert.code == "contracts_pending"]
    return any(not ALERTS["contracts_pending"].is_over(alert, trader.desk) for alert in waiting)


@pytest.mark.parametrize("larger", [FULL, WIDER, replace(MICRO, symbol="MESH7", point_value=Decimal("5.01"))])
def test_a_larger_contract_waits_for_the_next_trading_day(larger: Contract) -> None:
    trader = restarted(larger)
    assert (trader.asset.contract, is_waiting(trader)) == (MICRO, True)
    assert trader.enters("BUY").open_order.contract == MICRO
    assert trader.rejected().at("17:59:59").ticks().asset.contract == MICRO
    trader.at("18:00:00").ticks()
    assert (trader.asset.contract, is_waiting(trader)) == (larger, False)
    assert trader.with_structure("green").enters("BUY").open_order.contract == larger
    assert trader.replays_equal()


@pytest.mark.parametrize(
    "other",
    [replace(MICRO, symbol="MESH7"), replace(MICRO, unit=Decimal("0.5")), replace(MICRO, point_value=Decimal("0.5"))],
)
def test_another_month_and_what_is_smaller_hold_at_once(other: Contract) -> None:
    trader = restarted(other)
    assert (trader.asset.contract, "contracts_pending" in trader.alerts) == (other, False)


def test_back_to_the_micro_holds_at_once_and_up_again_waits() -> None:
    trader = Trader(contracts={"ES": FULL}).restarts(contracts={"ES": MICRO})
    assert trader.asset.contract == MICRO
    assert trader.restarts(contracts={"ES": FULL}).asset.contract == MICRO


def test_a_further_asset_waits_for_the_next_trading_day() -> None:
    trader = restarted(MICRO, NQ=CONTRACTS["NQ"])
    assert list(trader.desk.assets) == ["ES"]
    assert trader.enters("BUY", "NQ").refused_by == "unknown_asset"
    trader.turns_to("ES").at("18:00:00").ticks().later(1)
    assert list(trader.desk.assets) == ["ES", "NQ"]
    assert trader.told(DeskConfigured)[-1].assets == ("ES", "NQ")
    assert trader.with_structure("green", "NQ").enters("BUY", "NQ").open_order.contract == CONTRACTS["NQ"]
    assert trader.replays_equal()


def test_an_asset_that_is_taken_away_is_gone_at_once_and_waits_when_it_comes_back() -> None:
    both = {"ES": MICRO, "NQ": CONTRACTS["NQ"]}
    trader = Trader(assets=("ES", "NQ")).restarts(contracts={"ES": MICRO})
    assert list(trader.desk.assets) == ["ES"]
    assert list(trader.restarts(contracts=both).desk.assets) == ["ES"]


def test_where_every_asset_is_new_todays_stay_until_the_day_rolls() -> None:
    trader = Trader(assets=("ES", "NQ")).restarts(contracts={"CL": CONTRACTS["CL"]})
    assert list(trader.desk.assets) == ["ES", "NQ"]
    assert trader.restarts().at("18:00:00").ticks().turns_to("CL").asset.contract == CONTRACTS["CL"]
    assert list(trader.desk.assets) == ["CL"]
    assert trader.replays_equal()


def test_the_alert_is_raised_once_and_says_what_waits() -> None:
    trader = restarted(FULL, NQ=CONTRACTS["NQ"]).restarts().restarts()
    [alert] = [alert for alert in trader.desk.alerts if alert.code == "contracts_pending"]
    assert alert.sentence.endswith("ES ESZ6, today MESZ6; NQ, new: from the next trading day on that is 8 h away")


def test_settings_that_are_taken_back_wait_for_nothing() -> None:
    trader = restarted(FULL).restarts(contracts={"ES": MICRO})
    assert not is_waiting(trader)
    assert trader.at("18:00:00").ticks().asset.contract == MICRO


def test_a_limit_that_is_changed_meanwhile_brings_nothing_in() -> None:
    trader = restarted(FULL, NQ=CONTRACTS["NQ"]).limits(max_trades_per_day=5)
    assert trader.desk.rules.contracts == {"ES": MICRO}
    assert list(trader.desk.assets) == ["ES"]


def test_a_trade_that_is_open_at_the_roll_keeps_its_contract() -> None:
    trader = restarted(FULL).enters("BUY").filled_at(5250).at("18:00:00").ticks()
    assert (trader.trade.contract, trader.asset.contract) == (MICRO, FULL)
    assert trader.exits(force=True).open_order.contract == MICRO
    trader.filled_at(5251).later(1).ticks()
    assert [(event.before, event.contract) for event in trader.told(ContractChanged)] == [("MESZ6", "ESZ6")]
    assert trader.replays_equal()


def test_a_larger_unit_begins_the_bricks_anew_when_it_comes() -> None:
    trader = restarted(WIDER)
    assert (trader.asset.stack.high.color, trader.told(UnitChanged)) == ("green", [])
    trader.at("18:00:00").ticks()
    assert trader.asset.stack.high.color == "neutral"
    assert trader.told(UnitChanged) == [UnitChanged("ES", Decimal(1), Decimal(2))]


def test_before_generation_5_it_held_at_once() -> None:
    trader = Trader(generation=4).restarts(contracts={"ES": FULL, "NQ": CONTRACTS["NQ"]})
    assert (trader.asset.contract, list(trader.desk.assets)) == (FULL, ["ES", "NQ"])
    assert trader.replays_equal()
