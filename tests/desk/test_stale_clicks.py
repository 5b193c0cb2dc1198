"""A click that comes too late is refused and leaves nothing behind; a way out is never too late (SPEC 4)."""

import signal
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from requests import Response

from services.desk.clicks import refusal_of_stale
from services.engine.model.replies import Refusal
from tests.support.api_document import documented
from tests.support.desk_process import QUICK, DeskProcess, error_of, eventually, without_the_clock
from tests.support.floor import ENTRY_PRICE, Floor
from tests.support.narrow import known

NOW = datetime(2026, 11, 17, 14, 30, tzinfo=UTC)
ENTRY = {"asset": "ES", "trade_mode": "RUNNER", "order_type": "market", "entry_size_mode": "6pt"}
WAYS_IN = {  # click -> where it goes, and a body that is taken while flat
    "market": ("orders", ENTRY, 201),
    "preorder": ("orders", {**ENTRY, "order_type": "preorder", "direction": "BUY"}, 201),
    "intent": ("intent", {"asset": "ES"}, 200),
}
WAYS_OUT = {
    "exit": {"asset": "ES"},
    "exit-all": {},
    "intent/cancel": {"asset": "ES"},
    "preorder/cancel": {"asset": "ES"},
}
SENTENCE = "STALE CLICK — sent {} s ago and not carried out: look again and click again"
FROZEN_SECONDS = 7


def test_five_seconds_are_the_limit_and_an_instant_ahead_counts_as_now() -> None:
    def judged(**ago: float) -> Refusal | None:
        return refusal_of_stale(NOW - timedelta(**ago), NOW)

    def refusal(**ago: float) -> Refusal:
        return known(judged(**ago))

    assert refusal_of_stale(None, NOW) is None
    assert judged(seconds=5) is None
    assert judged(days=-9000) is None
    assert (refusal(seconds=5, microseconds=1).code, refusal(seconds=5.9).sentence) == (
        "stale_click",
        SENTENCE.format(5),
    )
    assert refusal(seconds=14).sentence == SENTENCE.format(14)


@pytest.fixture(scope="module")
def floor(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Floor]:
    with DeskProcess(tmp_path_factory.mktemp("clicks"), **QUICK) as desk:
        yield Floor(desk)


def ago(floor: Floor, seconds: float) -> str:
    """Write the instant so many seconds before the desk's ``now``, as a page measures it."""
    now = datetime.fromisoformat(floor.operator.state()["now"])
    return (now - timedelta(seconds=seconds)).isoformat().replace("+00:00", "Z")


def clicks(floor: Floor, path: str, body: Any, seconds: float, key: str | None = None) -> Response:
    headers = {"Idempotency-Key": key} if key else {}
    sent = {**body, "clicked_at": ago(floor, seconds)}
    return documented(floor.operator.post(f"/api/{path}", json=sent, headers=headers))


def is_stale(answer: Any, seconds: float) -> bool:
    sentence = error_of(answer, 409)
    assert sentence in [SENTENCE.format(seconds + late) for late in range(5)]  # a busy machine answers late
    told = answer.json()
    assert (told["code"], "gate" in told, "ladder" in told) == ("stale_click", False, False)
    return True


def kept(floor: Floor) -> tuple[Any, ...]:
    """Return all that a click could leave behind: the state but for the clock, and what is stored."""
    tables = [floor.desk.rows(query) for query in ("SELECT count(*) FROM orders", "SELECT count(*) FROM attempts")]
    clicked = floor.desk.rows(
        "SELECT count(*) FROM journal WHERE kind IN ('EnterMarket', 'PlacePreOrder', 'PlaceIntent')"
    )
    return without_the_clock(floor.operator.settled_state()), tables, clicked


@pytest.mark.processes
@pytest.mark.parametrize("click", WAYS_IN)
@pytest.mark.parametrize("seconds", [0, 3, -8, -86_400])
def test_a_fresh_click_and_one_from_ahead_are_taken(floor: Floor, click: str, seconds: int) -> None:
    path, body, status = WAYS_IN[click]
    floor.ready()
    assert clicks(floor, path, body, seconds).status_code == status


@pytest.mark.processes
@pytest.mark.parametrize("click", WAYS_IN)
def test_a_stale_click_leaves_nothing_behind_and_the_next_one_is_taken(floor: Floor, click: str) -> None:
    path, body, status = WAYS_IN[click]
    floor.ready()
    before = kept(floor)
    assert is_stale(clicks(floor, path, body, 6), 6)
    assert kept(floor) == before
    assert clicks(floor, path, body, 0).status_code == status


