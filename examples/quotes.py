"""Prints prices in the terminal: ``LOCKSTEP_KEY=lk_… python examples/quotes.py ES NQ``."""

from __future__ import annotations

import argparse
import asyncio
import os

from reconnect import Message, stay_connected


async def show(message: Message) -> None:
    """Print one message of the market feed."""
    told = message["data"]
    if message["type"] == "subscribed":
        print(f"listening to {', '.join(told['channels']) or 'nothing: the key lacks prices:read'}", flush=True)
    elif message["type"] == "quote":
        volume = "unknown" if told["volume"] is None else told["volume"]
        simulated = "  (simulated)" if told["simulated"] else ""
        print(f"{told['ts']}  {told['symbol']:<6} {told['price']:>12}  volume {volume}{simulated}", flush=True)


def main() -> None:
    """Read the arguments and listen until the connection is final."""
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("symbols", nargs="+", help="assets of the desk, such as ES")
    asked.add_argument("--url", default="ws://127.0.0.1:8765/ws/market/v1")
    arguments = asked.parse_args()
    headers = {"Authorization": f"Bearer {os.environ.get('LOCKSTEP_KEY', '')}"}
    hello = {"op": "subscribe", "topics": [{"channel": "quotes", "symbols": arguments.symbols}]}
    asyncio.run(stay_connected(lambda: arguments.url, show, headers, hello))


if __name__ == "__main__":
    main()
