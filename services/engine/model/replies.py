"""What a command is answered: a reply, or a refusal with its reason. Both are values."""

from __future__ import annotations

from msgspec import Struct

from services.engine.model.ladder import Rung
from services.engine.model.order import Order
from services.engine.model.wording import Facts
from wire.types import RefusalCode


class Refusal(Struct, frozen=True, omit_defaults=True, tag="Refusal"):
    """Why the desk did not do what it was asked; ``rules/refusals.py`` has a row for each code.

    ``title`` and ``detail`` are None in an answer that an earlier program stored: it kept the sentence alone.
    """

    code: RefusalCode
    sentence: str
    gate: str | None = None
    retry_after_s: int | None = None
    ladder: tuple[Rung, ...] = ()
    title: str | None = None
    detail: str | None = None
    facts: Facts = {}


class Done(Struct, frozen=True, tag="Done"):
    """The command took effect; there is nothing to add. ``duplicate``: it had done so before."""

    duplicate: bool = False


class PriceNoted(Struct, frozen=True, tag="PriceNoted"):
    """A heartbeat was taken. ``flagged``: its time lay ahead, so the receipt time stands for it."""

    flagged: bool = False


class BrickTaken(Struct, frozen=True, tag="BrickTaken"):
    """What a brick did (SPEC 3): the names of its effects and the orders it caused."""

    duplicate: bool = False
    stale: bool = False
    effects: tuple[str, ...] = ()
    orders: tuple[Order, ...] = ()


class RulesTaken(Struct, frozen=True, tag="RulesTaken"):
    """Limits were changed; ``pending`` waits for the next trading day."""

    pending: dict[str, str]


class OrderTaken(Struct, frozen=True, tag="OrderTaken"):
    """An order was queued, stood there already, or is latched behind the open one."""

    order: Order | None = None
    already_pending: bool = False
    latched: bool = False
    ignored: str | None = None


class SkippedExit(Struct, frozen=True):
    """An asset that exit-all left alone. ``code`` says why, ``reason`` is that refusal's title."""

    asset: str
    reason: str
    code: RefusalCode = "exit_locked"


class ExitsTaken(Struct, frozen=True, tag="ExitsTaken"):
    """What exit-all did at once: exits, and entries it cancelled unclaimed; what waits, and what is locked."""

    orders: tuple[Order, ...] = ()
    cancelled: tuple[Order, ...] = ()
    latched: tuple[str, ...] = ()
    skipped: tuple[SkippedExit, ...] = ()


class Handover(Struct, frozen=True):
    """One order given to a bridge; ``redelivered`` when that bridge had it before."""

    order: Order
    redelivered: bool = False


class OrdersHandedOver(Struct, frozen=True, tag="OrdersHandedOver"):
    handovers: tuple[Handover, ...] = ()


Reply = Done | RulesTaken | PriceNoted | BrickTaken | OrderTaken | ExitsTaken | OrdersHandedOver
