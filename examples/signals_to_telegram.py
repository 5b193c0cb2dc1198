"""Sends every change of the position to Telegram: ``python examples/signals_to_telegram.py tgram://TOKEN/CHAT``.

The id of the last signal is kept in a file: after a pause of up to five minutes nothing is missed, and nothing that was
delivered is sent twice.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
from pathlib import Path

from apprise import Apprise
from reconnect import Message, stay_connected


class LastId:
    """The id of the last signal that was delivered, kept in a file."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self.value = int(path.read_text()) if path.exists() else None

    def keep(self, number: int) -> None:
        """Write it to another file first, so that a kill leaves a whole one."""
        self.value = number
        fresh = self._path.with_suffix(".new")
        fresh.write_text(str(number))
        fresh.replace(self._path)


def text_of(signal: Message) -> str:
    """Return a signal in words."""
    price = "at an unknown price" if signal["price"] is None else f"at {signal['price']}"
    kind = "" if signal["tradeType"] == "live" else " (paper)"
    return f"{signal['action']} {signal['amount']} {signal['symbol']} {price}, {signal['strategyName']}{kind}"


def main() -> None:
    """Read the arguments and pass on signals until this program is stopped."""
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("chat", help="where to send: tgram://TOKEN/CHAT, or any other apprise URL")
    asked.add_argument("--url", default="ws://localhost:52000/connect")
    asked.add_argument("--state", type=Path, default=Path("signals_to_telegram.id"))
    arguments = asked.parse_args()
    chat = Apprise()
    if not chat.add(arguments.chat):
        sys.exit("the chat is no apprise URL")
    last = LastId(arguments.state)

    async def pass_on(signal: Message) -> None:
        if signal.get("type") != "STRATEGY_SIGNAL" or (last.value is not None and signal["id"] <= last.value):
            return
        while not await chat.async_notify(body=text_of(signal), title="Lockstep"):
            await asyncio.sleep(
                5
            )  # signals wait in their order; after 256 the server closes, and this program asks again
        last.keep(signal["id"])

    def url() -> str:
        return f"{arguments.url}?client=telegram" + ("" if last.value is None else f"&since_id={last.value}")

    asyncio.run(stay_connected(url, pass_on))


if __name__ == "__main__":
    main()
