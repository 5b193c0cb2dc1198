"""Recompute trades, days and statistics from the journal's raw rows, with nothing of the program's own code.

Only the standard library is imported. The table of contracts is written from SPEC 2 and the exchanges' contract sizes,
and money is counted in fractions: nothing is rounded before the end. What is read of a row is what happened (orders,
fills with price and quantity, told commissions, prices that were seen); of the closed trades only their names: id,
contract, environment, reason. Rows are those of the JSON lines that ``flask desk export`` writes of the journal::

    python -m tests.journal.recompute journal.jsonl [COMMISSION_MES=0.62 ...]

A fill's commission is the told one, else the one set for its product, else unknown, and with one unknown fill that of
its trade is, too. Prices that no row observed are not in the journal, so the excursions reach at least as far as here.
"""

from __future__ import annotations

import json
import math
import sys
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

ZERO = Fraction(0)
NEW_YORK = ZoneInfo("America/New_York")
LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)
MONTHS = "FGHJKMNQUVXZ"
Row = Mapping[str, Any]


class Product(NamedTuple):
    """What a contract is: USD per 1.00 of price, the tick, and the unit of its asset (SPEC 2)."""

    usd: Fraction
    tick: Fraction
    unit: Fraction


def _product(usd: str, tick: str, unit: str) -> Product:
    return Product(Fraction(usd), Fraction(tick), Fraction(unit))


PRODUCTS = {
    "ES": _product("50", "0.25", "1"),  # 50 USD x S&P 500
    "MES": _product("5", "0.25", "1"),
    "NQ": _product("20", "0.25", "4"),  # 20 USD x Nasdaq-100
    "MNQ": _product("2", "0.25", "4"),
    "YM": _product("5", "1", "8"),  # 5 USD x Dow Jones
    "MYM": _product("0.50", "1", "8"),
    "RTY": _product("50", "0.10", "0.6"),  # 50 USD x Russell 2000
    "M2K": _product("5", "0.10", "0.6"),
    "CL": _product("1000", "0.01", "0.02"),  # 1,000 barrels
    "MCL": _product("100", "0.01", "0.02"),
    "GC": _product("100", "0.10", "0.8"),  # 100 troy ounces
    "MGC": _product("10", "0.10", "0.8"),
    "XAUUSD": _product("10", "0.001", "0.8"),  # a small lot of 10 oz
    "EURUSD": _product("10000", "0.00001", "0.0001"),  # a small lot of 10,000
    "GBPUSD": _product("10000", "0.00001", "0.0001"),
}


def product_of(contract: str) -> str:
    """Return the product of a contract: ``MES`` of ``MESZ6``, a CFD is its own. Raises ValueError."""
    root = contract.rstrip("0123456789")
    root = root[:-1] if root != contract and root[-1:] in MONTHS else contract
    if root not in PRODUCTS:
        raise ValueError(f"{contract} is of no product in the table")
    return root


class Fill(NamedTuple):
    """What was bought (``change`` > 0) or sold. ``told`` is its commission in USD, None where nobody told it.

    A ``guess`` was taken over from the broker's position; a fill that is told later replaces it.
    """

    at: datetime
    asset: str
    change: int
    price: Fraction
    told: Fraction | None = None
    guess: bool = False
    exec_id: str | None = None


@dataclass
class Costs:
    """The commissions of one trade: those told, and how many contracts nobody told any of, by the rate in force."""

    told: Fraction = ZERO
    untold: dict[Fraction | None, int] = field(default_factory=lambda: defaultdict(int))

    def is_known(self) -> bool:
        return not self.untold.get(None)

    def total(self) -> Fraction:
        """Return the sum in USD of those that are known."""
        return self.told + sum((rate * count for rate, count in self.untold.items() if rate is not None), ZERO)


@dataclass
class Excursion:
    """The worst and the best of a trade: in points what was held had won, in USD all of it, what had left included."""

    worst: Fraction = ZERO
    best: Fraction = ZERO
    worst_usd: Fraction = ZERO
    best_usd: Fraction = ZERO

    def reach(self, points: Fraction, usd: Fraction) -> None:
        self.worst, self.best = min(self.worst, points), max(self.best, points)
        self.worst_usd, self.best_usd = min(self.worst_usd, usd), max(self.best_usd, usd)


