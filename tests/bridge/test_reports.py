"""The outbox: what the desk must hear reaches it, in order, whatever happens on the way."""

import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest

from bridge.client import DeskClient
from bridge.ledger import Ledger
from bridge.reports import Outbox
from bridge.sender import ReportSender
from bridge.turns import LONGEST_BACKOFF_SECONDS, SECRET_BACKOFF_SECONDS, Job, backoff_seconds, keep_turning
from tests.support.fakes.desk_server import SECRET, DeskServer
from wire.bridge import ExecutionReport, ReportExtra

WORKING = ExecutionReport("WORKING", ReportExtra(symbol="MESZ6", side="BUY"))
FILLED = ExecutionReport(
    "FILLED",
    ReportExtra(symbol="MESZ6", side="BUY", fill_price=Decimal("5250.25"), qty=5, cum_qty=5, exec_id="fill-1"),
)


class Postman:
    """An outbox and its sender, with time in the story's hands."""

    def __init__(self, desk: DeskServer, path: Path, secret: str = SECRET) -> None:
        self.seconds = 100.0
        self.ledger = Ledger(path)
        self.outbox = Outbox(self.ledger, lambda: datetime.now(UTC))
        self.sender = ReportSender(DeskClient(desk.url, secret, "bridge"), self.outbox, lambda: self.seconds)

    def has_reports_for(self, *order_ids: str) -> "Postman":
        for order_id in order_ids:
            self.outbox.put(order_id, "working", WORKING)
            self.outbox.put(order_id, "execution fill-1", FILLED)
        return self

    def sends_what_is_due(self) -> int:
        sent = 0
        while self.sender.turn():
            sent += 1
        return sent

    def waits(self, seconds: float) -> "Postman":
        self.seconds += seconds
        return self

    @property
    def is_done(self) -> bool:
        return not self.outbox.heads()


@pytest.fixture
def desk() -> Iterator[DeskServer]:
    with DeskServer() as desk:
        desk.queues(id="first")
        desk.queues(id="second")
        yield desk


@pytest.fixture
def postman(desk: DeskServer, tmp_path: Path) -> Postman:
    return Postman(desk, tmp_path / "ledger.sqlite")


def test_reports_of_an_order_arrive_in_order(postman: Postman, desk: DeskServer) -> None:
    postman.has_reports_for("first").sends_what_is_due()
    assert desk.statuses("first") == ["WORKING", "FILLED"]
    assert postman.is_done


def test_503_delays_the_order_and_nothing_overtakes(postman: Postman, desk: DeskServer) -> None:
    desk.fails("report", 503, 503, 503)
    postman.has_reports_for("first")
    for _ in range(3):
        assert postman.sends_what_is_due() == 1
        assert desk.statuses("first") == []
        postman.waits(LONGEST_BACKOFF_SECONDS)
    postman.sends_what_is_due()
    assert desk.statuses("first") == ["WORKING", "FILLED"]


def test_failing_report_of_one_order_does_not_hold_up_another(postman: Postman, desk: DeskServer) -> None:
    desk.fails("report", 503)
    postman.has_reports_for("first", "second").sends_what_is_due()
    assert desk.statuses("first") == []
    assert desk.statuses("second") == ["WORKING", "FILLED"]


@pytest.mark.parametrize("fault", ["cut", "cut after", 500, 502, 504, 429, 408])
def test_report_is_sent_again_after_an_outage(postman: Postman, desk: DeskServer, fault: str | int) -> None:
    desk.fails("report", fault)
    postman.has_reports_for("first").sends_what_is_due()
    postman.waits(LONGEST_BACKOFF_SECONDS).sends_what_is_due()
    assert desk.statuses("first") == ["WORKING", "FILLED"]
    assert postman.is_done


def test_link_cut_after_the_desk_acted_ends_as_a_duplicate(postman: Postman, desk: DeskServer) -> None:
    desk.fails("report", "cut after")
    postman.has_reports_for("first").sends_what_is_due()
    postman.waits(LONGEST_BACKOFF_SECONDS).sends_what_is_due()
    assert [status for _, status, _ in desk.reports] == ["WORKING", "WORKING", "FILLED"]
    assert desk.statuses("first") == ["WORKING", "FILLED"]


@pytest.mark.parametrize("code", [404, 409])
def test_refused_report_is_kept_with_its_refusal_and_not_repeated(
    postman: Postman, desk: DeskServer, code: int
) -> None:
    desk.refused_reports["first"] = code
    postman.has_reports_for("first", "second")
    assert postman.sends_what_is_due() == 4
    assert postman.is_done
    refusals = postman.ledger.rows("SELECT refusal FROM reports WHERE order_id = 'first'")
    assert all(refusal.startswith(str(code)) for (refusal,) in refusals)
    assert desk.statuses("second") == ["WORKING", "FILLED"]


def test_wrong_secret_is_tried_slowly_and_loses_nothing(desk: DeskServer, tmp_path: Path) -> None:
    stranger = Postman(desk, tmp_path / "ledger.sqlite", secret="another-secret")
    stranger.has_reports_for("first")
    for _ in range(8):
        stranger.sends_what_is_due()
        stranger.waits(SECRET_BACKOFF_SECONDS)
    assert not stranger.is_done
    stranger.ledger.close()
    Postman(desk, tmp_path / "ledger.sqlite").sends_what_is_due()
    assert desk.statuses("first") == ["WORKING", "FILLED"]


def test_reports_survive_a_restart(postman: Postman, desk: DeskServer, tmp_path: Path) -> None:
    postman.has_reports_for("first")
    postman.ledger.close()
    successor = Postman(desk, tmp_path / "ledger.sqlite")
    assert successor.outbox.wake.is_set()
    successor.sends_what_is_due()
    assert desk.statuses("first") == ["WORKING", "FILLED"]


def test_each_occasion_is_reported_once(postman: Postman) -> None:
    assert postman.outbox.put("first", "working", WORKING)
    assert not postman.outbox.put("first", "working", WORKING)


def test_empty_outbox_is_announced(postman: Postman) -> None:
    postman.has_reports_for("first")
    assert not postman.outbox.wait_until_drained(0)
    postman.sends_what_is_due()
    assert postman.outbox.wait_until_drained(0)


def test_backoff_doubles_with_jitter_and_is_bounded() -> None:
    for failures in range(1, 40):
        ceiling = min(LONGEST_BACKOFF_SECONDS, 0.25 * 2 ** (failures - 1))
        assert ceiling / 2 <= backoff_seconds(failures) <= ceiling
    assert len({backoff_seconds(9) for _ in range(20)}) > 1


def test_no_failure_of_a_turn_ends_the_loop() -> None:
    stop = threading.Event()
    moods = iter([ValueError("a bug"), None])

    def turn() -> bool:
        mood = next(moods)
        if mood is not None:
            raise mood
        stop.set()
        return False

    keep_turning(Job("moody", turn, lambda _: None), stop)
    assert stop.is_set()
    assert next(moods, "done") == "done"
