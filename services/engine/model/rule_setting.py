"""One row of the table of rules: its range, its help text, and which change of it protects more (SPEC 5)."""

from __future__ import annotations

from decimal import Decimal
from typing import Any, Literal

from msgspec import Struct

Tighter = Literal["lower", "higher", "earlier", "within"]
"""Which change protects more: of a time of day the earlier one, of hours fewer of them."""


class RuleSetting(Struct, frozen=True):
    """One rule and the values that the operator may give it.

    ``variable`` is its environment variable, None when only the page and the API set it. A ``whole`` number lies from
    ``low`` to ``high``, both included; a ``decimal`` lies above ``low`` and up to ``high``. ``step`` is what one press
    of an arrow adds where a page shows the number in a field. A ``choice`` is one of ``choices``, or unset. ``tighter``
    is the direction that protects more, None when the rule is not a limit. A number or a time without a default is
    *off* until it is set (SPEC 5.9); off is looser than any value. ``default`` is that of ``Rules``: the
    table fills it in.
    """

    rule: str
    variable: str | None
    kind: Literal["whole", "decimal", "flag", "clock", "hours", "choice"]
    title: str
    help: str
    unit: str = ""
    low: int = 0
    high: int = 0
    step: Decimal = Decimal(1)
    choices: tuple[str, ...] = ()
    tighter: Tighter | None = None
    default: Any = None

    @property
    def may_be_off(self) -> bool:
        """Whether the rule is a number or a time that nobody need set."""
        return self.kind not in ("flag", "choice") and self.default is None

    @property
    def is_text(self) -> bool:
        """Whether the value is no number: a time of day, hours of a day."""
        return self.kind in ("clock", "hours")