@dataclass
class Held:
    """A trade while it runs and after it. Amounts of price are sums over contracts, divided only when asked."""

    id: str
    sign: int
    opened: datetime
    stop_points: Fraction | None
    held: int = 0
    cost: Fraction = ZERO  # of what is held
    bought: int = 0
    paid: Fraction = ZERO  # for all that was ever entered
    sold: int = 0
    got: Fraction = ZERO
    guesses: list[Fill] = field(default_factory=list)  # exits whose fill nobody told
    fills: list[tuple[Fill, int, Fraction | None]] = field(default_factory=list)  # with contracts and the rate
    marks: list[tuple[Fraction, Fraction]] = field(default_factory=list)  # from the average, and over all contracts

    def enter(self, fill: Fill, count: int) -> None:
        self.held, self.bought = self.held + count, self.bought + count
        self.cost, self.paid = self.cost + fill.price * count, self.paid + fill.price * count

    def leave(self, fill: Fill, count: int) -> None:
        self.see(fill.price)
        self.cost -= self.cost * count / self.held
        self.held, self.sold = self.held - count, self.sold + count
        self.got += fill.price * count
        if fill.guess:
            self.guesses.append(fill._replace(change=count))

    def see(self, price: Fraction) -> None:
        self.marks.append(((price - self.cost / self.held) * self.sign, self.won_at(price)))

    def won_at(self, price: Fraction) -> Fraction:
        """Return what all its contracts have won if the rest left at ``price``."""
        return (self.got + price * self.held - self.paid) * self.sign

    def reprice(self, average: Fraction) -> None:
        """Take the broker's average for all that was entered (SPEC 8.3)."""
        self.cost, self.paid = average * self.held, average * self.bought

    def learn(self, fill: Fill, count: int, rate: Fraction | None) -> None:
        """Put a fill that is told now in the place of what was guessed."""
        while count and self.guesses:
            guess = self.guesses.pop(0)
            part = min(count, guess.change)
            self.got += (fill.price - guess.price) * part
            self.marks.append(((fill.price - self.paid / self.bought) * self.sign, self.won_at(fill.price)))
            self._recharge(fill, guess, part, rate)
            if part < guess.change:
                self.guesses.insert(0, guess._replace(change=guess.change - part))
            count -= part

    def _recharge(self, fill: Fill, guess: Fill, part: int, rate: Fraction | None) -> None:
        place = next(i for i, one in enumerate(self.fills) if one[0].guess and one[0].at == guess.at)
        old, count, before = self.fills.pop(place)
        share = None if fill.told is None else fill.told * part / abs(fill.change)
        self.fills.insert(place, (fill._replace(told=share), part, rate))
        if part < count:
            self.fills.insert(place, (old, count - part, before))

    def retell(self, exec_id: str, told: Fraction, whole: int) -> None:
        """Take the commission that is told only now of an execution of ``whole`` contracts."""
        for place, (fill, count, rate) in enumerate(self.fills):
            if fill.exec_id == exec_id and fill.told is None:
                self.fills[place] = (fill._replace(told=told * count / whole), count, rate)

    def costs(self) -> Costs:
        costs = Costs()
        for fill, count, rate in self.fills:
            if fill.told is None:
                costs.untold[rate] += count
            else:
                costs.told += fill.told
        return costs


class Result(NamedTuple):
    """One closed trade. All amounts are USD; ``points`` are the asset's own. None is unknown.

    ``charged`` is the part of the commission that is known.
    """

    id: str
    asset: str
    contract: str
    env: str
    side: str
    size: int
    day: date
    opened: datetime
    closed: datetime
    entry: Fraction
    exit: Fraction
    points: Fraction
    gross: Fraction
    charged: Fraction
    commission: Fraction | None
    net: Fraction | None
    risk: Fraction | None
    r: Fraction | None
    mae_points: Fraction
    mfe_points: Fraction
    mae_usd: Fraction
    mfe_usd: Fraction


