"""Whether a sentence is the desk's own, and whether it takes up a text that somebody else wrote. Pure.

Notes, tags and alert texts are written by people and by other programs, and may hold instructions. They reach the model
as values of a tool's result. A model does not repeat them, nor quote them: the results beneath an answer show them.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Any

from advisor.agent.sentences import SentenceReader, without_list_mark
from wire.explain import ToolResult

COPIED_WORDS = 6
"""So many consecutive words of a text make a copy; a shorter sentence of at least `FEWEST_WORDS` words counts whole."""

FEWEST_WORDS = 3
WORD = re.compile(r"\w+")
SENTENCE_END = re.compile(r"[.!?;:\n]+")
POINTS_BACK = re.compile(r"(?:it(?! is not known whether)|that|this(?! program)|they|these|of these|of \d+ it)\b")
"""How a sentence begins that speaks of what the sentence before names."""

TRADER_WROTE = "trader_wrote"
"""The field of results that holds what the trader wrote."""

WRITTEN_HERE = frozenset({"title", "detail", "sentence", "words", "reopens"})
"""Fields whose texts are this program's own sentences."""


def plain(text: str) -> str:
    """Return a text for comparison: one case, one kind of apostrophe."""
    return unicodedata.normalize("NFKC", text).casefold().replace("’", "'").replace("_", " ")


def is_own(sentence: str, own_words: str, before: str = "") -> bool:
    """Return whether the rules say this whole sentence of the same results.

    One that speaks of the sentence before is theirs only behind that sentence: "It opens in 2 min" is another gate's
    behind another gate. `before` is what was told before.
    """
    reader = SentenceReader()
    own = [_spaced(one) for one in [*reader.read(own_words), reader.rest()]]
    said = _spaced(without_list_mark(sentence))
    if said not in own:
        return False
    if not POINTS_BACK.match(said):
        return True
    last = _spaced(before)
    return any(two == said and last.endswith(one) for one, two in pairwise(own))


def copies_a_text(sentence: str, results: Sequence[ToolResult]) -> bool:
    """Return whether the sentence takes up words of a result's text that is not the desk's."""
    said = _joined(sentence)
    return any(needle in said for text in texts_in(results) for needle in _needles(text))


def texts_in(results: Sequence[ToolResult]) -> Iterator[str]:
    """Give every text of the results that somebody else than this program may have written."""
    for result in results:
        yield from _texts(result.result, "")


def _needles(text: str) -> Iterator[str]:
    """Give the runs of words that make a copy of this text."""
    for sentence in SENTENCE_END.split(plain(text)):
        words = WORD.findall(sentence)
        size = min(COPIED_WORDS, len(words))
        if size >= FEWEST_WORDS:
            for first in range(len(words) - size + 1):
                yield f" {' '.join(words[first : first + size])} "


def _joined(text: str) -> str:
    """Return the words of a text with one space around each."""
    return f" {' '.join(WORD.findall(plain(text)))} "


def _spaced(text: str) -> str:
    """Return a text with its marks, which make a claim: ``-2 %`` is not ``2 %``. Only case and spaces do not count."""
    return " ".join(plain(text).split()).strip()


def _texts(value: Any, name: str) -> Iterator[str]:
    """Give the texts of a field and of all below it. A text without a space is a code, unless a person wrote it."""
    if isinstance(value, str):
        if name == TRADER_WROTE or (name not in WRITTEN_HERE and " " in value.strip()):
            yield value
    elif isinstance(value, Mapping):
        for key, inner in value.items():
            yield from _texts(inner, str(key))
    elif isinstance(value, list | tuple):
        for inner in value:
            yield from _texts(inner, name)
