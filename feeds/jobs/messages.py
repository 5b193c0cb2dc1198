"""What the child of a sync says on its standard output: one JSON object a line."""

from __future__ import annotations

import msgspec
from msgspec import Struct

MOST_PROBLEMS = 20
LONGEST_PROBLEM = 300
"""Characters of one problem: the longest line, each character escaped, then fits ``child.LONGEST_LINE``."""


class Progress(Struct, frozen=True, tag_field="says", tag="progress"):
    """So many minutes were added or changed since the job began, and they are stored."""

    rows: int


class Done(Struct, frozen=True, tag_field="says", tag="done"):
    """The job has ended by itself.

    ``newest`` is the newest minute of each provider that gave one (epoch seconds). ``problems`` are sentences, one for
    each provider that failed or left something out. ``failed``: every provider that has the symbol failed. Without
    ``has_provider`` none has it.
    """

    rows: int
    newest: dict[str, int]
    problems: tuple[str, ...]
    failed: bool
    has_provider: bool = True


Said = Progress | Done
read_line = msgspec.json.Decoder(Said).decode


def problem_of(sentence: str) -> str:
    """Return a sentence as a line can carry it: cut, and with ``?`` for what a file's name has that is no UTF-8."""
    written = sentence.encode("utf-8", "replace").decode("utf-8")
    return written if len(written) <= LONGEST_PROBLEM else f"{written[: LONGEST_PROBLEM - 1]}…"
