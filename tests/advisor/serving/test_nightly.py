"""The training of each night: at 17:10 in New York, in a child that ends when the advisor does."""

from __future__ import annotations

import asyncio
import sys
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import psutil
import pytest

from advisor.ml.cards import Made
from advisor.models.files import write_version
from advisor.models.nightly import Nightly, next_training
from advisor.models.places import Slot, current_of
from advisor.models.training import TrainingRefused, has_new_session, keep, one_training
from tests.support.desk_process import eventually
from tests.support.ml_models import ENDS, quiet_model, quiet_series
from tests.support.narrow import known


@pytest.mark.parametrize(
    ("now", "due"),
    [
        (datetime(2026, 11, 30, 20, tzinfo=UTC), datetime(2026, 11, 30, 22, 10, tzinfo=UTC)),
        (datetime(2026, 11, 30, 22, 10, tzinfo=UTC), datetime(2026, 12, 1, 22, 10, tzinfo=UTC)),
        (datetime(2026, 3, 7, 22, 10, tzinfo=UTC), datetime(2026, 3, 8, 21, 10, tzinfo=UTC)),  # the clocks go forward
        (datetime(2026, 10, 31, 21, 10, tzinfo=UTC), datetime(2026, 11, 1, 22, 10, tzinfo=UTC)),  # and back
    ],
)
def test_it_is_due_at_ten_past_five_in_new_york(now: datetime, due: datetime) -> None:
    assert next_training(now) == due


def test_it_runs_each_time_that_it_is_due(tmp_path: Path) -> None:
    marks = tmp_path / "marks"
    words = ("-c", f"open({str(marks)!r}, 'a').write('x')")
    times = iter(range(3))

    def at(now: datetime) -> datetime:
        return now if next(times, None) is not None else now + timedelta(days=1)

    async def story() -> None:
        running = asyncio.create_task(Nightly(words, at=at).run())
        while not marks.exists() or len(marks.read_text()) < 3:
            await asyncio.sleep(0.02)
        running.cancel()

    asyncio.run(asyncio.wait_for(story(), 60))


@pytest.mark.processes
def test_the_child_ends_with_the_advisor(tmp_path: Path) -> None:
    """It is in the middle of something long when the advisor stops."""
    began = tmp_path / "began"
    code = (
        "import pathlib, time\nfrom sidecar.children import end_with_parent\nend_with_parent()\n"
        f"pathlib.Path({str(began)!r}).write_text(str(__import__('os').getpid()))\ntime.sleep(600)"
    )

    async def story() -> None:
        running = asyncio.create_task(Nightly(("-c", code)).train())
        while not began.exists() or not began.read_text():
            await asyncio.sleep(0.02)
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)

    asyncio.run(asyncio.wait_for(story(), 60))
    eventually(lambda: not psutil.pid_exists(int(began.read_text())))


def test_a_program_that_is_not_there_is_no_training(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", "/nowhere/python")
    assert asyncio.run(Nightly(()).train()) is None


def test_only_a_new_session_is_a_reason_to_train_again(tmp_path: Path) -> None:
    series = quiet_series()
    assert has_new_session(series, tmp_path)
    card, files = quiet_model()
    keep([Made(card, files)], tmp_path)
    assert known(current_of(Slot("ETHUSD", "1h").folder(tmp_path)))
    assert not has_new_session(series, tmp_path)
    assert has_new_session(quiet_series(ENDS + 86_400), tmp_path)
    (Slot("ETHUSD", "1h").folder(tmp_path) / "current" / "card.json").write_text("{")
    assert has_new_session(series, tmp_path)
    assert card.data.last.date() <= date(2026, 6, 1)


def test_one_training_at_a_time(tmp_path: Path) -> None:
    with one_training(tmp_path), pytest.raises(TrainingRefused, match="another training runs"), one_training(tmp_path):
        raise AssertionError("two at once")
    with one_training(tmp_path):
        pass


def test_two_trainings_of_one_second_are_two_versions(tmp_path: Path) -> None:
    card, files = quiet_model()
    assert [write_version(tmp_path, card, files) for _ in range(2)] == ["20260601T010000Z", "20260601T010000Z-2"]
