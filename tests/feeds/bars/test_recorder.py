"""What feeds hear becomes rows of the file, also when the file cannot be written for a while."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from feeds.bars.recorder import BarRecorder
from feeds.bars.store import BarStore
from feeds.bars.types import Bar
from feeds.bars.worker import BarsAway, BarWorker
from feeds.desk import DeskPicture
from tests.feeds.bars.market import T0, bar
from wire.bridge import QuoteEvent
from wire.stream import BarHeard

Told = dict[str, Any]


class Studio:
    """A recorder with its file and a clock that the test turns."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.now = float(T0)
        self.worker = BarWorker(path)
        self.recorder = BarRecorder(self.worker, lambda: datetime.fromtimestamp(self.now, UTC))

    def hears(self, second: float, price: float, late: float = 0, **more: Any) -> None:
        """Hear a price of this second, `late` seconds later."""
        self.now = T0 + second + late
        told: Told = {"asset": "ES", "symbol": "MESZ6", "source": "heartbeat", "simulated": False, **more}
        at = datetime.fromtimestamp(T0 + second, UTC)
        self.recorder.on_quote(QuoteEvent(price=Decimal(str(price)), ts=at, **told))

    async def waits(self, second: float) -> None:
        """Let a second pass at this time, and the writing it begins end."""
        self.now = T0 + second
        self.recorder.on_second(self._clock())
        if self.recorder.writing is not None:
            await self.recorder.writing

    def stored(self, *, simulated: bool = False) -> list[Bar]:
        store = BarStore(self.path)
        found = [
            one for row in store.symbols() for one in store.minutes(row.symbol, None, None, 100, simulated=simulated)
        ]
        store.close()
        return found

    def _clock(self) -> datetime:
        return datetime.fromtimestamp(self.now, UTC)


@pytest.fixture
def studio(tmp_path: Path) -> Studio:
    return Studio(tmp_path / "bars.sqlite")


def desk_of(contract: str = "MESZ6", *, has_market_data: bool = True) -> DeskPicture:
    desk = DeskPicture()
    assets = {"ES": {"contract": contract}}
    desk.take({"version": 1, "global": {"md_connected": has_market_data}, "assets": assets})
    desk.came()
    return desk


def run(story: Callable[[], Any]) -> None:
    asyncio.run(story())


def test_a_minute_is_stored_once_it_has_ended(studio: Studio) -> None:
    async def story() -> None:
        studio.hears(5, 5000.25)
        studio.hears(50, 5001)
        await studio.waits(60)
        assert studio.stored() == []
        await studio.waits(66)
        [stored] = studio.stored()
        assert (stored.t, stored.open, stored.close) == (T0, Decimal("5000.25"), Decimal(5001))
        assert stored.source == "sampled"
        assert studio.recorder.recorded == 1

    run(story)


def test_prices_that_are_none_of_the_desks_market_are_in_no_minute(studio: Studio) -> None:
    async def story() -> None:
        studio.recorder.on_desk(desk_of())
        studio.hears(5, 5000, symbol="MESH7")  # another contract
        studio.hears(6, 5000, asset=None)
        studio.hears(7, 5000, asset="AAPL", symbol="AAPL")
        studio.hears(8, -1)
        studio.hears(9, 5000, source="ticks", simulated=None)  # nobody says whether it is real
        await studio.waits(66)
        assert studio.stored() == []

    run(story)


def test_a_simulated_market_is_stored_apart(studio: Studio) -> None:
    async def story() -> None:
        studio.hears(5, 9000, simulated=True)
        await studio.waits(66)
        assert [one.source for one in studio.stored(simulated=True)] == ["simulated"]
        assert studio.stored() == []

    run(story)


@pytest.mark.parametrize("loss", ["none", "of the sender", "of a slow listener"])
def test_ticks_of_a_minute_in_which_some_were_lost_are_samples(studio: Studio, loss: str) -> None:
    async def story() -> None:
        studio.hears(0, 5000, source="ticks", size=1)
        studio.hears(70, 5001, source="ticks", size=1)
        if loss == "of a slow listener":
            studio.recorder.on_ticks_missed()
        studio.hears(80, 5002, source="ticks", size=1, after_gap=loss == "of the sender")
        await studio.waits(126)
        assert [one.source for one in studio.stored()] == ["ticks", "ticks" if loss == "none" else "sampled"]

    run(story)


@pytest.mark.parametrize("has_gap", [False, True])
def test_a_gap_that_begins_after_a_minute_may_have_taken_its_last_tick(studio: Studio, has_gap: bool) -> None:
    """A tick carries the time of its trade, a ping that of its sending: the last one of 14:31 was still on its way."""

    async def story() -> None:
        studio.hears(0, 5000, source="ticks", size=1)
        studio.hears(110, 5001, source="ticks", size=1)
        studio.now = T0 + 123.0
        if has_gap:
            heard_last = datetime.fromtimestamp(T0 + 120.5, UTC)
            studio.recorder.on_gap(heard_last, datetime.fromtimestamp(studio.now, UTC))
        await studio.waits(126)
        assert [one.source for one in studio.stored()] == ["ticks", "sampled" if has_gap else "ticks"]

    run(story)


