"""The bricks of the charts: remembered, numbered, told live, on the writer and on the standby (SPEC 3)."""

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from services.desk import lease as tenure
from services.desk.manager import StateManager
from services.engine.model.commands import CloseBrick, ConfigureDesk
from services.engine.model.events import BrickApplied, UnitChanged
from services.live import bricks as module
from services.live.activity import ActivityLog
from services.live.bricks import BRICKS_KEPT, FIRST_LIVE, BrickStore, brick_view
from services.live.broadcast import Broadcaster
from services.live.listeners import Message
from services.stores.sqlite.store import SqliteStore
from services.stores.store import Commit, Head, JournalRow, OutcomeUnknown, StoreDown
from tests.desk.test_manager import RULES
from tests.support.builders import CONTRACTS
from tests.support.commits import hears
from tests.support.desk_process import QUICK, Caller, DeskProcess, error_of, eventually
from wire.types import Color, Stream

SIZES = ("1", "2.5", "4", "6", "8", "12")


class AppServices:
    """A desk with its bricks and its broadcaster, put together as the application does."""

    def __init__(self, path: Path) -> None:
        self.bricks = BrickStore()
        self.manager = StateManager(
            SqliteStore(path),
            lambda now: RULES,
            subscribers=[self.bricks],
        )
        self.bricks.remember(self.manager.store, self.manager.snapshot.desk.sequence)
        self.broadcaster = Broadcaster(self.manager, ActivityLog(), self.bricks)

    def closes(self, *colors: Color, stream: Stream = Stream.MAIN, **more: Any) -> None:
        for color in colors:
            self.manager.submit(CloseBrick("ES", stream, color, **more))

    def colors(self, stream: Stream = Stream.MAIN) -> list[str]:
        return [brick.color for brick in self.bricks.last("ES", stream, BRICKS_KEPT)]

    def times(self, stream: Stream = Stream.MAIN) -> list[datetime]:
        return [brick.at for brick in self.bricks.last("ES", stream, BRICKS_KEPT)]

    def numbers(self, stream: Stream = Stream.MAIN) -> list[int]:
        return [brick.n for brick in self.bricks.last("ES", stream, BRICKS_KEPT)]

    def stop(self) -> None:
        self.broadcaster.stop()
        self.bricks.stop()
        self.manager.stop()


@pytest.fixture
def houses(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[], AppServices]]:
    monkeypatch.setattr(tenure, "LEASE_SECONDS", 1.5)  # a busy machine may hold up the writer's renewal for a while
    monkeypatch.setattr(tenure, "RENEW_SECONDS", 0.15)
    monkeypatch.setattr(tenure, "LOOK_SECONDS", 0.05)
    opened = []

    def open_one() -> AppServices:
        opened.append(AppServices(tmp_path / "desk.sqlite"))
        return opened[-1]

    yield open_one
    for house in opened:
        house.stop()


# -- what is kept -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("stream", Stream)
def test_a_brick_of_every_size_is_kept(houses: Callable[[], AppServices], stream: Stream) -> None:
    house = houses()
    house.closes("green", "red", stream=stream, close=Decimal(5250))
    assert house.colors(stream) == ["green", "red"]
    assert house.numbers(stream) == [FIRST_LIVE, FIRST_LIVE + 1]


def test_a_duplicate_a_late_and_a_neutral_one_are_no_bricks(houses: Callable[[], AppServices]) -> None:
    house, now = houses(), datetime.now(UTC)
    for stream in (Stream.ONE, Stream.MAIN):
        house.closes("green", "green", stream=stream, bar_id="bar", bar_at=now)
        house.closes("red", stream=stream, bar_at=now - timedelta(minutes=1))
        house.closes("neutral", stream=stream)
        assert house.colors(stream) == ["green"]


def test_what_was_not_committed_is_not_kept(houses: Callable[[], AppServices], monkeypatch: pytest.MonkeyPatch) -> None:
    house = houses()

    def fails(commit: Commit) -> Head:
        raise StoreDown("the disk is full")

    monkeypatch.setattr(house.manager.store, "commit", fails)
    with pytest.raises(StoreDown):
        house.closes("green")
    assert house.colors() == []


