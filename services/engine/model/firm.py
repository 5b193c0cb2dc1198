"""The rules of a trading firm that the desk keeps for the trader (SPEC 5.9), and what it has seen of an account.

All amounts are USD, times of day New York wall clock. What a firm does not say is absent; what it says it does not
limit is named in ``unlimited``.
"""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Literal

from msgspec import Struct

from wire.types import Usd

FirmRule = Literal["daily_loss", "trailing_drawdown", "contracts", "flat_time", "consistency"]
Follows = Literal["end_of_day", "real_time"]


class TrailingDrawdown(Struct, frozen=True):
    """The lowest balance that the firm allows: ``amount`` below the highest one, never below an earlier one.

    ``follows`` says which balances count as highest: those at the end of a day, or every one. The floor stops
    ``stops_at`` above the start balance (0: at the start balance itself); None when nobody says that it ever stops.
    """

    amount: Usd
    follows: Follows
    stops_at: Usd | None = None


class ScalingStep(Struct, frozen=True):
    """At most so many contracts once the profit is above ``profit``, USD over the start balance."""

    profit: Usd
    contracts: Decimal


class Firm(Struct, frozen=True):
    """A firm's rules for one kind of account. ``name`` is that of its file, ``account`` that of the account in it.

    ``scaling`` begins with the step that holds from the first day on. ``micros_count_full`` is true where the firm
    counts a micro contract as a whole one. No entry after ``flat_by`` until ``opens_at``. ``consistency_pct`` is the
    largest share of the profit that one day may have.
    """

    name: str
    account: str
    start_balance: Usd | None = None
    daily_loss: Usd | None = None
    drawdown: TrailingDrawdown | None = None
    scaling: tuple[ScalingStep, ...] = ()
    micros_count_full: bool = False
    flat_by: str | None = None
    opens_at: str | None = None
    consistency_pct: Decimal | None = None
    unlimited: tuple[FirmRule, ...] = ()

    @property
    def title(self) -> str:
        """How ``FIRM`` spells it: ``topstep:50k``."""
        return f"{self.name}:{self.account}"


class FirmMark(Struct, frozen=True):
    """What the desk has seen of one account since it keeps a firm's rules.

    ``first`` is the first balance, ``day_ends`` the highest at the end of a day (and the first), ``highest`` the
    highest at any time, ``highest_today`` that of the running day. ``closed`` is the balance at the end of the last
    day, ``best_day`` the largest profit of a whole day, 0 when none won.
    """

    since: date
    first: Usd
    day_ends: Usd
    highest: Usd
    highest_today: Usd
    closed: Usd
    best_day: Usd = Decimal(0)
