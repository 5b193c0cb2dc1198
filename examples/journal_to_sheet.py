"""Writes trades into a workbook, each once: ``python examples/journal_to_sheet.py journal.xlsx``.

Run it as often as you like: a trade that was open is brought up to date, your own columns to the right stay.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

import requests
from openpyxl import Workbook, load_workbook
from openpyxl.worksheet.worksheet import Worksheet

COLUMNS = (
    *("id", "trading_day", "opened_at", "closed_at", "symbol", "side", "qty", "entry", "exit", "stop_loss", "target"),
    *("pnl", "pnl_points", "r_multiple", "mae", "mfe", "exit_reason", "mode", "zone", "env", "note"),
)


def write_rows(sheet: Worksheet, trades: list[dict[str, Any]]) -> int:
    """Write each trade into its row, below the others when it is new. Return how many are new."""
    if sheet.cell(1, 1).value != COLUMNS[0]:
        for place, name in enumerate(COLUMNS, 1):
            sheet.cell(1, place, name)
    rows = {sheet.cell(number, 1).value: number for number in range(2, sheet.max_row + 1)}
    fresh = 0
    for trade in sorted(trades, key=lambda trade: str(trade["opened_at"])):
        number = rows.get(trade["id"])
        if number is None:
            number = sheet.max_row + 1
            fresh += 1
        for place, name in enumerate(COLUMNS, 1):
            cell = sheet.cell(number, place, trade[name])
            if isinstance(trade[name], str):
                cell.data_type = "s"  # a note that begins with = is a text, never a formula
    return fresh


def main() -> None:
    """Ask for the trades and write them."""
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("file", type=Path)
    asked.add_argument("--url", default="http://127.0.0.1:8082/api/journal")
    arguments = asked.parse_args()
    try:
        response = requests.get(arguments.url, timeout=30)
    except requests.RequestException as error:
        sys.exit(f"the journal does not answer: {error}")
    if response.status_code != 200:
        sys.exit(f"{response.status_code}: {response.json()['error']}")
    workbook = load_workbook(arguments.file) if arguments.file.exists() else Workbook()
    sheet = workbook["journal"] if "journal" in workbook.sheetnames else workbook.create_sheet("journal", 0)
    fresh = write_rows(sheet, response.json())
    workbook.save(arguments.file)
    print(f"{fresh} new trades")


if __name__ == "__main__":
    main()
