"""A clock that differs from the desk's is told once, and until it agrees again (SPEC 5.8)."""

from __future__ import annotations

from services.engine.model.bridge_commands import NoteClock
from services.engine.rules.alert_times import is_over
from tests.support.trader import Trader

WEB_SET_BACK = NoteClock("machine", -3600.0, agrees=False, detail="this machine's clock was set back by 3600 s")
WEB_AGREES = NoteClock("machine", 0.1, agrees=True)
BRIDGE_AHEAD = NoteClock("bridge", 2.4, agrees=False, detail="the bridge's clock is 2 s ahead of the desk's")


def test_a_clock_that_differs_is_told_once_and_is_over_when_it_agrees() -> None:
    trader = Trader().asks(WEB_SET_BACK).later(1).asks(WEB_SET_BACK)
    assert trader.alerts == ["clock"]
    alert = trader.last_alert
    assert (alert.level, alert.facts) == ("critical", {"whose": "machine", "ahead_seconds": -3600})
    assert alert.sentence.startswith("CLOCK — this machine's clock was set back by 3600 s")
    assert is_over(alert, trader.desk, {}) is False
    trader.later(1).asks(WEB_AGREES)
    assert is_over(alert, trader.desk, {}) is True
    assert trader.alerts == ["clock"]
    assert trader.replays_equal()


def test_two_clocks_are_told_apart() -> None:
    trader = Trader().asks(WEB_SET_BACK).asks(BRIDGE_AHEAD).later(1).asks(WEB_AGREES)
    web, bridge = trader.desk.alerts[-2:]
    assert (is_over(web, trader.desk, {}), is_over(bridge, trader.desk, {})) == (True, False)
    assert bridge.level == "warning"
    assert trader.desk.clocks_off == ("bridge",)


def test_one_that_differs_again_is_told_again() -> None:
    trader = Trader().asks(WEB_SET_BACK).later(5).asks(WEB_AGREES).later(5).asks(WEB_SET_BACK)
    first, second = trader.desk.alerts[-2:]
    assert (is_over(first, trader.desk, {}), is_over(second, trader.desk, {})) == (True, False)
