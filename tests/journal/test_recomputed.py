"""What the desk says was won, against the script that recomputes it from the raw journal and shares no code with it.

A seeded trader trades all nine instruments, micro and full, on several days and in both environments: partial fills,
scale-ins, partial exits, fills that come late or are told only after the desk has followed the broker, stops by the
broker's fills; commissions that are told, set, and unknown.
"""

from __future__ import annotations

import ast
import csv
import json
import random
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import date
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any, NamedTuple, Self

import pytest
from msgspec import json as wire_json
from msgspec.structs import asdict, replace

from services.desk.manager import StateManager
from services.engine.model.bridge_commands import BookFills, Execution
from services.engine.model.commands import KeepObservations
from services.engine.model.settings import Rules
from services.engine.model.trade_events import TradeClosed, TradeCorrected
from services.history.archive import write_line
from services.history.export import Days, export
from services.journal.statistics import calendar_of, curve_of, deepest_fall, figures_of
from services.journal.trades import JournalTrade, Selection, page_of
from services.market.instruments import ContractSize, contract_for
from services.views.rows import trade_row
from tests.journal import recompute as again
from tests.support.builders import exactly
from tests.support.paths import REPOSITORY
from tests.support.stored_trader import StoredTrader
from tests.support.trader import Trader
from wire.types import Env, Instant, Side

NINE = ("ES", "NQ", "YM", "RTY", "CL", "GC", "XAUUSD", "EURUSD", "GBPUSD")
START = {  # a price of each market
    "ES": "5250",
    "NQ": "18600",
    "YM": "39800",
    "RTY": "2060",
    "CL": "71.40",
    "GC": "2380",
    "XAUUSD": "2361.500",
    "EURUSD": "1.08250",
    "GBPUSD": "1.26400",
}
SET = {"ES": "2.01", "MES": "0.62", "MNQ": "0.62", "NQ": "2.13", "CL": "2.37", "MCL": "0.77", "EURUSD": "0.35"}
UNKNOWN = ("RTY", "GBPUSD")  # neither told nor set
SIZES: tuple[ContractSize, ...] = ("micro", "full")
DAYS: tuple[tuple[str, Env], ...] = (
    ("2026-11-17", "DEMO"),
    ("2026-11-18", "LIVE"),
    ("2026-11-19", "DEMO"),
    ("2026-11-20", "LIVE"),
    ("2026-11-23", "DEMO"),
)
ENDINGS = ("exit", "stop", "late_fill", "correction", "turn", "overfill", "fate")
ROLL = "18:00"
RICH = Decimal(10_000_000)
CENT = Decimal("0.01")
NUMBERS = {
    *("entry_price", "exit_price", "pnl_points", "pnl_usd", "mae_points", "mfe_points"),
    *("commission_usd", "pnl_net_usd", "risk_usd", "r", "mae_usd", "mfe_usd"),
}
TOLD = frozenset(TradeClosed.__struct_fields__)
IS_NET = "pnl_net_usd" in TOLD
CLOSE_ENOUGH = Fraction(1, 10**12)  # of figures that have no end


