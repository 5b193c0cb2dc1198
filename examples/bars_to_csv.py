"""Writes stored bars to a CSV file: ``python examples/bars_to_csv.py ES 15m es.csv --start 2026-11-02``."""

from __future__ import annotations

import argparse
import csv
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import requests

COLUMNS = ("timestamp", "open", "high", "low", "close", "volume", "source")
LIMIT = 10_000


def main() -> None:
    """Read page after page and write them; the file of before stays when something fails."""
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("symbol")
    asked.add_argument("timeframe", help="1m 5m 15m 30m 1h 4h 1d 1w")
    asked.add_argument("file", type=Path)
    asked.add_argument("--start", default="1990-01-01", help="a day or an instant such as 2026-11-02T14:30:00Z")
    asked.add_argument("--simulated", action="store_true", help="the bars of a simulated market")
    asked.add_argument("--url", default="http://127.0.0.1:8001")
    arguments = asked.parse_args()
    fresh = arguments.file.with_suffix(".new")
    with fresh.open("w", newline="") as sheet:
        writer = csv.DictWriter(sheet, COLUMNS, extrasaction="ignore")
        writer.writeheader()
        try:
            for bar in bars_of(arguments):
                writer.writerow(bar)
        except requests.RequestException as error:
            sys.exit(f"the data service does not answer: {error}")
    fresh.replace(arguments.file)


def bars_of(arguments: argparse.Namespace) -> Iterator[dict[str, Any]]:
    """Yield every bar from the start on, oldest first. A volume that nobody knows is an empty cell."""
    query = {
        "symbol": arguments.symbol,
        "timeframe": arguments.timeframe,
        "limit": LIMIT,
        "simulated": int(arguments.simulated),
    }
    start: str | None = arguments.start
    while start is not None:
        answer = requests.get(f"{arguments.url}/api/ohlcv", params={**query, "start": start}, timeout=60)
        page = answer.json()
        if answer.status_code != 200:
            sys.exit(f"{answer.status_code} {page['error']}: {page['detail']}")
        yield from page["bars"]
        start = page["next"]


if __name__ == "__main__":
    main()
