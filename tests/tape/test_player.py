"""A tape played to a real HTTP server: order, pace, retries, refusals; nothing lost, nothing invented."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import islice, takewhile
from typing import Any

import pytest

from services.market.instruments import UnknownInstrument
from services.market.ticks import Tick, read_ticks
from tape.controls import Controls
from tape.display import closing_line
from tape.player import TapeSettings, play
from tape.simulation import SESSION_START, simulate
from tape.webhooks import DeskRefused
from tests.support.own_time import Stopwatch
from tests.support.paths import FIXTURES
from tests.tape.test_webhooks import DROP, TAKE_AND_DROP, Desk

EXTRACT = FIXTURES / "es_ticks_20130901_extract.csv.gz"
OPEN = datetime(2013, 9, 1, 22, 0, tzinfo=UTC)


@pytest.fixture
def desk() -> Iterator[Desk]:
    desk = Desk()
    yield desk
    desk.close()


def settings(desk: Desk, **changes: Any) -> TapeSettings:
    plain = {"asset": "ES", "url": desk.url, "secret": "s3cret", "run_id": "run1", "speed": 0.0}
    return TapeSettings(**{**plain, **changes})


def tape(*prices: str, seconds_apart: float = 1.0) -> list[Tick]:
    return [Tick(OPEN + timedelta(seconds=count * seconds_apart), Decimal(price)) for count, price in enumerate(prices)]


def test_a_tick_is_a_heartbeat_and_then_its_bricks_small_to_large(desk: Desk) -> None:
    summary = play(tape("4992", "5004"), settings(desk))
    assert [path for path, _ in desk.taken] == (
        ["/tv_heartbeat", "/tv_heartbeat"]
        + ["/tv_renko_small"] * 12
        + ["/tv_renko_two_half"] * 4
        + ["/tv_renko"] * 3
        + ["/tv_renko_main"] * 2
        + ["/tv_renko_high", "/tv_renko_macro"]
    )
    assert summary.completed
    assert (summary.ticks, summary.heartbeats, summary.retries) == (2, 2, 0)
    assert list(summary.bricks.values()) == [12, 4, 3, 2, 1, 1]
    assert summary.posted == len(desk.taken)


def test_the_words_of_the_messages(desk: Desk) -> None:
    play(tape("5000", "5001"), settings(desk))
    (_, heartbeat), (_, last), (_, brick) = desk.taken
    assert heartbeat == {"secret": "s3cret", "symbol": "ES", "price": 5000, "timestamp": heartbeat["timestamp"]}
    assert last["price"] == 5001
    assert brick == {
        "secret": "s3cret",
        "asset": "ES",
        "color": "green",
        "bar_id": "run1|ES|tape|1|1378072801000|1",
        "bar_ts": brick["bar_ts"],
        "close": 5001,
    }
    assert desk.content_types == {"application/json"}


def test_the_time_of_a_message_is_now_and_never_goes_back(desk: Desk) -> None:
    began = datetime.now(UTC) - timedelta(milliseconds=1)
    play(islice(read_ticks(EXTRACT), 5000), settings(desk))
    sent = [datetime.fromisoformat(body.get("timestamp") or body["bar_ts"]) for _, body in desk.taken]
    assert began <= sent[0]
    assert sent[-1] <= datetime.now(UTC)
    assert sent == sorted(sent)


def test_brick_ids_are_unique_in_a_run_and_stable_from_run_to_run(desk: Desk) -> None:
    ids = []
    for run in ("run1", "run2"):
        desk.taken.clear()
        play(simulated_minutes(3), settings(desk, run_id=run))
        ids.append([brick["bar_id"] for brick in desk.bricks()])
    assert len(ids[0]) == len(set(ids[0])) > 10
    assert [brick_id.removeprefix("run1") for brick_id in ids[0]] == [
        brick_id.removeprefix("run2") for brick_id in ids[1]
    ]


def simulated_minutes(minutes: int) -> Iterator[Tick]:
    ends_at = SESSION_START + timedelta(minutes=minutes)
    return takewhile(lambda tick: tick.at < ends_at, simulate("ES", seed=7))


def test_only_a_simulated_market_is_labelled(desk: Desk) -> None:
    play(tape("5000", "5001"), settings(desk, source="simulated"))
    assert {body.get("source") for _, body in desk.taken} == {"simulated"}
    desk.taken.clear()
    play(tape("5000", "5001"), settings(desk))
    assert not any("source" in body for _, body in desk.taken)


@pytest.mark.parametrize("trouble", [503, DROP])
def test_trouble_changes_nothing_in_what_arrives(desk: Desk, trouble: int | str) -> None:
    play(tape("5000", "5002", "4999"), settings(desk))
    undisturbed = [(webhook, body.get("bar_id")) for webhook, body in desk.taken]
    desk.taken.clear()
    desk.tries.clear()
    desk.answers = [200, 200, trouble, trouble, 200, trouble]
    summary = play(tape("5000", "5002", "4999"), settings(desk))
    assert [(webhook, body.get("bar_id")) for webhook, body in desk.taken] == undisturbed
    assert desk.tries[2] == desk.tries[3] == desk.tries[4]
    assert summary.retries == 3 == len(desk.tries) - len(desk.taken)


def test_an_answer_that_got_lost_makes_one_duplicate_and_no_other(desk: Desk) -> None:
    desk.answers = [200, 200, TAKE_AND_DROP]
    summary = play(tape("5000", "5002"), settings(desk))
    ids = [brick["bar_id"] for brick in desk.bricks()]
    assert ids[0] == ids[1]
    assert len(ids) - len(set(ids)) == summary.retries == 1


def test_a_refused_secret_ends_the_tape(desk: Desk) -> None:
    desk.answers = [200, 401]
    with pytest.raises(DeskRefused, match="the desk refused TV_WEBHOOK_SECRET"):
        play(tape("5000", "5001"), settings(desk))
    assert len(desk.tries) == 2


def test_a_stopped_tape_says_so_and_keeps_its_count(desk: Desk) -> None:
    controls = Controls()

    def stop_after_two(summary: Any, _tick: Any) -> None:
        if summary.ticks == 2:
            controls.stop()

    summary = play(tape("5000", "5001", "5002"), settings(desk), controls, stop_after_two)
    assert not summary.completed
    assert (summary.ticks, summary.posted) == (2, len(desk.taken))


def test_one_connection_serves_the_whole_tape(desk: Desk) -> None:
    play(islice(read_ticks(EXTRACT), 5000), settings(desk))
    assert len(desk.taken) > 5
    assert desk.connections == 1


def test_prices_are_thinned_but_bricks_and_the_last_price_are_not(desk: Desk) -> None:
    prices = ["5000", *["5000.25"] * 50, "5001", *["5001.25"] * 50, "5001.50"]
    summary = play(tape(*prices), settings(desk, heartbeats_per_second=0.1))
    assert [body["price"] for path, body in desk.taken if path == "/tv_heartbeat"] == [5000, 5001, 5001.5]
    assert summary.ticks == 103


def test_a_real_tape_arrives_whole(desk: Desk) -> None:
    summary = play(read_ticks(EXTRACT), settings(desk))
    assert list(summary.bricks.values()) == [13, 0, 0, 0, 0, 0]
    assert len(desk.bricks()) == 13
    assert summary.ticks == 20_000


def test_a_night_is_shortened_at_finite_speed(desk: Desk) -> None:
    watch, began = Stopwatch(), time.monotonic()
    play(tape("5000", "5001", seconds_apart=50_000), settings(desk, speed=1.0, longest_gap_seconds=0.2))
    assert time.monotonic() - began >= 0.2
    assert watch.seconds < 2


def test_the_watcher_sees_every_tick(desk: Desk) -> None:
    seen = []
    play(tape("5000", "5001"), settings(desk), watch=lambda summary, tick: seen.append((summary.ticks, tick.price)))
    assert seen == [(1, Decimal(5000)), (2, Decimal(5001))]


@pytest.mark.parametrize("price", ["0", "-1", "0.00"])
def test_a_row_with_a_price_that_cannot_be_sends_nothing(desk: Desk, price: str) -> None:
    summary = play(tape("5000", price, "5001", price), settings(desk))
    assert [body["price"] for path, body in desk.taken if path == "/tv_heartbeat"] == [5000, 5001]
    assert [brick["close"] for brick in desk.bricks()] == [5001]
    assert (summary.ticks, summary.left_out) == (2, 2)
    assert "2 rows with an impossible price left out" in closing_line(summary)


def test_crude_oil_is_played_below_zero(desk: Desk) -> None:
    summary = play(tape("1", "-37.63"), settings(desk, asset="CL"))
    assert (summary.ticks, summary.left_out) == (2, 0)


def test_an_unknown_asset_is_refused_before_anything_is_sent(desk: Desk) -> None:
    with pytest.raises(UnknownInstrument):
        play(tape("1"), settings(desk, asset="DOGE"))
    assert desk.tries == []
