"""What a `.env` says of its secrets but does not mean: values that the file's own syntax cuts or changes.

Sentences name the setting and never quote its value.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from pathlib import Path

from dotenv.parser import Binding, parse_stream

NAME = re.compile(r"\s*(?:export\s+)?['\"]?(?P<name>\w+)['\"]?\s*=")
QUOTES = ("'", '"')
COMMENT = re.compile(r"\s#")
VARIABLE = re.compile(r"\$\{[^}]*\}")


def secrets_that_change(path: Path, names: Collection[str]) -> list[str]:
    """Return a sentence for each secret in the file that is read as something else than stands there."""
    if not path.is_file():
        return []
    with path.open(encoding="utf-8") as lines:
        return [sentence for binding in parse_stream(lines) for sentence in _changes(binding, names)]


def _changes(binding: Binding, names: Collection[str]) -> Iterator[str]:
    found = NAME.match(binding.original.string)
    name = found["name"] if found else None
    if name not in names:
        return
    if binding.error:
        yield f"{name} in .env cannot be read and counts as not set: a quote does not close, or something follows it"
        return
    written = binding.original.string.partition("=")[2].strip()
    if not written.startswith(QUOTES) and COMMENT.search(written):
        yield f"{name} in .env ends before the `#`: what follows is a comment; quote the value if it belongs to it"
    if VARIABLE.search(binding.value or ""):
        yield f"{name} in .env holds `${{…}}`, which is replaced by a variable or by nothing: choose a value without it"
    if written.startswith('"') and "\\" in written:
        yield f"{name} in .env holds a backslash between double quotes, which changes the next letter: use single ones"