@pytest.mark.processes
def test_a_stale_scale_in_is_still_there_to_be_used(floor: Floor) -> None:
    floor.in_a_trade().alerts.brick(6, "green")
    floor.alerts.heartbeat(ENTRY_PRICE)
    assert is_stale(clicks(floor, "scale-in", {"asset": "ES"}, 6), 6)
    asset = floor.asset()
    assert (asset["scale_in_available"], asset["pending_order_id"]) == (True, None)
    assert clicks(floor, "scale-in", {"asset": "ES"}, 0).status_code == 201


@pytest.mark.processes
def test_a_key_answers_what_it_answered_however_old_the_click(floor: Floor) -> None:
    floor.ready()
    first = clicks(floor, "orders", ENTRY, 0, "answered")
    again = clicks(floor, "orders", ENTRY, 60, "answered")
    assert (again.status_code, again.json()["order"]["id"]) == (201, first.json()["order"]["id"])
    error_of(clicks(floor, "orders", {**ENTRY, "trade_mode": "SCALP"}, 60, "answered"), 422)


@pytest.mark.processes
def test_a_key_that_was_refused_as_stale_is_not_used_up(floor: Floor) -> None:
    floor.ready()
    assert is_stale(clicks(floor, "orders", ENTRY, 6, "too late"), 6)
    assert clicks(floor, "orders", ENTRY, 0, "too late").status_code == 201


@pytest.mark.processes
@pytest.mark.parametrize(
    "text", ["2026-11-20T12:00:00Z", "2026-11-20t12:00:00.123456789z", "0001-01-01T00:00:00+23:59"]
)
def test_an_old_instant_is_old_however_it_is_written(floor: Floor, text: str) -> None:
    answer = floor.ready().operator.enters(clicked_at=text.replace("2026", "2020"))
    error_of(documented(answer), 409)
    assert answer.json()["code"] == "stale_click"


@pytest.mark.processes
def test_another_zone_is_the_same_instant_and_null_is_no_instant(floor: Floor) -> None:
    east = (datetime.now(UTC) + timedelta(hours=9)).strftime("%Y-%m-%dT%H:%M:%S.%f+09:00")
    assert floor.ready().operator.enters(clicked_at=east).status_code == 201
    assert floor.ready().operator.enters(clicked_at=None).status_code == 201


@pytest.mark.processes
@pytest.mark.parametrize("path", ["orders", "intent", "scale-in"])
def test_what_is_no_instant_is_a_wrong_request(floor: Floor, path: str) -> None:
    body = ENTRY if path == "orders" else {"asset": "ES"}
    zoneless, no_day = "2026-11-20T12:00:00", "2026-02-30T12:00:00Z"
    texts = ("", "now", "12:00", "2026-11-20", zoneless, no_day, "1763640000")
    others: tuple[object, ...] = (1_763_640_000, 1.5, True, [], {})
    for wrong in (*texts, *others):
        answer = documented(floor.operator.post(f"/api/{path}", json={**body, "clicked_at": wrong}))
        error_of(answer, 400)
        assert answer.json()["field"] == "clicked_at"


@pytest.mark.processes
@pytest.mark.parametrize("path", WAYS_OUT)
def test_ways_out_and_ways_back_know_no_such_field(floor: Floor, path: str) -> None:
    answer = documented(floor.operator.post(f"/api/{path}", json={**WAYS_OUT[path], "clicked_at": ago(floor, 0)}))
    error_of(answer, 400)
    assert answer.json()["field"] == "clicked_at"


@pytest.mark.processes
def test_a_click_that_meets_a_frozen_desk_is_not_carried_out_when_it_wakes(tmp_path: Path) -> None:
    """The exit sent behind it is: it may come late, but it may not get lost."""
    with DeskProcess(tmp_path, **QUICK) as desk:
        floor = Floor(desk)
        floor.alerts.opens_the_ladder("NQ")
        floor.in_a_trade()
        exits = desk.operator()
        clicked_at = ago(floor, 0)
        desk.signal(signal.SIGSTOP)
        waking = threading.Timer(FROZEN_SECONDS, desk.signal, [signal.SIGCONT])
        waking.start()
        try:
            with ThreadPoolExecutor(2) as hands:
                entry = hands.submit(floor.operator.enters, "NQ", "frozen", clicked_at=clicked_at)
                way_out = hands.submit(exits.post, "/api/exit", json={"asset": "ES", "force": True})
                refused, left = entry.result(), way_out.result()
        finally:
            waking.join()
        assert is_stale(documented(refused), FROZEN_SECONDS)
        assert left.status_code == 200, left.text
        time.sleep(0.3)
        assert [order["kind"] for order in floor.operator.state()["orders"]] == ["EXIT"]
        assert desk.rows("SELECT count(*) FROM orders") == [(2,)]
        floor.alerts.opens_the_ladder("NQ")
        eventually(lambda: floor.operator.enters("NQ", "frozen", clicked_at=ago(floor, 0)).status_code == 201)
