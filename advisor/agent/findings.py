"""What each tool finds: plain facts of the desk, with null and a code where something is not known.

Names in ``_s`` are seconds, in ``_usd`` US dollars, in ``_points`` points of one asset, in ``_r`` multiples of the risk
at the entry, in ``_share`` shares from 0 to 1. Texts of the trader are in fields named ``trader_wrote`` alone.
"""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Literal

from msgspec import Struct

from wire.asset import Facts
from wire.types import AwareTime, Points, Price, Side, Usd

Differs = Literal["above", "below"]
LEAST_TRADES = 20
"""Fewer trades than that say nothing: no share, no mean, no interval."""


# -- explain_blocks -------------------------------------------------------------------------------------------------


class ClosedGate(Struct, frozen=True, kw_only=True):
    """A gate that would refuse the entry now. It opens at ``reopens_at``, or by the event ``reopens``."""

    gate: str
    code: str | None
    title: str | None
    detail: str | None
    facts: Facts
    reopens_at: AwareTime | None
    retry_after_s: int | None
    reopens: str | None


class BlockedEntry(Struct, frozen=True, kw_only=True):
    """One asset and one direction: what refuses the entry, and what would end that.

    ``direction`` is None where nobody named one and the structure gives none. ``allowed`` are the directions that no
    gate refuses, ``waits_for`` the closed gates that no clock opens. ``unexplained``: the desk refuses this direction
    and its ladder does not say why. ``stop_rests``: null is not known.
    """

    asset: str
    direction: Side | None
    allowed: tuple[Side, ...]
    zone: str | None
    zone_direction: Side | None
    closed: tuple[ClosedGate, ...]
    closed_count: int
    unexplained: bool
    opens_first: str | None
    opens_last: str | None
    entry_from: AwareTime | None
    entry_in_s: int | None
    waits_for: tuple[str, ...]
    preorder_possible: bool
    preorder_waits: bool
    intent_waits: bool
    position: int
    initial_exit_locked: bool
    stop_rests: bool | None
    simulated: bool


class Blocks(Struct, frozen=True, kw_only=True):
    """The asked asset, or every asset of the desk.

    Unless ``takes_decisions`` (the store is up, and the process is the writer) nothing at all is taken, no exit either:
    then nothing is allowed and no instant is given. ``writer`` is null where it is this process, or nobody knows it.
    """

    store: Literal["up", "down"]
    role: Literal["writer", "standby"]
    writer: str | None
    takes_decisions: bool
    entries: tuple[BlockedEntry, ...]
    blocked_count: int


# -- the day --------------------------------------------------------------------------------------------------------


class GateCount(Struct, frozen=True, kw_only=True):
    """How many entries a gate refused."""

    gate: str
    count: int


class Attempt(Struct, frozen=True, kw_only=True):
    """An entry that a gate refused."""

    at: AwareTime
    asset: str
    direction: Side | None
    price: Price | None
    gate: str
    sentence: str
    override: bool


class Attempts(Struct, frozen=True, kw_only=True):
    """The refused entries of a day, of every asset and environment. ``newest`` are the last 20 of them."""

    day: date
    refused: int
    locked_exits: int
    by_gate: tuple[GateCount, ...]
    newest: tuple[Attempt, ...]


class OverrideMade(Struct, frozen=True, kw_only=True):
    """An entry against the zone, or an attempt that ``gate`` refused."""

    at: AwareTime
    asset: str
    direction: Side | None
    gate: str | None
    trader_wrote: str | None


class TradeMade(Struct, frozen=True, kw_only=True):
    """A closed trade of the day."""

    asset: str
    side: Side
    size: int
    entry_at: AwareTime
    exit_at: AwareTime
    entry_price: Price
    exit_price: Price
    pnl_points: Points
    pnl_usd: Usd
    pnl_r: Decimal | None
    held_s: int
    reason: str
    override: bool
    forced_exit: bool
    estimated: bool
    trader_wrote: str | None


class DayNow(Struct, frozen=True, kw_only=True):
    """How the day stands that is not over: what is left of its trades, and of what it may lose.

    Of ``trades_left`` the entries ``on_their_way`` are taken off already (SPEC 4). It is null once the daily stop has
    ended the day: what the limit would leave is nothing that can be traded.
    """

    trades_left: int | None
    on_their_way: int
    trades_limit: int
    stopped: bool
    result_usd: Usd | None
    result_pct: Decimal | None
    stop_limit_pct: Decimal