class Seeded(StoredTrader):
    """A trader of nine instruments who decides by the dice of a seed. Every price that is heard is journaled."""

    _first_balance = RICH

    def __init__(self, path: Path, seed: int, size: ContractSize) -> None:
        self.dice = random.Random(seed)
        self.size = size
        self.prices = {asset: Decimal(price) for asset, price in START.items()}
        self.did: set[str] = set()
        super().__init__(path, at="09:31:10", on=DAYS[0][0], assets=NINE)

    def starts(self, **settings: object) -> Self:
        contracts = {asset: contract_for(asset, date.fromisoformat(DAYS[0][0]), self.size) for asset in NINE}
        rates = {product: Decimal(rate) for product, rate in SET.items()}
        rules = Rules(
            contracts=contracts, demo_equity=RICH, max_trades_per_day=500, cooldown_seconds=0, commissions=rates
        )
        self.manager = StateManager(self._opens(), lambda now: rules, lambda: self.now)
        return self

    # -- the market -------------------------------------------------------------------------------------------------

    def moves(self, most: int = 6) -> Decimal:
        """Let the market move by up to ``most`` units, and store that it was heard."""
        contract = self.asset.contract
        ticks = int(contract.point * most / contract.tick_size)
        price = self.prices[self.asset_in_hand] + self.dice.randint(-ticks, ticks) * contract.tick_size
        start = Decimal(START[self.asset_in_hand])
        price = min(max(price, start - contract.point * 20), start + contract.point * 20)
        self.prices[self.asset_in_hand] = price
        self.later(1).hears(price).asks(KeepObservations())
        return price

    def quote(self) -> Decimal:
        """Return a price within two ticks of the market's, at which an order fills."""
        step = self.asset.contract.tick_size
        return self.prices[self.asset_in_hand] + self.dice.randint(-2, 2) * step

    # -- the bridge -------------------------------------------------------------------------------------------------

    def told(self, qty: int) -> dict[str, Decimal]:  # type: ignore[override]
        """Return a commission to tell beside a fill of so many contracts, or none."""
        if self.asset_in_hand in UNKNOWN or self.dice.random() < 0.4:
            return {}
        return {"commission": Decimal(self.dice.randint(20, 310)) / 100 * qty}

    def fills(self) -> Self:
        """Fill the open order, at one price or in two parts."""
        order = self._claimed_order()
        first = self.dice.randint(1, order.remaining)
        if first < order.remaining:
            self.did.add("partial fill")
            self._executes(order, "PARTIALLY_FILLED", first)
            self.moves(2)
            order = self.open_order
        return self._executes(order, "FILLED", order.remaining)

    def _executes(self, order: Any, status: str, qty: int) -> Self:
        commission = self.told(qty)
        self.did.add("told" if commission else "not told")
        self.later(1)
        return self.reports(status, self.quote(), order, qty=qty, exec_id=self._execution(), **commission)

    def broker_fills(self, kind: Any, qty: int, price: Decimal, at: Instant | None = None) -> Self:
        """Tell an execution at the broker that no order of the desk asked for: it takes out what is held."""
        trade = self.trade_or_closed()
        side: Side = "SELL" if trade.side == "BUY" else "BUY"
        symbol = trade.contract if isinstance(trade.contract, str) else trade.contract.symbol
        fill = Execution(self._execution(), at or self.now, symbol, side, qty, price, kind, self.asset_in_hand)
        commission = self.told(qty)
        if commission:
            fill = replace(fill, commission=commission["commission"])
        return self.asks(BookFills(self.desk.env, "story", "ledger of bridge", (fill,)))

    def trade_or_closed(self) -> Any:
        return self.asset.trade or self.trades_closed[-1]

    @property
    def trades_closed(self) -> list[TradeClosed]:
        closed: dict[str, TradeClosed] = {}
        for decision in self.decisions:
            for event in decision.events:
                if isinstance(event, TradeClosed):
                    closed[event.id] = event
                elif isinstance(event, TradeCorrected):
                    closed[event.trade.id] = event.trade
        return list(closed.values())

    # -- one trade --------------------------------------------------------------------------------------------------

    def trades_the(self, asset: str, ending: str) -> Self:
        """Open, hold and close one trade; ``ending`` says how it ends."""
        self.turns_to(asset).later(303)
        side: Side = self.dice.choice(("BUY", "SELL"))
        self.moves(2)
        self.with_structure("green" if side == "BUY" else "red")
        self.enters(side, mode="RUNNER")
        assert self.refused_by is None, (asset, self.refused_by)
        self.fills()
        for _ in range(self.dice.randint(1, 3)):
            self.moves(4)
        self.brick_with(6)
        if self.dice.random() < 0.6:
            self._grows()
        self.moves(4)
        getattr(self, f"_ends_by_{ending}")()
        assert self.position == 0, (asset, ending)
        self.did.add(ending)
        return self

    def _grows(self) -> None:
        self.scales_in()
        if self.refused_by is None:
            self.did.add("scale-in")
            self.fills()

    def _ends_by_exit(self) -> None:
        self.exits(force=True)
        self.fills()

    def _ends_by_stop(self) -> None:
        """The broker's stop fills in two parts, told by the bridge's ledger."""
        held = abs(self.position)
        self.later(1)
        if held > 1:
            self.broker_fills("STOP", 1, self.quote())
            self.moves(2)
            held -= 1
        self.broker_fills("STOP", held, self.quote())

    def _ends_by_late_fill(self) -> None:
        """The exit is cancelled after a part; its rest is told as filled all the same."""
        self.exits(force=True)
        order = self._claimed_order()
        if order.qty > 1:
            self._executes(order, "PARTIALLY_FILLED", 1)
        self.later(1).reports("CANCELLED", order=self.open_order, reason="by hand")
        left = abs(self.position)
        recalled = self.ended(order)
        self.later(1)
        commission = self.told(left)
        self.reports(
            "FILLED", self.quote(), recalled, qty=left, exec_id=self._execution(), recalled=recalled, **commission
        )

    def _ends_by_correction(self) -> None:
        """The broker is flat, nobody said why; the stop's fill is told afterwards."""
        held = abs(self.position)
        happened = self.now
        self.later(6)
        for _ in range(4):
            self.broker_says(position=0).later(3)
        assert self.position == 0, self.alerts
        self.broker_fills("STOP", held, self.quote(), happened)

    def _ends_by_turn(self) -> None:
        """Somebody sells more than is held at the broker: the other side is adopted, and taken out again."""
        over = self.dice.randint(1, 3)
        self.later(1).broker_fills("MANUAL", abs(self.position) + over, self.quote())
        assert abs(self.position) == over
        self.moves(3)
        self.later(6).broker_says().later(3).broker_says()
        self.exits(force=True)
        self.fills()

    def _ends_by_overfill(self) -> None:
        """The exit fills one contract more than was ordered, which the broker's hand gives back."""
        self.exits(force=True)
        order = self._claimed_order()
        qty = order.qty + 1
        self.later(1).reports("FILLED", self.quote(), order, qty=qty, exec_id=self._execution(), **self.told(qty))
        assert abs(self.position) == 1
        self.moves(3)
        self.broker_fills("MANUAL", 1, self.quote())

    def _ends_by_fate(self) -> None:
        """Nothing is heard of the exit until the broker is flat; then its fill is told."""
        self.exits(force=True)
        order = self._claimed_order()
        happened = self.now
        self.later(61).ticks()
        for _ in range(4):
            self.later(3).broker_says(position=0)
        assert self.position == 0, self.alerts
        contract = order.contract.symbol
        fill = Execution(
            self._execution(),
            happened,
            contract,
            order.side,
            order.qty,
            self.quote(),
            "ORDER",
            self.asset_in_hand,
            order.id,
            **self.told(order.qty),
        )
        self.asks(BookFills(self.desk.env, "story", "ledger of bridge", (fill,), (self.ended(order),)))

    # -- days -------------------------------------------------------------------------------------------------------

    def holds_to_the_roll(self, day: str) -> Self:
        """Hold two trades of which one closes in the last second of the trading day, the other at the roll."""
        for asset, clock in (("ES", "17:49:00"), ("YM", "17:55:10")):
            price = self.turns_to(asset).at(clock, day).moves(2)
            self.with_structure("green").enters("BUY", mode="RUNNER").filled_at(price).brick_with(6)
        for asset, clock in (("ES", "17:59:58"), ("YM", "17:59:59")):
            self.turns_to(asset).at(clock, day).exits(force=True)
            self._executes(self._claimed_order(), "FILLED", self.position)
        return self

    def plays(self) -> Self:
        """Trade every instrument twice a day."""
        for number, (day, env) in enumerate(DAYS):
            self.at("09:31:10", day)
            if env != self.desk.env:
                self.hears_bridge().later(1).switches_to(env)
                assert self.desk.env == env, self.refused_by
                self.later(21)
            for place, asset in enumerate(NINE + NINE):
                self.trades_the(asset, ENDINGS[(number + place) % len(ENDINGS)])
            if env == "DEMO":
                self.holds_to_the_roll(day)
        return self


