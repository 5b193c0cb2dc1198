"""How often alerts fire: thirteen against one, on the tapes, as docs/explanation/bricks.md tells it.

The table of the page is checked row by row. Rows of recorded tapes are checked where the tapes are. This module prints
the rows: ``python -m tests.tradingview.test_alert_rates``.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from decimal import Decimal

import pytest

from services.market.instruments import instrument_for
from services.market.renko import RenkoStack
from tests.support.paths import REPOSITORY
from tests.tradingview.tapes import BAR_LENGTHS, TAPES, UNITS, asset_of, bars_of, ticks_of_tape

PAGE = REPOSITORY / "docs" / "explanation" / "bricks.md"
WINDOW = timedelta(minutes=3)
MOST_TRIGGERS = 15  # in three minutes; with one more TradingView stops the alert
HEAD = "| tape | base | bricks | most of one brick alert | of thirteen stopped | all thirteen | the one alert |"


def most_in_a_window(times: Sequence[datetime]) -> int:
    """Return the largest number of times within three minutes."""
    most = begin = 0
    for end, at in enumerate(times):
        while at - times[begin] >= WINDOW:
            begin += 1
        most = max(most, end - begin + 1)
    return most


def row_of(name: str) -> str:
    """Return the row of a tape: each brick fires its size's and colour's alert at the close of its base bar."""
    asset, base = asset_of(name), "1" if "_1m_" in name else "15S"
    instrument, length = instrument_for(asset), BAR_LENGTHS[base]
    bars = [(at + length, prices[3]) for at, prices in bars_of(tuple(ticks_of_tape(name)), length)]
    stack = RenkoStack(instrument, Decimal(UNITS[asset][0]))
    formed = stack.feed_many([instrument.ticks(close) for _, close in bars])
    alerts: dict[tuple[Decimal, str], list[datetime]] = {}
    for place, brick in formed:
        alerts.setdefault((brick.points, brick.color), []).append(bars[place][0])
    closes = [at for at, _ in bars]
    together = sorted([*closes, *(at for times in alerts.values() for at in times)])
    worst = [most_in_a_window(times) for times in alerts.values()]
    stopped = sum(most > MOST_TRIGGERS for most in worst)
    counts = (len(formed), max(worst), stopped, most_in_a_window(together), most_in_a_window(closes))
    return f"| {name} | {base} | {' | '.join(f'{count:,}' for count in counts)} |"


def rows_of_the_page() -> dict[str, str]:
    lines = PAGE.read_text("utf-8").splitlines()
    start = lines.index(HEAD) + 2
    return {line.split("|")[1].strip(): line for line in lines[start : lines.index("", start)]}


@pytest.mark.parametrize("name", TAPES)
def test_the_page_tells_the_rates_of_a_tape(name: str) -> None:
    assert rows_of_the_page()[name] == row_of(name)


def test_one_alert_never_comes_near_the_limit() -> None:
    rows = [line.split("|") for line in rows_of_the_page().values()]
    assert all(int(row[7]) <= 12 for row in rows)
    assert any(int(row[5]) > 0 for row in rows), "the thirteen would not have been a trouble"


def test_a_window_holds_less_than_three_minutes() -> None:
    start = datetime(2026, 3, 4)  # noqa: DTZ001 - only differences count
    assert most_in_a_window([]) == 0
    assert most_in_a_window([start + timedelta(seconds=15 * number) for number in range(40)]) == 12
    assert most_in_a_window([start, start, start + WINDOW]) == 2


if __name__ == "__main__":
    print("\n".join(row_of(name) for name in TAPES))
