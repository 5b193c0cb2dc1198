"""One bridge process claims; a second one is refused until the first is silent or replaced (SPEC 8.2)."""

from __future__ import annotations

from services.engine.model.bridge_commands import (
    BrokerPosition,
    HearBridge,
    NoteTwoBridges,
    TakeOverBridge,
    TakeSnapshot,
)
from services.engine.model.events import OrderClaimed
from services.engine.model.proof_events import BridgeRefusalEnded, BridgeRefused, BridgeTakenOver
from services.engine.model.replies import Done
from services.engine.rules.alert_times import NO_ENDS, ends_after, key_of
from services.engine.rules.alerts import ALERTS
from tests.support.trader import Trader

ALPHA, BETA, GAMMA = "ledger of alpha", "ledger of beta", "ledger of gamma"


def a_trader_whose_alpha_claims() -> Trader:
    """Return a trader whose entry is claimed by alpha, which has sent a heartbeat."""
    trader = Trader().with_structure("green").enters("BUY").claims("alpha")
    return hears(trader, ALPHA)


def hears(trader: Trader, instance: str | None, connected: bool = True, **more: object) -> Trader:
    return trader.asks(HearBridge(ts_connected=connected, instance=instance, **more))  # type: ignore[arg-type]


def owners_taken(trader: Trader) -> int:
    return trader.alerts.count("owner_taken")


def test_a_second_process_of_the_same_name_is_refused_and_the_operator_is_told_once() -> None:
    trader = a_trader_whose_alpha_claims()
    for _ in range(5):
        trader.later(seconds=2).claims("beta")
        assert trader.refused_by == "owner_taken"
    assert owners_taken(trader) == 1
    facts = {"owner": "beta", "instance": BETA, "holder": ALPHA}
    assert (trader.last_alert.level, trader.last_alert.facts) == ("critical", facts)
    assert len(trader.told(BridgeRefused)) == 1
    assert trader.open_order.instance == ALPHA
    assert trader.replays_equal()


def test_a_second_process_is_refused_when_nothing_is_queued_too() -> None:
    trader = hears(Trader(), ALPHA).claims("beta")
    assert trader.refused_by == "owner_taken"


def test_the_heartbeat_of_the_first_keeps_the_second_out_however_long_it_claims_nothing() -> None:
    trader = hears(Trader(), ALPHA)
    for _ in range(12):
        hears(trader.later(seconds=10), ALPHA)
    assert trader.later(seconds=59).claims("beta").refused_by == "owner_taken"


def test_its_snapshot_does_so_too() -> None:
    trader = hears(Trader(), ALPHA).later(seconds=50).asks(TakeSnapshot(instance=ALPHA))
    assert trader.later(seconds=59).claims("beta").refused_by == "owner_taken"


def test_sixty_seconds_after_the_first_was_heard_the_second_claims_and_the_first_does_not() -> None:
    trader = hears(Trader(), ALPHA).later(seconds=60).claims("beta")
    assert trader.refused_by is None
    assert trader.claims("alpha").refused_by == "owner_taken"


def test_a_process_that_is_refused_stays_refused_however_often_it_asks() -> None:
    trader = hears(Trader(), ALPHA)
    for _ in range(30):
        hears(trader.later(seconds=5), ALPHA)
        hears(trader, BETA)
        assert trader.claims("beta").refused_by == "owner_taken"
    assert owners_taken(trader) == 1


def test_the_heartbeat_of_the_second_says_nothing_of_the_link() -> None:
    trader = hears(Trader(), ALPHA, connected=False)
    hears(trader.later(seconds=1), BETA, connected=True, envs=("DEMO", "LIVE"), account="OTHER")
    live = trader.desk.live
    assert (live.ts_connected, live.envs, live.account, live.instance) == (False, None, None, ALPHA)


def test_the_report_of_a_process_that_may_no_longer_claim_counts() -> None:
    trader = a_trader_whose_alpha_claims().later(seconds=60).claims("beta")
    assert trader.reports("FILLED", 5250.25, qty=5, exec_id="one").position == 5


