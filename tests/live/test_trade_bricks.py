"""The bricks around a closed trade: from memory, from the journal, cut where there are too many."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any, Self

import pytest

from services.engine.model.commands import AnyCommand, CloseBrick, TickClock
from services.engine.model.events import BrickApplied
from services.engine.model.trade_events import TradeClosed
from services.live import trade_bricks as module
from services.live.bricks import FIRST_LIVE, BrickStore
from services.live.trade_bricks import NONE_CLOSED, PRUNED, Gap, TradeBricks, bricks_around
from services.stores.codec.documents import write_command, write_events
from services.stores.sqlite.store import SqliteStore
from services.stores.store import Commit, JournalRow, StoreDown, StoreState
from tests.journal.test_journal_api import trades_once
from tests.support.commits import hears
from tests.support.desk_process import QUICK, DeskProcess, error_of, eventually
from tests.support.narrow import known
from wire.types import Color, Stream

OPENING = datetime(2026, 11, 20, 14, 30, tzinfo=UTC)
SIZES = ("2.5", "4", "6", "8", "12")


class CountingStore(SqliteStore):
    """Counts the journal's rows that were looked at."""

    looked_at = 0

    def journal(self, after: int = 0) -> Iterator[JournalRow]:
        for row in super().journal(after):
            self.looked_at += 1
            yield row


class Tape:
    """A past second by second: each brick is a row of the journal, and heard by the memory of who was there."""

    def __init__(self, path: Path) -> None:
        self.store = CountingStore(path)
        self.second = 0
        self.heard = BrickStore()
        self._rows: list[JournalRow] = []

    @property
    def now(self) -> datetime:
        return OPENING + timedelta(seconds=self.second)

    def bricks(self, count: int, asset: str = "ES", stream: Stream = Stream.MAIN, color: Color = "green") -> Self:
        """Close so many bricks, one a second; each closes at the second that it is."""
        for _ in range(count):
            event = BrickApplied(asset, stream, color, Decimal(self.second))
            hears(self.heard, [event], self.now)
            self._journals(CloseBrick(asset, stream, color), [event])
        return self

    def quiet(self, rows: int) -> Self:
        """Let the journal grow by rows that tell of no brick."""
        for _ in range(rows):
            self._journals(TickClock(), [])
        return self

    def _journals(self, command: AnyCommand, events: Any) -> None:
        row = JournalRow(
            sequence=len(self._rows) + 1,
            at=self.now,
            origin=command.origin,
            kind=type(command).__name__,
            asset=getattr(command, "asset", None),
            command=write_command(command),
            events=write_events(events),
        )
        self._rows.append(row)
        self.second += 1

    def keep(self) -> None:
        """Store all of it."""
        count = len(self._rows)
        self.store.commit(Commit(None, StoreState(count, count, 1, "web"), {"_global": b"{}"}, self._rows))

    def around(self, trade: TradeClosed, stream: Stream = Stream.MAIN, memory: BrickStore | None = None) -> TradeBricks:
        return bricks_around(trade, stream, self.store, memory or BrickStore())


@pytest.fixture
def tape(tmp_path: Path) -> Iterator[Tape]:
    tape = Tape(tmp_path / "desk.sqlite")
    yield tape
    tape.store.close()


def a_trade(entered: Any, left: Any, asset: str = "ES") -> TradeClosed:
    """A trade that was open between two seconds of the tape."""
    return TradeClosed(
        id="t",
        asset=asset,
        contract="MESZ6",
        side="BUY",
        size=5,
        entry_price=Decimal(5250),
        exit_price=Decimal(5254),
        entry_ts=OPENING + timedelta(seconds=entered),
        exit_ts=OPENING + timedelta(seconds=left),
        mode="RUNNER",
        zone="NORMAL",
        reason="manual",
        env="DEMO",
        pnl_points=Decimal(4),
        pnl_usd=Decimal(100),
        mae_points=Decimal(0),
        mfe_points=Decimal(4),
    )


def seconds(found: TradeBricks) -> list[int]:
    """Return at which second each brick closed."""
    return [int(known(brick.close)) for brick in found.bricks]


# -- what is shown --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("is_remembered", [True, False], ids=["memory", "journal"])
def test_forty_before_all_between_and_twenty_after(tape: Tape, is_remembered: bool) -> None:
    tape.bricks(200).keep()
    found = tape.around(a_trade(100, 130), memory=tape.heard if is_remembered else None)
    assert seconds(found) == list(range(60, 150))
    assert [brick.n for brick in found.bricks] == list(range(1, 91))
    assert [brick.at for brick in found.bricks[:2]] == [OPENING + timedelta(seconds=s) for s in (60, 61)]
    assert (found.between, found.gap, found.absence) == (30, None, None)
    assert (tape.store.looked_at == 0) is is_remembered


def test_what_the_memory_holds_needs_no_store(tape: Tape) -> None:
    tape.bricks(60).store.close()
    assert seconds(tape.around(a_trade(50, 55), memory=tape.heard)) == list(range(10, 60))
    with pytest.raises(StoreDown):
        tape.around(a_trade(30, 55), memory=tape.heard)


