"""What is stored names its kind by an explicit tag: a class may be renamed, a stored journal stays readable (SPEC 9).

``fixtures/stored_kinds.json`` holds one command and one event of every kind, as the program wrote them when its tags
were still its class names. ``fixtures/sqlite_schema_<n>.sql`` hold whole journals of every earlier file schema.
"""

from __future__ import annotations

import sqlite3
from pathlib import Path
from types import UnionType
from typing import Any, get_args

import msgspec
import pytest

from services.engine.model.commands import AnyCommand
from services.engine.model.events import AnyEvent
from services.stores.codec import documents
from tests.support.paths import FIXTURES

KINDS: dict[str, list[Any]] = msgspec.json.decode((FIXTURES / "stored_kinds.json").read_bytes())
JOURNALS = sorted(FIXTURES.glob("sqlite_schema_*.sql"))
encode, decode = msgspec.json.encode, msgspec.json.decode


def is_within(stored: Any, written: Any) -> bool:
    """Tell whether all that was stored is written again; fields that are new since may stand beside it."""
    if isinstance(stored, dict):
        return isinstance(written, dict) and all(is_within(value, written.get(name)) for name, value in stored.items())
    return bool(stored == written)


@pytest.mark.parametrize("stored", KINDS["commands"], ids=lambda stored: stored["type"])
def test_a_command_of_every_kind_is_read_and_written_as_it_was(stored: dict[str, Any]) -> None:
    assert is_within(stored, decode(documents.write_command(documents.read_command(encode(stored)))))


@pytest.mark.parametrize("stored", KINDS["events"], ids=lambda stored: stored["type"])
def test_an_event_of_every_kind_is_read_and_written_as_it_was(stored: dict[str, Any]) -> None:
    assert is_within(stored, decode(documents.write_event(documents.read_event(encode(stored)))))


@pytest.mark.parametrize(("group", "union"), [("commands", AnyCommand), ("events", AnyEvent)])
def test_no_kind_is_missing_from_the_fixture(group: str, union: UnionType) -> None:
    assert {stored["type"] for stored in KINDS[group]} == {kind.kind_name() for kind in get_args(union)}


@pytest.mark.parametrize("path", JOURNALS, ids=lambda path: path.stem)
def test_every_row_of_an_old_journal_is_read_and_written_as_it_was(path: Path) -> None:
    connection = sqlite3.connect(":memory:")
    connection.executescript(path.read_text("utf-8"))
    rows = connection.execute("SELECT kind, command, events FROM journal").fetchall()
    connection.close()
    assert len(rows) > 20
    for kind, command, events in rows:
        assert documents.read_command(command).kind_name() == kind
        assert is_within(decode(command), decode(documents.write_command(documents.read_command(command))))
        written = decode(documents.write_events(documents.read_events(events)))
        assert all(is_within(one, again) for one, again in zip(decode(events), written, strict=True))
