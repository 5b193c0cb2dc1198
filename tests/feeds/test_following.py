"""Feeds follow web over its ends and their own: each fact once, sockets stay, and what is not known is said."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pytest
from websockets.exceptions import InvalidStatus

from tests.support.clock_ends import a_candle_lasts
from tests.support.desk_process import QUICK, DeskProcess, closing_connection, eventually
from tests.support.feeds_process import FeedsProcess
from tests.support.market_floor import MarketFloor, quotes
from tests.support.probed_feeds import ProbedFeeds, committed, trade

pytestmark = pytest.mark.processes


def test_another_journal_is_noticed_and_heard_from_its_first_event_on(tmp_path: Path) -> None:
    with ProbedFeeds("http://127.0.0.1:9", tmp_path / "feeds") as feeds:
        with DeskProcess(tmp_path / "one", **QUICK) as desk:
            feeds.restart(LOCKSTEP_URL=desk.url).hears_web()
            trade(desk, 2)
            first = committed(desk)
            eventually(lambda: len(feeds.heard()) == len(first))
        with DeskProcess(tmp_path / "other", **QUICK) as other:  # shorter: our cursor is beyond its end
            feeds.restart(LOCKSTEP_URL=other.url).hears_web()
            trade(other)
            second = committed(other)
            eventually(lambda: feeds.heard() == first + second)
            assert max(second) < max(first)
        with DeskProcess(tmp_path / "third", **QUICK) as third:  # longer: our cursor is an id of other facts there
            trade(third, 2)
            feeds.restart(LOCKSTEP_URL=third.url).hears_web()
            expected = committed(third)
            eventually(lambda: len(feeds.heard()) >= len(first + second + expected))
            assert feeds.heard() == first + second + expected
        eventually(lambda: feeds.log().count("another one") == 2)


def test_facts_go_on_with_the_oldest_when_the_journal_was_pruned(tmp_path: Path) -> None:
    with DeskProcess(tmp_path / "desk", **QUICK) as desk, ProbedFeeds(desk, tmp_path / "feeds") as feeds:
        feeds.hears_web()
        eventually(lambda: feeds.heard() == committed(desk))
        before = feeds.heard()
        feeds.kill()
        trade(desk, 2)
        whole = committed(desk)
        with closing_connection(desk.database) as connection:  # as `flask desk prune` leaves it
            connection.execute("DELETE FROM journal WHERE sequence <= ?", (whole[len(whole) // 2] // 1000,))
        feeds.start().hears_web()
        left = committed(desk)
        assert 0 < len(left) < len(whole)
        eventually(lambda: feeds.heard() == before + left)
        eventually(lambda: "pruned" in feeds.log())


def test_a_file_that_cannot_be_written_for_a_while_ends_nothing_and_loses_no_fact(tmp_path: Path) -> None:
    with DeskProcess(tmp_path / "desk", **QUICK) as desk, ProbedFeeds(desk, tmp_path / "feeds") as feeds:
        feeds.hears_web()
        eventually(lambda: feeds.heard() == committed(desk))
        with closing_connection(feeds.database) as other:
            other.execute("BEGIN IMMEDIATE")
            trade(desk)
            eventually(lambda: "failed" in feeds.log() or "could not be taken in" in feeds.log())
            other.execute("ROLLBACK")
        expected = committed(desk)
        eventually(lambda: feeds.heard() == expected)
        assert feeds.spawned.poll() is None


def test_while_web_is_away_sockets_stay_and_say_so(tmp_path: Path) -> None:
    with MarketFloor(tmp_path) as floor:
        token, unseen = floor.keys(2)
        with floor.connects(token) as client:
            assert client.subscribes(quotes("ES"))["channels"] == ["quotes"]
            price = floor.heartbeat()
            assert client.hears_of("quote")["price"] == price
            floor.desk.kill()
            health = eventually(lambda: floor.health_when(is_up=False))
            assert health["status"] == "degraded"
            assert health["web"]["why"] in ("broke_off", "unreachable")
            status = floor.get("/api/market/v1/market-status", token)
            assert status.json()["web_is_up"] is False
            assert client.subscribes(quotes("NQ"))["channels"] == ["quotes"]
            refused_for_now(floor, unseen)
            time.sleep(2.0)  # longer than a key is believed without a question
            floor.desk.start()
            eventually(lambda: floor.health_when(is_up=True))
            price = floor.heartbeat()
            assert client.hears_of("quote")["price"] == price
        with floor.connects(unseen) as late:
            late.subscribes(quotes("ES"))


def refused_for_now(floor: MarketFloor, token: str) -> None:
    """A key that nobody can judge is neither good nor bad: the client is told to come back."""
    with pytest.raises(InvalidStatus) as refused:
        floor.connects(token)
    assert refused.value.response.status_code == 503
    assert refused.value.response.headers["Retry-After"] == "5"
    answer = floor.get("/api/market/v1/instruments", token)
    assert (answer.status_code, answer.json()["error"]["code"]) == (503, "keys_unknown")


def test_a_desk_that_was_never_heard_is_no_empty_desk(tmp_path: Path) -> None:
    with DeskProcess(tmp_path / "desk") as desk, FeedsProcess(desk, tmp_path / "feeds", SERVICE_SECRET="x" * 20) as one:
        health = eventually(lambda: (found := one.health())["web"]["why"] == "refused" and found)
        assert health["status"] == "degraded"
        assert health["cursor"] is None
        assert "x" * 20 not in one.log()


def is_stored(floor: MarketFloor, timeframe: str) -> bool:
    """Return whether feeds have stored a candle of ES: they do so each second."""
    with closing_connection(floor.feeds.database) as connection:
        rows = connection.execute("SELECT 1 FROM candles WHERE symbol = 'ES' AND timeframe = ?", (timeframe,))
        return rows.fetchone() is not None


def test_candles_and_their_marks_outlive_feeds(tmp_path: Path) -> None:
    with MarketFloor(tmp_path) as floor:
        token = floor.key()
        a_candle_lasts(60, 3_600)
        floor.heartbeat()

        def candle() -> Any:  # of an hour: longer ones exist only while the market is open
            time.sleep(0.6)  # no more often than a key may call
            found = floor.get("/api/market/v1/candles/ES?timeframe=60m&limit=1", token).json()["candles"]
            return found and found[0]

        before = eventually(candle)
        eventually(lambda: is_stored(floor, "60m"))
        floor.feeds.kill()
        floor.feeds.start().hears_web()
        after = eventually(candle)
        assert {**after, "is_partial": None} == {**before, "is_partial": None}
        assert after["is_partial"] is True
