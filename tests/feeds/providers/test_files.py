"""The drop folder and the shipped tapes: which file is whose, what is kept, what is left out and why."""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from feeds.bars.store import BarStore
from feeds.bars.types import Bar
from feeds.providers.files import FileProvider
from feeds.providers.provider import ProviderFailed, ProviderStatus
from feeds.providers.settings import SHIPPED, SHIPPED_PATTERN

LONG_AGO, LONG_AFTER = datetime(2000, 1, 1, tzinfo=UTC), datetime(2030, 1, 1, tzinfo=UTC)
HEADER = "time,open,high,low,close,Volume"


def minutes(*starts: str, price: str = "5000") -> str:
    return "\n".join([HEADER, *(f"{start},{price},{price},{price},{price},7" for start in starts)]) + "\n"


def bars_of(one: FileProvider, symbol: str, start: datetime = LONG_AGO, end: datetime = LONG_AFTER) -> list[Bar]:
    return [bar for page in one.bars(symbol, start, end) for bar in page]


def closes(bars: list[Bar]) -> list[tuple[str, float]]:
    return [(at(bar), float(bar.close)) for bar in bars]


def at(bar: Bar) -> str:
    return datetime.fromtimestamp(bar.t, UTC).strftime("%m-%d %H:%M")


def test_a_folder_of_files_is_kept_and_the_same_files_again_change_nothing(tmp_path: Path) -> None:
    (tmp_path / "ES_1m.csv").write_text(minutes("1704205800", "1704205860", "1704205980"))
    (tmp_path / "EURUSD1.csv").write_text("2024.01.15,14:30,1.1,1.1,1.1,1.1,5\n2024.01.15,14:31,1.1,1.1,1.1,1.1,5\n")
    (tmp_path / "options.toml").write_text('["EURUSD*"]\ntime_zone = "America/New_York+7"\n')
    one = FileProvider("folder", tmp_path)
    assert [one.covers(symbol) for symbol in ("ES", "EURUSD", "NQ")] == [True, True, False]
    es, eurusd = bars_of(one, "ES"), bars_of(one, "EURUSD")
    assert [at(bar) for bar in es] == ["01-02 14:30", "01-02 14:31", "01-02 14:33"]
    assert [at(bar) for bar in eurusd] == ["01-15 12:30", "01-15 12:31"]
    assert (float(es[0].close), es[0].volume, es[0].source) == (5000, 7, "provider")
    assert one.report().left_out == 0
    assert one.status() == ProviderStatus("folder", "ok", eurusd[-1].t)
    store = BarStore(tmp_path / "bars.sqlite")
    assert [store.put([*bars_of(one, "ES"), *bars_of(one, "EURUSD")]) for _ in range(2)] == [5, 0]
    store.close()


def test_only_the_asked_time_is_given(tmp_path: Path) -> None:
    (tmp_path / "ES.csv").write_text(minutes("1704205800", "1704205860", "1704205920"))
    start = datetime(2024, 1, 2, 14, 31, tzinfo=UTC)
    given = bars_of(FileProvider("folder", tmp_path), "ES", start, start + timedelta(minutes=1))
    assert [at(bar) for bar in given] == ["01-02 14:31"]


def test_what_cannot_be_read_is_named_and_the_other_files_are_read(tmp_path: Path) -> None:
    (tmp_path / "ES_a.csv").write_text(minutes("1704205800", "1704205860") + "1704205920,5000,4000,5000,5000,7\n")
    (tmp_path / "ES_b.csv").write_text("time,open,high,low,close\n01/02/2024 09:30,1,1,1,1\n")
    (tmp_path / "ES_c.csv").write_bytes(b"\x00\x01\x02\x00\x00" * 100)
    (tmp_path / "ES_d_5m.csv").write_text(minutes("1704206100", "1704206400", "1704206700"))
    (tmp_path / "ES_NQ.csv").write_text("what,ever\n")
    (tmp_path / "LICENSE.txt").write_text("what,ever\n")
    one = FileProvider("folder", tmp_path)
    assert [at(bar) for bar in bars_of(one, "ES")] == ["01-02 14:30", "01-02 14:31"]
    assert [(left.place, left.line) for left in one.report().named] == [
        ("ES_a.csv", 4),
        ("ES_b.csv", None),
        ("ES_c.csv", None),
        ("ES_d_5m.csv", None),
        ("ES_NQ.csv", None),
        ("LICENSE.txt", None),
    ]
    reasons = [left.reason for left in one.report().named]
    assert reasons[0] == "the high 4000 was below the low 5000"
    assert "time_zone in options.toml" in reasons[1] or "date_order in options.toml" in reasons[1]
    assert "bars are of 300 s" in reasons[3]


