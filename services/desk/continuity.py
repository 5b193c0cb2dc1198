"""A running process goes on only with the desk that it has shown: never with an older state of it, or another desk."""

from __future__ import annotations

from services.desk.publication import Publication
from services.engine.model.state import Desk
from services.stores.store import StoreDown


def require_continuation(published: Publication, stored: Desk) -> None:
    """Raise StoreDown when the stored desk is another one than was published, or lacks rows that were published.

    Somebody restored a copy under this process. What it answered since that copy is not in it, so only a person may
    decide to go on: by a restart.
    """
    if published.is_empty:
        return
    shown = published.snapshot.desk
    if stored.id_key != shown.id_key:
        raise StoreDown("the store holds another desk than this process has read from it: restore it, or restart")
    if stored.sequence < shown.sequence:
        raise StoreDown(
            f"the store was set back to row {stored.sequence}, this process has seen row {shown.sequence}: "
            "restore the newer one, or restart to go on from the older one"
        )
