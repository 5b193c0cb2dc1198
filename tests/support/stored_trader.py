"""The story language on a real desk: StateManager and SqliteStore, with the story's clock."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from itertools import count
from pathlib import Path
from typing import Any, Self

from services.desk.manager import StateManager
from services.engine.decide import Decision
from services.engine.model.commands import AnyCommand
from services.engine.model.order import Order
from services.engine.model.state import Desk
from services.engine.model.trade_events import TradeClosed
from services.history.archive import Archive
from services.history.replay import Replay, replay_history
from services.history.source import History
from services.history.what_if import WhatIf, what_if
from services.notifications.kinds import Notifying
from services.ops.rule_settings import rules_named
from services.projections.orders import recall_order
from services.stores.codec import documents
from services.stores.sqlite.reader import SqliteReader
from services.stores.sqlite.store import SqliteStore
from services.stores.store import JournalRow, Store
from tests.support.builders import TUESDAY, new_york, rules_for
from tests.support.trader import Trader

PATIENCE_SECONDS = 60.0


class StoredTrader(Trader):
    """A trader whose commands are decided by the writer and are on disk before the story goes on."""

    notifying: Notifying | None = None
    """Which notices are stored, and for how many targets."""

    def __init__(
        self,
        path: Path,
        at: str = "09:31:10",
        on: str = TUESDAY,
        assets: tuple[str, ...] = ("ES",),
        opens: Callable[[], Store] | None = None,
        **settings: object,
    ) -> None:
        self.path = path
        self._opens: Callable[[], Store] = opens or partial(SqliteStore, path)
        self._opens_reader: Callable[[], Any] = opens or partial(SqliteReader, path)
        self.now = new_york(on, at)
        self.asset_in_hand = assets[0]
        self.assets, self.settings = assets, settings
        self._is_heard = self._bridge_is_heard = True
        self._executions = count(1)
        self.decisions: list[Decision] = []
        self.answer = None
        self.starts()
        self._keep_alive()

    def starts(self, **settings: object) -> Self:
        """Start the program on the file; ``settings`` are new in the environment."""
        self.settings = {**self.settings, **settings}
        rules = rules_for(*self.assets, **self.settings)
        self.manager = StateManager(self._opens(), lambda now: rules, lambda: self.now, self.notifying)
        return self

    def stops(self) -> Self:
        self.manager.stop()
        return self

    def restarts(self, **settings: object) -> Self:
        return self.stops().starts(**settings)

    def keeps_snapshot(self) -> Self:
        """Store a snapshot of the desk, as the clock jobs do when one is due."""
        self.manager.keep_snapshot()
        return self

    @property
    def desk(self) -> Desk:
        return self.manager.snapshot.desk

    def _asks_aside(self, command: AnyCommand) -> Decision:
        outcome = self.manager.submit_later(command).result(PATIENCE_SECONDS)  # a story outlasts an overloaded machine
        self.decisions.append(Decision(outcome.desk, outcome.answer, outcome.events))
        return self.decisions[-1]

    def _recall(self, order_id: str) -> Order | None:
        return recall_order(self.manager.store, order_id)

    @property
    def rows(self) -> list[JournalRow]:
        """The rows of the store's journal."""
        with self.history() as history:
            return list(history.store.journal())

    @property
    def trades_closed(self) -> list[TradeClosed]:
        return list(self.told(TradeClosed))

    # -- replay -------------------------------------------------------------------------------------------------

    @contextmanager
    def history(self, archive: Path | None = None) -> Iterator[History]:
        reader = self._opens_reader()
        try:
            yield History(reader, Archive(archive) if archive is not None else None)
        finally:
            reader.close()

    def replays(self, day: str | None = None, archive: Path | None = None) -> Replay:
        with self.history(archive) as history:
            return replay_history(history, day)

    def under(self, *pairs: str, day: str | None = None, archive: Path | None = None) -> WhatIf:
        """Return what other rules would have decided."""
        with self.history(archive) as history:
            stored = history.store.load()
            assert stored is not None, "nothing is stored"
            mark = history.beginning(stored.head.sequence, day)
            rows = history.rows(0 if mark is None else mark.sequence, stored.head.sequence)
            opening = None if mark is None else history.desk_at(mark)
            return what_if(rows, rules_named(pairs), documents.read_desk(stored).id_key, opening, day)
