"""Which origins are foreign."""

from __future__ import annotations

import pytest

from sidecar.origins import is_foreign

NAMED = frozenset({"http://localhost:5173"})


@pytest.mark.parametrize(
    ("origin", "host"),
    [
        (None, "desk.example"),
        ("https://desk.example", "desk.example"),
        ("https://desk.example", "DESK.example:443"),
        ("http://127.0.0.1:8765", "127.0.0.1:8765"),
        ("http://[::1]:8765", "[::1]:8765"),
        ("http://localhost:5173", "127.0.0.1:8765"),
        ("HTTP://LOCALHOST:5173/", "127.0.0.1:8765"),
    ],
)
def test_programs_our_own_pages_and_named_ones_may_call(origin: str | None, host: str) -> None:
    assert not is_foreign(origin, host, NAMED)


@pytest.mark.parametrize(
    ("origin", "host"),
    [
        ("https://evil.example", "desk.example"),
        ("https://desk.example.evil.example", "desk.example"),
        ("https://desk.example:8443", "desk.example"),
        ("http://localhost:5174", "localhost:8765"),
        ("null", "desk.example"),
        ("", "desk.example"),
        ("https://", ""),
        ("http://[", "desk.example"),
        ("http://desk.example:99999", "desk.example"),
        ("https://desk.example", None),
        ("https://desk.example", "desk.example:nought"),
    ],
)
def test_every_other_page_is_foreign(origin: str, host: str | None) -> None:
    assert is_foreign(origin, host, NAMED)
