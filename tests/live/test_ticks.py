"""Ticks of a bridge: told once, as quotes of the stream and as prices of the desk, and not stored one by one."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from services.live.listeners import MESSAGES_QUEUED, TICKS_QUEUED, Listener, Message
from services.live.ticks import AHEAD, OLDEST, SENDER_KEEPS, TickBook, TicksTaken
from tests.live.test_stream import Ear
from tests.support.builders import CONTRACTS, new_york
from tests.support.desk_process import SERVICE_SECRET, Caller, DeskProcess, error_of, eventually
from tests.support.trader import Trader
from wire.bridge import QuoteEvent, Tick, TicksReport

NOON = new_york("2026-11-17", "12:00")
ES = CONTRACTS["ES"]


class Market:
    """A market that a bridge tells of, second by second, to a book of ticks."""

    def __init__(self, price: object = 5250) -> None:
        self.book = TickBook()
        self.now = NOON
        self.trader = Trader(at="12:00:00").hears(price)

    def tells(self, *ticks: tuple[int, object], instance: str | None = "one", **more: Any) -> TicksTaken:
        """Tell ticks of (seq, price); each is of now unless ``ts`` says otherwise."""
        told = tuple(Tick(ts=more.get("ts", self.now), price=Decimal(str(price)), seq=seq) for seq, price in ticks)
        report = TicksReport(symbol="MESZ6", ticks=told, instance=instance, gap=more.get("gap", False))
        return self.book.take(report, self.trader.asset, ES, self.now)

    def later(self, seconds: float) -> Market:
        self.now += timedelta(seconds=seconds)
        return self


def prices(taken: TicksTaken) -> list[Decimal]:
    return [quote.price for quote in taken.quotes]


def test_each_tick_is_taken_once() -> None:
    market = Market()
    assert prices(market.tells((1, 5250), (2, "5250.25"))) == [Decimal(5250), Decimal("5250.25")]
    again = market.tells((1, 5250), (2, "5250.25"), (3, "5250.5"))
    assert (prices(again), again.repeated) == ([Decimal("5250.5")], 2)


def test_a_report_that_was_overtaken_is_left_out() -> None:
    market = Market()
    market.tells((5, 5251), ts=NOON)
    late = market.later(1).tells((1, 5250), (4, 5250), ts=NOON - timedelta(seconds=1))
    assert (prices(late), late.repeated) == ([], 2)


def test_a_bridge_that_begins_to_count_anew_is_heard_at_once() -> None:
    market = Market()
    market.tells((900, 5250))
    anew = market.later(2).tells((1, 5251))
    assert (prices(anew), anew.repeated) == ([Decimal(5251)], 0)
    assert market.tells((1, 5251)).repeated == 1
    assert prices(market.later(1).tells((2, 5252))) == [Decimal(5252)]


def test_two_that_tell_of_one_market_are_not_both_published() -> None:
    market = Market()
    market.tells((1, 5250), instance="one")
    other = market.later(1).tells((1, 5250), (2, 5250), instance="two")
    assert (other.quotes, other.left_out) == ((), {"other_sender": 2})
    assert prices(market.later(1).tells((2, 5251), instance="one")) == [Decimal(5251)]


def test_a_sender_that_falls_silent_makes_room_and_what_it_told_is_not_told_again() -> None:
    market = Market()
    market.tells((1, 5250), instance="one")
    began = market.now
    market.later(SENDER_KEEPS.total_seconds())
    assert market.tells((1, 5250), instance="two", ts=began - timedelta(seconds=1)).repeated == 1
    assert prices(market.tells((2, 5251), instance="two")) == [Decimal(5251)]


@pytest.mark.parametrize(
    ("ago", "left_out"),
    [
        (OLDEST, {}),
        (OLDEST + timedelta(milliseconds=1), {"late": 1}),
        (-AHEAD, {}),
        (-AHEAD - timedelta(milliseconds=1), {"future": 1}),
    ],
)
def test_a_tick_is_of_now(ago: timedelta, left_out: dict[str, int]) -> None:
    market = Market()
    taken = market.tells((1, 5250), ts=NOON - ago)
    assert taken.left_out == left_out
    assert all(quote.ts is not None and quote.ts <= NOON for quote in taken.quotes)


@pytest.mark.parametrize(
    ("price", "reason"),
    [(0, "impossible_price"), (-5250, "impossible_price"), ("5250.1", "off_tick"), (52500, "suspect_price")],
)
def test_a_price_that_cannot_be_is_left_out_and_the_next_one_is_taken(price: object, reason: str) -> None:
    market = Market()
    taken = market.tells((1, price), (2, "5250.25"))
    assert (prices(taken), taken.left_out) == ([Decimal("5250.25")], {reason: 1})


def test_a_jump_is_believed_when_a_later_tick_agrees() -> None:
    market = Market()
    assert market.tells((1, 5350)).left_out == {"suspect_price": 1}
    assert prices(market.later(0.1).tells((2, "5350.25"))) == [Decimal("5350.25")]
    assert prices(market.later(0.1).tells((3, "5350.5"))) == [Decimal("5350.5")]


def test_ticks_are_judged_by_ticks_and_leave_the_desk_as_it_was() -> None:
    market = Market()
    before = market.trader.desk
    for seq in range(1, 200):
        market.later(0.1).tells((seq, 5250 + seq))
    assert prices(market.tells((200, 5450))) == [Decimal(5450)]
    assert market.trader.desk is before


@pytest.mark.parametrize(
    ("bid", "ask", "shown"),
    [
        ("5250", "5250.25", ("5250", "5250.25")),
        ("5250", None, ("5250", None)),
        ("5250.25", "5250.25", ("5250.25", "5250.25")),
        ("5250.5", "5250.25", (None, None)),
        ("5250.1", "5250.25", (None, None)),
        ("-1", "5250.25", (None, None)),
        ("0", "5250.25", (None, None)),
    ],
)
def test_a_book_that_cannot_be_is_unknown(bid: str | None, ask: str | None, shown: tuple[str | None, ...]) -> None:
    market = Market()
    tick = Tick(
        ts=NOON,
        price=Decimal(5250),
        seq=1,
        bid=None if bid is None else Decimal(bid),
        ask=None if ask is None else Decimal(ask),
    )
    (quote,) = market.book.take(TicksReport(symbol="MESZ6", ticks=(tick,)), market.trader.asset, ES, NOON).quotes
    assert (quote.bid, quote.ask) == tuple(None if price is None else Decimal(price) for price in shown)


def test_ticks_fill_no_queue_and_end_no_stream() -> None:
    listener = Listener(quotes_only=False, every_tick=True)
    tick = Message.of_quotes(1, [QuoteEvent(symbol="MESZ6", price=Decimal(5250), seq=1)] * 500)
    for _ in range(2 * MESSAGES_QUEUED):
        listener.offer_ticks(tick)
    assert len(listener.take_queued()) == TICKS_QUEUED
    assert tick.wire.count(b"event: quote\n") == 500


def test_a_program_that_was_too_slow_for_ticks_is_told_before_the_next_ones() -> None:
    tick = Message.of_quotes(1, [QuoteEvent(symbol="MESZ6", price=Decimal(5250), seq=1)])
    for every_tick in (True, False):
        listener = Listener(quotes_only=False, every_tick=every_tick)
        for _ in range(TICKS_QUEUED + 3):
            listener.offer_ticks(tick)
        listener.take_queued()
        listener.offer_ticks(tick)
        listener.offer_ticks(tick)
        heard = [message.event for message in listener.take_queued()]
        assert heard == ["missed", "quote", "quote"][0 if every_tick else 1 :]


def test_a_tick_says_when_others_before_it_may_be_missing() -> None:
    market = Market()
    gaps = [quote.after_gap for quote in market.tells((1, 5250), (2, 5250)).quotes]
    assert gaps == [True, False]  # nobody heard what was before the first
    assert [quote.after_gap for quote in market.tells((3, 5251)).quotes] == [False]
    assert market.tells((4, 9999), (5, 5251)).left_out
    assert [quote.after_gap for quote in market.later(1).tells((6, 5251)).quotes] == [False]
    assert [quote.after_gap for quote in market.tells((7, 5251), gap=True).quotes] == [True]
    anew = market.later(10).tells((1, 5251), (2, 5251), instance="two")
    assert [quote.after_gap for quote in anew.quotes] == [True, False]


# -- a running desk ---------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DeskProcess]:
    with DeskProcess(tmp_path_factory.mktemp("ticks"), ASSETS="ES,NQ,CL") as desk:
        yield desk


@contextmanager
def hearing(caller: Caller) -> Iterator[Ear]:
    ear = Ear(caller)
    try:
        ear.hears("state")
        yield ear
    finally:
        ear.close()


def feeds_of(desk: DeskProcess) -> Caller:
    caller = desk.stranger()
    caller.headers["X-Service-Secret"] = SERVICE_SECRET
    return caller


def tick(seq: int, price: float, **more: Any) -> dict[str, Any]:
    return {"ts": datetime.now(UTC).isoformat(), "price": price, "seq": seq, **more}


def contract_of(desk: DeskProcess, asset: str = "ES") -> str:
    return str(desk.operator().state()["assets"][asset]["contract"])


def tells(desk: DeskProcess, *ticks: dict[str, Any], asset: str = "ES", **more: Any) -> dict[str, Any]:
    body = {"symbol": contract_of(desk, asset), "ticks": list(ticks), **more}
    answer = desk.bridge().post("/api/bridge/ticks", json=body)
    assert answer.status_code == 200, answer.text
    told: dict[str, Any] = answer.json()
    return told


def told_by_ticks(ear: Ear, asset: str) -> list[dict[str, Any]]:
    quotes = [event.body for event in ear.of("quote") if event.body["asset"] == asset]
    return [quote for quote in quotes if quote["source"] == "ticks"]


def committed(desk: DeskProcess, since: int = 0) -> list[tuple[Any, ...]]:
    """Return sequence and origin of each commit after one, without those of the desk's own clock."""
    return desk.rows("SELECT sequence, origin FROM journal WHERE sequence > ? AND origin != 'clock' ORDER BY 1", since)


