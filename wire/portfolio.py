"""The portfolio: what is held in every account, what it is worth, and how it came to be (``GET /api/portfolio``).

Units follow the naming rules of ``wire/state.py``: ``_usd`` is US dollars, ``_ts`` and ``at`` are RFC 3339 UTC times.
What nobody knows is null, never 0; a code beside it says why.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Literal

from msgspec import Struct

from wire.answers import OkAnswer
from wire.types import AwareTime, Env, FillKind, Price, Side, Usd, says

PositionSource = Literal["desk", "broker", "manual", "mt4"]
PositionSide = Literal["long", "short"]
CorrelatedGroup = Literal["us_index", "crude", "gold", "usd_pairs", "crypto", "other"]
PriceCode = Literal[
    "no_price", "no_open_pnl", "not_on_desk", "other_contract", "simulated", "unknown_size", "other_currency"
]
RiskCode = Literal["no_stop", "stop_not_told", "stop_partial", "unknown_size", "no_average", "other_currency"]
UncountedCode = Literal["held_at_broker"]
Missing = Literal["mt4"]
HistorySource = Literal["desk", "mt4"]


class PortfolioPosition(Struct, frozen=True, kw_only=True):
    """A position of one account."""

    id: Annotated[str, says("of the desk's trade, the external position, or as MT4 names it")]
    account: Annotated[str | None, says("whose it is, as the bridge, the operator or MT4 names it; null: nobody did")]
    env: Annotated[Env | None, says("of the account; null where nobody told it")]
    source: Annotated[
        PositionSource,
        says(
            "desk: a trade of the desk; broker: the bridge reports it, in a contract that the desk does not trade; "
            "manual: the operator noted it; mt4: the MT4 account"
        ),
    ]
    symbol: Annotated[str, says("the operator's symbol, such as ES; as it was told where no market is known")]
    contract: Annotated[str | None, says("the contract, such as MESZ6; null where none is known")]
    group: Annotated[CorrelatedGroup, says("markets that usually move together")]
    side: PositionSide
    qty: Annotated[Decimal, says("contracts or lots, above 0")]
    avg_price: Annotated[Price | None, says("mean price of what is held; null where nobody told it")]
    price: Annotated[Price | None, says("the last one that was heard of this contract; null with price_code")]
    price_ts: Annotated[AwareTime | None, says("when it was heard; null without a price, and of MT4")]
    price_code: Annotated[PriceCode | None, says("why value or PnL is null; null: both are known")]
    point_value: Annotated[Usd | None, says("USD per 1.00 of price of one contract; null where it is not known")]
    value_usd: Annotated[Usd | None, says("qty x price x point_value, to the cent, without a sign")]
    open_pnl_usd: Annotated[Usd | None, says("USD open now, to the cent")]
    stop_price: Annotated[Price | None, says("the resting stop that is reached first; null when none is known")]
    risk_usd: Annotated[
        Usd | None, says("lost from the mean price if every resting stop fills at its price; null with risk_code")
    ]
    risk_code: Annotated[RiskCode | None, says("why the risk is not known; null: it is")]
    opened_ts: Annotated[AwareTime | None, says("since when it is held; of an external one, when it was noted")]
    note: Annotated[str, says("the operator's words; empty without any")]
    simulated: Annotated[bool, says("a simulated market makes its price: it is no money")]
    uncounted: Annotated[
        UncountedCode | None, says("why no sum counts it: the bridge reports it, so it is there already; null: counted")
    ]
    broker_position: Annotated[
        int | None, says("signed contracts that the broker reports, while they are others than the desk's; else null")
    ]


class ExposureSums(Struct, frozen=True, kw_only=True):
    """Sums over positions. A sum to which one of them gives nothing known is null, and the counts say of how many."""

    positions: Annotated[int, says("how many are counted")]
    value_usd: Annotated[Usd | None, says("of long and short ones together")]
    net_usd: Annotated[Usd | None, says("long less short")]
    open_pnl_usd: Usd | None
    risk_usd: Usd | None
    unpriced: Annotated[int, says("how many have no known value or PnL")]
    unknown_risk: Annotated[int, says("how many have no known risk")]


class AccountSums(ExposureSums, frozen=True, kw_only=True):
    """The sums of one account."""

    account: Annotated[str | None, says("its name; null: nobody named it")]
    env: Env | None
    sources: Annotated[tuple[PositionSource, ...], says("who tells of it")]
    equity_usd: Annotated[Usd | None, says("the last one that is believed; null where nobody tells it")]
    equity_ts: Annotated[AwareTime | None, says("when it was told; null where that is not known")]
    realized_today_usd: Annotated[
        Usd | None, says("of the desk's trades that closed this trading day, by its journal; null: no such journal")
    ]


class EnvSums(ExposureSums, frozen=True, kw_only=True):
    """The sums of one environment; null is that of accounts of which nobody told it."""

    env: Env | None


class GroupSums(ExposureSums, frozen=True, kw_only=True):
    """The sums of one correlated group."""

    group: CorrelatedGroup
    symbols: tuple[str, ...]


class AssetSums(ExposureSums, frozen=True, kw_only=True):
    """The sums of one market."""

    symbol: str
    group: CorrelatedGroup


class PortfolioTotals(ExposureSums, frozen=True, kw_only=True):
    """The sums over everything, and by account, environment, correlated group and market. All are in US dollars."""

    realized_today_usd: Annotated[Usd, says("of the trades that closed this trading day, as the journal has them")]
    accounts: tuple[AccountSums, ...]
    envs: tuple[EnvSums, ...]
    groups: tuple[GroupSums, ...]
    assets: tuple[AssetSums, ...]


class Absent(Struct, frozen=True, kw_only=True):
    """Whose positions are not in the answer, and why."""

    source: Missing
    reason: str


class PortfolioAnswer(OkAnswer, frozen=True, kw_only=True):
    """What is held now."""

    as_of: AwareTime
    positions: tuple[PortfolioPosition, ...]
    totals: PortfolioTotals
    missing: Annotated[tuple[Missing, ...], says("whose positions are not in it: they are unknown, not none")]
    missing_because: Annotated[tuple[Absent, ...], says("the same with a sentence each")]


class ExternalAnswer(OkAnswer, frozen=True, kw_only=True):
    """The external position is durable."""

    position: PortfolioPosition


class EquityPoint(Struct, frozen=True, kw_only=True):
    """An account at one instant."""

    at: AwareTime
    account: Annotated[str | None, says("its name as bridge or MT4 told it; null where none was told or kept")]
    env: Env
    source: HistorySource
    equity_usd: Annotated[Usd, says("with the open PnL")]
    realized_pnl_usd: Annotated[Usd | None, says("as the broker said; null when it did not, and of MT4")]
    open_pnl_usd: Annotated[Usd | None, says("as the broker said; null when it did not, and of MT4")]


class PortfolioFill(Struct, frozen=True, kw_only=True):
    """Contracts bought or sold by the desk, or that it took over from the broker; lots of the MT4 account."""

    at: AwareTime
    account: Annotated[str | None, says("the one that the last point before it names; null when none does")]
    env: Annotated[Env | None, says("of its trade; null when that is not known any more")]
    source: HistorySource
    symbol: Annotated[str | None, says("the operator's symbol; null when its trade is not known any more")]
    contract: str | None
    side: Side
    qty: Decimal
    price: Price
    kind: Annotated[FillKind, says("of MT4 ENTRY or EXIT")]
    trade_id: Annotated[str | None, says("of MT4 the position's id; null where it names none")]
    order_id: Annotated[str | None, says("null of MT4, and where the desk followed the broker without an order")]
    amount_usd: Annotated[
        Usd | None,
        says(
            "qty x price x point value, above 0 for a sale: a closed trade's fills add up to its result; null of MT4, "
            "whose lots differ from broker to broker"
        ),
    ]
    realized_usd: Annotated[Usd | None, says("what this fill alone realized, as MT4 tells it; null of the desk")]


class ExternalChange(Struct, frozen=True, kw_only=True):
    """An external position was noted, or taken out again."""

    at: AwareTime
    change: Literal["added", "removed"]
    id: str
    account: str | None
    symbol: str
    contract: str
    side: PositionSide
    qty: Decimal
    avg_price: Price
    note: str


class PortfolioHistoryAnswer(OkAnswer, frozen=True, kw_only=True):
    """How the accounts went: their equity, their fills, and what the operator noted, each oldest first."""

    first_ts: Annotated[AwareTime, says("from then on")]
    last_ts: Annotated[AwareTime, says("and before then")]
    every_s: Annotated[int, says("seconds: of each account one point in so many, its last one; a minute is the finest")]
    points: tuple[EquityPoint, ...]
    fills: tuple[PortfolioFill, ...]
    external: tuple[ExternalChange, ...]
    truncated: Annotated[bool, says("true: there were more fills or changes, and the newest are here")]
    missing: Annotated[tuple[Missing, ...], says("whose fills are not in it: they are unknown, not none")]
    missing_because: Annotated[tuple[Absent, ...], says("the same with a sentence each")]
