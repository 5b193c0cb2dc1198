"""Messages to `POST /tv` as people send them (tests/data/tv_payloads), each with the right answer beside it."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest
from msgspec import Struct

from wire.bar_message import BarRefusal, read_bar_message

GALLERY = Path(__file__).resolve().parents[1] / "data" / "tv_payloads"
ANSWER = ".answer.json"
PAYLOADS = sorted(path for path in GALLERY.iterdir() if not path.name.endswith(ANSWER))


class Answer(Struct, frozen=True, forbid_unknown_fields=True):
    """What a message says (a brick is its size, number and colour), or what is wrong with it and where."""

    note: str
    symbol: str | None = None
    close: float | None = None
    bricks: list[tuple[float, int, str]] = []
    last: list[str] = []
    fault: str | None = None
    field: str | None = None


def test_there_are_payloads_and_each_has_its_answer() -> None:
    assert len(PAYLOADS) >= 25
    assert {path.name for path in GALLERY.glob(f"*{ANSWER}")} == {f"{path.name}{ANSWER}" for path in PAYLOADS}


@pytest.mark.parametrize("path", PAYLOADS, ids=lambda path: path.name)
def test_a_payload_is_read_as_it_was_meant_or_refused_at_its_place(path: Path) -> None:
    answer = msgspec.json.decode(path.with_name(path.name + ANSWER).read_bytes(), type=Answer)
    read = read_bar_message(path.read_bytes())
    if isinstance(read, BarRefusal):
        assert (read.fault, read.field) == (answer.fault, answer.field), read.reason
        return
    assert answer.fault is None
    bricks = [(float(brick.size), brick.k, brick.color) for brick in read.bricks]
    assert (read.symbol, float(read.ohlc[3]), bricks) == (answer.symbol, answer.close, answer.bricks)
    assert sorted(read.last) == answer.last
