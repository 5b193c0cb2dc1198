"""Clients that do what the contracts' samples do, with the same libraries; only address and key differ."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
import websocket
import websockets
import websockets.sync.client
from websockets.asyncio.client import connect

from tests.support.desk_process import eventually
from tests.support.feeds_process import FeedsProcess
from tests.support.local_clients import Trading
from tests.support.market_floor import MarketFloor
from tests.support.narrow import known

pytestmark = pytest.mark.processes

EVERY_FEED = ("market", "consensus", "telemetry", "journal", "signals")
HEARD_WITHIN = 60.0


class Floor(MarketFloor):
    """A desk with every feed."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.feeds = FeedsProcess(self.desk, folder / "feeds", EVERY_FEED)


@pytest.fixture(scope="module")
def everything(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Floor]:
    with Floor(tmp_path_factory.mktemp("samples")) as floor:
        yield floor


class Printed:
    """What a sample prints, and a way to run it beside the test."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def __call__(self, line: str) -> None:
        self.lines.append(line)

    def has(self, beginning: str) -> str | None:
        return next((line for line in self.lines if line.startswith(beginning)), None)


def beside(run: Callable[[], object]) -> threading.Thread:
    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    return thread


# -- the market WebSocket -------------------------------------------------------------------------------------------


SUBSCRIBE = {
    "op": "subscribe",
    "topics": [{"channel": "quotes", "symbols": ["ES", "SPY"]}, {"channel": "alerts.in_force"}],
}


def show(message: dict[str, Any], show_line: Printed) -> None:
    event_type = message.get("type")
    told = message.get("data", {})
    if event_type == "subscribed":
        show_line(f"Subscribed to: {told.get('channels')}")
    elif event_type == "quote":
        show_line(f"Quote  {told['symbol']}  ${told['price']}  vol {told['volume']}")
    elif event_type == "alert.in_force":
        show_line(f"Alert  {told}")


async def connects_to_the_market(url: str, api_key: str, printed: Printed) -> None:
    headers = {"Authorization": f"Bearer {api_key}"}
    async with websockets.connect(url, additional_headers=headers) as ws:
        await ws.send(json.dumps(SUBSCRIBE))
        async for raw in ws:
            show(json.loads(raw), printed)


async def stays_in_the_market(url: str, api_key: str, printed: Printed) -> None:
    backoff = 1
    while True:
        try:
            await connects_to_the_market(url, api_key, printed)
            backoff = 1
        except websockets.ConnectionClosedError as exc:
            if known(exc.rcvd).code == 4409:
                printed("Connection evicted by a newer session — not reconnecting.")
                break
            printed(f"Disconnected (code={known(exc.rcvd).code}), retrying in {backoff}s...")
            await asyncio.sleep(backoff)
            backoff = min(backoff * 2, 60)
        except OSError as exc:
            printed(f"Error: {exc}, retrying in {backoff}s...")
            await asyncio.sleep(backoff)
            backoff = min(backoff * 2, 60)


def test_the_markets_sample_stays_over_a_restart_and_stops_when_it_is_evicted(everything: Floor) -> None:
    printed, key = Printed(), everything.key()
    sample = beside(lambda: asyncio.run(stays_in_the_market(everything.address, key, printed)))
    assert eventually(lambda: printed.has("Subscribed")) == "Subscribed to: ['quotes', 'alerts.in_force']"
    everything.ticks(5250.25)
    assert eventually(lambda: printed.has("Quote  ES  $5250.25  vol "))
    everything.feeds.restart()
    eventually(lambda: sum(line.startswith("Subscribed") for line in printed.lines) == 2)
    everything.feeds.hears_web()
    assert any("retrying in 1s" in line for line in printed.lines)
    everything.ticks(5251.5)
    eventually(lambda: printed.has("Quote  ES  $5251.5"))
    with everything.connects(key):
        sample.join(HEARD_WITHIN)
    assert printed.lines[-1] == "Connection evicted by a newer session — not reconnecting."


def test_the_market_is_the_same_for_synchronous_libraries_and_the_other_header(everything: Floor) -> None:
    key = everything.key()
    for headers in ({"X-API-Key": key}, {"Authorization": f"Bearer {key}"}):
        with websockets.sync.client.connect(everything.address, additional_headers=headers) as ws:
            ws.send(json.dumps(SUBSCRIBE))
            answer = json.loads(ws.recv(HEARD_WITHIN))
            assert (answer["type"], answer["data"]["channels"]) == ("subscribed", ["quotes", "alerts.in_force"])
        other = websocket.create_connection(everything.address, header=headers, timeout=HEARD_WITHIN)
        other.send(json.dumps(SUBSCRIBE))
        assert json.loads(other.recv())["seq"] == "1"
        other.close()


# -- the local feeds ------------------------------------------------------------------------------------------------


def test_the_consensus_sample_hears_a_vote(everything: Floor) -> None:
    printed = Printed()

    def on_consensus(ws: websocket.WebSocketApp, message: str) -> None:
        told = json.loads(message)
        printed(f"Decision: {told['decision']} | Conviction Score: {told['conviction_score']}/100")
        printed(f"Active Regime: {told['regime']} | Supporting Indicators: {told['confluences']}")
        if told["conviction_score"] == 100:
            ws.close()

    url = everything.feeds.url("consensus", "ws") + "/ws/consensus"
    ws = websocket.WebSocketApp(url, on_message=on_consensus)
    sample = beside(ws.run_forever)
    eventually(lambda: printed.has("Decision: HOLD | Conviction Score: 0/100"))
    for size in (12, 8, 6, 4, 2.5):
        everything.desk.tradingview().brick(size, "green")
    assert eventually(lambda: printed.has("Decision: BUY | Conviction Score: 100/100"))
    sample.join(HEARD_WITHIN)
    assert printed.lines[-1].startswith("Active Regime: trend | Supporting Indicators: ['R12 green',")


def test_the_journals_sample_reads_the_set_ups(everything: Floor) -> None:
    trading = Trading(everything.desk)
    trading.enters(5250.25, trade_mode="SCALP")
    printed = Printed()
    response = requests.get(everything.feeds.url("journal") + "/api/journal", timeout=HEARD_WITHIN)
    if response.status_code == 200:
        setups = response.json()
        for setup in setups:
            printed(f"Instrument: {setup['symbol']} | Limit Entry: {setup['entry']}")
            printed(f"Target: {setup['target']} | Stop-Loss: {setup['stop_loss']}")
    trading.exits(5251.25)
    assert printed.lines == ["Instrument: ES | Limit Entry: 5250.25", "Target: 5265.25 | Stop-Loss: 5235.25"]


# -- the engine socket ----------------------------------------------------------------------------------------------


async def listens_to_the_engine(uri: str, printed: Printed) -> None:
    async with connect(uri) as ws:
        printed("Connected! Listening for strategy signals...")
        while True:
            try:
                response = await ws.recv()
                payload = json.loads(response)
                if payload.get("type") == "STRATEGY_SIGNAL":
                    printed(
                        f"[{payload['action']}] {payload['symbol']} | Price: {payload['price']} | "
                        f"Qty: {payload['amount']} | Strategy: {payload['strategyName']}"
                    )
            except websockets.ConnectionClosed:
                printed("Connection was closed.")
                break


def test_the_engines_sample_hears_entry_and_exit_and_the_end(everything: Floor) -> None:
    printed, port = Printed(), everything.feeds.ports["signals"]
    sample = beside(lambda: asyncio.run(listens_to_the_engine(f"ws://localhost:{port}/connect", printed)))
    eventually(lambda: printed.has("Connected!"))
    trading = Trading(everything.desk)
    trading.enters(5250.25)
    assert eventually(lambda: printed.has("[BUY] ES | Price: 5250.25 | Qty: 5 | Strategy: lockstep.entry"))
    trading.exits(5251.25)
    assert eventually(lambda: printed.has("[SELL] ES | Price: 5251.25 | Qty: 5 | Strategy: lockstep.manual"))
    everything.feeds.restart()
    sample.join(HEARD_WITHIN)
    assert printed.lines[-1] == "Connection was closed."
