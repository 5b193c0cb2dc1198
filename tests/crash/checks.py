"""What must agree after a kill: the load's books, the journal, the stored desk, the served desk, the bridge's ledger.

Each check is a function that returns what is wrong, a sentence each. The load is held while they look.
"""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from services.history.replay import replay_store
from services.stores.records import ORDERS
from services.stores.store import Store, Stored
from tests.crash.books import Books, Note, names
from tests.crash.oracle import FINAL, Oracle, differences

LONG_AGO = timedelta(days=2)


class Sight(NamedTuple):
    """One held moment after a restart, seen from everywhere. ``ledger`` is the real bridge's, if there is one."""

    books: Books
    oracle: Oracle
    store: Store
    stored: Stored
    state: dict[str, Any]
    version_before: int
    ledger: Path | None = None
    bridge_position: dict[str, int] | None = None


def faults(sight: Sight, checks: dict[str, Callable[[Sight], list[str]]]) -> list[str]:
    """Return what is wrong, the name of the check before each sentence."""
    return [f"{name}: {sentence}" for name, check in checks.items() for sentence in check(sight)[:5]]


# -- every acknowledged command is in the journal, once ---------------------------------------------------------------


def acknowledged_is_journaled(sight: Sight) -> list[str]:
    """Bricks by id and price, fills by exec id, limits and targets by value: acknowledged ones are there."""
    wrong: list[str] = []
    for kind, counted in (("brick", "brick"), ("fill", "exec"), ("limit", "limit"), ("target", "target")):
        found, said = sight.oracle.count(counted), sight.books.acknowledged(kind)
        wrong += [f"{kind} {n.name} was acknowledged and is not in the journal" for n in said if not found[n.name]]
    prices, bricks = sight.oracle.count("close"), sight.books.acknowledged("brick")
    wrong += [f"brick {n.name} has another price" for n in bricks if not prices[f"{n.name} {n.facts['close']}"]]
    return wrong


def journaled_is_sent_and_once(sight: Sight) -> list[str]:
    """Nothing twice, and nothing that nobody sent."""
    wrong = []
    for kind, counted in (("brick", "brick"), ("limit", "limit"), ("target", "target")):
        sent = names(sight.books.notes(kind))
        for name, times in sight.oracle.count(counted).items():
            if times > 1:
                wrong.append(f"{kind} {name} is in the journal {times} times")
            if name not in sent:
                wrong.append(f"{kind} {name} is in the journal and was never sent")
    for what in ("exec", "queued", "accepted", "claimed", "ended", "closed"):
        twice = [name for name, times in sight.oracle.count(what).items() if times > 1]
        wrong += [f"{name} was {what} more than once" for name in twice]
    return wrong


def counted_commands_agree(sight: Sight) -> list[str]:
    """Commands without a name of their own: as many as were acknowledged, and at most those in doubt more."""
    wrong, journal = [], sight.oracle.count("command")
    toggles = ("main_flip_exit_enabled", "four_pt_invalidation_enabled")
    rows = {f"toggle {name}": sight.oracle.count(f"toggle {name}").total() for name in toggles}
    rows |= {"consume": journal["ConsumeTrade"]}
    for kind, found in rows.items():
        least = len(sight.books.acknowledged(kind))
        most = least + len(sight.books.doubtful(kind))
        if not least <= found <= most:
            wrong.append(f"{kind}: {found} in the journal, acknowledged were {least}, at most {most} could be")
    return wrong


# -- every order once -------------------------------------------------------------------------------------------------


def clicks_and_orders_agree(sight: Sight) -> list[str]:
    """One decision a key, one order an accepted click, and both are stored as they were answered."""
    wrong = []
    clicks = [note for note in sight.books.notes("click") if note.status is not None]
    rows = sight.oracle.count("command")["EnterMarket"]
    if rows != len(clicks):
        wrong.append(f"{len(clicks)} keys were answered, {rows} market entries are in the journal")
    taken = Counter(_order_id(note) for note in clicks if note.is_acknowledged)
    wrong += [f"order {name} was answered to {times} keys" for name, times in taken.items() if times > 1]
    entered = sight.oracle.count("entered by EnterMarket")
    if set(taken) != set(entered):
        lost, extra = set(taken) - set(entered), set(entered) - set(taken)
        wrong.append(f"acknowledged but not journaled: {sorted(lost)}; journaled, never answered: {sorted(extra)}")
    placed = sum(note.is_acknowledged for note in sight.books.notes("preorder"))
    journaled = sight.oracle.count("command")["a pre-order placed"]
    if placed != journaled:
        wrong.append(f"{placed} pre-orders were acknowledged, {journaled} are in the journal")
    return wrong


def _order_id(note: Note) -> str:
    return str((note.order or {}).get("id"))


