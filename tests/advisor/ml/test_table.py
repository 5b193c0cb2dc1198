"""The table of ranges: quantiles of all hours and of each hour."""

from __future__ import annotations

import msgspec
import pytest

from advisor.ml.table import RangeTable, SortedMoves, distances, quantile


def moves(*rows: tuple[int, float, float]) -> RangeTable:
    kept = SortedMoves()
    kept.add(rows)
    table = kept.table()
    assert table is not None
    return table


def test_a_quantile_is_what_so_many_did_not_exceed() -> None:
    ordered = [1.0, 2.0, 3.0, 4.0, 5.0]
    assert (quantile(ordered, 0.5), quantile(ordered, 0.8), quantile([7.0], 0.8)) == (3.0, 4.0, 7.0)


def test_up_and_down_are_read_apart() -> None:
    table = moves(*[(9, float(number), 10.0 * number) for number in range(1, 11)])
    assert table.flat == (5.0, 8.0, 50.0, 80.0)


def test_an_hour_with_few_rows_is_drawn_to_all_hours() -> None:
    rows = [(3, 1.0, 1.0)] * 300 + [(9, 3.0, 3.0)] * 30
    table = moves(*rows)
    assert table.flat[0] == 1.0
    assert table.moves(9)[0] == 2.0  # 30 rows weigh as much as all hours
    assert table.moves(12) == table.flat
    assert table.rows[9] == 30


def test_rows_in_parts_make_the_same_table() -> None:
    rows = [(number % 24, (number * 37) % 101 / 10, (number * 53) % 97 / 10) for number in range(500)]
    parts = SortedMoves()
    for begin in range(0, 500, 77):
        parts.add(rows[begin : begin + 77])
        parts.table()
    assert parts.table() == moves(*rows)


def test_a_distance_is_the_nearest_whole_number_of_ticks() -> None:
    assert distances((0.4, 1.1, 0.1, 0.6), 1.0, 0.25) == (0.5, 1.0, 0.0, 0.5)
    assert distances((1.0, 0.9, 0.0, 0.0), 0.0003, 0.0001)[1] == pytest.approx(0.0003)  # four fifths cover the half


def test_nothing_makes_no_table() -> None:
    assert SortedMoves().table() is None


def test_a_table_is_some_two_kilobytes_of_json_and_comes_back_equal() -> None:
    rows = [(number % 24, (number * 37) % 101 / 7, (number * 53) % 97 / 7) for number in range(5_000)]
    table = moves(*rows)
    stored = msgspec.json.encode(table)
    assert len(stored) < 3_000
    assert msgspec.json.decode(stored, type=RangeTable) == table


def test_a_table_with_unknown_fields_is_refused() -> None:
    with pytest.raises(msgspec.ValidationError):
        msgspec.json.decode(b'{"features":"range-1","flat":[1,1,1,1],"hours":[],"rows":[],"x":1}', type=RangeTable)