@pytest.mark.processes
def test_a_service_hears_every_tick_and_the_others_the_newest(desk: DeskProcess) -> None:
    operator = desk.operator()
    with hearing(feeds_of(desk)) as feeds, hearing(operator) as page:
        told = [tick(seq, 5250 + seq / 4, size=seq, bid=5250, ask=5300) for seq in range(1, 501)]
        told += [tick(501, 5300)]
        assert tells(desk, *told[:500], simulated=True) == {"ok": True, "taken": 500, "repeated": 0, "left_out": {}}
        eventually(lambda: len(told_by_ticks(feeds, "ES")) == 500)
        heard = told_by_ticks(feeds, "ES")
        assert [quote["seq"] for quote in heard] == list(range(1, 501))
        first = {name: heard[3][name] for name in ("price", "size", "bid", "ask", "simulated", "symbol")}
        contract = contract_of(desk)
        expected = {"price": 5251, "size": 4, "bid": 5250, "ask": 5300, "simulated": True, "symbol": contract}
        assert first == expected
        eventually(lambda: told_by_ticks(page, "ES"))
        assert [quote["seq"] for quote in told_by_ticks(page, "ES")] == [500]


@pytest.mark.processes
def test_a_tick_is_the_price_of_the_desk_and_of_the_paper_bridge_and_is_not_committed(desk: DeskProcess) -> None:
    desk.tradingview().heartbeat(18000, asset="NQ")
    operator = desk.operator()
    known = committed(desk)[-1][0]
    bridge = Ear(desk.bridge())
    bridge.hears("quote")
    assert tells(desk, tick(1, 18000.25), tick(2, 18000.5), asset="NQ")["taken"] == 2
    eventually(lambda: any(event.body.get("price") == 18000.5 for event in bridge.events))
    desk.tradingview().heartbeat(18001, asset="NQ")
    bridge.close()
    own = [event.body for event in bridge.of("quote") if event.body["asset"] == "NQ"]
    assert (own[-1]["price"], own[-1]["source"], own[-1]["seq"]) == (18000.5, "ticks", None)
    assert operator.state()["assets"]["NQ"]["last_price"] == 18000.5
    assert committed(desk, since=known) == []


