"""How connections of the market WebSocket end: each code is read from the wire by a client that is not ours."""

from __future__ import annotations

import json
import socket
import threading
import time
from collections import Counter
from contextlib import suppress

import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus

from tests.support.desk_process import eventually
from tests.support.market_floor import PATH, Client, MarketFloor, quotes, states
from tests.support.own_time import Stopwatch

pytestmark = pytest.mark.processes


# -- keys ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("token", [None, "", "lk_0000000000000000_wrong", "x" * 1_000, "ключ"], ids=str)
def test_without_a_good_key_the_handshake_ends_with_4401(floor: MarketFloor, token: str | None) -> None:
    header = {} if token is None else {"X-API-Key": token.encode().decode("latin-1")}
    with floor.connects(None, additional_headers=header) as client:
        assert client.closed_with() == 4401


def test_two_keys_that_differ_are_none(floor: MarketFloor) -> None:
    one, other = floor.keys(2)
    headers = {"Authorization": f"Bearer {one}", "X-API-Key": other}
    with floor.connects(None, additional_headers=headers) as client:
        assert client.closed_with() == 4401


@pytest.mark.parametrize("form", ["Bearer {}", "bearer {}", "BEARER  {}"])
def test_a_key_may_come_in_either_header(floor: MarketFloor, form: str) -> None:
    token = floor.key()
    for headers in ({"Authorization": form.format(token)}, {"X-API-Key": token}):
        with floor.connects(None, additional_headers=headers) as client:
            assert client.subscribes(quotes("ES"))["channels"] == ["quotes"]


def test_a_good_key_without_the_right_to_connect_gets_4403(floor: MarketFloor) -> None:
    with floor.connects(floor.key("prices:read", "states:read")) as client:
        assert client.closed_with() == 4403


def test_a_revoked_key_ends_its_socket_with_4401_within_two_seconds(floor: MarketFloor) -> None:
    token, other = floor.keys(2)
    with floor.connects(token) as client, floor.connects(other) as beside:
        client.subscribes(quotes("ES"))
        watch = Stopwatch(floor.feeds.process, floor.desk.process)
        floor.revoke(token)
        assert client.closed_with() == 4401
        assert watch.seconds < 2.0
        assert beside.subscribes(quotes("ES"))["channels"] == ["quotes"]
    with floor.connects(token) as again:
        assert again.closed_with() == 4401


def test_a_key_that_loses_a_scope_loses_its_channel_and_then_its_socket(floor: MarketFloor) -> None:
    token = floor.key()
    with floor.connects(token) as client:
        assert client.subscribes(quotes("ES"), states("ES"))["channels"] == ["quotes", "states"]
        floor.rescope(token, "ws:connect", "states:read")
        eventually(lambda: not asks_slowly(client))
        floor.rescope(token, "prices:read")
        assert client.closed_with() == 4403


def asks_slowly(client: Client) -> list[str]:
    """Subscribe to quotes, no more often than the limit of requests allows; return the channels."""
    time.sleep(0.4)
    channels: list[str] = client.subscribes(quotes("ES"))["channels"]
    return channels


# -- one connection for an account -----------------------------------------------------------------------------------


def test_the_older_connection_gets_4409_before_the_new_one_is_accepted(floor: MarketFloor) -> None:
    first, second = floor.key(account="desk-1"), floor.key(account="desk-1")
    with floor.connects(first) as older:
        older.subscribes(quotes("ES"))
        with floor.connects(second) as newer:
            watch = Stopwatch(floor.feeds.process, floor.desk.process)
            assert older.closed_with() == 4409
            assert watch.seconds < 1.0
            assert newer.subscribes(quotes("ES"))["channels"] == ["quotes"]
        with floor.connects(floor.key(account="desk-2")) as another:
            another.subscribes(quotes("ES"))


