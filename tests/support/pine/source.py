"""Pine's text as lines of tokens, each with its depth of indentation."""

from __future__ import annotations

import re

from msgspec import Struct

SPACES_PER_DEPTH = 4
ESCAPED = {"\\": "\\", '"': '"', "'": "'", "n": "\n", "t": "\t"}
TOKEN = re.compile(
    r"""(?P<space>\s+)
      | (?P<comment>//.*)
      | (?P<number>\d+\.\d+|\d+)(?![\w.])
      | (?P<text>"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')
      | (?P<name>[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*)
      | (?P<sign>=>|:=|==|!=|<=|>=|[-+*/<>=?:(),])""",
    re.VERBOSE,
)


class PineUnknown(Exception):
    """The script uses what this translator does not know, or what Pine does not allow."""

    def __init__(self, line: int, what: str) -> None:
        super().__init__(f"line {line}: {what}")
        self.line = line


class Token(Struct, frozen=True):
    """``kind`` is number, text, name or sign; ``word`` is the source, of a text its value."""

    kind: str
    word: str


class Line(Struct, frozen=True):
    """One line of the script that is not empty."""

    number: int
    depth: int
    tokens: tuple[Token, ...]


def read_lines(source: str) -> list[Line]:
    """Return the lines of a script. Raises PineUnknown for a character or an indentation that is not known."""
    lines = source.splitlines()
    if not lines or lines[0] != "//@version=6":
        raise PineUnknown(1, "the first line must be //@version=6")
    read = []
    for number, text in enumerate(lines, 1):
        tokens = _tokens(number, text)
        if tokens:
            indentation = len(text) - len(text.lstrip(" "))
            if indentation % SPACES_PER_DEPTH or text[indentation : indentation + 1].isspace():
                raise PineUnknown(number, "an indentation is four spaces or a multiple of them")
            read.append(Line(number, indentation // SPACES_PER_DEPTH, tokens))
    return read


def _tokens(number: int, text: str) -> tuple[Token, ...]:
    tokens = []
    place = 0
    while place < len(text):
        found = TOKEN.match(text, place)
        if found is None:
            raise PineUnknown(number, f"{text[place:]!r} is not known")
        place = found.end()
        kind = str(found.lastgroup)
        if kind == "text":
            tokens.append(Token(kind, _value_of(number, found[0][1:-1])))
        elif kind not in ("space", "comment"):
            tokens.append(Token(kind, found[0]))
    return tuple(tokens)


def _value_of(number: int, literal: str) -> str:
    """Return what a text between its quotes means."""

    def replaced(found: re.Match[str]) -> str:
        if found[1] not in ESCAPED:
            raise PineUnknown(number, f"{found[0]} is no escape")
        return ESCAPED[found[1]]

    return re.sub(r"\\(.)", replaced, literal)