class Ledger:
    """Reads rows in order and keeps what is held and what was closed."""

    def __init__(self, commissions: Mapping[str, str | Decimal] | None = None) -> None:
        self.given = commissions
        self.rates: dict[str, Fraction] = {name: Fraction(rate) for name, rate in (commissions or {}).items()}
        self.stop_points: Fraction | None = None
        self.roll = "18:00"
        self.contracts: dict[str, str] = {}
        self.orders: dict[str, tuple[str, int]] = {}  # asset and sign
        self.open: dict[str, Held] = {}
        self.closed: dict[str, Held] = {}
        self.seen: dict[str, datetime] = defaultdict(lambda: LONG_AGO)
        self.names: dict[str, Row] = {}  # of closed trades, as the journal tells them
        self.faults: list[str] = []

    # -- rows ---------------------------------------------------------------------------------------------------

    def read(self, row: Row) -> None:
        at = instant(row["at"])
        self._observe(row.get("observed") or {})
        self._configure(row["command"])
        events = row["events"]
        opened = [event for event in events if event["type"] == "TradeOpened"]
        self._note_names(events)
        for event in events:
            if event["type"] == "OrderQueued":
                self.orders[event["order_id"]] = (event["asset"], sign_of(event["side"]))
            elif event["type"] == "TradeRepriced":
                self._reprice(event)
            elif event["type"] == "LimitsChanged" and "stop_points" in event["now"]:
                self.stop_points = Fraction(event["now"]["stop_points"])
        for fill in with_told(moves(self.orders, at, events), events, row["command"]):
            self._move(fill, opened)
        self._correct(at, row["command"], events)
        self._retell(row["command"])

    def _retell(self, command: Row) -> None:
        """Charge what a command tells of executions that were booked before without a commission."""
        for said in (command, *command.get("fills", ())):
            if said.get("exec_id") is not None and said.get("commission") is not None and said.get("qty"):
                for trade in (*self.closed.values(), *self.open.values()):
                    trade.retell(said["exec_id"], Fraction(said["commission"]), said["qty"])

    def _reprice(self, event: Row) -> None:
        trade = self.open.get(event["asset"])
        if trade is None:
            self._fault(f"{event['asset']} was priced again, and nothing is held")
        else:
            trade.reprice(Fraction(event["price"]))

    def _fault(self, text: str) -> None:
        if text not in self.faults:
            self.faults.append(text)

    def _note_names(self, events: Sequence[Row]) -> None:
        for event in events:
            if event["type"] == "TradeClosed":
                self.names[event["id"]] = event
            elif event["type"] == "TradeCorrected":
                self.names[event["trade"]["id"]] = event["trade"]
            elif event["type"] == "ContractChanged":
                self.contracts[event["asset"]] = event["contract"]

    def _configure(self, command: Row) -> None:
        if command["type"] != "ConfigureDesk":
            return
        rules = command["rules"]
        if self.given is None:
            self.rates = {name: Fraction(rate) for name, rate in rules.get("commissions", {}).items()}
        self.stop_points = Fraction(rules["stop_points"])
        self.roll = rules["day_roll"]
        self.contracts |= {asset: contract["symbol"] for asset, contract in rules["contracts"].items()}

    def _observe(self, observed: Row) -> None:
        for asset, seen in observed.get("assets", {}).items():
            if seen.get("last_price") is None or seen.get("price_at") is None:
                continue
            at = instant(seen["price_at"])
            trade = self.open.get(asset)
            if trade is not None and at >= trade.opened and at > self.seen[asset]:
                trade.see(Fraction(seen["last_price"]))
            self.seen[asset] = max(at, self.seen[asset])

    # -- fills --------------------------------------------------------------------------------------------------

    def _move(self, fill: Fill, opened: list[Row]) -> None:
        """Book a fill: against the position it closes, what is left of it opens or grows one."""
        left = abs(fill.change)
        sign = 1 if fill.change > 0 else -1
        trade = self.open.get(fill.asset)
        if trade is not None and trade.sign != sign:
            out = min(left, trade.held)
            self._charge(trade, fill, out)
            trade.leave(fill, out)
            left -= out
            if trade.held == 0:
                self.closed[trade.id] = self.open.pop(fill.asset)
                trade = None
        if not left:
            return
        if trade is None:
            trade = self.open[fill.asset] = self._opened(fill, sign, opened)
        trade.enter(fill, left)
        self._charge(trade, fill, left)

    def _opened(self, fill: Fill, sign: int, opened: list[Row]) -> Held:
        told = next((event for event in opened if event["asset"] == fill.asset), None)
        if told is None:
            self._fault(f"{fill.at}: {fill.asset} was opened, and no event says so")
            return Held(f"untold {fill.at} {fill.asset}", sign, fill.at, self.stop_points)
        opened.remove(told)
        return Held(told["trade_id"], sign, fill.at, self.stop_points)

    def _charge(self, trade: Held, fill: Fill, count: int) -> None:
        share = None if fill.told is None else fill.told * count / abs(fill.change)
        trade.fills.append((fill._replace(told=share), count, self._rate(fill.asset)))

    def _rate(self, asset: str) -> Fraction | None:
        return self.rates.get(product_of(self.contracts[asset]))

    def _correct(self, at: datetime, command: Row, events: Sequence[Row]) -> None:
        """Put fills that are told only now in the place of what was guessed of them (SPEC 8.3, 8.4)."""
        corrected = {event["asset"]: event["trade"]["id"] for event in events if event["type"] == "TradeCorrected"}
        for fill in told_late(self.orders, at, command, events):
            trade = self.closed.get(corrected.get(fill.asset, "")) or self.open.get(fill.asset)
            if trade is not None and trade.sign * fill.change < 0:
                trade.learn(fill, abs(fill.change), self._rate(fill.asset))
        for name in corrected.values():
            if name not in self.closed:
                self._fault(f"trade {name} was corrected, and is not closed")

    # -- results ------------------------------------------------------------------------------------------------

    def results(self) -> list[Result]:
        """Return the closed trades, oldest first."""
        found = []
        for name, trade in self.closed.items():
            told = self.names.get(name)
            if told is None:
                self._fault(f"trade {name} was closed, and no event says so")
            else:
                found.append(result_of(trade, told, self.roll))
        for name in self.names.keys() - self.closed.keys():
            self._fault(f"trade {name} was told closed, and is not")
        return sorted(found, key=lambda one: (one.closed, one.id))


