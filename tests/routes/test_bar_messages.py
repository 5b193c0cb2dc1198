"""TradingView's one alert over real HTTP: a bar's price and the bricks of all sizes in one message (SPEC 3)."""

import json
import random
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from services.market.instruments import instrument_for
from tests.support.desk_process import QUICK, TV_SECRET, DeskProcess, TradingViewCaller, error_of, without_the_clock
from tests.support.tv_chart import Chart, Message, as_sent
from wire.tradingview import STREAMS

pytestmark = pytest.mark.processes

SIZES = {row.stream.value: float(row.points) for row in STREAMS}

SEEN = ("5250", "5280", "5250")  # every size stands on a red brick, the 12pt from 5256 to 5268


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DeskProcess]:
    with DeskProcess(tmp_path_factory.mktemp("bars"), **QUICK) as desk:
        yield desk


@pytest.fixture
def own_desk(tmp_path: Path) -> Iterator[DeskProcess]:
    with DeskProcess(tmp_path, **QUICK) as desk:
        yield desk


def sends(alerts: TradingViewCaller, message: Message) -> dict[str, Any]:
    answer = alerts.post("/tv", data=as_sent(message), headers={"Content-Type": "text/plain; charset=utf-8"})
    assert answer.status_code == 200, answer.text
    said: dict[str, Any] = answer.json()
    return said


def newest_line(desk: DeskProcess) -> dict[str, Any]:
    line: dict[str, Any] = desk.operator().state()["logs"]["tradingview"][0]
    return line


def bricks_journaled(desk: DeskProcess) -> list[tuple[Any, ...]]:
    """Return size, colour and close of every brick that was applied and stored, in their order."""
    rows = desk.rows("SELECT CAST(events AS TEXT) FROM journal WHERE kind = 'CloseBar' ORDER BY sequence")
    events = [event for (told,) in rows for event in json.loads(told) if event["type"] == "BrickApplied"]
    return [(SIZES[event["stream"]], event["color"], float(event["close"])) for event in events]


# -- what a message does -----------------------------------------------------------------------------------------------


def test_one_message_is_the_heartbeat_and_the_bricks_of_all_sizes(own_desk: DeskProcess) -> None:
    chart, operator = Chart(seen=("5250",)), own_desk.operator()
    message = chart.closes(5275.25)
    said = sends(own_desk.tradingview(), message)
    assert (said["applied"], said["duplicates"], said["late"]) == (len(message["bricks"]), 0, 0)
    asset = operator.asset()
    assert asset["last_price"] == 5275.25
    assert datetime.fromisoformat(asset["last_heartbeat_ts"]) == datetime.fromtimestamp(message["now"] / 1000, UTC)
    names = ("one", "two_half", "", "main", "high", "macro")
    assert {asset[f"{name}_renko_color".lstrip("_")] for name in names} == {"green"}
    assert asset["zone_type"] == "NORMAL"
    line = newest_line(own_desk)
    assert (line["kind"], line["asset"], line["outcome"]) == ("tv", "ES", "ok")
    assert line["text"] == f"5275.25, {len(message['bricks'])} bricks"
    assert (line["facts"]["tf"], line["facts"]["sizes"], line["facts"]["bricks"]) == ("15S", 6, len(message["bricks"]))


def test_prices_alone_are_a_heartbeat(own_desk: DeskProcess) -> None:
    message = Chart(tf="1").closes(5250.25)
    assert "bricks" not in message
    said = sends(own_desk.tradingview(), message)
    nothing = {"applied": 0, "duplicates": 0, "late": 0, "effects": [], "orders": []}
    assert {**said, "version": 0} == {"ok": True, "version": 0, **nothing}
    assert own_desk.operator().asset()["last_price"] == 5250.25
    assert newest_line(own_desk)["text"] == "5250.25"


def test_a_repeated_message_raises_the_count_of_its_line(own_desk: DeskProcess) -> None:
    chart, alerts = Chart(), own_desk.tradingview()
    for price in (5250.25, 5250.5, 5250.25):
        sends(alerts, chart.closes(price))
    [line] = own_desk.operator().state()["logs"]["tradingview"]
    assert (line["kind"], line["count"]) == ("tv", 3)


