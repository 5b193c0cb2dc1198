"""The mailbox of a slow reader: the newest of each symbol, every alert, and never more than there is room for."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sidecar.mailbox import Letter, Mailbox, MailboxFull


def quote(symbol: str, number: int) -> Letter:
    return Letter("quote", str(number).encode(), ("quotes", symbol))


def alert(number: int) -> Letter:
    return Letter("alert.in_force", str(number).encode())


def taken(mailbox: Mailbox) -> list[bytes]:
    return [mailbox.take().body for _ in range(len(mailbox))]


def test_while_there_is_room_nothing_is_conflated() -> None:
    mailbox = Mailbox(room=3)
    for number in range(3):
        mailbox.put(quote("ES", number))
    assert taken(mailbox) == [b"0", b"1", b"2"]
    assert mailbox.conflated == 0


def test_when_it_is_full_the_newest_of_each_symbol_stay_in_their_order() -> None:
    mailbox = Mailbox(room=4)
    for letter in (quote("ES", 1), quote("NQ", 2), alert(3), quote("ES", 4), quote("ES", 5)):
        mailbox.put(letter)
    assert taken(mailbox) == [b"2", b"3", b"5"]
    assert mailbox.conflated == 2


def test_alerts_are_never_dropped_the_mailbox_is_full_instead() -> None:
    mailbox = Mailbox(room=3)
    for number in range(3):
        mailbox.put(alert(number))
    for letter in (alert(4), quote("ES", 5)):
        with pytest.raises(MailboxFull):
            mailbox.put(letter)
    assert taken(mailbox) == [b"0", b"1", b"2"]


def test_what_is_no_longer_wanted_is_dropped_and_the_rest_keeps_its_order() -> None:
    mailbox = Mailbox(room=4)
    for letter in (quote("ES", 1), alert(2), quote("NQ", 3), quote("ES", 4)):
        mailbox.put(letter)
    mailbox.keep(lambda letter: letter.subject != ("quotes", "ES"))
    assert taken(mailbox) == [b"2", b"3"]


@given(st.lists(st.tuples(st.sampled_from(["ES", "NQ", None]), st.integers(0, 999)), max_size=60), st.integers(1, 8))
def test_whatever_comes_no_alert_is_lost_and_the_newest_quotes_are_there(
    arriving: list[tuple[str | None, int]], room: int
) -> None:
    mailbox = Mailbox(room)
    accepted: list[Letter] = []
    for symbol, number in arriving:
        letter = alert(number) if symbol is None else quote(symbol, number)
        try:
            mailbox.put(letter)
        except MailboxFull:
            break
        accepted.append(letter)
        assert len(mailbox) <= room
    left = [mailbox.take() for _ in range(len(mailbox))]
    assert [one for one in left if one.subject is None] == [one for one in accepted if one.subject is None]
    for subject in {one.subject for one in accepted} - {None}:
        newest = [one for one in accepted if one.subject == subject][-1]
        assert [one for one in left if one.subject == subject][-1] == newest