def moves(orders: Mapping[str, tuple[str, int]], at: datetime, events: Iterable[Row]) -> Iterator[tuple[Row, Fill]]:
    """Yield each event of a row that moved a position, with the fill that it tells of."""
    for event in events:
        kind, qty = event["type"], event.get("qty") or 0
        if kind in ("OrderReported", "OrderFateSettled") and qty:
            if event["order_id"] not in orders:
                raise ValueError(f"order {event['order_id']} was queued before the first row")
            asset, sign = orders[event["order_id"]]
            guess = kind == "OrderFateSettled"
            yield event, Fill(at, asset, sign * qty, Fraction(event["price"]), None, guess, event.get("exec_id"))
        elif (kind == "FillBooked" and event.get("kind") is not None) or kind == "PositionFollowed":
            change = sign_of(event["side"]) * qty
            guess, price = kind == "PositionFollowed", Fraction(event["price"])
            yield event, Fill(at, event["asset"], change, price, None, guess, event.get("exec_id"))


def with_told(found: Iterable[tuple[Row, Fill]], events: Sequence[Row], command: Row) -> Iterator[Fill]:
    """Yield the fills with the commission that the command tells, by contracts where one report has several parts."""
    pairs = list(found)
    late = sum(event["qty"] for event in events if event["type"] == "FillBooked" and event.get("kind") is None)
    for event, fill in pairs:
        told, whole = commission_told(command, event.get("exec_id"))
        parts = [abs(one.change) for other, one in pairs if other.get("exec_id") == event.get("exec_id")]
        whole = whole or sum(parts) + late
        yield fill if told is None or fill.guess else fill._replace(told=told * abs(fill.change) / whole)


def commission_told(command: Row, exec_id: str | None) -> tuple[Fraction | None, int]:
    """Return the commission that a command tells of an execution, and its contracts; 0 when they are in the events."""
    if command["type"] == "ReportExecution":
        told = command.get("commission")
        return (None if told is None else Fraction(told)), 0
    for fill in command.get("fills", ()) if command["type"] == "BookFills" else ():
        if fill["exec_id"] == exec_id:
            told = fill.get("commission")
            return (None if told is None else Fraction(told)), fill["qty"]
    return None, 0


