"""Writes the trading day's trades to a CSV file: ``python examples/journal_to_csv.py journal.csv``."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import requests


def main() -> None:
    """Ask for the sheet and write it; the file of before stays when the desk is away."""
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("file", type=Path)
    asked.add_argument("--url", default="http://127.0.0.1:8082/api/journal")
    asked.add_argument("--from", dest="first", help="the first trading day, such as 2026-11-20")
    asked.add_argument("--to", dest="last", help="the last trading day")
    arguments = asked.parse_args()
    days = {name: day for name, day in (("from", arguments.first), ("to", arguments.last)) if day}
    try:
        answer = requests.get(arguments.url, params={"format": "csv", **days}, timeout=30)
    except requests.RequestException as error:
        sys.exit(f"the journal does not answer: {error}")
    if answer.status_code != 200:
        sys.exit(f"{answer.status_code}: {answer.json()['error']}")
    fresh = arguments.file.with_suffix(".new")
    fresh.write_bytes(answer.content)
    fresh.replace(arguments.file)
    if "X-Truncated" in answer.headers:
        print(f"only the newest {answer.headers['X-Truncated']} trades: ask for fewer days", file=sys.stderr)


if __name__ == "__main__":
    main()
