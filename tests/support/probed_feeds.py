"""Feeds that write down every fact they hear, and a desk's facts to compare with."""

from __future__ import annotations

import sqlite3
from typing import Any

from tests.support.desk_process import SERVICE_SECRET, DeskProcess, closing_connection
from tests.support.feeds_process import FeedsProcess
from wire.keys import SERVICE_HEADER


class ProbedFeeds(FeedsProcess):
    """Feeds that write down every fact they hear."""

    program = "tests.support.probe_feeds"

    def heard(self) -> list[int]:
        """Return the ids of the facts in the order in which they were heard."""
        if not self.database.exists():
            return []
        try:
            with closing_connection(self.database) as connection:
                return [number for (number,) in connection.execute("SELECT id FROM heard ORDER BY place")]
        except sqlite3.OperationalError:
            return []  # just begun


def committed(desk: DeskProcess) -> list[int]:
    """Return the ids of all events of the desk's journal."""
    found: list[int] = []
    since: int | None = None
    caller = desk.stranger()
    while True:
        query: dict[str, Any] = {"since_id": since or 0, "limit": 1000}
        answer = caller.get("/api/events", params=query, headers={SERVICE_HEADER: SERVICE_SECRET})
        if answer.status_code == 410:
            since = answer.json()["oldest"] - 1
            continue
        body = answer.json()
        if body["next"] == since:
            return found
        found += [event["id"] for event in body["events"]]
        since = body["next"]


def trade(desk: DeskProcess, rounds: int = 1) -> None:
    """Commit some facts: bricks, entries, fills, exits."""
    alerts, operator, bridge = desk.tradingview(), desk.operator(), desk.bridge()
    for _ in range(rounds):
        alerts.opens_the_ladder()
        order = operator.enters_when_the_candle_allows()
        assert bridge.fills(order, 5250.25).status_code == 200
        operator.post("/api/exit-all", json={"force": True})
        bridge.claims()
        for row in operator.state()["orders"]:
            bridge.reports(row["id"], "FILLED", fill_price=5251.0, qty=row["qty"])