def test_bricks_act_from_small_to_large_and_oldest_first_however_they_are_ordered(own_desk: DeskProcess) -> None:
    message = Chart(seen=("5250",)).closes(5275.25)
    random.Random(7).shuffle(message["bricks"])
    sends(own_desk.tradingview(), message)
    acted = [(size, close) for size, _, close in bricks_journaled(own_desk)]
    assert acted == sorted(acted)
    assert len(acted) == sum(brick["size"] != 1 for brick in message["bricks"])
    assert acted[-1] == (12, 5268)


def test_a_message_sent_again_changes_nothing(own_desk: DeskProcess) -> None:
    chart, alerts, operator = Chart(seen=("5250",)), own_desk.tradingview(), own_desk.operator()
    message = chart.closes(5275.25)
    sends(alerts, message)
    before, acted = operator.settled_state(), bricks_journaled(own_desk)
    again = sends(alerts, message)
    assert (again["applied"], again["duplicates"], again["duplicate"]) == (0, len(message["bricks"]), True)
    assert (again["effects"], again["orders"]) == ([], [])
    assert without_the_clock(operator.settled_state()) == without_the_clock(before)
    assert bricks_journaled(own_desk) == acted


def test_a_message_that_was_overtaken_changes_no_colour(own_desk: DeskProcess) -> None:
    chart, alerts, operator = Chart(seen=("5250",)), own_desk.tradingview(), own_desk.operator()
    up, down = chart.closes(5275.25), chart.closes(5240)
    sends(alerts, down)
    before = operator.asset()
    said = sends(alerts, up)
    assert (said["applied"], said["late"]) == (0, len(up["bricks"]))
    assert "differs" not in said  # an old message contradicts nothing
    after = operator.asset()
    for field in ("last_price", "last_heartbeat_ts", "renko_color", "main_renko_color", "macro_renko_color"):
        assert after[field] == before[field]
    assert after["main_renko_color"] == "red"


def test_the_price_comes_first_so_that_an_exit_by_a_brick_sees_the_close_that_formed_it(own_desk: DeskProcess) -> None:
    chart, alerts, operator = Chart(seen=("5250",)), own_desk.tradingview(), own_desk.operator()
    sends(alerts, chart.closes(5275.25))
    assert operator.asset()["first_closed_gate"] == "feed"  # one message proves nothing
    sends(alerts, chart.closes(5275.5))
    own_desk.bridge().fills(operator.enters_when_the_candle_allows(), 5275.25)
    assert operator.post("/api/main-flip-exit", json={"asset": "ES"}).status_code == 200
    said = sends(alerts, chart.closes(5261.25))
    assert [order["source"] for order in said["orders"]] == ["main_flip"]
    rows = own_desk.rows("SELECT kind FROM journal WHERE CAST(events AS TEXT) LIKE '%OrderQueued%main_flip%'")
    assert rows == [("CloseBar",)]
    assert operator.asset()["rithmic_open_points"] == -14


# -- what the desk does not know ---------------------------------------------------------------------------------------


def test_a_lost_message_is_seen_in_the_next_one_and_mended_by_the_one_after(own_desk: DeskProcess) -> None:
    chart, alerts, operator = Chart(seen=SEEN), own_desk.tradingview(), own_desk.operator()
    for price in (5250.25, 5250.5):
        sends(alerts, chart.closes(price))
    assert operator.asset()["feed"]["whole"]
    lost_at = datetime.fromtimestamp(chart.t / 1000, UTC)
    chart.closes(5280.25)  # lost
    said = sends(alerts, chart.closes(5280.5))
    assert said["differs"] == said["adopted"] == ["1", "2.5", "4", "6", "8", "12"]
    line = newest_line(own_desk)
    assert (line["kind"], line["outcome"], line["facts"]["differs"]) == ("tv", "differs", "1, 2.5, 4, 6, 8, 12")
    asset = operator.asset()
    assert (asset["main_renko_color"], asset["tempo_ready"], asset["feed"]["whole"]) == ("green", False, False)
    is_open = instrument_for("ES").calendar.is_open(lost_at)  # no bar is absent while the market rests
    assert {fault["kind"] for fault in asset["feed"]["faults"]} == {"missed_bar" if is_open else "broken_chain"}
    assert {stream["state"] for stream in asset["feed"]["streams"]} == {"gapped"}
    rung = next(rung for rung in asset["ladder"] if rung["gate"] == "feed")
    assert rung["title"] == "STREAM GAPPED"
    said = sends(alerts, chart.closes(5280.25))
    assert "differs" not in said
    feed = operator.asset()["feed"]
    assert (feed["source"], feed["whole"], feed["faults"]) == ("15S", True, [])
    macro = feed["streams"][-1]
    assert (macro["size"], macro["color"], macro["lo"], macro["hi"]) == (12, "green", 5268, 5280)


