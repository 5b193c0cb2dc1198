"""The gate ``window``: sessions, own hours, news, losing trades, the week, profit, lockout (SPEC 4, 5.9)."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import get_args

import pytest

from services.engine.decide import pass_time
from services.engine.model.events import IntentChanged, PreOrderEnded
from services.engine.model.ladder import Rung
from services.engine.model.window import LockoutUntil, NewsTime, SessionHours
from services.engine.model.window_commands import NoteSessions
from services.engine.model.window_events import LockedOut, SessionsNoted
from services.engine.rules.gates import ladder
from services.engine.rules.verdicts import EntryRequest
from services.engine.rules.week import left_of_week
from tests.support.builders import NEW_YORK, new_york
from tests.support.narrow import known
from tests.support.trader import Trader

FRIDAY = "2026-11-20"
SUNDAY = "2026-11-22"


def window_of(trader: Trader) -> Rung:
    """Return the gate as it stands now."""
    desk = pass_time(trader.desk, trader.now).desk
    rungs = ladder(desk, EntryRequest(desk.assets[trader.asset_in_hand], "BUY"), trader.now)
    return next(rung for rung in rungs if rung.gate == "window")


def why(trader: Trader) -> str | None:
    """Return the code of the closed window, None while it is open."""
    return window_of(trader).code


def opens_at(trader: Trader) -> str:
    """Return when the closed window opens, in New York."""
    return known(window_of(trader).reopens_at).astimezone(NEW_YORK).isoformat()


def loses_a_trade(trader: Trader, points: float = 1, asset: str = "ES") -> Trader:
    """Open a long at 5250 and leave it so many points lower; negative wins."""
    trader.later(400).is_long(5250, asset).bricks(6, "green").exits(force=True).filled_at(5250 - points)
    return trader


# -- the market's session -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("clock", "code"),
    [("16:59:59.999999", None), ("17:00:00", "session_closed"), ("17:59:59.999999", "session_closed"), ("18:00", None)],
)
def test_live_is_closed_with_the_session(clock: str, code: str | None) -> None:
    trader = Trader(env="LIVE").learns_hours().at(clock)
    assert why(trader) == code


def test_a_closed_session_says_when_it_opens() -> None:
    trader = Trader(env="LIVE", at="16:00").learns_hours().broker_says(50_000).with_structure("green").at("17:30")
    assert trader.enters("BUY").refused_by == "window"
    assert trader.refusal.sentence == "MARKET CLOSED — ES does not trade now"
    assert trader.refusal.retry_after_s == 1800
    assert trader.replays_equal()


def test_live_is_closed_while_nobody_tells_the_hours() -> None:
    trader = Trader(env="LIVE").asks(NoteSessions({}))
    assert why(trader) == "session_unknown"
    assert window_of(trader).reopens_at is None


def test_hours_that_are_all_over_are_unknown_hours() -> None:
    over = SessionHours(new_york("2026-11-15", "18:00"), new_york("2026-11-16", "17:00"))
    assert why(Trader(env="LIVE").asks(NoteSessions({"ES": (over,)}))) == "session_unknown"


def test_demo_only_shows_the_session() -> None:
    trader = Trader(at="16:00").learns_hours().with_structure("green").at("17:30").hears()
    assert trader.gate_for("BUY") is None


def test_thanksgiving_closes_early() -> None:
    trader = Trader(env="LIVE", on="2026-11-26", at="10:00").learns_hours()
    assert why(trader.at("12:59:59")) is None
    assert why(trader.at("13:00:00")) == "session_closed"


def test_generation_4_had_no_window() -> None:
    trader = Trader(generation=4, trading_hours="10:00-11:00").with_structure("green")
    assert trader.gate_for("BUY") is None
    assert trader.replays_equal()


def test_hours_are_journaled_only_when_they_change() -> None:
    trader = Trader().learns_hours()
    assert trader.told(SessionsNoted)[-1].assets == ("ES",)
    assert trader.learns_hours().events == ()


# -- the trader's own hours ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("clock", "code"),
    [("09:29:59", "outside_hours"), ("09:30", None), ("15:59:59.999999", None), ("16:00", "outside_hours")],
)
def test_entries_only_within_the_traders_hours(clock: str, code: str | None) -> None:
    assert why(Trader(at="09:00", trading_hours="09:30-16:00").at(clock)) == code


def test_hours_may_pass_midnight_and_be_several() -> None:
    trader = Trader(at="17:00", trading_hours="20:00-02:00,09:30-11:00")
    assert opens_at(trader) == "2026-11-17T20:00:00-05:00"
    assert why(trader.at("20:00")) is None
    assert why(trader.at("01:59", on="2026-11-18")) is None
    assert why(trader.at("02:00")) == "outside_hours"
    assert opens_at(trader) == "2026-11-18T09:30:00-05:00"


def test_no_hours_are_never_open() -> None:
    trader = Trader(trading_hours="none")
    assert (why(trader), window_of(trader).reopens_at) == ("outside_hours", None)


@pytest.mark.parametrize(
    ("clock", "code"), [("18:00", "after_open"), ("18:09:59.999999", "after_open"), ("18:10", None)]
)
def test_no_entry_just_after_the_open(clock: str, code: str | None) -> None:
    assert why(Trader(no_entry_after_open=10).learns_hours().at(clock)) == code


@pytest.mark.parametrize(
    ("clock", "code"), [("16:49:59.999999", None), ("16:50", "before_close"), ("16:59:59.999999", "before_close")]
)
def test_no_entry_just_before_the_close(clock: str, code: str | None) -> None:
    assert why(Trader(no_entry_before_close=10).learns_hours().at(clock)) == code


# -- news ---------------------------------------------------------------------------------------------------------

JOBS = NewsTime(new_york("2026-11-17", "09:55"), new_york("2026-11-17", "10:15"), "Employment report")


@pytest.mark.parametrize(
    ("clock", "code"), [("09:54:59.999999", None), ("09:55", "news"), ("10:14:59.999999", "news"), ("10:15", None)]
)
def test_no_entry_around_news(clock: str, code: str | None) -> None:
    assert why(Trader().learns_hours(JOBS).at(clock)) == code


def test_a_news_window_names_the_news_and_its_end() -> None:
    trader = Trader().with_structure("green").learns_hours(JOBS).at("10:00").hears().enters("BUY")
    assert trader.refusal.sentence == "NEWS — Employment report"
    assert trader.refusal.retry_after_s == 900


def test_a_news_file_that_cannot_be_read_closes() -> None:
    trader = Trader().learns_hours(fault="the news file /x could not be read")
    assert why(trader) == "news_unknown"
    assert why(trader.learns_hours()) is None


def test_a_deleted_news_time_of_the_next_hours_stays() -> None:
    trader = Trader().learns_hours(JOBS).learns_hours().at("10:00")
    assert why(trader) == "news"
    assert trader.replays_equal()


def test_a_deleted_news_time_of_a_later_day_is_gone() -> None:
    later = NewsTime(new_york("2026-11-19", "08:25"), new_york("2026-11-19", "08:45"), "Claims")
    assert Trader().learns_hours(later).learns_hours().desk.facts.news == ()


# -- losing trades ------------------------------------------------------------------------------------------------


def test_losing_trades_in_a_row_pause_entries() -> None:
    trader = loses_a_trade(Trader(loss_streak=2, loss_pause_minutes=30, cooldown_seconds=0))
    assert why(trader) is None
    loses_a_trade(trader)
    assert why(trader) == "loss_streak"
    assert why(trader.later(1799)) == "loss_streak"
    assert why(trader.later(1)) is None
    assert trader.replays_equal()


def test_a_winner_ends_the_run_and_no_pause() -> None:
    trader = loses_a_trade(loses_a_trade(Trader(loss_streak=2, loss_pause_minutes=30, cooldown_seconds=0)))
    assert trader.desk.losses.count == 2
    trader.later(1800).is_long(5250).bricks(6, "green").exits(force=True).filled_at(5251)
    assert (trader.desk.losses.count, why(trader)) == (0, None)


def test_a_flat_trade_that_cost_commission_is_a_losing_one() -> None:
    trader = Trader(commissions={"MES": Decimal("0.62")}).trades_once()
    assert trader.desk.losses.count == 1
    assert trader.desk.week.net_usd == {"DEMO": Decimal("-6.20")}


def test_a_trade_without_a_result_ends_no_run() -> None:
    trader = loses_a_trade(Trader()).later(400).trades_once()
    assert trader.desk.losses.count == 1


def test_the_cooldown_after_a_loss_is_longer() -> None:
    trader = loses_a_trade(Trader(cooldown_after_loss=900))
    assert why(trader.later(899)) == "cooldown_after_loss"
    assert why(trader.later(1)) is None


def test_no_cooldown_of_that_kind_after_a_winner() -> None:
    assert why(loses_a_trade(Trader(cooldown_after_loss=900), points=-1)) is None


def test_a_shorter_pause_never_ends_the_running_one() -> None:
    trader = loses_a_trade(Trader(at="09:31:10", loss_streak=1, loss_pause_minutes=1440)).limits(loss_pause_minutes=1)
    assert why(trader.at("18:00:00")) == "loss_streak"
    assert why(trader.restarts()) == "loss_streak"
    assert trader.desk.rules.loss_pause_minutes == 1


def test_a_streak_set_after_the_losses_holds_at_once() -> None:
    assert why(loses_a_trade(loses_a_trade(Trader(cooldown_seconds=0))).limits(loss_streak=2)) == "loss_streak"


# -- the week -----------------------------------------------------------------------------------------------------


def test_the_weeks_entries_are_counted_from_sunday_on() -> None:
    trader = Trader(on=FRIDAY, max_trades_per_week=2, cooldown_seconds=0).trades_once()
    assert why(trader) is None
    trader.later(400).trades_once()
    assert why(trader) == "weekly_trades"
    assert opens_at(trader) == "2026-11-22T18:00:00-05:00"
    assert why(trader.at("18:00").restarts()) == "weekly_trades"  # the desk's Monday has begun, the week has not
    assert why(trader.at("17:59:59", on=SUNDAY)) == "weekly_trades"
    assert why(trader.at("18:00")) is None
    assert trader.replays_equal()


def test_an_entry_on_its_way_counts_in_the_week() -> None:
    trader = Trader(assets=("ES", "NQ"), max_trades_per_week=1, candle_seconds=1).with_structure("green", "ES")
    trader.enters("BUY").turns_to("NQ")
    assert why(trader) == "weekly_trades"


def test_the_week_ends_with_its_loss() -> None:
    trader = loses_a_trade(Trader(weekly_loss_usd=Decimal(625), cooldown_seconds=0), points=10)
    assert left_of_week(trader.desk, trader.now) == 375
    loses_a_trade(trader, points=15)
    assert why(trader) == "weekly_loss"
    assert left_of_week(trader.desk, trader.now) == 0
    assert why(trader.at("09:31", on="2026-11-20").restarts()) == "weekly_loss"
    assert why(trader.at("18:00", on=SUNDAY)) is None


def test_a_percentage_of_the_week_counts_from_its_first_day() -> None:
    trader = Trader(weekly_loss_pct=Decimal(1), cooldown_seconds=0).broker_says(50_000)
    loses_a_trade(trader, points=10)
    trader.at("09:31:10", on="2026-11-18").broker_says(49_750)
    assert left_of_week(trader.desk, trader.now) == 250  # 1 % of 50,000 less 250


def test_an_open_loss_counts_in_the_week() -> None:
    trader = Trader(weekly_loss_usd=Decimal(400)).is_long(5250).hears(5238)
    assert left_of_week(trader.desk, trader.now) == 100


def test_demo_losses_are_not_those_of_live() -> None:
    trader = loses_a_trade(Trader(weekly_loss_usd=Decimal(375)), points=15)
    assert why(trader) == "weekly_loss"
    trader.hears_bridge().switches_to("LIVE")
    assert why(trader) is None


def test_without_a_weekly_limit_nothing_is_left_to_count() -> None:
    assert left_of_week(Trader().desk, Trader().now) is None


# -- what was won -------------------------------------------------------------------------------------------------


def test_a_day_that_gives_back_too_much_ends() -> None:
    trader = loses_a_trade(Trader(give_back_usd=Decimal(100), cooldown_seconds=0), points=-10)
    assert trader.desk.live.best_result == 250
    loses_a_trade(trader, points=3)
    assert why(trader) is None
    loses_a_trade(trader, points=1)
    assert why(trader) == "give_back"
    assert "100.00 USD of the day's best 250.00 USD given back" in known(window_of(trader).sentence)
    assert why(trader.restarts()) == "give_back"
    assert why(trader.at("18:00").ticks()) is None
    assert trader.replays_equal()


def test_a_best_that_was_only_open_counts() -> None:
    trader = Trader(give_back_usd=Decimal(100)).is_long(5250).hears(5258).hears(5254)
    assert why(trader) == "give_back"
    assert why(trader.hears(5255)) is None


def test_a_day_that_has_made_enough_ends() -> None:
    trader = loses_a_trade(Trader(profit_lock_usd=Decimal(250)), points=-10)
    assert why(trader) == "profit_lock"
    assert why(loses_a_trade(Trader(profit_lock_usd=Decimal("250.01")), points=-10)) is None
    assert why(trader.at("18:00").ticks()) is None


# -- the operator's lockout ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("until", "day", "clock", "ends"),
    [
        ("session", "2026-11-17", "15:59:59", "2026-11-17T17:00:00-05:00"),
        ("session", "2026-11-17", "16:00:00", "2026-11-17T17:00:00-05:00"),
        ("session", "2026-11-17", "16:00:01", "2026-11-18T17:00:00-05:00"),
        ("session", "2026-11-17", "17:30", "2026-11-18T17:00:00-05:00"),
        ("day", "2026-11-17", "10:00:00", "2026-11-17T18:00:00-05:00"),
        ("day", "2026-11-17", "10:00:01", "2026-11-18T18:00:00-05:00"),
        ("day", FRIDAY, "09:31", "2026-11-22T18:00:00-05:00"),
        ("week", "2026-11-17", "09:31", "2026-11-22T18:00:00-05:00"),
        ("week", SUNDAY, "10:00:00", "2026-11-22T18:00:00-05:00"),
        ("week", SUNDAY, "10:00:01", "2026-11-29T18:00:00-05:00"),
    ],
)
def test_a_lockout_lasts_as_long_as_it_says(until: LockoutUntil, day: str, clock: str, ends: str) -> None:
    trader = Trader(at=clock, on=day).learns_hours().locks_out(until)
    assert (why(trader), opens_at(trader)) == ("lockout", ends)
    ends_at = trader.told(LockedOut)[-1].ends_at
    assert why(trader.later((ends_at - trader.now).total_seconds() - 1)) == "lockout"
    assert why(trader.later(1)) is None


def test_without_known_hours_a_session_lasts_to_the_next_day() -> None:
    assert opens_at(Trader().locks_out("session")) == "2026-11-17T18:00:00-05:00"


def test_of_several_markets_the_last_close_ends_it() -> None:
    trader = Trader(at="12:15", on="2026-11-26", assets=("ES", "CL")).learns_hours().locks_out("session")
    closes = [hours[1].closes for hours in trader.desk.facts.sessions.values()]
    assert known(trader.desk.lockout).ends_at >= min(closes)
    assert known(trader.desk.lockout).ends_at == max(
        next(h.closes for h in hours if h.closes - max(h.opens, trader.now) >= timedelta(hours=1))
        for hours in trader.desk.facts.sessions.values()
    )


def test_a_lockout_is_only_ever_lengthened() -> None:
    trader = Trader().learns_hours().locks_out("week")
    ends_at = known(trader.desk.lockout).ends_at
    for until in get_args(LockoutUntil):
        trader.locks_out(until)
        assert (known(trader.desk.lockout).ends_at, trader.events) == (ends_at, ())
    assert why(trader.restarts()) == "lockout"
    trader.at("10:01", on="2026-11-22").locks_out("week")
    assert opens_at(trader) == "2026-11-29T18:00:00-05:00"
    assert trader.replays_equal()


def test_a_lockout_drops_what_waits() -> None:
    trader = Trader(assets=("ES", "NQ")).with_zone("green", "green", "ES").preorders("BUY").intends("NQ")
    trader.locks_out("day")
    assert [event.reason for event in trader.told(PreOrderEnded)] == ["entries were locked"]
    assert trader.told(IntentChanged)[-1].status == "CANCELLED"
    assert trader.turns_to("ES").preorders("BUY").refused_by == "window"


def test_a_position_adopted_in_a_lockout_is_taken_out_where_the_setting_says_so() -> None:
    trader = Trader(adopt="flatten").locks_out("day").adopts(2)
    assert trader.exit_source == "adopted"
    assert "while window is closed" in trader.last_alert.sentence
    assert Trader(adopt="keep").locks_out("day").adopts(2).order is None


def test_exits_work_in_a_lockout_and_adding_does_not() -> None:
    trader = Trader().is_long(5250).bricks(6, "green").locks_out("day").scales_in()
    assert trader.refused_by == "window"
    assert trader.exits().filled_at(5251).position == 0