def test_a_brick_whose_write_was_in_doubt_is_kept_when_it_is_found_stored(
    houses: Callable[[], AppServices], monkeypatch: pytest.MonkeyPatch
) -> None:
    house = houses()
    house.closes("green")
    eventually(lambda: house.bricks.is_whole)
    store_it = house.manager.store.commit

    def loses_the_answer(commit: Commit) -> Head:
        store_it(commit)
        monkeypatch.setattr(house.manager.store, "commit", store_it)
        raise OutcomeUnknown("the answer was lost")

    monkeypatch.setattr(house.manager.store, "commit", loses_the_answer)
    with pytest.raises(OutcomeUnknown):
        house.closes("red")
    eventually(lambda: house.colors() == ["green", "red"])
    eventually(lambda: house.manager.snapshot.store == "up")
    house.closes("red")
    assert house.colors() == ["green", "red", "red"]


def test_a_series_is_bounded_and_goes_on_counting() -> None:
    bricks = BrickStore()
    for _ in range(3):
        hears(bricks, [BrickApplied("ES", Stream.FOUR, "green")] * 1_000)
    kept = bricks.last("ES", Stream.FOUR, BRICKS_KEPT + 1)
    assert len(kept) == BRICKS_KEPT
    assert kept[-1].n == FIRST_LIVE + 2_999
    assert [brick.n for brick in bricks.last("ES", Stream.FOUR, 2)] == [FIRST_LIVE + 2_998, FIRST_LIVE + 2_999]


@pytest.mark.parametrize(("color", "opened"), [("green", Decimal("5244.25")), ("red", Decimal("5256.25"))])
def test_where_a_brick_opened_follows_from_its_colour(color: Color, opened: Decimal) -> None:
    bricks = BrickStore()
    hears(bricks, [BrickApplied("ES", Stream.MAIN, color, Decimal("5250.25"))])
    hears(bricks, [BrickApplied("ES", Stream.MAIN, color)])
    priced, unpriced = (brick_view(b, Stream.MAIN, CONTRACTS["ES"].point) for b in bricks.last("ES", Stream.MAIN, 2))
    assert (priced.open, priced.close) == (opened, Decimal("5250.25"))
    assert (unpriced.open, unpriced.close) == (None, None)


def test_a_point_is_worth_what_the_contract_says() -> None:
    bricks = BrickStore()
    hears(bricks, [BrickApplied("EURUSD", Stream.FOUR, "green", Decimal("1.0850"))])
    [brick] = bricks.last("EURUSD", Stream.FOUR, 1)
    assert brick_view(brick, Stream.FOUR, CONTRACTS["EURUSD"].point).open == Decimal("1.0846")


# -- another unit -----------------------------------------------------------------------------------------------


def changes_unit(house: AppServices, unit: str) -> None:
    contract = replace(house.manager.snapshot.desk.assets["ES"].contract, unit=Decimal(unit))
    house.manager.submit(ConfigureDesk(replace(RULES, contracts={"ES": contract})))


def test_bricks_of_another_unit_are_not_drawn_beside_the_new_ones(houses: Callable[[], AppServices]) -> None:
    house = houses()
    house.closes("green", "red", close=Decimal(5250))
    changes_unit(house, "0.5")
    assert house.colors() == []
    house.closes("green")
    assert house.numbers() == [FIRST_LIVE + 2]


def test_a_restart_remembers_no_brick_of_an_earlier_unit(tmp_path: Path) -> None:
    house = AppServices(tmp_path / "desk.sqlite")
    house.closes("green", "green")
    changes_unit(house, "0.5")
    house.closes("red")
    through = house.manager.snapshot.desk.sequence
    house.stop()
    bricks, store = BrickStore(), SqliteStore(tmp_path / "desk.sqlite")
    bricks.remember(store, through)
    eventually(lambda: bricks.is_whole)
    store.close()
    assert [brick.color for brick in bricks.last("ES", Stream.MAIN, 10)] == ["red"]


