"""A text from outside never becomes a formula of a spreadsheet, and no other text is changed."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest

from services.history.export import cell

SIGNS = ("=", "+", "-", "@", "\uff1d", "\uff0b", "\uff0d", "\uff20", "\ufe66", "\ufe62", "\ufe63", "\ufe6b")
BLANKS = ("", " ", "   ", "\u00a0", "\u3000", "\u2003", "\u200b", "\ufeff", " \u2060 ", "\x0b", "\x1f ")


@pytest.mark.parametrize("sign", SIGNS)
@pytest.mark.parametrize("blank", BLANKS)
def test_what_may_be_calculated_gets_an_apostrophe(sign: str, blank: str) -> None:
    text = f'{blank}{sign}HYPERLINK("http://evil.example")'
    assert cell(text) == "'" + text


@pytest.mark.parametrize("text", ["\tplain", "\rplain", "\nplain", "\t", "\r=1"])
def test_what_begins_with_a_break_gets_one_too(text: str) -> None:
    assert cell(text) == "'" + text


@pytest.mark.parametrize(
    "text", ["", " ", "no margin", " 5 = 5", "a\t=1", "5250.25", "\u2014 closed", "(=1)", "\uff21"]
)
def test_other_texts_stay_as_they_are(text: str) -> None:
    assert cell(text) == text


def test_numbers_and_times_are_no_texts() -> None:
    assert cell(Decimal("-56.250")) == "-56.250"
    assert cell(-3) == "-3"
    assert cell(None) == ""
    assert cell(True) == "true"
    assert cell(datetime(2026, 11, 16, 14, 31, tzinfo=UTC)) == "2026-11-16T14:31:00.000000+00:00"
