"""Which addresses are private: there a secret may travel without https, and a desk without a password answers."""

from __future__ import annotations

import re
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from urllib.parse import urlsplit

PRIVATE = tuple(
    ip_network(network)
    for network in (
        *("127.0.0.0/8", "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "169.254.0.0/16"),
        *("::1/128", "fc00::/7", "fe80::/10"),
    )
)
PRIVATE_ENDINGS = (".localhost", ".local", ".internal")
SINGLE_LABEL = re.compile(r"[a-z_]([a-z0-9_-]*[a-z0-9_])?")  # not `134744072`, which is read as an address


def is_private(host: str) -> bool:
    """Return whether the host, without a port, is this machine, a private or link-local address, or a private name.

    Private names are those that no public name server knows: one label, such as a container's, and names in ``.local``,
    ``.internal`` and ``.localhost``. No name is looked up.
    """
    name = host.lower().removeprefix("[").removesuffix("]").removesuffix(".")
    try:
        address = ip_address(name.partition("%")[0])
    except ValueError:
        return bool(SINGLE_LABEL.fullmatch(name)) or name.endswith(PRIVATE_ENDINGS)
    return _is_in_private_network(address)


def is_read_on_the_way(url: str) -> bool:
    """Return whether everybody on the way to this http or https address can read what is sent there."""
    parts = urlsplit(url)
    return parts.scheme == "http" and not is_private(parts.hostname or "")


def _is_in_private_network(address: IPv4Address | IPv6Address) -> bool:
    inside = address.ipv4_mapped if isinstance(address, IPv6Address) and address.ipv4_mapped else address
    return any(inside in network for network in PRIVATE)