class Desk(NamedTuple):
    """A desk that was played, its raw journal as exported, and what the script makes of it."""

    trader: Seeded
    journal: Path
    rows: list[dict[str, Any]]
    ledger: again.Ledger
    results: list[again.Result]


@pytest.fixture(scope="module", params=SIZES)
def desk(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    folder = tmp_path_factory.mktemp("recomputed")
    trader = Seeded(folder / "desk.db", seed=17, size=request.param).plays()
    journal = folder / "journal.jsonl"
    exported(trader, "journal", "jsonl", journal)
    rows = [json.loads(line) for line in journal.read_text().splitlines()]
    ledger = again.recompute(rows)
    yield Desk(trader, journal, rows, ledger, ledger.results())
    trader.stops()


def exported(trader: Seeded, what: str, form: str, path: Path) -> Path:
    with trader.history() as history:
        export(Days(None, None, ROLL).rows(history), what, form, path, replaces=True)
    return path


# -- comparing ------------------------------------------------------------------------------------------------------


def differences(told: list[TradeClosed], results: list[again.Result]) -> list[str]:
    """Return every number of a trade that the desk tells otherwise than the script, and trades that one lacks."""
    recomputed = {one.id: one for one in results}
    found = [f"{trade.id}: not recomputed" for trade in told if trade.id not in recomputed]
    found += [f"{name}: not told" for name in recomputed.keys() - {trade.id for trade in told}]
    for trade in told:
        if trade.id in recomputed:
            found += [f"{trade.id} {trade.contract}: {text}" for text in _differing(trade, recomputed[trade.id])]
    return found


def _differing(trade: TradeClosed, one: again.Result) -> Iterator[str]:
    facts = {"side": one.side, "size": one.size, "entry_ts": one.opened, "exit_ts": one.closed}
    facts["commission_known"] = one.commission is not None
    for name, value in facts.items():
        if name in TOLD and getattr(trade, name) != value:
            yield f"{name} was {getattr(trade, name)}, is {value}"
    for name, value in numbers_of(one).items():
        told = getattr(trade, name)
        if not is_near(told, value):
            yield f"{name} was {told}, is {value if value is None else float(value)}"


def numbers_of(one: again.Result) -> dict[str, Fraction | None]:
    """Return the recomputed numbers of a trade by the desk's names of them."""
    numbers = {
        "entry_price": one.entry,
        "exit_price": one.exit,
        "pnl_points": one.points,
        "pnl_usd": one.gross,
        "mae_points": one.mae_points,
        "mfe_points": one.mfe_points,
        "commission_usd": one.charged,
        "pnl_net_usd": one.gross - one.charged,
        "risk_usd": one.risk,
        "r": (one.gross - one.charged) / one.risk if one.risk else None,
        "mae_usd": one.mae_usd,
        "mfe_usd": one.mfe_usd,
    }
    return {name: value for name, value in numbers.items() if name in TOLD}


def is_near(told: Any, value: Fraction | None) -> bool:
    if told is None or value is None:
        return told is None and value is None
    difference: Fraction = abs(Fraction(told) - value)
    return difference <= CLOSE_ENOUGH * max(Fraction(1), abs(value))


def same_cents(told: Decimal | None, value: Fraction | None) -> bool:
    return (told is None and value is None) or (told is not None and again.cents(Fraction(told)) == again.cents(value))


def pages_of(trader: Seeded) -> list[JournalTrade]:
    """Return all closed trades as the journal's pages show them, oldest first."""
    found: list[JournalTrade] = []
    before = None
    while True:
        page = page_of(trader.manager.store, Selection(), ROLL, 40, before)
        found += page.trades
        before = page.following
        if before is None:
            return found[::-1]


# -- what must hold -------------------------------------------------------------------------------------------------


def test_the_script_shares_no_code_with_the_desk() -> None:
    path = REPOSITORY / "tests" / "journal" / "recompute.py"
    imported: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            imported |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            imported.add((node.module or "").split(".")[0])
    assert imported <= sys.stdlib_module_names, imported - sys.stdlib_module_names


def test_the_story_has_everything_in_it(desk: Desk) -> None:
    wanted = {
        "partial fill",
        "scale-in",
        "told",
        "not told",
        "exit",
        "stop",
        "late_fill",
        "correction",
        "turn",
        "overfill",
        "fate",
    }
    assert wanted <= desk.trader.did
    assert {one.asset for one in desk.results} == set(NINE)
    assert {(one.env, str(one.day)) for one in desk.results} >= {(env, day) for day, env in DAYS}
    assert any(one.commission is None for one in desk.results)
    assert any(one.commission is not None for one in desk.results)
    assert {"BUY", "SELL"} == {one.side for one in desk.results}
    assert any(one.gross < 0 for one in desk.results)
    assert any(one.gross > 0 for one in desk.results)
    assert desk.trader.size == ("micro" if any(one.contract.startswith("MES") for one in desk.results) else "full")


def test_every_trade_is_what_its_fills_make_of_it(desk: Desk) -> None:
    assert desk.ledger.faults == []
    assert differences(desk.trader.trades_closed, desk.results) == []
    assert len(desk.results) > len(DAYS) * len(NINE) * 2


def test_a_trade_that_closes_at_the_roll_is_the_next_days(desk: Desk) -> None:
    clocks = {one.closed.astimezone(again.NEW_YORK).strftime("%d %H:%M:%S"): str(one.day) for one in desk.results}
    assert clocks["17 17:59:59"] == "2026-11-17"
    assert clocks["17 18:00:00"] == "2026-11-18"
    assert clocks["23 18:00:00"] == "2026-11-24"
    assert again.trading_day(again.instant("2026-11-20T23:00:00Z"), ROLL) == date(2026, 11, 23)


def test_the_states_history_holds_the_last_of_them(desk: Desk) -> None:
    history = desk.trader.manager.snapshot.history
    assert len(history) >= 90
    assert differences(list(history), [one for one in desk.results if one.id in {t.id for t in history}]) == []
    newest = [one.id for one in desk.results][::-1][: len(history)]
    assert [trade.id for trade in history] == newest
    told = [json.loads(wire_json.encode(trade_row(trade))) for trade in history]
    recomputed = {one.id: one for one in desk.results}
    for trade, row in zip(history, told, strict=True):
        for name, value in numbers_of(recomputed[trade.id]).items():
            if name.endswith("_usd"):
                assert same_cents(exactly(row[name]), value), (trade.id, name)


def test_the_journals_pages_hold_all_of_them(desk: Desk) -> None:
    entries = pages_of(desk.trader)
    assert differences([entry.trade for entry in entries], desk.results) == []
    assert [entry.trade.id for entry in entries] == [one.id for one in desk.results]
    assert [entry.trading_day for entry in entries] == [one.day for one in desk.results]


@pytest.mark.parametrize("env", ["DEMO", "LIVE"])
def test_statistics_of_an_environment(desk: Desk, env: Env) -> None:
    entries = [entry for entry in pages_of(desk.trader) if entry.trade.env == env]
    figures = figures_of(entries)
    expected = again.statistics_of([as_told(one) for one in desk.results if one.env == env])
    for name in ("trades", "wins", "losses", *(("commission_unknown", "trades_with_r") if IS_NET else ())):
        assert getattr(figures, name) == expected[name], name
    amounts = ("commission_usd", "gross_usd", "expectancy_r") if IS_NET else ()
    for name in ("usd", "win_rate", "expectancy_usd", "profit_factor", "average_hold_s", *amounts):
        assert is_near(getattr(figures, name), expected[name]), name
    assert float(figures.deviation_usd or 0) == pytest.approx(expected["deviation_usd"], rel=1e-12)
    assert is_near(deepest_fall(curve_of(entries)), expected["deepest_fall"])


def as_told(one: again.Result) -> again.Result:
    """Return the result with the commissions that the desk tells: of an earlier program none."""
    return one if IS_NET else one._replace(charged=Fraction(0))


def test_each_day_in_each_environment(desk: Desk) -> None:
    for env in ("DEMO", "LIVE"):
        entries = [entry for entry in pages_of(desk.trader) if entry.trade.env == env]
        calendar = {row.day: row for row in calendar_of(entries, (), lambda at: date.min)}
        days = [one for one in again.days_of([as_told(one) for one in desk.results]) if one.env == env]
        assert {one.day for one in days} == set(calendar)
        for one in days:
            if one.asset is None:
                assert calendar[one.day].trades == one.trades
                assert same_cents(calendar[one.day].usd, one.gross - one.charged)
            else:
                of_asset = [e for e in entries if e.trading_day == one.day and e.trade.asset == one.asset]
                assert same_cents(figures_of(of_asset).usd, one.gross - one.charged)


@pytest.mark.parametrize("form", ["csv", "jsonl"])
def test_exports(desk: Desk, form: str, tmp_path: Path) -> None:
    path = exported(desk.trader, "trades", form, tmp_path / f"trades.{form}")
    if form == "csv":
        records = list(csv.DictReader(path.open(newline="")))
    else:
        records = [json.loads(line) for line in path.read_text().splitlines()]
    recomputed = {one.id: one for one in desk.results}
    assert {record["id"] for record in records} == recomputed.keys()
    for record in records:
        for name, value in numbers_of(recomputed[record["id"]]).items():
            assert is_near(exported_number(record[name]), value), (record["id"], name)


def exported_number(text: str | None) -> Decimal | None:
    """Return an exported number; a spreadsheet's cell is empty where it is unknown."""
    return exactly(text.removeprefix("'")) if text else None


def test_from_the_command_line(desk: Desk) -> None:
    command = [sys.executable, "-m", "tests.journal.recompute", str(desk.journal)]
    run = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, check=False, timeout=60)
    assert run.returncode == 0, run.stderr
    lines = [line.split() for line in run.stdout.splitlines()]
    said = {words[1]: words[7] for words in lines if words[0] == "trade"}
    assert said == {trade.id: again.cents(Fraction(trade.pnl_usd)) for trade in desk.trader.trades_closed}
    if IS_NET:
        nets = {words[1]: words[9] for words in lines if words[0] == "trade" and words[9] != "unknown"}
        facts = [asdict(trade) for trade in desk.trader.trades_closed]
        told = {one["id"]: again.cents(Fraction(one["pnl_net_usd"])) for one in facts if one["commission_known"]}
        assert nets == told
    assert not any(words[0] == "fault" for words in lines)
    assert sum(words[0] == "day" and words[3] == "all" for words in lines) == len(
        {(one.day, one.env) for one in desk.results}
    )