def test_of_twenty_connections_at_once_one_stays_and_nineteen_are_told_4409(floor: MarketFloor) -> None:
    token = floor.key(account="racer")
    ends: list[int | None] = []
    gate = threading.Barrier(20)
    nineteen_ended = threading.Event()

    def race() -> None:
        gate.wait()
        with floor.connects(token) as client:
            try:
                client.subscribes(quotes("ES"))
                while not nineteen_ended.is_set():
                    with suppress(TimeoutError):
                        client.connection.recv(timeout=0.1)
                client.subscribes(quotes("ES"))
                ends.append(None)
            except ConnectionClosed as closed:
                ends.append(closed.rcvd.code if closed.rcvd else 1006)

    threads = [threading.Thread(target=race) for _ in range(20)]
    for thread in threads:
        thread.start()
    eventually(lambda: len(ends) >= 19)
    nineteen_ended.set()
    for thread in threads:
        thread.join(60)
    assert Counter(ends) == Counter({4409: 19, None: 1})


# -- what clients send -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("message", "code"),
    [
        ("{", "not_json"),
        ("[" * 30_000, "not_json"),
        ("[]", "not_an_object"),
        ("null", "not_an_object"),
        ("{}", "unknown_op"),
        ('{"op": "delete"}', "unknown_op"),
        ('{"op": "subscribe"}', "topics_invalid"),
        ('{"op": "subscribe", "topics": {}}', "topics_invalid"),
        ('{"op": "subscribe", "topics": ["quotes"]}', "topics_invalid"),
        ('{"op": "subscribe", "topics": [{"channel": 5}]}', "topics_invalid"),
        ('{"op": "subscribe", "topics": [{"channel": "quotes", "symbols": "ES"}]}', "topics_invalid"),
        ('{"op": "subscribe", "topics": [{"channel": "quotes", "symbols": [1]}]}', "topics_invalid"),
        (json.dumps({"op": "subscribe", "topics": [{"channel": "x"}] * 101}), "too_many_topics"),
        (json.dumps({"op": "subscribe", "topics": [quotes(*["ES"] * 501)]}), "too_many_topics"),
        (b"\x00\x01", "binary_frame"),
    ],
    ids=lambda value: str(value)[:50],
)
def test_a_message_that_cannot_be_read_is_named_and_changes_nothing(
    floor: MarketFloor, typist: str, message: str | bytes, code: str
) -> None:
    with floor.connects(typist) as client:
        client.sends(message)
        assert client.hears_of("error")["code"] == code
        assert client.subscribes(quotes("ES"))["channels"] == ["quotes"]


@pytest.fixture(scope="module")
def typist(floor: MarketFloor) -> str:
    return floor.key()


def test_three_malformed_messages_in_a_row_close_1007_two_do_not(floor: MarketFloor) -> None:
    with floor.connects(floor.key()) as client:
        for _ in range(2):
            for _ in range(2):
                client.sends("nonsense")
                assert client.hears_of("error")["code"] == "not_json"
            client.subscribes(quotes("ES"))
        for _ in range(3):
            client.sends("nonsense")
        assert client.closed_with() == 1007


def test_text_that_is_no_text_closes_1007(floor: MarketFloor) -> None:
    with floor.connects(floor.key()) as client:
        client.connection.send(b"\xff\xfe", text=True)
        assert client.closed_with() == 1007


def test_a_message_of_64_kib_is_read_and_a_longer_one_closes_1009(floor: MarketFloor) -> None:
    with floor.connects(floor.key()) as client:
        whole = json.dumps({"op": "subscribe", "topics": [quotes("ES")]}).ljust(65_536)
        client.sends(whole)
        assert client.hears_of("subscribed")["channels"] == ["quotes"]
        client.sends(whole + " ")
        assert client.closed_with() == 1009


def test_many_long_fragments_close_1009(floor: MarketFloor) -> None:
    with floor.connects(floor.key()) as client:
        with suppress(ConnectionClosed):  # the end of the third one may come after the close
            client.connection.send(" " * 30_000 for _ in range(3))
        assert client.closed_with() == 1009