def test_what_the_desk_never_heard_it_takes_over_and_lets_the_next_message_confirm(own_desk: DeskProcess) -> None:
    chart, alerts, operator = Chart(seen=SEEN), own_desk.tradingview(), own_desk.operator()
    said = sends(alerts, chart.closes(5250.25))
    assert "differs" not in said
    asset = operator.asset()
    assert (asset["main_renko_color"], asset["zone_type"], asset["tempo_ready"]) == ("red", "NORMAL", False)
    assert {fault["kind"] for fault in asset["feed"]["faults"]} == {"unsettled"}
    sends(alerts, chart.closes(5250.5))
    assert operator.asset()["feed"]["whole"]


def test_alerts_of_single_sizes_make_no_bricks_while_the_one_alert_is_heard(own_desk: DeskProcess) -> None:
    alerts, operator = own_desk.tradingview(), own_desk.operator()
    sends(alerts, Chart(seen=SEEN).closes(5250.25))
    answer = alerts.brick(6, "green")
    assert (answer.status_code, answer.json()["ignored"]) == (200, "other_source")
    assert operator.asset()["main_renko_color"] == "red"


# -- what is refused whole ---------------------------------------------------------------------------------------------


def contradicts(message: Message) -> None:
    message["bricks"][-1]["color"] = "red"


REFUSED: dict[str, tuple[Callable[[Message], object], str]] = {
    "two colours of one size": (contradicts, "bricks"),
    "a close outside of its bar": (lambda message: message.update(ohlc=[5275, 5275, 5274, 5275.25]), "ohlc"),
    "a misspelt field": (lambda message: message.update(brick=[]), "brick"),
    "a price in quotes": (lambda message: message.update(ohlc=["5275.25"] * 4), "ohlc"),
    "an unknown symbol": (lambda message: message.update(symbol="DAX"), "symbol"),
    "delayed quotes": (lambda message: message.update(symbol="CME_MINI_DL:ES1!"), "symbol"),
    "no time": (lambda message: message.pop("now"), "now"),
}


@pytest.mark.parametrize(("change", "field"), REFUSED.values(), ids=REFUSED.keys())
def test_a_message_that_contradicts_itself_is_kept_and_changes_nothing(
    desk: DeskProcess, change: Callable[[Message], object], field: str
) -> None:
    message, before = Chart(seen=("5250",)).closes(5275.25), desk.operator().state()["assets"]
    change(message)
    answer = desk.tradingview().post("/tv", data=as_sent(message))
    sentence = error_of(answer, 422)
    assert answer.json()["code"] == "webhook_unreadable"
    assert sentence.startswith(f"{field}")
    line = newest_line(desk)
    assert (line["kind"], line["outcome"], line["text"]) == ("tv", "dead letter (422)", sentence)
    [(path, kept)] = desk.rows("SELECT path, body FROM dead_letters ORDER BY 1 * sequence DESC LIMIT 1")
    assert path == "/tv"
    assert TV_SECRET not in kept
    assert desk.operator().state()["assets"] == before


@pytest.mark.parametrize("raw", ['{{"secret": "{}", "ohlc": [NaN]}}', '{{"secret": "{}", "secret": "{}"}}'])
def test_what_is_no_strict_json_is_a_dead_letter(desk: DeskProcess, raw: str) -> None:
    sentence = error_of(desk.tradingview().post("/tv", data=raw.format(TV_SECRET, TV_SECRET)), 422)
    assert TV_SECRET not in sentence