def told_late(
    orders: Mapping[str, tuple[str, int]], at: datetime, command: Row, events: Sequence[Row]
) -> Iterator[Fill]:
    """Yield the fills of a row that moved no position because the desk had followed the broker before."""
    booked = [event for event in events if event["type"] == "FillBooked" and event.get("kind") is None]
    for event in booked:
        change = sign_of(event["side"]) * event["qty"]
        told, whole = commission_told(command, event.get("exec_id"))
        share = None if told is None else told * abs(change) / (whole or abs(command.get("qty") or change))
        yield Fill(at, event["asset"], change, Fraction(event["price"]), share, exec_id=event.get("exec_id"))
    is_corrected = any(event["type"] == "TradeCorrected" for event in events)
    if is_corrected and not booked and command["type"] == "ReportExecution":
        told, _ = commission_told(command, None)
        asset, sign = orders[command["order_id"]]
        qty = command.get("qty") or command.get("cum_qty") or 0
        yield Fill(at, asset, sign * qty, Fraction(command["fill_price"]), told)


def result_of(trade: Held, told: Row, roll: str) -> Result:
    """Return the result of a closed trade; ``told`` names its contract, its environment and its end."""
    name = product_of(told["contract"])
    product = PRODUCTS[name]
    won = (trade.got - trade.paid) * trade.sign
    gross = won * product.usd
    costs = trade.costs()
    commission = costs.total() if costs.is_known() else None
    net = None if commission is None else gross - commission
    risk = risk_of(trade, product)
    reach = Excursion()
    for distance, all_won in trade.marks:
        reach.reach(distance / product.unit, all_won * product.usd)
    closed = instant(told["exit_ts"])
    return Result(
        trade.id,
        told["asset"],
        told["contract"],
        told["env"],
        "BUY" if trade.sign > 0 else "SELL",
        trade.bought,
        trading_day(closed, roll),
        trade.opened,
        closed,
        trade.paid / trade.bought,
        trade.got / trade.sold,
        won / trade.bought / product.unit,
        gross,
        costs.total(),
        commission,
        net,
        risk,
        None if net is None or not risk else net / risk,
        reach.worst,
        reach.best,
        reach.worst_usd,
        reach.best_usd,
    )


def risk_of(trade: Held, product: Product) -> Fraction | None:
    """Return what the trade could lose at its first stop, with what its contracts cost in and out (SPEC 2)."""
    if trade.stop_points is None:
        return None
    entries = [one for one in trade.fills if one[0].change * trade.sign > 0]
    rates = [rate or ZERO for _, count, rate in entries for _ in range(count)]
    return trade.bought * trade.stop_points * product.unit * product.usd + 2 * sum(rates, ZERO)


# -- days and statistics --------------------------------------------------------------------------------------------


class Day(NamedTuple):
    """The result of one trading day in one environment, of one asset or, with ``asset`` None, over all."""

    day: date
    env: str
    asset: str | None
    trades: int
    gross: Fraction
    charged: Fraction
    commission: Fraction | None
    net: Fraction | None


def days_of(results: Sequence[Result]) -> list[Day]:
    groups: dict[tuple[date, str, str], list[Result]] = defaultdict(list)
    for one in results:
        groups[(one.day, one.env, one.asset)].append(one)
        groups[(one.day, one.env, "")].append(one)
    return [
        Day(day, env, asset or None, len(ones), *sums_of(ones)) for (day, env, asset), ones in sorted(groups.items())
    ]


def sums_of(results: Sequence[Result]) -> tuple[Fraction, Fraction, Fraction | None, Fraction | None]:
    """Return gross, known commission, commission and net of some trades; an unknown one makes these two unknown."""
    gross = sum((one.gross for one in results), ZERO)
    charged = sum((one.charged for one in results), ZERO)
    is_known = all(one.commission is not None for one in results)
    return gross, charged, charged if is_known else None, gross - charged if is_known else None


