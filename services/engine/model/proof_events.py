"""Events of what the desk believes: fates of orders, doubts, foreign positions, bridges, the account (SPEC 5.6, 8)."""

from __future__ import annotations

from typing import Literal

from services.engine.model.account import SuspectCode
from services.engine.model.event import Event
from wire.types import (
    Price,
    ProvenBy,
    Usd,
    Whose,
)


class DailyStopAwaited(Event, frozen=True, tag="DailyStopAwaited"):
    """A first reading reached the limit: no entry passes until a second one decides (SPEC 5.6)."""

    loss: Usd


class DailyStopNotConfirmed(Event, frozen=True, tag="DailyStopNotConfirmed"):
    """No reading reaches the limit any more; none had confirmed the first one."""


class BalanceSuspected(Event, frozen=True, tag="BalanceSuspected"):
    """A balance is not believed: ``unexplained`` USD of it, or its account (SPEC 5.6)."""

    code: SuspectCode
    balance: Usd
    unexplained: Usd
    account: str | None = None


class BalanceExplained(Event, frozen=True, tag="BalanceExplained"):
    """The account's balance is believed again."""

    balance: Usd


class TransferConfirmed(Event, frozen=True, tag="TransferConfirmed"):
    """The operator confirmed money that was paid in (positive) or out of the account."""

    amount: Usd
    reason: str


class OrderFateUnknown(Event, frozen=True, tag="OrderFateUnknown"):
    """A claimed order had no fill and no change of status for too long: nobody knows what became of it (SPEC 8.1)."""

    order_id: str
    asset: str


class OrderFateSettled(Event, frozen=True, tag="OrderFateSettled"):
    """The fate of an order was settled ``by`` the broker's positions or by the operator; ``qty`` contracts filled.

    ``estimated`` when nobody told their price.
    """

    order_id: str
    asset: str
    by: Literal["broker", "operator"]
    qty: int = 0
    price: Price | None = None
    reason: str | None = None
    estimated: bool = False


class OrderFateConfirmed(Event, frozen=True, tag="OrderFateConfirmed"):
    """The operator said the same of a resolved order again, where no snapshot tells anything (SPEC 8.1)."""

    order_id: str
    asset: str
    reason: str


class FillPriceDoubted(Event, frozen=True, tag="FillPriceDoubted"):
    """The price of a fill would be suspect as a price (SPEC 8.3): it is booked as told, ``stand_in`` counts for now."""

    asset: str
    qty: int
    price: Price
    stand_in: Price
    order_id: str | None = None


class FillPriceProven(Event, frozen=True, tag="FillPriceProven"):
    """Something else agrees with a doubted price of a fill, or the broker's average has corrected it."""

    asset: str
    price: Price
    by: ProvenBy
    order_id: str | None = None


class OrderHandedOutAgain(Event, frozen=True, tag="OrderHandedOutAgain"):
    """An exit of unknown fate may be claimed again: the broker's position shows that it was never executed."""

    order_id: str
    asset: str


class CancelAsked(Event, frozen=True, tag="CancelAsked"):
    """The bridge is asked to take back the rest of an order because an exit is due (SPEC 7.2)."""

    order_id: str
    asset: str


class DoubtBegan(Event, frozen=True, tag="DoubtBegan"):
    """Broker and desk may disagree: the gate ``reconcile`` of the asset is closed (SPEC 8.1)."""

    asset: str
    code: str


class DoubtEnded(Event, frozen=True, tag="DoubtEnded"):
    asset: str


class ForeignPositionSeen(Event, frozen=True, tag="ForeignPositionSeen"):
    """The broker holds a position in a contract that the desk does not trade, or holds another one than before."""

    symbol: str
    position: int
    asset: str | None = None


class ForeignPositionGone(Event, frozen=True, tag="ForeignPositionGone"):
    symbol: str


class ForeignPositionAccepted(Event, frozen=True, tag="ForeignPositionAccepted"):
    """The operator accepted a foreign position; it holds until the position changes."""

    symbol: str
    position: int
    reason: str


class BridgeRefused(Event, frozen=True, tag="BridgeRefused"):
    """The claims of the process ``instance`` are refused, because ``holder`` claims (SPEC 8.2)."""

    instance: str
    holder: str


class BridgeRefusalEnded(Event, frozen=True, tag="BridgeRefusalEnded"):
    """The refused process claims now, or it no longer asks."""

    instance: str


class BridgeTakenOver(Event, frozen=True, tag="BridgeTakenOver"):
    """The operator ended the claims of ``holder``; ``instance`` claims from now on, None for whichever comes next."""

    holder: str
    instance: str | None = None
    reason: str | None = None


class ClockDiffered(Event, frozen=True, tag="ClockDiffered"):
    """A clock differs from the desk's: ``ahead_seconds`` ahead of it, behind when negative (SPEC 5.8)."""

    whose: Whose
    ahead_seconds: float


class ClockAgreed(Event, frozen=True, tag="ClockAgreed"):
    """The clock agrees with the desk's again."""

    whose: Whose


class TwoBridgesNoted(Event, frozen=True, tag="TwoBridgesNoted"):
    """Two bridges that have no instance ask for orders in turns."""

    callers: tuple[str, str]


class StopMissed(Event, frozen=True, tag="StopMissed"):
    """The asset's position has no stop at the broker, as far as the bridge tells (SPEC 6.7)."""

    asset: str


class StopFound(Event, frozen=True, tag="StopFound"):
    """The stop rests now, or the position is closed."""

    asset: str


OfTheAccount = DailyStopAwaited | DailyStopNotConfirmed | BalanceSuspected | BalanceExplained | TransferConfirmed


OfFates = (
    OrderFateUnknown
    | OrderFateSettled
    | OrderFateConfirmed
    | OrderHandedOutAgain
    | FillPriceDoubted
    | FillPriceProven
    | CancelAsked
    | DoubtBegan
    | DoubtEnded
)


OfForeignPositions = ForeignPositionSeen | ForeignPositionGone | ForeignPositionAccepted


OfClocks = ClockDiffered | ClockAgreed
OfBridges = BridgeRefused | BridgeRefusalEnded | BridgeTakenOver | TwoBridgesNoted | StopMissed | StopFound
