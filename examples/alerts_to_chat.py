"""Sends TheStrat alerts to a chat: ``LOCKSTEP_KEY=lk_… python examples/alerts_to_chat.py slack://…``."""

from __future__ import annotations

import argparse
import asyncio
import os
import sys

from apprise import Apprise
from reconnect import Message, stay_connected

TOPICS = [{"channel": "alerts.in_force"}, {"channel": "alerts.simultaneous_breaks"}]


def text_of(message: Message) -> str | None:
    """Return the text of an alert, None for any other message."""
    told = message["data"]
    if message["type"] == "alert.in_force":
        beyond = f"{told['price']} beyond {told['trigger']}"
        return f"{told['symbol']} {told['timeframe']} in force {told['direction']}: {beyond}"
    if message["type"] == "alert.simultaneous_break":
        members = ", ".join(f"{member['symbol']} {member['timeframe']}" for member in told["members"])
        return f"{told['cohort']} broke {told['direction']} within {told['window_s']} s: {members}"
    return None


def main() -> None:
    """Read the arguments and pass on alerts until the connection is final."""
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("chat", help="where to send: an apprise URL such as slack://…, discord://…, ntfys://…")
    asked.add_argument("--url", default="ws://127.0.0.1:8765/ws/market/v1")
    arguments = asked.parse_args()
    chat = Apprise()
    if not chat.add(arguments.chat):
        sys.exit("the chat is no apprise URL")

    async def pass_on(message: Message) -> None:
        text = text_of(message)
        if text is not None and not await chat.async_notify(body=text, title="Lockstep"):
            print(f"not delivered: {text}", file=sys.stderr)

    headers = {"Authorization": f"Bearer {os.environ.get('LOCKSTEP_KEY', '')}"}
    hello: Message = {"op": "subscribe", "topics": TOPICS}
    asyncio.run(stay_connected(lambda: arguments.url, pass_on, headers, hello))


if __name__ == "__main__":
    main()
