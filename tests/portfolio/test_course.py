"""A long past is thinned: of each account the last point of each stretch stays, and none is made up."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import pairwise

from services.portfolio.course import MOST_POINTS, Course
from services.projections.equity import PnlSample
from wire.types import Env

START = datetime(2026, 11, 17, 14, 30, tzinfo=UTC)


def samples(minutes: int, account: str | None = "A", env: Env = "DEMO", first: int = 0) -> list[PnlSample]:
    return [
        PnlSample(START + timedelta(minutes=first + n), env, Decimal(50_000 + n), None, None, account)
        for n in range(minutes)
    ]


def test_a_day_stays_whole() -> None:
    course = Course()
    course.add(samples(1_440))
    assert (len(course.points), course.every_seconds) == (1_440, 60)


def test_a_long_past_keeps_the_last_point_of_each_stretch() -> None:
    course, told = Course(), samples(30_000)
    course.add(told)
    points = course.points
    assert MOST_POINTS / 2 <= len(points) <= MOST_POINTS
    assert course.every_seconds == 60 * 8
    assert (points[-1].at, points[-1].equity_usd) == (told[-1].at, told[-1].equity)
    given = {(sample.at, sample.equity) for sample in told}
    assert all((point.at, point.equity_usd) in given for point in points)
    assert all(a.at < b.at for a, b in pairwise(points))


def test_accounts_do_not_take_each_others_places() -> None:
    course = Course()
    course.add(sorted([*samples(3_000, "A"), *samples(3_000, "B", "LIVE")], key=lambda sample: sample.at))
    counts = {name: sum(point.account == name for point in course.points) for name in ("A", "B")}
    assert counts["A"] == counts["B"] == 1_500


def test_an_account_is_named_from_the_sample_on_that_named_it() -> None:
    course = Course()
    course.add([*samples(3, None), *samples(3, "A", first=3), *samples(3, "B", first=6)])
    named = [course.account_at("DEMO", START + timedelta(minutes=minute)) for minute in (-1, 1, 3, 5, 6, 99)]
    assert named == [None, None, "A", "A", "B", "B"]
    assert course.account_at("LIVE", START) is None


def test_a_sample_from_before_what_is_asked_for_names_the_account_and_is_no_point() -> None:
    course = Course()
    told = samples(3, "A")
    course.add(told, "desk", lambda at: at > told[-1].at)
    assert course.points == ()
    assert course.account_at("DEMO", told[-1].at + timedelta(hours=2)) == "A"
