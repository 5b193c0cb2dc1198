"""The protections of an open trade: what the operator may change, when they fire, when they are locked (SPEC 6)."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from typing import Any, Literal

import pytest

from services.engine.model.trade import Trade
from services.engine.model.trade_events import ProtectionChanged, SignalCounted
from tests.support.narrow import of_type
from tests.support.trader import Trader
from wire.types import Color

RED: Color = "red"
OPENS = {"is_long": 1, "is_short": -1}


def runner(opens: str = "is_long", **settings: Any) -> Trader:
    """Return a trader with a RUNNER from 5250 whose management is unlocked."""
    return opened(Trader(**settings), opens).unlocks_management()


def opened(trader: Trader, opens: str) -> Trader:
    """Open a RUNNER from 5250 the way that is named."""
    return (trader.is_long if opens == "is_long" else trader.is_short)(5250, mode="RUNNER")


def armed(trader: Trader, color: Color | None) -> Trader:
    """Switch protect and points target on, then let 61 s pass and a 2.5pt brick of that colour come."""
    trader.protects("-2").targets(15).later(61)
    return trader.bricks(2.5, color) if color else trader


# -- the management lock --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("opens", "color", "is_locked"),
    [
        ("is_long", None, True),
        ("is_long", "neutral", True),
        ("is_long", "green", True),
        ("is_long", "red", False),
        ("is_short", None, True),
        ("is_short", "neutral", True),
        ("is_short", "red", True),
        ("is_short", "green", False),
    ],
)
@pytest.mark.parametrize("change", ["protects", "targets"])
def test_the_2_5pt_stream_locks_what_loosens_protect_and_points_target(
    opens: str, color: Color, is_locked: bool, change: str
) -> None:
    trader = armed(getattr(Trader(), opens)(5250), color)
    before = trader.trade
    getattr(trader, change)(enabled=False)
    assert trader.refused_by == ("management_locked" if is_locked else None)
    assert not is_locked or trader.trade == before
    assert trader.replays_equal()


@pytest.mark.parametrize("generation", [4, 5])
@pytest.mark.parametrize(("change", "value"), [("protects", -2), ("protects", "0.5"), ("targets", 10)])
def test_up_to_generation_4_it_locked_what_tightens_too(generation: int, change: str, value: object) -> None:
    trader = getattr(Trader(generation=generation).is_long(5250), change)(value)
    assert trader.refused_by == ("management_locked" if generation == 4 else None)
    assert trader.replays_equal()


LOOSENS = [  # protect and points target before and after, and whether that is looser
    ("protects", "-2", "0.5", False),
    ("protects", "0.5", "0.5", False),
    ("protects", "0.5", "-2", True),
    ("targets", "15", "14.99", False),
    ("targets", "15", "15", False),
    ("targets", "15", "15.01", True),
]


@pytest.mark.parametrize(("change", "before", "after", "is_looser"), LOOSENS)
@pytest.mark.parametrize("is_locked", [False, True])
def test_further_away_is_looser_and_nearer_is_not(
    change: str, before: str, after: str, is_looser: bool, is_locked: bool
) -> None:
    trader = getattr(runner(), change)(before).later(61)
    if is_locked:
        trader.bricks(2.5, "green")
    getattr(trader, change)(after)
    assert trader.refused_by == ("management_locked" if is_looser and is_locked else None)


def test_another_threshold_of_a_protect_that_is_off_loosens_nothing() -> None:
    trader = runner().protects("0.5").later(61).protects(enabled=False).bricks(2.5, "green")
    assert trader.protects(-2, enabled=False).refused_by is None


@pytest.mark.parametrize("change", ["protects", "targets"])
@pytest.mark.parametrize(("seconds", "refused_by"), [(0, None), (60, None), (60.001, "management_locked")])
def test_what_was_switched_on_is_taken_back_within_60_s(change: str, seconds: float, refused_by: str | None) -> None:
    trader = getattr(Trader().is_long(5250, mode="RUNNER"), change)().restarts().later(seconds)
    getattr(trader, change)(enabled=False)
    assert trader.refused_by == refused_by
    assert trader.replays_equal()


def test_a_value_that_was_moved_nearer_is_not_moved_back_within_60_s() -> None:
    trader = runner().targets(10).bricks(2.5, "green")
    assert trader.targets(20).refused_by == "management_locked"
    assert trader.targets(enabled=False).refused_by is None
    trader = runner().protects("0.5").bricks(2.5, "green")
    assert trader.protects(-2).refused_by == "management_locked"
    assert trader.protects(enabled=False).refused_by is None


def test_what_was_on_from_the_entry_is_not_taken_back() -> None:
    assert Trader().is_long(5250).targets(enabled=False).refused_by == "management_locked"
    assert Trader().is_long(5250).targets(14).targets(enabled=False).refused_by == "management_locked"


def test_it_locks_again_with_the_next_brick() -> None:
    trader = runner().protects(-2).later(61).bricks(2.5, "green").protects(enabled=False)
    assert trader.refused_by == "management_locked"
    assert "green" in trader.refusal.sentence
    assert trader.bricks(2.5, "red").protects(enabled=False).refused_by is None


def test_a_2_5pt_brick_from_before_the_entry_counts() -> None:
    assert Trader().bricks(2.5, "red").is_long().targets(enabled=False).refused_by is None


@pytest.mark.parametrize("points", [1, 4, 6, 12])
def test_no_other_size_unlocks_it(points: int) -> None:
    trader = Trader().is_long(5250)
    trader.brick_against(points)
    assert trader.targets(enabled=False).refused_by == "management_locked"


def test_armed_protections_fire_while_it_is_locked() -> None:
    trader = runner().protects(-2).bricks(2.5, "green").hears(5248)
    assert trader.exit_source == "protect"
    trader = runner().targets(10).bricks(2.5, "green").hears(5260)
    assert trader.exit_source == "points_tp"


def test_it_survives_a_restart() -> None:
    assert Trader().is_long().restarts().targets(enabled=False).refused_by == "management_locked"
    assert Trader().is_long().unlocks_management().restarts().targets(enabled=False).refused_by is None


@pytest.mark.parametrize("change", ["protects", "targets", "signals"])
def test_an_asset_without_a_trade_has_nothing_to_protect(change: str) -> None:
    assert getattr(Trader().with_structure("green"), change)().refused_by == "nothing_to_manage"
    assert getattr(Trader().with_structure("green").enters("BUY").claims(), change)().refused_by == "nothing_to_manage"
    assert getattr(Trader().turns_to("CL"), change)().refused_by == "unknown_asset"


@pytest.mark.parametrize("rule", ["high_next_bar", "main_flip", "four_pt_invalidation"])
def test_a_flat_asset_has_nothing_to_toggle(
    rule: Literal["high_next_bar", "main_flip", "four_pt_invalidation"],
) -> None:
    assert Trader().toggles(rule).refused_by == "nothing_to_manage"
    assert Trader().turns_to("CL").toggles(rule).refused_by == "unknown_asset"


# -- protect --------------------------------------------------------------------------------------------------


def test_it_is_off_at_entry() -> None:
    trader = Trader().is_long(5250, mode="RUNNER").hears(5200)
    assert not trader.protections.protect_enabled
    assert trader.order is None


@pytest.mark.parametrize("threshold", ["-2", "-2.0", "0.5", "0.50"])
def test_both_thresholds_are_accepted(threshold: str) -> None:
    trader = runner().protects(threshold)
    assert trader.refused_by is None
    assert trader.protections.protect_threshold_points == Decimal(threshold)
    assert trader.told(ProtectionChanged)[-1].asset == "ES"


@pytest.mark.parametrize("threshold", ["-2.01", "-1.99", "0", "0.49", "0.51", "2", "-0.5", "200"])
def test_any_other_threshold_is_refused_locked_or_not(threshold: str) -> None:
    for trader in (runner(), runner().bricks(2.5, "green")):
        assert trader.protects(threshold).refused_by == "setting_invalid"
        assert not trader.protections.protect_enabled


@pytest.mark.parametrize("opens", OPENS)
@pytest.mark.parametrize(
    ("threshold", "points", "fires"),
    [
        (-2, "-1.75", False),
        (-2, "-2", True),
        (-2, "-2.25", True),
        ("0.5", "0.75", False),
        ("0.5", "0.5", True),
        ("0.5", "0.25", True),
    ],
)
def test_it_fires_at_its_threshold_and_below_from_a_price(
    opens: str, threshold: int | str, points: str, fires: bool
) -> None:
    trader = runner(opens).hears(5250 + OPENS[opens] * 20).protects(threshold)
    trader.later(seconds=1).hears(Decimal(5250) + OPENS[opens] * Decimal(points))
    assert trader.exit_source == ("protect" if fires else None)


@pytest.mark.parametrize(
    ("threshold", "open_pnl", "fires"),
    [(-2, "-49.99", False), (-2, "-50", True), ("0.5", "12.51", False), ("0.5", "12.5", True)],
)
def test_it_fires_from_a_snapshot(threshold: int | str, open_pnl: str, fires: bool) -> None:
    trader = runner().protects(threshold).broker_says(open_pnl=open_pnl)
    assert trader.exit_source == ("protect" if fires else None)


def test_an_older_price_does_not_fire_it_against_a_newer_snapshot() -> None:
    trader = runner().protects(-2).later(seconds=5).broker_says(open_pnl=0)
    trader.hears(5240, sent_at=trader.now - timedelta(seconds=1))
    assert trader.order is None


def test_it_keeps_its_threshold_when_none_is_named() -> None:
    trader = runner().protects("0.5").protects(enabled=False)
    assert (trader.protections.protect_enabled, trader.protections.protect_threshold_points) == (False, Decimal("0.5"))
    assert trader.hears(5200).order is None
    assert trader.protects().hears(5199).exit_source == "protect"


def test_it_fires_before_the_first_6pt_brick() -> None:
    assert runner().protects(-2).hears(5248).exit_source == "protect"


def test_it_ends_with_the_trade() -> None:
    trader = runner(cooldown_seconds=0).protects(-2).hears(5248).filled_at(5248).at("09:36:00").is_long(5250)
    assert not trader.protections.protect_enabled


# -- the points target ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("target", "refused_by"),
    [
        ("0", "setting_invalid"),
        ("-0.01", "setting_invalid"),
        ("0.01", None),
        ("0.25", None),
        ("200", None),
        ("200.01", "setting_invalid"),
    ],
)
def test_the_target_is_above_0_and_at_most_200(target: str, refused_by: str | None) -> None:
    trader = runner().targets(target)
    assert trader.refused_by == refused_by
    assert trader.protections.points_tp_enabled is (refused_by is None)


@pytest.mark.parametrize(("points", "fires"), [("7.25", False), ("7.5", True)])
@pytest.mark.parametrize("opens", OPENS)
def test_a_changed_target_fires_at_exactly_its_points(opens: str, points: str, fires: bool) -> None:
    trader = runner(opens).targets("7.5").hears(Decimal(5250) + OPENS[opens] * Decimal(points))
    assert trader.exit_source == ("points_tp" if fires else None)


def test_switched_off_it_does_not_fire() -> None:
    trader = Trader().is_long(5250).unlocks_management().targets(enabled=False).hears(5300)
    assert trader.order is None
    assert trader.protections.points_tp_target == 15
    assert trader.targets().hears(5301).exit_source == "points_tp"


# -- the signal target ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("opens", OPENS)
def test_it_fires_with_the_third_6pt_brick_against_the_trade(opens: str) -> None:
    trader = getattr(Trader(), opens)(5250, mode="RUNNER").signals(toggle=True)
    trader.brick_against(6).brick_with(6).brick_against(6)
    assert (trader.protections.tp_count, trader.order) == (2, None)
    assert trader.brick_against(6).exit_source == "signal_tp"
    assert [(event.count, event.target) for event in trader.told(SignalCounted)] == [(1, 3), (2, 3), (3, 3)]
    assert trader.replays_equal()


def test_bricks_from_before_arming_do_not_count() -> None:
    trader = runner().bricks(6, "red", "red").signals(toggle=True, target=1)
    assert (trader.refused_by, trader.protections.tp_count) == (None, 0)
    assert trader.hears(5250).order is None
    assert trader.bricks(6, "red").exit_source == "signal_tp"


@pytest.mark.parametrize("points", [1, 2.5, 4])
def test_no_other_size_counts(points: float) -> None:
    assert runner().signals(toggle=True, target=1).bricks(points, "red").order is None


@pytest.mark.parametrize(
    ("target", "refused_by"), [(0, "setting_invalid"), (1, None), (50, None), (51, "setting_invalid")]
)
def test_the_target_is_from_1_to_50(target: int, refused_by: str | None) -> None:
    trader = runner().signals(target=target)
    assert trader.refused_by == refused_by
    assert trader.protections.tp_target == (3 if refused_by else target)


def test_the_fiftieth_brick_fires_and_the_forty_ninth_does_not() -> None:
    trader = runner().signals(toggle=True, target=50).bricks(6, *[RED] * 49)
    assert trader.order is None
    assert trader.bricks(6, "red").exit_source == "signal_tp"


def test_a_reset_zeroes_the_count_and_stays_armed() -> None:
    trader = runner().signals(toggle=True).bricks(6, "red", "red").signals(reset=True)
    assert (trader.protections.tp_armed, trader.protections.tp_count) == (True, 0)
    assert trader.bricks(6, "red", "red").order is None
    assert trader.bricks(6, "red").exit_source == "signal_tp"


def test_toggled_off_it_neither_counts_nor_fires() -> None:
    trader = runner().signals(toggle=True).bricks(6, "red", "red").signals(toggle=True).bricks(6, "red", "red")
    assert (trader.protections.tp_armed, trader.order, trader.protections.tp_count) == (False, None, 2)
    trader.signals(toggle=True)
    assert (trader.protections.tp_armed, trader.protections.tp_count) == (True, 0)


def test_a_target_lowered_below_the_count_fires_with_the_next_price() -> None:
    trader = runner().signals(toggle=True).bricks(6, "red", "red").signals(target=2)
    assert trader.protections.tp_count == 2
    assert trader.hears(5250).exit_source == "signal_tp"


def test_no_target_can_be_reached_while_the_initial_exit_lock_holds() -> None:
    """The signal target is the only automatic exit that the lock blocks; the brick it counts also releases the lock."""
    trader = runner().signals(toggle=True, target=1).hears(5240).bricks(8, "green")
    assert trader.trade.initial_exit_locked
    assert trader.order is None
    assert trader.bricks(6, "red").exit_source == "signal_tp"
    assert not trader.trade.initial_exit_locked


# -- arming while locked (SPEC 6.5) ---------------------------------------------------------------------------

ARMS: dict[str, tuple[int, Callable[[Trader], Trader], Callable[[Trade], bool]]] = {
    "signal_tp": (6, lambda trader: trader.signals(toggle=True), lambda trade: trade.protections.tp_armed),
    "high_next_bar": (
        8,
        lambda trader: trader.toggles("high_next_bar"),
        lambda t: t.protections.high_next_bar_exit_enabled,
    ),
}


@pytest.mark.parametrize("opens", OPENS)
@pytest.mark.parametrize("rule", ARMS)
@pytest.mark.parametrize("fresh", [0, 1, 2])
@pytest.mark.parametrize("unlocked", [False, True])
def test_arming_needs_no_fresh_brick_of_that_size_or_unlocked_management(
    opens: str, rule: str, fresh: int, unlocked: bool
) -> None:
    points, arm, is_armed = ARMS[rule]
    trader = opened(Trader(), opens)
    for _ in range(fresh):
        trader.brick_with(points)
    if unlocked:
        trader.unlocks_management()
    arm(trader)
    allowed = unlocked or fresh == 0
    assert trader.refused_by == (None if allowed else "management_locked")
    assert is_armed(trader.trade) is allowed


@pytest.mark.parametrize("rule", ARMS)
def test_a_fresh_brick_of_the_other_size_restricts_nothing(rule: str) -> None:
    points, arm, is_armed = ARMS[rule]
    trader = Trader().is_long(5250).brick_with(14 - points)
    arm(trader)
    assert is_armed(trader.trade)


@pytest.mark.parametrize("rule", ARMS)
def test_a_brick_between_order_and_fill_is_not_fresh(rule: str) -> None:
    points, arm, is_armed = ARMS[rule]
    trader = Trader().with_structure("green").enters("BUY").claims().bricks(points, "green").filled_at(5250)
    arm(trader)
    assert is_armed(trader.trade)


def test_disarming_the_signal_target_is_never_locked_but_arming_it_again_is() -> None:
    trader = runner().brick_with(6).signals(toggle=True).later(61).bricks(2.5, "green").signals(toggle=True)
    assert (trader.refused_by, trader.protections.tp_armed) == (None, False)
    assert trader.brick_with(6).signals(toggle=True).refused_by == "management_locked"


def test_target_and_reset_are_not_locked() -> None:
    trader = Trader().is_long(5250).signals(toggle=True).bricks(6, "green").bricks(2.5, "green")
    assert trader.signals(target=5).refused_by is None
    assert trader.signals(reset=True).refused_by is None


# -- switching the brick exits off (SPEC 6.2) -------------------------------------------------------------------

Toggled = Literal["high_next_bar", "main_flip", "four_pt_invalidation"]
TOGGLED: list[Toggled] = ["high_next_bar", "main_flip", "four_pt_invalidation"]


@pytest.mark.parametrize("rule", ["main_flip", "four_pt_invalidation"])
def test_flip_and_invalidation_are_switched_on_while_locked(rule: Toggled) -> None:
    trader = Trader().is_long(5250).bricks(6, "green").bricks(8, "green").bricks(2.5, "green").toggles(rule)
    assert trader.refused_by is None
    assert trader.told(ProtectionChanged)[-1].value == "True"


def with_exit_on(rule: Toggled, price: object = None, **settings: Any) -> Trader:
    """Return a trader whose exit by a brick has been on for 61 s, with management open and that last price."""
    trader = runner(**settings).toggles(rule).later(61)
    return trader if price is None else trader.hears(price)


@pytest.mark.parametrize("rule", TOGGLED)
@pytest.mark.parametrize(
    ("price", "cause"), [(None, "unknown"), (5240, "losing"), ("5249.75", "losing"), (5250, None), (5251, None)]
)
def test_one_that_is_on_is_switched_off_only_at_open_points_of_0_or_more(
    rule: Toggled, price: object, cause: str | None
) -> None:
    trader = with_exit_on(rule, price).toggles(rule)
    assert trader.refused_by == ("protection_kept" if cause else None)
    assert trader.refused_by is None or trader.refusal.facts["cause"] == cause
    assert trader.replays_equal()


@pytest.mark.parametrize("rule", TOGGLED)
def test_one_that_is_on_is_not_switched_off_while_locked(rule: Toggled) -> None:
    trader = with_exit_on(rule, 5260).bricks(2.5, "green").toggles(rule)
    assert trader.refused_by == "management_locked"
    assert trader.bricks(2.5, "red").toggles(rule).refused_by is None


@pytest.mark.parametrize("rule", TOGGLED)
@pytest.mark.parametrize(("seconds", "refused_by"), [(0, None), (60, None), (60.001, "management_locked")])
def test_one_that_was_switched_on_is_taken_back_within_60_s(
    rule: Toggled, seconds: float, refused_by: str | None
) -> None:
    trader = Trader().is_long(5250).hears(5240).toggles(rule).later(seconds).toggles(rule)
    assert trader.refused_by == refused_by
    assert trader.toggles(rule).refused_by == refused_by


def test_taking_back_and_switching_on_again_begins_the_60_s_anew() -> None:
    trader = Trader().is_long(5250).toggles("main_flip").later(50).toggles("main_flip").toggles("main_flip")
    assert trader.later(60).toggles("main_flip").refused_by is None


def test_up_to_generation_4_they_were_switched_off_whenever() -> None:
    trader = with_exit_on("main_flip", 5240, generation=4).bricks(2.5, "green").toggles("main_flip")
    assert trader.refused_by is None
    assert trader.replays_equal()


@pytest.mark.parametrize("seconds", [0, 61])
def test_the_6pt_flip_of_a_free_entry_stays_on(seconds: float) -> None:
    trader = Trader().in_free_zone().enters("BUY", mode="RUNNER").filled_at(5250).unlocks_management().later(seconds)
    trader.hears(5260).toggles("main_flip")
    assert (trader.refused_by, trader.refusal.facts["cause"]) == ("protection_kept", "free_entry")
    assert trader.bricks(6, "red").exit_source == "main_flip"


def test_other_exits_of_a_free_entry_may_be_switched_off() -> None:
    trader = Trader().in_free_zone().enters("BUY", mode="RUNNER").filled_at(5250).toggles("four_pt_invalidation")
    assert trader.toggles("four_pt_invalidation").refused_by is None


# -- the brick exits ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("opens", OPENS)
@pytest.mark.parametrize("color", ["green", "red"])
def test_the_8pt_next_bar_exit_fires_on_the_next_8pt_brick_of_any_colour(opens: str, color: Color) -> None:
    trader = getattr(Trader(), opens)(5250, mode="RUNNER").toggles("high_next_bar").bricks(4, color).bricks(6, color)
    assert trader.order is None
    assert trader.bricks(8, color).exit_source == "high_next_bar"


def test_a_neutral_8pt_brick_is_no_next_bar() -> None:
    assert Trader().is_long().toggles("high_next_bar").bricks(8, "neutral").order is None


def test_disarmed_only_the_structure_exit_is_left() -> None:
    trader = Trader().is_long().toggles("high_next_bar").toggles("high_next_bar").bricks(8, "green")
    assert trader.order is None
    assert trader.bricks(8, "red").exit_source == "structure"


@pytest.mark.parametrize("opens", OPENS)
@pytest.mark.parametrize(("rule", "points"), [("main_flip", 6), ("four_pt_invalidation", 4)])
def test_a_toggled_brick_exit_fires_on_every_brick_of_its_size_against_the_trade(
    opens: str, rule: Literal["high_next_bar", "main_flip", "four_pt_invalidation"], points: int
) -> None:
    trader = getattr(Trader(), opens)(5250, mode="RUNNER")
    trader.brick_against(points)
    assert trader.order is None
    trader.toggles(rule).brick_with(points)
    assert trader.order is None
    for other in {1, 2.5, 4, 6, 12} - {points}:
        trader.brick_against(other)
    assert trader.order is None
    trader.brick_against(points)
    assert trader.exit_source == rule


@pytest.mark.parametrize(("rule", "points"), [("main_flip", 6), ("four_pt_invalidation", 4)])
def test_a_brick_need_not_be_a_flip(
    rule: Literal["high_next_bar", "main_flip", "four_pt_invalidation"], points: int
) -> None:
    trader = Trader().is_long(5250, mode="RUNNER").brick_against(points).toggles(rule).brick_against(points)
    assert trader.exit_source == rule


def test_before_generation_5_the_free_zones_6pt_flip_could_be_switched_off() -> None:
    trader = Trader(generation=4).in_free_zone().enters("BUY").filled_at(5250).toggles("main_flip").bricks(6, "red")
    assert trader.order is None


def test_everything_is_off_at_entry_but_the_scalps_target() -> None:
    trade = Trader().is_long().trade
    assert (trade.protections.points_tp_enabled, trade.protections.points_tp_target) == (True, Decimal(15))
    assert not any(
        (
            trade.protections.protect_enabled,
            trade.protections.tp_armed,
            trade.protections.high_next_bar_exit_enabled,
            trade.protections.main_flip_exit_enabled,
            trade.protections.four_pt_invalidation_enabled,
        )
    )


def test_what_is_armed_survives_a_restart() -> None:
    trader = runner().signals(toggle=True, target=2).bricks(6, "red").restarts().bricks(6, "red")
    assert trader.exit_source == "signal_tp"
    assert Trader().is_long().toggles("high_next_bar").restarts().bricks(8, "green").exit_source == "high_next_bar"


def test_a_change_without_effect_makes_no_event() -> None:
    trader = runner().protects(-2)
    assert [of_type(ProtectionChanged, event).setting for event in trader.events] == ["protect_enabled"]
    assert trader.protects(-2).events == ()