@pytest.mark.processes
def test_a_heartbeat_says_that_it_is_one_and_whether_it_is_simulated(desk: DeskProcess) -> None:
    with hearing(feeds_of(desk)) as feeds:
        desk.tradingview().heartbeat(70.02, asset="CL")
        desk.tradingview().heartbeat(70.03, asset="CL", source="simulated")
        eventually(lambda: any(event.body["price"] == 70.03 for event in feeds.of("quote")))
        last = [event.body for event in feeds.of("quote") if event.body["asset"] == "CL"][-1]
        assert (last["source"], last["simulated"], last["bid"], last["size"]) == ("heartbeat", True, None, None)


@pytest.mark.processes
def test_what_is_unknown_stays_unknown(desk: DeskProcess) -> None:
    with hearing(feeds_of(desk)) as feeds:
        desk.tradingview().heartbeat(18003, asset="NQ")
        known = max((quote["seq"] for quote in told_by_ticks(feeds, "NQ")), default=0)
        assert tells(desk, tick(known + 10, 18003.25), asset="NQ")["taken"] == 1
        eventually(lambda: told_by_ticks(feeds, "NQ"))
        quote = told_by_ticks(feeds, "NQ")[-1]
        assert [quote[name] for name in ("bid", "ask", "size", "simulated")] == [None] * 4


