"""Positions of the broker in contracts that the desk does not trade (SPEC 7.3, 8.4)."""

from __future__ import annotations

from services.engine.model.bridge_commands import AcceptPosition, BrokerPosition, TakeSnapshot
from services.engine.model.proof_events import ForeignPositionGone, ForeignPositionSeen
from tests.support.trader import Trader

NEXT_MONTH = BrokerPosition("MESH7", 2, asset="ES")
NOBODYS = BrokerPosition("XYZ", 3)


def hears(trader: Trader, *rows: BrokerPosition) -> Trader:
    """Take a snapshot that lists the desk's own positions and these rows."""
    own = tuple(BrokerPosition(asset.contract.symbol, asset.position) for asset in trader.desk.assets.values())
    return trader.asks(TakeSnapshot(positions=(*own, *rows), as_of=trader.now))


def test_another_month_closes_reconcile_of_its_asset_alone() -> None:
    trader = hears(Trader(assets=("ES", "NQ")).with_structure("green", "NQ").with_structure("green", "ES"), NEXT_MONTH)
    assert trader.gate_for("BUY", asset="ES") == "reconcile"
    assert trader.gate_for("BUY", asset="NQ") is None
    assert trader.last_alert.code == "foreign_position"
    assert trader.replays_equal()


def test_a_symbol_that_nobody_knows_closes_it_for_every_asset() -> None:
    trader = hears(Trader(assets=("ES", "NQ")).with_structure("green", "NQ").with_structure("green", "ES"), NOBODYS)
    assert trader.gate_for("BUY", asset="ES") == "reconcile"
    assert trader.gate_for("BUY", asset="NQ") == "reconcile"


def test_it_is_alerted_once_and_again_when_it_changes() -> None:
    trader = hears(hears(Trader(), NEXT_MONTH).later(2), NEXT_MONTH)
    assert trader.alerts == ["foreign_position"]
    hears(trader.later(2), BrokerPosition("MESH7", 4, asset="ES"))
    assert trader.alerts == ["foreign_position"] * 2
    assert [event.position for event in trader.told(ForeignPositionSeen)] == [2, 4]


def test_rows_of_one_contract_add_up() -> None:
    trader = hears(Trader(), NEXT_MONTH, BrokerPosition("MESH7", -2, asset="ES"))
    assert trader.desk.foreign == ()


def test_one_snapshot_without_it_proves_nothing() -> None:
    trader = hears(Trader().with_structure("green"), NEXT_MONTH)
    for _ in range(2):
        hears(trader.later(2))
    assert trader.gate_for("BUY") == "reconcile"
    hears(trader.later(2))
    assert trader.gate_for("BUY") is None
    assert [event.symbol for event in trader.told(ForeignPositionGone)] == ["MESH7"]
    assert trader.replays_equal()


def test_accepted_it_closes_nothing_until_it_changes() -> None:
    trader = hears(Trader().with_structure("green"), NEXT_MONTH)
    trader.asks(AcceptPosition("MESH7", 2, "held for the roll"))
    assert trader.gate_for("BUY") is None
    hears(trader.later(2), BrokerPosition("MESH7", 3, asset="ES"))
    assert trader.gate_for("BUY") == "reconcile"
    assert trader.replays_equal()


def test_another_position_than_the_brokers_is_not_accepted() -> None:
    trader = hears(Trader(), NEXT_MONTH)
    assert trader.asks(AcceptPosition("MESH7", 5, "mine")).refused_by == "position_changed"
    assert trader.asks(AcceptPosition("NQH7", 2, "mine")).refused_by == "position_changed"


def test_one_that_expired_long_ago_closes_nothing_in_demo_but_in_live() -> None:
    expired = BrokerPosition("MESM6", 2, asset="ES", expired=True)
    assert hears(Trader().with_structure("green"), expired).gate_for("BUY") is None
    live = Trader(env="LIVE").with_structure("green")
    assert hears(live, expired).gate_for("BUY") == "reconcile"


# -- a name that nobody can read --------------------------------------------------------------------------------


def says_by_another_name(trader: Trader, position: int, times: int = 4) -> Trader:
    """Take snapshots that hold the position as ``MESZ6.CME`` and leave MESZ6 out."""
    for _ in range(times):
        trader.later(2).asks(TakeSnapshot(positions=(BrokerPosition("MESZ6.CME", position),), as_of=trader.now))
    return trader


def test_a_position_under_a_name_that_nobody_reads_is_not_flat() -> None:
    trader = says_by_another_name(Trader().is_long(5250).later(3), 5)
    assert (trader.position, trader.alerts) == (5, ["foreign_position"])
    assert trader.replays_equal()


def test_nor_is_that_of_an_order_whose_fate_is_unknown() -> None:
    trader = Trader().hears(5250).with_structure("green").enters("BUY").claims().later(60).ticks()
    assert says_by_another_name(trader, 5).order is not None


def test_another_number_of_contracts_is_another_position_and_so_is_an_accepted_one() -> None:
    assert says_by_another_name(Trader().is_long(5250).later(3), 2).position == 0
    trader = says_by_another_name(Trader().is_long(5250).later(3), 5, times=1)
    trader.asks(AcceptPosition("MESZ6.CME", 5, "another account's"))
    assert says_by_another_name(trader, 5).position == 0
