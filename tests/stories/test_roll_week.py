"""The week in which the continuous contract is not the one that is traded: its price means another one (SPEC 3)."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest

from services.engine.model.commands import NotePrice
from services.engine.model.replies import PriceNoted
from tests.support.builders import exactly
from tests.support.trader import Trader

NEXT = "H7"  # the calendar's continuous contract, while MESZ6 is held


def hears_continuous(trader: Trader, price: object, continuous: str = NEXT) -> Trader:
    return trader.asks(NotePrice("ES", exactly(price), continuous=continuous))


def hears_own(trader: Trader, price: object) -> Trader:
    """Hear a heartbeat that names the contract itself."""
    return trader.asks(NotePrice("ES", exactly(price), delivery="Z6"))


def holder() -> Trader:
    """Return a trader who is long 5 MESZ6 from 5250 with a target of 15 points and protect at -2."""
    return Trader().hears(5250).is_long(5250).hears(5250).unlocks_management().protects(-2)


def holder_who_knows_the_difference() -> Trader:
    """Return the same in roll week, after three prices of both contracts that lay 60 points apart."""
    trader = holder().later(20)
    for own, continuous in ((5250, 5310), (5251, "5311.25"), (5250, "5309.75")):
        trader = hears_continuous(hears_own(trader.later(5), own).later(1), continuous)
    return trader


def last_price(trader: Trader) -> Decimal | None:
    return trader.asset.live.last_price


@pytest.mark.parametrize("price", [5310, 5251, 5190])
def test_without_a_price_of_the_contract_itself_the_continuous_one_is_not_used(price: int) -> None:
    trader = holder()
    for _ in range(5):
        hears_continuous(trader.later(5), price)
        assert trader.answered(PriceNoted).ignored == "roll_week"
    assert (last_price(trader), trader.asset.live.watch.suspect, trader.order) == (Decimal(5250), None, None)


def test_it_freshens_the_heartbeat_all_the_same() -> None:
    trader = Trader().with_structure("green").goes_silent().later(700)
    assert trader.gate_for("BUY") == "heartbeat"
    assert hears_continuous(trader, 5310).gate_for("BUY") is None


def test_a_steady_difference_tells_the_contracts_own_price() -> None:
    trader = holder_who_knows_the_difference()
    assert last_price(hears_continuous(trader.later(60), "5317.75")) == 5258
    assert trader.answered(PriceNoted).ignored is None
    assert trader.asset.live.open_points == 8
    assert hears_continuous(trader.later(60), "5324.75").exit_source == "points_tp"
    assert trader.replays_equal()


def test_the_brokers_open_pnl_is_a_price_of_the_contract_itself() -> None:
    trader = holder()
    for _ in range(3):
        hears_continuous(trader.later(5).broker_says(open_pnl=0).later(1), 5310)
    assert last_price(hears_continuous(trader.later(60), 5315)) == 5255


def test_two_readings_are_not_steady_and_neither_are_three_at_once() -> None:
    trader = holder()
    for _ in range(2):
        hears_continuous(hears_own(trader.later(5), 5250), 5310)
    for _ in range(3):
        hears_continuous(trader, 5310)
    assert trader.answered(PriceNoted).ignored == "roll_week"


def test_a_difference_that_moves_is_not_steady() -> None:
    trader = holder()
    for continuous in (5310, 5313, 5316, 5319, 5322):
        hears_continuous(hears_own(trader.later(5), 5250), continuous)
        assert trader.answered(PriceNoted).ignored == "roll_week"


def test_a_price_of_the_contract_that_is_too_old_is_no_reading() -> None:
    trader = holder()
    for _ in range(5):
        hears_continuous(hears_own(trader.later(5), 5250).later(11), 5310)
    assert trader.answered(PriceNoted).ignored == "roll_week"


def test_a_difference_is_forgotten_after_ten_minutes() -> None:
    trader = holder_who_knows_the_difference().later(600)
    assert hears_continuous(trader, 5310).answered(PriceNoted).ignored is None
    assert hears_continuous(trader.later(1), 5310).answered(PriceNoted).ignored == "roll_week"


def test_a_price_through_the_difference_may_be_suspect() -> None:
    trader = hears_continuous(holder_who_knows_the_difference().later(20), 5410)
    assert trader.answered(PriceNoted).suspect
    assert trader.order is None


def test_the_difference_is_known_after_a_restart() -> None:
    trader = holder_who_knows_the_difference().restarts().later(30)
    assert last_price(hears_continuous(trader, 5311)) == Decimal("5251.25")


@pytest.mark.parametrize("continuous", ["Z6", None])
def test_outside_the_roll_week_its_price_is_the_contracts(continuous: str | None) -> None:
    trader = holder().later(5).asks(NotePrice("ES", Decimal(5252), continuous=continuous))
    assert last_price(trader) == 5252


def test_what_an_entry_would_buy_counts_while_flat() -> None:
    trader = Trader().hears(5250).later(5)
    assert hears_continuous(trader, 5310).answered(PriceNoted).ignored == "roll_week"
    assert last_price(trader) == 5250


def test_another_contract_needs_a_difference_of_its_own() -> None:
    trader = holder_who_knows_the_difference().later(5)
    assert hears_continuous(trader, 5310, continuous="M7").answered(PriceNoted).ignored == "roll_week"


def test_readings_apart_in_time_by_their_own_clock_count() -> None:
    trader = holder()
    for _ in range(3):
        hears_own(trader.later(60), 5250)
        late = trader.now - timedelta(seconds=8)
        trader.asks(NotePrice("ES", Decimal(5310), late, continuous=NEXT))
    assert trader.answered(PriceNoted).ignored is None
