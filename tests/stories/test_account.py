"""What the desk believes of the account: any number is not equity (SPEC 5.6, gate ``account``)."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from services.engine.model.bridge_commands import ConfirmTransfer, TakeSnapshot
from services.engine.model.events import DayEquityNoted
from services.engine.model.proof_events import BalanceExplained, BalanceSuspected, TransferConfirmed
from services.engine.rules.beliefs import day_result
from tests.support.narrow import known
from tests.support.trader import Trader


def trader_on_a_day(balance: object = 50_000, **settings: Any) -> Trader:
    return Trader(**settings).with_structure("green").broker_says(balance)


def says(trader: Trader, balance: object, **told: Any) -> Trader:
    """Hear a balance 2 s later from a bridge that tells no figures of the broker, unless ``told`` has them."""
    return trader.later(2).broker_says(balance, **{"realized": None, **told})


# -- what is no balance -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("balance", [0, -100, "0.00"])
def test_a_balance_of_zero_or_less_is_unknown_and_no_loss(balance: object) -> None:
    trader = says(says(says(trader_on_a_day(), balance), balance), 50_000)
    assert (trader.desk.live.equity, trader.desk.day.is_stopped, trader.alerts) == (Decimal(50_000), False, [])
    assert trader.gate_for("BUY") is None
    assert trader.replays_equal()


def test_a_balance_of_one_that_begins_a_day_switches_no_stop_off() -> None:
    trader = says(trader_on_a_day(balance="1.0"), 30_000)
    assert trader.gate_for("BUY") == "account"
    assert trader.desk.live.equity == 1


@pytest.mark.parametrize("age", [60, 3 * 3600])
def test_an_old_balance_begins_no_day(age: int) -> None:
    trader = Trader(at="12:00:00").broker_says(50_000, as_of=Trader(at="12:00:00").now - timedelta(seconds=age))
    assert (trader.desk.day.start_equity, trader.desk.live.equity) == (None, None)


def test_a_balance_from_before_the_last_one_is_ignored() -> None:
    trader = trader_on_a_day().later(10)
    trader.broker_says(50_100).broker_says(49_000, as_of=trader.now - timedelta(seconds=5))
    assert (trader.desk.live.equity, trader.gate_for("BUY")) == (Decimal(50_100), None)


# -- a jump -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("balance", "gate"),
    [("50250.00", None), ("50250.01", "account"), ("49750.00", None), ("49749.99", "account"), (53_000, "account")],
)
def test_a_jump_of_more_than_half_a_percent_that_nothing_explains_is_suspect(balance: object, gate: str | None) -> None:
    assert says(trader_on_a_day(), balance).gate_for("BUY") == gate


def test_a_suspect_balance_says_by_how_much_and_flattens_nothing() -> None:
    trader = says(trader_on_a_day().enters("BUY").filled_at(5250), 53_000)
    assert (trader.order, trader.desk.live.equity) == (None, Decimal(50_000))
    assert trader.alerts == ["balance_suspect"]
    assert "+3000.00 USD of the balance 53000.00 are not explained" in trader.last_alert.sentence
    assert says(trader, 53_010).alerts == ["balance_suspect"]
    assert trader.replays_equal()


def test_it_ends_when_a_later_balance_is_explained_again() -> None:
    trader = says(says(trader_on_a_day(), 30_000), 50_000)
    assert trader.gate_for("BUY") is None
    assert len(trader.told(BalanceSuspected)) == len(trader.told(BalanceExplained)) == 1
    assert not trader.desk.day.is_stopped
    assert trader.replays_equal()


def test_a_single_wrong_balance_stops_no_day() -> None:
    trader = trader_on_a_day().enters("BUY").filled_at(5250)
    says(says(trader, 5_000), 50_000).later(600).ticks()
    assert (trader.desk.day.is_stopped, trader.order) == (False, None)


def test_the_desks_own_fills_and_prices_explain_a_change() -> None:
    trader = trader_on_a_day().enters("BUY").filled_at(5250).hears(5220)  # 5 contracts, 30 points: 750 USD
    assert says(trader, 49_250).alerts == ["daily_warning"]
    trader.bricks(6, "green").exits().filled_at(5219)
    assert says(trader, 49_225).desk.live.equity == 49_225
    assert trader.alerts == ["daily_warning"]


def test_the_open_pnl_of_the_message_explains_a_change() -> None:
    trader = says(trader_on_a_day().enters("BUY").filled_at(5250), 49_250, open_pnl=-750)
    assert trader.desk.live.equity == 49_250


def test_the_brokers_own_figures_explain_a_change_made_elsewhere() -> None:
    trader = says(says(trader_on_a_day(), 50_000, realized=0), 49_400, realized=-600)
    assert (trader.desk.live.equity, trader.alerts) == (Decimal(49_400), ["daily_warning"])


def trader_on_a_day_with_figures(**settings: Any) -> Trader:
    return Trader(**settings).with_structure("green").broker_says(50_000, realized=0)


def test_a_brokers_figure_that_returns_to_zero_is_a_new_zero() -> None:
    trader = says(trader_on_a_day_with_figures(), 49_400, realized=-600)
    says(trader, 49_400, realized=0)
    assert day_result(trader.desk).figures == -600
    assert says(trader, 49_300, realized=-100).desk.live.equity == 49_300
    assert day_result(trader.desk).figures == -700


# -- whose balance it is ---------------------------------------------------------------------------------------------


def test_another_account_is_suspect_and_never_a_start() -> None:
    trader = Trader().with_structure("green").hears_bridge(account="SIM-1").broker_says(50_000)
    says(trader, 50_000, account="SIM-2")
    assert trader.gate_for("BUY") == "account"
    assert "SIM-2" in trader.last_alert.sentence
    assert says(trader, 50_000, account="SIM-1").gate_for("BUY") is None
    assert trader.desk.day.start_equity == 50_000
    assert trader.replays_equal()


def test_a_first_balance_of_another_account_than_the_bridge_names_begins_no_day() -> None:
    trader = Trader().with_structure("green").hears_bridge(account="SIM-1")
    says(trader, 3_000, account="SIM-2")
    assert (trader.desk.day.start_equity, trader.gate_for("BUY")) == (None, "account")
    assert says(trader, 50_000, account="SIM-1").gate_for("BUY") is None
    assert trader.desk.day.start_equity == 50_000
    assert says(trader, 3_000, account="SIM-2").gate_for("BUY") == "account"
    assert trader.replays_equal()


def test_the_account_that_the_bridge_named_in_the_other_environment_is_no_measure() -> None:
    trader = trader_on_a_day().hears_bridge(account="SIM-1", env="DEMO", envs=("DEMO", "LIVE")).switches_to("LIVE")
    says(trader, 20_000, account="REAL-1", env="LIVE")
    assert (trader.desk.day.start_equity, trader.desk.live.beliefs.suspicion) == (Decimal(20_000), None)


def test_the_operator_confirms_an_account_that_the_balances_spell_in_their_own_way() -> None:
    trader = Trader().with_structure("green").hears_bridge(account="SIM-1")
    says(says(trader, 50_000, account="sim1"), 50_000, account="sim1")
    assert (trader.desk.day.start_equity, trader.gate_for("BUY")) == (None, "account")
    trader.asks(ConfirmTransfer(Decimal(0), "the snapshots spell it so"))
    assert (trader.desk.day.start_equity, trader.gate_for("BUY")) == (Decimal(50_000), None)
    assert says(trader, 50_010, account="sim1").gate_for("BUY") is None
    assert trader.replays_equal()


def test_another_account_stops_no_day() -> None:
    trader = Trader().hears_bridge(account="SIM-1").broker_says(50_000)
    for _ in range(3):
        says(trader, 20_000, account="SIM-2", realized=-30_000)
    assert (trader.desk.day.is_stopped, trader.desk.day.books.awaited) == (False, None)


def test_a_balance_without_an_account_belongs_to_the_last_named_one() -> None:
    trader = Trader().with_structure("green").hears_bridge(account="SIM-1").broker_says(50_000)
    assert says(trader.hears_bridge(), 50_010).gate_for("BUY") is None
    assert says(trader.hears_bridge(account="SIM-2"), 50_010).gate_for("BUY") == "account"


def test_an_account_that_is_named_for_the_first_time_is_no_change() -> None:
    trader = trader_on_a_day().hears_bridge(account="SIM-1")
    assert says(trader, 50_010).gate_for("BUY") is None
    assert known(trader.desk.live.beliefs.believed).account == "SIM-1"


def test_the_balance_of_the_other_environment_is_not_this_accounts() -> None:
    trader = trader_on_a_day().hears_bridge().switches_to("LIVE")
    says(trader, 50_000, env="DEMO")
    assert (trader.desk.day.start_equity, trader.desk.live.equity) == (None, None)
    says(trader, 40_000, env="LIVE")
    assert (trader.desk.day.start_equity, trader.gate_for("BUY")) == (Decimal(40_000), None)
    trader.switches_to("DEMO")
    assert (trader.desk.day.start_equity, says(trader, 50_000).gate_for("BUY")) == (Decimal(50_000), None)
    assert trader.replays_equal()


# -- LIVE knows its balance ------------------------------------------------------------------------------------------


def test_live_needs_a_balance() -> None:
    trader = Trader().with_structure("green").hears_bridge().switches_to("LIVE")
    assert trader.gate_for("BUY") == "account"
    assert trader.broker_says(50_000).gate_for("BUY") is None


@pytest.mark.parametrize(
    ("age", "gate"), [({"seconds": 59, "microseconds": 999_999}, None), ({"seconds": 60}, "account")]
)
def test_live_needs_a_balance_of_the_last_minute(age: dict[str, int], gate: str | None) -> None:
    trader = Trader(env="LIVE").with_structure("green").broker_says(50_000).loses_bridge()
    trader.later(**age).asks(TakeSnapshot(tells_positions=False)).hears_bridge()
    assert trader.gate_for("BUY") == gate


def test_demo_needs_no_balance() -> None:
    assert Trader().with_structure("green").gate_for("BUY") is None


# -- the start of a day ----------------------------------------------------------------------------------------------


def test_the_start_is_the_first_believed_balance_less_what_the_books_lost_before() -> None:
    trader = Trader().is_long(5250).hears(5240)
    assert says(trader, 49_750).desk.day.start_equity == 50_000


def test_until_the_first_balance_demo_reckons_with_its_assumed_equity() -> None:
    trader = Trader(demo_equity=Decimal(10_000), stop_points=Decimal(6)).is_long(5250)
    trader.hears(5242)  # 200 USD: 2 % of 10,000
    assert trader.gate_for("BUY") == "daily_stop"
    assert trader.later(2).hears(5242).exit_source == "daily_stop"


def test_the_first_balance_replaces_the_assumption_without_suspicion() -> None:
    trader = trader_on_a_day(balance=120_000)
    assert (trader.desk.day.start_equity, trader.alerts) == (Decimal(120_000), [])


def test_yesterdays_last_balance_is_what_todays_first_is_judged_by() -> None:
    trader = trader_on_a_day().at("18:00:00").ticks()
    assert says(trader, 47_000).gate_for("BUY") == "account"
    assert trader.desk.day.start_equity is None
    assert says(trader, 50_010).desk.day.start_equity == 50_010
    assert trader.replays_equal()


def test_a_position_that_is_held_over_the_roll_counts_its_open_loss_once() -> None:
    trader = trader_on_a_day().enters("BUY", mode="RUNNER").filled_at(5250).hears(5230).at("18:00:00").ticks()
    says(trader, 49_500)
    assert (trader.desk.day.start_equity, day_result(trader.desk).books) == (Decimal(49_500), Decimal(0))
    trader.hears(5220)
    assert day_result(trader.desk).books == -250


def test_a_balance_that_is_unconfirmed_at_the_roll_is_the_new_days_first_with_an_alert() -> None:
    trader = says(trader_on_a_day(at="17:59:00"), 47_000).at("18:00:00").ticks()
    assert trader.alerts == ["balance_suspect", "balance_adopted"]
    assert says(trader, 47_000).gate_for("BUY") is None
    assert trader.desk.day.start_equity == 47_000
    assert trader.replays_equal()


# -- transfers -------------------------------------------------------------------------------------------------------


def confirms(trader: Trader, amount: object) -> Trader:
    return trader.asks(ConfirmTransfer(Decimal(str(amount)), "payout"))


@pytest.mark.parametrize(("balance", "amount"), [(47_000, -3_000), (53_000, 3_000)])
def test_a_confirmed_transfer_moves_the_start_and_is_no_result(balance: int, amount: int) -> None:
    trader = confirms(says(trader_on_a_day_with_figures(), balance, realized=0), amount)
    assert (trader.refused_by, trader.gate_for("BUY")) == (None, None)
    assert trader.desk.day.start_equity == balance
    assert day_result(trader.desk).balance == 0
    assert [event.amount for event in trader.told(TransferConfirmed)] == [amount]
    assert trader.replays_equal()


def test_nothing_is_confirmed_while_nothing_is_suspect() -> None:
    assert confirms(trader_on_a_day(), -3_000).refused_by == "nothing_suspect"


@pytest.mark.parametrize("amount", [-3_001, 3_000, 0])
def test_no_more_is_confirmed_than_is_unexplained(amount: int) -> None:
    trader = confirms(says(trader_on_a_day_with_figures(), 47_000, realized=0), amount)
    assert (trader.refused_by, trader.desk.day.start_equity) == ("transfer_refused", Decimal(50_000))


def test_a_part_that_leaves_too_much_unexplained_leaves_it_suspect() -> None:
    trader = confirms(says(trader_on_a_day_with_figures(), 47_000, realized=0), -2_000)
    assert (trader.gate_for("BUY"), trader.desk.day.start_equity) == ("account", Decimal(48_000))
    assert confirms(trader, -1_000).gate_for("BUY") is None


def test_nothing_is_confirmed_while_something_is_held() -> None:
    trader = trader_on_a_day_with_figures().enters("BUY").filled_at(5250)
    assert confirms(says(trader, 47_000, realized=0), -3_000).refused_by == "transfer_refused"


def test_nothing_is_confirmed_when_something_was_filled_between_the_two_balances() -> None:
    trader = trader_on_a_day_with_figures().enters("BUY").filled_at(5250).bricks(6, "green").exits().filled_at(5250)
    assert confirms(says(trader, 47_000, realized=0), -3_000).refused_by == "transfer_refused"


def test_a_transfer_reopens_no_stop_that_is_awaited() -> None:
    trader = says(Trader().with_structure("green").broker_says(50_000, realized=None), 47_000)
    assert trader.gate_for("BUY") == "daily_stop"  # the broker tells no figures: this may be a loss
    confirms(trader, -3_000)
    assert says(trader, 47_000).gate_for("BUY") == "daily_stop"
    assert says(trader.later(3600), 47_000).desk.day.is_stopped is False
    trader.at("18:00:00").ticks()
    assert says(trader, 47_000).gate_for("BUY") is None


def test_where_the_broker_tells_no_figures_a_payout_stays_counted() -> None:
    trader = says(Trader().with_structure("green").broker_says(50_000, realized=None), 49_400)
    confirms(trader, -600)
    assert (trader.desk.day.start_equity, trader.gate_for("BUY")) == (Decimal(49_400), None)
    assert day_result(trader.desk).balance == -600


def test_the_start_is_noted_once_a_day() -> None:
    trader = says(says(trader_on_a_day(), 50_010), 50_020)
    assert len(trader.told(DayEquityNoted)) == 1


# -- a second bridge process (SPEC 8.2) ------------------------------------------------------------------------------


def two_processes() -> Trader:
    """Return a trader whose bridge alpha of SIM-1 claims and was heard just now; beta is another process."""
    trader = Trader().with_structure("green").hears_bridge(account="SIM-1", instance="alpha")
    return trader.broker_says(50_000, account="SIM-1").hears_bridge(account="SIM-1", instance="alpha")


def tells(trader: Trader, balance: int, account: str, instance: str | None) -> Trader:
    return trader.later(2).asks(TakeSnapshot(balance=Decimal(balance), account=account, instance=instance))


def test_the_balance_of_another_account_from_a_process_that_may_not_claim_closes_nothing() -> None:
    trader = two_processes()
    tells(trader, 20_000, "SIM-2", "beta")
    assert (trader.gate_for("BUY"), trader.alerts) == (None, [])
    assert trader.desk.live.equity == 50_000
    assert trader.replays_equal()


def test_its_balance_of_the_same_account_counts() -> None:
    assert tells(two_processes(), 49_500, "SIM-1", "beta").gate_for("BUY") == "account"


@pytest.mark.parametrize("instance", ["alpha", None])
def test_that_of_the_process_that_claims_and_of_one_without_a_name_closes_the_gate(instance: str | None) -> None:
    assert tells(two_processes(), 20_000, "SIM-2", instance).gate_for("BUY") == "account"


def test_once_the_first_was_silent_for_60_s_the_balance_of_the_second_is_suspect() -> None:
    trader = two_processes().later(59)
    assert tells(trader, 20_000, "SIM-2", "beta").gate_for("BUY") == "account"


# -- a paper bridge that begins anew ---------------------------------------------------------------------------------


def test_a_paper_account_that_begins_anew_is_explained_by_its_own_figures() -> None:
    trader = trader_on_a_day()
    says(trader, 49_600, realized=-400)
    says(trader, 50_000, realized=0)
    assert (trader.gate_for("BUY"), trader.alerts) == (None, [])


@pytest.mark.parametrize("figures", [{"realized": 0}, {"realized": None}])
def test_one_that_begins_with_another_balance_is_suspect_until_its_difference_is_confirmed(
    figures: dict[str, object],
) -> None:
    trader = trader_on_a_day()
    says(trader, 49_900, realized=None if figures["realized"] is None else -100)
    says(trader, 80_000, **figures)
    assert (trader.gate_for("BUY"), trader.alerts) == ("account", ["balance_suspect"])
    assert "80000.00" in trader.last_alert.sentence
    says(trader, 80_000, **figures)  # it does not believe itself
    unexplained = known(trader.desk.live.beliefs.suspicion).unexplained
    trader.asks(ConfirmTransfer(unexplained, "the paper account was set up anew"))
    assert says(trader, 80_000, **figures).gate_for("BUY") is None
    assert trader.replays_equal()