def test_a_file_of_one_contract_gives_the_days_on_which_it_was_in_front(tmp_path: Path) -> None:
    days = ("1709908200", "1709908260", "1710167400", "1710513000")  # 8, 8, 11 and 15 March 2024, 14:30 UTC
    (tmp_path / "ESH24.csv").write_text(minutes(*days, price="5100"))
    (tmp_path / "ESM24.csv").write_text(minutes(*days, price="5160"))
    one = FileProvider("folder", tmp_path)
    assert closes(bars_of(one, "ES")) == [
        ("03-08 14:30", 5100),
        ("03-08 14:31", 5100),
        ("03-11 14:30", 5160),
        ("03-15 14:30", 5160),
    ]
    assert one.report().left_out == 4
    assert "another contract than ESH24" in one.report().named[0].reason


def test_of_a_minute_in_two_files_the_first_counts(tmp_path: Path) -> None:
    (tmp_path / "ES_1.csv").write_text(minutes("1704205800", "1704205860", price="5000"))
    (tmp_path / "ES_2.csv").write_text(minutes("1704205860", "1704205920", price="5001"))
    given = closes(bars_of(FileProvider("folder", tmp_path), "ES"))
    assert given == [("01-02 14:30", 5000), ("01-02 14:31", 5000), ("01-02 14:32", 5001)]


def test_ticks_are_put_together_without_the_minutes_at_the_ends(tmp_path: Path) -> None:
    rows = ["30:40,100,1", "31:02,101,2", "31:30,99,1", "31:59.999,100,4", "33:00,102,1", "34:05,103,1"]
    (tmp_path / "ES.csv").write_text("time_utc,price,size\n" + "".join(f"2024-01-02T14:{row}\n" for row in rows))
    one = FileProvider("folder", tmp_path)
    first, second = bars_of(one, "ES")
    assert (float(first.open), float(first.high), float(first.low), first.volume) == (101, 101, 99, 7)
    assert closes([first, second]) == [("01-02 14:31", 100), ("01-02 14:33", 102)]
    assert [left.reason for left in one.report().named] == [
        "its first minute may have begun before it",
        "its last minute may have gone on after it",
    ]


@pytest.mark.parametrize(
    ("written", "now", "kept"),
    [
        (1704205919.9, 1704209999.0, ["01-02 14:30"]),  # the export ends with the minute in which it was made
        (1704205860.0, 1704209999.0, ["01-02 14:30"]),
        (1704205920.0, 1704209999.0, ["01-02 14:30", "01-02 14:31"]),
        (1704205800.0, 1704205919.9, []),
        (315532800.0, 1704209999.0, ["01-02 14:30", "01-02 14:31"]),  # an archive may say 1980 of what it holds
        (315532800.0, 1704205919.9, ["01-02 14:30"]),
    ],
)
@pytest.mark.parametrize("is_newest_first", [False, True])
def test_the_running_minute_of_an_export_is_left_out(
    tmp_path: Path, written: float, now: float, kept: list[str], is_newest_first: bool
) -> None:
    starts = sorted(("1704205800", "1704205860"), reverse=is_newest_first)
    path = tmp_path / "ES_1m.csv"
    path.write_text(minutes(*starts))
    os.utime(path, (written, written))
    (tmp_path / "options.toml").write_text("[default]\nbar_seconds = 60\n")
    one = FileProvider("folder", tmp_path, clock=lambda: now)
    assert sorted(at(bar) for bar in bars_of(one, "ES")) == kept
    assert one.report().left_out == 2 - len(kept)
    assert all(left.reason.endswith("was not over yet") for left in one.report().named)


