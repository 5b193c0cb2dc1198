"""The answers to a command: a reply, or a refusal with its reason. Both are return values."""

from __future__ import annotations

from msgspec import Struct

from services.engine.model.ladder import Rung
from services.engine.model.order import Order
from services.engine.model.proposal import Proposal, ProposedSize
from services.engine.model.window import Lockout
from services.engine.model.wording import Facts
from wire.types import FillRefusal, RefusalCode, Stream


class Refusal(Struct, frozen=True, omit_defaults=True, tag="Refusal"):
    """Why the desk refused a command. ``rules/refusals.py`` has a row for each code.

    ``title`` and ``detail`` are None in an answer stored by an earlier program, which kept only the sentence.
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
    """The command took effect. ``duplicate`` is true when an earlier request had done the same."""

    duplicate: bool = False


class LockoutTaken(Struct, frozen=True, tag="LockoutTaken"):
    """Entries are locked: by this call, or by an earlier one that lasts as long."""

    lockout: Lockout


class LateFillTaken(Struct, frozen=True, tag="LateFillTaken"):
    """A fill was booked that came after the end of its order, or that was more than was ordered (SPEC 8.1)."""


class RefusedFill(Struct, frozen=True):
    """A fill that was not taken, and why."""

    exec_id: str
    code: FillRefusal


class FillsTaken(Struct, frozen=True, tag="FillsTaken"):
    """What became of the fills of one message (SPEC 8.3)."""

    taken: int = 0
    duplicates: int = 0
    refused: tuple[RefusedFill, ...] = ()


class PriceNoted(Struct, frozen=True, tag="PriceNoted"):
    """A heartbeat was applied.

    ``flagged`` is true when its time or its price was not believed: the receipt time was used, or the price is
    ``suspect``. ``too_old`` is true when its time freshens nothing. ``ignored`` says why nothing of it was used; in
    ``roll_week`` it freshens all the same. ``outranked``: a tick of the contract is newer evidence of its price.
    """

    flagged: bool = False
    too_old: bool = False
    suspect: bool = False
    ignored: str | None = None
    outranked: bool = False


class TicksTaken(Struct, frozen=True, tag="TicksTaken"):
    """How many ticks were believed and not heard before. ``ignored`` says why none of them counts."""

    taken: int = 0
    ignored: str | None = None


class BrickTaken(Struct, frozen=True, tag="BrickTaken"):
    """The effects of a brick (SPEC 3): the names of its events and the orders it caused.

    ``ignored`` says why it is no brick of the desk: ``other_source``, another feed makes them.
    """

    duplicate: bool = False
    stale: bool = False
    effects: tuple[str, ...] = ()
    orders: tuple[Order, ...] = ()
    ignored: str | None = None


class BarTaken(Struct, frozen=True, tag="BarTaken"):
    """What became of a bar (SPEC 3): its price, how many of its bricks were applied, and what they caused.

    ``duplicates`` were known, ``late`` ones came after newer ones; both did nothing. ``differs`` are the sizes that
    stood elsewhere than the message says, ``adopted`` those whose last brick was taken over from it. ``stale``: a newer
    bar was known. ``ignored`` says why its bricks are none of the desk's, as in ``BrickTaken``.
    """

    noted: PriceNoted
    applied: int = 0
    duplicates: int = 0
    late: int = 0
    differs: tuple[Stream, ...] = ()
    adopted: tuple[Stream, ...] = ()
    stale: bool = False
    effects: tuple[str, ...] = ()
    orders: tuple[Order, ...] = ()
    ignored: str | None = None


class RulesTaken(Struct, frozen=True, tag="RulesTaken"):
    """Limits were changed. ``pending`` holds those that wait for the next trading day."""

    pending: dict[str, str]


class OrderTaken(Struct, frozen=True, tag="OrderTaken"):
    """An order was queued, was pending already, or is latched behind the open order."""

    order: Order | None = None
    already_pending: bool = False
    latched: bool = False
    ignored: str | None = None


class ProposalTaken(Struct, frozen=True, tag="ProposalTaken"):
    """A proposal was opened, with its size by the rules of that moment."""

    proposal: Proposal
    size: ProposedSize


class SkippedExit(Struct, frozen=True):
    """An asset that exit-all skipped. ``code`` says why, ``reason`` is that refusal's title."""

    asset: str
    reason: str
    code: RefusalCode = "exit_locked"


class ExitsTaken(Struct, frozen=True, tag="ExitsTaken"):
    """The result of exit-all: exits queued, unclaimed entries cancelled, exits latched, and assets skipped."""

    orders: tuple[Order, ...] = ()
    cancelled: tuple[Order, ...] = ()
    latched: tuple[str, ...] = ()
    skipped: tuple[SkippedExit, ...] = ()


class Handover(Struct, frozen=True):
    """One order given to a bridge. ``redelivered`` is true when a bridge had claimed it before."""

    order: Order
    redelivered: bool = False


class OrdersHandedOver(Struct, frozen=True, tag="OrdersHandedOver"):
    handovers: tuple[Handover, ...] = ()


OfTheBridge = OrdersHandedOver | LateFillTaken | FillsTaken | TicksTaken
OfTheOperator = Done | RulesTaken | LockoutTaken
Reply = OfTheOperator | PriceNoted | BrickTaken | BarTaken | OrderTaken | ProposalTaken | ExitsTaken | OfTheBridge
