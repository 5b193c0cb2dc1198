"""The advisor's answers through web: passed on as they are when they are what was asked for, and else 503 in words."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import pytest
from msgspec.structs import replace

from services.access.keys import make_key, stored
from services.ops.advisor_calls import ANSWER, MOST_AT_ONCE, MOST_OF_KEYS
from services.ops.feeds_candles import MOST_AT_ONCE as CANDLES_AT_ONCE
from services.stores.sqlite.store import SqliteStore
from tests.support.advisor_stand_in import (
    BANDS,
    NOON,
    AdvisorStandIn,
    Heard,
    advisor,
    refusal,
    said,
)
from tests.support.api_document import documented
from tests.support.desk_process import QUICK, SERVICE_SECRET, DeskProcess, OperatorCaller, error_of, eventually
from tests.support.feeds_stand_in import http
from tests.support.own_time import Stopwatch
from wire.auto_trade import AutoResults, AutoStatus, Compared, MeanR
from wire.explain import Explained, Statement
from wire.ml_engine import ActiveSignals, AmdAnswer, AmdCharacteristics, ModelsAnswer, SignalProblem, TradingBias

pytestmark = pytest.mark.processes

RANGE = "/api/ml/range?asset=ES&timeframe=5m"
AT_THE_ADVISOR = "/api/range/ES"
ASKERS = 20
CODES = ("too_busy", "advisor_away", "feeds_away")
CANDLES = "/api/candles?asset=ES&timeframe=5m"
NONE_ACTIVE = ActiveSignals(
    signals=(),
    generated_at=NOON,
    symbols_processed=("ES",),
    errors=(SignalProblem(symbol="ES", error="no_skill", detail="no model of ES has proven skill"),),
)
PHASE = AmdAnswer(
    phase="unknown",
    confidence=BANDS.bands[0].quantile,
    start_time=None,
    characteristics=AmdCharacteristics(range_compression=None, volume_ratio=None),
    signals=(),
    strength=BANDS.bands[0].quantile,
    trading_bias=TradingBias(direction="neutral", position_size=BANDS.bands[0].quantile),
    symbol="ES",
    timeframe="15m",
    as_of=NOON,
    lift=None,
    lift_low=None,
    lift_high=None,
    base_rate=None,
    n=0,
)
WHY = Explained(
    about="block",
    env="DEMO",
    as_of=NOON,
    asset="ES",
    direction="BUY",
    day=None,
    statements=(Statement(code="cooldown", text="The cooldown holds.", facts={}, tool="explain_blocks"),),
    silent=(),
    tools=(),
)

NO_MEAN = MeanR(mean=None, low=None, high=None)
AUTO = AutoStatus(
    enabled=False,
    mode="paper",
    trades_today=0,
    last_decision=None,
    timeframe="15m",
    rr_config="rr_2_1",
    config=None,
    awaiting=0,
    results=AutoResults(
        n=0,
        won=0,
        lost=0,
        timed_out=0,
        not_counted=0,
        open=0,
        r=NO_MEAN,
        always_flat=Compared(mean=None, better_by=NO_MEAN),
        coin_flip=Compared(mean=None, better_by=NO_MEAN),
    ),
)


@pytest.fixture(scope="module")
def program() -> Iterator[AdvisorStandIn]:
    with advisor() as running:
        yield running


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory, program: AdvisorStandIn) -> Iterator[DeskProcess]:
    folder = tmp_path_factory.mktemp("advisor")
    with DeskProcess(folder, **QUICK, FEEDS_URL=program.url, ADVISOR_URL=program.url, AGENT_URL=program.url) as desk:
        yield desk


@pytest.fixture(scope="module")
def operator(desk: DeskProcess) -> OperatorCaller:
    return desk.operator()


def asked_with(program: AdvisorStandIn, path: str) -> Heard:
    return [heard for heard in program.asked if heard.path.partition("?")[0] == path][-1]


@pytest.mark.parametrize(
    ("method", "path", "sent", "answer"),
    [
        ("GET", RANGE, "GET /api/range/ES?timeframe=5m", BANDS),
        (
            *("GET", "/api/ml/signals/active?symbols=ES%2CNQ&timeframe=1h&rr_config=rr_1_1"),
            *("GET /api/signals/active?symbols=ES%2CNQ&timeframe=1h&rr_config=rr_1_1", NONE_ACTIVE),
        ),
        (
            *("POST", "/api/ml/amd/ES?lookback_periods=200"),
            *("POST /api/amd/ES?timeframe=15m&lookback_periods=200", PHASE),
        ),
        ("GET", "/api/ml/models", "GET /models", ModelsAnswer(models=())),
        (
            *("GET", "/api/explain?about=block&asset=es&direction=BUY"),
            *("GET /api/v1/explain?about=block&asset=ES&direction=BUY", WHY),
        ),
        ("GET", "/api/auto-trade/status", "GET /api/v1/auto-trade/status", AUTO),
    ],
    ids=["range", "signals", "phase", "models", "explain", "auto-trade"],
)
def test_what_the_advisor_says_is_passed_on(
    program: AdvisorStandIn, operator: OperatorCaller, method: str, path: str, sent: str, answer: Any
) -> None:
    where = sent.split(" ")[1].partition("?")[0]
    program.says[where] = said(answer)
    told = documented(operator.request(method, path))
    assert (told.status_code, told.headers["Cache-Control"]) == (200, "no-store")
    assert told.content == said(answer).partition(b"\r\n\r\n")[2]
    heard = asked_with(program, where)
    assert f"{heard.method} {heard.path}" == sent
    assert heard.headers["x-service-secret"] == SERVICE_SECRET


# -- what is no answer -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("answer", "sentence"),
    [
        (said(replace(BANDS, asset="NQ")), "no advisor of this version"),
        (said(replace(BANDS, timeframe="1h")), "no advisor of this version"),
        (said({"ok": True}), "no advisor of this version"),
        (http(b"<html>It works!</html>"), "no advisor of this version"),
        (http(b'{"bands": "' + b"x" * ANSWER.longest + b'"}'), "no advisor of this version"),
        (http(b"", "HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/"), "no advisor of this version"),
        (http(b"{}", "HTTP/1.1 500 Internal Server Error"), "no advisor of this version"),
        (refusal("not_trained", "of another status", "404 Not Found"), "no advisor of this version"),
        (refusal("internal_error", "it failed", "500 Internal Server Error"), "no advisor of this version"),
        (refusal("invalid_api_key", "wrong", "401 Unauthorized"), "the same SERVICE_SECRET"),
        (refusal("foreign_page", "wrong", "403 Forbidden"), "the same SERVICE_SECRET"),
        (b"SSH-2.0-OpenSSH_9.2\r\n", "no advisor of this version"),
        (b"", "no advisor of this version"),
    ],
    ids=[
        *("another asset", "another timeframe", "no bands", "html", "too long", "leads away", "fails"),
        *("code and status differ", "its fault", "another secret", "another guard", "no http", "hangs up"),
    ],
)
def test_whatever_else_answers_is_not_passed_on(
    program: AdvisorStandIn, operator: OperatorCaller, answer: bytes, sentence: str
) -> None:
    program.says[AT_THE_ADVISOR] = answer
    told = documented(operator.get(RANGE))
    assert sentence in error_of(told, 503)
    problem = told.json()
    assert (problem["code"], problem["title"], problem["detail"]) == ("advisor_away", "ADVISOR AWAY", problem["error"])
    assert told.headers["Retry-After"] == "5"
    assert "timestamp" in problem


@pytest.mark.parametrize(
    ("code", "detail", "head", "status"),
    [
        ("not_trained", "ES 5m: 3 of 10 sessions", "503 Service Unavailable", 503),
        ("stale", "the newest bar of ES ended at 14:05", "503 Service Unavailable", 503),
        ("unknown_symbol", "'ES' is no symbol of this service", "404 Not Found", 404),
        ("invalid_parameter", "timeframe must be one of 1m, 5m", "400 Bad Request", 400),
        ("rate_limit_exceeded", "more than 120 requests in a minute", "429 Too Many Requests", 429),
    ],
)
def test_what_the_advisor_refuses_keeps_status_code_and_sentence(
    program: AdvisorStandIn, operator: OperatorCaller, code: Any, detail: str, head: str, status: int
) -> None:
    program.says[AT_THE_ADVISOR] = refusal(code, detail, head)
    told = documented(operator.get(RANGE))
    assert error_of(told, status) == detail
    problem = told.json()
    assert (problem["code"], problem["detail"]) == (code, detail)
    assert problem["timestamp"] == "2026-11-20T17:00:00Z"


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/api/ml/range?asset=ZZ", 400),
        ("GET", "/api/ml/range", 400),
        ("GET", "/api/ml/range?asset=ES&timeframe=2h", 400),
        ("GET", "/api/ml/range?asset=ES&timefame=5m", 400),
        ("GET", "/api/ml/signals/active?rr_config=rr_9_1", 400),
        ("POST", "/api/ml/amd/ES?lookback_periods=10", 400),
        ("POST", f"/api/ml/amd/{'E' * 41}", 400),
        ("GET", "/api/explain?about=everything", 400),
        ("GET", "/api/explain?about=day&day=yesterday", 400),
    ],
)
def test_what_cannot_be_asked_is_refused_by_web(
    program: AdvisorStandIn, operator: OperatorCaller, method: str, path: str, status: int
) -> None:
    before = len(program.heard)
    error_of(documented(operator.request(method, path)), status)
    assert len(program.heard) == before


def test_a_range_of_real_bars_is_never_shown_for_a_simulated_price(
    desk: DeskProcess, program: AdvisorStandIn, operator: OperatorCaller
) -> None:
    program.says["/api/range/NQ"] = said(replace(BANDS, asset="NQ"))
    assert operator.get("/api/ml/range?asset=NQ&timeframe=5m").status_code == 200
    before = len(program.heard)
    assert desk.tradingview().heartbeat(18_000, asset="NQ", source="simulated").status_code == 200
    told = documented(operator.get("/api/ml/range?asset=NQ&timeframe=5m"))
    assert "never learned from" in error_of(told, 503)
    assert (told.json()["code"], len(program.heard)) == ("no_bars", before)
    assert desk.tradingview().sends("/tv_heartbeat", asset="NQ").status_code == 200  # a real one without a price
    assert documented(operator.get("/api/ml/range?asset=NQ&timeframe=5m")).json()["code"] == "no_bars"
    assert desk.tradingview().heartbeat(18_000, asset="NQ").status_code == 200
    assert operator.get("/api/ml/range?asset=NQ&timeframe=5m").status_code == 200


def test_a_page_of_another_site_asks_nothing(program: AdvisorStandIn, operator: OperatorCaller) -> None:
    before = len(program.heard)
    for path in ("/api/ml/amd/ES", "/api/chat"):
        answer = operator.post(path, json={"message": "hello"}, headers={"Origin": "http://evil.test"})
        assert "no session counts" in error_of(answer, 401)
    assert len(program.heard) == before


def test_a_desk_without_a_model_does_not_fill_its_log(
    desk: DeskProcess, program: AdvisorStandIn, operator: OperatorCaller
) -> None:
    program.says[AT_THE_ADVISOR] = refusal("not_trained", "ES 5m: 3 of 10 sessions", "503 Service Unavailable")
    assert operator.get(RANGE).status_code == 503
    failed = [line for line in desk.log().splitlines() if "request failed" in line]
    assert [line for line in failed if "/api/ml/" in line] == []


# -- how it is -------------------------------------------------------------------------------------------------------


def test_the_operator_sees_how_both_ports_are(program: AdvisorStandIn, operator: OperatorCaller) -> None:
    answer = eventually(
        lambda: known if (known := documented(operator.get("/api/advisor")).json()) and known["state"] == "up" else None
    )
    assert (answer["ml"]["health"]["models"], answer["agent"]["health"]["llm_provider"]) == (["es-5m"], "rules")
    assert (answer["ml"]["url"], answer["agent"]["reason"]) == (program.url, None)


# -- a crowd before an advisor that hangs ----------------------------------------------------------------------------


def test_an_advisor_that_hangs_takes_no_thread_from_webhooks_and_orders(
    desk: DeskProcess, program: AdvisorStandIn, operator: OperatorCaller
) -> None:
    """Twenty ask at once: four wait, the others hear at once that it is busy, and the desk trades as before.

    Three more wait for candles of a feeds that hangs, which do hold threads: four more would be all of the operator's.
    """
    program.says.pop(AT_THE_ADVISOR, None)
    program.says.pop("/models", None)
    told: list[tuple[int, str]] = []
    leaving = threading.Event()

    def asks(path: str) -> None:
        while not leaving.wait(0.2):
            answer = operator.get(path)
            told.append((answer.status_code, answer.json()["code"]))

    paths = [RANGE, "/api/ml/models"] * (ASKERS // 2) + [CANDLES] * CANDLES_AT_ONCE
    bridge, alerts = desk.bridge(), desk.tradingview()
    alerts.opens_the_ladder()
    crowd = [threading.Thread(target=asks, args=(path,)) for path in paths]
    for asker in crowd:
        asker.start()
    eventually(lambda: program.open == MOST_AT_ONCE + CANDLES_AT_ONCE)
    watch = Stopwatch(desk.process)
    for _ in range(5):
        assert alerts.brick(6, "green").status_code == 200
        order = operator.enters_when_the_candle_allows(entry_override=True, direction="BUY")
        bridge.claims()
        assert bridge.reports(order["id"], "REJECTED").status_code == 200
        assert operator.post("/api/exit-all", json={"force": True}).status_code in (200, 409)
    took = watch.seconds
    leaving.set()
    for asker in crowd:
        asker.join()
    assert took < ANSWER.seconds
    assert {(503, "too_busy"), (503, "advisor_away")} <= set(told) <= {(503, code) for code in CODES}


def test_programs_with_keys_never_keep_the_operator_from_an_answer(
    program: AdvisorStandIn, desk: DeskProcess, operator: OperatorCaller
) -> None:
    """The advisor hangs, and four programs go on asking: some are refused, and the operator is answered each time."""
    key, token = make_key("front end", ["signals:read"], NOON)
    with closing(SqliteStore(desk.database)) as store:
        store.put_api_key(stored(key))
    shown, path = {"X-API-Key": token}, "/api/ml/signals/active"
    program.says["/models"] = said(ModelsAnswer(models=()))
    program.says.pop("/api/signals/active", None)
    eventually(lambda: desk.stranger().get("/api/ml/models", headers=shown).status_code == 200)
    leaving = threading.Event()

    def goes_on_asking() -> None:
        caller = desk.stranger()
        while not leaving.is_set():
            caller.get(path, headers=shown)

    crowd = [threading.Thread(target=goes_on_asking) for _ in range(MOST_OF_KEYS + 1)]
    for asker in crowd:
        asker.start()
    late = desk.stranger()
    eventually(lambda: late.get(path, headers=shown).json()["code"] == "too_busy")
    answers = [documented(operator.get("/api/ml/models")).status_code for _ in range(20)]
    leaving.set()
    for asker in crowd:
        asker.join()
    assert answers == [200] * len(answers)
