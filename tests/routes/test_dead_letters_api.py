"""Webhooks that could not be read: listed without their secret, tried again as they came, never out of order."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from requests import Response

from services.market.session import after_session_time
from tests.support.desk_process import QUICK, TV_SECRET, DeskProcess, OperatorCaller, error_of, eventually

pytestmark = pytest.mark.processes
NOT_A_NUMBER = f'{{"secret": "{TV_SECRET}", "price": NaN}}'
EARLY, LATER = "2026-11-20T15:00:00Z", "2026-11-20T15:05:00Z"


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[DeskProcess]:
    set_by = tmp_path / "set-by.txt"
    set_by.write_text("0")
    desk = DeskProcess(tmp_path, **QUICK, ASSETS="ES", CONTRACTS="ES=MESM4", SET_BY_FILE=str(set_by))
    desk.arguments = ["-m", "gunicorn", "tests.support.set_clock_desk:app"]
    with desk:
        yield desk


def lists_nasdaq(desk: DeskProcess) -> None:
    """Let the desk trade NQ, too: it waits for the next trading day, so a day passes."""
    desk.restart(ASSETS="ES,NQ", CONTRACTS="ES=MESM4,NQ=MNQM4")
    assert "NQ" not in desk.operator().state()["assets"]
    (desk.folder / "set-by.txt").write_text("86400")
    desk.restart()


def letters_of(operator: OperatorCaller) -> list[dict[str, Any]]:
    letters: list[dict[str, Any]] = operator.get("/api/dead-letters").json()["dead_letters"]
    return letters


def replays(operator: OperatorCaller, letter: dict[str, Any]) -> Response:
    return operator.post(f"/api/dead-letters/{letter['sequence']}/replay", json={})


def test_a_letter_is_listed_without_its_secret_newest_first(desk: DeskProcess) -> None:
    desk.tradingview().sends("/tv_renko", color="purple")
    desk.tradingview().post("/tv_heartbeat", data=NOT_A_NUMBER)
    newest, oldest = letters_of(desk.operator())
    assert (newest["path"], newest["can_be_tried_again"]) == ("/tv_heartbeat", False)
    assert (oldest["path"], oldest["can_be_tried_again"]) == ("/tv_renko", True)
    assert TV_SECRET not in newest["body"] + oldest["body"]


def test_a_brick_of_an_asset_that_was_not_listed_is_taken_when_it_is(desk: DeskProcess) -> None:
    answer = desk.tradingview().brick(6, "green", asset="NQ", bar_id=EARLY)
    assert answer.status_code == 422
    operator = desk.operator()
    (letter,) = letters_of(operator)
    assert "no symbol of an asset" in error_of(replays(operator, letter), 422)
    lists_nasdaq(desk)
    operator = desk.operator()
    assert replays(operator, letter).json()["effects"]
    assert operator.asset("NQ")["main_renko_color"] == "green"
    [(stale_at,)] = desk.rows("SELECT command ->> '$.stale_at' FROM journal WHERE kind = 'CloseBrick'")
    received_at = datetime.fromisoformat(letter["at"])  # the colour ages from there
    assert datetime.fromisoformat(stale_at) == after_session_time(received_at, timedelta(hours=23))
    assert replays(operator, letter).json()["duplicate"] is True
    eventually(lambda: any("tried again" in line["outcome"] for line in operator.state()["logs"]["tradingview"]))


def test_a_brick_that_would_come_late_has_no_effect(desk: DeskProcess) -> None:
    desk.tradingview().brick(6, "green", asset="NQ", bar_id=EARLY)
    lists_nasdaq(desk)
    desk.tradingview().brick(6, "red", asset="NQ", bar_id=LATER)
    operator = desk.operator()
    (letter,) = letters_of(operator)
    assert replays(operator, letter).json()["stale"] is True
    assert operator.asset("NQ")["main_renko_color"] == "red"


def test_a_brick_without_a_time_is_not_tried_again(desk: DeskProcess) -> None:
    """It could re-arm a token or open the initial exit lock hours after it was true."""
    desk.tradingview().brick(6, "green", asset="NQ")
    lists_nasdaq(desk)
    operator = desk.operator()
    (letter,) = letters_of(operator)
    assert "tells no time" in error_of(replays(operator, letter), 409)
    assert operator.asset("NQ")["main_renko_color"] == "neutral"


def test_only_bricks_that_are_there_are_tried_again(desk: DeskProcess) -> None:
    desk.tradingview().post("/tv_heartbeat", data=NOT_A_NUMBER)
    operator = desk.operator()
    (letter,) = letters_of(operator)
    assert "only bricks" in error_of(replays(operator, letter), 409)
    assert "no dead letter" in error_of(replays(operator, {"sequence": 999_999}), 404)
    error_of(desk.stranger().get("/api/dead-letters"), 401)
