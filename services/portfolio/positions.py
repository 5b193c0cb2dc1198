"""The positions that the desk knows of: its trades, what else its bridge reports, what the operator noted. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

from services.engine.model.evidence import ForeignPosition, RestingStop
from services.engine.model.state import Asset, Desk
from services.engine.model.trade import Trade
from services.engine.rules.resting_stops import covers
from services.market.instruments import contract_named
from services.portfolio.external import External
from services.portfolio.groups import group_of
from services.portfolio.prices import Quoted, cents, plain_price, quote_of
from services.projections.equity import account_of
from wire.portfolio import PortfolioPosition, RiskCode
from wire.types import Price, Usd

ZERO = Decimal(0)


def positions_of(desk: Desk) -> Iterator[PortfolioPosition]:
    """Yield the trades of the desk, then what its bridge reports in contracts that the desk does not trade."""
    for asset in desk.assets.values():
        if asset.trade is not None:
            yield trade_position(desk, asset, asset.trade)
    for foreign in desk.foreign:
        if foreign.position and not foreign.expired:
            yield foreign_position(desk, foreign)


def trade_position(desk: Desk, asset: Asset, trade: Trade) -> PortfolioPosition:
    """Return the position of an open trade. Its PnL is the one that the state document shows."""
    contract, live = trade.contract, asset.live
    value = None if live.last_price is None else cents(contract.usd(abs(live.last_price) * trade.quantity))
    pnl = None if live.open_points is None else cents(contract.usd(live.open_points * contract.point * trade.quantity))
    is_of_the_bridge = trade.env == desk.env
    stop, risk, risk_code = _risk_of(desk, trade) if is_of_the_bridge else (None, None, _NOT_TOLD)
    return PortfolioPosition(
        id=trade.id,
        account=account_of(desk) if is_of_the_bridge else None,
        env=trade.env,
        source="desk",
        symbol=asset.symbol,
        contract=contract.symbol,
        group=group_of(asset.symbol),
        side="long" if trade.side == "BUY" else "short",
        qty=Decimal(trade.quantity),
        avg_price=plain_price(trade.entry_price),
        price=live.last_price,
        price_ts=live.price_at,
        price_code="no_price" if value is None else "no_open_pnl" if pnl is None else None,
        point_value=contract.usd_per_price,
        value_usd=value,
        open_pnl_usd=pnl,
        stop_price=stop,
        risk_usd=risk,
        risk_code=risk_code,
        opened_ts=trade.opened_at,
        note="",
        simulated=live.is_price_simulated,
        uncounted=None,
        broker_position=asset.disagreement.broker_position if asset.disagreement else None,
    )


def foreign_position(desk: Desk, foreign: ForeignPosition) -> PortfolioPosition:
    """Return a position that the bridge reports and the desk does not trade. Nobody told its mean price."""
    return PortfolioPosition(
        id=f"broker-{foreign.symbol}",
        account=account_of(desk),
        env=desk.env,
        source="broker",
        symbol=_market_of(foreign),
        contract=foreign.symbol,
        group=group_of(_market_of(foreign)),
        side="long" if foreign.position > 0 else "short",
        qty=Decimal(abs(foreign.position)),
        avg_price=None,
        price=None,
        price_ts=None,
        price_code="not_on_desk",
        point_value=None,
        value_usd=None,
        open_pnl_usd=None,
        stop_price=None,
        risk_usd=None,
        risk_code="no_average",
        opened_ts=foreign.since,
        note="",
        simulated=False,
        uncounted=None,
        broker_position=None,
    )


def external_position(desk: Desk, held: External) -> PortfolioPosition:
    """Return an external position at the desk's price of its contract, where the desk has one."""
    noted = held.noted
    quoted = quote_of(desk, noted.symbol, noted.contract)
    sign = 1 if noted.side == "long" else -1
    value, pnl = _worth(quoted, noted.qty * noted.point_value, noted.avg_price, sign)
    return PortfolioPosition(
        id=held.id,
        account=noted.account,
        env=desk.env if is_the_bridges(desk, noted.account) else None,
        source="manual",
        symbol=noted.symbol,
        contract=noted.contract,
        group=group_of(noted.symbol),
        side=noted.side,
        qty=noted.qty,
        avg_price=noted.avg_price,
        price=quoted.price,
        price_ts=quoted.at,
        price_code=quoted.code,
        point_value=noted.point_value,
        value_usd=value,
        open_pnl_usd=pnl,
        stop_price=None,
        risk_usd=None,
        risk_code=_NOT_TOLD,
        opened_ts=held.added_at,
        note=noted.note,
        simulated=False,
        uncounted="held_at_broker" if is_held_at_broker(desk, noted.symbol, noted.account) else None,
        broker_position=None,
    )


