"""Which connection goes when there are too many, or when they hold too much (docs/explanation/serving.md)."""

from __future__ import annotations

import pytest

from serving.connections import PER_CALLER_AT_MOST, Connections, home_of
from serving.limits import HELD_BYTES, KNOWN_ADDRESSES_KEPT, REPLACED_PER_SECOND


class Line:
    """A connection that notes when it is cut."""

    def __init__(self) -> None:
        self.is_cut = False

    def cut(self) -> None:
        self.is_cut = True

    def look(self, now: float) -> None:
        raise NotImplementedError

    def leave(self) -> None:
        raise NotImplementedError


def opened(connections: Connections, count: int, address: str = "192.0.2.1") -> list[Line]:
    lines = [Line() for _ in range(count)]
    for line in lines:
        connections.opened(line, address)
    return lines


def cut(lines: list[Line]) -> list[int]:
    return [number for number, line in enumerate(lines) if line.is_cut]


def test_the_oldest_of_a_crowded_address_goes_and_no_other_addresss() -> None:
    connections = Connections(at_most=100, per_address=3)
    others = opened(connections, 3, "192.0.2.2")
    assert cut(opened(connections, 5)) == [0, 1]
    assert cut(others) == []
    assert len(connections) == 6


@pytest.mark.parametrize(
    ("one", "another", "is_one"),
    [
        ("192.0.2.1", "192.0.2.1", True),
        ("192.0.2.1", "192.0.2.2", False),
        ("2001:db8:1:2::1", "2001:db8:1:2:ffff::9", True),
        ("2001:db8:1:2::1", "2001:db8:1:3::1", False),
        ("::ffff:192.0.2.1", "192.0.2.1", True),
        ("::ffff:192.0.2.1", "::ffff:192.0.2.2", False),
        ("fe80::1%eth0", "fe80::2%eth0", True),
        ("", "", True),
    ],
)
def test_a_whole_64_is_one_address(one: str, another: str, is_one: bool) -> None:
    assert (home_of(one) == home_of(another)) is is_one


def test_an_address_with_one_connection_outlasts_a_crowd_that_takes_every_place() -> None:
    connections = Connections(at_most=20, per_address=None)
    [alone] = opened(connections, 1, "198.51.100.1")
    for number in range(10):
        opened(connections, 100, f"192.0.2.{number}")
    assert not alone.is_cut
    assert len(connections) == 20


def test_strangers_give_way_and_known_callers_stay() -> None:
    connections = Connections(at_most=4, per_address=None)
    [operator, bridge] = opened(connections, 2)
    connections.served(operator, "operator", b"session")
    connections.served(bridge, "bridge", b"secret")
    strangers = opened(connections, 50)
    assert cut(strangers) == list(range(48))
    assert not operator.is_cut
    assert not bridge.is_cut


def test_a_stranger_who_was_served_lately_outlasts_one_who_waits() -> None:
    connections = Connections(at_most=3, per_address=None)
    first, second, third = opened(connections, 3)
    connections.served(first, None, None)
    opened(connections, 1)
    assert [line.is_cut for line in (first, second, third)] == [False, True, False]


def test_who_is_refused_is_a_stranger_again() -> None:
    connections = Connections(at_most=2, per_address=None)
    was_known, other = opened(connections, 2)
    connections.served(was_known, "operator", b"session")
    connections.served(other, "operator", b"other session")
    connections.served(was_known, None, b"session")
    opened(connections, 1)
    assert (was_known.is_cut, other.is_cut) == (True, False)


def test_a_key_with_many_connections_takes_no_place_of_the_operator() -> None:
    connections = Connections(at_most=1000, per_address=None)
    [operator] = opened(connections, 1)
    connections.served(operator, "operator", b"session")
    keys = opened(connections, 200)
    for line in keys:
        connections.served(line, "reader", b"key")
    assert cut(keys) == list(range(200 - PER_CALLER_AT_MOST["reader"]))
    assert not operator.is_cut


