"""The shadow book on a market with a planted edge: its trades open and end, and a second reckoning finds the same."""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterator
from decimal import Decimal
from fractions import Fraction
from functools import cache
from pathlib import Path

import pytest

from advisor.auto.results import mean_of
from advisor.ml.bars import Minute, Series, series_of
from advisor.ml.signals import TpModel, signal_of
from tests.advisor.auto.floor import QUARTER, Floor, Json, Market, PlantedRule
from tests.advisor.auto.second_book import coin, mean_again, second, shadow_again, told, trade_again
from tests.advisor.ml.generated import Past, market
from tests.advisor.ml.story import trained
from wire.ml_engine import RrConfig, SignalResponse

SESSIONS = 4
BEGINS_AFTER = 20 * QUARTER
"""So much of the first session is history."""


def rises_before_noon(past: Past) -> float:
    """Return the planted drift of a minute."""
    return 0.06 if past.hour < 12 else -0.06


@cache
def planted() -> tuple[Minute, ...]:
    """Return the minutes of whole sessions of ES."""
    bars = market(11, SESSIONS, "1m", drift=rises_before_noon)
    columns = zip(bars.starts, bars.open, bars.high, bars.low, bars.close, bars.volume, strict=True)
    return tuple(Minute(t, o, h, low, c, v, "ticks") for t, o, h, low, c, v in columns)


def around(trade: Json) -> list[Minute]:
    """Return the minutes of the day of a trade: a second reckoning reads all that it is given."""
    begins = second(trade["shadow"]["entry_from"])
    place = bisect_left(planted(), begins, key=lambda minute: minute.t)
    return list(planted()[max(0, place - 300) : place + 600])


