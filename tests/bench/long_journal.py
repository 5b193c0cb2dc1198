"""How long a start takes when the desk has a long past."""

from __future__ import annotations

import sqlite3
import time
from pathlib import Path

from tests.bench.measure import Row
from tests.support.desk_process import DeskProcess

ROWS = 1_000_000


def start_with_long_journal(folder: Path) -> list[Row]:
    """Fill the journal with a million bricks, then time a start to its first answer."""
    web = DeskProcess(folder).start()
    web.tradingview().brick(6, "green", bar_id="one")
    web.terminate()
    _lengthen(web.database)
    began = time.perf_counter()
    web.start()
    took = time.perf_counter() - began
    web.terminate()
    return [Row(f"start with a journal of {ROWS:,} rows → first answer", f"{took:.2f} s", "≤ 2 s", took <= 2)]


def _lengthen(store: Path) -> None:
    """Copy the last brick's row until the journal is as long as wanted."""
    with sqlite3.connect(store) as desk:
        last = desk.execute("SELECT * FROM journal WHERE kind = 'CloseBrick' ORDER BY sequence DESC LIMIT 1").fetchone()
        head = desk.execute("SELECT sequence FROM desk").fetchone()[0]
        copies = ((number, *last[1:]) for number in range(head + 1, head + ROWS + 1))
        places = ", ".join("?" * len(last))
        desk.executemany(f"INSERT INTO journal VALUES ({places})", copies)  # noqa: S608 - question marks
        desk.execute("UPDATE desk SET sequence = ?", (head + ROWS,))
        body = desk.execute("SELECT body FROM documents WHERE name = '_global'").fetchone()[0]
        moved = body.replace(f'"sequence":{head},'.encode(), f'"sequence":{head + ROWS},'.encode(), 1)
        desk.execute("UPDATE documents SET body = ? WHERE name = '_global'", (moved,))
