"""Names that the bridge tells and nobody here chose: a symbol the desk does not know, an account. Pure.

Any text can be in them. A sentence of the rules stands for itself, so it names only what reads as a name; whatever else
is there is said to be unreadable. A number in such a name is no fact (`grounding`).
"""

from __future__ import annotations

import re

from wire.asset import Facts

FOREIGN_NAMES = frozenset({"symbol", "account"})
"""Fields of results and facts that hold such a name."""

READABLE = re.compile(r"[A-Za-z0-9._!:-]{1,40}", re.ASCII)
NAMED_AT_THE_END = (
    (re.compile(r"(the bridge tells the balance of ).*$", re.DOTALL), r"\1another account"),
    (re.compile(r"(the broker holds -?\d+ ).*(, which the desk does not trade)$", re.DOTALL), r"\1of a symbol\2"),
)


def readable(name: object) -> str | None:
    """Return a name that can be told as it is, None for any other text."""
    return name if isinstance(name, str) and READABLE.fullmatch(name) else None


def symbol_words(symbol: str | None) -> str:
    """Return how a sentence names a foreign symbol, after a number of contracts."""
    return symbol or "of an unreadable symbol"


def told_gate(code: str | None, detail: str | None, facts: Facts) -> tuple[str | None, Facts]:
    """Return the reason and the facts of a closed gate, so that they hold no foreign text.

    The two reasons that name something foreign are worded anew, of their facts alone.
    """
    safe = {name: value for name, value in facts.items() if name not in FOREIGN_NAMES or readable(value)}
    if code == "foreign_position":
        held = symbol_words(readable(facts.get("symbol")))
        return f"the broker holds {facts.get('position', 'a position')} {held}, which the desk does not trade", safe
    if code == "other_account":
        account = readable(facts.get("account")) or "an account whose name cannot be read"
        return f"the bridge tells the balance of {account}", safe
    return detail, safe


def without_foreign_names(sentence: str) -> str:
    """Return a gate's journaled sentence without the name it may end with: its facts are not kept beside it."""
    for named, told in NAMED_AT_THE_END:
        sentence = named.sub(told, sentence)
    return sentence
