"""The meters of a trading firm's rules in the state document (SPEC 5.9)."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Literal

from msgspec import Struct

from wire.types import AwareTime, Usd, says

FirmRuleName = Literal["daily_loss", "trailing_drawdown", "contracts", "flat_time", "consistency"]


class FirmMeter(Struct, frozen=True, kw_only=True):
    """One rule of the firm: its limit, what is used, what is left before the desk acts."""

    rule: FirmRuleName
    known: Annotated[bool, says("false where the profile does not say the rule, or the account is not read yet")]
    unit: Annotated[Literal["usd", "contracts", "percent", "time"], says("what limit, used and left are counted in")]
    limit: Annotated[Decimal | None, says("null where it is unknown, or the firm says that it has none")] = None
    used: Annotated[Decimal | None, says("null while it is unknown")] = None
    left: Annotated[Decimal | None, says("less the buffer; 0 or less: nothing; null while it is unknown")] = None
    floor: Annotated[Usd | None, says("the lowest balance of the trailing drawdown; null for every other rule")] = None
    at: Annotated[AwareTime | None, says("the next flat time; null for every other rule")] = None
    detail: Annotated[str, says("the rule and where it stands, in one plain sentence")]


class FirmState(Struct, frozen=True, kw_only=True):
    """The firm whose rules the desk keeps, and its meters. The firm's own word counts."""

    name: Annotated[str, says("as FIRM names it, such as topstep:50k")]
    buffer_pct: Annotated[Decimal, says("percent of each loss limit that the desk keeps back")]
    pending: Annotated[str | None, says("the firm from the next trading day on, none to keep none; null: the same")]
    meters: tuple[FirmMeter, ...]
