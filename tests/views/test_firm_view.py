"""The meters of a firm's rules: numbers where they are known, words where they are not (SPEC 5.9)."""

from __future__ import annotations

from decimal import Decimal

import pytest

from services.engine.model.firm import Firm, ScalingStep, TrailingDrawdown
from services.views.firm_view import firm_view
from tests.support.builders import new_york
from tests.support.narrow import known
from tests.support.trader import Trader
from wire.firm import FirmMeter

FIRM = Firm(
    name="example",
    account="50k",
    start_balance=Decimal(50_000),
    daily_loss=Decimal(1000),
    drawdown=TrailingDrawdown(Decimal(2000), "end_of_day", Decimal(0)),
    scaling=(ScalingStep(Decimal(0), Decimal(2)),),
    flat_by="16:10",
    opens_at="18:00",
    consistency_pct=Decimal(50),
)


def meter(trader: Trader, rule: str) -> FirmMeter:
    view = known(firm_view(trader.desk, trader.now))
    return next(one for one in view.meters if one.rule == rule)


def test_without_a_firm_there_is_nothing_to_show() -> None:
    trader = Trader()
    assert firm_view(trader.desk, trader.now) is None


def test_a_loss_limit_shows_what_is_used_and_left() -> None:
    told = meter(Trader(firm=FIRM).broker_says(50_000).broker_says(49_700), "daily_loss")
    assert told.known
    assert (told.limit, told.used, told.left) == (1000, 300, 650)  # type: ignore[comparison-overlap]
    assert told.detail == "the desk ends the day at a loss of 950.00 USD"


def test_the_drawdown_shows_its_floor() -> None:
    trader = Trader(firm=FIRM).broker_says(50_000).broker_says(50_500).at("18:00:00").ticks().broker_says(50_100)
    told = meter(trader, "trailing_drawdown")
    assert told.floor == 48_500
    assert (told.limit, told.used, told.left) == (2000, 400, 1500)  # type: ignore[comparison-overlap]
    assert told.detail == (
        "2,000.00 USD below the highest balance at the end of a day, 50,500.00 USD, as seen since 2026-11-17; "
        "it stops at 50,000.00 USD"
    )


def test_before_the_first_balance_the_drawdown_is_not_known() -> None:
    told = meter(Trader(firm=FIRM), "trailing_drawdown")
    assert (told.known, told.used, told.left, told.detail) == (
        *(False, None, None),
        "no balance of the account is believed yet",
    )
    assert told.floor == 48_000  # at least this


def test_contracts_held_and_on_the_way_count_as_the_firm_counts() -> None:
    trader = Trader(firm=FIRM).broker_says(50_000).with_structure("green").enters("BUY")
    assert meter(trader, "contracts").used == Decimal("0.5")  # five micros
    trader.filled_at(5250)
    assert (meter(trader, "contracts").used, meter(trader, "contracts").left) == (Decimal("0.5"), Decimal("1.5"))


@pytest.mark.parametrize(
    ("clock", "detail", "at"),
    [
        ("16:09:59", "flat by 16:10 New York; the desk exits nothing for it", ("2026-11-17", "16:10")),
        ("16:10:00", "flat since 16:10 New York; entries again from Tue 18:00", ("2026-11-18", "16:10")),
    ],
)
def test_the_flat_time(clock: str, detail: str, at: tuple[str, str]) -> None:
    told = meter(Trader(firm=FIRM).at(clock), "flat_time")
    assert (told.known, told.detail, told.at) == (True, detail, new_york(*at))


def test_the_best_day_s_share_is_known_only_since_the_account_began() -> None:
    seen = Trader(firm=FIRM).broker_says(50_000).broker_says(50_600).at("18:00:00").ticks().broker_says(50_800)
    told = meter(seen, "consistency")
    assert (told.known, told.used) == (True, Decimal(75))
    assert "the best day since 2026-11-17 won 600.00 USD of 800.00 USD" in told.detail
    later = meter(Trader(firm=FIRM).broker_says(51_000).broker_says(51_500), "consistency")
    assert (later.known, later.used) == (False, None)
    assert "earlier days were not seen" in later.detail


def test_what_the_profile_does_not_say_is_unknown_and_none_is_said() -> None:
    trader = Trader(firm=Firm("example", "50k", unlimited=("daily_loss",))).broker_says(50_000)
    view = known(firm_view(trader.desk, trader.now))
    assert [one.rule for one in view.meters if one.known] == ["daily_loss"]
    assert meter(trader, "daily_loss").detail == "the firm's pages say that there is none"
    assert {one.detail for one in view.meters[1:]} == {"unknown: ask the firm"}
    assert {(one.limit, one.used, one.left) for one in view.meters} == {(None, None, None)}


def test_a_firm_that_goes_tomorrow_is_still_shown_today() -> None:
    trader = Trader(firm=FIRM).broker_says(50_000)
    trader.restarts(firm=None)
    view = known(firm_view(trader.desk, trader.now))
    assert (view.name, view.pending, view.buffer_pct) == ("example:50k", "none", 5)  # type: ignore[comparison-overlap]
