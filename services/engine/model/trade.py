"""The open trade and the protections that exit it without a click (SPEC 2, 6)."""

from __future__ import annotations

from decimal import Decimal

from msgspec import Struct

from wire.types import Contract, EntryZone, Env, Instant, Price, Side, TradeMode, Usd


class Protections(Struct, frozen=True):
    """The settings that exit a trade without a click (SPEC 6). Targets and thresholds are in points.

    ``stop_points`` is the distance of the broker's stop from the average entry price. ``tp_count`` counts the opposite
    6pt bricks since the signal take-profit was armed.
    """

    points_tp_enabled: bool = False
    points_tp_target: Decimal = Decimal(15)
    protect_enabled: bool = False
    protect_threshold_points: Decimal = Decimal(-2)
    tp_armed: bool = False
    tp_target: int = 3
    tp_count: int = 0
    high_next_bar_exit_enabled: bool = False
    main_flip_exit_enabled: bool = False
    four_pt_invalidation_enabled: bool = False
    stop_points: Decimal = Decimal(15)


class UntoldCommission(Struct, frozen=True):
    """Contracts of a trade whose commission the broker has not told (SPEC 7.5, 8.3).

    ``each`` is what stands in for it, in USD per contract; None where nobody said what one costs. ``order_id`` and
    ``exec_id`` name the fill as far as it was named.
    """

    qty: int
    each: Usd | None = None
    order_id: str | None = None
    exec_id: str | None = None


class Trade(Struct, frozen=True):
    """One trade, from the first entry fill to flat. Quantities are positive; ``side`` gives the direction.

    The notionals are sums of price times quantity. They are kept undivided so that averages and PnL stay exact.
    ``held_cost`` is what the contracts still held have cost; None until an exit has taken some out, and in trades of
    earlier programs. ``estimated`` is true when a price of the trade was not told but estimated (SPEC 8.4);
    ``unpriced`` while that is a price of its entry, which the broker's average corrects (SPEC 8.3). ``commission`` is
    what its fills told, in USD, in trades of earlier programs. ``costs`` is all its commission, told or assumed, in
    USD; ``untold`` the contracts of which it is not told. ``risk_usd`` is what its entries risked at the planned
    stop, round turn included (SPEC 2); None in trades of earlier programs. ``stop_kept`` is where the stop was when
    contracts were added; None before that, and in trades of earlier programs. ``armed_inside`` names the exit rules
    that the operator armed or tightened inside the initial exit lock (SPEC 5.3). ``switched_on_at`` says when
    the operator switched on what is on (SPEC 6.2). ``opened_against`` is the gate that was closed when a fill without
    an order opened the trade: it is taken out once a snapshot agrees (SPEC 8.4).
    ``exit_by`` is ``service`` when a program beside web asked for its exit, and with ``forced_exit`` that it was the
    program which broke the lock; None: the operator or a rule.
    """

    id: str
    side: Side
    contract: Contract
    quantity: int
    entered_quantity: int
    entry_notional: Price
    opened_at: Instant
    mode: TradeMode
    zone: EntryZone
    env: Env
    override: bool = False
    exited_quantity: int = 0
    exit_notional: Price = Decimal(0)
    initial_exit_locked: bool = True
    fresh_main_bricks: int = 0
    fresh_high_bricks: int = 0
    forced_exit: bool = False
    scale_in_available: bool = False
    scale_in_used: bool = False
    estimated: bool = False
    unpriced: bool = False
    commission: Usd = Decimal(0)
    held_cost: Price | None = None
    armed_inside: tuple[str, ...] = ()
    switched_on_at: dict[str, Instant] = {}
    stop_kept: Price | None = None
    opened_against: str | None = None
    exit_by: str | None = None
    costs: Usd = Decimal(0)
    untold: tuple[UntoldCommission, ...] = ()
    risk_usd: Usd | None = None
    protections: Protections = Protections()

    @property
    def sign(self) -> int:
        return 1 if self.side == "BUY" else -1

    @property
    def entry_price(self) -> Price:
        """Return the average of what is held now (SPEC 4); of all that was entered once nothing is held."""
        if self.held_cost is not None and self.quantity:
            return self.held_cost / self.quantity
        return self.entry_notional / self.entered_quantity

    @property
    def exit_price(self) -> Price | None:
        return self.exit_notional / self.exited_quantity if self.exited_quantity else None

    @property
    def stop_distance(self) -> Price:
        """Return how far from the average the stop is planned, in price (SPEC 6.7)."""
        return self.protections.stop_points * self.contract.point

    @property
    def stop_price(self) -> Price:
        """Return where the stop should rest: never further away than before contracts were added (SPEC 6.7).

        One that was kept beyond the average comes of a fill whose price was wrong, and says nothing.
        """
        planned = self.entry_price - self.sign * self.stop_distance
        if self.stop_kept is None or (self.stop_kept - self.entry_price) * self.sign >= 0:
            return planned
        return max(planned, self.stop_kept) if self.side == "BUY" else min(planned, self.stop_kept)

    @property
    def commission_known(self) -> bool:
        """Return whether it is told, or set by the operator, what every contract of the trade has cost."""
        return self.risk_usd is not None and all(part.each is not None for part in self.untold)

    def open_points(self, price: Price) -> Decimal:
        """Return the points per contract, negative for a loss, if the trade were closed at ``price``."""
        return self.contract.points((price - self.entry_price) * self.sign)

    def result_with(self, open_points: Decimal) -> Usd:
        """Return the same in USD as open points show it."""
        return self.result_at(self.entry_price + open_points * self.contract.point * self.sign)

    def result_at(self, price: Price) -> Usd:
        """Return what the trade has won so far in USD if the rest were closed at ``price``."""
        out = self.exit_notional + price * self.quantity
        return self.contract.usd((out - self.entry_notional) * self.sign)