# -- what the bridge reports ----------------------------------------------------------------------------------------


def is_the_bridges(desk: Desk, account: str | None) -> bool:
    """Return whether an account is certainly the one that the bridge names."""
    own = account_of(desk)
    return account is not None and own is not None and account.casefold() == own.casefold()


def is_held_at_broker(desk: Desk, symbol: str, account: str | None) -> bool:
    """Return whether the bridge reports a position in a market for an account, or may mean that account.

    It may wherever one of the two is not named. A position that might be the same is never counted twice.
    """
    is_another = account is not None and account_of(desk) is not None and not is_the_bridges(desk, account)
    return not is_another and _reported(desk, symbol) != 0


def _reported(desk: Desk, symbol: str) -> int:
    """Return contracts that the broker has in a market, without a sign; what the desk believes where none is told."""
    asset = desk.assets.get(symbol)
    own = 0
    if asset is not None:
        own = asset.position if asset.disagreement is None else asset.disagreement.broker_position
    foreign = [one.position for one in desk.foreign if _market_of(one) == symbol and not one.expired]
    return abs(own) + sum(abs(position) for position in foreign)


def _market_of(foreign: ForeignPosition) -> str:
    """Return the market of a contract, also of one that is not on the desk; its own name where nobody knows it."""
    named = contract_named(foreign.symbol, foreign.since.date())
    return foreign.asset or (foreign.symbol if named is None else named.asset)


# -- money ----------------------------------------------------------------------------------------------------------

_NOT_TOLD: RiskCode = "stop_not_told"


def _worth(quoted: Quoted, size: Usd, average: Price, sign: int) -> tuple[Usd | None, Usd | None]:
    """Return value and open PnL; ``size`` is the quantity times the point value."""
    if quoted.price is None:
        return None, None
    return cents(abs(quoted.price) * size), cents((quoted.price - average) * sign * size)


def _risk_of(desk: Desk, trade: Trade) -> tuple[Price | None, Usd | None, RiskCode | None]:
    """Return the first stop of a trade, what it may lose from its mean price, and why that is unknown.

    Only stops that were told since it was opened count (SPEC 6.7). A stop beyond the mean price risks nothing.
    """
    live = desk.live
    if live.stops is None or live.stops_at is None or live.stops_at <= trade.opened_at:
        return None, None, _NOT_TOLD
    resting = sorted((stop for stop in live.stops if covers(stop, trade)), key=lambda stop: -stop.price * trade.sign)
    if not resting:
        return None, None, "no_stop"
    if sum(stop.qty for stop in resting) < trade.quantity:
        return resting[0].price, None, "stop_partial"
    lost = _lost_to(resting, trade)
    return resting[0].price, cents(max(ZERO, trade.contract.usd(lost))), None


def _lost_to(resting: list[RestingStop], trade: Trade) -> Price:
    """Return the loss in price times contracts when the stops are reached in this order."""
    left, lost = trade.quantity, ZERO
    for stop in resting:
        out = min(left, stop.qty)
        lost += (trade.entry_price - stop.price) * trade.sign * out
        left -= out
    return lost
