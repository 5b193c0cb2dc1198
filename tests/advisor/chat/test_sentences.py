"""Text that comes in pieces is told sentence by sentence, and nothing of it is lost or changed."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from advisor.agent.sentences import LONGEST_SENTENCE, SentenceReader, is_prose, shown


def sentences(*pieces: str) -> tuple[list[str], str]:
    reader = SentenceReader()
    whole = [sentence for piece in pieces for sentence in reader.read(piece)]
    return whole, reader.rest()


@pytest.mark.parametrize(
    ("pieces", "whole", "rest"),
    [
        (("Two trades. Both",), ["Two trades. "], "Both"),
        (("It closed at 5250", ".25 p", "oints. "), [], "It closed at 5250.25 points. "),
        (("It closed at 5250.", "25. Then"), ["It closed at 5250.25. "], "Then"),
        (("Really?! (Yes.) No",), ["Really?! ", "(Yes.) "], "No"),
        (("One line\nand more",), ["One line\n"], "and more"),
        (("…", ""), [], "…"),
    ],
)
def test_a_sentence_ends_where_a_reader_sees_its_end(pieces: tuple[str, ...], whole: list[str], rest: str) -> None:
    assert sentences(*pieces) == (whole, rest)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.text(alphabet="ab1.,!? \n", max_size=40), max_size=8))
def test_however_it_is_cut_the_sentences_are_the_same(pieces: list[str]) -> None:
    told, rest = sentences(*pieces)
    assert (told, rest) == sentences(*"".join(pieces))
    kept = "".join(told) + rest
    assert "".join(kept.split()) == "".join("".join(pieces).split())


def test_a_sentence_without_an_end_is_cut_between_words() -> None:
    whole, rest = sentences("word " * 400)
    assert all(len(one) <= LONGEST_SENTENCE and one.endswith(" ") for one in whole)
    assert "".join(whole) + rest == "word " * 400
    assert len(sentences("x" * 2_000)[0]) == 3


def test_what_no_reader_sees_is_left_out() -> None:
    assert shown("a\u202eb\x1b[31mc\u200b\td\ne") == "ab[31mcd\ne"


@pytest.mark.parametrize(
    "text", ['"wins":1, "losses":1', "{ trades }", "```", "<think>Hm", "'wins' : 1", "2026-06-24T18:30:00Z"]
)
def test_what_is_written_for_programs_is_no_prose(text: str) -> None:
    assert not is_prose(text)


def test_a_sentence_with_a_quotation_is_prose() -> None:
    assert is_prose('Your note says: "too early", at 10:30 (a loss of 1 < 2 points).')