def test_a_unit_that_changes_while_the_past_is_read_leaves_none_of_it(tmp_path: Path) -> None:
    house = AppServices(tmp_path / "desk.sqlite")
    house.closes("green", "green")
    through = house.manager.snapshot.desk.sequence
    house.stop()
    bricks, store = BrickStore(), SqliteStore(tmp_path / "desk.sqlite")
    hears(bricks, [UnitChanged("ES", Decimal(1), Decimal(2))])
    bricks.remember(store, through)
    eventually(lambda: bricks.is_whole)
    store.close()
    assert bricks.last("ES", Stream.MAIN, 10) == []


# -- a restart --------------------------------------------------------------------------------------------------


def test_a_restart_remembers_and_numbers_downwards(houses: Callable[[], AppServices]) -> None:
    before = houses()
    before.closes("green", "red", "red", close=Decimal(5250))
    before.closes("green", stream=Stream.ONE)
    before.stop()
    after = houses()
    eventually(lambda: after.bricks.is_whole)
    assert after.colors() == ["green", "red", "red"]
    after.closes("green")
    assert after.numbers() == [FIRST_LIVE - 3, FIRST_LIVE - 2, FIRST_LIVE - 1, FIRST_LIVE]
    assert after.bricks.last("ES", Stream.MAIN, 4)[0].close == Decimal(5250)


def test_a_bricks_time_is_its_rows_on_every_process_and_after_a_restart(houses: Callable[[], AppServices]) -> None:
    writer, standby = houses(), houses()
    writer.closes("green", "red", "green")
    rows = [row for row in writer.manager.store.journal() if row.kind == "CloseBrick"]
    journaled = [row.at for row in rows]
    assert writer.times() == journaled
    eventually(lambda: standby.times() == journaled)
    for house in (standby, writer):
        house.stop()
    again = houses()
    eventually(lambda: again.bricks.is_whole)
    assert again.times() == journaled


def test_what_comes_while_the_past_is_read_stands_behind_it(tmp_path: Path) -> None:
    class SlowStore(SqliteStore):
        def journal(self, after: int = 0) -> Iterator[JournalRow]:
            yield from list(super().journal(after))
            hears(bricks, [BrickApplied("ES", Stream.MAIN, "red")])

    house = AppServices(tmp_path / "desk.sqlite")
    house.closes("green", "green")
    through = house.manager.snapshot.desk.sequence
    house.stop()
    bricks, store = BrickStore(), SlowStore(tmp_path / "desk.sqlite")
    bricks.remember(store, through)
    eventually(lambda: bricks.is_whole)
    store.close()
    kept = bricks.last("ES", Stream.MAIN, 10)
    assert [brick.color for brick in kept] == ["green", "green", "red"]
    assert [brick.n for brick in kept] == [FIRST_LIVE - 2, FIRST_LIVE - 1, FIRST_LIVE]


def test_no_more_of_the_past_is_read_than_the_bound(
    houses: Callable[[], AppServices], monkeypatch: pytest.MonkeyPatch
) -> None:
    before = houses()
    for _ in range(10):
        before.closes("green")
    before.stop()
    monkeypatch.setattr(module, "ROWS_REMEMBERED", 4)
    after = houses()
    eventually(lambda: after.bricks.is_whole)
    assert 0 < len(after.colors()) <= 4


def test_a_store_that_cannot_be_read_leaves_the_charts_empty(tmp_path: Path) -> None:
    class DeadStore(SqliteStore):
        def journal(self, after: int = 0) -> Iterator[JournalRow]:
            raise StoreDown("gone")

    bricks = BrickStore()
    bricks.remember(DeadStore(tmp_path / "desk.sqlite"), 100)
    eventually(lambda: bricks.is_whole)
    assert bricks.last("ES", Stream.MAIN, 10) == []


# -- live -------------------------------------------------------------------------------------------------------