def replies_are_kept_once(sight: Sight) -> list[str]:
    """A key that was answered durably is stored with the same order."""
    wrong = []
    kept = Counter(reply.key for reply in sight.store.replies_since(datetime.now(UTC) - LONG_AGO))
    answers = {reply.key: reply.answer for reply in sight.store.replies_since(datetime.now(UTC) - LONG_AGO)}
    wrong += [f"key {key} is kept {times} times" for key, times in kept.items() if times > 1]
    for note in sight.books.notes("click"):
        if note.status is None:
            continue
        if note.name not in answers:
            wrong.append(f"the answer to key {note.name} is not kept")
        elif note.is_acknowledged and _order_id(note).encode() not in answers[note.name]:
            wrong.append(f"key {note.name} was answered {_order_id(note)} and is kept with another order")
    return wrong


def orders_are_stored_once(sight: Sight) -> list[str]:
    """Every order the journal queued is stored, as far on its way as the journal says, and no other is open."""
    wrong = []
    stored_open = {body["id"]: body for body in map(msgspec.json.decode, sight.stored.open_orders)}
    if len(stored_open) != len(sight.stored.open_orders):
        wrong.append("an open order is stored twice")
    if set(stored_open) != set(sight.oracle.open_orders):
        wrong.append(f"open are {sorted(stored_open)}, the journal says {sorted(sight.oracle.open_orders)}")
    for name, told in sight.oracle.orders.items():
        record = sight.store.record(ORDERS, name)
        if record is None:
            wrong.append(f"order {name} is not stored")
            continue
        order = msgspec.json.decode(record.body)
        found, expected = (order["status"], order["filled_qty"]), (told.status, told.filled)
        if found != expected:
            wrong.append(f"order {name} is stored as {found}, the journal makes it {expected}")
    queued, asked = sight.oracle.count("queued"), sight.books.acknowledged("exit", "scale-in")
    wrong += [f"{n.kind} {n.name}: its order was never queued" for n in asked if n.order and not queued[_order_id(n)]]
    shown = {order["id"] for order in sight.state["orders"]}
    if shown != set(stored_open):
        wrong.append(f"shown are the open orders {sorted(shown)}, stored {sorted(stored_open)}")
    return wrong


def handovers_and_fills_agree(sight: Sight) -> list[str]:
    """What a scripted bridge was handed and what it filled is what the desk knows of each order."""
    wrong = []
    claimed = sight.oracle.count("claimed")
    for name, client_id in sight.books.handed_over.items():
        if client_id != name or not claimed[name]:
            wrong.append(f"order {name} was handed out as {client_id}, claimed {claimed[name]} times")
    filled: Counter[str] = Counter()
    for note in sight.books.acknowledged("fill"):
        filled[note.facts["order"]] += note.facts["qty"]
    for name, qty in filled.items():
        if sight.oracle.orders[name].filled != qty:
            wrong.append(f"order {name} filled {qty} at the bridge and {sight.oracle.orders[name].filled} at the desk")
    return wrong


# -- state, locks, counters as if nothing had happened ----------------------------------------------------------------


def stored_state_is_the_journals(sight: Sight) -> list[str]:
    """The oracle's sums are what is stored: positions, tokens, locks, counters, limits."""
    documents = {name: msgspec.json.decode(body) for name, body in sight.stored.documents.items()}
    desk = documents.pop("_global")["desk"]
    return differences(sight.oracle, desk, {name: body["asset"] for name, body in documents.items()})


def shown_state_is_the_journals(sight: Sight) -> list[str]:
    """The restarted web serves the same sums."""
    shown, oracle, now = sight.state["global"], sight.oracle, datetime.fromisoformat(sight.state["now"])
    expected: dict[str, tuple[Any, Any]] = {
        "trades taken": (oracle.trades_taken, shown["trades_taken_today"]),
        "daily stop": (oracle.is_stopped, shown["daily_stop_triggered"]),
        "cooldown": (_ahead(oracle.cooldown_until, now), _instant(shown["post_exit_lock_expires_ts"])),
        "candle": (_ahead(oracle.candle_until, now), _instant(shown["five_min_trade_lock_expires_ts"])),
    }
    for symbol, asset in sight.state["assets"].items():
        expected[f"position of {symbol}"] = (oracle.positions[symbol], asset["position"])
        expected[f"token of {symbol}"] = (oracle.of(symbol).token, asset["tempo_ready"])
    return [
        f"{what}: the journal makes {mine}, shown is {its}" for what, (mine, its) in expected.items() if mine != its
    ]


def _ahead(until: datetime | None, now: datetime) -> datetime | None:
    return until if until is not None and until > now else None


