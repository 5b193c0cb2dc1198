"""The contract of the market WebSocket, driven by the tables of its page; its own sample is one of the clients."""

from __future__ import annotations

import asyncio
import json
import re
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any, get_args

import msgspec
import pytest
import websocket
import websockets
from websockets.asyncio.client import connect

from feeds.channels.market_socket import REASONS
from feeds.channels.topics import SCOPE_OF
from tests.support.contract_page import CONTRACTS, quoted, table
from tests.support.desk_process import PATIENCE_SECONDS, eventually
from tests.support.market_floor import BREAKS, IN_FORCE, Client, MarketFloor, quotes, states
from tests.support.narrow import known
from wire.keys import Scope
from wire.market import Acknowledged, MarketBreak, MarketInForce, MarketQuote, MarketState

pytestmark = pytest.mark.processes

PAGE = CONTRACTS / "market-websocket.md"
CHANNELS = {quoted(row["channel"])[0]: row for row in table(PAGE, "channel", "Channels")}
CODES = [int(row["code"]) for row in table(PAGE, "code", "Close codes")]
BODIES: dict[str, type[msgspec.Struct]] = {
    "quote": MarketQuote,
    "state": MarketState,
    "alert.in_force": MarketInForce,
    "alert.simultaneous_break": MarketBreak,
}
TOPICS: dict[str, dict[str, Any]] = {
    "quotes": quotes("ES"),
    "states": states("ES"),
    "alerts.in_force": IN_FORCE,
    "alerts.simultaneous_breaks": BREAKS,
}
MICROSECONDS = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}\+00:00")


@pytest.fixture
def client(floor: MarketFloor) -> Iterator[Client]:
    with floor.connects(floor.key()) as client:
        yield client


# -- the page and the program ----------------------------------------------------------------------------------------


def test_the_page_names_every_channel_its_scope_and_its_event() -> None:
    assert {name: quoted(row["scope"])[0] for name, row in CHANNELS.items()} == dict(SCOPE_OF)
    assert {quoted(row["event `type`"])[0] for row in CHANNELS.values()} == set(BODIES)


@pytest.mark.parametrize("channel", CHANNELS)
def test_the_body_of_an_event_has_what_the_page_says(channel: str) -> None:
    row = CHANNELS[channel]
    assert set(quoted(row["`data` has"])) <= set(BODIES[quoted(row["event `type`"])[0]].__struct_fields__)


def test_the_page_has_every_code_of_the_contract() -> None:
    assert CODES == [4401, 4403, 4409]
    assert set(CODES) <= set(REASONS)


# -- over TCP --------------------------------------------------------------------------------------------------------


def test_every_message_has_the_envelope_and_the_sequence_has_no_holes(floor: MarketFloor, client: Client) -> None:
    client.sends({"op": "subscribe", "topics": [quotes("ES"), states("ES")]})
    heard = [client.hears()]
    while len(heard) < 5:
        floor.heartbeat()
        heard.append(client.hears())
    for place, message in enumerate(heard, 1):
        assert list(message) == ["type", "ts", "seq", "data"]
        assert message["seq"] == str(place)
        assert MICROSECONDS.fullmatch(message["ts"])
        assert abs(datetime.now(UTC) - datetime.fromisoformat(message["ts"])) < timedelta(seconds=60)
    assert heard[0]["type"] == "subscribed"


@pytest.mark.parametrize("channel", CHANNELS)
def test_a_channel_needs_its_scope_and_is_left_out_without_it(floor: MarketFloor, channel: str) -> None:
    scope = SCOPE_OF[channel]  # type: ignore[index]
    others = tuple(one for one in get_args(Scope) if one != scope)
    with floor.connects(floor.key(*others)) as client:
        acknowledged = client.subscribes(*TOPICS.values())["channels"]
        assert set(acknowledged) == {name for name, row in CHANNELS.items() if quoted(row["scope"])[0] != scope}
    with floor.connects(floor.key("ws:connect", scope)) as client:
        assert client.subscribes(TOPICS[channel])["channels"] == [channel]


def test_what_is_unknown_is_left_out_and_symbols_have_no_case(client: Client) -> None:
    taken = client.subscribes(quotes("es", " Nq", "AAPL", ""), states("SPY"), states(), {"channel": "trades"}, IN_FORCE)
    assert taken == {"channels": ["quotes", "alerts.in_force"], "symbols": {"quotes": ["ES", "NQ"]}}
    assert msgspec.convert(taken, Acknowledged) is not None


def test_unsubscribe_names_the_channels_and_ends_what_it_names(floor: MarketFloor, client: Client) -> None:
    client.subscribes(quotes("ES", "NQ"), IN_FORCE)
    assert client.subscribes(quotes("NQ"), op="unsubscribe") == {"channels": ["quotes"], "symbols": {"quotes": ["NQ"]}}
    floor.heartbeat("NQ")
    floor.heartbeat("ES")
    assert client.hears_of("quote")["symbol"] == "ES"
    assert client.subscribes({"channel": "quotes"}, IN_FORCE, op="unsubscribe")["channels"] == [
        "quotes",
        "alerts.in_force",
    ]
    floor.heartbeat()
    assert client.subscribes(BREAKS)["channels"] == ["alerts.simultaneous_breaks"]  # nothing came in between


