"""Notices: what is reported to the operator's phone, one record for each target. They are sent after the commit.

A decision makes notices only where NOTIFY_URLS names a target (``Notifying``). ``services/notifications/kinds.py`` has
their kinds, ``services/notifications/delivery.py`` sends them.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product

from services.notifications.kinds import notices_of
from services.notifications.stored import NOTICES, StoredNotice, notice_number, notice_record
from services.projections.projection import Decided, Projection
from services.stores.records import Record


def notice_records(decided: Decided) -> Iterator[Record]:
    """Yield the notices of a decision, each for every target. They wait until they are due."""
    if decided.notifying is None:
        return
    notices = notices_of(decided.before, decided.decision, decided.now, decided.notifying.kinds)
    for place, (notice, target) in enumerate(product(notices, range(1, decided.notifying.targets + 1))):
        stored = StoredNotice(
            number=notice_number(decided.sequence, place),
            sequence=decided.sequence,
            target=target,
            at=decided.now,
            due_at=notice.due_at,
            kind=notice.kind,
            level=notice.level,
            title=notice.title,
            body=notice.body,
            slot=notice.slot,
            next_try_at=notice.due_at,
        )
        yield notice_record(stored)


PROJECTION = Projection(NOTICES, notice_records)
