"""What the desk believes of the account: balances, the day's books, and what awaits proof (SPEC 5.6).

All amounts are USD. ``Beliefs`` change with every snapshot, so they are kept beside the prices; ``DayBooks`` change
only with an event.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Literal

from msgspec import Struct, field

from wire.types import Instant, Usd

SuspectCode = Literal["jump", "other_account", "loss_denied", "books_denied"]


class Reading(Struct, frozen=True):
    """A balance, beside what the desk's books and the broker's own figures said at the same moment.

    ``at`` is the time of the broker's data. ``books`` is the day's result by the desk's fills and prices, ``marked``
    the same with the open PnL that the message told. ``figures`` is the broker's realized + unrealized, None when it
    tells none. ``is_flat`` is true when the desk held nothing.
    """

    balance: Usd
    at: Instant
    books: Usd
    marked: Usd
    realized: Usd | None = None
    figures: Usd | None = None
    account: str | None = None
    is_flat: bool = False


class Suspicion(Struct, frozen=True):
    """A balance that nothing explains, or one of another account. It closes the gate ``account``.

    ``unexplained`` is what the balance is above (positive) or below what the desk believes.
    """

    code: SuspectCode
    since: Instant
    unexplained: Usd
    reading: Reading


class Beliefs(Struct, frozen=True):
    """What the desk believes of one environment's account.

    ``believed`` is the last balance that was explained, ``last`` the last one heard of this account. ``figures_zero``
    is the broker's figure from which the day's result is counted. ``balance_at_limit`` and ``books_at_limit`` are when
    a first reading reached the daily stop's limit, by a proven balance and by the desk's books. ``explained`` is the
    last balance with which the broker's own figures agreed, believed or suspect.
    """

    believed: Reading | None = None
    last: Reading | None = None
    figures_zero: Usd | None = None
    suspicion: Suspicion | None = None
    balance_at_limit: Instant | None = None
    books_at_limit: Instant | None = None
    explained: Reading | None = None


class Awaited(Struct, frozen=True):
    """A first reading reached the daily stop's limit; a second one is awaited.

    ``is_final`` is true once a transfer was confirmed meanwhile: then only the next trading day opens the gate.
    """

    since: Instant
    loss: Usd
    is_final: bool = False


class DayBooks(Struct, frozen=True):
    """The desk's own books of one trading day in one environment.

    ``closed`` is the result of the trades closed today, ``opening`` what the trades that were open already had won when
    the day began or when they were adopted. ``by_asset`` is closed less opening of each asset; empty in the books of
    earlier programs, which are gross. ``unproven`` is what confirmed payouts took out, 0 or less, where the
    broker's figures did not confirm that they were no loss.
    """

    closed: Usd = Decimal(0)
    opening: Usd = Decimal(0)
    unproven: Usd = Decimal(0)
    awaited: Awaited | None = None
    by_asset: dict[str, Usd] = field(default_factory=dict)
