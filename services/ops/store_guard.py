"""Tell the desk when this machine had opened a newer store for this account today (SPEC 5.9)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import timedelta
from pathlib import Path

from msgspec.structs import replace

from services.desk.manager import StateManager
from services.engine.model.state import Desk
from services.engine.model.store_doubts import NoteStore
from services.engine.rules.store_doubt import open_store_doubt
from services.ops.opened_stores import NotReadable, OpenedStore, Use, name_of_store, read_opened, write_opened
from wire.types import Env, Instant

WRITTEN_EVERY = timedelta(seconds=30)


class StoreGuard:
    """Compares, when this process begins to decide, its store with those opened before; then keeps its own file.

    Only the thread of the clock jobs calls it.
    """

    def __init__(self, folder: Path, where: str) -> None:
        self._folder = folder
        self._where = where
        self._before: Sequence[OpenedStore] | None = None
        self._later: OpenedStore | None = None
        self._written: OpenedStore | None = None

    def look(self, manager: StateManager) -> None:
        """Note what speaks against this store; write down its use when nothing does. Raises StoreError."""
        if not manager.is_writer:
            self._before = self._written = None  # another process goes on with it: compare anew afterwards
            return
        desk = manager.snapshot.desk
        note = _told_when_unreadable(lambda: self._compare(desk))
        if note is None or not _is_news(desk, note):
            note = _told_when_unreadable(lambda: self._keep_when_settled(desk, manager.now))
        if note is not None and _is_news(desk, note):
            manager.submit(note)

    def _compare(self, desk: Desk) -> NoteStore | None:
        name = name_of_store(desk.id_key)
        if self._before is None:
            before = read_opened(self._folder)
            self._later = next((one for one in before if one.store == name and one.sequence > desk.sequence), None)
            self._before = before
        if self._later is not None and any(
            use.trading_day == desk.day.trading_day for use in self._later.uses.values()
        ):
            return older_copy(self._later, desk)
        return newer_store(self._before, name, desk)

    def _keep_when_settled(self, desk: Desk, now: Instant) -> None:
        if open_store_doubt(desk) is None and is_settled(desk):
            self._keep(desk, now)

    def _keep(self, desk: Desk, now: Instant) -> None:
        name = name_of_store(desk.id_key)
        known = self._written or next((one for one in self._before or () if one.store == name), None)
        use = Use(now, desk.day.trading_day, desk.live.account)
        if self._written is not None and not _is_due(self._written, desk, use):
            return
        opened = known or OpenedStore(name, self._where, desk.sequence)
        opened = replace(opened, where=self._where, sequence=desk.sequence, uses={**opened.uses, desk.env: use})
        write_opened(self._folder, opened)
        self._written = opened


def _told_when_unreadable(act: Callable[[], NoteStore | None]) -> NoteStore | None:
    try:
        return act()
    except NotReadable as error:
        return NoteStore("unreadable", "unreadable", f"{error}: nobody knows what else was opened today")


def is_settled(desk: Desk) -> bool:
    """Return whether it is known for which account this store is: one that a bridge named, or none is named at all."""
    return desk.env == "DEMO" or desk.live.account is not None or desk.live.beliefs.believed is not None


def newer_store(before: Sequence[OpenedStore], name: str, desk: Desk) -> NoteStore | None:
    """Return the note of another store that was used for this account today, after this one; None without one."""
    if not is_settled(desk):
        return None
    own = next((one.uses.get(desk.env) for one in before if one.store == name), None)
    uses = [(one, one.uses[desk.env]) for one in before if one.store != name and desk.env in one.uses]
    today = [(one, use) for one, use in uses if use.trading_day == desk.day.trading_day]
    newer = [(one, use) for one, use in today if own is None or use.at > own.at]
    found = next((one for one in newer if _is_of_account(one[1].account, desk.live.account, desk.env)), None)
    if found is None:
        return None
    other, use = found
    account = use.account or "an account without a name"
    detail = (
        f"{other.where} was used for {account} today, until {use.at:%H:%M:%S} UTC: its losses are not in this store"
    )
    return NoteStore("newer_store", other.store, detail)


def older_copy(later: OpenedStore, desk: Desk) -> NoteStore:
    """Return the note that this is a copy from before something that was done today."""
    detail = f"this store ends at row {desk.sequence}, {later.where} had {later.sequence} today: this is an older copy"
    return NoteStore("older_copy", f"{later.store} {later.sequence}", detail)


def _is_of_account(one: str | None, other: str | None, env: Env) -> bool:
    """Return whether two uses may be of one account. In LIVE an account that nobody named may be any."""
    if one is None or other is None:
        return env == "LIVE"
    return one == other


def _is_due(written: OpenedStore, desk: Desk, use: Use) -> bool:
    known = written.uses.get(desk.env)
    if known is None or (known.trading_day, known.account) != (use.trading_day, use.account):
        return True
    return use.at >= known.at + WRITTEN_EVERY


def _is_news(desk: Desk, note: NoteStore) -> bool:
    known = desk.store_doubt
    if known is None or known.trading_day != desk.day.trading_day:
        return True
    return (known.code, known.about) != (note.code, note.about)
