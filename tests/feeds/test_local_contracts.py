"""The pages of the local feeds and of the engine signals name exactly what the programs send."""

from __future__ import annotations

import re
from pathlib import Path

import msgspec
import pytest

from feeds.signal_store import TOO_OLD, WAITS
from feeds.signals import LONGEST_WAIT
from sidecar.local_sockets import MOST_CLIENTS
from sidecar.mailbox import ROOM
from tests.support.contract_page import CONTRACTS, quoted, table
from wire.local_feeds import (
    BrickMessage,
    BrickSeries,
    ConsensusComponent,
    ConsensusMessage,
    MarkerMessage,
    TelemetryBrick,
    TelemetryLevels,
    TelemetryOrder,
    TelemetrySnapshot,
    TickMessage,
    TradeSetup,
)
from wire.signals import StrategySignal

FEEDS = CONTRACTS / "local-feeds.md"
SIGNALS = CONTRACTS / "engine-signals.md"
MESSAGES: tuple[type[msgspec.Struct], ...] = (TelemetrySnapshot, TickMessage, BrickMessage, MarkerMessage)


def names_of(struct: type[msgspec.Struct]) -> list[str]:
    """Return the fields as they are on the wire, the tag first."""
    tag = struct.__struct_config__.tag_field
    return [*([tag] if tag else []), *struct.__struct_encode_fields__]


@pytest.mark.parametrize(
    ("page", "heading", "struct"),
    [
        (FEEDS, "`WS /ws/consensus`", ConsensusMessage),
        (FEEDS, "`GET /api/journal`", TradeSetup),
        (SIGNALS, None, StrategySignal),
    ],
    ids=["consensus", "journal", "signals"],
)
def test_the_page_has_every_field_and_says_which_may_be_null(
    page: Path, heading: str | None, struct: type[msgspec.Struct]
) -> None:
    rows = table(page, "field", heading)
    told = {quoted(row["field"])[0]: "null" in row["type"] for row in rows}
    fields = {field.encode_name: field for field in msgspec.structs.fields(struct)}
    may_be_null = {name: type(None) in getattr(_plain(field.type), "__args__", ()) for name, field in fields.items()}
    tag = struct.__struct_config__.tag_field
    assert told == ({tag: False} if tag else {}) | may_be_null


def _plain(annotation: object) -> object:
    """Return an annotated type without its annotation."""
    return getattr(annotation, "__origin__", annotation) if hasattr(annotation, "__metadata__") else annotation


def test_the_messages_of_telemetry_are_those_of_the_page() -> None:
    rows = {quoted(row["`type`"])[0]: quoted(row["has"]) for row in table(FEEDS, "`type`")}
    assert {str(one.__struct_config__.tag): one.__struct_encode_fields__ for one in MESSAGES} == rows
    parts = {quoted(row["of a snapshot"])[0]: set(quoted(row["values"])) for row in table(FEEDS, "of a snapshot")}
    assert parts["series"] == {*names_of(BrickSeries), *names_of(TelemetryBrick)}
    assert parts["orders"] == set(names_of(TelemetryOrder))
    assert parts["levels"] == set(names_of(TelemetryLevels))
    components = next(row for row in table(FEEDS, "field") if row["field"] == "`components`")
    assert set(quoted(components["values"])) == set(names_of(ConsensusComponent))


def test_the_pages_say_the_numbers_of_the_program() -> None:
    feeds, signals = FEEDS.read_text("utf-8"), SIGNALS.read_text("utf-8")
    assert f"fewer than {MOST_CLIENTS} programs" in feeds
    assert f"does not read {ROOM} signals" in signals
    assert f"waits {WAITS.seconds} s for the first listener" in signals
    assert f"older than {TOO_OLD.seconds // 60} minutes" in signals
    assert re.search(rf"hangs for {LONGEST_WAIT.seconds} s", signals)
