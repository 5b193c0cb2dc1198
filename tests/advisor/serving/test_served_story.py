"""A market with a planted edge, from its bars to a program on the socket: trained, served, followed, told."""

from __future__ import annotations

import json
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import pytest
import requests

from advisor.models.files import read_version, switch
from advisor.models.places import Slot
from tests.support.advisor_floor import (
    HOUR,
    SERVED,
    AdvisorFloor,
    AdvisorProcess,
    hourly,
    quiet_after_noise,
    the_hour,
    tides,
)
from tests.support.desk_process import PATIENCE_SECONDS, eventually
from tests.support.ml_models import rehash

SIGNAL = {
    *("signal_id", "symbol", "direction", "entry_price", "stop_loss", "take_profit", "risk_reward_ratio"),
    *("prob_tp_first", "confidence_score", "amd_phase", "volatility_regime", "range_prediction", "timestamp"),
    *("valid_until",),
}
RANGE = {"horizon", "delta_high", "delta_low", "confidence_high", "confidence_low"}
STORY_SECONDS = 180.0
"""A range counts until the bar that it is for is over, and so do the stories, on a busy machine too."""

pytestmark = pytest.mark.timeout(600)

TRAINED = ("train", "BTCUSD", "ETHUSD", "--timeframe", "1h")
AMD = {"phase", "confidence", "start_time", "characteristics", "signals", "strength", "trading_bias"}


@pytest.fixture(scope="module")
def floor(tmp_path_factory: pytest.TempPathFactory) -> Iterator[AdvisorFloor]:
    """Bars until an hour ago: BTCUSD with tides, ETHUSD that has grown quiet. No model yet."""
    with AdvisorFloor(tmp_path_factory.mktemp("story")) as floor:
        ends = the_hour(STORY_SECONDS) - HOUR
        floor.stores([*tides("BTCUSD", ends, 66), *quiet_after_noise("ETHUSD", ends, 14)])
        yield floor


@pytest.fixture
def served(floor: AdvisorFloor) -> AdvisorFloor:
    """The same with models, also when the test that trains them runs in another process."""
    advisor = floor.advisor
    if not advisor.slot("BTCUSD", "1h").exists():
        floor.stores(hourly("BTCUSD", the_hour() - HOUR, (50_000, 50_070, 49_990, 50_060)))
        assert advisor.runs(*TRAINED).returncode == 0
    eventually(lambda: len(advisor.health()["models"]) == 8)
    return floor


def fault_of(answer: Any) -> tuple[int, str, str]:
    body = answer.json()
    assert set(body) == {"error", "detail", "timestamp"}
    return answer.status_code, body["error"], body["detail"]


def untrained(advisor: AdvisorProcess) -> str:
    """Return why there is no range; while the sessions are being counted it says so."""
    status, code, sentence = fault_of(advisor.get("/api/range/ETHUSD", timeframe="1h"))
    assert (status, code) == (503, "not_trained")
    return str(sentence)


