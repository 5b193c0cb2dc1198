"""Every holiday of CME from 2024 to 2028, written down by hand: its hours, and where they are published.

Times are New York's. ``closed`` is no session, ``usual`` an ordinary one. *Dates* of 2027 and 2028 are published, CME's
*hours* on them not yet: ``rule`` marks hours that follow from those of the same holiday in other years. Brokers stop
up to a quarter of an hour before CME; their clocks are GMT+2 in winter and GMT+3 in summer, seven hours ahead.
"""

from __future__ import annotations

from datetime import date, time

from msgspec import Struct

SOURCES = {
    "nyse-24": "NYSE Group, 2022, 2023 and 2024 holiday and early closings calendar, 27 December 2021",
    "nyse-27": "NYSE Group, 2025, 2026 and 2027 holiday and early closings calendar, 8 November 2024",
    "nyse-28": "NYSE Group, 2026, 2027 and 2028 holiday and early closings calendar, 23 December 2025",
    "cme-26": "CME Globex trading hours for 2026 as of 29 May 2026, rsheftel/pandas_market_calendars issue 464",
    "cme-mourning": "CME Group, trading hours for U.S. National Day of Mourning, 30 December 2024",
    "pmc-456": "rsheftel/pandas_market_calendars pull request 456: the equity session of Good Friday 2026",
    "dtn-24": "DTN, Fourth of July 2024 holiday exchange schedule",
    "forexlive": "forexlive.com, CME hours on 15 January 2024, 19 June 2024, 20 January 2025",
    "seeking-alpha": "Seeking Alpha, Is the stock market open on Good Friday, March 2024",
    "barrons": "Barron's, Is the stock market open today, 18 April 2025",
    "jinshi": "Jinshi, CME's early closes on Labor Day, 1 September 2024 and 31 August 2025",
    "onfin": "OnFin, trading schedule for 19 February 2024",
    "gerchik": "Gerchik & Co, changes in the trading hours in June 2024",
    "mirrox": "Mirrox, holidays in November 2024",
    "fxopen": "FXOpen, trading hours for the 2024-2025 winter holidays",
    "xglobal": "XGlobal, Martin Luther King Day 2025 trading schedule",
    "zforex": "ZForex, Memorial Day 26 May 2025",
    "vt": "VT Markets, Juneteenth 2025",
    "fxcl": "FXCL, changes in schedule on Independence Day 2025",
    "funderpro": "FunderPro, Independence Day 2025 trading hours",
    "thunder": "Thunder Markets, exchange holidays in November 2025",
    "capitalix": "Capitalix, trading hours on 19 January 2026",
    "cdo": "CDO Markets, Presidents' Day 2026 trading schedule",
    "nordfx": "NordFX, trading schedule for 25 May 2026",
    "rule": "not published for this date: the hours of the same holiday in other years",
}
TABLE = """
2024-01-01 closed closed New Year's Day: nyse-24 rule
2024-01-15 13:00  14:30  Martin Luther King Jr. Day: forexlive rule
2024-02-19 13:00  14:30  Presidents' Day: onfin
2024-03-29 closed closed Good Friday: seeking-alpha
2024-05-27 13:00  14:30  Memorial Day: nyse-24 rule
2024-06-19 13:00  14:30  Juneteenth: forexlive gerchik
2024-07-03 13:15  usual  Independence Day eve: dtn-24
2024-07-04 13:00  14:30  Independence Day: dtn-24
2024-09-02 13:00  14:30  Labor Day: jinshi
2024-11-28 13:00  14:30  Thanksgiving: mirrox
2024-11-29 13:15  14:45  Day after Thanksgiving: mirrox
2024-12-24 13:15  13:45  Christmas Eve: fxopen
2024-12-25 closed closed Christmas Day: fxopen
2025-01-01 closed closed New Year's Day: fxopen
2025-01-09 09:30  usual  National Day of Mourning: cme-mourning
2025-01-20 13:00  14:30  Martin Luther King Jr. Day: forexlive xglobal
2025-02-17 13:00  14:30  Presidents' Day: nyse-27 rule
2025-04-18 closed closed Good Friday: barrons
2025-05-26 13:00  14:30  Memorial Day: zforex
2025-06-19 13:00  14:30  Juneteenth: vt rule
2025-07-03 13:15  usual  Independence Day eve: fxcl funderpro
2025-07-04 13:00  13:00  Independence Day: funderpro
2025-09-01 13:00  14:30  Labor Day: jinshi
2025-11-27 13:00  14:30  Thanksgiving: thunder
2025-11-28 13:15  14:45  Day after Thanksgiving: thunder
2025-12-24 13:15  13:45  Christmas Eve: nyse-27 rule
2025-12-25 closed closed Christmas Day: nyse-27 rule
2026-01-01 closed closed New Year's Day: nyse-28 rule
2026-01-19 13:00  14:30  Martin Luther King Jr. Day: capitalix
2026-02-16 13:00  14:30  Presidents' Day: cdo
2026-04-03 09:15  closed Good Friday: pmc-456 rule
2026-05-25 13:00  14:30  Memorial Day: nordfx
2026-06-19 13:00  13:00  Juneteenth: cme-26
2026-07-03 13:00  13:00  Independence Day: cme-26
2026-09-07 13:00  14:30  Labor Day: cme-26
2026-11-26 13:00  14:30  Thanksgiving: nyse-28 rule
2026-11-27 13:15  14:45  Day after Thanksgiving: cme-26
2026-12-24 13:15  13:45  Christmas Eve: cme-26
2026-12-25 closed closed Christmas Day: nyse-28 rule
2027-01-01 closed closed New Year's Day: nyse-28 rule
2027-01-18 13:00  14:30  Martin Luther King Jr. Day: nyse-28 rule
2027-02-15 13:00  14:30  Presidents' Day: nyse-28 rule
2027-03-26 closed closed Good Friday: nyse-28 rule
2027-05-31 13:00  14:30  Memorial Day: nyse-28 rule
2027-06-18 13:00  13:00  Juneteenth: nyse-28 rule
2027-07-05 13:00  14:30  Independence Day: nyse-28 rule
2027-09-06 13:00  14:30  Labor Day: nyse-28 rule
2027-11-25 13:00  14:30  Thanksgiving: nyse-28 rule
2027-11-26 13:15  14:45  Day after Thanksgiving: nyse-28 rule
2027-12-24 closed closed Christmas Day: nyse-28 rule
2028-01-17 13:00  14:30  Martin Luther King Jr. Day: nyse-28 rule
2028-02-21 13:00  14:30  Presidents' Day: nyse-28 rule
2028-04-14 closed closed Good Friday: nyse-28 rule
2028-05-29 13:00  14:30  Memorial Day: nyse-28 rule
2028-06-19 13:00  14:30  Juneteenth: nyse-28 rule
2028-07-03 13:15  usual  Independence Day eve: nyse-28 rule
2028-07-04 13:00  14:30  Independence Day: nyse-28 rule
2028-09-04 13:00  14:30  Labor Day: nyse-28 rule
2028-11-23 13:00  14:30  Thanksgiving: nyse-28 rule
2028-11-24 13:15  14:45  Day after Thanksgiving: nyse-28 rule
2028-12-25 closed closed Christmas Day: nyse-28 rule
"""
CLOSED = time.min
USUAL = time(17, 0)
HOURS = {"closed": CLOSED, "usual": USUAL}


class Row(Struct, frozen=True):
    """One holiday: when equity indices and when energy and metals close on it."""

    on: date
    name: str
    equity: time
    commodity: time
    sources: tuple[str, ...]


def rows() -> tuple[Row, ...]:
    """Return the table, one row per date, in calendar order."""
    return tuple(_row(line) for line in TABLE.strip().splitlines())


def _row(line: str) -> Row:
    fields, _, sources = line.rpartition(": ")
    on, equity, commodity, name = fields.split(maxsplit=3)
    return Row(date.fromisoformat(on), name, _hour(equity), _hour(commodity), tuple(sources.split()))


def _hour(text: str) -> time:
    return HOURS[text] if text in HOURS else time.fromisoformat(text)
