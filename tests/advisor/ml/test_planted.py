"""A market with planted edges: the models that earn their place, their files, and the signal that becomes active."""

from __future__ import annotations

import hashlib
import subprocess
import sys
from decimal import Decimal
from functools import cache

import msgspec
import pytest
from msgspec.structs import replace

from advisor.ml.bars import Series
from advisor.ml.cards import Made
from advisor.ml.forecast import ModelUnreadable, RangeModel
from advisor.ml.signals import TpModel, TpTable, signal_of, why_silent
from advisor.ml.table import RangeTable
from tests.advisor.ml.generated import Past, after_a_rise, market
from tests.advisor.ml.story import Cards, trained
from tests.support.paths import REPOSITORY
from wire.ml_engine import ModelCard, SignalDirection


def strong_morning(past: Past) -> float:
    """Return a drift that no model should miss: up until noon, down from then on."""
    return 0.8 if past.hour < 12 else -0.8


@cache
def planted() -> Series:
    return market(1, 61, "1h", spread=after_a_rise, drift=strong_morning)


@cache
def given() -> Cards:
    return trained(planted())


def range_model() -> RangeModel:
    return RangeModel.from_files(given().range.card, given().range.files)


def at_hour(hour: int) -> Series:
    """Return the market until the last bar before an hour of the day."""
    series = planted()
    last = max(index for index, each in enumerate(series.next_hour) if each == hour)
    return series.until(last + 1)


def test_both_planted_edges_earn_a_model() -> None:
    assert {card.verdict for card in given().cards} == {"model"}
    assert {skill.against for skill in given().range.card.skills} == {"flat", "hour"}
    assert given().range.card.losses["model"] < given().range.card.losses["hour_beside_model"]
    assert set(given().range.card.libraries) == {"lightgbm", "numpy"}


def test_cards_recomputed_by_another_process_from_their_bars_are_equal() -> None:
    program = (
        "import sys, msgspec; from tests.advisor.ml.test_planted import given; "
        "sys.stdout.buffer.write(msgspec.json.encode(given().cards))"
    )
    again = subprocess.run([sys.executable, "-c", program], cwd=REPOSITORY, check=True, stdout=subprocess.PIPE).stdout
    assert again == msgspec.json.encode(given().cards)


def test_a_model_answers_with_its_name_and_gives_what_its_card_says() -> None:
    model = range_model()
    assert model.probe()
    assert model.bands(planted()).method == "model"
    assert model.predict(planted()).model == given().range.card.id


def test_the_model_knows_what_hours_cannot_know() -> None:
    series = planted()
    rises = [index for index in range(1_000, 1_200) if series.close[index] > series.open[index]]
    falls = [index for index in range(1_000, 1_200) if series.close[index] < series.open[index]]
    model = range_model()

    def mean_move(bars: list[int]) -> float:
        outlooks = [model.outlook(series.until(index + 1)) for index in bars[:20]]
        return sum(outlook.high[1] / outlook.atr for outlook in outlooks) / 20

    assert mean_move(rises) > 1.3 * mean_move(falls)


@pytest.mark.parametrize(("hour", "direction"), [(3, "long"), (19, "short")])
def test_a_proven_edge_makes_a_signal_active(hour: int, direction: SignalDirection) -> None:
    made = given().tp["rr_2_1"]
    target = TpModel.from_files(made.card, made.files)
    assert target.probe()
    assert target.is_proven
    series = at_hour(hour)
    signal = signal_of(series, target, range_model().predict(series), "unknown")
    assert signal.actionable
    assert why_silent(signal) is None
    assert (signal.direction, signal.prob_source) == (direction, "model")
    assert signal.prob_tp_first > signal.base_rate
    assert signal.confidence_score > Decimal(1) / 3
    assert signal == signal_of(series, target, range_model().predict(series), "unknown")


def test_without_the_bars_that_a_model_reads_the_table_answers() -> None:
    short = planted().newest(60)
    assert range_model().bands(short).method == "hour"
    made = given().tp["rr_2_1"]
    signal = signal_of(short, TpModel.from_files(made.card, made.files), None, "unknown")
    assert (signal.prob_source, signal.actionable) == ("base_rate", False)