def test_a_close_of_zero_is_no_price_and_makes_no_bricks(desk: DeskProcess) -> None:
    before = desk.operator().state()["assets"]
    message = {**Chart().closes(5250), "ohlc": [0, 0, 0, 0]}
    assert error_of(desk.tradingview().post("/tv", data=as_sent(message)), 422).startswith("ohlc[3]")
    assert desk.operator().state()["assets"] == before


def test_a_wrong_secret_is_refused_and_nothing_is_kept(desk: DeskProcess) -> None:
    kept = desk.rows("SELECT count(*) FROM dead_letters")
    for secret in ("wrong", "", None):
        error_of(desk.tradingview().post("/tv", data=as_sent({**Chart().closes(5250), "secret": secret})), 401)
    assert desk.rows("SELECT count(*) FROM dead_letters") == kept
    assert (newest_line(desk)["kind"], newest_line(desk)["outcome"]) == ("tv", "refused (401)")


@pytest.mark.parametrize("path", ["/tv/", "/TV", "/tv/ES"])
def test_a_misspelt_path_leaves_a_line(desk: DeskProcess, path: str) -> None:
    error_of(desk.tradingview().post(path, data=as_sent(Chart().closes(5250))), 404)
    assert newest_line(desk)["kind"] == "tv_unknown"


# -- time and contract -------------------------------------------------------------------------------------------------


def test_an_alert_of_the_future_is_flagged_and_one_of_the_past_freshens_nothing(own_desk: DeskProcess) -> None:
    alerts, operator = own_desk.tradingview(), own_desk.operator()
    late = Chart(started_ms=int((time.time() - 1200) * 1000)).closes(5250.25)
    assert sends(alerts, late)["stale"] is True
    assert newest_line(own_desk)["outcome"] == "too old"
    said = sends(alerts, Chart(started_ms=int((time.time() + 600) * 1000)).closes(5250.5))
    assert (said["flagged"], said.get("ignored")) == (True, None)
    assert newest_line(own_desk)["outcome"] == "flagged"
    heard_at = datetime.fromisoformat(operator.asset()["last_heartbeat_ts"])
    assert abs(heard_at - datetime.now(UTC)) < timedelta(seconds=30)


def test_of_another_contract_the_price_is_not_used_and_bricks_give_colours(own_desk: DeskProcess) -> None:
    said = sends(own_desk.tradingview(), Chart("ESH2027", seen=("5250",)).closes(5275.25))
    assert (said["ignored"], said["flagged"]) == ("other_contract", True)
    asset = own_desk.operator().asset()
    assert (asset["last_price"], asset["last_heartbeat_ts"]) == (None, None)
    assert asset["main_renko_color"] == "green"
    assert {fault["kind"] for fault in asset["feed"]["faults"]} == {"other_contract", "unsettled"}
    assert newest_line(own_desk)["outcome"] == "ignored: other_contract"


def test_a_suspect_price_is_shown_and_its_bricks_count(own_desk: DeskProcess) -> None:
    alerts = own_desk.tradingview()
    sends(alerts, Chart().closes(5250))
    chart = Chart(seen=("5250",))
    said = sends(alerts, {**chart.closes(5310), "now": int(time.time() * 1000) + 20_000})
    assert said["suspect"] is True
    asset = own_desk.operator().asset()
    assert (asset["last_price"], asset["suspect_price"], asset["main_renko_color"]) == (5250, 5310, "green")


# -- counted -----------------------------------------------------------------------------------------------------------


def test_what_became_of_a_message_is_counted(tmp_path: Path) -> None:
    with DeskProcess(tmp_path, **QUICK, METRICS_TOKEN="a-token-for-the-metrics-of-this-desk") as desk:
        alerts, message = desk.tradingview(), Chart(seen=("5250",)).closes(5275.25)
        sends(alerts, message)
        sends(alerts, message)
        error_of(alerts.post("/tv", data=as_sent({**message, "tf": "10S"})), 422)
        shown = desk.operator().get("/metrics").text
        for outcome in ("ok", "duplicate", "dead_letter"):
            assert f'lockstep_webhooks_total{{outcome="{outcome}",stream="tv"}} 1.0' in shown
