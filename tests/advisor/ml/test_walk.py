"""Nothing is forecast from what was not over: sessions, purge, embargo, and the whole walk."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

from msgspec.structs import replace

from advisor.ml.atr import atr14
from advisor.ml.bars import Minute, Series, series_of_bars
from advisor.ml.bootstrap import skill
from advisor.ml.features import FeatureRows, Features
from advisor.ml.labels import BARRIER_HORIZON, Barrier, barriers, drawn_after
from advisor.ml.range_walk import Losses, RangeWalk
from advisor.ml.scores import brier
from advisor.ml.tp_walk import TpLosses, TpWalk
from advisor.ml.train import Trained, train
from advisor.ml.walk import Fold, NotEnough, Session, folds, sessions_of
from tests.advisor.ml.generated import after_a_rise, market
from tests.advisor.ml.story import NOW


def test_a_session_is_a_trade_date_with_three_hours_of_bars() -> None:
    three = market(1, 3, "15m")
    assert [each.ends - each.begins for each in sessions_of(three)] == [92, 92, 92]
    assert len(sessions_of(three.until(92 + 11))) == 1
    assert len(sessions_of(three.until(92 + 12))) == 2


def test_too_few_sessions_are_said_with_their_number() -> None:
    given = train(market(1, 3, "15m"), NOW)
    assert isinstance(given, NotEnough)
    assert given.sentence == "ES 15m: 3 of 10 sessions"
    assert isinstance(train(market(1, 9, "1h"), NOW), NotEnough)
    assert not isinstance(train(market(1, 10, "1h"), NOW), NotEnough)


def test_bars_that_never_follow_each_other_are_no_session() -> None:
    whole = market(1, 12, "1m")
    every_second = [
        Minute(t, opened, high, low, close, None, "ticks")
        for t, opened, high, low, close in zip(
            whole.starts[::2], whole.open[::2], whole.high[::2], whole.low[::2], whole.close[::2], strict=True
        )
    ]
    thin = series_of_bars("ES", "1m", every_second)
    assert thin.starts
    assert train(thin, NOW) == NotEnough("ES", "1m", 0)


def test_a_market_whose_bars_hardly_follow_each_other_has_no_card_of_a_target() -> None:
    whole = market(1, 12, "15m")
    gappy = series_of_bars(
        "ES",
        "15m",
        [
            Minute(t, whole.open[n], whole.high[n], whole.low[n], whole.close[n], None, "ticks")
            for n, t in enumerate(whole.starts)
            if n % 12  # never twelve in a row after another
        ],
    )
    given = train(gappy, NOW)
    assert isinstance(given, Trained)
    assert given.tp == {}


def test_a_market_that_stands_still_is_not_learned_from() -> None:
    whole = market(1, 12, "15m")
    still = replace(
        whole, open=[5.0] * len(whole), high=[5.0] * len(whole), low=[5.0] * len(whole), close=[5.0] * len(whole)
    )
    assert isinstance(train(still, NOW), NotEnough)


def test_purge_and_embargo_lie_between_what_is_learned_and_what_is_forecast() -> None:
    sessions = sessions_of(market(1, 7, "15m"))
    steps = folds(sessions, BARRIER_HORIZON)
    assert [step.number for step in steps] == [5, 6]
    for step in steps:
        last_learned = step.learned_until - 1
        assert last_learned + 2 * BARRIER_HORIZON < step.session.begins


def memory_skill(labels: list[Barrier | None], steps: list[Fold], known_until: Callable[[Fold], int]) -> float:
    """Return the skill of a forecast whose one feature is the newest label that was learned.

    Where that label overlaps the bar it is asked about, it knows a part of its outcome.
    """
    own, usual = [], []
    for step in steps:
        known = [label.won for label in labels[: known_until(step)] if label is not None]
        base = sum(known) / len(known)
        newest = base + 0.2 if known[-1] else base - 0.2
        asked = [label for label in labels[step.session.begins : step.session.begins + 1] if label is not None]
        own.append(sum(brier(newest, label.won) for label in asked))
        usual.append(sum(brier(base, label.won) for label in asked))
    return skill(own, usual).value


def test_an_overlapping_label_as_a_feature_does_not_raise_the_score() -> None:
    walked = market(5, 400, "1h", symbol="BTCUSD")  # never pauses: labels reach from one session into the next
    labels = barriers(walked, drawn_after(walked, atr14(walked)), "long", 1)
    steps = folds(sessions_of(walked), BARRIER_HORIZON)
    assert memory_skill(labels, steps, lambda step: step.session.begins) > 0.1  # without a purge it would
    assert memory_skill(labels, steps, lambda step: step.learned_until) < 0


@cache
def walked_market() -> Series:
    return market(3, 33, "1h", spread=after_a_rise)


def with_another_future(series: Series, since: int) -> Series:
    """Return the same bars with other prices from a place on."""
    return replace(
        series,
        open=[*series.open[:since], *(price * 1.1 for price in series.open[since:])],
        high=[*series.high[:since], *(price * 1.2 for price in series.high[since:])],
        low=[*series.low[:since], *(price * 0.9 for price in series.low[since:])],
        close=[*series.close[:since], *(price * 1.1 for price in series.close[since:])],
    )


def range_losses(series: Series) -> list[Losses]:
    return RangeWalk(series, sessions_of(series), with_model=True).losses


def tp_losses(series: Series) -> list[TpLosses]:
    atr = atr14(series)
    trades = drawn_after(series, atr)
    long, short = barriers(series, trades, "long", 2), barriers(series, trades, "short", 2)
    return TpWalk(long, short, sessions_of(series), FeatureRows(series)).losses


def test_no_loss_of_a_session_depends_on_what_came_after_it() -> None:
    true = walked_market()
    other = with_another_future(true, since=sessions_of(true)[32].begins)
    before, after = range_losses(true), range_losses(other)
    assert before[26].model is not None
    assert after[:27] == before[:27]
    assert after[27] != before[27]
    assert tp_losses(other)[:27] == tp_losses(true)[:27]


def test_the_base_rate_of_a_session_is_that_of_the_sessions_before() -> None:
    sessions = [Session(day, 40 * day, 40 * (day + 1)) for day in range(7)]
    lost, won = [Barrier(False, 1)] * 240, [Barrier(True, 1)] * 40
    losses = TpWalk([*lost, *won], [*lost, *won], sessions, None).losses
    assert [(each.n, each.base) for each in losses] == [(80, 0.0), (80, 80.0)]


def test_no_feature_and_no_atr_reads_a_later_bar() -> None:
    whole = walked_market()
    features, atr = Features(whole), atr14(whole)
    for index in (96, 97, 150, 151, 300, 700):
        past = whole.until(index + 1)
        assert Features(past).row(index) == features.row(index)
        assert features.row(index) is not None
        assert atr14(past) == atr[: index + 1]


def test_a_feature_needs_no_more_bars_than_a_forecast_reads() -> None:
    whole = walked_market()
    recent = whole.newest(111)
    assert Features(recent).row(110) == Features(whole).row(len(whole) - 1)
