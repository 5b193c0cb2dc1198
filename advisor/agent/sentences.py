"""Text that comes in pieces, cut into sentences: a sentence is checked as a whole before a reader sees it."""

from __future__ import annotations

import re

LONGEST_SENTENCE = 600
NO_PROSE = re.compile(r"""[{}]|["']\s*:|```|</?\w+>|\dT\d\d:""")
LIST_MARK = re.compile(r"^\W*\d{1,2}[.)]\s+")
ENDS = re.compile(r"""[.!?…]["'”’)\]]*\s+|\n\s*""")


class SentenceReader:
    """Collects pieces. What follows the last whole sentence waits for more."""

    def __init__(self) -> None:
        """Begin with nothing."""
        self._waiting = ""

    def read(self, piece: str) -> list[str]:
        """Return the sentences that this piece completes, each with the space behind it.

        A sentence without an end is cut at the last space before `LONGEST_SENTENCE` characters.
        """
        self._waiting += shown(piece)
        whole: list[str] = []
        while (end := _end_of_sentence(self._waiting)) is not None:
            whole.append(self._waiting[:end])
            self._waiting = self._waiting[end:]
        return [sentence for sentence in whole if sentence.strip()]

    def rest(self) -> str:
        """Return what waits, and let go of it."""
        waiting, self._waiting = self._waiting, ""
        return waiting if waiting.strip() else ""


def shown(text: str) -> str:
    """Return a text without what no reader sees: control characters, and marks that turn the writing around."""
    return "".join(one for one in text if one.isprintable() or one in "\n ")


def without_list_mark(sentence: str) -> str:
    """Return a sentence without the number that only orders a list."""
    return LIST_MARK.sub("", sentence)


def is_prose(sentence: str) -> bool:
    """Return whether a sentence has nothing of JSON or mark-up: small models write down again what they were given."""
    return NO_PROSE.search(sentence) is None


def _end_of_sentence(text: str) -> int | None:
    found = ENDS.search(text)
    if found is not None and found.end() < len(text):
        return found.end()  # while a space is the last of it, more spaces may follow
    if len(text) <= LONGEST_SENTENCE:
        return None
    space = text.rfind(" ", 0, LONGEST_SENTENCE)
    return space + 1 if space > 0 else LONGEST_SENTENCE