# -- the script against sums done by hand ---------------------------------------------------------------------------


def by_hand(told: list[str | None], **rates: str) -> again.Result:
    """Buy 5 MES at 5250 and sell 2 at 5254 and 3 at 5256; ``told`` are the commissions of the three fills."""
    trader = Trader(commissions={product: Decimal(rate) for product, rate in rates.items()})
    said: list[dict[str, Any]] = [{} if usd is None else {"commission": Decimal(usd)} for usd in told]
    trader.with_structure("green").enters("BUY").claims()
    trader.reports("FILLED", 5250, qty=5, exec_id="in", **said[0]).brick_with(6).exits().claims()
    trader.reports("PARTIALLY_FILLED", 5254, qty=2, exec_id="one", **said[1])
    trader.reports("FILLED", 5256, qty=3, exec_id="two", **said[2])
    (result,) = again.recompute(json.loads(write_line(row)) for row in trader.journal).results()
    return result


@pytest.mark.parametrize(
    ("told", "rates", "commission"),
    [
        (["3.10", "1.24", "1.86"], {}, "6.20"),
        (["3.10", "1.24", "1.86"], {"MES": "9"}, "6.20"),  # what was told wins
        ([None, None, None], {"MES": "0.62"}, "6.20"),
        ([None, "1.00", None], {"MES": "0.62"}, "5.96"),
        ([None, "1.00", None], {"ES": "2.01"}, "unknown"),  # the full contract's is not the micro's
        (["3.10", None, "1.86"], {}, "unknown"),
        (["0", "0", "0"], {}, "0.00"),
    ],
)
def test_commission_is_told_else_set_else_unknown(
    told: list[str | None], rates: dict[str, str], commission: str
) -> None:
    one = by_hand(told, **rates)
    assert again.cents(one.gross) == "130.00"  # 2 x 4 x 5 + 3 x 6 x 5
    assert again.cents(one.commission) == commission
    assert again.cents(one.net) == ("unknown" if commission == "unknown" else f"{130 - Decimal(commission):.2f}")


