"""Signals: one for every change of the position, so that whoever adds them up holds what the desk holds."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from feeds.fills import fills_of
from feeds.signals import PendingFills, hear, tell_late, tell_ripe
from wire.encoding import encode
from wire.events import EventRow
from wire.signals import StrategySignal

NOON = datetime(2026, 11, 24, 17, 0, tzinfo=UTC)
ENTRY = {"kind": "ENTRY", "side": "BUY", "contract": "MESZ6", "qty": 6, "env": "DEMO", "source": "entry", "mode": ""}
EXIT = {**ENTRY, "kind": "EXIT", "side": "SELL", "source": "points_tp"}


class Follower:
    """Hears the desk's events and keeps what it would tell a listener. Each journal row is a page of its own."""

    def __init__(self) -> None:
        self.pending = PendingFills()
        self.heard: list[StrategySignal] = []
        self.now = NOON
        self.row = 100

    def event(self, type_name: str, place: int = 0, asset: str = "ES", **told: Any) -> None:
        """Hear one event; ``place`` 0 begins a new journal row."""
        if place == 0:
            self.page_ends()
            self.row += 1
        event = EventRow(self.row * 1000 + place, self.now, type_name, asset, told)
        self._take(hear(self.pending, as_decoded(event), self.now))

    def fills(
        self, order_id: str, qty: int, price: float | None, order: dict[str, Any] = ENTRY, place: int = 0
    ) -> None:
        fill = {"side": order["side"], "qty": qty, "price": price, "contract": order["contract"]}
        self.event("OrderReported", place, order_id=order_id, order=order, fills=[fill])

    def ends(self, order_id: str, place: int = 1) -> None:
        self.event("OrderEnded", place, order_id=order_id, status="FILLED")

    def at_the_broker(self, side: str, qty: int, price: float | None, place: int = 0, **told: Any) -> None:
        """Hear a fill that no open order explains."""
        fill = {"side": side, "qty": qty, "price": price, "contract": "MESZ6"}
        self.event("FillBooked", place, fills=[fill], **{"order_id": None, "cause": "ORDER", **told})

    def page_ends(self) -> None:
        self._take(tell_ripe(self.pending))

    def waits(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)
        self._take(tell_late(self.pending, self.now))

    @property
    def told(self) -> list[tuple[str, int, Decimal | None]]:
        """What was told so far, in short."""
        self.page_ends()
        return [(signal.action, signal.amount, signal.price) for signal in self.heard]

    @property
    def position(self) -> int:
        self.page_ends()
        return sum(signal.amount if signal.action == "BUY" else -signal.amount for signal in self.heard)

    def _take(self, told: tuple[PendingFills, tuple[StrategySignal, ...]]) -> None:
        self.pending, signals = told
        self.heard += signals


def as_decoded(event: EventRow) -> EventRow:
    """Return the event as it comes over the wire: numbers of its data are floats."""
    return msgspec.json.decode(encode(event), type=EventRow)


# -- orders ---------------------------------------------------------------------------------------------------------


def test_a_filled_order_is_one_signal_with_the_average_of_its_fills() -> None:
    follower = Follower()
    follower.fills("a", 2, 5250.25)
    follower.fills("a", 4, 5250.75)
    assert follower.told == [], "the order is not over"
    follower.ends("a")
    assert follower.told == [("BUY", 6, Decimal("5250.58333333"))]
    (signal,) = follower.heard
    assert (signal.symbol, signal.contract, signal.strategy_name) == ("ES", "MESZ6", "lockstep.entry")
    assert (signal.order_type, signal.size_type, signal.trade_type, signal.status) == (
        *("Market", "contracts", "paper"),
        "EXECUTED",
    )
    assert signal.id == 102_000, "the id of the event with its last fill"


def test_the_message_has_the_fields_of_the_contract() -> None:
    follower = Follower()
    follower.fills("a", 6, 5250.25, {**ENTRY, "env": "LIVE"})
    follower.ends("a")
    follower.page_ends()
    assert msgspec.json.decode(encode(follower.heard[0])) == {
        "type": "STRATEGY_SIGNAL",
        "action": "BUY",
        "price": 5250.25,
        "amount": 6,
        "sizeType": "contracts",
        "orderType": "Market",
        "symbol": "ES",
        "strategyName": "lockstep.entry",
        "tradeType": "live",
        "status": "EXECUTED",
        "contract": "MESZ6",
        "id": 101_000,
        "ts": "2026-11-24T17:00:00Z",
    }