def test_the_snapshot_of_a_second_process_with_the_same_account_counts() -> None:
    trader = hears(Trader().is_long(), "ledger of bridge", account="A1")
    held = (BrokerPosition(trader.trade.contract.symbol, 4),)
    trader.later(seconds=3).asks(TakeSnapshot(positions=held, account="A1", instance=BETA))
    assert trader.asset.disagreement is not None


def test_the_takeover_lets_the_refused_process_claim_at_once_and_not_the_first() -> None:
    trader = hears(Trader(), ALPHA).claims("beta").asks(TakeOverBridge("alpha's machine is lost"))
    assert isinstance(trader.answer, Done)
    (taken,) = trader.told(BridgeTakenOver)
    assert (taken.holder, taken.instance, taken.reason) == (ALPHA, BETA, "alpha's machine is lost")
    assert hears(trader, ALPHA).claims("alpha").refused_by == "owner_taken"
    assert trader.claims("beta").refused_by is None
    assert trader.replays_equal()


def test_the_takeover_ends_the_lease_of_a_claimed_exit() -> None:
    trader = Trader().is_long().bricks(6, "green").later(seconds=60).exits().claims("alpha")
    assert trader.claims("beta").refused_by == "owner_taken"
    trader.asks(TakeOverBridge()).claims("beta")
    assert [handover.redelivered for handover in trader.handed_over] == [True]
    assert trader.told(OrderClaimed)[-1].owner == "beta"
    assert trader.open_order.instance == BETA


def test_the_takeover_hands_no_claimed_entry_to_another_process() -> None:
    trader = a_trader_whose_alpha_claims().claims("beta").asks(TakeOverBridge()).claims("beta")
    assert trader.handed_over == ()


def test_the_lease_begins_anew_for_the_process_that_took_the_exit_over() -> None:
    trader = Trader().is_long().bricks(6, "green").later(seconds=60).exits().claims("alpha").claims("beta")
    trader.asks(TakeOverBridge()).claims("beta").asks(TakeOverBridge())
    assert trader.open_order.lease_ended
    assert trader.claims("gamma").open_order.lease_ended is False


def test_without_a_refused_process_the_takeover_lets_whichever_comes_next_claim() -> None:
    trader = hears(Trader(), ALPHA).asks(TakeOverBridge()).claims("gamma")
    assert trader.refused_by is None
    assert trader.claims("alpha").refused_by == "owner_taken"


def test_the_alert_is_over_when_the_second_claims_or_no_longer_asks() -> None:
    trader = hears(Trader(), ALPHA).claims("beta")
    alert = trader.last_alert
    assert ALERTS["owner_taken"].is_over(alert, trader.desk) is False
    trader.later(seconds=59).ticks()
    assert trader.told(BridgeRefusalEnded) == []
    trader.later(seconds=1).ticks()
    events = [(trader.now, event) for event in trader.told(BridgeRefusalEnded)]
    assert ends_after(NO_ENDS, trader.desk, events) == {key_of(alert): trader.now}
    assert ALERTS["owner_taken"].is_over(alert, trader.desk) is True


def test_a_second_process_that_comes_again_later_is_told_again() -> None:
    trader = hears(Trader(), ALPHA).claims("beta").later(seconds=60).ticks()
    hears(trader, ALPHA).claims("beta")
    assert owners_taken(trader) == 2


def test_the_fence_survives_a_restart() -> None:
    trader = hears(Trader(), ALPHA).claims("beta").restarts()
    assert trader.claims("beta").refused_by == "owner_taken"
    assert owners_taken(trader) == 1


def test_a_bridge_of_the_contract_is_not_refused() -> None:
    trader = hears(Trader().with_structure("green").enters("BUY"), ALPHA).claims("old", has_ledger=False)
    assert len(trader.handed_over) == 1


def test_two_bridges_of_the_contract_that_ask_in_turns_are_told() -> None:
    trader = Trader().asks(NoteTwoBridges(("bridge (10.0.0.1)", "bridge (10.0.0.2)")))
    assert (trader.last_alert.code, trader.last_alert.level) == ("two_bridges", "critical")
    assert "10.0.0.2" in trader.last_alert.sentence
    assert trader.replays_equal()