def test_r_is_net_over_what_the_entry_risked() -> None:
    one = by_hand([None, None, None], MES="0.62")
    assert again.cents(one.risk) == "381.20"  # 5 x 15 x 5 at the stop, and 10 x 0.62
    assert one.r == Fraction("123.80") / Fraction("381.20")
    assert by_hand([None, None, None]).r is None


def test_a_day_with_an_unknown_commission_has_no_net() -> None:
    known_one = by_hand([None, None, None], MES="0.62")
    unknown = by_hand([None, None, None])
    (asset, _) = again.days_of([known_one, known_one])
    assert (again.cents(asset.gross), again.cents(asset.commission), again.cents(asset.net)) == (
        "260.00",
        "12.40",
        "247.60",
    )
    assert {day.net for day in again.days_of([known_one, unknown])} == {None}


def test_amounts_are_rounded_half_away_from_zero() -> None:
    said = [again.cents(Fraction(usd)) for usd in ("0.005", "-0.005", "-0.004", "12.345", "-12.3449")]
    assert said == ["0.01", "-0.01", "0.00", "12.35", "-12.34"]


# -- a number that is wrong is found --------------------------------------------------------------------------------

Change = Callable[[Any], None]


def first_event(rows: list[dict[str, Any]], event_type: str, **wanted: Any) -> dict[str, Any]:
    """Return the first event of a type in which these fields are those."""
    found = (event for row in rows for event in row["events"] if event["type"] == event_type)
    return next(event for event in found if all(event.get(name) == value for name, value in wanted.items()))


