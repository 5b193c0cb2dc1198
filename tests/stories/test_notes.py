"""The operator's texts: a note on a closed trade, the reason of an override. Neither changes a decision."""

from typing import Any

import pytest

from services.engine.model.commands import EnterMarket, NoteTrade, PlacePreOrder
from services.engine.model.events import EntryAccepted, EntryBlocked
from services.engine.model.replies import Done, Refusal
from services.engine.model.trade_events import TradeNoted
from tests.support.trader import Trader
from wire.types import Color

WHY = "the 4pt turned before the 8pt could"


def traded() -> Trader:
    return Trader().trades_once().later(seconds=1)


def test_a_note_is_an_event_and_changes_nothing_on_the_desk() -> None:
    trader = traded()
    before = trader.desk
    trader.asks(NoteTrade("t1", "too early", ("fomo", "plan", "fomo")))
    assert trader.answer == Done()
    assert list(trader.told(TradeNoted)) == [TradeNoted("t1", "too early", ("fomo", "plan"))]
    assert trader.desk.assets == before.assets
    assert trader.desk.locks == before.locks
    assert trader.replays_equal()


@pytest.mark.parametrize(
    ("note", "tags", "sentence"),
    [
        ("x" * 2001, (), "note was 2001 characters, 2000 are the most"),
        ("", ("a",) * 9, "tags were 9, 8 are the most"),
        ("", ("Fomo",), "tag was 'Fomo'"),
        ("", ("",), "tag was ''"),
        ("", ("x" * 25,), "1 to 24"),
        ("", ("a b",), "tag was 'a b'"),
        ("", ("plan\n",), "tag was"),
    ],
)
def test_a_note_out_of_bounds_is_refused(note: str, tags: tuple[Any, ...], sentence: str) -> None:
    trader = traded().asks(NoteTrade("t1", note, tags))
    assert isinstance(trader.answer, Refusal)
    assert trader.answer.code == "setting_invalid"
    assert sentence in trader.answer.sentence
    assert list(trader.told(TradeNoted)) == []


def test_the_longest_note_with_all_its_tags_is_taken() -> None:
    tags = tuple(f"{number}-{'x' * 22}" for number in range(8))
    assert traded().asks(NoteTrade("t1", "x" * 2000, tags)).answer == Done()


def test_an_override_taken_is_journaled_with_its_reason() -> None:
    trader = Trader().with_structure("green").asks(EnterMarket("ES", "SCALP", "6pt", "SELL", True, WHY))
    [accepted] = trader.told(EntryAccepted)
    assert (accepted.override, accepted.override_reason) == (True, WHY)
    assert trader.replays_equal()


def test_an_override_refused_is_journaled_with_its_reason() -> None:
    trader = traded().asks(EnterMarket("ES", "SCALP", "6pt", "SELL", True, WHY))
    assert trader.refused_by == "cooldown"
    [*_, blocked] = trader.told(EntryBlocked)
    assert (blocked.override, blocked.override_reason) == (True, WHY)


def test_without_an_override_there_is_no_reason() -> None:
    trader = Trader().with_structure("green").asks(EnterMarket("ES", "SCALP", "6pt", "BUY", False, WHY))
    [accepted] = trader.told(EntryAccepted)
    assert accepted.override_reason is None


@pytest.mark.parametrize(("color", "event"), [("red", EntryAccepted), ("green", None)])
def test_a_preorder_carries_its_reason_to_the_brick(color: Color, event: type[Any]) -> None:
    trader = Trader().with_structure("green").asks(PlacePreOrder("ES", "SCALP", "6pt", "SELL", True, WHY))
    assert trader.preorder.override_reason == WHY
    trader.brick(6, color)
    assert [told.override_reason for told in trader.told(EntryAccepted)] == ([WHY] if event else [])
    assert trader.replays_equal()


def test_a_preorder_that_is_refused_at_its_brick_keeps_the_reason_too() -> None:
    trader = Trader(is_heard=True).with_structure("green").asks(PlacePreOrder("ES", "SCALP", "6pt", "SELL", True, WHY))
    trader.goes_silent().later(seconds=700).brick(6, "red")
    [blocked] = trader.told(EntryBlocked)
    assert (blocked.gate, blocked.override_reason) == ("heartbeat", WHY)
