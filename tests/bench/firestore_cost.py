"""What a trading day writes to Firestore: ``.venv/bin/python -m tests.bench.firestore_cost`` counts a recorded day.

Every command is a commit of its own here (no two ever share one), so the figures are upper bounds. A write is one
document, as Firestore bills it.
"""

from __future__ import annotations

from collections import Counter
from datetime import datetime, timedelta
from typing import Any

from services.desk.lease import RENEW_SECONDS
from services.desk.manager import KEEP_OBSERVATIONS_EVERY
from services.engine.decide import Decision
from services.engine.model.commands import AnyCommand, KeepObservations
from services.engine.model.state import Desk
from services.projections.equity import with_sample
from services.stores.records import ORDERS, Record
from tests.whole.test_tape_days import TapeDay

USD_PER_100_000_WRITES = 0.18  # list price of a multi-region in the US; a single region costs half, see the docs
FREE_WRITES_A_DAY = 20_000
DAY = timedelta(hours=24)


class CountedDay(TapeDay):
    """A tape day that counts what each commit would write."""

    def __init__(self, asset: str, seed: int, calm: bool) -> None:
        self.calm = calm
        self.writes: Counter[str] = Counter()
        self.per_second: Counter[int] = Counter()
        self.committed: Desk | None = None
        self.committed_at: datetime | None = None
        self.pnl: Any = None
        super().__init__(asset, seed)

    def _operator_clicks(self) -> None:
        super()._operator_clicks()
        if self.calm:
            self.next_click = self.now + timedelta(minutes=self.dice.choice([2, 5, 10]))

    def ask(self, command: AnyCommand) -> Decision:
        if self.committed_at is not None and self.now >= self.committed_at + KEEP_OBSERVATIONS_EVERY:
            self._count(KeepObservations())
        return self._count(command)

    def _count(self, command: AnyCommand) -> Decision:
        rows, orders, trades = len(self.sheet.rows), self._orders(), len(self.sheet.trades)
        decision = super().ask(command)
        new_rows = len(self.sheet.rows) - rows
        if new_rows:
            self._commit(new_rows, orders, trades)
        return decision

    def _orders(self) -> dict[str, Record]:
        return {record.id: record for record in self.sheet.records_of(ORDERS)}

    def _commit(self, rows: int, orders: dict[str, Any], trades: int) -> None:
        desk, now = self.sheet.journaled, self.now
        renewals = (now - (self.committed_at or now)).total_seconds() // RENEW_SECONDS
        self.writes["lease renewals"] += int(renewals)
        self.writes["commits"] += 1
        self.per_second[int(now.timestamp())] += 1
        self.writes["_global"] += 1
        known = self.committed.assets if self.committed is not None else {}
        self.writes["assets"] += sum(desk.assets[symbol] is not known.get(symbol) for symbol in desk.assets)
        self.writes["journal"] += rows
        self.writes["orders"] += sum(o is not orders.get(i) for i, o in self._orders().items())
        self.writes["trades"] += len(self.sheet.trades) - trades
        day = with_sample(self.pnl, desk)
        if day is not None:
            self.pnl = day
            self.writes["pnl_snapshots"] += 1
        self.committed, self.committed_at = desk, now


def spans(day: CountedDay) -> timedelta:
    first, last = day.ticks[0].at, day.ticks[-1].at
    return last - first


def line_of(name: str, day: CountedDay) -> str:
    """Return the table's line for a day that was played."""
    writes = day.writes
    documents = sum(writes[kind] for kind in ("_global", "assets", "journal", "orders", "trades", "pnl_snapshots"))
    rest = max(0.0, (DAY - spans(day)).total_seconds()) / RENEW_SECONDS
    renewals = writes["lease renewals"] + int(rest)
    usd = (documents + renewals) * USD_PER_100_000_WRITES / 100_000
    beyond = max(0, documents + renewals - FREE_WRITES_A_DAY) * USD_PER_100_000_WRITES / 100_000
    figures = (writes["commits"], documents, writes["journal"], writes["assets"], writes["orders"], renewals)
    cells = [name, str(spans(day)).split(".")[0], *(f"{figure:,}" for figure in figures)]
    return f"| {' | '.join([*cells, str(max(day.per_second.values())), f'{usd:.2f}', f'{beyond:.2f}'])} |"


def main() -> None:
    print(
        "| operator | tape | commits | documents | journal | assets | orders | renewals | most a second | USD | USD* |"
    )
    print("|---|---|---|---|---|---|---|---|---|---|---|")
    for name, calm in (("calm", True), ("a click every few seconds", False)):
        day = CountedDay("US30", 1, calm)
        day.play()
        print(line_of(name, day))


if __name__ == "__main__":
    main()
