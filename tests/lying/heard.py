"""What a world keeps of its messages for the judge: readings of the broker, events of the desk, and prices."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from services.engine.model.events import AnyEvent
from services.engine.model.state import Desk
from tests.lying.broker import TRADED
from tests.lying.channels import SPELLINGS, Channel

NAMES_OF_TRADED = frozenset({TRADED, *SPELLINGS})
APART, AFTER_A_FILL, HEARTBEAT_COUNTS = timedelta(seconds=2), timedelta(seconds=2), timedelta(seconds=30)


@dataclass(frozen=True)
class Reading:
    """What a snapshot said when it arrived: the position in the traded contract, other contracts, the balance.

    ``speaks`` is false when it says nothing of positions (SPEC 8.4). ``position`` is None then, and when the snapshot
    is not later than the last fill. ``is_listed`` says that it names the contract. ``as_of`` is when its data were
    read, None when it does not say so or speaks of another account.
    """

    at: datetime
    as_of: datetime | None
    speaks: bool
    position: int | None
    is_listed: bool
    foreign: frozenset[str]
    balance: Decimal | None


@dataclass(frozen=True)
class Heard:
    """An event of the desk, the channel of the message that caused it, and how many readings had arrived by then.

    ``channel`` is None when no message caused it: an operator's click, or time.
    """

    event: AnyEvent
    channel: Channel | None
    readings: int


def reading_of(body: dict[str, Any], desk: Desk, before: Sequence[Reading], now: datetime) -> Reading:
    """Read a snapshot as SPEC 8.4 says, independently of the desk's own reading. ``before`` are the earlier ones."""
    balance = body.get("accountBalance")
    as_of = datetime.fromisoformat(body["as_of"]) if "as_of" in body and _is_of_the_account(body, desk) else None
    is_overtaken = as_of is not None and any(known.as_of is not None and as_of < known.as_of for known in before)
    speaks = not is_overtaken and _speaks(body, desk, now)
    rows = [row for row in body.get("symbols") or () if row["symbol"] in NAMES_OF_TRADED]
    others = [row for row in body.get("symbols") or () if row["symbol"] not in NAMES_OF_TRADED]
    return Reading(
        at=now,
        as_of=as_of,
        speaks=speaks,
        position=sum(row["position"] for row in rows) if speaks and _is_after_fill(body, desk, now) else None,
        is_listed=bool(rows),
        foreign=frozenset(row["symbol"] for row in others if row["position"]),
        balance=None if balance is None else Decimal(str(balance)),
    )


def _speaks(body: dict[str, Any], desk: Desk, now: datetime) -> bool:
    live = desk.live
    heard = live.bridge_heartbeat_at
    if body.get("symbols") is None or not _is_of_the_account(body, desk):
        return False
    if heard is not None and not live.ts_connected:
        return False
    return desk.env == "DEMO" or (heard is not None and now < heard + HEARTBEAT_COUNTS)


def _is_of_the_account(body: dict[str, Any], desk: Desk) -> bool:
    account = desk.live.account
    if account is not None and body.get("account", account) != account:
        return False
    return "env" not in body or str(body["env"]) == desk.env


def _is_after_fill(body: dict[str, Any], desk: Desk, now: datetime) -> bool:
    filled_at = desk.assets["ES"].last_fill_at
    if filled_at is None:
        return True
    as_of = datetime.fromisoformat(body["as_of"]) if "as_of" in body else None
    return as_of >= filled_at if as_of is not None else now >= filled_at + AFTER_A_FILL


def is_proof(readings: Sequence[Reading], position: int | None = None) -> bool:
    """Return whether the newest readings agree often enough, far enough apart (SPEC 8.4)."""
    run: list[Reading] = []
    for reading in reversed([reading for reading in readings if reading.position is not None]):
        if run and reading.position != run[0].position:
            break
        run.append(reading)
    if not run or (position is not None and run[0].position != position):
        return False
    needed = 2 if any(reading.is_listed for reading in run) else 3
    return nth_apart([reading.at for reading in reversed(run)], needed) is not None


def nth_apart(times: Sequence[datetime], needed: int) -> datetime | None:
    """Return when the ``needed``-th of the times came, counting only those 2 s after the last that counted."""
    counted: datetime | None = None
    found = 0
    for at in times:
        if counted is None or at >= counted + APART:
            counted, found = at, found + 1
        if found == needed:
            return at
    return None


class PriceSeries:
    """Whether the prices that were told justify to believe a lie: two lies in a row, and not two true ones since.

    The price of a fill is the first of two as well (SPEC 8.3): a lie about it, and the same lie as the next price.
    ``has_believed_a_lie`` stays true: what was booked by a lie that two readings told stays in the day's books.
    """

    def __init__(self) -> None:
        self.believes_a_lie = False
        self.has_believed_a_lie = False
        self._last: bool | None = None
        self._last_at: datetime | None = None
        self._is_filled_at_a_lie = False

    def hears(self, at: datetime, *, is_lie: bool) -> None:
        """Take a price of that time; an older one says nothing. The first of all has nothing to be measured by."""
        if self._last_at is not None and at < self._last_at:
            return
        if self._last is None or is_lie == self._last or (is_lie and self._is_filled_at_a_lie):
            self.believes_a_lie = is_lie
        self.has_believed_a_lie = self.has_believed_a_lie or self.believes_a_lie
        self._last, self._last_at, self._is_filled_at_a_lie = is_lie, at, False

    def hears_fill(self, *, is_lie: bool) -> None:
        """Take the price of a fill."""
        self._is_filled_at_a_lie = self._is_filled_at_a_lie or is_lie