class Day(Struct, frozen=True, kw_only=True):
    """One trading day of one environment.

    ``result_points`` is null with ``points_missing`` where trades of several assets would be added. Overrides are those
    of both environments, as the journal counts attempts.
    """

    day: date
    weekday: str
    trades: int
    wins: int
    losses: int
    result_usd: Usd
    result_points: Points | None
    points_missing: Literal["no_trades", "several_assets", "too_many_trades"] | None
    best_usd: Usd | None
    worst_usd: Usd | None
    overrides: int
    overrides_refused: int
    forced_exits: int
    estimated: int
    shown: tuple[TradeMade, ...]
    made_overrides: tuple[OverrideMade, ...]
    now: DayNow | None


class Unmade(Struct, frozen=True, kw_only=True):
    """A refused entry and what would have become of it; null figures have a code in ``why``."""

    at: AwareTime
    asset: str
    direction: Side | None
    price: Price | None
    gate: str
    outcome: str | None
    points: Points | None
    usd: Usd | None
    why: str | None
    simulated: bool


class OtherDay(Struct, frozen=True, kw_only=True):
    """What the refused entries of a day would have become. ``unknown`` of them nobody can judge."""

    day: date
    refused: int
    judged: int
    unknown: int
    targets: int
    stops: int
    day_ends: int
    would_have_made_usd: Usd | None
    simulated: int
    replay_equal: bool
    unequal_rows: int
    truncated: bool
    shown: tuple[Unmade, ...]


# -- many days ------------------------------------------------------------------------------------------------------


class GroupFound(Struct, frozen=True, kw_only=True):
    """The trades of one group. Below 20 trades nothing but their number is told, and ``missing`` says so.

    ``differs``: the 95 % interval of the mean lies above, or below, the mean of all trades.
    """

    by: str
    name: str
    words: str
    trades: int
    missing: Literal["under_20_trades", "unknown_risk"] | None
    win_share: Decimal | None
    win_low: Decimal | None
    win_high: Decimal | None
    trades_with_r: int | None
    mean_r: Decimal | None
    mean_low: Decimal | None
    mean_high: Decimal | None
    differs: Differs | None


class Statistics(Struct, frozen=True, kw_only=True):
    """The trades of many days of one environment, and their groups. Intervals are of 95 %."""

    asset: str | None
    first_day: date | None
    last_day: date | None
    trades: int
    truncated: bool
    missing: Literal["under_20_trades"] | None
    least_trades: int
    wins: int
    win_share: Decimal | None
    win_low: Decimal | None
    win_high: Decimal | None
    mean_usd: Usd | None
    mean_usd_low: Usd | None
    mean_usd_high: Usd | None
    trades_with_r: int
    mean_r: Decimal | None
    mean_r_low: Decimal | None
    mean_r_high: Decimal | None
    compared: int
    differing: int
    differing_by_chance: Decimal | None
    groups: tuple[GroupFound, ...]
    refused_count: int
    refused: tuple[GateCount, ...]


# -- the market -----------------------------------------------------------------------------------------------------


class HeldPosition(Struct, frozen=True, kw_only=True):
    """A position of the desk. ``missing`` names what is null, each with a code."""

    asset: str
    contract: str
    side: Side
    quantity: int
    average_price: Price | None
    last_price: Price | None
    open_points: Points | None
    open_usd: Usd | None
    stop_price: Price | None
    stop_rests: bool | None
    held_s: int | None
    simulated: bool
    missing: dict[str, str]


class OpenOrder(Struct, frozen=True, kw_only=True):
    """An order that is not final."""

    asset: str
    contract: str
    kind: str
    side: Side
    quantity: int
    filled: int
    status: str
    fate_unknown: bool


class ForeignHeld(Struct, frozen=True, kw_only=True):
    """A position at the broker in a contract that the desk does not trade; ``symbol`` is null when it is no name."""

    symbol: str | None
    position: int
    accepted: bool


class Positions(Struct, frozen=True, kw_only=True):
    """What the desk holds, what is on its way, and what the broker holds besides.

    With ``asset`` all of it, also ``flat``, is of that asset alone; without, of the whole desk.
    """

    asset: str | None = None
    held: tuple[HeldPosition, ...]
    orders: tuple[OpenOrder, ...]
    foreign: tuple[ForeignHeld, ...]
    disagreements: dict[str, int]
    flat: bool


class Colour(Struct, frozen=True, kw_only=True):
    """The last brick of one size; null colour with a code where it is not known or too old to count."""

    size: str
    colour: Literal["green", "red"] | None
    missing: Literal["not_seen", "stale"] | None
    age_s: int | None


class Consensus(Struct, frozen=True, kw_only=True):
    """The brick colours and the zone of the desk. The weighted vote of feeds is not read, as ``vote_missing`` says."""

    asset: str
    source: Literal["desk"]
    vote_missing: Literal["feeds_not_asked"]
    zone: str | None
    zone_direction: Side | None
    colours: tuple[Colour, ...]
    simulated: bool