def test_without_a_stranger_the_caller_with_the_most_gives_way() -> None:
    connections = Connections(at_most=5, per_address=None)
    [operator, *bridges] = opened(connections, 5)
    connections.served(operator, "operator", b"session")
    for line in bridges:
        connections.served(line, "bridge", b"secret")
    connections.make_room()
    assert not operator.is_cut
    assert cut(bridges) == [0]


def test_what_is_held_is_bounded_and_the_first_who_holds_goes() -> None:
    connections = Connections(at_most=1000, per_address=None)
    lines = opened(connections, 5)
    for line in lines[:4]:
        connections.holds(line, HELD_BYTES // 4)
    assert cut(lines) == []
    connections.holds(lines[1], 0)
    connections.holds(lines[4], HELD_BYTES // 2)
    assert cut(lines) == [0]
    connections.closed(lines[4])
    connections.holds(lines[2], HELD_BYTES + 1)
    assert cut(lines) == [0, 2, 3]
    assert len(connections) == 1


def test_everything_is_forgotten_with_the_connection() -> None:
    connections = Connections(at_most=10, per_address=2)
    for line in opened(connections, 2):
        connections.served(line, "webhook", b"secret")
        connections.closed(line)
        connections.closed(line)
        connections.served(line, "webhook", b"secret")
    assert len(connections) == 0
    assert cut(opened(connections, 2)) == []


def let_in(connections: Connections, count: int, address: str) -> list[Line]:
    """Open so many connections as the entrance does: those that are not admitted are never opened."""
    return [line for _ in range(count) if connections.admits(address) for line in opened(connections, 1, address)]


def test_a_crowded_address_has_few_turns_to_replace_its_own() -> None:
    connections = Connections(at_most=100, per_address=3)
    crowd = let_in(connections, 1000, "192.0.2.1")
    assert 3 + REPLACED_PER_SECOND <= len(crowd) < 500
    assert not crowd[-1].is_cut
    assert len(let_in(connections, 3, "192.0.2.2")) == 3


def test_when_every_place_is_taken_only_the_largest_address_waits_for_its_turn() -> None:
    connections = Connections(at_most=20, per_address=None)
    crowd = let_in(connections, 1000, "192.0.2.1")
    assert len(crowd) < 500
    [alone] = let_in(connections, 1, "192.0.2.2")
    assert len(let_in(connections, 3, "192.0.2.3")) == 3
    assert not alone.is_cut
    assert len(connections) == 20


def test_an_address_from_which_somebody_was_admitted_is_always_let_in() -> None:
    connections = Connections(at_most=100, per_address=3)
    [operator] = let_in(connections, 1, "192.0.2.1")
    connections.served(operator, "operator", b"session")
    assert len(let_in(connections, 500, "192.0.2.1")) == 500
    assert not operator.is_cut


def test_turns_come_back_with_time(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 1000.0
    monkeypatch.setattr("serving.connections.time.monotonic", lambda: now)
    connections = Connections(at_most=100, per_address=3)
    assert len(let_in(connections, 1000, "192.0.2.1")) == 3 + REPLACED_PER_SECOND
    now += 0.5
    assert len(let_in(connections, 1000, "192.0.2.1")) == REPLACED_PER_SECOND // 2
    now += 3600
    assert len(let_in(connections, 1000, "192.0.2.1")) == REPLACED_PER_SECOND


def test_only_so_many_addresses_are_remembered() -> None:
    connections = Connections(at_most=100, per_address=1)
    for number in range(KNOWN_ADDRESSES_KEPT + 1):
        [line] = opened(connections, 1, f"10.0.{number // 256}.{number % 256}")
        connections.served(line, "operator", b"session")
        connections.closed(line)
    for address in ("10.0.0.0", "10.0.0.1"):  # the first has been forgotten, the second not yet
        let_in(connections, 100, address)
    assert len(let_in(connections, 100, "10.0.0.1")) == 100
    assert len(let_in(connections, 100, "10.0.0.0")) < 100