def test_fifteen_second_bars_are_put_together(tmp_path: Path) -> None:
    starts = range(1704205800, 1704205800 + 120, 15)
    (tmp_path / "ES_15S.csv").write_text(minutes(*map(str, starts)))
    first, second = bars_of(FileProvider("folder", tmp_path), "ES")
    assert [(at(bar), bar.volume) for bar in (first, second)] == [("01-02 14:30", 28), ("01-02 14:31", 28)]


@pytest.mark.parametrize("text", ["[default]\ntime_zoen = 'UTC'\n", "[default\n", "default = 3\n"])
def test_wrong_options_leave_the_file_out_and_are_named(tmp_path: Path, text: str) -> None:
    (tmp_path / "ES.csv").write_text(minutes("1704205800", "1704205860"))
    (tmp_path / "options.toml").write_text(text)
    one = FileProvider("folder", tmp_path)
    assert bars_of(one, "ES") == []
    (left,) = one.report().named
    assert (left.place, left.reason[:17]) == ("ES.csv", "it cannot be read")


def test_a_folder_that_is_not_there_fails_and_one_that_was_not_chosen_is_off(tmp_path: Path) -> None:
    missing, off = FileProvider("folder", tmp_path / "no"), FileProvider("folder", None)
    assert (missing.status().status, missing.status().reason) == ("error", "no_folder")
    assert (off.status().status, off.covers("ES")) == ("off", False)
    for one in (missing, off):
        with pytest.raises(ProviderFailed):
            bars_of(one, "ES")


def test_the_shipped_tapes_are_whole_minutes() -> None:
    one = FileProvider("tapes", SHIPPED, SHIPPED_PATTERN)
    given = bars_of(one, "ES")
    assert len(given) == 805
    assert (given[0].t, given[0].open, given[0].volume) == (1378072800, Decimal("1640.25"), 3940)
    assert one.report().left_out == 3


def test_asks_are_nobodys_bars_and_bids_are_those_of_currencies_alone(tmp_path: Path) -> None:
    for name in ("EURUSD_1_M_ASK.csv", "EURUSD_1_M_BID.csv"):
        (tmp_path / name).write_text(minutes("1704205800", "1704205860", price="1.1" if "BID" in name else "1.2"))
    rows = "".join(f"20240102 14{minute}00;{{price}};{{price}};{{price}};{{price}};7\n" for minute in (31, 32))
    for side, price in (("Ask", 5001), ("Bid", 5000), ("Last", 5000.5)):
        (tmp_path / f"ES 03-24.{side}.txt").write_text(rows.format(price=price))
    one = FileProvider("folder", tmp_path)
    assert closes(bars_of(one, "EURUSD")) == [("01-02 14:30", 1.1), ("01-02 14:31", 1.1)]
    assert closes(bars_of(one, "ES")) == [("01-02 14:30", 5000.5), ("01-02 14:31", 5000.5)]
    assert [left.place for left in one.report().named] == ["ES 03-24.Ask.txt", "ES 03-24.Bid.txt"]


def test_a_column_of_symbols_says_more_than_the_name(tmp_path: Path) -> None:
    header, days = (
        "unix,symbol,open,high,low,close\n",
        ("1709908200", "1710167400", "1710167460"),
    )  # 8 and 11 March 2024
    rows = {symbol: "".join(f"{day},{symbol},1,1,1,1\n" for day in days) for symbol in ("ESH4", "NQH4", "ES.c.0")}
    (tmp_path / "ES_1_contract.csv").write_text(header + rows["ESH4"])
    (tmp_path / "ES_2_of_another.csv").write_text(header + rows["NQH4"])
    one = FileProvider("folder", tmp_path)
    assert [at(bar) for bar in bars_of(one, "ES")] == ["03-08 14:30"]
    assert [left.reason for left in one.report().named] == [
        "2 of its minutes are of days on which another contract than ESH4 was the front one",
        "it holds NQH4, and its name says ES",
    ]
    (tmp_path / "ES_3_continuous.csv").write_text(header + rows["ES.c.0"])
    assert [at(bar) for bar in bars_of(one, "ES")] == ["03-08 14:30", "03-11 14:30", "03-11 14:31"]
