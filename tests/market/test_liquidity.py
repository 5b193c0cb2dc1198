"""Thin liquidity is that of each asset's own market: holidays of equity indices say nothing of oil or currencies."""

from __future__ import annotations

from datetime import datetime

import pytest

from services.market.calendars import CALENDARS, CRYPTO, NEW_YORK
from services.market.instruments import INSTRUMENTS, TRADABLE
from services.market.liquidity import liquidity_in, liquidity_of
from services.market.session import liquidity


def new_york(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=NEW_YORK)


@pytest.mark.parametrize(
    ("assets", "at", "reason"),
    [
        (["ES", "NQ"], "2026-11-26T10:00", "Thanksgiving — CME early close 13:00 ET"),
        (["CL", "GC"], "2026-11-26T10:00", "Thanksgiving — CME early close 14:30 ET"),
        (
            ["ES", "CL", "EURUSD", "GC"],
            "2026-11-26T10:00",
            "Thanksgiving — CME early close 13:00 ET (ES); Thanksgiving — CME early close 14:30 ET (CL and GC)",
        ),
        (["US30"], "2026-11-26T10:00", "Thanksgiving — index CFDs close early 13:00 ET"),
        (["EURUSD"], "2026-11-26T10:00", None),
        (["EURUSD"], "2026-12-25T10:00", "Christmas Day — currencies closed"),
        (["CL"], "2026-07-02T10:00", None),  # the eve of Independence Day is an ordinary day of oil
        (["CL"], "2026-11-24T10:00", None),
        (["CL"], "2026-11-28T10:00", "weekend"),
        (["ES"], "2026-11-27T16:59", "Day after Thanksgiving — CME early close 13:15 ET"),
        (["ES"], "2026-11-20T16:59", None),
        (["ES"], "2026-11-20T17:00", "weekend"),
        (["ES"], "2026-11-22T17:59", "weekend"),
        (["ES"], "2026-11-22T18:00", None),
        (["ES", "EURUSD"], "2026-11-22T17:30", "weekend (ES)"),  # currencies open an hour earlier
        ([], "2026-11-22T17:30", None),
    ],
)
def test_a_thin_market_is_named_with_its_reason(assets: list[str], at: str, reason: str | None) -> None:
    assert liquidity_of(assets, new_york(at)) == (reason is not None, reason)


def test_cryptocurrencies_have_neither_weekends_nor_holidays() -> None:
    assert [liquidity_in(CRYPTO, new_york(at)) for at in ("2026-11-28T10:00", "2026-12-25T10:00")] == [None, None]


def test_equity_indices_are_thin_when_the_calendar_of_the_desk_says_so() -> None:
    for day in range(1, 29):
        for month in (1, 4, 7, 11, 12):
            for clock in ("09:00", "17:30", "18:30"):
                at = new_york(f"2026-{month:02}-{day:02}T{clock}")
                assert liquidity_of(["ES"], at) == liquidity(at), at


def test_a_naive_time_is_refused() -> None:
    for calendar in CALENDARS.values():
        with pytest.raises(ValueError, match="aware"):
            liquidity_in(calendar, datetime(2026, 11, 20, 12, 0))  # noqa: DTZ001


def test_every_asset_that_can_be_traded_has_a_calendar_of_the_table() -> None:
    assert {INSTRUMENTS[asset].calendar.name for asset in TRADABLE} <= set(CALENDARS)