@pytest.mark.parametrize("has_outage", [False, True])
def test_ticks_of_a_minute_in_which_the_bridge_lost_its_market_are_samples(studio: Studio, has_outage: bool) -> None:
    async def story() -> None:
        studio.recorder.on_desk(desk_of())
        studio.hears(0, 5000, source="ticks", size=1)
        studio.hears(70, 5001, source="ticks", size=1)
        if has_outage:
            studio.now = T0 + 80
            studio.recorder.on_desk(desk_of(has_market_data=False))
            studio.recorder.on_desk(desk_of())
        await studio.waits(126)
        assert [one.source for one in studio.stored()][-1] == ("sampled" if has_outage else "ticks")

    run(story)


def test_bars_wait_while_the_file_cannot_be_written_and_the_newer_one_wins(studio: Studio, tmp_path: Path) -> None:
    async def story() -> None:
        blocker = tmp_path / "bars.sqlite"
        blocker.mkdir()
        studio.hears(5, 5000)
        await studio.waits(66)
        assert studio.worker.trouble is not None
        studio.hears(30, 5007, late=37)
        blocker.rmdir()
        await studio.waits(68)
        assert [one.high for one in studio.stored()] == [5007]
        assert studio.worker.trouble is None

    run(story)


def test_a_bar_that_no_store_takes_keeps_no_other_one_out(studio: Studio) -> None:
    async def story() -> None:
        studio.now = T0 + 20.0
        studio.recorder.on_bar(
            BarHeard(
                asset="CL",
                symbol="CL1!",
                base="1",
                started_at=datetime.fromtimestamp(T0, UTC),
                open=Decimal(70),
                high=Decimal(70),
                low=Decimal(70),
                close=Decimal(70),
                volume=Decimal(10) ** 16,
                simulated=False,
            )
        )
        studio.hears(30, 5000)
        await studio.waits(66)
        assert [one.symbol for one in studio.stored()] == ["ES"]
        assert studio.recorder.lost == 1

    run(story)


def test_what_has_ended_is_stored_when_feeds_stop(studio: Studio) -> None:
    async def story() -> None:
        studio.hears(5, 5000)
        studio.hears(65, 5001)
        studio.now = T0 + 70
        await studio.recorder.finish()
        assert [one.t for one in studio.stored()] == [T0]  # the second minute had not ended
        studio.worker.close()

    run(story)


# -- the thread ------------------------------------------------------------------------------------------------------


def test_too_many_questions_at_once_are_refused_and_the_loop_goes_on(tmp_path: Path) -> None:
    async def story() -> None:
        worker = BarWorker(tmp_path / "bars.sqlite", most_waiting=2)
        may_go_on = asyncio.Event()
        loop = asyncio.get_running_loop()
        slow = asyncio.create_task(
            worker.ask(lambda _: asyncio.run_coroutine_threadsafe(may_go_on.wait(), loop).result(30))
        )
        second = asyncio.create_task(worker.ask(lambda store: store.put([bar()])))
        await asyncio.sleep(0)
        with pytest.raises(BarsAway, match="too many") as refused:
            await worker.ask(lambda store: store.symbols())
        assert refused.value.is_busy
        may_go_on.set()
        assert (await slow, await second) == (True, 1)
        assert len(await worker.ask(lambda store: store.symbols())) == 1
        worker.close()

    run(story)


def test_a_file_that_cannot_be_opened_is_tried_again(tmp_path: Path) -> None:
    async def story() -> None:
        path = tmp_path / "bars.sqlite"
        path.write_bytes(b"somebody's text " * 100)
        worker = BarWorker(path)
        with pytest.raises(BarsAway, match="cannot be used"):
            await worker.ask(lambda store: store.symbols())
        assert worker.trouble
        path.unlink()
        assert await worker.ask(lambda store: store.symbols()) == []
        assert worker.trouble is None
        worker.close()

    run(story)


@pytest.mark.parametrize("is_replaced", [False, True])
def test_a_file_that_is_deleted_or_replaced_meanwhile_is_begun_anew(tmp_path: Path, is_replaced: bool) -> None:
    async def story() -> None:
        path = tmp_path / "bars.sqlite"
        worker = BarWorker(path)
        await worker.ask(lambda store: store.put([bar(0)]))
        for part in tmp_path.glob("bars.sqlite*"):
            part.unlink()
        if is_replaced:
            other = BarStore(path)
            other.put([bar(5)])
            other.close()
        await worker.ask(lambda store: store.put([bar(1)]))
        assert {one.t for one in BarStore(path).minutes("ES", None, None, 10)} == {
            bar(1).t,
            *([bar(5).t] if is_replaced else []),
        }
        worker.close()

    run(story)