def test_a_memory_that_begins_too_late_is_not_believed(tape: Tape) -> None:
    tape.bricks(100)
    tape.heard = BrickStore()
    tape.bricks(100).keep()
    assert tape.heard.last("ES", Stream.MAIN, 1)[0].n == FIRST_LIVE + 99
    assert seconds(tape.around(a_trade(139, 150), memory=tape.heard)) == list(range(99, 170))


def test_other_assets_other_sizes_and_neutral_ones_are_not_mixed_in(tape: Tape) -> None:
    for _ in range(50):
        tape.bricks(1).bricks(1, "NQ").bricks(1, stream=Stream.FOUR).bricks(1, color="neutral")
    tape.keep()
    found = tape.around(a_trade(100, 120))
    assert seconds(found) == list(range(0, 200, 4))[:50]
    assert found.between == 5
    assert seconds(tape.around(a_trade(100, 120, "NQ"))) == list(range(1, 201, 4))
    assert seconds(tape.around(a_trade(100, 120), Stream.FOUR)) == list(range(2, 202, 4))


def test_bricks_are_looked_for_far_back_and_not_for_ever(tape: Tape, monkeypatch: pytest.MonkeyPatch) -> None:
    tape.bricks(50).quiet(4_000).bricks(5).keep()
    assert seconds(tape.around(a_trade(4_050, 4_052))) == [*range(10, 50), *range(4_050, 4_055)]
    monkeypatch.setattr(module, "ROWS_AT_MOST", 1_500)
    tape.store.looked_at = 0
    assert seconds(tape.around(a_trade(4_050, 4_052))) == list(range(4_050, 4_055))
    assert tape.store.looked_at <= 1_510


def test_a_trade_before_the_first_brick_has_those_behind_it(tape: Tape) -> None:
    tape.quiet(10).bricks(30).keep()
    found = tape.around(a_trade(5, 15))
    assert seconds(found) == list(range(10, 35))
    assert found.between == 5


def test_a_brick_that_closed_at_the_exit_stands_behind_it(tape: Tape) -> None:
    tape.bricks(60).keep()
    for memory in (tape.heard, None):
        found = tape.around(a_trade(50, 50), memory=memory)
        assert seconds(found) == list(range(10, 60))
        assert found.between == 0


# -- what is missing ------------------------------------------------------------------------------------------------


def test_of_a_long_trade_entry_and_exit_are_shown(tape: Tape) -> None:
    tape.bricks(900).keep()
    for memory in (tape.heard, None):
        found = tape.around(a_trade(100, 800), memory=memory)
        assert seconds(found) == [*range(60, 370), *range(530, 820)]
        assert (len(found.bricks), found.between, found.gap) == (600, 540, Gap(after=310, left_out=160))
        gap = known(found.gap)
        assert seconds(found)[gap.after - 1 : gap.after + 1] == [369, 530]


def test_a_trade_of_540_bricks_is_shown_whole(tape: Tape) -> None:
    tape.bricks(640).keep()
    found = tape.around(a_trade(50, 590))
    assert (found.between, found.gap) == (540, None)
    assert tape.around(a_trade(50, 591)).gap == Gap(after=310, left_out=1)


def test_of_a_trade_with_too_many_rows_only_both_ends_are_read(tape: Tape, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "ROWS_BETWEEN", 100)
    tape.bricks(100).quiet(40).bricks(300).quiet(40).bricks(30).keep()
    found = tape.around(a_trade(100, 480))
    assert seconds(found) == [*range(60, 100), *range(140, 150), *range(430, 440), *range(480, 500)]
    assert (found.between, found.gap) == (20, Gap(after=50, left_out=None))


def test_no_more_rows_are_looked_at_than_the_bound(tape: Tape, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "ROWS_AT_MOST", 500)
    monkeypatch.setattr(module, "ROWS_BETWEEN", 300)
    monkeypatch.setattr(module, "ROWS_AFTER", 100)
    tape.bricks(20).quiet(2_000).keep()
    assert tape.around(a_trade(1_000, 1_900)).absence is not None
    assert tape.store.looked_at <= 510


def test_pruned_bricks_are_said_to_be_gone(tape: Tape) -> None:
    tape.bricks(200).keep()
    tape.store.prune_journal(120)
    for trade in (a_trade(50, 60), a_trade(100, 190), a_trade(119, 190)):
        found = tape.around(trade)
        assert (found.bricks, found.between, found.absence) == ([], 0, PRUNED)


def test_what_pruning_left_of_the_time_before_is_shown(tape: Tape) -> None:
    tape.bricks(200).keep()
    tape.store.prune_journal(120)
    found = tape.around(a_trade(130, 140))
    assert seconds(found) == list(range(120, 160))
    assert found.absence is None


def test_a_desk_that_heard_no_brick_of_that_size_says_so(tape: Tape) -> None:
    tape.quiet(20).bricks(5).keep()
    found = tape.around(a_trade(10, 22), Stream.TWO_HALF)
    assert (found.bricks, found.gap) == ([], None)
    assert found.absence == NONE_CLOSED.format(size=Decimal("2.5"))
    assert "no 2.5 point brick" in found.absence


