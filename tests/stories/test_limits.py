"""Tighter limits apply at once, looser ones from the next trading day; no change shortens a running lock (SPEC 5)."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest

from services.engine.model.commands import SetLimits
from services.engine.model.events import LimitsChanged
from services.engine.model.replies import RulesTaken
from services.engine.rules.limits import LIMITS, pending_limits
from tests.support.trader import Trader

TIGHTER: dict[str, tuple[Any, Any, Any]] = {
    "max_trades_per_day": (6, 5, 7),
    "daily_stop_limit_pct": (Decimal(2), Decimal(1), Decimal(3)),
    "cooldown_seconds": (180, 240, 60),
    "candle_seconds": (300, 900, 60),
    "entry_ttl_seconds": (30, 20, 60),
    "fate_seconds": (60, 30, 90),
    "exit_beside_seconds": (5, 2, 10),
    "initial_lock_seconds": (600, 900, 300),
    "preorder_seconds": (1800, 900, 3600),
    "overrides_per_day": (2, 1, 3),
    "heartbeat_max_age_seconds": (600, 300, 900),
    "bridge_max_age_seconds": (30, 15, 60),
    "brick_max_age_hours": (23, 10, 46),
    "entry_qty_6pt": (5, 4, 6),
    "entry_qty_9pt": (3, 2, 4),
    "scale_in_qty": (5, 4, 6),
    "stop_points": (Decimal(15), Decimal("7.5"), Decimal(20)),
    "two_half_filter": (False, True, False),
    "max_risk_per_order_pct": (Decimal("1.5"), Decimal(1), Decimal(2)),
    "max_contracts": (None, Decimal("0.5"), None),
    "max_contracts_correlated": (None, Decimal("1.5"), None),
    "firm_buffer_pct": (Decimal(5), Decimal(10), Decimal(1)),
    "loss_pause_minutes": (60, 90, 30),
    "trading_hours": (None, "09:30-16:00", "09:30-17:00"),
    "no_entry_after_open": (None, 10, 5),
    "no_entry_before_close": (None, 10, 5),
    "flat_by": (None, "15:55", "16:30"),
    "loss_streak": (None, 2, 3),
    "cooldown_after_loss": (None, 900, 600),
    "weekly_loss_pct": (None, Decimal(4), Decimal(5)),
    "weekly_loss_usd": (None, Decimal(2000), Decimal(3000)),
    "max_trades_per_week": (None, 20, 30),
    "give_back_usd": (None, Decimal(300), Decimal(400)),
    "profit_lock_usd": (None, Decimal(800), Decimal(900)),
}
OFF = [name for name, (default, _, _) in TIGHTER.items() if default is None]
LOOSENED = [name for name in TIGHTER if name != "two_half_filter" and name not in OFF]


def value(trader: Trader, name: str) -> object:
    return getattr(trader.desk.rules, name)


def asked(number: object) -> object:
    return int(number) if isinstance(number, bool) else number


def test_these_stories_cover_every_limit() -> None:
    assert {limit.name for limit in LIMITS} == set(TIGHTER)


# -- in the page ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", TIGHTER)
def test_a_tighter_limit_holds_at_once_and_tomorrow(name: str) -> None:
    default, tighter, _ = TIGHTER[name]
    trader = Trader()
    assert value(trader, name) == default
    trader.limits(**{name: asked(tighter)})
    assert trader.answer == RulesTaken({})
    assert value(trader, name) == tighter
    assert type(value(trader, name)) is type(tighter)
    assert trader.told(LimitsChanged)[-1].now == {name: str(tighter)}
    assert value(trader.at("18:00:00").ticks(), name) == tighter
    assert trader.replays_equal()


@pytest.mark.parametrize("name", LOOSENED)
def test_a_looser_limit_waits_for_the_next_trading_day(name: str) -> None:
    default, tighter, looser = TIGHTER[name]
    default = tighter if name in OFF else default
    trader = Trader(**{name: default}).limits(**{name: looser})
    assert trader.answer == RulesTaken({name: str(looser)})
    assert value(trader, name) == default
    assert trader.told(LimitsChanged)[-1].pending == {name: str(looser)}
    assert value(trader.at("17:59:59.999999").ticks(), name) == default
    assert value(trader.at("18:00:00").ticks(), name) == looser
    assert pending_limits(trader.desk) == {}
    assert trader.replays_equal()


@pytest.mark.parametrize("name", OFF)
@pytest.mark.parametrize("is_switched_off", [False, True])
def test_a_limit_that_was_set_is_loosened_or_switched_off_tomorrow(name: str, is_switched_off: bool) -> None:
    _, tighter, looser = TIGHTER[name]
    after = None if is_switched_off else looser
    trader = Trader().limits(**{name: tighter})
    if is_switched_off and name in ("trading_hours", "flat_by"):
        trader.asks(SetLimits({}, {name: None}))
    else:
        trader.limits(**{name: after})
    assert trader.answer == RulesTaken({name: str(after)})
    assert value(trader.at("17:59:59.999999").ticks(), name) == tighter
    assert value(trader.at("18:00:00").ticks(), name) == after
    assert trader.replays_equal()


def test_a_looser_limit_waits_for_a_trading_day_that_is_eight_hours_away() -> None:
    trader = Trader(at="10:00:00.000001").limits(cooldown_seconds=60)
    assert value(trader.at("18:00:00").ticks(), "cooldown_seconds") == 180
    assert pending_limits(trader.desk) == {"cooldown_seconds": 60}
    assert value(trader.at("17:59:59", on="2026-11-18").ticks(), "cooldown_seconds") == 180
    assert value(trader.at("18:00:00").ticks(), "cooldown_seconds") == 60
    assert trader.replays_equal()


def test_a_looser_limit_of_exactly_eight_hours_before_holds_tonight() -> None:
    trader = Trader(at="10:00:00").limits(cooldown_seconds=60)
    assert value(trader.at("18:00:00").ticks(), "cooldown_seconds") == 60


def test_a_limit_loosened_on_friday_holds_from_sunday_on() -> None:
    trader = Trader(at="09:31:10", on="2026-11-20").limits(cooldown_seconds=60)
    assert value(trader.at("18:00:00").ticks(), "cooldown_seconds") == 180  # Monday's desk day, its market is closed
    assert value(trader.at("17:59:59", on="2026-11-22").ticks(), "cooldown_seconds") == 180
    assert value(trader.at("18:00:00").ticks(), "cooldown_seconds") == 60


def test_each_looser_limit_waits_for_a_day_of_its_own() -> None:
    trader = Trader(at="09:31:10").limits(cooldown_seconds=60).at("17:00:00").limits(max_trades_per_day=9)
    trader.limits(cooldown_seconds=90).at("18:00:00").ticks()
    assert (value(trader, "cooldown_seconds"), value(trader, "max_trades_per_day")) == (90, 6)
    assert value(trader.at("18:00:00", on="2026-11-18").ticks(), "max_trades_per_day") == 9


def test_what_waits_and_becomes_looser_still_waits_anew() -> None:
    trader = Trader(at="09:31:10").limits(cooldown_seconds=60).at("17:00:00").limits(cooldown_seconds=30)
    assert value(trader.at("18:00:00").ticks(), "cooldown_seconds") == 180
    assert value(trader.at("18:00:00", on="2026-11-18").ticks(), "cooldown_seconds") == 30


def test_generation_4_loosened_at_the_next_roll() -> None:
    trader = Trader(at="17:55:00", generation=4).limits(cooldown_seconds=60).at("18:00:00").ticks()
    assert value(trader, "cooldown_seconds") == 60
    assert trader.replays_equal()


def test_hours_that_overlap_leave_what_lies_in_both() -> None:
    trader = Trader().limits(trading_hours="09:30-12:00,14:00-16:00").limits(trading_hours="11:00-15:00")
    assert value(trader, "trading_hours") == "11:00-12:00,14:00-15:00"
    assert value(trader.at("18:00:00").ticks(), "trading_hours") == "11:00-15:00"


@pytest.mark.parametrize(
    ("name", "wrong"),
    [("flat_by", "25:00"), ("flat_by", "02:30"), ("trading_hours", "09:30:16:00"), ("trading_hours", "9:30-16:00")],
)
def test_a_time_that_is_none_changes_nothing(name: str, wrong: str) -> None:
    trader = Trader().limits(**{name: wrong})
    assert (trader.refused_by, value(trader, name)) == ("setting_invalid", None)
    assert name in trader.refusal.sentence


def test_the_filter_is_switched_off_tomorrow() -> None:
    trader = Trader(two_half_filter=True).limits(two_half_filter=0)
    assert trader.desk.rules.two_half_filter is True
    assert trader.at("18:00:00").ticks().desk.rules.two_half_filter is False


def test_several_limits_at_once_are_changed_independently() -> None:
    trader = Trader().limits(max_trades_per_day=3, cooldown_seconds=60, daily_stop_limit_pct="1.5")
    rules = trader.desk.rules
    assert (rules.max_trades_per_day, rules.cooldown_seconds, rules.daily_stop_limit_pct) == (3, 180, Decimal("1.5"))
    assert trader.answered(RulesTaken).pending == {"cooldown_seconds": "60"}
    trader.at("18:00:00").ticks()
    rules = trader.desk.rules
    assert (rules.max_trades_per_day, rules.cooldown_seconds, rules.daily_stop_limit_pct) == (3, 60, Decimal("1.5"))


def test_the_last_change_of_the_day_applies_tomorrow() -> None:
    trader = Trader().limits(max_trades_per_day=10).limits(max_trades_per_day=8)
    assert (value(trader, "max_trades_per_day"), trader.answered(RulesTaken).pending) == (
        6,
        {"max_trades_per_day": "8"},
    )
    trader.limits(max_trades_per_day=4)
    assert (value(trader, "max_trades_per_day"), trader.answered(RulesTaken).pending) == (4, {})
    trader.limits(max_trades_per_day=5)
    assert (value(trader, "max_trades_per_day"), trader.answered(RulesTaken).pending) == (
        4,
        {"max_trades_per_day": "5"},
    )
    trader.limits(max_trades_per_day=4)
    assert trader.answered(RulesTaken).pending == {}
    trader.limits(max_trades_per_day=5).limits(cooldown_seconds=600)
    assert trader.answered(RulesTaken).pending == {"max_trades_per_day": "5"}
    assert value(trader.at("18:00:00").ticks(), "max_trades_per_day") == 5
    assert trader.replays_equal()


def test_setting_the_current_value_changes_nothing() -> None:
    trader = Trader().limits(max_trades_per_day=6)
    assert (trader.answer, trader.events) == (RulesTaken({}), ())


@pytest.mark.parametrize("name", ["day_roll", "points_tp_target", "contracts", "sequence"])
def test_one_unknown_limit_refuses_the_whole_change(name: str) -> None:
    trader = Trader().limits(max_trades_per_day=3, **{name: 1})
    assert trader.refused_by == "setting_invalid"
    assert name in trader.refusal.sentence
    assert value(trader, "max_trades_per_day") == 6


def test_an_empty_change_changes_nothing() -> None:
    assert Trader().limits().refused_by == "setting_invalid"


# -- what a tighter limit means at once -----------------------------------------------------------------------


def test_the_trade_limit_closes_with_the_trades_already_taken() -> None:
    trader = Trader().consumes_trade().consumes_trade().with_structure("green").limits(max_trades_per_day=2)
    assert trader.gate_for("BUY") == "trade_limit"
    assert trader.limits(max_trades_per_day=1).gate_for("BUY") == "trade_limit"
    assert "2 of 1" in trader.enters("BUY").refusal.sentence


def test_an_entry_on_its_way_has_the_last_slot_until_it_ends_unfilled() -> None:
    trader = Trader(assets=("ES", "NQ"), max_trades_per_day=1, candle_seconds=1)
    trader.turns_to("NQ").hears(18_000).with_structure("green")
    trader.turns_to("ES").hears(5250).with_structure("green").enters("BUY").later(2).turns_to("NQ").hears(18_000)
    assert trader.gate_for("BUY") == "trade_limit"
    assert "0 of 1 trades taken today, 1 on the way" in trader.enters("BUY").refusal.sentence
    assert trader.turns_to("ES").rejected("no margin").turns_to("NQ").gate_for("BUY") is None


def test_a_filled_entry_and_a_scale_in_on_its_way_use_one_slot() -> None:
    trader = Trader(assets=("ES", "NQ"), max_trades_per_day=2, candle_seconds=1)
    trader.turns_to("NQ").hears(18_000).with_structure("green")
    trader.turns_to("ES").is_long().bricks(6, "green").scales_in().later(2).turns_to("NQ").hears(18_000)
    assert trader.gate_for("BUY") is None


def test_a_daily_stop_lowered_below_the_drawdown_closes_at_once_and_stops_with_a_second_reading() -> None:
    trader = Trader().broker_says(balance=50_000).broker_says(balance=49_400).with_structure("green")
    assert trader.limits(daily_stop_limit_pct=1).gate_for("BUY") == "daily_stop"
    assert trader.later(2).broker_says(balance=49_400).desk.day.is_stopped
    assert trader.gate_for("BUY") == "daily_stop"


def test_a_daily_stop_lowered_below_the_drawdown_stops_the_day_with_the_next_balance() -> None:
    trader = Trader().broker_says(balance=50_000).is_long().broker_says(balance=49_400)
    trader.limits(daily_stop_limit_pct=1, confirm=True).later(2).broker_says(balance=49_400)
    assert trader.exit_source == "daily_stop"


def test_a_limit_that_would_flatten_needs_the_held_button() -> None:
    trader = Trader().broker_says(balance=50_000).is_long().broker_says(balance=49_400).limits(daily_stop_limit_pct=1)
    assert (trader.refused_by, value(trader, "daily_stop_limit_pct")) == ("confirm_needed", Decimal(2))


def test_a_changed_heartbeat_limit_applies_to_the_current_silence() -> None:
    trader = Trader().with_structure("green").goes_silent().later(seconds=301)
    assert trader.gate_for("BUY") is None
    assert trader.limits(heartbeat_max_age_seconds=300).gate_for("BUY") == "heartbeat"


def test_sizes_and_stop_count_for_the_next_order() -> None:
    trader = (
        Trader().limits(entry_qty_6pt=2, stop_points=8, scale_in_qty=1).is_long(5250).hears(5250).bricks(6, "green")
    )
    assert (trader.position, trader.protections.stop_points) == (2, Decimal(8))
    assert trader.limits(stop_points=4).scales_in().open_order.qty == 1
    assert trader.open_order.stop_points == trader.protections.stop_points == 8


def test_a_pending_entry_keeps_its_deadline() -> None:
    trader = Trader().with_structure("green").enters("BUY").limits(entry_ttl_seconds=10).later(seconds=29).ticks()
    assert trader.order is not None
    assert trader.later(seconds=1).ticks().order is None


def test_a_longer_cooldown_counts_from_the_next_exit_and_never_shortens_the_running_one() -> None:
    trader = Trader(candle_seconds=1).trades_once().bricks(6, "green").limits(cooldown_seconds=240)
    assert trader.later(seconds=179).gate_for("BUY") == "cooldown"
    trader.later(seconds=61).trades_once().bricks(6, "green")
    assert trader.later(seconds=239).gate_for("BUY") == "cooldown"
    assert trader.later(seconds=1).gate_for("BUY") is None


# -- locks that hold already ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("entry_at", "seconds", "last", "opens"),
    [
        ("09:31:10", 900, "09:44:59.999999", "09:45:00"),
        ("09:36:00", 900, "09:44:59.999999", "09:45:00"),
        ("09:44:59", 900, "09:44:59.999999", "09:45:00"),
        ("09:31:10", 3600, "09:59:59.999999", "10:00:00"),
        ("09:31:10", 600, "09:39:59.999999", "09:40:00"),
        ("09:36:00", 600, "09:39:59.999999", "09:40:00"),
    ],
)
def test_a_candle_made_longer_while_it_runs_ends_with_the_longer_one(
    entry_at: str, seconds: int, last: str, opens: str
) -> None:
    trader = Trader(at="09:30:00", assets=("ES", "NQ")).with_structure("green", "NQ").with_structure("green", "ES")
    trader.at(entry_at).enters("BUY").claims().limits(candle_seconds=seconds)
    assert trader.at(last).gate_for("BUY", asset="NQ") == "candle_lock"
    assert trader.at(opens).gate_for("BUY", asset="NQ") is None


def test_a_longer_candle_ends_no_lock_early() -> None:
    """From 300 to 450 s: the candle 09:35 to 09:40 is used, and a new candle begins inside it at 09:37:30."""
    trader = Trader(at="09:36:00", assets=("ES", "NQ")).with_structure("green", "NQ").with_structure("green", "ES")
    trader.enters("BUY").claims().limits(candle_seconds=450)
    assert trader.at("09:39:59").gate_for("BUY", asset="NQ") == "candle_lock"


def test_a_rejected_entry_frees_its_candle_after_candles_became_longer() -> None:
    trader = Trader(at="09:36:00", assets=("ES", "NQ")).with_structure("green", "NQ").with_structure("green", "ES")
    trader.enters("BUY").claims().limits(candle_seconds=900).later(seconds=10).rejected()
    assert trader.gate_for("BUY", asset="NQ") is None


LOOSE = {"max_trades_per_day": 100, "daily_stop_limit_pct": 50, "cooldown_seconds": 0, "candle_seconds": 1}


def loosens_in_the_page(trader: Trader) -> Trader:
    return trader.limits(**LOOSE)


def loosens_by_restart(trader: Trader) -> Trader:
    return trader.restarts(**{**LOOSE, "daily_stop_limit_pct": Decimal(50)})


LOCKED = {
    "daily_stop": lambda trader: trader.broker_says(balance=50_000).loses(49_000),
    "trade_limit": lambda trader: trader.consumes_trade(),
    "cooldown": lambda trader: trader.trades_once().bricks(6, "green").at("09:33:00"),
    "candle_lock": lambda trader: trader.enters("BUY").claims().turns_to("NQ").bricks(6, "green"),
}


@pytest.mark.parametrize("loosens", [loosens_in_the_page, loosens_by_restart])
@pytest.mark.parametrize("gate", LOCKED)
def test_no_looser_limit_loosens_a_lock_that_holds(gate: str, loosens: Callable[..., Any]) -> None:
    limit = 1 if gate == "trade_limit" else 6
    trader = Trader(assets=("ES", "NQ"), max_trades_per_day=limit)
    trader.with_structure("green", "NQ").with_structure("green", "ES")
    LOCKED[gate](trader)
    before = trader.enters("BUY").refusal
    assert before.gate == gate
    loosens(trader)
    assert trader.enters("BUY").refusal == before


def test_tomorrow_the_looser_limits_apply_and_the_days_locks_end() -> None:
    trader = Trader(max_trades_per_day=1).broker_says(balance=50_000).consumes_trade().loses(49_000)
    trader.limits(max_trades_per_day=9).at("18:00:00").with_structure("green")
    assert trader.gate_for("BUY") is None
    assert trader.ticks().desk.rules.max_trades_per_day == 9


def test_a_cooldown_over_the_day_roll_keeps_its_end() -> None:
    trader = Trader(at="09:58:00").limits(cooldown_seconds=0).at("17:58:00").trades_once()
    trader.at("18:00:59.999999").bricks(6, "green")
    assert trader.desk.rules.cooldown_seconds == 0
    assert trader.gate_for("BUY") == "cooldown"
    assert trader.at("18:01:00").gate_for("BUY") is None


# -- by restart -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", LOOSENED)
def test_a_restart_with_a_looser_setting_keeps_the_days_limit_and_raises_an_alert(name: str) -> None:
    _, tighter, looser = TIGHTER[name]
    default = tighter if name in OFF else TIGHTER[name][0]
    trader = Trader(**{name: default}).restarts(**{name: looser})
    assert value(trader, name) == default
    assert trader.alerts == ["limits_pending"]
    assert name in trader.last_alert.sentence
    assert trader.restarts().alerts == ["limits_pending"]
    assert value(trader.at("18:00:00").ticks(), name) == looser
    assert trader.replays_equal()


@pytest.mark.parametrize("name", TIGHTER)
def test_a_restart_with_a_tighter_setting_applies_it_at_once(name: str) -> None:
    _, tighter, _ = TIGHTER[name]
    trader = Trader().restarts(**{name: tighter})
    assert (value(trader, name), trader.alerts) == (tighter, [])
    assert value(trader.at("18:00:00").ticks(), name) == tighter


def test_a_restart_with_a_lower_stop_stops_a_day_that_has_lost_more() -> None:
    trader = Trader().broker_says(balance=50_000).is_long().broker_says(balance=49_400)
    trader.restarts(daily_stop_limit_pct=Decimal(1)).later(2).broker_says(balance=49_400)
    assert trader.exit_source == "daily_stop"


def test_a_limit_tightened_in_the_page_outlives_restarts_and_days() -> None:
    trader = Trader().limits(max_trades_per_day=3).restarts()
    assert (value(trader, "max_trades_per_day"), trader.alerts) == (3, [])
    trader.at("18:00:00").restarts()
    assert value(trader, "max_trades_per_day") == 3
    assert trader.replays_equal()


def test_a_restart_that_changes_another_setting_leaves_it_tightened() -> None:
    trader = Trader().limits(max_trades_per_day=3).restarts(cooldown_seconds=240)
    assert (value(trader, "max_trades_per_day"), value(trader, "cooldown_seconds")) == (3, 240)
    assert value(trader.at("18:00:00").ticks(), "max_trades_per_day") == 3


def test_a_changed_setting_replaces_the_pages_pending_value() -> None:
    trader = Trader().limits(max_trades_per_day=10).restarts(max_trades_per_day=8)
    assert pending_limits(trader.desk) == {"max_trades_per_day": 8}
    assert value(trader, "max_trades_per_day") == 6
    trader.restarts(max_trades_per_day=6)
    assert pending_limits(trader.desk) == {}


def test_a_looser_setting_reverted_the_same_day_leaves_nothing_pending() -> None:
    trader = Trader().restarts(max_trades_per_day=9).restarts(max_trades_per_day=6).at("18:00:00").ticks()
    assert value(trader, "max_trades_per_day") == 6


def test_the_roll_itself_is_never_moved_today() -> None:
    trader = Trader(max_trades_per_day=1).consumes_trade().with_structure("green").restarts(day_roll="12:00")
    assert trader.at("12:00:00").gate_for("BUY") == "trade_limit"
    assert trader.at("18:00:00").gate_for("BUY") is None
    assert trader.ticks().desk.rules.day_roll == "12:00"


def test_a_setting_that_is_no_limit_changes_at_once_by_restart() -> None:
    trader = Trader().restarts(points_tp_target=Decimal(20)).is_long(5250)
    assert trader.protections.points_tp_target == 20


def test_pending_limits_survive_a_restart() -> None:
    trader = Trader().limits(cooldown_seconds=60).restarts()
    assert pending_limits(trader.desk) == {"cooldown_seconds": 60}
