"""What the operator's word would settle is in the state as long as it would (SPEC 8.1, 8.3)."""

from __future__ import annotations

from decimal import Decimal

from services.engine.model.bridge_commands import ResolveOrder
from services.views.words_view import words_awaited
from tests.support.trader import Trader
from wire.asset import WordAwaited


def words(trader: Trader) -> tuple[WordAwaited, ...]:
    return words_awaited(trader.desk, trader.asset)


def resolved_trader() -> tuple[Trader, ResolveOrder]:
    trader = Trader().hears(5250).with_structure("green").enters("BUY").claims()
    word = ResolveOrder(trader.open_order.id, "filled", "the platform shows it", qty=3)
    return trader.later(60).ticks().asks(word), word


def test_an_order_resolved_once_is_in_it_until_the_same_is_said_again() -> None:
    trader, said = resolved_trader()
    [word] = words(trader)
    assert (word.about, word.outcome, word.qty, word.price) == ("resolved", "filled", 3, None)
    assert word.from_ts is not None
    assert (word.from_ts - word.since).total_seconds() == 60
    assert words(trader.later(60).asks(said)) == ()


def test_in_live_only_a_snapshot_confirms_it() -> None:
    trader, _ = resolved_trader()
    assert words_awaited(Trader(env="LIVE").desk, trader.asset) == ()


def test_a_fill_at_a_price_that_nothing_proves_is_in_it_once_for_all_its_parts() -> None:
    trader = Trader().hears(5250).with_structure("green").enters("BUY").claims()
    order = trader.open_order
    trader.reports("PARTIALLY_FILLED", 5300, order, qty=2).reports("FILLED", 5300, order, qty=3)
    [word] = words(trader)
    assert (word.about, word.qty, word.price, word.last_price) == ("fill_price", 5, Decimal(5300), Decimal(5250))
    confirmed = ResolveOrder(word.order_id, word.outcome, "it is on the statement", price=word.price)
    assert words(trader.asks(confirmed)) == ()
