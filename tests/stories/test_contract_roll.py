"""The roll of a futures contract: warned of before, no trade is moved by it, and nothing is bought after the end."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from msgspec.structs import replace

from services.engine.model.commands import ConfigureDesk, NotePrice
from services.engine.model.events import AlertRaised, ContractChanged
from services.engine.rules.alert_times import is_over
from services.market.contract_dates import dates_of
from tests.support.builders import CONTRACTS, new_york
from tests.support.trader import Trader
from wire.types import Contract

ROLLS = date(2026, 12, 14)  # MESZ6, the Monday of expiry week; its last trade is on Friday the 18th at 09:30


def contract_of(symbol: str) -> Contract:
    return replace(CONTRACTS["ES"], symbol=symbol, dates=dates_of("ES", symbol, date(2026, 11, 17)))


def trader_on(on: str, at: str = "09:31:10", symbol: str = "MESZ6") -> Trader:
    """Return a trader whose desk trades the contract; on a day before the roll unless the story says otherwise."""
    trader = Trader(on="2026-11-17")
    return uses(trader, symbol).at(at, on)


def uses(trader: Trader, symbol: str) -> Trader:
    """Configure the contract, as the clock job does at the roll and the program at its start."""
    return trader.asks(ConfigureDesk(replace(trader.desk.configured, contracts={"ES": contract_of(symbol)})))


def raised(trader: Trader) -> list[str]:
    return [event.alert.code for event in trader.told(AlertRaised) if event.alert.code.startswith("contract_")]


def changes(trader: Trader) -> list[tuple[str, str]]:
    return [(event.before, event.contract) for event in trader.told(ContractChanged)]


def test_the_trader_is_warned_three_days_before_the_roll_and_again_on_the_day_once_each() -> None:
    trader = trader_on("2026-12-10", "17:59:59").ticks()
    assert raised(trader) == []
    trader.at("18:00:00").ticks()  # the trade date of Friday, three calendar days before Monday, begins
    assert raised(trader) == ["contract_rolls_soon"]
    assert trader.last_alert.sentence == (
        "CONTRACT ROLLS SOON — MESZ6 rolls to MESH7 on 2026-12-14, it ends on 2026-12-18"
    )
    for clock in ("18:00:01", "23:00:00"):
        trader.at(clock).ticks()
    trader.at("12:00:00", "2026-12-11").ticks().restarts().ticks()
    assert raised(trader) == ["contract_rolls_soon"]
    trader.at("18:00:00").ticks().ticks()  # the weekend belongs to Monday
    assert raised(trader) == ["contract_rolls_soon", "contract_rolls"]
    assert trader.restarts().ticks().at("10:00", "2026-12-15").ticks().replays_equal()
    assert raised(trader) == ["contract_rolls_soon", "contract_rolls"]


def test_a_desk_that_is_started_late_warns_once_of_where_it_is() -> None:
    assert raised(trader_on("2026-12-13", "20:00").ticks()) == ["contract_rolls"]


def test_a_cfd_never_rolls() -> None:
    trader = Trader(assets=("EURUSD",)).at("10:00", "2027-06-01").ticks()
    assert raised(trader) == []


def test_the_roll_ends_the_warnings_of_the_old_contract() -> None:
    trader = trader_on("2026-12-11", "12:00").ticks().at("18:00:00").ticks()
    warnings = [alert for alert in trader.desk.alerts if alert.code.startswith("contract_")]
    assert [is_over(alert, trader.desk, {}) for alert in warnings] == [False, False]
    uses(trader, "MESH7").ticks()
    assert [is_over(alert, trader.desk, {}) for alert in warnings] == [True, True]
    assert changes(trader) == [("MESZ6", "MESH7")]


def test_a_flat_desk_changes_its_contract_and_forgets_the_price_of_the_old_one() -> None:
    trader = trader_on("2026-12-11").hears(5250).at("18:00:30")
    uses(trader, "MESH7").ticks()
    assert (trader.asset.live.last_price, trader.asset.live.contract) == (None, "MESH7")
    trader.hears(5310)  # a jump of more than 1 % against the old contract, none for the new one
    assert trader.asset.live.last_price == 5310
    trader.with_structure("green").enters("BUY")
    assert trader.open_order.contract.symbol == "MESH7"
    assert trader.replays_equal()


def test_the_other_size_of_the_same_month_has_the_same_price() -> None:
    trader = uses(trader_on("2026-11-18").hears(5250), "ESZ6").ticks()
    assert trader.asset.live.last_price == 5250
    assert changes(trader) == [("MESZ6", "ESZ6")]


def test_a_trade_is_scaled_and_closed_in_the_contract_it_was_opened_in() -> None:
    trader = trader_on("2026-12-11").hears(5250).is_long(5250).bricks(6, "green")
    trader.at("18:00:05").ticks()
    assert "5 held, closed in MESZ6" in trader.last_alert.sentence
    uses(trader, "MESH7").restarts()
    trader.at("10:00", "2026-12-14").bricks(6, "green").hears(5252).scales_in()
    assert trader.open_order.contract.symbol == "MESZ6"
    trader.filled_at(5252).exits(force=True)
    assert trader.open_order.contract.symbol == "MESZ6"
    trader.filled_at(5255)
    assert [trade.contract for trade in trader.trades] == ["MESZ6"]
    trader.later(200).ticks()
    assert changes(trader) == [("MESZ6", "MESH7")]
    assert trader.asset.live.last_price is None  # what was heard was the price of MESZ6
    assert trader.replays_equal()


def test_while_a_trade_is_held_the_price_of_its_contract_counts() -> None:
    trader = uses(trader_on("2026-12-11").hears(5250).is_long(5250), "MESH7").at("10:00", "2026-12-14")
    trader.asks(NotePrice("ES", Decimal(5310), delivery="H7"))
    assert trader.asset.live.last_price == 5250
    trader.asks(NotePrice("ES", Decimal(5251), delivery="Z6"))
    assert trader.asset.live.last_price == 5251
    assert changes(trader) == []


def test_an_entry_that_fills_after_the_roll_is_a_trade_of_its_own_contract() -> None:
    trader = trader_on("2026-12-11", "17:59:50").hears(5250).with_structure("green").enters("BUY").claims()
    uses(trader.at("18:00:10"), "MESH7")
    trader.filled_at(5251)
    assert trader.trade.contract.symbol == "MESZ6"
    assert trader.exits(force=True).open_order.contract.symbol == "MESZ6"


@pytest.mark.parametrize("override", [False, True])
@pytest.mark.parametrize(("clock", "code"), [("09:29:59.999999", "contract_ends"), ("09:30:00", "contract_expired")])
def test_no_entry_passes_in_a_contract_that_has_ended(clock: str, code: str, override: bool) -> None:
    trader = trader_on("2026-12-18", "09:29")  # the operator pinned MESZ6, so the desk does not roll it
    trader.with_structure("green").at(clock).enters("BUY", override=override)
    assert trader.refused_by == "feed"
    rung = trader.rungs["feed"]
    assert rung.code == code
    assert rung.facts["next_contract"] == "MESH7"
    if code == "contract_expired":
        assert rung.sentence == "CONTRACT EXPIRED — trading in MESZ6 ended on 2026-12-18"
    else:
        assert rung.sentence == "CONTRACT'S LAST SESSION — trading in MESZ6 ends in this session, MESH7 follows"


@pytest.mark.parametrize(("clock", "code"), [("17:59:59.999999", None), ("18:00:00", "contract_ends")])
def test_the_contract_s_last_session_begins_the_evening_before(clock: str, code: str | None) -> None:
    trader = trader_on("2026-12-17", "17:55").with_structure("green").at(clock)
    trader.enters("BUY")
    assert trader.refused_by == (None if code is None else "feed")
    assert code is None or trader.rungs["feed"].code == code


@pytest.mark.parametrize(("clock", "refused_by"), [("09:29:59.999999", None), ("09:30:00", "feed")])
def test_generation_4_entered_a_contract_until_its_last_trade(clock: str, refused_by: str | None) -> None:
    trader = Trader(on="2026-11-17", generation=4)
    uses(trader, "MESZ6").at("09:29", "2026-12-18").with_structure("green").at(clock).enters("BUY")
    assert trader.refused_by == refused_by


def test_an_exit_passes_in_the_last_session() -> None:
    trader = uses(trader_on("2026-12-11").hears(5250).is_long(5250), "MESH7").at("09:00:00", "2026-12-18")
    trader.bricks(6, "green")
    assert trader.scales_in().refused_by == "feed"
    assert trader.exits(force=True).order is not None
    assert trader.replays_equal()


def test_a_preorder_in_a_contract_that_has_ended_becomes_no_order() -> None:
    trader = trader_on("2026-12-18", "09:25").with_structure("green").preorders("BUY").at("09:30:00").bricks(6, "green")
    assert (trader.order, trader.preorder.status) == (None, "CANCELLED")
    assert trader.preorder.reason == "CONTRACT EXPIRED — trading in MESZ6 ended on 2026-12-18"


def test_no_scale_in_passes_in_a_contract_that_has_ended() -> None:
    trader = (
        uses(trader_on("2026-12-11").hears(5250).is_long(5250), "MESH7").at("09:30:00", "2026-12-18").bricks(6, "green")
    )
    assert trader.last_alert.level == "critical"
    assert "5 held" in trader.last_alert.sentence
    assert trader.scales_in().refused_by == "feed"
    assert trader.exits(force=True).order is not None  # an exit never passes a gate
    assert trader.replays_equal()


def test_a_desk_whose_trade_has_ended_may_enter_the_contract_that_it_trades_now() -> None:
    trader = uses(trader_on("2026-12-11").hears(5250).is_long(5250), "MESH7").at("10:00", "2026-12-18")
    trader.bricks(6, "green").exits().filled_at(5250).later(400).with_structure("green").enters("BUY")
    assert trader.open_order.contract.symbol == "MESH7"


def test_a_contract_of_unknown_dates_is_warned_of_never() -> None:
    trader = Trader().at("10:00", "2026-12-18").ticks()
    assert raised(trader) == []
    assert trader.asset.contract.dates is None


def test_an_earlier_generation_knows_no_roll() -> None:
    trader = Trader(on="2026-12-11", generation=3)
    uses(trader, "MESZ6").at("18:00:00").ticks()
    assert (raised(trader), trader.asset.live.contract) == ([], None)


def test_the_dates_of_a_contract_name_the_roll_the_end_and_the_next() -> None:
    dates = contract_of("MESZ6").dates
    assert dates is not None
    assert (dates.rolls_on, dates.next_contract) == (ROLLS, "MESH7")
    assert dates.last_trade == new_york("2026-12-18", "09:30") == datetime(2026, 12, 18, 14, 30, tzinfo=UTC)


def test_no_price_of_the_next_contract_is_simulated_because_one_of_the_last_was() -> None:
    trader = trader_on("2026-12-10").asks(NotePrice("ES", Decimal(5250), simulated=True))
    trader.later(1).asks(NotePrice("ES"))
    assert trader.asset.live.is_price_simulated
    uses(trader, "MESH7").ticks()
    live = trader.asset.live
    assert (live.last_price, live.is_price_simulated, live.is_simulated) == (None, False, False)
