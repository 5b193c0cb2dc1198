"""With LOCAL_FEEDS_REQUIRE_KEY=1 the local feeds ask for a key with the scope of each, and close when it is revoked."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from tests.support.desk_process import PATIENCE_SECONDS, eventually
from tests.support.feeds_process import FeedsProcess
from tests.support.local_clients import Listener, Trading, refused_with
from tests.support.market_floor import MarketFloor
from tests.support.own_time import Stopwatch
from wire.keys import Scope

pytestmark = pytest.mark.processes

SOCKETS: tuple[tuple[str, str, Scope, Scope], ...] = (  # feed, path, its scope, another one
    ("consensus", "/ws/consensus", "states:read", "prices:read"),
    ("telemetry", "/", "prices:read", "states:read"),
    ("signals", "/connect", "signals:read", "journal:read"),
)
REVOKED_WITHIN_SECONDS = 2.0


class Floor(MarketFloor):
    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        feeds = ("consensus", "telemetry", "journal", "signals")
        self.feeds = FeedsProcess(self.desk, folder / "feeds", feeds, LOCAL_FEEDS_REQUIRE_KEY="1")


@pytest.fixture(scope="module")
def locked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Floor]:
    with Floor(tmp_path_factory.mktemp("keys")) as floor:
        yield floor


@pytest.mark.parametrize(("feed", "path", "scope", "other"), SOCKETS)
def test_a_socket_asks_for_a_key_with_its_scope(
    locked: Floor, feed: str, path: str, scope: Scope, other: Scope
) -> None:
    url = locked.feeds.url(feed, "ws") + path
    good, elsewhere = locked.key(scope), locked.key(other)
    assert Listener(url).close_code() == 4401
    assert Listener(url, "X-API-Key: lk_wrong").close_code() == 4401
    assert Listener(url, f"X-API-Key: {elsewhere}").close_code() == 4403
    assert Listener(url, f"Authorization: Bearer {good}", f"X-API-Key: {elsewhere}").close_code() == 4401
    for header in (f"X-API-Key: {good}", f"Authorization: Bearer {good}"):
        with Listener(url, header) as listener:
            assert listener.socket.connected
    assert refused_with(url, f"X-API-Key: {good}", origin="https://evil.example") == 403


def test_the_journal_asks_for_a_key_with_its_scope(locked: Floor) -> None:
    url = locked.feeds.url("journal") + "/api/journal"
    good, elsewhere = locked.key("journal:read"), locked.key("prices:read")
    tries = ((None, 401), ("lk_wrong", 401), (elsewhere, 403), (good, 200))
    for token, status in tries:
        answer = requests.get(url, headers={} if token is None else {"X-API-Key": token}, timeout=PATIENCE_SECONDS)
        assert answer.status_code == status, token
    assert requests.get(locked.feeds.url("journal") + "/health", timeout=PATIENCE_SECONDS).status_code == 200


def test_a_revoked_key_closes_its_listener_within_two_seconds_and_no_other(locked: Floor) -> None:
    url = locked.feeds.url("signals", "ws") + "/connect"
    revoked, kept = locked.key("signals:read"), locked.key("signals:read")
    with Listener(url, f"X-API-Key: {revoked}") as gone, Listener(url, f"X-API-Key: {kept}") as stays:
        locked.revoke(revoked)
        watch = Stopwatch(locked.feeds.process, locked.desk.process)
        assert gone.close_code() == 4401
        assert watch.seconds < 2 * REVOKED_WITHIN_SECONDS  # twice: two cores are shared by many processes
        Trading(locked.desk).enters(5250)
        assert stays.hears(type="STRATEGY_SIGNAL")["action"] == "BUY"


def test_listeners_with_keys_are_told_apart_by_them(locked: Floor) -> None:
    """Two programs of one library: each takes its own seat again."""
    url = locked.feeds.url("signals", "ws") + "/connect"
    first, second = (f"X-API-Key: {key}" for key in locked.keys(2, "signals:read"))
    trading = Trading(locked.desk)
    with Listener(url, first) as one:
        with Listener(url, second) as two:
            trading.exits(5251) if trading.operator.asset()["position"] else trading.enters(5250)
            heard = one.hears(type="STRATEGY_SIGNAL")
            assert two.hears(id=heard["id"])
        trading.enters(5250) if heard["action"] == "SELL" else trading.exits(5251)
        missed = one.hears(type="STRATEGY_SIGNAL")
    eventually(lambda: locked.feeds.health()["ports"][4]["clients"] == 0)
    with Listener(url, first) as one, Listener(url, second) as two:
        assert two.hears(type="STRATEGY_SIGNAL")["id"] == missed["id"]
        assert one.hears_nothing()