@pytest.fixture(scope="module")
def floor(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Floor]:
    """Auto-trade switched on over the whole market, and once restarted in its middle."""
    minutes = planted()
    floor = Floor(tmp_path_factory.mktemp("book"), Market(minutes, minutes[0].t + BEGINS_AFTER))
    floor.configures()
    floor.runs(minutes[len(minutes) // 2].t)
    floor.restarts()
    floor.runs(minutes[-1].t + 2 * QUARTER)
    yield floor
    floor.close()


@pytest.fixture(scope="module")
def trades(floor: Floor) -> list[Json]:
    return [decision for decision in floor.decisions() if decision["executed"]]


def test_more_than_twenty_trades_open_and_end_in_every_way(trades: list[Json]) -> None:
    ended = Counter(trade["result"] for trade in trades)
    assert len(trades) > 40
    assert ended["tp"] >= 15
    assert ended["sl"] >= 15
    assert set(ended) == {"tp", "sl", "timeout"}


def test_a_second_reckoning_from_the_reference_finds_the_same(trades: list[Json]) -> None:
    assert trades
    for trade in trades:
        assert told(trade) == shadow_again(trade, around(trade)), trade["id"]


def test_the_results_are_those_of_the_second_reckoning(floor: Floor, trades: list[Json]) -> None:
    again = [shadow_again(trade, around(trade)) for trade in trades]
    own = [one["r"] for one in again]
    differences = [one["r"] - one["coin_r"] for one in again]
    results = floor.status()["results"]
    assert (results["n"], results["open"], results["not_counted"]) == (len(trades), 0, 0)
    ended = Counter(one["result"] for one in again)
    assert (results["won"], results["lost"], results["timed_out"]) == (ended["tp"], ended["sl"], ended["timeout"])
    assert results["r"] == pytest.approx(mean_again(own), abs=2e-3)
    assert results["always_flat"] == {"mean": 0, "better_by": results["r"]}
    assert results["coin_flip"]["mean"] == pytest.approx(sum(one["coin_r"] for one in again) / len(again), abs=2e-3)
    assert results["coin_flip"]["better_by"] == pytest.approx(mean_again(differences), abs=2e-3)
    assert results["r"]["low"] < results["r"]["mean"] < results["r"]["high"]


def test_the_planted_edge_shows_against_both_baselines(floor: Floor) -> None:
    results = floor.status()["results"]
    assert results["r"]["low"] > 0
    assert results["coin_flip"]["better_by"]["low"] > 0


def test_every_bar_has_one_decision(floor: Floor) -> None:
    decisions = floor.decisions()
    bars = [decision["bar_start"] for decision in decisions]
    assert len(bars) == len(set(bars))
    first = planted()[0].t + BEGINS_AFTER
    known = {minute.t // QUARTER * QUARTER for minute in planted() if minute.t // QUARTER * QUARTER + QUARTER > first}
    assert {second(bar) for bar in bars} == known
    assert len({decision["id"] for decision in decisions}) == len(decisions)


def test_one_trade_of_a_symbol_is_open_at_a_time_and_what_it_keeps_out_is_recorded(floor: Floor) -> None:
    """Reckoned from the other side: a bar is kept out exactly while the trade before it was known to be open."""
    free_from = 0
    for decision in floor.decisions():
        bar_end = second(decision["bar_start"]) + QUARTER
        if decision["blocked_by"] in ("session_ends", "daily_trades"):
            continue
        assert (decision["blocked_by"] == "position_open") == (bar_end < free_from), decision["id"]
        assert (decision["result"] == "blocked") == (bar_end < free_from)
        if decision["executed"]:
            ended = second(decision["shadow"]["exit_at"])
            seen = -(-ended // QUARTER) * QUARTER  # its last bar must be over, and a minute more
            free_from = seen + 1


def test_nothing_is_opened_that_the_close_would_cut_off(floor: Floor, trades: list[Json]) -> None:
    """A session of ES ends at 17:00 in New York; a trade lasts three hours at most."""
    known = {minute.t for minute in planted()}
    for trade in trades:
        begins, until = second(trade["shadow"]["entry_from"]), second(trade["shadow"]["until"])
        assert until - begins == 12 * QUARTER - 60  # the first minute is over when it is decided
        assert known.issuperset(range(begins, until, 60))
    cut = [decision for decision in floor.decisions() if decision["blocked_by"] == "session_ends"]
    assert cut
    for one in cut:
        begins = second(one["bar_start"]) + QUARTER
        assert not known.issuperset(range(begins, begins + 12 * QUARTER, 60))


def test_the_days_trades_are_counted_by_trade_date(tmp_path: Path) -> None:
    minutes = planted()[:2_760]
    floor = Floor(tmp_path, Market(minutes, minutes[0].t + BEGINS_AFTER))
    floor.configures(max_daily_trades=3)
    floor.runs(minutes[-1].t)
    per_day: Counter[int] = Counter()
    for decision in floor.decisions():
        session = sum(second(decision["bar_start"]) + QUARTER >= opens for opens in (minutes[0].t, minutes[1_380].t))
        if decision["blocked_by"] == "daily_trades":
            assert per_day[session] == 3
        per_day[session] += decision["executed"]
    assert per_day == {1: 3, 2: 3}
    floor.close()


# -- by hand ---------------------------------------------------------------------------------------------------------


def flat(begins: int, count: int, price: float = 5_000.0) -> list[Minute]:
    return [Minute(begins + 60 * n, price, price + 1, price - 1, price, 1.0, "ticks") for n in range(count)]


OPENS = 1_795_446_000  # 2026-11-23 10:00 in New York, a Monday: the market of ES is open


class Story(Floor):
    """A long trade whose stop is 2 points away: entered at 5,000, stop 4,998, target 5,004.

    It is decided some seconds after ``begins``, the start of its first bar, and entered at the minute after that.
    """

    def __init__(self, folder: Path, *, entered_at: int = OPENS + 16 * QUARTER) -> None:
        self.begins = entered_at
        super().__init__(folder, Market(flat(OPENS, 15 * 60), entered_at - 5))
        self.rule.side = lambda series: "long"
        self.configures(max_daily_trades=1)

    def trade(self) -> Json:
        """Return the trade: the next trade date may have another one."""
        return next(one for one in self.decisions() if one["executed"])

    def ends(self) -> Json:
        """Let the whole trade pass, and return its decision."""
        self.runs(self.begins + 14 * QUARTER)
        trade = self.trade()
        assert second(trade["shadow"]["entry_from"]) == self.begins + 60
        assert told(trade) == shadow_again(trade, self.market.minutes)
        return trade


@pytest.fixture
def story(tmp_path: Path) -> Iterator[Story]:
    story = Story(tmp_path)
    yield story
    story.close()


def test_a_quiet_market_is_closed_after_twelve_bars_at_the_last_price(story: Story) -> None:
    story.market.changes(story.begins + 12 * QUARTER - 60, c=5_000.75)
    trade = story.ends()
    assert (trade["result"], trade["shadow"]["exit"], trade["shadow"]["r"]) == ("timeout", 5_000.75, 0.375)
    assert trade["shadow"]["counted"]


def test_stop_and_target_within_one_minute_is_a_loss(story: Story) -> None:
    story.market.changes(story.begins + 600, h=5_010.0, l=4_990.0)
    trade = story.ends()
    assert (trade["result"], trade["shadow"]["exit"], trade["shadow"]["r"]) == ("sl", 4_998, -1)
    assert trade["shadow"]["coin_r"] == -1  # whichever side it took


def test_a_target_that_is_just_touched_is_won_and_never_filled_better(story: Story) -> None:
    story.market.changes(story.begins + 600, h=5_003.75)
    story.market.changes(story.begins + 660, o=5_006.0, h=5_006.0, l=5_005.0, c=5_005.0)
    trade = story.ends()
    assert (trade["result"], trade["shadow"]["exit"], trade["shadow"]["r"]) == ("tp", 5_004, 2)
    assert second(trade["shadow"]["exit_at"]) == story.begins + 720


def test_a_stop_that_the_market_jumps_over_costs_what_it_costs(story: Story) -> None:
    story.market.changes(story.begins + 900, o=4_990.0, h=4_991.0, l=4_989.0, c=4_990.0)
    trade = story.ends()
    assert (trade["result"], trade["shadow"]["exit"], trade["shadow"]["r"]) == ("sl", 4_990, -5)


def test_the_minute_of_the_entry_may_end_the_trade(story: Story) -> None:
    story.market.changes(story.begins + 60, l=4_997.0)
    assert story.ends()["result"] == "sl"


def test_a_trade_is_entered_at_no_open_that_was_past_when_it_was_decided(story: Story) -> None:
    """The bar was seen 59 seconds after its end: its first open was 10 points better, and nobody could have had it."""
    story.market.changes(story.begins, o=4_990.0, l=4_990.0)
    story.looks(story.begins + 59)
    trade = story.ends()
    assert (trade["shadow"]["entry"], trade["result"]) == (5_000, "timeout")


def test_a_bar_that_never_came_leaves_the_result_unknown_and_out_of_the_figures(story: Story) -> None:
    story.market.loses(story.begins + 2 * QUARTER, story.begins + 3 * QUARTER)
    story.market.changes(story.begins + 4 * QUARTER, l=4_990.0)  # nobody knows what came before it
    story.runs(story.begins + 12 * QUARTER)
    trade = story.trade()
    assert (trade["result"], trade["shadow"]["counted"]) == ("pending", None)  # it may still come
    story.runs(story.begins + 17 * QUARTER)
    trade = story.trade()
    assert told(trade) == shadow_again(trade, story.market.minutes)
    assert (trade["result"], trade["shadow"]["r"], trade["shadow"]["counted"]) == ("unknown", None, False)
    assert story.status()["results"]["not_counted"] == 1


def test_a_loss_that_was_known_before_a_gap_does_not_count_either(story: Story) -> None:
    """Counted, it would be there more often than the win that needs longer."""
    story.market.changes(story.begins + 60, l=4_990.0)
    story.market.loses(story.begins + 5 * QUARTER, story.begins + 6 * QUARTER)
    story.runs(story.begins + 17 * QUARTER)
    trade = story.trade()
    assert told(trade) == shadow_again(trade, story.market.minutes)
    assert (trade["result"], trade["shadow"]["r"], trade["shadow"]["counted"]) == ("sl", -1, False)
    assert (story.status()["results"]["n"], story.status()["results"]["not_counted"]) == (0, 1)


def test_simulated_minutes_end_no_trade(story: Story) -> None:
    for minute in range(QUARTER, 2 * QUARTER, 60):
        story.market.changes(story.begins + minute, l=4_000.0, source="simulated")
    story.runs(story.begins + 17 * QUARTER)
    trade = story.trade()
    assert trade["result"] == "unknown"


def test_what_was_found_stays_when_its_minute_is_corrected(story: Story) -> None:
    story.market.changes(story.begins + 60, l=4_990.0)
    story.runs(story.begins + 2 * QUARTER)
    story.market.changes(story.begins + 60, o=5_001.0, h=5_002.0, l=4_999.0)
    story.runs(story.begins + 13 * QUARTER)
    trade = story.trade()
    assert (trade["result"], trade["shadow"]["entry"], trade["shadow"]["r"]) == ("sl", 5_000, -1)


def test_below_twenty_trades_no_mean_is_told(story: Story) -> None:
    story.ends()
    nothing = {"mean": None, "low": None, "high": None}
    results = story.status()["results"]
    assert (results["n"], results["r"], results["coin_flip"]) == (1, nothing, {"mean": None, "better_by": nothing})


@pytest.mark.parametrize(("count", "told_of"), [(19, False), (20, True)])
def test_a_mean_needs_twenty_trades(count: int, told_of: bool) -> None:
    found = mean_of([Decimal(2), Decimal(-1)] * 9 + [Decimal(1)] * (count - 18))
    assert (found.mean is not None, found.low is not None, found.high is not None) == (told_of,) * 3


def test_the_coin_is_thrown_by_the_id_and_is_fair() -> None:
    heads = sum(coin(f"dec-{number:016x}") == "BUY" for number in range(4_000))
    assert 1_900 < heads < 2_100


def test_the_second_reckoning_can_tell_two_trades_apart() -> None:
    """It would be no proof if it answered the same of everything."""
    minutes = flat(OPENS, 15 * 60)
    quiet = trade_again("BUY", Fraction(2), OPENS, minutes)
    minutes[70] = Minute(minutes[70].t, 5_000.0, 5_004.0, 5_000.0, 5_000.0, 1.0, "ticks")
    won, lost = (trade_again(side, Fraction(2), OPENS, minutes) for side in ("BUY", "SELL"))
    assert (quiet["result"], won["result"], lost["result"]) == ("timeout", "tp", "sl")


# -- with a trained model --------------------------------------------------------------------------------------------


class TrainedModel(PlantedRule):
    """The signal of a model that was trained on the sessions before, as the ML engine makes it."""

    def __init__(self, model: TpModel) -> None:
        super().__init__()
        self.model = model

    def signal_after(self, series: Series, rr: RrConfig) -> SignalResponse:
        """Return the signal of the newest bar."""
        return signal_of(series, self.model, None, "unknown")


@pytest.mark.soak
@pytest.mark.timeout(1800)
def test_a_model_that_found_the_edge_itself_trades_it(tmp_path: Path) -> None:
    """Trained on 61 sessions by the program's own training, it decides upon the six that follow."""
    bars = market(11, 67, "1m", drift=lambda past: 0.12 if past.hour < 12 else -0.12)
    columns = zip(bars.starts, bars.open, bars.high, bars.low, bars.close, bars.volume, strict=True)
    minutes = [Minute(t, o, h, low, c, v, "ticks") for t, o, h, low, c, v in columns]
    later = bars.session.index(sorted(set(bars.session))[61])
    made = trained(series_of("ES", "15m", minutes[:later])).tp["rr_2_1"]
    assert made.card.verdict == "model"
    known = Market(minutes[later - 9_000 :], minutes[later].t, held=9_000)
    floor = Floor(tmp_path, known, rule=TrainedModel(TpModel.from_files(made.card, made.files)))
    floor.configures()
    floor.runs(minutes[-1].t + 2 * QUARTER)
    trades = [one for one in floor.decisions() if one["executed"]]
    assert len(trades) >= 20
    for trade in trades:
        assert told(trade) == shadow_again(trade, minutes[later:])
    assert {one["reason"] for one in floor.decisions()} >= {"signal", "no_skill"}
    assert floor.status()["results"]["coin_flip"]["better_by"]["low"] > 0
    floor.close()
