"""What a position is worth and what it risks: by the resting stop, and null where nobody knows."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest

from services.engine.model.bridge_commands import BrokerPosition, TakeSnapshot
from services.engine.model.commands import AnyCommand, CloseBrick, NotePrice
from services.engine.model.evidence import RestingStop
from services.engine.model.state import AssetLive, Desk
from services.portfolio.external import External, Noted
from services.portfolio.positions import external_position, is_held_at_broker, positions_of
from services.views.asset_view import asset_view
from tests.support.narrow import known
from tests.support.trader import Trader
from wire.portfolio import PortfolioPosition
from wire.types import Stream

ES_ELSEWHERE = Noted("ES", "MESZ6", Decimal(5), "long", Decimal(2), Decimal(5240), "elsewhere")


@pytest.fixture
def trader() -> Trader:
    return Trader(assets=("ES", "NQ"))


def only(desk: Desk) -> PortfolioPosition:
    (position,) = positions_of(desk)
    return position


def rests(trader: Trader, *stops: tuple[int, str]) -> Trader:
    """Hear after a moment that these stops rest, each so many contracts at a price."""
    told = tuple(RestingStop("MESZ6", "SELL", qty, Decimal(price)) for qty, price in stops)
    held = BrokerPosition("MESZ6", trader.position)
    return trader.later(seconds=2).asks(TakeSnapshot(positions=(held,), stops=told))


def external(trader: Trader, noted: Noted = ES_ELSEWHERE) -> PortfolioPosition:
    return external_position(trader.desk, External("ext-1", noted, trader.now, "{}"))


def test_a_trade_is_worth_what_the_state_says(trader: Trader) -> None:
    trader.is_long(5250).later(seconds=1).hears("5253.75")
    position = only(trader.desk)
    shown = asset_view(trader.desk, trader.asset, trader.now)
    assert position.open_pnl_usd == shown.pnl == Decimal("93.75")
    assert (position.value_usd, position.price) == (Decimal("131343.75"), Decimal("5253.75"))
    assert (position.side, position.qty, position.env, position.source) == ("long", Decimal(5), "DEMO", "desk")


def test_a_short_trade_wins_when_the_price_falls(trader: Trader) -> None:
    position = only(trader.is_short(5250).later(seconds=1).hears(5248).desk)
    assert (position.side, position.open_pnl_usd, position.value_usd) == (
        "short",
        Decimal("50.00"),
        Decimal("131200.00"),
    )


def test_a_price_beside_an_unknown_result_says_that_the_result_is_what_nobody_knows(trader: Trader) -> None:
    trader.hears(5250).is_long(5250)
    position = only(trader.desk)
    assert (position.price, position.open_pnl_usd, position.price_code) == (Decimal(5250), None, "no_open_pnl")
    position = only(trader.later(seconds=1).hears(5251).desk)
    assert (position.open_pnl_usd, position.price_code) == (Decimal("25.00"), None)


def test_the_risk_is_that_of_the_stops_that_rest(trader: Trader) -> None:
    position = only(rests(trader.is_long(5250), (5, "5235")).desk)
    assert (position.stop_price, position.risk_usd, position.risk_code) == (Decimal(5235), Decimal("375.00"), None)
    position = only(rests(trader, (3, "5240"), (2, "5230")).desk)
    assert (position.stop_price, position.risk_usd) == (Decimal(5240), Decimal("350.00"))


def test_a_stop_beyond_the_mean_price_risks_nothing(trader: Trader) -> None:
    assert only(rests(trader.is_long(5250), (5, "5251")).desk).risk_usd == 0


@pytest.mark.parametrize(
    ("stops", "code"),
    [
        (None, "stop_not_told"),
        ((), "no_stop"),
        (((3, "5235"),), "stop_partial"),
    ],
)
def test_a_risk_that_nobody_knows_is_null_and_says_why(
    trader: Trader, stops: tuple[tuple[int, str], ...] | None, code: str
) -> None:
    trader.is_long(5250)
    position = only(trader.desk if stops is None else rests(trader, *stops).desk)
    assert (position.risk_usd, position.risk_code) == (None, code)


def test_stops_that_were_told_before_the_entry_say_nothing_of_it(trader: Trader) -> None:
    rests(trader, (5, "5235"))
    assert only(trader.is_long(5250).desk).risk_code == "stop_not_told"


def test_what_else_the_broker_reports_is_there_without_a_value(trader: Trader) -> None:
    trader.broker_says(50_000, account="DEMO-1")
    foreign = known(_foreign(trader))
    assert (foreign.source, foreign.contract, foreign.symbol, foreign.qty) == ("broker", "MCLF7", "CL", Decimal(2))
    assert (foreign.value_usd, foreign.open_pnl_usd, foreign.avg_price, foreign.side) == (None, None, None, "short")
    assert foreign.account == "DEMO-1"
    assert is_held_at_broker(trader.desk, "CL", None)
    assert not is_held_at_broker(trader.desk, "CL", "elsewhere")


def _foreign(trader: Trader) -> PortfolioPosition | None:
    for _ in range(3):
        trader.later(seconds=2).asks(TakeSnapshot(positions=(BrokerPosition("MCLF7", -2),), account="DEMO-1"))
    return next((one for one in positions_of(trader.desk) if one.source == "broker"), None)


def test_a_broker_that_says_otherwise_is_shown_beside_the_desks_position(trader: Trader) -> None:
    position = only(trader.is_long(5250).later(seconds=3).broker_says(position=3).desk)
    assert (position.qty, position.broker_position) == (Decimal(5), 3)


# -- external positions ---------------------------------------------------------------------------------------------


def test_an_external_position_has_the_desks_price(trader: Trader) -> None:
    position = external(trader.hears(5250))
    assert (position.value_usd, position.open_pnl_usd, position.price_code) == (
        Decimal("52500.00"),
        Decimal("100.00"),
        None,
    )
    assert (position.risk_usd, position.risk_code, position.uncounted) == (None, "stop_not_told", None)


def test_without_a_price_it_has_no_value(trader: Trader) -> None:
    position = external(Trader(assets=("ES",), is_heard=False))
    assert (position.value_usd, position.open_pnl_usd, position.price_code) == (None, None, "no_price")


@pytest.mark.parametrize(
    ("noted", "code"),
    [
        (Noted("CL", "MCLF7", Decimal(100), "long", Decimal(1), Decimal(70)), "not_on_desk"),
        (Noted("ES", "MESH7", Decimal(5), "long", Decimal(1), Decimal(5300)), "other_contract"),
    ],
)
def test_another_contracts_price_is_not_its_price(trader: Trader, noted: Noted, code: str) -> None:
    position = external(trader.hears(5250), noted)
    assert (position.price, position.value_usd, position.open_pnl_usd, position.price_code) == (None, None, None, code)


@pytest.mark.parametrize(
    "real",
    [NotePrice("ES"), CloseBrick("ES", Stream.MAIN, "green"), CloseBrick("ES", Stream.ONE, "green")],
)
def test_a_simulated_price_stays_one_whatever_real_message_comes_without_a_price(real: AnyCommand) -> None:
    trader = Trader(is_heard=False).asks(NotePrice("ES", Decimal(5250), simulated=True)).later(1).asks(real)
    assert not trader.asset.live.simulated
    assert (external(trader).price, external(trader).price_code) == (None, "simulated")
    assert external(trader.later(1).hears(5251)).price == Decimal(5251)
    assert trader.restarts().replays_equal()


def test_a_real_price_stays_one_after_a_simulated_message_without_a_price() -> None:
    trader = Trader(is_heard=False).hears(5250).later(1).asks(NotePrice("ES", simulated=True))
    assert external(trader).price == Decimal(5250)


def test_a_simulated_price_that_comes_late_is_one_though_a_real_message_was_newer() -> None:
    trader = Trader(is_heard=False)
    trader.later(2).asks(NotePrice("ES", sent_at=trader.now))
    trader.asks(NotePrice("ES", Decimal(5250), sent_at=trader.now - timedelta(seconds=1), simulated=True))
    assert (trader.asset.live.last_price, trader.asset.live.simulated) == (Decimal(5250), False)
    assert (external(trader).price, external(trader).price_code) == (None, "simulated")
    assert trader.replays_equal()


def test_a_desk_that_was_stored_before_prices_had_a_mark_has_that_of_its_last_message() -> None:
    live = AssetLive(last_price=Decimal(5250), simulated=True)
    assert live.is_price_simulated
    assert not AssetLive(last_price=Decimal(5250)).is_price_simulated


def test_the_full_contract_has_the_micros_price_and_its_own_value(trader: Trader) -> None:
    full = Noted("ES", "ESZ6", Decimal(50), "short", Decimal(1), Decimal(5260), "elsewhere")
    position = external(trader.hears(5250), full)
    assert (position.value_usd, position.open_pnl_usd) == (Decimal("262500.00"), Decimal("500.00"))


@pytest.mark.parametrize(
    ("account", "is_held"),
    [("elsewhere", False), ("demo-1", True), ("DEMO-1", True), (None, True)],
)
def test_what_the_bridge_reports_is_never_counted_twice(trader: Trader, account: str | None, is_held: bool) -> None:
    trader.broker_says(50_000, account="DEMO-1").is_long(5250)
    assert is_held_at_broker(trader.desk, "ES", account) is is_held
    assert not is_held_at_broker(trader.desk, "NQ", account)


def test_while_the_bridge_names_no_account_it_may_mean_any(trader: Trader) -> None:
    trader.is_long(5250)
    assert trader.desk.live.account is None
    assert is_held_at_broker(trader.desk, "ES", "elsewhere")


def test_a_position_that_the_bridge_reports_later_is_shown_and_not_counted(trader: Trader) -> None:
    noted = Noted("ES", "MESZ6", Decimal(5), "long", Decimal(5), Decimal(5250))
    assert external(trader, noted).uncounted is None
    assert external(trader.is_long(5250), noted).uncounted == "held_at_broker"
