"""A colour that nobody renewed for a day of session is stale: it is shown so and gives no zone (SPEC 3)."""

from __future__ import annotations

from datetime import timedelta

import pytest

from services.engine.model.commands import CloseBrick, TakeOver
from services.market.session import after_session_time
from services.views.asset_view import asset_view
from tests.support.trader import Trader
from wire.types import Color, Stream

A_DAY = timedelta(hours=23)


def brick(trader: Trader, stream: Stream, color: Color) -> Trader:
    """Close a brick that ages as one does that a webhook received."""
    return trader.asks(CloseBrick("ES", stream, color, stale_at=after_session_time(trader.now, A_DAY)))


def trader_with_structure() -> Trader:
    """Return a trader whose 12pt brick came at 09:31:10 on Tuesday and whose 8pt and 6pt bricks came at noon."""
    trader = brick(Trader(), Stream.MACRO, "green").at("12:00:00")
    return brick(brick(trader, Stream.HIGH, "green"), Stream.MAIN, "green")


def stale_of(trader: Trader) -> tuple[bool, bool]:
    """Return whether the 8pt and the 12pt colour are shown as stale."""
    shown = asset_view(trader.desk, trader.asset, trader.now)
    return shown.high_renko_stale, shown.macro_renko_stale


def test_after_a_day_of_session_the_colour_gives_no_zone() -> None:
    trader = trader_with_structure().at("09:31:09", "2026-11-18")
    assert (trader.gate_for("BUY"), stale_of(trader)) == (None, (False, False))
    trader.at("09:31:10", "2026-11-18")
    assert (trader.gate_for("BUY"), stale_of(trader)) == ("zone", (False, True))
    assert asset_view(trader.desk, trader.asset, trader.now).zone_type == "NONE"
    assert trader.enters("BUY").refusal.sentence.endswith("12pt not renewed for too long: stale until the next brick")
    assert trader.replays_equal()


def test_the_colour_itself_stays() -> None:
    trader = trader_with_structure().at("16:00:00", "2026-11-18")
    assert trader.asset.stack.colors()["macro"] == "green"
    assert stale_of(trader) == (True, True)


def test_a_brick_renews_the_colour() -> None:
    trader = trader_with_structure().at("09:31:10", "2026-11-18")
    assert brick(trader, Stream.MACRO, "green").gate_for("BUY") is None


@pytest.mark.parametrize("again", ["a duplicate", "a late one"])
def test_a_brick_that_is_not_applied_renews_nothing(again: str) -> None:
    trader = trader_with_structure()
    first = {"bar_id": "b1", "bar_at": trader.now}
    stale_at = after_session_time(trader.now, A_DAY)
    trader.asks(CloseBrick("ES", Stream.MACRO, "green", stale_at=stale_at, **first))  # type: ignore[arg-type]
    then = first if again == "a duplicate" else {"bar_id": "b0", "bar_at": trader.now - timedelta(minutes=1)}
    trader.at("12:00:00", "2026-11-18")
    later = after_session_time(trader.now, A_DAY)
    trader.asks(CloseBrick("ES", Stream.MACRO, "green", stale_at=later, **then))  # type: ignore[arg-type]
    assert stale_of(trader)[1]


def test_a_weekend_ages_nothing() -> None:
    trader = brick(Trader(at="16:59:00", on="2026-11-13"), Stream.MACRO, "green")
    assert not stale_of(trader.at("16:57:59", "2026-11-16"))[1]
    assert not stale_of(trader.at("16:58:59", "2026-11-16"))[1]
    assert stale_of(trader.at("16:59:00", "2026-11-16"))[1]


def test_an_override_enters_with_a_stale_colour() -> None:
    trader = trader_with_structure().at("11:59:59", "2026-11-18")
    assert trader.gate_for("BUY", override=True) is None


def test_a_preorder_needs_a_direction_while_the_colour_is_stale() -> None:
    trader = trader_with_structure().at("09:31:10", "2026-11-18")
    assert trader.preorders().refused_by == "direction_required"
    trader.preorders("BUY")
    assert brick(trader, Stream.MAIN, "green").preorder.status == "CANCELLED"


def test_a_stale_colour_still_ends_a_trade_with_the_next_brick_against_it() -> None:
    trader = trader_with_structure().enters("BUY").filled_at(5250).at("12:30:00", "2026-11-18")
    assert brick(trader, Stream.HIGH, "red").exit_source == "structure"


def test_a_stale_colour_is_stale_after_a_restart() -> None:
    trader = trader_with_structure().at("09:31:10", "2026-11-18").restarts()
    assert stale_of(trader)[1]


def test_colours_of_an_earlier_program_age_from_its_end_on() -> None:
    trader = Trader(generation=1).with_structure("green").at("09:31:10", "2026-11-20")
    assert trader.gate_for("BUY") is None
    trader.asks(TakeOver("a", 2, "lockstep", generation=2))
    assert trader.at("09:31:09", "2026-11-21").gate_for("BUY") is None
    assert trader.at("09:31:10", "2026-11-21").gate_for("BUY") == "zone"
    assert trader.replays_equal()