# -- the API --------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DeskProcess]:
    with DeskProcess(tmp_path_factory.mktemp("picture"), **QUICK) as desk:
        yield desk


@pytest.fixture(scope="module")
def traded(desk: DeskProcess) -> str:
    """One trade on ES, with bricks of ES and NQ before and after it; the trade's id."""
    market = desk.tradingview()
    for number in range(3):
        for size in map(float, SIZES):
            close = size * (round(5250 / size) + number)  # each brick continues the one before
            market.brick(size, "green", bar_id=f"before {number}", close=close)
            market.brick(size, "red", asset="NQ", bar_id=f"before {number}", close=23_000)
    trade_id = trades_once(desk, 4)
    market.brick(6, "red", bar_id="after", close=5250)
    return trade_id


def bricks_of(desk: DeskProcess, trade_id: str, **query: Any) -> Any:
    answer = desk.operator().get(f"/api/journal/trades/{trade_id}/bricks", params=query)
    assert answer.status_code == 200, answer.text
    assert answer.headers["Cache-Control"] == "no-store"
    return answer.json()


@pytest.mark.processes
def test_the_call_answers_bricks_as_the_charts_have_them(desk: DeskProcess, traded: str) -> None:
    body = bricks_of(desk, traded)
    assert (body["trade_id"], body["asset"], body["size"], body["point_size"]) == (traded, "ES", 6, 1)
    assert [brick["close"] for brick in body["bricks"]] == [5250, 5256, 5262, None, None, 5250]
    assert [brick["n"] for brick in body["bricks"]] == [1, 2, 3, 4, 5, 6]
    assert (body["between"], body["gap"], body["absence"]) == (1, None, None)
    charted = desk.operator().get("/api/bricks", params={"asset": "ES", "size": "6"}).json()["bricks"]
    for brick, same in zip(body["bricks"], charted, strict=True):
        moments = [datetime.fromisoformat(one.pop("ts")) for one in (brick, same)]
        assert abs(moments[0] - moments[1]) < timedelta(seconds=1)
        assert {**brick, "n": 0} == {**same, "n": 0}
    assert [brick["color"] for brick in bricks_of(desk, traded, size="12")["bricks"]] == ["green"] * 4


@pytest.mark.processes
def test_the_call_answers_the_fills_too_whatever_the_size(desk: DeskProcess, traded: str) -> None:
    body = bricks_of(desk, traded)
    told = [(fill["kind"], fill["side"], fill["quantity"], fill["price"]) for fill in body["fills"]]
    assert told == [("ENTRY", "BUY", 5, 5250), ("EXIT", "SELL", 5, 5254)]
    assert body["fills_are_whole"] is True
    assert body["fills"][0]["order_id"] == traded
    [trade] = desk.operator().get("/api/journal/trades").json()["trades"]
    assert [fill["at"] for fill in body["fills"]] == [trade["entry_ts"], trade["exit_ts"]]
    assert bricks_of(desk, traded, size="2.5")["fills"] == body["fills"]


@pytest.mark.processes
@pytest.mark.parametrize("size", SIZES)
def test_every_journaled_size_is_answered_and_after_a_restart_the_same(
    desk: DeskProcess, traded: str, size: str
) -> None:
    before = bricks_of(desk, traded, size=size)
    assert (before["size"], len(before["bricks"]) >= 3) == (float(size), True)
    if size == SIZES[-1]:
        desk.restart()
        eventually(lambda: desk.operator().get("/api/bricks", params={"asset": "ES", "size": "6"}).json()["complete"])
        assert bricks_of(desk, traded, size=size) == before


@pytest.mark.processes
@pytest.mark.parametrize("query", [{"size": "1"}, {"size": "7"}, {"size": "6.0"}, {"size": ""}, {"sise": "6"}])
def test_a_size_that_is_not_journaled_is_refused(desk: DeskProcess, traded: str, query: dict[str, str]) -> None:
    answer = desk.operator().get(f"/api/journal/trades/{traded}/bricks", params=query)
    assert next(iter(query)) in error_of(answer, 400)


@pytest.mark.processes
@pytest.mark.parametrize("trade_id", ["0" * 32, "nobody", "..", "x" * 300])
def test_a_trade_that_is_not_there_has_no_bricks(desk: DeskProcess, trade_id: str) -> None:
    error_of(desk.operator().get(f"/api/journal/trades/{trade_id}/bricks"), 404)


@pytest.mark.processes
def test_a_stranger_sees_no_bricks_of_a_trade(desk: DeskProcess, traded: str) -> None:
    error_of(desk.stranger().get(f"/api/journal/trades/{traded}/bricks"), 401)


@pytest.mark.processes
def test_a_trade_of_an_asset_that_is_no_longer_traded_keeps_its_bricks(tmp_path: Path) -> None:
    with DeskProcess(tmp_path, **QUICK) as desk:
        trade_id = trades_once(desk, 4)
        desk.restart(ASSETS="NQ", CONTRACTS="NQ=MNQM4")
        body = bricks_of(desk, trade_id, size="8")
        assert (body["asset"], len(body["bricks"])) == ("ES", 1)