def statistics_of(results: Sequence[Result]) -> dict[str, Any]:
    """Return the figures of some trades of one environment, net of the commissions that are known."""
    dollars = [one.gross - one.charged for one in results]
    multiples = [(one.gross - one.charged) / one.risk for one in results if one.risk]
    won, lost = [usd for usd in dollars if usd > 0], [usd for usd in dollars if usd < 0]
    held = [Fraction((one.closed - one.opened) // timedelta(microseconds=1), 10**6) for one in results]
    return {
        "trades": len(results),
        "wins": len(won),
        "losses": len(lost),
        "commission_unknown": sum(one.commission is None for one in results),
        "commission_usd": sum((one.charged for one in results), ZERO),
        "gross_usd": sum((one.gross for one in results), ZERO),
        "usd": sum(dollars, ZERO),
        "win_rate": share(len(won), len(results)),
        "expectancy_usd": mean(dollars),
        "expectancy_r": mean(multiples),
        "trades_with_r": len(multiples),
        "deviation_usd": deviation(dollars),
        "deviation_r": deviation(multiples),
        "profit_factor": share(sum(won, ZERO), -sum(lost, ZERO)),
        "average_hold_s": mean(held),
        "deepest_fall": deepest_fall(dollars),
    }


def share(part: Fraction | int, whole: Fraction | int) -> Fraction | None:
    return Fraction(part) / whole if whole else None


def mean(values: Sequence[Fraction]) -> Fraction | None:
    return share(sum(values, ZERO), len(values))


def deviation(values: Sequence[Fraction]) -> float | None:
    """Return the standard deviation of a sample, None for fewer than two values."""
    middle = mean(values)
    if middle is None or len(values) < 2:
        return None
    variance = sum(((value - middle) ** 2 for value in values), ZERO) / (len(values) - 1)
    return math.sqrt(variance)


def deepest_fall(dollars: Iterable[Fraction]) -> Fraction:
    """Return the largest loss from a peak of the sums, of which 0 at the start is one."""
    total = peak = fall = ZERO
    for usd in dollars:
        total += usd
        peak = max(peak, total)
        fall = max(fall, peak - total)
    return fall


# -- small things ---------------------------------------------------------------------------------------------------


def sign_of(side: str) -> int:
    return {"BUY": 1, "SELL": -1}[side]


def instant(text: str) -> datetime:
    return datetime.fromisoformat(text)


def trading_day(at: datetime, roll: str) -> date:
    """Return the trading day of an instant: from the roll on the next one, and the weekend is Monday's (SPEC 2)."""
    local = at.astimezone(NEW_YORK)
    hour = int(roll[:2])
    begun = local.strftime("%H:%M") >= roll
    day = local.date() + timedelta(days=int(hour >= 12 and begun) - int(hour < 12 and not begun))
    while day.isoweekday() > 5:
        day += timedelta(days=1)
    return day


def cents(usd: Fraction | None) -> str:
    """Return an amount to the cent, halves away from zero; ``unknown`` for None."""
    if usd is None:
        return "unknown"
    whole = int(abs(usd) * 100 + Fraction(1, 2))
    return f"{'-' if usd < 0 and whole else ''}{whole // 100}.{whole % 100:02d}"


def read_lines(lines: Iterable[str]) -> Iterator[Row]:
    for line in lines:
        if line.strip():
            yield json.loads(line)


def recompute(rows: Iterable[Row], commissions: Mapping[str, str | Decimal] | None = None) -> Ledger:
    """Read all rows; ``commissions`` are USD of a contract and side by product, None: what the journal says was set.

    Raises ValueError when the rows begin in the middle of an order, or name a contract that nobody knows.
    """
    ledger = Ledger(commissions)
    for row in rows:
        ledger.read(row)
    return ledger


def main(arguments: Sequence[str]) -> int:
    if not arguments:
        print("usage: python -m tests.journal.recompute FILE [COMMISSION_<PRODUCT>=USD ...]", file=sys.stderr)
        return 2
    pairs = dict(one.removeprefix("COMMISSION_").split("=", 1) for one in arguments[1:])
    with open(arguments[0], encoding="utf-8") as file:
        ledger = recompute(read_lines(file), pairs or None)
    results = ledger.results()
    for one in results:
        amounts = (one.gross, one.commission, one.net, one.risk, one.mae_usd, one.mfe_usd)
        r = "unknown" if one.r is None else f"{float(one.r):.4f}"
        print("trade", one.id, one.day, one.env, one.contract, one.side, one.size, *map(cents, amounts), r)
    for day in days_of(results):
        sums = map(cents, (day.gross, day.commission, day.net))
        print("day", day.day, day.env, day.asset or "all", day.trades, *sums)
    for env in sorted({one.env for one in results}):
        figures = statistics_of([one for one in results if one.env == env])
        for name, value in figures.items():
            print("statistic", env, name, value if isinstance(value, int) or value is None else f"{float(value):.6f}")
    for fault in ledger.faults:
        print("fault", fault)
    return 1 if ledger.faults else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
