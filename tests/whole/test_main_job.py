"""The main job at real processes: a volatile market, an impatient operator, and books that must agree to the cent."""

from __future__ import annotations

import random
import sqlite3
import threading
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from decimal import Decimal
from pathlib import Path

import msgspec
import pytest

from services.engine.model.events import EntryAccepted, EntryBlocked
from services.engine.model.trade_events import TradeClosed
from services.history.replay import replay_store
from services.market.ticks import Tick, read_ticks
from services.projections.trades import last_trades
from services.stores.codec import documents
from services.stores.store import Store
from tape.player import TapeSettings, play
from tests.data.generated_tapes import VOLATILE, ticks_of
from tests.data.recorded_tapes import recorded_tapes
from tests.support.desk_process import PATIENCE_SECONDS, TV_SECRET, DeskProcess, eventually
from tests.support.gate_auditor import audit
from tests.support.narrow import known
from tests.support.processes import PaperBridge
from tests.support.read_only import read_only

RECORDED = recorded_tapes(["us30_ticks_20230628_renkodf"])
TAPES = (VOLATILE.name, *RECORDED)
COMMISSION = Decimal("0.62")
START_BALANCE = Decimal(50_000)
UNIT = Decimal(1)  # smaller than the usual one: a minute of tape has bricks enough
RULES = {
    "ASSETS": "US30",
    "CONTRACTS": "",
    "COOLDOWN_SECONDS": "1",
    "CANDLE_SECONDS": "2",
    "MAX_TRADES_PER_DAY": "500",
    "DAILY_STOP_LIMIT_PCT": "50",
    "POINT_UNIT_US30": str(UNIT),
}
GENERATED_TICKS = 6000  # half of the volatile day has bricks enough of every size, and spares a busy machine
SPEEDS = dict.fromkeys(RECORDED, 3600.0) | {VOLATILE.name: 700.0}  # each is played in about a minute

pytestmark = [
    pytest.mark.processes,
    pytest.mark.timeout(1800),  # patience: a busy machine plays the day slowly
]


class ImpatientOperator(threading.Thread):
    """Clicks whenever the ladder is open, often when it is not, and sometimes cuts a trade by force."""

    def __init__(self, web: DeskProcess, seed: int) -> None:
        super().__init__(daemon=True)
        self._operator = web.operator()
        self._dice = random.Random(seed)
        self._stop_asking = threading.Event()
        self.answers: Counter[int] = Counter()

    def run(self) -> None:
        while not self._stop_asking.wait(0.03):
            state = self._operator.state()
            asset = state["assets"]["US30"]
            if asset["may_enter"] or self._dice.random() < 0.05:
                self._click_entry(asset["may_enter"] or ["BUY", "SELL"])
            elif asset["position"] and self._dice.random() < 0.02:
                self._operator.post("/api/exit", json={"asset": "US30", "force": True})

    def _click_entry(self, directions: list[str]) -> None:
        body = {
            "asset": "US30",
            "trade_mode": self._dice.choice(["SCALP", "RUNNER"]),
            "order_type": "market",
            "direction": self._dice.choice(directions),
            "entry_size_mode": self._dice.choice(["6pt", "9pt"]),
        }
        self.answers[self._operator.post("/api/orders", json=body).status_code] += 1

    def leave_flat(self) -> None:
        """Stop clicking, take everything out, and wait until nothing is on its way."""
        self._stop_asking.set()
        self.join(PATIENCE_SECONDS)
        deadline = time.monotonic() + PATIENCE_SECONDS
        while time.monotonic() < deadline:
            state = self._operator.state()
            if not state["orders"] and not state["assets"]["US30"]["position"]:
                return
            self._operator.post("/api/exit-all", json={"force": True})
            time.sleep(0.2)
        raise AssertionError("the desk did not become flat")

    def hears_another_snapshot(self) -> None:
        """Wait until the bridge has told its account once more."""
        before = self._operator.state()["global"]["snapshot_ts"]
        eventually(lambda: self._operator.state()["global"]["snapshot_ts"] != before)


def prices_of(tape: str) -> Iterable[Tick]:
    return read_ticks(RECORDED[tape]) if tape in RECORDED else ticks_of(VOLATILE)[:GENERATED_TICKS]


@pytest.fixture(scope="module", params=TAPES)
def session(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, ImpatientOperator]:
    """Play a whole tape to a real web with a real bridge and an operator, then end all of them."""
    folder = tmp_path_factory.mktemp("main-job")
    web = DeskProcess(folder, **RULES).start()
    bridge = PaperBridge(web, PAPER_COMMISSION=str(COMMISSION), PAPER_SLIPPAGE_TICKS="2")
    bridge.start()
    operator = ImpatientOperator(web, seed=20230628)
    operator.start()
    try:
        settings = TapeSettings(
            asset="US30",
            url=web.url,
            secret=TV_SECRET,
            run_id="main-job",
            speed=SPEEDS[request.param],
            longest_gap_seconds=0.5,
            unit=UNIT,
        )
        summary = play(prices_of(request.param), settings)
        assert summary.completed
        operator.leave_flat()
        for _ in range(2):  # the bridge's next whole snapshot has the last word on the balance
            operator.hears_another_snapshot()
    finally:
        bridge.terminate()
        web.terminate()
    return folder, operator


