"""What a `.env` says of its secrets but does not mean: values that the file's own syntax cuts or changes.

Secrets that are new since a file was written are added at its end.

Sentences name the setting and never quote its value.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Collection, Iterator, Sequence
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


def add_generated(path: Path, names: Sequence[str]) -> list[str]:
    """Append a generated secret for each name that no line of the file sets, and return those names.

    A line that sets nothing (``NAME=``) is left alone, too: whoever wrote it wants that secret to be missing.
    """
    text = path.read_text("utf-8")
    set_there = {found["name"] for line in text.splitlines() if (found := NAME.match(line))}
    missing = [name for name in names if name not in set_there]
    if missing:
        lines = "".join(f"{name}={secrets.token_urlsafe(32)}\n" for name in missing)
        with path.open("a", encoding="utf-8") as file:
            file.write(("" if text.endswith("\n") or not text else "\n") + lines)
    return missing


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
