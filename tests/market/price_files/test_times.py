"""Times that no calendar holds, and dates that may be of two days: one row or the file is refused, never guessed."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from decimal import Decimal

import pytest

from services.market.price_files.options import DateOrder, PriceFileError, PriceTick, ReadingOptions, RefusedRow
from tests.market.price_files.test_reader import rows_of

BEYOND_THE_CALENDAR = ("0001-01-01T00:00:00+02:00", "9999-12-31T23:59:59-02:00")


@pytest.mark.parametrize("beyond", BEYOND_THE_CALENDAR)
@pytest.mark.parametrize("is_first", [True, False])
def test_a_time_beyond_the_calendar_is_one_wrong_row(beyond: str, is_first: bool) -> None:
    times = ["2024-01-02T14:30:00Z", "2024-01-02T14:31:00Z"]
    times.insert(0 if is_first else 1, beyond)
    rows = rows_of("time,price\n" + "".join(f"{time},4783\n" for time in times))
    assert [type(row) for row in rows] == (
        [RefusedRow, PriceTick, PriceTick] if is_first else [PriceTick, RefusedRow, PriceTick]
    )


@pytest.mark.parametrize("zone", ["+02:00", "-12", "America/New_York", "America/New_York+7", "Asia/Tokyo"])
@pytest.mark.parametrize(
    "wall", ["0001-01-01 00:00:00", "9999-12-31 23:59:59", "0001.01.01 00:00:00", "31.12.9999 23:59:59"]
)
def test_a_wall_beyond_the_calendar_is_one_wrong_row(zone: str, wall: str) -> None:
    good = (
        ("13.01.2024 14:30:00", "13.01.2024 14:31:00")
        if "." in wall
        else ("2024-01-13 14:30:00", "2024-01-13 14:31:00")
    )
    text = f"time,price\n{good[0]},4783\n{wall},4783\n{good[1]},4783\n"
    rows = rows_of(text, options=ReadingOptions(time_zone=zone))
    assert [type(row) for row in rows] == [PriceTick, RefusedRow, PriceTick]


@pytest.mark.parametrize(
    "said",
    [
        ReadingOptions(price_scale=Decimal("NaN")),
        ReadingOptions(price_scale=Decimal("sNaN")),
        ReadingOptions(price_scale=Decimal("Infinity")),
        ReadingOptions(bar_seconds=10**15),
    ],
)
def test_an_option_beyond_what_can_be_counted_refuses_the_file(said: ReadingOptions) -> None:
    with pytest.raises(PriceFileError, match=r"beyond what can be counted|must be finite"):
        rows_of("unix,open,high,low,close\n1704205800,1,1,1,1\n1704205860,1,1,1,1\n", options=said)


def test_a_day_at_the_end_of_the_calendar_has_no_prices() -> None:
    said = ReadingOptions(day=date(9999, 12, 31), time_zone="America/New_York", price_scale=Decimal(1), bar_seconds=60)
    with pytest.raises(PriceFileError, match=r"1970 to 2099|beyond what can be counted"):
        rows_of("80000000,1,1,1,1,5\n80060000,1,1,1,1,5\n", options=said)


SHORT_DATES = "time,price\n" + "".join(f"10/01/15 14:30:{second:02},4783\n" for second in range(9))


@pytest.mark.parametrize(
    ("order", "day"), [("ymd", date(2010, 1, 15)), ("dmy", date(2015, 1, 10)), ("mdy", date(2015, 10, 1))]
)
def test_a_date_is_read_in_the_order_that_is_said(order: DateOrder, day: date) -> None:
    tick, *_ = rows_of(SHORT_DATES, options=ReadingOptions(time_zone="UTC", date_order=order))
    assert isinstance(tick, PriceTick)
    assert tick.at.date() == day


@pytest.mark.parametrize("dates", [("24/01/15", "25/01/15"), ("24/01/15", "24/01/16"), ("05/06/07", "05/06/08")])
def test_a_short_date_whose_last_part_may_be_the_day_is_refused(dates: Sequence[str]) -> None:
    text = "time,price\n" + "".join(f"{day} 14:30:00,4783\n" for day in dates)
    with pytest.raises(PriceFileError, match="may be of two days: say dmy, mdy or ymd by --date-order"):
        rows_of(text, options=ReadingOptions(time_zone="UTC"))


@pytest.mark.parametrize(
    ("text", "day"), [("01/15/24", date(2024, 1, 15)), ("99/01/15", date(2099, 1, 15)), ("15/01/99", date(2099, 1, 15))]
)
def test_a_short_date_that_is_of_one_day_alone_is_read(text: str, day: date) -> None:
    (tick,) = rows_of(f"time,price\n{text} 14:30:00,4783\n", options=ReadingOptions(time_zone="UTC"))
    assert isinstance(tick, PriceTick)
    assert tick.at.date() == day