@pytest.fixture
def store(session: tuple[Path, ImpatientOperator]) -> Iterator[Store]:
    opened = read_only(session[0] / "desk.sqlite")
    yield opened
    opened.close()


@pytest.fixture
def ledger(session: tuple[Path, ImpatientOperator]) -> Iterator[sqlite3.Connection]:
    opened = sqlite3.connect(session[0] / "bridge.sqlite")
    yield opened
    opened.close()


def closed_trades(store: Store) -> list[TradeClosed]:
    return last_trades(store, 10_000)


def the_operator_really_traded(store: Store, session: tuple[Path, ImpatientOperator]) -> None:
    """Without trades, blocked attempts and several kinds of exit the other tests would prove nothing."""
    trades = closed_trades(store)
    assert len(trades) >= 10
    assert len({trade.reason for trade in trades}) >= 2
    answers = session[1].answers
    assert answers[409] >= 5
    assert set(answers) <= {201, 409}


def books_agree_to_the_cent(store: Store, ledger: sqlite3.Connection) -> None:
    trades = closed_trades(store)
    won = sum((trade.pnl_usd for trade in trades), Decimal(0))
    contracts_filled = 2 * sum(trade.size for trade in trades)
    holdings = [msgspec.json.decode(text) for (text,) in ledger.execute("SELECT holding FROM paper_holdings")]
    per_price = [(h["result"], Decimal(h["point_value"]) / Decimal(h["point_size"])) for h in holdings]
    realized = sum((Decimal(result) * usd for result, usd in per_price), Decimal(0))
    assert realized == won
    desk = documents.read_desk(known(store.load()))
    assert desk.live.equity == START_BALANCE + won - COMMISSION * contracts_filled
    assert desk.live.realized_pnl == won
    assert desk.live.open_pnl == 0
    bought = ledger.execute("SELECT sum(abs(signed_qty)) FROM paper_executions").fetchone()[0]
    assert bought == contracts_filled


def orders_and_fills_are_the_same_at_desk_and_bridge(
    store: Store, ledger: sqlite3.Connection, session: tuple[Path, ImpatientOperator]
) -> None:
    reported = {
        order_id: (qty, Decimal(price))
        for order_id, qty, price in ledger.execute("SELECT order_id, sum(qty), max(price) FROM executions GROUP BY 1")
    }
    with sqlite3.connect(session[0] / "desk.sqlite") as desk:
        orders = [documents.read_order(body) for (body,) in desk.execute("SELECT body FROM orders")]
    assert all(order.status.is_final for order in orders)
    filled = {o.id: (o.filled_qty, o.filled_notional / o.filled_qty) for o in orders if o.filled_qty}
    assert filled == reported


def position_is_flat_and_the_sum_of_fills(store: Store, ledger: sqlite3.Connection) -> None:
    assert ledger.execute("SELECT sum(signed_qty) FROM paper_executions").fetchone()[0] == 0
    desk = documents.read_desk(known(store.load()))
    assert all(asset.position == 0 for asset in desk.assets.values())


def every_attempt_is_in_the_journal(store: Store, session: tuple[Path, ImpatientOperator]) -> None:
    told = [documents.read_events(row.events) for row in store.journal() if row.kind == "EnterMarket"]
    accepted = sum(any(isinstance(event, EntryAccepted) for event in events) for events in told)
    blocked = sum(any(isinstance(event, EntryBlocked) for event in events) for events in told)
    assert {201: accepted, 409: blocked} == dict(session[1].answers)


def no_gate_was_passed_while_closed(store: Store) -> None:
    """An auditor that shares no code with the gates reads the journal and agrees with every entry."""
    findings, entries = audit(store.journal(), cooldown_seconds=1, candle_seconds=2)
    assert findings == []
    assert entries >= 10


def the_journal_gives_the_same_desk_again(store: Store) -> None:
    replay = replay_store(store)
    assert replay.is_equal, replay
    assert replay.rows > 1000


def test_a_whole_day_at_real_processes(
    store: Store, ledger: sqlite3.Connection, session: tuple[Path, ImpatientOperator]
) -> None:
    """One test, so that workers who share the work do not each play the day."""
    the_operator_really_traded(store, session)
    books_agree_to_the_cent(store, ledger)
    orders_and_fills_are_the_same_at_desk_and_bridge(store, ledger, session)
    position_is_flat_and_the_sum_of_fills(store, ledger)
    every_attempt_is_in_the_journal(store, session)
    no_gate_was_passed_while_closed(store)
    the_journal_gives_the_same_desk_again(store)
