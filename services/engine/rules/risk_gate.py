"""The gate that bounds each order by dollars and contracts (SPEC 4 `risk`, 5.9). All functions are pure."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from services.engine.model.state import Desk
from services.engine.rules.beliefs import start_of
from services.engine.rules.contract_caps import CapLeft, caps_left
from services.engine.rules.day_left import DayLeft, left_of_day
from services.engine.rules.risk import Stake, entry_stake, open_risk, scale_in_quantity, scale_in_stake
from services.engine.rules.verdicts import OPEN, EntryRequest, Verdict, closed
from wire.types import Instant, Usd

NO_MORE = {"day": "the day", "week": "the week", "firm": "the firm's limit"}
OF_CAP = {
    "asset": "its own cap",
    "all": "the cap over all",
    "firm": "the firm's limit",
    "correlated": "the cap of the index futures",
}


class Room(Struct, frozen=True):
    """What bounds an order: its own risk, what is left of the day beside all open risk, and the contract caps.

    Without ``caps`` it is that of the whole desk: of every asset alike.
    """

    per_order: Usd | None
    left: DayLeft
    open_risk: Usd
    caps: tuple[CapLeft, ...] = ()

    @property
    def of_day(self) -> Usd | None:
        return None if self.left.usd is None else self.left.usd - self.open_risk


def risk_fits(desk: Desk, entry: EntryRequest, now: Instant) -> Verdict:
    """Close for an order that risks more than one may, than is left of the day, or that breaks a contract cap.

    Generations before 5 counted contracts and trades, no dollars.
    """
    if desk.generation < 5:
        return OPEN
    stake = stake_asked(desk, entry)
    return judge(stake, room_for(desk, entry, stake, now, room_of_desk(desk, now)))


def verdict_of(desk: Desk, stake: Stake, room: Room) -> Verdict:
    """Return the gate's answer to an order whose stake and room are known already."""
    return OPEN if desk.generation < 5 else judge(stake, room)


def stake_asked(desk: Desk, entry: EntryRequest) -> Stake:
    """Return what the request would add, of the usual size when it names none.

    The page's question of a held asset is about its scale-in: an entry is refused by the position already.
    """
    asset = entry.asset
    trade = asset.trade
    if trade is not None and (entry.is_scale_in or not entry.is_attempt):
        quantity = entry.quantity or scale_in_quantity(desk.rules, trade, desk.generation)
        return scale_in_stake(desk, asset, trade, quantity)
    return entry_stake(desk, asset, entry.quantity or desk.rules.entry_qty("6pt"))


def room_of_desk(desk: Desk, now: Instant) -> Room:
    """Return what bounds the orders of all assets now."""
    return Room(order_limit_usd(desk), left_of_day(desk, now), open_risk(desk))


def room_for(desk: Desk, entry: EntryRequest, stake: Stake, now: Instant, of_desk: Room) -> Room:
    """Return what bounds an order of the asset now."""
    return replace(of_desk, caps=caps_left(desk, entry.asset.symbol, stake.contract, now))


def order_limit_usd(desk: Desk) -> Usd | None:
    """Return what one order may risk, None while it is not known against what (SPEC 5.9)."""
    start = start_of(desk)
    return None if start is None else start * desk.rules.max_risk_per_order_pct / 100


def judge(stake: Stake, room: Room) -> Verdict:
    """Return whether the order fits, and if not why, with the largest size that does."""
    if room.per_order is None or room.of_day is None:
        return closed("risk_unknown", "the day's start equity is not known yet")
    fits = largest_fit(stake, room)
    if fits >= stake.quantity:
        return OPEN
    facts: dict[str, Any] = {"fits": fits, "qty": stake.quantity, "risk_usd": stake.usd}
    size = f"{stake.quantity} {stake.contract.symbol} risk {stake.usd:.2f} USD"
    if stake.usd > room.per_order:
        detail = f"{size}, one order may risk {room.per_order:.2f}: {_fitting(fits)}"
        return closed("order_risk", detail, **facts, limit_usd=room.per_order)
    if stake.usd > room.of_day:
        detail = f"{size}, {_what_is_left(room)}: {_fitting(fits)}"
        left: dict[str, Any] = {"left_usd": room.left.usd, "left_by": room.left.by, "open_risk_usd": room.open_risk}
        return closed("day_risk", detail, **facts, **left)
    return _over_a_cap(stake, room, facts)


def largest_fit(stake: Stake, room: Room) -> int:
    """Return the most contracts, up to those asked for, that nothing refuses; 0 when there is none."""
    dollars = [usd for usd in (room.per_order, room.of_day) if usd is not None]
    by_dollars = [_contracts_for(usd, stake) for usd in dollars]
    return max(0, min([stake.quantity, *by_dollars, *(cap.fits for cap in room.caps)]))


def _contracts_for(usd: Usd, stake: Stake) -> int:
    if stake.each == 0:  # at its stop, and nobody said what a contract costs
        return stake.quantity if usd >= 0 else 0
    return int(usd // stake.each)


def _what_is_left(room: Room) -> str:
    left = max(Decimal(0), room.left.usd or Decimal(0))
    whose = NO_MORE.get(room.left.by, room.left.by)
    if room.open_risk == 0:
        return f"{left:.2f} are left of {whose}"
    return f"{left:.2f} are left of {whose}, {room.open_risk:.2f} of it at risk already"


def _over_a_cap(stake: Stake, room: Room, facts: dict[str, Any]) -> Verdict:
    cap = min(room.caps, key=lambda each: each.fits)
    kind = "full-size contracts" if cap.in_full_size else "contracts"
    whose = OF_CAP.get(cap.cap, cap.cap)
    count = f"{_plain(cap.taken)} of {_plain(cap.limit)} {kind} of {whose} are taken"
    detail = f"{stake.quantity} {stake.contract.symbol} are too many, {count}: {_fitting(facts['fits'])}"
    return closed("contract_cap", detail, **facts, cap=cap.cap, limit=cap.limit, taken=cap.taken)


def _fitting(fits: object) -> str:
    return "none fits" if fits == 0 else "1 fits" if fits == 1 else f"{fits} fit"


def _plain(number: Decimal) -> str:
    text = f"{number:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text
