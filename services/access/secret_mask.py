"""Replaces secrets in texts that are kept: log lines, dead letters, reasons of refusals.

A secret is found as it is, and in the spellings in which it travels: JSON escapes, percent encoding, both of them more
than once and mixed. Values that are named like a secret, API keys and private keys are replaced whatever they are.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

HIDDEN = "***"
SPOKEN = re.compile(
    r"""((?:secret|password|token)(?:=|\\?["']\s*:\s*\\?["'])|bearer\s+)[^\s"'&\\]+""", re.IGNORECASE
)  # ?secret=…, "secret": "…", Bearer …
API_KEY = re.compile(r"(?<![A-Za-z0-9])lk(?:_|%5f)[\w%-]{8,}", re.IGNORECASE)
PRIVATE_KEY = re.compile(r"-----BEGIN[\w ]*PRIVATE KEY-----.*?(?:-----END[\w ]*PRIVATE KEY-----|(?=\"))")
ESCAPES = ("\\", "%", "+")
PERCENT = "%(?:25){0,4}"  # bounded like the backslashes: without a bound a long row of them takes minutes
BACKSLASH = rf"(?:\\|{PERCENT}5[cC])"


class SecretMask:
    """Replaces the secrets it knows, and values named like a secret, by ``***``."""

    def __init__(self) -> None:
        self._known: tuple[str, ...] = ()
        self._spelled: tuple[re.Pattern[str], ...] = ()

    def learn(self, secrets: Iterable[str]) -> None:
        """Replace these secrets from now on, in every spelling."""
        self._known = tuple(sorted({secret for secret in secrets if secret}, key=len, reverse=True))
        self._spelled = tuple(re.compile("".join(_any_spelling(character) for character in it)) for it in self._known)

    def masked(self, text: str) -> str:
        """Return the text without secrets. Call it before a text is cut: a part of a secret is not recognised."""
        for secret in self._known:
            text = text.replace(secret, HIDDEN)
        if any(escape in text for escape in ESCAPES):
            for spelled in self._spelled:
                text = spelled.sub(HIDDEN, text)
        return SPOKEN.sub(rf"\1{HIDDEN}", API_KEY.sub(HIDDEN, PRIVATE_KEY.sub(HIDDEN, text)))


def _any_spelling(character: str) -> str:
    """Return a pattern of the character, its JSON escapes and its percent encoding."""
    as_it_is = re.escape(character)
    percent = "".join(f"{PERCENT}{_hex(byte)}" for byte in character.encode("utf-8", "surrogatepass"))
    units = character.encode("utf-16-be", "surrogatepass")
    escaped = "".join(
        f"{BACKSLASH}{{1,8}}u{_hex(units[place])}{_hex(units[place + 1])}" for place in range(0, len(units), 2)
    )
    plus = r"|\+" if character == " " else ""
    escapes = "" if character.isalnum() else f"{BACKSLASH}{{0,8}}"
    return f"(?:{escapes}(?:{as_it_is}|{percent}{plus})|{escaped})"


def _hex(byte: int) -> str:
    """Return a pattern of two hexadecimal digits, small or capital."""
    return "".join(digit if digit.isdigit() else f"[{digit}{digit.upper()}]" for digit in f"{byte:02x}")
