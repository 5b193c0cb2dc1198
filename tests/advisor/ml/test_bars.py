"""Minutes become closed bars: what is unknown is left out, never guessed."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime

import pytest
from msgspec.structs import replace

from advisor.ml.bars import BarsRefused, Minute, digest_of, series_of, series_of_bars
from services.market.calendars import Session
from services.market.instruments import UnknownInstrument, instrument_for
from wire.candles import BarSource

OPENS = int(datetime(2025, 1, 7, 14, 30, tzinfo=UTC).timestamp())


def minute(number: int, price: float = 5_000.0, source: BarSource = "bridge", v: float | None = 10.0) -> Minute:
    return Minute(OPENS + 60 * number, price, price + 1, price - 2, price + 0.5, v, source)


def minutes(*numbers: int) -> list[Minute]:
    return [minute(number) for number in numbers]


def test_five_minutes_make_one_bar() -> None:
    given = series_of("ES", "5m", [minute(n, 5_000.0 + n) for n in range(5)])
    assert (given.open, given.high, given.low, given.close) == ([5_000.0], [5_005.0], [4_998.0], [5_004.5])
    assert given.volume == [50.0]
    assert given.sources == {"bridge": 5}


def test_a_bar_that_has_not_ended_is_left_out() -> None:
    assert len(series_of("ES", "5m", minutes(0, 1, 2, 3))) == 0
    assert len(series_of("ES", "5m", minutes(*range(9)))) == 1


def test_the_clock_closes_a_bar_whose_last_minutes_had_no_trade() -> None:
    ended = datetime.fromtimestamp(OPENS + 300, UTC)
    assert len(series_of("ES", "5m", minutes(0, 1, 2), until=ended)) == 1
    assert len(series_of("ES", "5m", minutes(0, 1, 2), until=ended.replace(minute=34))) == 0


def test_a_bar_of_fewer_than_half_of_its_minutes_is_left_out_and_stays_a_gap() -> None:
    given = series_of("ES", "5m", minutes(*range(5), 5, 9, *range(10, 15)))
    assert given.starts == [OPENS, OPENS + 600]
    assert not given.is_followed(0)
    assert given.sources == {"bridge": 10}
    assert len(series_of("ES", "5m", minutes(0, 2, 4))) == 1


def minutes_from(begins: datetime, count: int) -> list[Minute]:
    return [replace(minute(0), t=int(begins.timestamp()) + 60 * n) for n in range(count)]


def test_only_minutes_of_the_session_are_missed() -> None:
    """On the Friday after Thanksgiving ES closes at 13:15 in New York: 15 minutes are all of that hour."""
    hour = datetime(2025, 11, 28, 18, 0, tzinfo=UTC)
    assert instrument_for("ES").calendar.session_of(hour.date()) == Session(
        hour.date(), datetime(2025, 11, 27, 23, 0, tzinfo=UTC), hour.replace(minute=15)
    )
    assert len(series_of("ES", "1h", minutes_from(hour, 15), until=hour.replace(hour=19))) == 1
    assert len(series_of("ES", "1h", minutes_from(hour, 7), until=hour.replace(hour=19))) == 0


def test_where_the_calendar_has_no_session_a_bar_needs_half_of_its_own_minutes() -> None:
    """In 2013 ES closed at 17:15 in New York: a quarter of an hour that the calendar of today does not have."""
    hour = datetime(2013, 10, 8, 21, 0, tzinfo=UTC)
    assert len(series_of("ES", "1h", minutes_from(hour, 15), until=hour.replace(hour=22))) == 0
    assert len(series_of("ES", "1h", minutes_from(hour, 30), until=hour.replace(hour=22))) == 1
    assert len(series_of("ES", "15m", minutes_from(hour, 15), until=hour.replace(hour=22))) == 1


def test_a_gap_stays_a_gap() -> None:
    given = series_of("ES", "1m", minutes(0, 1, 4))
    assert [given.is_followed(index) for index in range(3)] == [True, False, False]


@pytest.mark.parametrize("source", ["sampled", "simulated"])
def test_a_bar_with_a_minute_that_says_nothing_true_is_left_out(source: BarSource) -> None:
    told = [*minutes(0, 1, 2), minute(3, source=source), *minutes(4, *range(5, 10))]
    given = series_of("ES", "5m", told)
    assert given.starts == [OPENS + 300]
    assert given.sources == {"bridge": 5}
    assert len(series_of_bars("ES", "1m", [minute(0, source=source)])) == 0


def test_an_unknown_volume_makes_that_of_the_bar_unknown() -> None:
    given = series_of("ES", "5m", [*minutes(0, 1, 2, 3), minute(4, v=None)])
    assert given.volume == [None]
    assert not given.has_volumes


@pytest.mark.parametrize(
    "told",
    [
        minutes(1, 0),
        minutes(0, 0),
        [replace(minute(0), t=OPENS + 1)],
        [replace(minute(0), h=4_000.0)],
        [replace(minute(0), l=5_000.25)],
        [replace(minute(0), c=float("nan"))],
        [replace(minute(0), v=-1.0)],
    ],
)
def test_minutes_that_cannot_be_true_are_refused(told: Sequence[Minute]) -> None:
    with pytest.raises(BarsRefused):
        series_of("ES", "1m", told)


def test_an_unknown_symbol_is_refused() -> None:
    with pytest.raises(UnknownInstrument):
        series_of("XYZ", "1m", minutes(0))


def test_the_evening_belongs_to_the_next_trade_date_and_hours_are_new_yorks_in_summer_too() -> None:
    for month, utc_hour in ((1, 23), (7, 22)):
        at = int(datetime(2025, month, 7, utc_hour, 0, tzinfo=UTC).timestamp())
        given = series_of_bars("ES", "1m", [replace(minute(0), t=at)])
        assert given.session == [date(2025, month, 8).toordinal()]
        assert given.next_hour == [18]


def test_the_hour_is_that_of_the_bar_that_follows() -> None:
    given = series_of("ES", "30m", minutes(*range(60)))
    assert given.next_hour == [10, 10]


def test_the_digest_changes_with_any_price() -> None:
    one = series_of("ES", "1m", minutes(0, 1))
    other = series_of("ES", "1m", [minute(0), minute(1, 5_000.25)])
    assert digest_of(one) == digest_of(series_of("ES", "1m", minutes(0, 1)))
    assert digest_of(one) != digest_of(other)