@pytest.mark.processes
@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"ticks": [tick(seq, 5250) for seq in range(501)]}, "ticks"),
        ({"ticks": [{**tick(9001, 5250), "price": "NaN"}]}, "ticks.0.price"),
        ({"ticks": [{**tick(9001, 5250), "ts": "2026-11-30 12:00"}]}, "ticks.0.ts"),
        ({"ticks": [{**tick(9001, 5250), "ts": 1764489017}]}, "ticks.0.ts"),
        ({"ticks": [{"ts": "2026-11-30T12:00:00Z", "price": 5250}]}, "ticks.0.seq"),
        ({"ticks": [tick(-1, 5250)]}, "ticks.0.seq"),
        ({"ticks": [tick(2**63, 5250)]}, "ticks.0.seq"),
        ({"ticks": [{**tick(9001, 5250), "size": -1}]}, "ticks.0.size"),
        ({"ticks": {}}, "ticks"),
        ({"symbol": "MESH9"}, "symbol"),
        ({"symbol": "MYMZ6"}, "symbol"),
        ({"symbol": "nonsense"}, "symbol"),
        ({"symbol": ""}, "symbol"),
    ],
)
def test_what_cannot_be_read_is_refused_and_publishes_nothing(
    desk: DeskProcess, body: dict[str, Any], field: str
) -> None:
    alerts = desk.operator().state()["alerts"]
    whole = {"symbol": contract_of(desk), "ticks": [tick(9001, 5250)], **body}
    with hearing(feeds_of(desk)) as feeds:
        answer = desk.bridge().post("/api/bridge/ticks", json=whole)
        error_of(answer, 400)
        assert answer.json()["field"] == field
        feeds.hears("ping")
        assert told_by_ticks(feeds, "ES") == []
    assert desk.operator().state()["alerts"] == alerts


@pytest.mark.processes
def test_a_standby_takes_no_ticks(desk: DeskProcess, tmp_path: Path) -> None:
    with DeskProcess(tmp_path, ASSETS="ES,NQ", SQLITE_PATH=str(desk.folder / "desk.sqlite")) as standby:
        answer = standby.bridge().post("/api/bridge/ticks", json={"symbol": contract_of(desk), "ticks": []})
        assert error_of(answer, 503)
        assert answer.json()["code"] == "standby"