def first_fill(rows: list[dict[str, Any]]) -> dict[str, Any]:
    return next(event for row in rows for event in row["events"] if event["type"] == "OrderReported" and event["qty"])


def a_tick_off(field: str) -> Callable[[dict[str, Any]], None]:
    def change(event: dict[str, Any]) -> None:
        event[field] = str(Decimal(event[field]) + CENT)

    return change


def one_less(event: dict[str, Any]) -> None:
    event["qty"] -= 1


ROW_MUTATIONS: dict[str, tuple[Callable[[list[dict[str, Any]]], dict[str, Any]], Change]] = {
    "an entry's price": (first_fill, a_tick_off("price")),
    "a stop's price": (lambda rows: first_event(rows, "FillBooked", cause="STOP", kind="EXIT"), a_tick_off("price")),
    "a late fill's price": (lambda rows: first_event(rows, "FillBooked", kind="EXIT"), a_tick_off("price")),
    "a followed quantity": (lambda rows: first_event(rows, "PositionFollowed"), one_less),
    "a corrected price": (
        lambda rows: next(
            event
            for row in rows
            if any(event["type"] == "TradeCorrected" for event in row["events"])
            for event in row["events"]
            if event["type"] == "FillBooked"
        ),
        a_tick_off("price"),
    ),
}

