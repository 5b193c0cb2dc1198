"""The table of streams is the only list of them: everybody else reads it (SPEC 3)."""

from __future__ import annotations

import re
from typing import get_args, get_type_hints

from routes.readers.bricks import BricksQuery
from routes.readers.journal_bricks import SizeAsked
from tests.support.paths import REPOSITORY
from wire.tradingview import JOURNALED, STREAM_OF_PATH, STREAM_POINTS, STREAMS
from wire.types import Stream

PROGRAMS = ("wire", "services", "routes", "bridge", "tape", "templates", "static/js")
A_WEBHOOK_OF_BRICKS = re.compile(r"tv_renko")


def test_every_stream_has_one_row_from_the_smallest_to_the_largest() -> None:
    assert [row.stream for row in STREAMS] == list(Stream)
    assert list(STREAM_POINTS.values()) == sorted(STREAM_POINTS.values())
    assert sorted(row.set_up_place for row in STREAMS) == [1, 2, 3, 4, 5, 6]


def test_the_webhooks_are_those_of_the_contract() -> None:
    assert {path: f"{STREAM_POINTS[stream]:f}" for path, stream in STREAM_OF_PATH.items()} == {
        "/tv_renko_small": "1",
        "/tv_renko_one": "1",
        "/tv_renko_two_half": "2.5",
        "/tv_renko": "4",
        "/tv_renko_main": "6",
        "/tv_renko_high": "8",
        "/tv_renko_macro": "12",
    }


def test_no_other_file_of_the_programs_names_a_webhook_of_bricks() -> None:
    files = [path for folder in PROGRAMS for path in (REPOSITORY / folder).rglob("*.*")]
    texts = [path for path in files if path.suffix in (".py", ".js", ".html") and "vendor" not in path.parts]
    naming = [path.name for path in texts if A_WEBHOOK_OF_BRICKS.search(path.read_text("utf-8"))]
    assert naming == ["tradingview.py"]


def test_bricks_are_asked_for_by_the_sizes_of_the_table() -> None:
    assert get_args(get_type_hints(BricksQuery)["size"]) == tuple(row.size for row in STREAMS)
    assert get_args(get_type_hints(SizeAsked)["size"]) == tuple(row.size for row in JOURNALED)