def test_every_brick_is_told_once_and_in_order(houses: Callable[[], AppServices]) -> None:
    house = houses()
    eventually(lambda: house.bricks.is_whole)
    listener, quotes = house.broadcaster.listen(), house.broadcaster.listen(quotes_only=True)
    for _ in range(20):
        house.closes("green", "red")
    house.closes("green", stream=Stream.ONE)
    heard: list[Message] = []

    def all_came() -> bool:
        heard.extend(listener.take_queued())
        return [message.event for message in heard].count("brick") == 41

    eventually(all_came)
    bodies = [json.loads(message.body) for message in heard if message.event == "brick"]
    assert (bodies[0]["size"], bodies[0]["n"]) == (6, FIRST_LIVE)
    assert bodies[39]["n"] == FIRST_LIVE + 39
    assert {message.event for message in quotes.take_queued()} <= {"quote", "ping"}


def test_a_standby_shows_what_the_writer_commits(houses: Callable[[], AppServices]) -> None:
    writer = houses()
    writer.closes("green", "red")
    standby = houses()
    assert not standby.manager.is_writer
    writer.closes("red", "green", close=Decimal(5250))
    eventually(lambda: standby.colors() == ["green", "red", "red", "green"])
    eventually(lambda: standby.numbers() == list(range(FIRST_LIVE - 2, FIRST_LIVE + 2)))
    writer.stop()
    eventually(lambda: standby.manager.is_writer)
    standby.closes("green")
    assert standby.colors() == ["green", "red", "red", "green", "green"]


# -- the API ----------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DeskProcess]:
    with DeskProcess(tmp_path_factory.mktemp("bricks"), **QUICK) as desk:
        yield desk


def bricks_of(caller: Caller, **query: Any) -> Any:
    answer = caller.get("/api/bricks", params=query)
    assert answer.status_code == 200, answer.text
    return answer.json()


@pytest.mark.processes
@pytest.mark.parametrize("size", SIZES)
def test_the_api_gives_the_newest_bricks_oldest_first(desk: DeskProcess, size: str) -> None:
    market, operator = desk.tradingview(), desk.operator()
    for number, color in enumerate(("green", "red", "green")):
        market.brick(float(size), color, bar_id=f"bar {number}", close=5250.25)
    body = bricks_of(operator, asset="es", size=size, limit="2")
    assert (body["ok"], body["asset"], body["size"], body["complete"]) == (True, "ES", float(size), True)
    assert [brick["color"] for brick in body["bricks"]] == ["red", "green"]
    first, second = body["bricks"]
    assert second["n"] == first["n"] + 1
    assert first["open"] - first["close"] == second["close"] - second["open"] == float(size)
    assert body["version"] <= operator.state()["version"]


@pytest.mark.processes
@pytest.mark.parametrize(
    ("query", "field"),
    [
        ({"size": "6"}, "asset"),
        ({"asset": "ES"}, "size"),
        ({"asset": "GC", "size": "6"}, "asset"),
        ({"asset": "ES", "size": "7"}, "size"),
        ({"asset": "ES", "size": "6.0"}, "size"),
        ({"asset": "ES", "size": "6", "limit": "0"}, "limit"),
        ({"asset": "ES", "size": "6", "limit": "2001"}, "limit"),
        ({"asset": "ES", "size": "6", "limit": "many"}, "limit"),
        ({"asset": "ES" * 30, "size": "6"}, "asset"),
    ],
)
def test_a_question_that_makes_no_sense_is_refused(desk: DeskProcess, query: dict[str, str], field: str) -> None:
    assert field in error_of(desk.operator().get("/api/bricks", params=query), 400)


@pytest.mark.processes
def test_a_stranger_and_a_bridge_see_no_bricks(desk: DeskProcess) -> None:
    for caller in (desk.stranger(), desk.bridge()):
        error_of(caller.get("/api/bricks", params={"asset": "ES", "size": "6"}), 401)


@pytest.mark.processes
def test_a_restarted_desk_has_its_bricks_and_of_the_smallest_the_last(tmp_path: Path) -> None:
    with DeskProcess(tmp_path, **QUICK) as desk:
        for size in (*SIZES, *SIZES):
            desk.tradingview().brick(float(size), "green", close=5250)
        desk.restart()
        operator = desk.operator()
        eventually(lambda: bricks_of(operator, asset="ES", size="6")["complete"])
        counts = {size: len(bricks_of(operator, asset="ES", size=size)["bricks"]) for size in SIZES}
        assert counts == {**dict.fromkeys(SIZES, 2), "1": 1}