NET_MUTATIONS: dict[str, tuple[Callable[[list[dict[str, Any]]], dict[str, Any]], Change]] = {
    "a commission that a report told": (
        lambda rows: next(
            r["command"] for r in rows if r["kind"] == "ReportExecution" and r["command"].get("commission")
        ),
        a_tick_off("commission"),
    ),
    "a commission that the broker's fill told": (
        lambda rows: next(
            fill for r in rows if r["kind"] == "BookFills" for fill in r["command"]["fills"] if fill.get("commission")
        ),
        a_tick_off("commission"),
    ),
    "a commission that was set": (lambda rows: rows[0]["command"]["rules"]["commissions"], a_tick_off("EURUSD")),
    "the stop's distance": (lambda rows: rows[0]["command"]["rules"], a_tick_off("stop_points")),
}
if IS_NET:
    ROW_MUTATIONS |= NET_MUTATIONS


@pytest.mark.parametrize("name", ROW_MUTATIONS)
def test_a_row_that_was_changed_is_found(desk: Desk, name: str) -> None:
    rows = json.loads(json.dumps(desk.rows))
    find, change = ROW_MUTATIONS[name]
    change(find(rows))
    ledger = again.recompute(rows)
    assert differences(desk.trader.trades_closed, ledger.results()) or ledger.faults


@pytest.mark.parametrize("name", sorted(NUMBERS & TOLD))
def test_a_trade_that_is_told_wrong_is_found(desk: Desk, name: str) -> None:
    trades = desk.trader.trades_closed
    place = len(trades) // 2
    trades[place] = replace(trades[place], **{name: getattr(trades[place], name) + Decimal("0.000001")})
    found = differences(trades, desk.results)
    assert all(f" {name} was" in text for text in found)
    assert len(found) == 1


@pytest.mark.parametrize("product", sorted(again.PRODUCTS))
def test_a_wrong_point_value_is_found(desk: Desk, product: str, monkeypatch: pytest.MonkeyPatch) -> None:
    traded = {again.product_of(one.contract) for one in desk.results}
    row = again.PRODUCTS[product]
    monkeypatch.setitem(again.PRODUCTS, product, row._replace(usd=row.usd * 10))
    found = differences(desk.trader.trades_closed, again.recompute(desk.rows).results())
    assert bool(found) == (product in traded)
    assert not any("points" in text or "price" in text for text in found)