@pytest.mark.processes
def test_a_planted_edge_is_trained_served_and_told_at_the_close_of_a_bar(floor: AdvisorFloor) -> None:
    advisor = floor.advisor
    listener = advisor.listens()

    status, code, _ = fault_of(advisor.get("/api/signals/active"))
    assert (status, code) == (503, "not_trained")
    eventually(lambda: untrained(advisor).endswith("no model has been trained yet"))
    assert fault_of(advisor.get("/api/range/NQ"))[2].startswith("NQ 15m: 0 of 10 sessions")

    trained = advisor.runs(*TRAINED)
    assert trained.returncode == 0, trained.stdout
    eventually(lambda: len(advisor.health()["models"]) == 8)
    expired = advisor.get("/api/signals/active", timeframe="1h").json()
    assert expired["signals"] == []
    assert [(one["symbol"], one["error"]) for one in expired["errors"]] == [("BTCUSD", "stale"), ("ETHUSD", "stale")]
    quiet = advisor.post("/api/amd/ETHUSD", timeframe="1h").json()
    assert (set(quiet) >= AMD, quiet["phase"]) == (True, "accumulation")  # a phase looks back
    assert quiet["trading_bias"] == {"direction": "neutral", "position_size": 0}

    hour = the_hour()
    price = float(tides("BTCUSD", hour - HOUR, 66)[-1].close)
    floor.stores(hourly("BTCUSD", hour - HOUR, (price, price + 70, price - 5, price + 60)))
    told = listener.hears(type="signal")["data"]
    assert told["symbol"] == "BTCUSD"
    assert (told["direction"], told["actionable"], told["prob_source"]) == ("long", True, "model")
    assert set(told) >= SIGNAL
    assert told["stop_loss"] < told["entry_price"] < told["take_profit"]

    floor.stores(hourly("ETHUSD", hour - HOUR, (3_000, 3_041, 2_999, 3_040)))
    message = listener.hears(type="amd_change")
    assert SERVED.faults_of({"$ref": "#/components/schemas/AmdChangeMessage"}, message) == []
    change = message["data"]
    assert (change["symbol"], change["old_phase"], change["new_phase"]) == ("ETHUSD", "accumulation", "distribution")
    assert advisor.post("/api/amd/ETHUSD", timeframe="1h").json()["phase"] == "distribution"

    active = advisor.get("/api/signals/active", symbols="undefined", timeframe="1h").json()
    assert [signal["symbol"] for signal in active["signals"]] == ["BTCUSD"]
    assert set(active["symbols_processed"]) == {"BTCUSD", "ETHUSD"}
    assert [(one["symbol"], one["error"]) for one in active["errors"]] == [("ETHUSD", "no_skill")]
    assert set(active["signals"][0]["range_prediction"]) >= RANGE
    assert {(one["symbol"], one["as_of"]) for one in waiting(floor)} == {("BTCUSD", hour), ("ETHUSD", hour)}


def waiting(floor: AdvisorFloor) -> list[dict[str, Any]]:
    """Return the forecasts that wait for their bar."""
    with closing(sqlite3.connect(floor.advisor.database)) as file:
        rows = eventually(lambda: file.execute("SELECT symbol, as_of FROM forecasts WHERE settled = 0").fetchall())
    return [{"symbol": symbol, "as_of": as_of} for symbol, as_of in rows]


@pytest.mark.processes
def test_the_range_of_the_next_bar_is_told_in_both_shapes(served: AdvisorFloor) -> None:
    advisor = served.advisor
    [predicted] = advisor.post("/predict/range", {"symbol": "BTCUSD", "timeframe": "1h"}).json()
    bands = advisor.get("/api/range/BTCUSD", timeframe="60m").json()
    assert set(predicted) >= RANGE
    assert predicted["method"] == bands["method"] == "model"
    assert [band["quantile"] for band in bands["bands"]] == [0.5, 0.8]
    half, most = bands["bands"]
    assert most["low"] <= half["low"] <= bands["close"] <= half["high"] <= most["high"]
    assert (bands["as_of"], bands["valid_until"]) == (predicted["as_of"], predicted["valid_until"])
    assert predicted["confidence_high"] is None  # fewer than twenty forecasts are over
    [single] = [advisor.post("/generate/signal", {"symbol": "BTCUSD", "timeframe": "1h"}, rr_config="rr_1_1").json()]
    assert (single["risk_reward_ratio"], single["symbol"]) == (1, "BTCUSD")


@pytest.mark.processes
def test_the_cards_say_what_answers(served: AdvisorFloor) -> None:
    cards = served.advisor.get("/models").json()["models"]
    serving = {card["id"] for card in cards if card["serving"]}
    assert len(serving) == 8
    assert serving == set(served.advisor.health()["models"])
    listed = served.advisor.runs("list").stdout.splitlines()
    assert len(listed) == 8
    assert all(line.startswith("* ") for line in listed)
    shown = served.advisor.runs("card", cards[0]["id"]).stdout
    assert f'"id": "{cards[0]["id"]}"' in shown


