"""Every position has a stop at the broker, or the operator is told (SPEC 6.7, 8.4)."""

from __future__ import annotations

from decimal import Decimal

from services.engine.model.bridge_commands import BrokerPosition, TakeSnapshot
from services.engine.model.evidence import RestingStop
from services.engine.model.proof_events import StopFound
from services.engine.rules.resting_stops import adopted_without_stop, stop_wanted
from services.views.asset_view import asset_view
from services.views.rows import stops_to_rest
from tests.support.trader import Trader
from wire.bridge import StopToRest


def tells(trader: Trader, *stops: RestingStop, says_stops: bool = True, **more: str) -> Trader:
    """Send a snapshot that agrees with the desk and tells these stops."""
    held = tuple(BrokerPosition(a.contract.symbol, a.position) for a in trader.desk.assets.values())
    told = stops if says_stops else None
    return trader.asks(TakeSnapshot(positions=held, as_of=trader.now, stops=told, **more))  # type: ignore[arg-type]


def test_a_bridge_is_asked_to_rest_the_stop_of_an_adopted_trade_until_it_tells_that_it_rests() -> None:
    trader = Trader().adopts(5, 5250)
    price = Decimal("5235.00")
    wanted = StopToRest(contract="MESZ6", exchange="CME", side="SELL", qty=5, price=price)
    assert stops_to_rest(trader.desk) == (wanted,)
    tells(trader.later(2))
    assert stops_to_rest(trader.desk) == (wanted,)
    tells(trader.later(2), stop_wanted(trader.trade))
    assert stops_to_rest(trader.desk) == ()
    tells(trader.later(2))
    assert stops_to_rest(trader.desk) == (wanted,)
    assert trader.replays_equal()


def test_nobody_is_asked_for_the_stop_of_an_entry_which_carries_its_own() -> None:
    trader = tells(Trader().is_long(5250).later(2))
    assert adopted_without_stop(trader.desk) == []


def test_a_stop_of_the_other_side_is_none() -> None:
    trader = Trader().adopts(5, 5250)
    tells(trader.later(2), RestingStop("MESZ6", "BUY", 5, Decimal(5265)))
    assert len(stops_to_rest(trader.desk)) == 1


def test_an_adopted_trade_whose_bridge_tells_no_stops_is_a_critical_alert_after_ten_seconds() -> None:
    trader = Trader().adopts(5, 5250)
    tells(trader.later(9), says_stops=False).ticks()
    assert "stop_missing" not in trader.alerts
    trader.later(1).ticks().later(5).ticks()
    assert trader.alerts.count("stop_missing") == 1
    assert (trader.last_alert.level, trader.last_alert.asset) == ("critical", "ES")


def test_a_trade_without_the_stop_that_its_bridge_should_tell_is_a_critical_alert_after_five_seconds() -> None:
    trader = tells(Trader().is_long(5250).later(4)).ticks()
    assert "stop_missing" not in trader.alerts
    tells(trader.later(1)).ticks()
    assert trader.alerts.count("stop_missing") == 1
    tells(trader.later(1), stop_wanted(trader.trade)).ticks()
    assert len(trader.told(StopFound)) == 1
    assert trader.replays_equal()


def test_a_trade_whose_bridge_of_the_contract_tells_no_stops_raises_none() -> None:
    trader = tells(Trader().is_long(5250).later(30), says_stops=False).ticks()
    assert "stop_missing" not in trader.alerts


def test_a_stop_of_another_account_or_env_does_not_count() -> None:
    trader = Trader().adopts(5, 5250)
    tells(trader.later(2), stop_wanted(trader.trade), env="LIVE")
    assert len(stops_to_rest(trader.desk)) == 1


def test_a_stop_that_a_late_snapshot_tells_rests_no_more() -> None:
    trader = Trader().is_long(5250).bricks(6, "green").later(6)
    held_then, read_then = stop_wanted(trader.trade), trader.now
    tells(trader.exits().filled_at(5250).later(3))
    row = BrokerPosition(trader.asset.contract.symbol, 5)
    trader.later(1).asks(TakeSnapshot(positions=(row,), as_of=read_then, stops=(held_then,), unrealized=Decimal(90)))
    assert (trader.desk.live.stops, trader.desk.live.open_pnl) == ((), None)
    assert trader.replays_equal()


def test_a_late_snapshot_without_stops_raises_no_alert_for_a_position_that_was_not_there_yet() -> None:
    trader = Trader().with_structure("green").later(10)
    read_then = trader.now
    tells(trader.later(5).is_long(5250).later(6), stop_wanted(trader.trade))
    trader.asks(TakeSnapshot(as_of=read_then, stops=())).ticks()
    assert "stop_missing" not in trader.alerts


def test_a_closed_trade_lacks_no_stop() -> None:
    trader = tells(Trader().is_long(5250).bricks(6, "green").later(6)).ticks().exits().filled_at(5250).ticks()
    assert len(trader.told(StopFound)) == 1
    assert trader.asset.lacks_stop is False


# -- what the state shows ------------------------------------------------------------------------------------------


def shown(trader: Trader) -> tuple[bool | None, tuple[int, Decimal] | None]:
    view = asset_view(trader.desk, trader.asset, trader.now)
    return view.stop_resting, None if view.resting_stop is None else (view.resting_stop.qty, view.resting_stop.price)


def test_the_state_shows_a_stop_only_when_the_bridge_has_told_that_it_rests() -> None:
    trader = Trader()
    tells(trader)
    assert shown(trader) == (None, None)
    trader.is_long(5250)
    assert shown(trader) == (None, None)  # what was told before the entry says nothing of it
    tells(trader.later(2))
    assert shown(trader) == (False, None)
    tells(trader.later(2), RestingStop("MESZ6", "SELL", 5, Decimal("5234.50")))
    assert shown(trader) == (True, (5, Decimal("5234.50")))
    tells(trader.later(2))
    assert shown(trader) == (False, None)
    tells(trader.later(2), says_stops=False)
    assert shown(trader) == (None, None)


def test_the_state_shows_how_much_of_a_position_has_a_stop_and_which_is_reached_first() -> None:
    trader = Trader().is_long(5250)
    two = RestingStop("MESZ6", "SELL", 2, Decimal(5230)), RestingStop("MESZ6", "SELL", 1, Decimal(5240))
    tells(
        trader.later(2),
        *two,
        RestingStop("MESZ6", "BUY", 5, Decimal(5265)),
        RestingStop("MNQZ6", "SELL", 5, Decimal(1)),
    )
    assert shown(trader) == (True, (3, Decimal(5240)))