def test_a_quote_has_the_fields_of_the_reference(floor: MarketFloor, client: Client) -> None:
    client.subscribes(quotes("ES"))
    price = floor.heartbeat()
    while (quote := client.hears_of("quote"))["price"] != price:
        pass
    assert set(quote) == set(MarketQuote.__struct_fields__)
    assert quote["symbol"] == "ES"
    assert quote["contract"] == "MESM4"
    assert quote["source"] == "heartbeat"
    assert quote["volume"] is None  # nobody told a size: unknown, not none
    assert quote["simulated"] is False


def test_a_state_says_what_the_desk_says_and_comes_again_when_it_changes(floor: MarketFloor, client: Client) -> None:
    alerts = floor.desk.tradingview()
    alerts.brick(6, "green")
    client.subscribes(states("ES"))
    eventually(lambda: client.hears_of("state")["tfc"]["R6"] == "green")
    alerts.brick(6, "red")
    eventually(lambda: client.hears_of("state")["tfc"]["R6"] == "red")
    for size in (8, 12):
        alerts.brick(size, "green")
    eventually(lambda: client.hears_of("state")["zone"] == {"type": "NORMAL", "direction": "BUY"})


# -- the contract's samples ------------------------------------------------------------------------------------------


async def sample_of_the_contract(url: str, key: str, heard: list[dict[str, Any]], enough: int) -> None:
    """Do what the contract's sample does: connect with a header, subscribe, read until the connection closes."""
    async with connect(url, additional_headers={"Authorization": f"Bearer {key}"}, proxy=None) as ws:
        subscribe = {
            "op": "subscribe",
            "topics": [{"channel": "quotes", "symbols": ["ES", "NQ"]}, {"channel": "alerts.in_force"}],
        }
        await ws.send(json.dumps(subscribe))
        async for raw in ws:
            message = json.loads(raw)
            event_type = message.get("type")
            data = message.get("data", {})
            if event_type == "subscribed":
                assert data.get("channels") == ["quotes", "alerts.in_force"]
            elif event_type == "quote":
                assert f"${data['price']}  vol {data['volume']}"
            heard.append(message)
            if len(heard) >= enough:
                return


def test_the_sample_of_the_contract_runs(floor: MarketFloor) -> None:
    heard: list[dict[str, Any]] = []

    async def run() -> None:
        reading = asyncio.create_task(sample_of_the_contract(floor.address, floor.key(), heard, 4))
        async with asyncio.timeout(PATIENCE_SECONDS):
            while not reading.done():
                await asyncio.to_thread(floor.heartbeat)
        await reading

    asyncio.run(run())
    assert [message["type"] for message in heard] == ["subscribed", "quote", "quote", "quote"]


def test_the_sample_does_not_come_back_after_4409(floor: MarketFloor) -> None:
    key = floor.key()

    async def run() -> int:
        connecting = connect(floor.address, additional_headers={"Authorization": f"Bearer {key}"}, proxy=None)
        async with connecting as ws:
            await ws.send('{"op": "subscribe", "topics": [{"channel": "alerts.in_force"}]}')
            await ws.recv()
            newer = floor.connects(key)
            try:
                await ws.recv()
            except websockets.ConnectionClosedError as closed:
                newer.connection.close()
                return closed.rcvd.code if closed.rcvd is not None else 0
        return -1

    assert asyncio.run(run()) == 4409


def test_another_library_reads_the_same_and_the_same_code(floor: MarketFloor) -> None:
    token = floor.key()
    other = websocket.create_connection(floor.address, header=[f"X-API-Key: {token}"], timeout=20)
    other.send(json.dumps({"op": "subscribe", "topics": [quotes("ES")]}))
    assert json.loads(other.recv())["data"]["channels"] == ["quotes"]
    floor.heartbeat()
    assert json.loads(other.recv())["type"] == "quote"
    floor.revoke(token)
    opcode, closing = other.recv_data()
    while opcode != websocket.ABNF.OPCODE_CLOSE:
        opcode, closing = other.recv_data()
    assert int.from_bytes(closing[:2], "big") == 4401
    known(other.sock).close()


def test_an_app_of_that_library_is_told_why_it_was_closed(floor: MarketFloor) -> None:
    codes: list[int | None] = []
    done = threading.Event()

    def on_close(_app: websocket.WebSocketApp, code: int | None, _reason: str | None) -> None:
        codes.append(code)
        done.set()

    app = websocket.WebSocketApp(floor.address, header=["Authorization: Bearer nonsense"], on_close=on_close)
    threading.Thread(target=app.run_forever, daemon=True).start()
    assert done.wait(20)
    assert codes == [4401]
