"""The feeds as the set-up page lists them: one table of names, addresses and lines that try them.

The page replaces ``PORT`` by the port that feeds has, as ``GET /api/feeds`` says it, and ``YOUR_API_KEY`` by a key that
was made on it. ``ASSET`` is the desk's first asset.
"""

from __future__ import annotations

from msgspec import Struct
from msgspec.structs import replace

from wire.feeds_answer import FeedsAnswer

HERE = "127.0.0.1:PORT"
KEY = '-H "X-API-Key: YOUR_API_KEY"'
LISTEN = ".venv/bin/python -m websockets"


class Sample(Struct, frozen=True):
    """A line for a shell, and what it shows."""

    shows: str
    line: str


class FeedRow(Struct, frozen=True):
    """One feed: the setting of its port, the port without that setting, its address, and lines that try it."""

    name: str
    title: str
    use: str
    setting: str
    port: int
    address: str
    samples: tuple[Sample, ...]


FEEDS = (
    FeedRow(
        "market",
        "Market feed",
        "quotes, states and alerts for programs with an API key, as WebSocket and REST",
        "FEEDS_PORT",
        8765,
        f"ws://{HERE}/ws/market/v1",
        (
            Sample(
                "prices as they come",
                f"LOCKSTEP_KEY=YOUR_API_KEY .venv/bin/python examples/quotes.py ASSET --url ws://{HERE}/ws/market/v1",
            ),
            Sample("the last prices", f"curl {KEY} http://{HERE}/api/market/v1/prices/latest"),
            Sample("whether the market is open", f"curl {KEY} http://{HERE}/api/market/v1/market-status"),
        ),
    ),
    FeedRow(
        "consensus",
        "Consensus",
        "decision, conviction and regime of each asset",
        "CONSENSUS_PORT",
        8080,
        f"ws://{HERE}/ws/consensus",
        (Sample("each message as it comes", f"{LISTEN} ws://{HERE}/ws/consensus"),),
    ),
    FeedRow(
        "telemetry",
        "Session telemetry",
        "ticks, bricks and the desk's own fills, for charts",
        "TELEMETRY_PORT",
        8081,
        f"ws://{HERE}/",
        (Sample("each message as it comes", f"{LISTEN} ws://{HERE}/"),),
    ),
    FeedRow(
        "journal",
        "Journal export",
        "the trading day's trades as JSON or CSV",
        "JOURNAL_PORT",
        8082,
        f"http://{HERE}/api/journal",
        (
            Sample("the trades of the trading day", f"curl http://{HERE}/api/journal"),
            Sample("the same for a spreadsheet", f'curl "http://{HERE}/api/journal?format=csv"'),
            Sample("their figures", f"curl http://{HERE}/api/journal/statistics"),
        ),
    ),
    FeedRow(
        "signals",
        "Engine signals",
        "one STRATEGY_SIGNAL for every change of the position",
        "ENGINE_PORT",
        52000,
        f"ws://{HERE}/connect",
        (Sample("each signal as it comes", f"{LISTEN} ws://{HERE}/connect"),),
    ),
    FeedRow(
        "data",
        "Data service",
        "stored bars, snapshots, and bars of the past from files and providers",
        "DATA_PORT",
        8001,
        f"http://{HERE}/api/symbols",
        (
            Sample(
                "the newest quarters of an hour", f'curl "http://{HERE}/api/ohlcv?symbol=ASSET&timeframe=15m&limit=5"'
            ),
            Sample(
                "the same of a simulated market",
                f'curl "http://{HERE}/api/ohlcv?symbol=ASSET&timeframe=1m&simulated=1"',
            ),
            Sample("the last price", f"curl http://{HERE}/api/snapshot/ASSET"),
        ),
    ),
)


def feed_rows(public_url: str | None, asset: str, answer: FeedsAnswer) -> tuple[FeedRow, ...]:
    """Return the rows with the ports that feeds says it has; ``public_url`` is the desk's behind a proxy, else None.

    The documented proxies lead the market feed to feeds, and no other.
    """
    ports = {port.name: port.port for port in answer.health.ports} if answer.health else {}
    rows = tuple(_with(row, ports.get(row.name) or row.port, asset) for row in FEEDS)
    return tuple(_public(row, public_url) if public_url and row.name == "market" else row for row in rows)


def _with(row: FeedRow, port: int, asset: str) -> FeedRow:
    samples = tuple(replace(sample, line=sample.line.replace("ASSET", asset)) for sample in row.samples)
    return replace(row, port=port, samples=samples)


def _public(row: FeedRow, url: str) -> FeedRow:
    def publicly(text: str) -> str:
        return text.replace(f"http://{HERE}", url).replace(f"ws://{HERE}", url.replace("http", "ws", 1))

    samples = tuple(replace(sample, line=publicly(sample.line)) for sample in row.samples)
    return replace(row, address=publicly(row.address), samples=samples)
