"""How many contracts may be held at once: of an asset, over all, and of those that move as one (SPEC 5.9)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from decimal import Decimal

from msgspec import Struct

from services.engine.model.state import Desk
from services.engine.rules.firm_limits import firm_contracts, micros_are_whole
from wire.types import Contract, Instant

MICRO_ROOTS = ("MES", "MNQ", "MYM", "M2K", "MCL", "MGC")
MICRO = Decimal("0.1")  # of the full-size contract
CORRELATED = frozenset({"ES", "NQ", "YM", "RTY"})


class Cap(Struct, frozen=True):
    """One cap: its name, its limit for an asset (None: off), which assets count, and how contracts count."""

    name: str
    limit: Callable[[Desk, str, Instant], Decimal | None]
    counts: Callable[[str, str], bool]
    in_full_size: Callable[[Desk], bool]


def as_full(contract: Contract, quantity: int) -> Decimal:
    """Return so many contracts in full-size ones: a micro is a tenth, an OTC lot and a full-size contract are 1."""
    return quantity * (MICRO if is_micro(contract.symbol) else Decimal(1))


def is_micro(symbol: str) -> bool:
    """Return whether the contract is a micro, such as ``MESZ6``."""
    return any(symbol.startswith(root) and symbol[len(root) : len(root) + 1].isalpha() for root in MICRO_ROOTS)


def taken(desk: Desk) -> Iterator[tuple[str, Contract, int]]:
    """Yield what is held and what working entries may still add: the asset, the contract, how many."""
    for symbol, asset in desk.assets.items():
        if asset.trade is not None:
            yield symbol, asset.trade.contract, asset.trade.quantity
    for order in desk.orders.values():
        if order.kind != "EXIT":
            yield order.asset, order.contract, max(0, order.remaining)


def _of_asset(desk: Desk, symbol: str, now: Instant) -> Decimal | None:
    most = desk.rules.max_contracts_by_asset.get(symbol)
    return None if most is None else Decimal(most)


def _over_all(desk: Desk, symbol: str, now: Instant) -> Decimal | None:
    return desk.rules.max_contracts


def _of_correlated(desk: Desk, symbol: str, now: Instant) -> Decimal | None:
    return desk.rules.max_contracts_correlated if symbol in CORRELATED else None


def _of_firm(desk: Desk, symbol: str, now: Instant) -> Decimal | None:
    return firm_contracts(desk, now)


def _whole(desk: Desk) -> bool:
    return False


def _in_full(desk: Desk) -> bool:
    return True


def _as_the_firm(desk: Desk) -> bool:
    return not micros_are_whole(desk)


CAPS = (
    Cap("asset", _of_asset, lambda symbol, other: symbol == other, _whole),
    Cap("all", _over_all, lambda symbol, other: True, _in_full),
    Cap("firm", _of_firm, lambda symbol, other: True, _as_the_firm),
    Cap("correlated", _of_correlated, lambda symbol, other: other in CORRELATED, _in_full),
)


class CapLeft(Struct, frozen=True):
    """What a cap leaves of an asset: its limit, what counts already, and how many contracts more it allows."""

    cap: str
    limit: Decimal
    taken: Decimal
    fits: int
    in_full_size: bool


def caps_left(desk: Desk, symbol: str, contract: Contract, now: Instant) -> tuple[CapLeft, ...]:
    """Return what each cap that is set leaves for more contracts of the asset."""
    limits = ((cap, cap.limit(desk, symbol, now)) for cap in CAPS)
    return tuple(_left(desk, cap, limit, symbol, contract) for cap, limit in limits if limit is not None)


def _left(desk: Desk, cap: Cap, limit: Decimal, symbol: str, contract: Contract) -> CapLeft:
    in_full_size = cap.in_full_size(desk)
    count = as_full if in_full_size else _as_they_are
    held = sum((count(of, qty) for other, of, qty in taken(desk) if cap.counts(symbol, other)), Decimal(0))
    fits = int((limit - held) // count(contract, 1))
    return CapLeft(cap.name, limit, held, max(0, fits), in_full_size)


def _as_they_are(contract: Contract, quantity: int) -> Decimal:
    return Decimal(quantity)


def taken_in_full(desk: Desk) -> Decimal:
    """Return what all assets hold and may still enter, in full-size contracts."""
    return sum((as_full(contract, quantity) for _, contract, quantity in taken(desk)), Decimal(0))


def correlated_in_full(desk: Desk) -> Decimal:
    """Return the same of the assets that move as one."""
    return sum((as_full(contract, qty) for symbol, contract, qty in taken(desk) if symbol in CORRELATED), Decimal(0))