@pytest.mark.processes
@pytest.mark.parametrize(
    ("method", "path", "query", "status", "code"),
    [
        ("GET", "/api/signals/active", {"rr_config": "rr_5_1"}, 400, "invalid_parameter"),
        ("GET", "/api/signals/active", {"timeframe": "4h"}, 400, "invalid_parameter"),
        ("GET", "/api/signals/active", {"symbols": ","}, 400, "invalid_parameter"),
        ("GET", "/api/signals/active", {"symbol": "ES"}, 400, "invalid_parameter"),
        ("GET", "/api/range/AAPL", {}, 404, "unknown_symbol"),
        ("POST", "/api/amd/BTCUSD", {"lookback_periods": "49"}, 400, "invalid_parameter"),
        ("POST", "/api/amd/BTCUSD", {"lookback_periods": "5001"}, 400, "invalid_parameter"),
        ("POST", "/api/amd/NQ", {}, 503, "no_bars"),
        ("POST", "/generate/signal", {}, 400, "invalid_body"),
        ("POST", "/predict/range", {}, 400, "invalid_body"),
    ],
    ids=str,
)
def test_what_cannot_be_answered_is_refused_in_the_dialect_of_the_contract(
    floor: AdvisorFloor, method: str, path: str, query: dict[str, str], status: int, code: str
) -> None:
    answer = floor.advisor.get(path, **query) if method == "GET" else floor.advisor.post(path, **query)
    assert fault_of(answer)[:2] == (status, code)


@pytest.mark.processes
@pytest.mark.parametrize(
    ("path", "status", "code"),
    [("/predict/range", 405, "method_not_allowed"), ("/api/auto-trade/status", 404, "not_found")],
)
def test_what_is_not_there_says_so_in_the_same_dialect(floor: AdvisorFloor, path: str, status: int, code: str) -> None:
    answer = requests.get(floor.advisor.url() + path, timeout=PATIENCE_SECONDS)
    assert fault_of(answer)[:2] == (status, code)


@pytest.mark.processes
def test_symbols_that_are_not_known_or_not_trained_are_named_beside_the_others(served: AdvisorFloor) -> None:
    active = served.advisor.get("/api/signals/active", symbols="BTCUSD,AAPL,NQ,BTCUSD", timeframe="1h").json()
    assert active["symbols_processed"] == ["BTCUSD", "NQ"]
    assert {one["symbol"]: one["error"] for one in active["errors"]} == {"AAPL": "unknown_symbol", "NQ": "not_trained"}


@pytest.mark.processes
def test_bars_go_away_and_the_current_range_stays_until_it_is_old(served: AdvisorFloor) -> None:
    served.feeds.kill()
    eventually(lambda: not served.advisor.health()["feeds"])
    assert served.advisor.health()["status"] == "degraded"
    assert served.advisor.get("/api/range/BTCUSD", timeframe="1h").status_code == 200
    assert fault_of(served.advisor.post("/api/amd/NQ"))[:2] == (503, "no_bars")
    served.feeds.start()
    eventually(lambda: served.advisor.health()["status"] == "healthy")


@pytest.mark.processes
def test_a_model_that_ends_whoever_loads_it_ends_only_a_child(served: AdvisorFloor) -> None:
    """The files of LightGBM are cut, and their card tells the truth about them."""
    good = served.advisor.health()["models"]
    folder = served.advisor.slot("BTCUSD", "1h")
    version = folder / "20990101T000000Z"
    shutil.copytree(folder / "current", version)
    for name in json.loads((version / "card.json").read_text())["files"]:
        if name.endswith(".txt"):
            content = (version / name).read_bytes()
            (version / name).write_bytes(content[: len(content) // 2])
    rehash(version)
    assert read_version(version, Slot("BTCUSD", "1h"))  # the files are what the card says
    switch(folder, version.name)
    trouble = eventually(lambda: served.advisor.health()["trouble"])
    assert trouble[0]["symbol"] == "BTCUSD"
    assert trouble[0]["reason"] in {"probe_failed", "unreadable"}
    assert served.advisor.health()["models"] == good
    assert served.advisor.get("/api/range/BTCUSD", timeframe="1h").status_code == 200