def test_an_order_that_ends_partly_filled_tells_what_it_filled() -> None:
    follower = Follower()
    follower.fills("a", 2, 5250.25)
    follower.event("OrderEnded", order_id="a", status="CANCELLED")
    assert follower.told == [("BUY", 2, Decimal("5250.25"))]


def test_an_order_that_ends_without_a_fill_tells_nothing() -> None:
    follower = Follower()
    follower.event("OrderReported", order_id="a", order=ENTRY, status="WORKING", qty=0)
    follower.event("OrderEnded", order_id="a", status="REJECTED")
    assert follower.told == []


def test_a_partial_fill_whose_rest_hangs_is_told_after_two_seconds_and_the_rest_later() -> None:
    follower = Follower()
    follower.fills("a", 2, 5250.25)
    follower.waits(1.9)
    assert follower.told == []
    follower.waits(0.1)
    assert follower.told == [("BUY", 2, Decimal("5250.25"))]
    follower.fills("a", 4, 5251)
    follower.ends("a")
    assert follower.told[1:] == [("BUY", 4, Decimal(5251))]


def test_a_lost_order_tells_what_it_filled_when_its_fate_becomes_unknown() -> None:
    follower = Follower()
    follower.fills("a", 2, 5250.25)
    follower.event("OrderFateUnknown", order_id="a")
    assert follower.told == [("BUY", 2, Decimal("5250.25"))]
    fill = {"side": "BUY", "qty": 4, "price": None, "contract": "MESZ6"}
    follower.event("OrderFateSettled", order_id="a", order=ENTRY, qty=4, fills=[fill])
    follower.ends("a")
    assert follower.told[1:] == [("BUY", 4, None)], "nobody told its price: null, never 0"


def test_an_exit_beside_a_hanging_entry_is_told_after_the_entrys_fills() -> None:
    follower = Follower()
    follower.fills("a", 2, 5250.25)
    follower.fills("b", 2, 5251, EXIT)
    follower.ends("b")
    assert follower.told == [("BUY", 2, Decimal("5250.25")), ("SELL", 2, Decimal(5251))]
    follower.ends("a")
    assert (len(follower.told), follower.position) == (2, 0)


def test_one_fill_without_a_price_makes_the_average_unknown() -> None:
    follower = Follower()
    follower.fills("a", 2, 5250.25)
    follower.fills("a", 4, None)
    follower.ends("a")
    assert follower.told == [("BUY", 6, None)]


def test_contracts_beyond_the_order_are_in_its_signal() -> None:
    follower = Follower()
    follower.fills("a", 6, 5250)
    follower.at_the_broker("BUY", 2, 5254, place=1, order_id="a", order=ENTRY, kind="ENTRY", trade_id="t")
    follower.ends("a", place=2)
    assert follower.told == [("BUY", 8, Decimal(5251))]


# -- at the broker --------------------------------------------------------------------------------------------------


def test_a_late_fill_is_told_at_once() -> None:
    follower = Follower()
    follower.fills("a", 2, 5250.25)
    follower.event("OrderEnded", order_id="a", status="CANCELLED")
    follower.at_the_broker("BUY", 4, 5252, order_id="a", order=ENTRY, kind="ENTRY", trade_id="t")
    assert follower.told == [("BUY", 2, Decimal("5250.25")), ("BUY", 4, Decimal(5252))]


def test_a_fill_that_moved_no_position_is_no_signal() -> None:
    follower = Follower()
    follower.event("FillBooked", order_id="a", side="BUY", qty=2, price=5250, trade_id=None)
    assert follower.told == []


def test_a_stop_at_the_broker_says_so() -> None:
    follower = Follower()
    follower.at_the_broker("SELL", 6, 5235.25, cause="STOP", kind="EXIT", trade_id="t")
    assert follower.told == [("SELL", 6, Decimal("5235.25"))]
    assert (follower.heard[0].order_type, follower.heard[0].strategy_name) == ("Stop", "lockstep.stop")


def test_liquidation_hand_and_followed_broker_say_who_it_was() -> None:
    follower = Follower()
    for cause in ("LIQUIDATION", "MANUAL", "FLATTEN"):
        follower.at_the_broker("SELL", 1, 5235.25, cause=cause, trade_id="t")
    fill = {"side": "SELL", "qty": 3, "price": None, "contract": "MESZ6"}
    follower.event("PositionFollowed", side="SELL", qty=3, price=5235, kind="EXIT", fills=[fill])
    assert follower.told[3:] == [("SELL", 3, None)]
    names = [signal.strategy_name for signal in follower.heard]
    assert names == ["lockstep.liquidation", "lockstep.manual", "lockstep.flatten", "lockstep.broker"]
    assert {signal.order_type for signal in follower.heard} == {"Market"}


