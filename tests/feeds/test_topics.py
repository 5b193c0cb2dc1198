"""What a client of the market WebSocket may ask for, and what it hears afterwards."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from feeds.channels.topics import (
    BREAKS,
    IN_FORCE,
    MOST_SYMBOLS,
    MOST_TOPICS,
    QUOTES,
    SCOPE_OF,
    STATES,
    RequestUnreadable,
    Subscriptions,
    read_request,
)
from wire.market import Acknowledged, MarketChannelName

KNOWN = ("ES", "NQ")
EVERY_SCOPE = frozenset(SCOPE_OF.values())
anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=10,
)
topics = st.lists(
    st.fixed_dictionaries(
        {"channel": st.sampled_from([*SCOPE_OF, "trades"])},
        optional={"symbols": st.lists(st.sampled_from(["ES", "es", " nq ", "AAPL", ""]), max_size=3)},
    ),
    max_size=5,
)


def ask(subscriptions: Subscriptions, op: str, asked: list[dict[str, Any]], scopes: frozenset[Any]) -> Acknowledged:
    request = read_request(json.dumps({"op": op, "topics": asked}))
    if op == "unsubscribe":
        return subscriptions.unsubscribe(request)
    return subscriptions.subscribe(request, scopes, KNOWN)


def hearing(subscriptions: Subscriptions) -> set[tuple[MarketChannelName, str | None]]:
    whole: list[MarketChannelName] = [IN_FORCE, BREAKS]
    by_symbol: list[MarketChannelName] = [QUOTES, STATES]
    found: set[tuple[MarketChannelName, str | None]] = {(name, None) for name in whole if subscriptions.hears(name)}
    return found | {(name, one) for name in by_symbol for one in KNOWN if subscriptions.hears(name, one)}


def test_the_sample_of_the_contract() -> None:
    subscriptions = Subscriptions()
    asked: list[dict[str, Any]] = [
        {"channel": "quotes", "symbols": ["ES", "aapl"]},
        {"channel": "states", "symbols": ["nq"]},
        {"channel": "alerts.in_force"},
        {"channel": "alerts.simultaneous_breaks"},
    ]
    taken = ask(subscriptions, "subscribe", asked, frozenset({"prices:read", "alerts:read"}))
    assert taken.channels == ("quotes", "alerts.in_force", "alerts.simultaneous_breaks")
    assert taken.symbols == {"quotes": ("ES",)}


@pytest.mark.parametrize(
    ("text", "code"),
    [
        (None, "binary_frame"),
        ("", "not_json"),
        ("{", "not_json"),
        ("[" * 100_000, "not_json"),
        ("[]", "not_an_object"),
        ('{"op": "subscribe"}', "topics_invalid"),
        ('{"op": "SUBSCRIBE", "topics": []}', "unknown_op"),
        ('{"op": ["subscribe"], "topics": []}', "unknown_op"),
        ('{"op": "subscribe", "topics": {"channel": "quotes"}}', "topics_invalid"),
        ('{"op": "subscribe", "topics": [{"symbols": ["ES"]}]}', "topics_invalid"),
        ('{"op": "subscribe", "topics": [{"channel": "quotes", "symbols": "ES"}]}', "topics_invalid"),
        ('{"op": "subscribe", "topics": [{"channel": "quotes", "symbols": [1]}]}', "topics_invalid"),
        (json.dumps({"op": "subscribe", "topics": [{"channel": "x"}] * (MOST_TOPICS + 1)}), "too_many_topics"),
        (
            json.dumps({"op": "subscribe", "topics": [{"channel": "quotes", "symbols": ["ES"] * (MOST_SYMBOLS + 1)}]}),
            "too_many_topics",
        ),
    ],
)
def test_what_cannot_be_read_is_named(text: str | None, code: str) -> None:
    with pytest.raises(RequestUnreadable) as refused:
        read_request(text)
    assert refused.value.code == code


@given(st.one_of(st.text(max_size=60), anything.map(json.dumps)))
def test_no_message_breaks_the_reader(text: str) -> None:
    try:
        request = read_request(text)
    except RequestUnreadable:
        return
    assert request.op in ("subscribe", "unsubscribe")


@given(
    st.lists(st.tuples(st.sampled_from(["subscribe", "unsubscribe"]), topics), max_size=6),
    st.sets(st.sampled_from(sorted(EVERY_SCOPE))),
)
def test_a_socket_hears_what_was_acknowledged_and_its_scopes_allow(
    requests: list[tuple[str, list[dict[str, Any]]]], scopes: set[Any]
) -> None:
    subscriptions = Subscriptions()
    expected: set[tuple[MarketChannelName, str | None]] = set()
    for op, asked in requests:
        taken = ask(subscriptions, op, asked, frozenset(scopes))
        whole = {(name, None) for name in taken.channels if name in (IN_FORCE, BREAKS)}
        named = {(name, one) for name in (QUOTES, STATES) for one in taken.symbols.get(name, ())}
        expected = expected | whole | named if op == "subscribe" else expected - whole - named
        assert hearing(subscriptions) == expected
        assert all(SCOPE_OF[name] in scopes for name, _ in expected)


@given(topics, st.sets(st.sampled_from(sorted(EVERY_SCOPE))))
def test_a_key_that_lost_a_scope_hears_that_channel_no_more(asked: list[dict[str, Any]], left: set[Any]) -> None:
    subscriptions = Subscriptions()
    ask(subscriptions, "subscribe", asked, EVERY_SCOPE)
    before = hearing(subscriptions)
    subscriptions.keep_only(left)
    assert hearing(subscriptions) == {pair for pair in before if SCOPE_OF[pair[0]] in left}