def test_a_flood_of_requests_closes_1008(floor: MarketFloor) -> None:
    with floor.connects(floor.key()) as client:
        with suppress(ConnectionClosed):
            for _ in range(70):
                client.sends({"op": "unsubscribe", "topics": []})
        assert client.closed_with() == 1008


# -- upgrades that are refused ---------------------------------------------------------------------------------------


def status_of(floor: MarketFloor, token: str, **headers: str) -> InvalidStatus:
    with pytest.raises(InvalidStatus) as refused:
        floor.connects(token, additional_headers={"X-API-Key": token, **headers})
    return refused.value


def test_more_than_thirty_connections_in_a_minute_are_told_to_come_back(floor: MarketFloor) -> None:
    token = floor.key(account="restless")
    for _ in range(30):
        floor.connects(token).connection.close()
    refused = status_of(floor, token).response
    assert refused.status_code == 429
    assert 1 <= int(refused.headers["Retry-After"]) <= 60
    assert json.loads(refused.body or b"")["error"]["code"] == "rate_limit_exceeded"
    with floor.connects(floor.key(account="calm")) as other:
        other.subscribes(quotes("ES"))


@pytest.mark.parametrize("origin", ["https://evil.example", "http://127.0.0.1:1", "null", "http://[", "localhost"])
def test_a_page_of_another_site_is_refused_even_with_a_key(floor: MarketFloor, origin: str) -> None:
    refused = status_of(floor, floor.key(), Origin=origin).response
    assert refused.status_code == 403
    assert json.loads(refused.body or b"")["error"]["code"] == "foreign_origin"


def test_our_own_origin_may_connect_as_one_library_sends_it(floor: MarketFloor) -> None:
    own = f"http://127.0.0.1:{floor.feeds.ports['market']}"
    with floor.connects(None, additional_headers={"X-API-Key": floor.key(), "Origin": own}) as client:
        assert client.subscribes(quotes("ES"))["channels"] == ["quotes"]


def test_a_rebound_name_opens_nothing_without_a_key(floor: MarketFloor) -> None:
    """A page whose name was rebound to this machine sends its own name as Host and Origin, and has no key."""
    lines = ("Host: evil.example", "Origin: http://evil.example", "Upgrade: websocket", "Connection: Upgrade")
    key = ("Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==", "Sec-WebSocket-Version: 13")
    with socket.create_connection(("127.0.0.1", floor.feeds.ports["market"]), timeout=10) as page:
        page.sendall("\r\n".join((f"GET {PATH} HTTP/1.1", *lines, *key, "", "")).encode())
        heard = b""
        while b"\x11\x31" not in heard and (part := page.recv(4096)):
            heard += part
    assert b"\x11\x31" in heard  # 4401
    answer = floor.get("/api/market/v1/prices/latest", None, headers={"Host": "evil.example"})
    assert answer.status_code == 401


@pytest.mark.parametrize("path", ["/", "/ws/market/v2", "/ws/market/v1/more"])
def test_another_path_is_no_websocket(floor: MarketFloor, path: str) -> None:
    address = floor.feeds.url("market", "ws") + path
    with pytest.raises(InvalidStatus) as refused:
        floor.connects(floor.key(), uri=address)
    assert refused.value.response.status_code == 404


# -- the end ---------------------------------------------------------------------------------------------------------


def test_a_stop_of_feeds_is_told_with_1012(tmp_path_factory: pytest.TempPathFactory) -> None:
    with MarketFloor(tmp_path_factory.mktemp("stopped")) as floor, floor.connects(floor.key()) as client:
        client.subscribes(quotes("ES"))
        assert floor.feeds.terminate() < 4.0
        assert client.closed_with() == 1012
        assert floor.feeds.spawned.returncode == 0