def test_a_fill_that_turns_the_position_is_one_signal() -> None:
    follower = Follower()
    follower.at_the_broker("SELL", 3, 5235, place=0, cause="MANUAL", kind="EXIT", trade_id="t")
    follower.at_the_broker("SELL", 2, 5235, place=1, cause="MANUAL", kind="ENTRY", trade_id="u")
    assert follower.told == [("SELL", 5, Decimal(5235))]


def test_two_fills_of_two_rows_are_two_signals() -> None:
    follower = Follower()
    follower.at_the_broker("SELL", 3, 5235, cause="MANUAL", trade_id="t")
    follower.at_the_broker("SELL", 3, 5235, cause="MANUAL", trade_id="t")
    assert len(follower.told) == 2


def test_fills_without_an_order_are_of_the_environment_that_is_traded() -> None:
    follower = Follower()
    follower.event("EnvSwitched", asset="ES", env="LIVE")
    follower.at_the_broker("BUY", 1, 5235, cause="MANUAL", trade_id="t")
    follower.page_ends()
    assert follower.heard[0].trade_type == "live"


def test_a_cause_says_more_than_the_kind_and_the_kind_more_than_the_order() -> None:
    def kind(**told: Any) -> str:
        fill = {"side": "SELL", "qty": 1, "price": 5250, "contract": "MESZ6"}
        event = EventRow(1000, NOON, "FillBooked", "ES", {"fills": [fill], **told})
        return fills_of(event)[0].kind

    assert kind(cause="STOP", kind="EXIT") == "STOP"
    assert kind(cause="MANUAL", kind="ENTRY") == "ENTRY"
    assert kind(cause="ORDER", kind="ENTRY", order=EXIT) == "ENTRY", "an exit's late fill may open a trade"
    assert kind(order=EXIT) == "EXIT"
    assert kind() == "RESIZE"


def test_a_price_of_no_market_stops_nothing() -> None:
    follower = Follower()
    follower.at_the_broker("SELL", 1, 1e30, cause="MANUAL", trade_id="t")
    assert follower.told == [("SELL", 1, Decimal("1e30"))]


# -- the same again, other assets -----------------------------------------------------------------------------------


def test_a_restored_desk_that_tells_its_events_again_makes_no_signal_again() -> None:
    follower = Follower()
    follower.at_the_broker("BUY", 1, 5235, cause="MANUAL", trade_id="t")
    follower.page_ends()
    follower.row = 100
    follower.at_the_broker("BUY", 1, 5235, cause="MANUAL", trade_id="t")
    assert len(follower.told) == 1
    follower.row, follower.now = 100, NOON + timedelta(seconds=1)
    follower.at_the_broker("BUY", 1, 5235, cause="MANUAL", trade_id="t")
    assert len(follower.told) == 2, "another event under the same id is another change"
    assert follower.heard[1].id > follower.heard[0].id


def test_fills_that_cannot_be_read_tell_nothing_and_stop_nothing() -> None:
    follower = Follower()
    follower.event("OrderReported", order_id="a", fills=None)
    follower.event("OrderReported", order_id="a", fills=[{"side": "HOLD", "qty": 2}])
    follower.fills("a", 2, 5250)
    follower.ends("a")
    assert follower.told == [("BUY", 2, Decimal(5250))]


@settings(max_examples=200, deadline=None)
@given(st.lists(st.tuples(st.sampled_from("abc"), st.integers(1, 4), st.sampled_from(("fill", "end", "wait", "late")))))
def test_whatever_comes_the_amounts_add_up_and_the_ids_grow(story: list[tuple[str, int, str]]) -> None:
    """Orders a and c buy and b sells, all of one asset, in any order and with any ends."""
    follower = Follower()
    position = 0
    for order_id, qty, what in story:
        order: dict[str, Any] = EXIT if order_id == "b" else ENTRY
        sign = -1 if order_id == "b" else 1
        if what == "fill":
            follower.fills(order_id, qty, 5250, order)
            position += sign * qty
        elif what == "end":
            follower.event("OrderEnded", order_id=order_id)
        elif what == "late":
            follower.at_the_broker(order["side"], qty, 5250, order_id=order_id, order=order, trade_id="t")
            position += sign * qty
        else:
            follower.waits(2)
    follower.waits(2)
    assert follower.position == position
    ids = [signal.id for signal in follower.heard]
    assert ids == sorted(set(ids))
    assert follower.pending.groups == ()
