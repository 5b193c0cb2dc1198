"""Feeds does not answer for a while: it records, the advisor does not hear. What it finds afterwards is the truth."""

from __future__ import annotations

from pathlib import Path

import pytest
from msgspec.structs import replace

from tests.advisor.auto.floor import QUARTER, Floor, Json, Market
from tests.advisor.auto.test_decisions import BAR, said
from tests.advisor.auto.test_shadow_book import OPENS, flat

MINUTE = 60
ENDS = BAR + 12 * QUARTER
"""The end of a trade that is entered at ``BAR``."""


def trade_of(folder: Path, unheard: tuple[int, int] | None) -> Json:
    """Return the shadow trade of a market that touches its stop four minutes before its end."""
    minutes = flat(OPENS, 900)
    place = next(place for place, minute in enumerate(minutes) if minute.t == ENDS - 4 * MINUTE)
    minutes[place] = replace(minutes[place], h=5_100.0)
    floor = Floor(folder, Market(minutes, BAR - 5))
    floor.configures(max_daily_trades=1)
    for now in range(BAR, ENDS + 300, 20):
        is_unheard = unheard is not None and unheard[0] <= now < unheard[1]
        floor.market.unheard_since = unheard[0] if is_unheard and unheard is not None else None
        floor.looks(now)
    floor.close()
    [trade] = [one for one in floor_decisions(folder) if one["executed"]]
    return trade


def floor_decisions(folder: Path) -> list[Json]:
    floor = Floor(folder, Market(flat(OPENS, 900), ENDS + 300))
    found = floor.decisions()
    floor.close()
    return found


@pytest.mark.parametrize(
    "unheard",
    [None, (ENDS - 6 * MINUTE, ENDS + 80), (ENDS - 6 * MINUTE, ENDS + 200), (BAR + 5 * QUARTER, BAR + 8 * QUARTER)],
    ids=["always heard", "over the end", "long over the end", "in between"],
)
def test_a_shadow_trade_ends_as_if_feeds_had_always_been_heard(tmp_path: Path, unheard: tuple[int, int] | None) -> None:
    trade = trade_of(tmp_path, unheard)
    assert (trade["action"], trade["result"], trade["shadow"]["counted"]) == ("SELL", "sl", True)


@pytest.fixture
def unheard(tmp_path: Path) -> Floor:
    """The advisor hears feeds last in the ninth minute of a bar."""
    floor = Floor(tmp_path, Market(flat(OPENS, 900), BAR - 7 * MINUTE))
    floor.configures()
    floor.market.unheard_since = BAR - 6 * MINUTE
    return floor


def test_a_bar_whose_last_minutes_were_not_heard_waits_and_is_decided_whole(unheard: Floor) -> None:
    for later in (1, 15, 40):
        unheard.looks(BAR + later)
        assert unheard.decisions() == []
    unheard.market.unheard_since = None
    unheard.looks(BAR + 45)
    [decision] = unheard.decisions()
    assert said(decision) == ("SELL", "signal", None, "pending", True)
    unheard.close()


def test_one_that_is_not_heard_for_a_minute_is_late(unheard: Floor) -> None:
    unheard.looks(BAR + 60)
    assert unheard.decisions() == []
    unheard.looks(BAR + 61)
    [decision] = unheard.decisions()
    assert said(decision) == ("HOLD", "late_bar", "late_bar", None, False)
    unheard.close()


def test_a_bar_whose_last_minute_had_no_trade_is_decided_ten_seconds_after_its_end(tmp_path: Path) -> None:
    floor = Floor(tmp_path, Market(flat(OPENS, 900), BAR - 5))
    floor.configures()
    floor.market.loses(BAR - MINUTE, BAR)
    floor.looks(BAR + 9)
    assert floor.decisions() == []
    floor.looks(BAR + 10)
    assert said(floor.decisions()[0])[0] == "SELL"
    floor.close()
