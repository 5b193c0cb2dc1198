"""What became of a proposal, and what would have become of it, is kept beside the journal."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from decimal import Decimal
from functools import partial
from pathlib import Path

import msgspec
import pytest
from msgspec.structs import replace

from services.engine.model.commands import KeepObservations, NotePrice
from services.projections import followed_proposals
from services.projections.followed_proposals import FOLLOWED, KeptProposal
from services.projections.proposals import PROPOSALS, ended_proposals
from services.stores.firestore.store import FirestoreStore
from tests.support.builders import CONTRACTS
from tests.support.desk_process import closing_connection
from tests.support.narrow import known
from tests.support.stored_trader import StoredTrader
from tests.support.trader import Trader


def kept_by(trader: Trader) -> KeptProposal:
    """Return the record of the only proposal that has ended."""
    records = {record.id: record for record in trader.records_of(PROPOSALS)}
    (record,) = records.values()
    return msgspec.json.decode(record.body, type=KeptProposal)


def proposed() -> Trader:
    """Return a trader at 5250 who sees a proposal of BUY with its stop at 5240 and its target at 5270."""
    return Trader().with_structure("green").hears(5250).hears_proposal()


def moves(trader: Trader, *prices: object) -> Trader:
    """Let prices come a minute apart, each kept in the journal."""
    for price in prices:
        trader.later(60).hears(price).asks(KeepObservations())
    return trader


def test_an_expired_proposal_that_reached_its_target_would_have_won() -> None:
    trader = moves(proposed().later(840), 5255)  # expired meanwhile
    assert (kept_by(trader).status, kept_by(trader).outcome) == ("EXPIRED", None)
    kept = kept_by(moves(trader, 5271))
    assert (kept.outcome, kept.outcome_at) == ("target", trader.now)
    assert (kept.points, kept.usd) == (Decimal(20), Decimal(500))  # left at the target; 5 contracts at 5 USD a point


def test_a_dismissed_proposal_that_met_its_stop_would_have_lost() -> None:
    kept = kept_by(moves(proposed().dismisses(), 5245, 5239, 5271))
    assert (kept.status, kept.outcome, kept.points, kept.usd) == ("DISMISSED", "stop", Decimal(-10), Decimal(-250))


def test_a_sell_wins_downwards() -> None:
    trader = Trader().hears(5250).hears_proposal("SELL").dismisses()
    kept = kept_by(moves(trader, 5241, "5229.75"))
    assert (kept.outcome, kept.points) == ("target", Decimal(20))


def test_what_came_before_its_end_is_told_at_its_end() -> None:
    trader = moves(proposed(), 5275)
    assert trader.records_of(PROPOSALS) == []  # it is open still
    kept = kept_by(trader.later(5).dismisses())
    assert (kept.status, kept.outcome) == ("DISMISSED", "target")
    assert known(kept.outcome_at) < known(kept.ended_at)


def test_a_refused_click_names_its_gate_and_a_taken_one_its_order() -> None:
    refused = Trader().hears(5250).hears_proposal().clicks_proposal()
    assert (kept_by(refused).status, kept_by(refused).gate) == ("REFUSED", "tempo")
    taken = proposed().clicks_proposal()
    assert (kept_by(taken).status, kept_by(taken).order_id) == ("TAKEN", taken.open_order.id)


def test_neither_by_the_end_of_the_day_is_counted_at_its_last_price() -> None:
    trader = moves(proposed().dismisses(), 5255, 5253).at("18:00:01").ticks()
    kept = kept_by(trader)
    assert (kept.outcome, kept.points, kept.usd) == ("day_end", Decimal(3), Decimal(75))
    assert known(kept.outcome_at) < trader.now  # when that price was


def test_the_last_price_of_the_day_may_be_the_one_that_reaches_it() -> None:
    trader = proposed().dismisses().at("17:59:58").hears(5271).at("18:00:01").ticks()  # no row kept it before the roll
    assert (kept_by(trader).outcome, kept_by(trader).points) == ("target", Decimal(20))


def test_one_simulated_price_on_its_way_makes_the_outcome_no_real_one() -> None:
    trader = Trader(is_heard=False).hears(5250).hears_proposal().dismisses()
    assert not kept_by(trader).simulated
    told = NotePrice("ES", Decimal(5255), simulated=True)
    trader.later(60).asks(told).asks(KeepObservations()).later(1).asks(NotePrice("ES"))
    kept = kept_by(moves(trader, 5271))
    assert (kept.outcome, kept.simulated) == ("target", True)


def test_a_proposal_at_a_simulated_price_says_so_after_a_real_message_without_one() -> None:
    trader = Trader(is_heard=False).asks(NotePrice("ES", Decimal(5250), simulated=True)).later(1).asks(NotePrice("ES"))
    assert kept_by(trader.hears_proposal().dismisses()).simulated


def test_one_source_leaves_places_to_the_others(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(followed_proposals, "FOLLOWED_OF_A_SOURCE", 1)
    trader = Trader().hears(5250)
    for source in ("wild", "wild", "calm"):
        trader.hears_proposal(source=source).dismisses()
    kept = [msgspec.json.decode(record.body, type=KeptProposal) for record in trader.records_of(PROPOSALS)]
    assert [(one.proposal.source, one.unfollowed) for one in kept] == [
        ("wild", None),
        ("wild", "not_followed"),
        ("calm", None),
    ]


def test_a_key_that_renames_itself_takes_the_places_of_one_source(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(followed_proposals, "FOLLOWED_OF_A_SOURCE", 1)
    trader = Trader().hears(5250)
    for source, key in (("a0", "k-1"), ("a1", "k-1"), ("a0", "k-2")):
        trader.hears_proposal(source=source, proposer="key", key=key).dismisses()
    kept = [msgspec.json.decode(record.body, type=KeptProposal) for record in trader.records_of(PROPOSALS)]
    assert [one.unfollowed for one in kept] == [None, "not_followed", None]


def test_a_price_of_the_next_day_says_nothing() -> None:
    trader = moves(proposed().dismisses(), 5255).at("18:00:01").ticks()
    assert kept_by(moves(trader, 5300)).outcome == "day_end"


def test_it_is_entered_at_the_price_of_its_opening_not_at_the_one_it_names() -> None:
    trader = Trader().hears(5256).hears_proposal(entry=5250, stop=5240, target=5270).dismisses()
    kept = kept_by(moves(trader, 5270))
    assert (kept.price, kept.outcome, kept.points) == (Decimal(5256), "target", Decimal(14))


def test_nobody_knows_without_a_fresh_price() -> None:
    assert kept_by(Trader().hears_proposal().dismisses()).unfollowed == "no_price"
    stale = Trader().hears(5250).later(600).hears_proposal().dismisses()
    assert (kept_by(stale).price, kept_by(stale).unfollowed) == (None, "no_price")


@pytest.mark.parametrize("price", [5239, 5270])
def test_nobody_knows_where_the_price_had_passed_its_levels(price: int) -> None:
    kept = kept_by(Trader().hears(price).hears_proposal().dismisses())
    assert (kept.unfollowed, kept.outcome, kept.usd) == ("past_its_levels", None, None)


def test_nobody_knows_when_no_price_came_after_it() -> None:
    assert kept_by(proposed().dismisses().at("18:00:01").ticks()).unfollowed == "no_prices_after"


def test_a_price_of_the_moment_itself_is_none_that_came_after() -> None:
    trader = Trader().hears(5250).hears_proposal(target=5260).hears(5265).dismisses()
    assert kept_by(trader).outcome is None


def test_the_prices_of_another_contract_are_not_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    trader = StoredTrader(tmp_path / "desk.sqlite").hears(5250).hears_proposal()
    monkeypatch.setitem(CONTRACTS, "ES", replace(CONTRACTS["ES"], symbol="MESH7"))
    trader.restarts()
    moves(trader, 5300).at("18:00:01").ticks()
    [kept] = ended_proposals(trader.manager.store, 10)
    assert (kept.status, kept.why, kept.unfollowed) == ("WITHDRAWN", "contract_changed", "contract_changed")
    trader.stops()


@pytest.fixture(params=["sqlite", "firestore"])
def anywhere(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[StoredTrader]:
    """Return a trader at 5250 whose desk is kept in either store."""
    opens = None
    if request.param == "firestore":
        host, project = request.getfixturevalue("firestore_host"), f"desk-{uuid.uuid4().hex[:12]}"
        opens = partial(FirestoreStore, project, emulator_host=host)
    trader = StoredTrader(tmp_path / "desk.sqlite", opens=opens)
    yield trader.hears(5250)
    trader.stops()


def test_proposal_and_course_are_kept_over_restarts_in_either_store(anywhere: StoredTrader) -> None:
    trader = anywhere.hears_proposal()
    proposal = trader.proposal
    assert trader.restarts().proposal == proposal
    moves(trader.dismisses().restarts(), 5255)
    moves(trader.restarts(), 5271)
    [kept] = ended_proposals(trader.manager.store, 10)
    assert (kept.proposal, kept.status, kept.outcome) == (proposal, "DISMISSED", "target")
    assert trader.replays().is_equal


def test_a_desk_opens_although_what_was_followed_is_damaged(tmp_path: Path) -> None:
    trader = StoredTrader(tmp_path / "desk.sqlite").hears(5250).hears_proposal().stops()
    with closing_connection(trader.path) as connection:
        connection.execute("UPDATE records SET body = ? WHERE kind = ?", (b"[{}]", FOLLOWED.name))
        connection.commit()
    trader.starts().dismisses()
    [kept] = ended_proposals(trader.manager.store, 10)
    assert (kept.status, kept.unfollowed) == ("DISMISSED", "not_followed")
    trader.stops()


def test_the_newest_come_first_and_one_that_is_open_is_not_among_them(tmp_path: Path) -> None:
    trader = StoredTrader(tmp_path / "desk.sqlite").hears(5250)
    for source in ("first", "second", "third"):
        trader.hears_proposal(source=source).later(1)
        if source != "third":
            trader.dismisses().later(1)
    sources = [kept.proposal.source for kept in ended_proposals(trader.manager.store, 10)]
    assert sources == ["second", "first"]
    assert len(ended_proposals(trader.manager.store, 1)) == 1
    trader.stops()


def test_no_more_are_followed_at_once_than_can_be(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(followed_proposals, "FOLLOWED_AT_MOST", 2)
    trader = Trader().hears(5250)
    for _ in range(3):
        trader.hears_proposal().dismisses()
    moves(trader, 5271)
    kept = {record.id: msgspec.json.decode(record.body, type=KeptProposal) for record in trader.records_of(PROPOSALS)}
    assert [(one.outcome, one.unfollowed) for one in kept.values()] == [
        ("target", None),
        ("target", None),
        (None, "not_followed"),
    ]


def test_nothing_is_followed_any_more_once_all_is_known() -> None:
    trader = moves(proposed().dismisses(), 5271, 5272)
    before = len(trader.records)
    moves(trader, 5273)
    assert [record for record in trader.records[before:] if record.kind in (PROPOSALS, FOLLOWED)] == []
