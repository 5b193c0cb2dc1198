"""Figures of trades against an oracle that counts with fractions; the journal's pages against a plain list."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from functools import partial
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import asdict, replace

from services.engine.model.events import EntryAccepted, EntryBlocked, ExitBlocked
from services.engine.model.trade_events import TradeClosed, TradeNoted
from services.engine.model.trading_day import trading_day_of
from services.journal.statistics import (
    GROUPINGS,
    NEW_YORK,
    Figures,
    blocked_by_gate,
    calendar_of,
    curve_of,
    deepest_fall,
    figures_of,
    groups_of,
)
from services.journal.trades import (
    PAGE,
    Cursor,
    JournalTrade,
    Selection,
    day_begin,
    page_of,
    read_cursor,
    span_of,
    trade_with_note,
    write_cursor,
)
from services.projections.attempts import Attempt
from services.projections.entry_gates import GatesAtEntry, gates_record
from services.projections.notes import Note, note_record
from services.projections.trades import ClosedTrade, trade_record
from services.stores.sqlite.store import SqliteStore
from services.stores.store import Commit, Store, StoreState
from tests.support.builders import TUESDAY, new_york
from tests.support.narrow import known

ROLL = "18:00"
CLOSE = new_york(TUESDAY, "10:00:00")
COUNTED = {"trades", "wins", "losses", "trades_with_r", "commission_unknown"}


def a_trade(
    number: int = 0,
    points: str = "1",
    usd: str | None = None,
    closed: datetime = CLOSE,
    held: float = 60.0,
    stop: str | None = "15",
    note: Note | None = None,
    gates: GatesAtEntry | None = None,
    **more: Any,
) -> JournalTrade:
    facts = {
        "id": f"{number:032x}",
        "asset": "ES",
        "contract": "MESZ6",
        "side": "BUY",
        "size": 5,
        "entry_price": Decimal(5250),
        "exit_price": Decimal(5250) + Decimal(points),
        "entry_ts": closed - timedelta(seconds=held),
        "exit_ts": closed,
        "pnl_points": Decimal(points),
        "pnl_usd": Decimal(points) * 25 if usd is None else Decimal(usd),
        "mae_points": Decimal(-1),
        "mfe_points": Decimal(2),
        "mode": "SCALP",
        "zone": "NORMAL",
        "reason": "manual",
        "env": "DEMO",
        **more,
    }
    if facts.get("commission_usd") is not None:
        facts["pnl_net_usd"] = facts["pnl_usd"] - facts["commission_usd"]
        facts["risk_usd"] = Decimal(400)
        facts["r"] = facts["pnl_net_usd"] / 400
    day = trading_day_of(closed, ROLL)
    return JournalTrade(TradeClosed(**facts), day, None if stop is None else Decimal(stop), note or Note(), gates)


gates = st.builds(
    GatesAtEntry,
    trade_of_day=st.integers(1, 12),
    daily_stop_used_pct=st.none() | st.integers(-5_000, 15_000).map(lambda n: Decimal(n) / 100),
    since_cooldown_s=st.none() | st.integers(0, 500_000).map(lambda n: Decimal(n) / 100),
    candle_second=st.integers(0, 29_999).map(lambda n: Decimal(n) / 100),
    tempo_age_s=st.none() | st.integers(0, 50_000).map(lambda n: Decimal(n) / 100),
    tempo_armed_by=st.sampled_from(["6pt brick", "4pt flip", None]),
    two_half=st.sampled_from(["with", "neutral", "against"]),
    entered_by=st.sampled_from(["click", "ready intent", "pre-order"]),
)
ticks = st.integers(-400, 400).map(lambda n: str(Decimal(n) / 4))
tags = st.lists(st.sampled_from(["fomo", "plan", "news-day"]), unique=True, max_size=3).map(tuple)
trades = st.lists(
    st.builds(
        a_trade,
        number=st.integers(0, 10**9),
        points=ticks,
        usd=st.none() | ticks,
        closed=st.integers(0, 60 * 86_400).map(lambda s: CLOSE + timedelta(seconds=s)),
        held=st.integers(0, 30_000_000).map(lambda n: n / 1000),
        stop=st.none() | st.sampled_from(["0", "7.5", "15"]),
        note=tags.map(lambda words: Note("", words)),
        gates=st.none() | gates,
        mae_points=ticks.map(Decimal),
        mfe_points=ticks.map(Decimal),
        zone=st.sampled_from(["NORMAL", "FREE", "NONE", "ADOPTED"]),
        mode=st.sampled_from(["SCALP", "RUNNER"]),
        reason=st.sampled_from(["manual", "structure", "BROKER_FLAT"]),
        env=st.sampled_from(["DEMO", "LIVE"]),
        asset=st.sampled_from(["ES", "NQ"]),
        side=st.sampled_from(["BUY", "SELL"]),
        override=st.booleans(),
        forced_exit=st.booleans(),
        commission_usd=st.none() | st.integers(0, 2_000).map(lambda n: Decimal(n) / 100),
        commission_known=st.booleans(),
        exit_by=st.sampled_from([None, "service"]),
    ),
    max_size=25,
    unique_by=lambda entry: entry.trade.id,
)


def between(value: Decimal | None, *steps: tuple[str, int | None]) -> str | None:
    """Return the name in front of the first bound that a value stays below."""
    return None if value is None else next(name for name, bound in steps if bound is None or value < bound)


SAID_OF_GATES: dict[str, Callable[[GatesAtEntry], str | None]] = {
    "trade_of_day": lambda g: str(g.trade_of_day),
    "daily_stop_used": lambda g: between(
        g.daily_stop_used_pct, ("below 50 %", 50), ("50 to 70 %", 70), ("70 to 85 %", 85), ("85 % and more", None)
    ),
    "after_cooldown": lambda g: (
        between(g.since_cooldown_s, ("within 5 min", 300), ("within 30 min", 1800), ("later", None))
        or "first of the day"
    ),
    "candle_minute": lambda g: str(1 + g.candle_second // 60),
    "tempo_age": lambda g: between(
        g.tempo_age_s, ("below 10 s", 10), ("10 to 60 s", 60), ("1 to 5 min", 300), ("5 min and more", None)
    ),
    "tempo_armed_by": lambda g: g.tempo_armed_by,
    "two_half": lambda g: {"neutral": "neutral"}.get(g.two_half, f"{g.two_half} the trade"),
    "entered_by": lambda g: g.entered_by,
}


# -- the oracle -----------------------------------------------------------------------------------------------------


def oracle(entries: list[JournalTrade]) -> dict[str, Any]:
    """Say the figures once more, slowly, in fractions."""
    count = wins = losses = with_r = unknown = 0
    gross = won = lost = points = usd = r = win_points = loss_points = hold = mae = mfe = Fraction(0)
    for entry in entries:
        trade = entry.trade
        count += 1
        points += Fraction(trade.pnl_points)
        net = Fraction(trade.pnl_usd) - Fraction(trade.commission_usd or 0)
        gross += Fraction(trade.pnl_usd)
        usd += net
        unknown += 0 if trade.commission_known else 1
        won += max(net, Fraction(0))
        lost -= min(net, Fraction(0))
        if net > 0:
            wins, win_points = wins + 1, win_points + Fraction(trade.pnl_points)
        if net < 0:
            losses, loss_points = losses + 1, loss_points + Fraction(trade.pnl_points)
        if trade.risk_usd is not None:
            with_r, r = with_r + 1, r + net / Fraction(trade.risk_usd)
        elif entry.stop_points is not None and entry.stop_points != 0:
            with_r, r = with_r + 1, r + Fraction(trade.pnl_points) / Fraction(entry.stop_points)
        hold += Fraction((trade.exit_ts - trade.entry_ts) // timedelta(microseconds=1), 1_000_000)
        mae, mfe = mae + Fraction(trade.mae_points), mfe + Fraction(trade.mfe_points)

    def over(part: Fraction, whole: Fraction | int) -> Fraction | None:
        return part / whole if whole else None

    def of_one(value: Fraction | None, held: list[JournalTrade]) -> Fraction | None:
        return value if len({entry.trade.asset for entry in held}) < 2 else None

    won_by = [e for e in entries if e.trade.result_usd > 0]
    lost_by = [e for e in entries if e.trade.result_usd < 0]
    return {
        "trades": count,
        "wins": wins,
        "losses": losses,
        "commission_unknown": unknown,
        "commission_usd": gross - usd,
        "gross_usd": gross,
        "points": of_one(points, entries),
        "usd": usd,
        "win_rate": over(Fraction(wins), count),
        "expectancy_points": of_one(over(points, count), entries),
        "expectancy_usd": over(usd, count),
        "expectancy_r": over(r, with_r),
        "trades_with_r": with_r,
        "profit_factor": over(won, lost),
        "average_win_points": of_one(over(win_points, wins), won_by),
        "average_loss_points": of_one(over(loss_points, losses), lost_by),
        "average_hold_s": over(hold, count),
        "average_mae_points": of_one(over(mae, count), entries),
        "average_mfe_points": of_one(over(mfe, count), entries),
    }


def assert_are(figures: Figures, expected: dict[str, Any]) -> None:
    for name, value in asdict(figures).items():
        if name.startswith("deviation_"):
            continue  # a root is no fraction: `test_deviations_are_those_of_a_sample`
        if value is None or name in COUNTED:
            assert value == expected[name], name
        else:
            assert isinstance(value, Decimal), name
            assert abs(Fraction(value) - expected[name]) <= Fraction(1, 10**18), name


@given(trades)
def test_figures_are_what_the_oracle_counts(entries: list[JournalTrade]) -> None:
    assert_are(figures_of(entries), oracle(entries))


@given(trades)
def test_deviations_are_those_of_a_sample(entries: list[JournalTrade]) -> None:
    figures = figures_of(entries)
    dollars = [entry.trade.result_usd for entry in entries]
    multiples = [entry.r for entry in entries if entry.r is not None]
    for found, values in ((figures.deviation_usd, dollars), (figures.deviation_r, multiples)):
        assert (found is None) == (len(values) < 2)
        if found is not None:
            variance = statistics.variance([Fraction(value) for value in values])
            assert abs(Fraction(found) ** 2 - variance) <= max(variance, Fraction(1)) / 10**18


@given(trades)
def test_points_and_dollars_are_summed_to_the_cent(entries: list[JournalTrade]) -> None:
    figures = figures_of(entries)
    added = sum(Fraction(e.trade.pnl_points) for e in entries)
    assert figures.points is None or Fraction(figures.points) == added
    assert (figures.points is None) == (len({e.trade.asset for e in entries}) > 1)
    costs = sum(Fraction(e.trade.commission_usd or 0) for e in entries)
    assert Fraction(figures.usd) == sum(Fraction(e.trade.pnl_usd) for e in entries) - costs


def test_nothing_comes_to_nothing_without_an_error() -> None:
    figures = asdict(figures_of([]))
    zeros = {name for name, value in figures.items() if value == 0}
    assert zeros == {*COUNTED, "points", "usd", "gross_usd", "commission_usd"}
    assert all(value is None for name, value in figures.items() if name not in zeros)
    assert (curve_of([]), deepest_fall([]), calendar_of([], [], lambda at: at.date())) == ([], None, [])
    assert all(groups_of([], by) == [] for by in GROUPINGS)


def test_a_scratch_is_neither_won_nor_lost() -> None:
    figures = figures_of([a_trade(1, "0"), a_trade(2, "3")])
    assert (figures.trades, figures.wins, figures.losses, figures.win_rate) == (2, 1, 0, Decimal("0.5"))
    assert (figures.profit_factor, figures.average_loss_points) == (None, None)


def test_r_is_the_result_over_the_first_stop_where_it_is_known() -> None:
    entries = [a_trade(1, "30", stop="15"), a_trade(2, "-7.5", stop="15"), a_trade(3, "99", stop=None)]
    assert [entry.r for entry in entries] == [2, Decimal("-0.5"), None]
    figures = figures_of(entries)
    assert (figures.expectancy_r, figures.trades_with_r) == (Decimal("0.75"), 2)


# -- groups and curves ----------------------------------------------------------------------------------------------


def said_at_entry(say: Callable[[GatesAtEntry], str | None], entry: JournalTrade) -> list[str]:
    return [(entry.gates and say(entry.gates)) or "unknown"]


@given(trades, st.sampled_from(sorted(GROUPINGS)))
def test_every_trade_is_in_the_groups_of_its_names(entries: list[JournalTrade], by: str) -> None:
    all_names: dict[str, Callable[[JournalTrade], Sequence[str]]] = {
        "hour": lambda e: [e.trade.entry_ts.astimezone(NEW_YORK).strftime("%H")],
        "weekday": lambda e: [e.trading_day.strftime("%A")],
        "zone": lambda e: [e.trade.zone],
        "discipline": lambda e: [
            {(0, 0): "by the rules", (1, 0): "override", (0, 1): "forced exit", (1, 1): "override and forced exit"}[
                int(e.trade.override), int(e.trade.forced_exit and e.trade.exit_by is None)
            ]
        ],
        "reason": lambda e: [e.trade.reason],
        "mode": lambda e: [e.trade.mode],
        "asset": lambda e: [e.trade.asset],
        "tag": lambda e: e.note.tags,
        "zone_gate": lambda e: [
            "skipped by override"
            if e.trade.override
            else {"NONE": "unknown", "ADOPTED": "unknown"}.get(e.trade.zone, e.trade.zone)
        ],
        **{gate: partial(said_at_entry, say) for gate, say in SAID_OF_GATES.items()},
    }
    names = all_names[by]
    groups = groups_of(entries, by)
    assert len({group.name for group in groups}) == len(groups)
    assert {group.name for group in groups} == {name for entry in entries for name in names(entry)}
    for group in groups:
        assert_are(group.figures, oracle([entry for entry in entries if group.name in names(entry)]))


def test_hours_are_new_yorks_on_both_sides_of_the_clock_change() -> None:
    summer = a_trade(1, closed=new_york("2026-10-30", "09:45:00"))
    winter = a_trade(2, closed=new_york("2026-11-02", "09:45:00"))
    assert [group.name for group in groups_of([summer, winter], "hour")] == ["09"]
    assert [group.name for group in groups_of([winter, summer], "weekday")] == ["Monday", "Friday"]


@given(trades)
def test_the_curve_ends_at_the_sum_and_falls_as_deep_as_any_stretch(entries: list[JournalTrade]) -> None:
    curve = curve_of(entries)
    assert [point.trade_id for point in curve] == [
        e.trade.id for e in sorted(entries, key=lambda e: (e.trade.exit_ts, e.trade.id))
    ]
    heights = [Fraction(0), *(Fraction(point.usd) for point in curve)]
    assert heights[-1] == sum(Fraction(e.trade.result_usd) for e in entries)
    falls = [a - b for i, a in enumerate(heights) for b in heights[i:]]
    assert deepest_fall(curve) == (max(falls) if entries else None)


# -- tries and the calendar -----------------------------------------------------------------------------------------


def blocked(gate: str = "cooldown", **more: Any) -> EntryBlocked:
    return EntryBlocked("ES", "BUY", None, gate, "NO", {}, **more)


def test_blocked_attempts_are_counted_by_gate_the_most_frequent_first() -> None:
    accepted = EntryAccepted("ES", "BUY", None, "o", "FREE", {}, override=True)
    tries: list[Attempt] = [
        blocked("tempo"),
        blocked(),
        accepted,
        blocked(),
        ExitBlocked("ES"),
        blocked("zone", override=True),
    ]
    assert list(blocked_by_gate(tries).items()) == [
        ("cooldown", 2),
        ("initial_exit_lock", 1),
        ("tempo", 1),
        ("zone", 1),
    ]


@given(trades)
def test_the_calendar_counts_each_day(entries: list[JournalTrade]) -> None:
    tries: list[tuple[datetime, Attempt]] = [
        (CLOSE, blocked()),
        (CLOSE, ExitBlocked("ES")),
        (CLOSE + timedelta(days=1), blocked()),
    ]
    tries.append((CLOSE, EntryAccepted("ES", "BUY", None, "o", "FREE", {}, override=True)))
    days = calendar_of(entries, tries, lambda at: trading_day_of(at, ROLL))
    by_day = {day.day: day for day in days}
    assert list(by_day) == sorted({*(e.trading_day for e in entries), date(2026, 11, 17), date(2026, 11, 18)})
    for name, day in by_day.items():
        own = [e.trade for e in entries if e.trading_day == name]
        assert (day.trades, day.wins) == (len(own), sum(t.result_usd > 0 for t in own))
        points = sum(t.pnl_points for t in own) if len({t.asset for t in own}) < 2 else None
        assert (day.usd, day.points) == (sum(t.result_usd for t in own), points)
        assert day.forced_exits == sum(t.forced_exit and t.exit_by is None for t in own)
    assert (by_day[date(2026, 11, 17)].blocked, by_day[date(2026, 11, 17)].overrides) == (2, 1)
    assert (by_day[date(2026, 11, 18)].blocked, by_day[date(2026, 11, 18)].overrides) == (1, 0)


@given(st.datetimes(datetime(2001, 1, 1), datetime(2099, 1, 1)), st.sampled_from(["18:00", "17:00", "00:00", "09:30"]))  # noqa: DTZ001
def test_a_moment_lies_in_the_span_of_its_trading_day(moment: datetime, roll: str) -> None:
    at = moment.replace(tzinfo=UTC)
    since, until = span_of(trading_day_of(at, roll), trading_day_of(at, roll), roll)
    assert since <= at < until
    assert day_begin(trading_day_of(at, roll), roll) == since


# -- pages ----------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SqliteStore]:
    store = SqliteStore(tmp_path_factory.mktemp("journal") / "desk.sqlite")
    yield store
    store.close()


def many() -> Iterator[JournalTrade]:
    """600 trades, several of them closed at the same moment, every third with a tag."""
    for n in range(600):
        at = CLOSE + timedelta(hours=n // 3)
        note = Note("why", ("fomo", "plan")[: 1 + n % 2], CLOSE) if n % 3 == 0 else Note()
        stood = GatesAtEntry(n, None, None, Decimal(n), Decimal(n), "6pt brick", "with", "click") if n % 4 else None
        yield a_trade(n, str(n % 7 - 3), closed=at, note=note, gates=stood, env="LIVE" if n % 5 == 0 else "DEMO")


@pytest.fixture(scope="module")
def kept(store: SqliteStore) -> list[JournalTrade]:
    entries = list(many())
    trades = [trade_record(ClosedTrade(e.trade, e.stop_points)) for e in entries]
    notes = [note_record(TradeNoted(e.trade.id, e.note.text, e.note.tags), CLOSE) for e in entries if e.note.at]
    gates = [gates_record(e.trade.id, e.gates, CLOSE) for e in entries if e.gates]
    store.commit(Commit(None, StoreState(1, 1, 1, "w"), {"_global": b"{}"}, records=[*trades, *notes, *gates]))
    return sorted(entries, key=lambda e: (e.trade.exit_ts, e.trade.id), reverse=True)


SELECTIONS: dict[str, tuple[Selection, Callable[[JournalTrade], bool]]] = {
    "all": (Selection(), lambda e: True),
    "one day": (
        Selection(first_day=date(2026, 11, 19), last_day=date(2026, 11, 19)),
        lambda e: e.trading_day == date(2026, 11, 19),
    ),
    "a Saturday, which is no trading day": (
        Selection(first_day=date(2026, 11, 21), last_day=date(2026, 11, 21)),
        lambda e: False,
    ),
    "a tag": (Selection(tag="plan"), lambda e: "plan" in e.note.tags),
    "live": (Selection(env="LIVE"), lambda e: e.trade.env == "LIVE"),
    "nobody's": (Selection(asset="NQ"), lambda e: False),
    "longs of a mode and a reason": (Selection(side="BUY", mode="SCALP", reason="manual"), lambda e: True),
}


def pages(store: Store, selection: Selection, limit: int) -> Iterator[list[JournalTrade]]:
    before = None
    while True:
        page = page_of(store, selection, ROLL, limit, before)
        yield page.trades
        if page.following is None:
            return
        before = read_cursor(write_cursor(page.following))


@pytest.mark.parametrize("name", SELECTIONS)
@pytest.mark.parametrize("limit", [7, PAGE, 599, 600, 601])
def test_pages_joined_are_the_whole_selection(
    store: SqliteStore, kept: list[JournalTrade], name: str, limit: int
) -> None:
    selection, belongs = SELECTIONS[name]
    found = list(pages(store, selection, limit))
    assert all(len(page) <= limit for page in found)
    assert all(len(page) == limit for page in found[:-1])
    assert [entry for page in found for entry in page] == [entry for entry in kept if belongs(entry)]


def test_one_trade_is_found_with_its_note(store: SqliteStore, kept: list[JournalTrade]) -> None:
    assert trade_with_note(store, kept[0].trade.id, ROLL) == kept[0]
    noted = next(entry for entry in kept if entry.note.at)
    assert known(trade_with_note(store, noted.trade.id, ROLL)).note.tags == noted.note.tags
    assert trade_with_note(store, "nobody", ROLL) is None


@pytest.mark.parametrize("text", ["", "-", "x-1", "12-", "99999999999999999-a", "١٢-a", "-5-a"])
def test_a_cursor_that_nobody_wrote_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="must be the next of an earlier page"):
        read_cursor(text)


@given(st.integers(0, 10**9), st.text(st.characters(codec="ascii", categories=["Ll", "Nd"]), min_size=1, max_size=32))
def test_a_cursor_comes_back_as_it_was(seconds: int, trade_id: str) -> None:
    cursor = Cursor(CLOSE + timedelta(seconds=seconds, microseconds=seconds % 999_983), trade_id)
    assert read_cursor(write_cursor(cursor)) == cursor
    assert replace(cursor, trade_id=f"{trade_id}x") != cursor
