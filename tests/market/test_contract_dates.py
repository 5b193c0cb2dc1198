"""When a contract is rolled, when it ends, and how many days are left until then."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest

from services.market.calendars import NEW_YORK
from services.market.contract_dates import (
    NotItsContract,
    coming_rolls,
    dates_of,
    days_to_roll,
    is_expired,
    last_trade,
    roll_date,
)
from services.market.instruments import TRADABLE, UnknownInstrument, contract_for

ON = date(2026, 11, 20)


def new_york(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=NEW_YORK).astimezone(UTC)


@pytest.mark.parametrize(
    ("asset", "contract", "rolls_on", "left"),
    [
        ("ES", "MESZ6", date(2026, 12, 14), 24),  # the Monday of expiry week
        ("ES", "ESH7", date(2027, 3, 15), 115),
        ("ES", "MES 12-26", date(2026, 12, 14), 24),
        ("CL", "MCLZ6", date(2026, 11, 17), -3),  # the desk has rolled already
        ("CL", "CLF7", date(2026, 12, 16), 26),
        ("GC", "MGCZ6", date(2026, 11, 25), 5),
    ],
)
def test_the_roll_date_and_the_days_until_it(asset: str, contract: str, rolls_on: date, left: int) -> None:
    assert roll_date(asset, contract, ON) == rolls_on
    assert days_to_roll(asset, contract, ON) == left


@pytest.mark.parametrize(
    ("asset", "contract", "ends"),
    [
        ("ES", "MESZ6", "2026-12-18T09:30"),
        ("ES", "ESM2026", "2026-06-18T09:30"),  # the third Friday is Juneteenth
        ("YM", "MYMH7", "2027-03-19T09:30"),
        ("CL", "CLZ6", "2026-11-20T17:00"),
        ("CL", "MCLZ6", "2026-11-19T17:00"),  # the micro contract ends one business day before
        ("CL", "CLF2025", "2024-12-19T17:00"),
        # CME Group, gold futures calendar
        ("GC", "GCJ2025", "2025-04-28T13:30"),
        ("GC", "GCM2025", "2025-06-26T13:30"),
        ("GC", "GCQ2025", "2025-08-27T13:30"),
        ("GC", "GCZ2025", "2025-12-29T13:30"),
        ("GC", "MGCG2015", "2015-02-25T13:30"),
    ],
)
def test_the_last_trade(asset: str, contract: str, ends: str) -> None:
    assert last_trade(asset, contract, ON) == new_york(ends)


@pytest.mark.parametrize("contract", ["MESZ6", "MES 12-26", "/MESZ26"])
def test_a_contract_is_expired_from_its_last_trade_on(contract: str) -> None:
    ends = new_york("2026-12-18T09:30")
    assert not is_expired("ES", contract, ends - timedelta(seconds=1))
    assert is_expired("ES", contract, ends)
    assert is_expired("ES", contract, ends + timedelta(days=300))


def test_a_year_of_one_digit_is_read_as_of_the_day_asked() -> None:
    assert not is_expired("ES", "ESZ6", datetime(2025, 1, 1, tzinfo=UTC))
    assert is_expired("ES", "ESZ6", datetime(2027, 1, 1, tzinfo=UTC))
    assert not is_expired("ES", "ESZ6", datetime(2028, 1, 2, tzinfo=UTC))  # then it is that of 2036


def test_a_cfd_has_no_roll_and_no_end() -> None:
    assert roll_date("EURUSD", "EUR_USD", ON) is None
    assert days_to_roll("US30", "US30USD", ON) is None
    assert last_trade("XAUUSD", "XAUUSD", ON) is None
    assert not is_expired("XAUUSD", "XAUUSD", datetime(2036, 1, 1, tzinfo=UTC))


@pytest.mark.parametrize("asset", TRADABLE)
def test_the_contract_that_the_desk_trades_is_never_expired_nor_past_its_roll(asset: str) -> None:
    for count in range(5 * 365):
        day = date(2024, 1, 1) + timedelta(days=count)
        for size in ("micro", "full"):
            symbol = contract_for(asset, day, "micro" if size == "micro" else "full").symbol
            left = days_to_roll(asset, symbol, day)
            assert left is None or left > 0
            assert not is_expired(asset, symbol, datetime(day.year, day.month, day.day, 22, tzinfo=UTC))


@pytest.mark.parametrize("contract", ["MNQZ6", "MES", "ES1!", "/ES", "ESX", "", "E" * 1000])
def test_what_is_no_contract_of_the_asset_is_refused(contract: str) -> None:
    with pytest.raises(NotItsContract, match="names no contract of ES"):
        roll_date("ES", contract, ON)


def test_an_unknown_asset_is_refused() -> None:
    with pytest.raises(UnknownInstrument):
        days_to_roll("DOGE", "DOGEZ6", ON)


def test_a_naive_time_is_refused() -> None:
    with pytest.raises(ValueError, match="aware"):
        is_expired("ES", "MESZ6", datetime(2026, 11, 20, 12, 0))  # noqa: DTZ001


@pytest.mark.parametrize(
    ("asset", "contract", "rolls_on", "follows"),
    [
        ("ES", "MESZ6", date(2026, 12, 14), "MESH7"),
        ("ES", "ESU2026", date(2026, 9, 14), "ESZ6"),
        ("RTY", "M2KZ6", date(2026, 12, 14), "M2KH7"),
        ("CL", "MCLZ6", date(2026, 11, 17), "MCLF7"),
        ("GC", "GCQ7", date(2027, 7, 28), "GCZ7"),
        ("GC", "MGCV6", date(2026, 9, 28), "MGCZ6"),  # a thin month, held by a setting only
    ],
)
def test_the_contract_that_follows(asset: str, contract: str, rolls_on: date, follows: str) -> None:
    dates = dates_of(asset, contract, ON)
    assert dates is not None
    assert (dates.rolls_on, dates.next_contract) == (rolls_on, follows)
    assert dates.last_trade == last_trade(asset, contract, ON)


def test_each_contract_of_the_desk_is_followed_by_the_one_it_then_trades() -> None:
    for asset in TRADABLE:
        for days in range(0, 800, 9):
            on = ON + timedelta(days=days)
            contract = contract_for(asset, on)
            dates = dates_of(asset, contract.symbol, on)
            if dates is None:
                assert contract_for(asset, on + timedelta(days=400)).symbol == contract.symbol
                continue
            assert on < dates.rolls_on <= dates.last_trade.date()
            assert contract_for(asset, dates.rolls_on).symbol == dates.next_contract


@pytest.mark.parametrize(
    ("asset", "contracts"),
    [
        ("GC", ["MGCG7", "MGCJ7", "MGCM7", "MGCQ7", "MGCZ7", "MGCG8"]),  # liquid months: no V, though it is listed
        ("CL", ["MCLF7", "MCLG7", "MCLH7", "MCLJ7", "MCLK7", "MCLM7"]),
        ("ES", ["MESZ6", "MESH7", "MESM7", "MESU7", "MESZ7", "MESH8"]),
    ],
)
def test_the_coming_rolls(asset: str, contracts: list[str]) -> None:
    rolls = coming_rolls(asset, date(2026, 12, 1), count=6)
    assert [roll.contract for roll in rolls] == contracts
    assert [roll.next_contract for roll in rolls[:-1]] == contracts[1:]
    assert rolls[0].rolls_on == roll_date(asset, contracts[0], date(2026, 12, 1))
    assert rolls[0].last_trade == last_trade(asset, contracts[0], date(2026, 12, 1))


def test_on_the_roll_date_the_table_begins_with_the_follower() -> None:
    assert coming_rolls("GC", date(2026, 11, 24))[0].contract == "MGCZ6"
    assert coming_rolls("GC", date(2026, 11, 25))[0].contract == "MGCG7"
    assert coming_rolls("GC", date(2026, 11, 25), "full", 1)[0].contract == "GCG7"


def test_a_cfd_has_no_coming_roll() -> None:
    assert coming_rolls("XAUUSD", ON) == []
