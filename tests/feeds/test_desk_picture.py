"""The desk's state with merge patches in it, by the examples of RFC 7396 and by its laws."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from feeds.desk import DeskPicture, merged

leaves = st.none() | st.booleans() | st.integers(0, 9) | st.text(max_size=2) | st.lists(st.integers(0, 3), max_size=2)
documents = st.recursive(
    st.dictionaries(st.sampled_from("abc"), leaves, max_size=3),
    lambda inner: st.dictionaries(st.sampled_from("abc"), inner | leaves, max_size=3),
    max_leaves=8,
)


@pytest.mark.parametrize(
    ("document", "patch", "result"),
    [  # those of the RFC's appendix A whose target and patch are objects
        ({"a": "b"}, {"a": "c"}, {"a": "c"}),
        ({"a": "b"}, {"b": "c"}, {"a": "b", "b": "c"}),
        ({"a": "b"}, {"a": None}, {}),
        ({"a": "b", "b": "c"}, {"a": None}, {"b": "c"}),
        ({"a": ["b"]}, {"a": "c"}, {"a": "c"}),
        ({"a": "c"}, {"a": ["b"]}, {"a": ["b"]}),
        ({"a": {"b": "c"}}, {"a": {"b": "d", "c": None}}, {"a": {"b": "d"}}),
        ({"a": [{"b": "c"}]}, {"a": [1]}, {"a": [1]}),
        ({"e": None}, {"a": 1}, {"e": None, "a": 1}),
        ({}, {"a": {"bb": {"ccc": None}}}, {"a": {"bb": {}}}),
    ],
)
def test_examples_of_the_rfc(document: dict[str, Any], patch: dict[str, Any], result: dict[str, Any]) -> None:
    assert merged(document, patch) == result


@given(documents, documents)
def test_a_patch_changes_neither_of_the_two_and_twice_is_once(document: dict[str, Any], patch: dict[str, Any]) -> None:
    before = (repr(document), repr(patch))
    once = merged(document, patch)
    assert merged(once, patch) == once
    assert (repr(document), repr(patch)) == before


def test_a_change_before_the_state_is_refused() -> None:
    desk = DeskPicture()
    assert not desk.patch({"version": 1, "now": "2026-11-30T12:00:00Z", "patch": {}})
    assert (desk.assets(), desk.asset("ES"), desk.is_simulated, desk.trading_day) == ((), None, None, None)


def test_while_web_is_away_the_last_state_stays() -> None:
    desk = DeskPicture()
    desk.take({"version": 1, "assets": {"ES": {"position": 5}}})
    desk.came()
    desk.went("silent")
    assert (desk.is_up, desk.why, desk.asset("ES")) == (False, "silent", {"position": 5})
    assert desk.patch({"version": 2, "now": "2026-11-30T12:00:00Z", "patch": {"assets": {"ES": {"position": 0}}}})
    assert (desk.asset("ES"), desk.version) == ({"position": 0}, 2)