def test_a_model_of_volumes_is_not_asked_without_them_and_says_so() -> None:
    silent = replace(planted(), volume=[None] * len(planted()))
    assert range_model().bands(silent).method == "hour"
    made = given().tp["rr_2_1"]
    target = TpModel.from_files(made.card, made.files)
    problem = why_silent(signal_of(silent, target, None, "unknown"), target.is_proven)
    assert problem is not None
    assert "volumes, are unknown" in problem.detail


def without_volume(series: Series, place: int) -> Series:
    """Return the series with one bar whose volume nobody knows."""
    volume = list(series.volume)
    volume[place] = None
    return replace(series, volume=volume)


def test_an_unknown_volume_silences_a_model_only_while_it_reads_it() -> None:
    long_ago = without_volume(planted(), len(planted()) - 97)
    assert range_model().bands(long_ago).method == "model"
    assert range_model().bands(without_volume(planted(), len(planted()) - 96)).method == "hour"


def test_a_model_that_learned_without_volumes_answers_where_they_are_known() -> None:
    """One bar of a year without a volume: the model learns from two features fewer, and is given as many."""
    learned = trained(without_volume(planted(), 500))
    model = RangeModel.from_files(learned.range.card, learned.range.files)
    assert model.bands(planted()).method == "model"
    made = learned.tp["rr_2_1"]
    signal = signal_of(at_hour(3), TpModel.from_files(made.card, made.files), None, "unknown")
    assert (signal.prob_source, signal.actionable) == ("model", True)


def reason_of(card: ModelCard, files: dict[str, bytes]) -> str:
    with pytest.raises(ModelUnreadable) as refused:
        (RangeModel if card.target == "range" else TpModel).from_files(card, files)
    return refused.value.reason


@pytest.mark.parametrize("target", ["range", "tp_first"])
def test_files_that_are_not_those_of_the_card_are_refused_with_a_code(target: str) -> None:
    made = given().range if target == "range" else given().tp["rr_1_1"]
    card, files = made.card, made.files
    table = files["table.json"]
    assert reason_of(card, {**files, "table.json": table[:-1]}) == "hash_differs"
    assert reason_of(card, {}) == "missing"
    assert reason_of(replace(card, files={}), files) == "missing"
    assert reason_of(replace(card, features="range-0"), files) == "features_differ"
    assert reason_of(replace(card, verdict="not_trained"), files) == "unreadable"
    broken = b'{"flat":'
    assert lied(made, broken) == "unreadable"


def lied(made: Made, table: bytes) -> str:
    """Return why a table is refused of which the card tells the true hash."""
    card = replace(made.card, files={**made.card.files, "table.json": hashlib.sha256(table).hexdigest()})
    return reason_of(card, {**made.files, "table.json": table})


def test_a_table_of_moves_or_shares_that_cannot_be_is_refused_also_with_its_hash() -> None:
    table = msgspec.json.decode(given().range.files["table.json"], type=RangeTable)
    below = replace(table, flat=(-0.5, *table.flat[1:]))
    assert lied(given().range, msgspec.json.encode(below)) == "unreadable"
    assert lied(given().range, msgspec.json.encode(replace(table, hours=table.hours[:23]))) == "unreadable"
    assert lied(given().range, msgspec.json.encode(replace(table, flat=(1e9, *table.flat[1:])))) == "unreadable"
    shares = msgspec.json.decode(given().tp["rr_1_1"].files["table.json"], type=TpTable)
    assert lied(given().tp["rr_1_1"], msgspec.json.encode(replace(shares, base_rates=(1.5, 0.5)))) == "unreadable"


def test_a_card_of_another_target_is_refused() -> None:
    assert reason_of(replace(given().range.card, target="tp_first"), given().range.files) == "unreadable"


def test_a_probe_that_does_not_come_out_says_so() -> None:
    card = given().range.card
    wrong = replace(card, probe=tuple((*row[:-1], row[-1] + 1) for row in card.probe))
    assert not RangeModel.from_files(wrong, given().range.files).probe()
    assert not RangeModel.from_files(replace(card, probe=()), given().range.files).probe()