def _instant(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None


def versions_grow(sight: Sight) -> list[str]:
    """Version and sequence never go back, and never behind what was answered."""
    wrong, head = [], sight.stored.head
    if head.sequence != sight.oracle.sequence:
        wrong.append(f"the head stands at {head.sequence}, the journal ends at {sight.oracle.sequence}")
    known = max(sight.books.newest_version, sight.version_before)
    if sight.state["version"] < known:
        wrong.append(f"version {sight.state['version']} is shown after {known}")
    return wrong


def journal_is_sound(sight: Sight) -> list[str]:
    """No gap, no gate passed while closed, no trade closed with contracts left; nothing surprised the load."""
    return [*sight.oracle.findings, *sight.books.surprises]


def replay_is_equal(sight: Sight) -> list[str]:
    replay = replay_store(sight.store)
    return [] if replay.is_equal else [f"replay differs: {replay}"]


# -- the bridge -------------------------------------------------------------------------------------------------------


def ledger_rows(ledger: Path, query: str) -> list[tuple[Any, ...]]:
    """Read the bridge's ledger beside it."""
    with closing(sqlite3.connect(ledger, timeout=5)) as connection:
        return connection.execute(query).fetchall()


def is_quiet(ledger: Path) -> bool:
    """Tell whether the bridge has done and told everything it took."""
    open_orders = ledger_rows(ledger, "SELECT count(*) FROM orders WHERE state <> 'CLOSED'")
    unsettled = ledger_rows(ledger, "SELECT count(*) FROM reports WHERE settled_at IS NULL")
    return (open_orders, unsettled) == ([(0,)], [(0,)])


def ledger_agrees(sight: Sight) -> list[str]:
    """Each order once in the ledger, executed once at the broker, each fill told once; nothing lost on the way."""
    if sight.ledger is None:
        return []
    wrong = []
    taken = [name for (name,) in ledger_rows(sight.ledger, "SELECT id FROM orders")]
    if Counter(taken) != sight.oracle.count("claimed"):
        odd = sorted(set(taken) ^ set(sight.oracle.count("claimed")))
        wrong.append(f"ledger and journal disagree on who has which orders: {odd}")
    at_broker = ledger_rows(sight.ledger, "SELECT client_tag, signed_qty FROM paper_executions")
    times = Counter(tag for tag, _ in at_broker)
    wrong += [f"order {tag} was executed {n} times" for tag, n in times.items() if n > 1]
    wrong += [f"{tag} was executed and is no order of the ledger" for tag in times if tag not in taken]
    told = Counter(name for (name,) in ledger_rows(sight.ledger, "SELECT exec_id FROM executions"))
    if told != sight.oracle.count("exec"):
        odd = sorted(set(told) ^ set(sight.oracle.count("exec")))
        wrong.append(f"fills in the ledger and in the journal differ: {odd}")
    reported = dict(ledger_rows(sight.ledger, "SELECT order_id, sum(qty) FROM executions GROUP BY 1"))
    broker = {tag: abs(qty) for tag, qty in at_broker}
    if reported != broker:
        odd = sorted(name for name in {*reported, *broker} if reported.get(name) != broker.get(name))
        wrong.append(f"the ledger's fills are not the broker's for {odd}")
    desk = {name: told.filled for name, told in sight.oracle.orders.items() if told.filled}
    if desk != broker:
        odd = sorted(name for name in {*desk, *broker} if desk.get(name) != broker.get(name))
        wrong.append(f"the desk's fills are not the broker's for {odd}")
    return wrong


def positions_agree(sight: Sight) -> list[str]:
    """Broker, bridge and desk hold the same."""
    desk = {asset["contract"]: asset["position"] for asset in sight.state["assets"].values() if asset["position"]}
    if sight.ledger is not None:
        query = "SELECT contract, sum(signed_qty) FROM paper_executions GROUP BY 1"
        held = {name: qty for name, qty in ledger_rows(sight.ledger, query) if qty}
    else:
        held = {name: qty for name, qty in (sight.bridge_position or {}).items() if qty}
    return [] if desk == held else [f"the broker holds {held}, the desk {desk}"]


def nothing_is_stuck(sight: Sight) -> list[str]:
    """With the bridge quiet every order the desk handed out is final."""
    if sight.ledger is None:
        return []
    return [f"order {name} is {told.status}" for name, told in sight.oracle.orders.items() if told.status not in FINAL]


AFTER_EVERY_KILL: dict[str, Callable[[Sight], list[str]]] = {
    check.__name__: check
    for check in (
        acknowledged_is_journaled,
        journaled_is_sent_and_once,
        counted_commands_agree,
        clicks_and_orders_agree,
        replies_are_kept_once,
        orders_are_stored_once,
        handovers_and_fills_agree,
        stored_state_is_the_journals,
        shown_state_is_the_journals,
        versions_grow,
        journal_is_sound,
        ledger_agrees,
        positions_agree,
        nothing_is_stuck,
    )
}
NOW_AND_THEN: dict[str, Callable[[Sight], list[str]]] = {"replay_is_equal": replay_is_equal}
