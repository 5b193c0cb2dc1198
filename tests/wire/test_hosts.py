"""Private addresses and names, and what only looks like one."""

from __future__ import annotations

import pytest

from wire.hosts import is_private

PRIVATE = (
    *(
        "localhost",
        "LOCALHOST",
        "localhost.",
        "desk.localhost",
        "web",
        "my-desk",
        "my_web",
        "desk.local",
        "a.b.internal",
    ),
    *("127.0.0.1", "127.9.9.9", "10.1.2.3", "172.16.0.1", "172.31.255.254", "192.168.178.5", "169.254.1.1"),
    *("::1", "[::1]", "fd12:3456::1", "fe80::1", "fe80::1%eth0", "::ffff:10.0.0.1"),
)
PUBLIC = (
    *("desk.example.com", "example.com", "localhost.example.com", "x.localx", "desk.internal.example.com"),
    *("8.8.8.8", "172.32.0.1", "192.169.0.1", "100.64.0.1", "0.0.0.0", "2001:4860:4860::8888", "::ffff:8.8.8.8"),  # noqa: S104
    *("134744072", "0x08080808", "10.1", "127.1", "", ".", "-", "[", "10.0.0.1.example.com", "evil.com:localhost"),
)


@pytest.mark.parametrize("host", PRIVATE)
def test_a_private_host_is_known(host: str) -> None:
    assert is_private(host)


@pytest.mark.parametrize("host", PUBLIC)
def test_everything_else_is_public(host: str) -> None:
    assert not is_private(host)
