"""The REST half of the market feed, as its page describes it: answers, queries, keys, errors."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, get_args
from urllib.parse import quote

import pytest
import requests

from feeds.errors import STATUS
from feeds.prices.types import Alert, InForce, Member, SimultaneousBreak
from services.market.instruments import INSTRUMENTS, instrument_for
from tests.support.contract_page import quoted, table
from tests.support.desk_process import closing_connection
from tests.support.feeds_process import METRICS_TOKEN, FeedsProcess
from tests.support.market_floor import MarketFloor
from tests.support.paths import REPOSITORY
from wire import market as wire
from wire.encoding import encode
from wire.keys import Scope

pytestmark = pytest.mark.processes

PAGE = REPOSITORY / "docs" / "reference" / "market-feed.md"
BASE = "/api/market/v1"
OF_SESSIONS = ("4h", "1d", "1w")
CALLS = {quoted(row["call"])[0]: row for row in table(PAGE, "call", "REST")}
BODIES = {
    "`quote`": wire.MarketQuote,
    "`state`": wire.MarketState,
    "`alert.in_force`": wire.MarketInForce,
    "`alert.simultaneous_break`": wire.MarketBreak,
    "`subscribed` and `unsubscribed`": wire.Acknowledged,
    "`error`": wire.MarketError,
}


@pytest.fixture(scope="module")
def reader(floor: MarketFloor) -> str:
    """A key for everything, once a price of ES was heard."""
    token, asking = floor.keys(2)
    floor.heartbeat()
    while not floor.get(f"{BASE}/prices/latest", asking).json().get("prices"):
        time.sleep(0.6)  # no more often than a key may call
    return token


def answered(floor: MarketFloor, path: str, token: str, **query: Any) -> Any:
    answer = floor.get(BASE + path, token, params=query)
    assert answer.status_code == 200, answer.text
    assert answer.headers["Content-Type"] == "application/json"
    assert answer.headers["Cache-Control"] == "no-store"
    return answer.json()


def refused(answer: requests.Response, code: str) -> str:
    """Hold an error against the dialect and return its sentence."""
    assert answer.status_code == STATUS[code], answer.text  # type: ignore[index]
    body = answer.json()
    assert list(body) == ["error"]
    assert set(body["error"]) == {"code", "message"}
    assert body["error"]["code"] == code
    message: str = body["error"]["message"]
    return message


# -- the page --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("heading", BODIES)
def test_the_page_names_every_field_of_a_body(heading: str) -> None:
    named = [name for row in table(PAGE, "field", heading) for name in quoted(row["field"])]
    assert named == list(BODIES[heading].__struct_fields__)


def test_the_page_names_every_error_with_its_status() -> None:
    named = {code: int(row["status"]) for row in table(PAGE, "status", "Errors") for code in quoted(row["code"])}
    assert named == dict(STATUS)
    assert set(STATUS) == set(get_args(wire.MarketProblemCode))


@pytest.mark.parametrize("path", CALLS)
def test_a_call_answers_what_the_page_says_with_its_scope_alone(floor: MarketFloor, path: str) -> None:
    row = CALLS[path]
    [scope] = quoted(row["scope"])
    answer = floor.get(path.replace("{symbol}", "ES"), floor.key(scope))  # type: ignore[arg-type]
    assert answer.status_code == 200, answer.text
    if "state" in quoted(row["answer has"]):
        assert set(answer.json()) == set(wire.MarketState.__struct_fields__)
    else:
        assert set(answer.json()) == set(quoted(row["answer has"]))
    others = tuple(one for one in get_args(Scope) if one != scope)
    refused(floor.get(path.replace("{symbol}", "ES"), floor.key(*others)), "missing_scope")


# -- answers ---------------------------------------------------------------------------------------------------------


def test_prices_are_told_and_those_that_are_missing_are_named(floor: MarketFloor, reader: str) -> None:
    body = answered(floor, "/prices/latest", reader, symbols="nq,ES")
    assert [quote["symbol"] for quote in body["prices"]] == ["ES"]
    assert body["prices"][0]["price"] == 5000.25
    assert body["missing"] == ["NQ"]


def test_instruments_are_those_of_the_desk(floor: MarketFloor, reader: str) -> None:
    rows = answered(floor, "/instruments", reader)["instruments"]
    assert [row["symbol"] for row in rows] == ["ES", "NQ"]
    assert (rows[0]["contract"], rows[0]["tick_size"], rows[0]["point_value"]) == ("MESM4", 0.25, 5)


@pytest.mark.parametrize("timeframe", ["1m", "15m", "30m", "60m", "4h", "1d", "1w"])
def test_candles_are_partial_and_hold_the_price(floor: MarketFloor, reader: str, timeframe: str) -> None:
    body = answered(floor, "/candles/es", reader, timeframe=timeframe, limit=1)
    assert (body["symbol"], body["timeframe"], body["partial"]) == ("ES", timeframe, True)
    prices = answered(floor, "/prices/latest", reader)["prices"]
    heard = next(price for price in prices if price["symbol"] == "ES")
    heard_at = datetime.fromisoformat(heard["ts"])
    if timeframe in OF_SESSIONS and not instrument_for("ES").calendar.is_open(heard_at):
        # a price between two sessions belongs to no day, and to the week that these two are of
        assert timeframe == "1w" or body["candles"] == []
        for week in body["candles"]:
            assert datetime.fromisoformat(week["start"]) <= heard_at < datetime.fromisoformat(week["end"])
        return
    [candle] = body["candles"]
    assert set(candle) == set(wire.MarketCandle.__struct_fields__)
    assert candle["low"] <= 5000.25 <= candle["high"]
    assert candle["volume"] is None
    assert datetime.fromisoformat(candle["start"]) < datetime.fromisoformat(candle["end"])


def test_the_market_status_says_that_prices_are_heard(floor: MarketFloor, reader: str) -> None:
    body = answered(floor, "/market-status", reader)
    assert body["web_is_up"] is True
    assert body["calendar"] == "CME"
    assert body["simulated"] is False


def test_the_market_status_says_of_each_symbol_what_its_own_calendar_says(floor: MarketFloor, reader: str) -> None:
    body = answered(floor, "/market-status", reader)
    symbols = [row["symbol"] for row in answered(floor, "/instruments", reader)["instruments"]]
    assert [market["symbol"] for market in body["markets"]] == symbols
    now = datetime.fromisoformat(body["as_of"])
    for market in body["markets"]:
        calendar = INSTRUMENTS[market["symbol"]].calendar
        assert market["calendar"] == calendar.name
        assert market["is_open"] is calendar.is_open(now)
        assert datetime.fromisoformat(market["opens_at"]) == calendar.next_open(now)
        assert datetime.fromisoformat(market["closes_at"]) == calendar.next_close(now)


@pytest.mark.parametrize("spelled", ["es", "ES1!", "CME_MINI:ES1!", "/ES", "ES=F", "MES 06-34", "MESM2034", "ESM4"])
def test_a_symbol_may_be_spelled_as_platforms_do(floor: MarketFloor, reader: str, spelled: str) -> None:
    [row] = [row for row in answered(floor, "/instruments", reader)["instruments"] if row["symbol"] == "ES"]
    assert row["contract"] == "MESM4"
    assert answered(floor, f"/candles/{quote(spelled, safe='')}", reader)["symbol"] == "ES"
    assert answered(floor, f"/states/{quote(spelled, safe='')}", reader)["symbol"] == "ES"
    [price] = answered(floor, "/prices/latest", reader, symbols=f"{spelled},ES")["prices"]
    assert price["symbol"] == "ES"


@pytest.mark.parametrize(
    "spelled", ["ES2!", "MESU4", "ES 09-34", "ESM2016", "NYSE:ES", "CME_MINI_DL:ES1!", "E S", "ESX"]
)
def test_another_contract_or_market_is_no_symbol_of_the_desk(floor: MarketFloor, reader: str, spelled: str) -> None:
    refused(floor.get(f"{BASE}/candles/{quote(spelled, safe='')}", reader), "unknown_symbol")


def stored_alerts(floor: MarketFloor, kind: str, alerts: list[Alert]) -> list[int]:
    """Put alerts into the file of feeds, as their price keeper does; return their ids."""
    with closing_connection(floor.feeds.database) as connection:
        ((last,),) = connection.execute("SELECT coalesce(max(id), 0) FROM alerts").fetchall()
        ids = [last + place for place in range(1, len(alerts) + 1)]
        for number, alert in zip(ids, alerts, strict=True):
            row = number, kind, "2026-11-20T17:00:00.000000Z", encode(alert).decode()
            connection.execute("INSERT INTO alerts (id, kind, at, body) VALUES (?, ?, ?, ?)", row)
    return ids


def paged(floor: MarketFloor, path: str, token: str, since: int) -> list[dict[str, Any]]:
    """Read alerts two at a time, as a client that missed some does."""
    found: list[dict[str, Any]] = []
    while True:
        page = answered(floor, path, token, since_id=since, limit=2)
        assert len(page["alerts"]) <= 2
        if not page["alerts"]:
            assert page["next"] == since
            return found
        found += page["alerts"]
        since = page["next"]


def test_alerts_are_read_from_an_id_on_each_once(floor: MarketFloor, reader: str) -> None:
    noon = datetime(2026, 11, 20, 17, 0, tzinfo=UTC)
    broken = InForce(
        symbol="ES",
        timeframe="15m",
        candle_start=noon,
        direction="up",
        scenario="2U",
        trigger=Decimal("5000.25"),
        price=Decimal("5000.5"),
        at=noon,
    )
    ids = stored_alerts(floor, "in_force", [broken] * 5)
    member = Member(symbol="ES:R4", timeframe="R4", trigger=None, at=noon)
    together = SimultaneousBreak(cohort="renko_stack", direction="up", window_s=60, members=(member,), at=noon)
    [other] = stored_alerts(floor, "simultaneous_break", [together])
    found = paged(floor, "/alerts/in-force", reader, ids[0] - 1)
    assert [alert["id"] for alert in found] == ids
    assert set(found[0]) == set(wire.MarketInForce.__struct_fields__)
    assert (found[0]["trigger"], found[0]["candle_start"]) == (5000.25, "2026-11-20T17:00:00Z")
    newest = answered(floor, "/alerts/in-force", reader, limit=3)
    assert [alert["id"] for alert in newest["alerts"]] == ids[2:]
    [one] = paged(floor, "/alerts/simultaneous-breaks", reader, 0)
    assert (one["id"], one["members"][0]["trigger"], one["cohort"]) == (other, None, "renko_stack")


# -- queries ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("path", "query", "field"),
    [
        ("/candles/ES", "timeframe=1h", "timeframe"),
        ("/candles/ES", "timeframe=", "timeframe"),
        ("/candles/ES", "limit=0", "limit"),
        ("/candles/ES", "limit=1001", "limit"),
        ("/candles/ES", "limit=ten", "limit"),
        ("/candles/ES", "limit=%C2%B2", "limit"),
        ("/candles/ES", "limit=5&limit=6", "limit"),
        ("/candles/ES", "timframe=1m", "timframe"),
        ("/alerts/in-force", "since_id=-1", "since_id"),
        ("/alerts/in-force", "since_id=9223372036854775808", "since_id"),
        ("/alerts/simultaneous-breaks", "limit=501", "limit"),
        ("/prices/latest", "symbols=,", "symbols"),
        ("/instruments", "symbols=ES", "symbols"),
    ],
)
def test_a_query_that_is_wrong_is_refused_and_named(
    floor: MarketFloor, reader: str, path: str, query: str, field: str
) -> None:
    assert refused(floor.get(f"{BASE}{path}?{query}", reader), "invalid_query").startswith(f"{field}:")


@pytest.mark.parametrize("path", ["/candles/AAPL", "/states/XX", "/prices/latest?symbols=ES,SPY", "/states/%00"])
def test_a_symbol_that_the_desk_does_not_trade_is_unknown(floor: MarketFloor, reader: str, path: str) -> None:
    refused(floor.get(BASE + path, reader), "unknown_symbol")


def test_other_paths_and_methods_are_refused_in_the_dialect(floor: MarketFloor, reader: str) -> None:
    for path in ("/", "/api/market/v1", "/api/market/v2/instruments", "/api/state", "/ws/market/v1"):
        refused(floor.get(path, reader), "not_found")
    for method in ("POST", "PUT", "DELETE", "OPTIONS", "PATCH"):
        answer = floor.get(f"{BASE}/instruments", reader, method=method)
        refused(answer, "method_not_allowed")
        assert set(answer.headers["Allow"].split(", ")) == {"GET", "HEAD"}


def test_head_is_answered_like_get_without_a_body(floor: MarketFloor, reader: str) -> None:
    head = floor.get(f"{BASE}/instruments", reader, method="HEAD")
    assert (head.status_code, head.content) == (200, b"")
    assert head.headers["Content-Length"] == str(len(floor.get(f"{BASE}/instruments", reader).content))


# -- keys ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", [*CALLS, "/metrics"])
def test_nothing_is_told_without_a_key(floor: MarketFloor, path: str) -> None:
    path = path.replace("{symbol}", "ES")
    refused(floor.get(path, None), "missing_api_key")
    answer = floor.get(path, "lk_0123456789abcdef_" + "x" * 43)
    refused(answer, "invalid_api_key")
    assert answer.headers["WWW-Authenticate"] == "Bearer"


def test_a_key_in_the_address_is_no_key(floor: MarketFloor, reader: str) -> None:
    refused(floor.get(f"{BASE}/instruments?api_key={reader}", None), "missing_api_key")
    assert reader not in floor.feeds.log()


def test_a_page_of_another_site_is_refused_even_with_a_key(floor: MarketFloor, reader: str) -> None:
    answer = floor.get(f"{BASE}/instruments", reader, headers={"Origin": "https://evil.example"})
    refused(answer, "foreign_origin")
    assert "Access-Control-Allow-Origin" not in answer.headers


def test_a_key_may_call_120_times_a_minute_and_is_told_when_it_may_again(floor: MarketFloor) -> None:
    token, other = floor.keys(2)
    with requests.Session() as session:
        session.headers["X-API-Key"] = token
        url = f"{floor.feeds.url()}{BASE}/instruments"
        statuses = [session.get(url, timeout=20).status_code for _ in range(121)]
    assert statuses == [200] * 120 + [429]
    answer = floor.get(f"{BASE}/instruments", token)
    refused(answer, "rate_limit_exceeded")
    assert 1 <= int(answer.headers["Retry-After"]) <= 60
    answered(floor, "/instruments", other)


# -- health and figures ----------------------------------------------------------------------------------------------


def test_figures_are_for_the_token_and_for_keys_that_may_read_them(floor: MarketFloor) -> None:
    named = {quoted(row["figure"])[0] for row in table(PAGE, "figure", "`GET /metrics`")}
    token = {"Authorization": f"Bearer {METRICS_TOKEN}"}
    for answer in (floor.get("/metrics", floor.key("metrics:read")), floor.get("/metrics", None, headers=token)):
        assert answer.status_code == 200
        told = {line.split()[2] for line in answer.text.splitlines() if line.startswith("# TYPE")}
        assert {f"{name}_total" if f"{name}_total" in named else name for name in told} >= named
    refused(floor.get("/metrics", floor.key()), "missing_scope")


def test_health_has_no_secret_and_needs_no_key(floor: MarketFloor, reader: str) -> None:
    answer = floor.get("/health", None)
    assert answer.status_code == 200
    fields = {"program", "version", "ok", "status", "uptime_s", "web", "ports", "cursor", "facts_lag_s"}
    assert set(answer.json()) == fields
    assert not any(secret in answer.text for secret in (floor.feeds.settings["SERVICE_SECRET"], METRICS_TOKEN, reader))


def test_pages_that_are_named_may_call_with_a_key(floor: MarketFloor, reader: str) -> None:
    page = "https://charts.example"
    folder = floor.feeds.database.parent / "pages"
    with FeedsProcess(floor.desk, folder, ("market",), CORS_ORIGINS=f"{page}, http://localhost:5173") as feeds:
        feeds.hears_web()
        asked = {"Origin": page, "Access-Control-Request-Method": "GET", "Access-Control-Request-Headers": "x-api-key"}
        url = f"{feeds.url()}{BASE}/instruments"
        assert requests.options(url, headers=asked, timeout=20).headers["Access-Control-Allow-Origin"] == page
        answer = requests.get(url, headers={"Origin": page, "X-API-Key": reader}, timeout=20)
        assert answer.status_code == 200
        assert answer.headers["Access-Control-Allow-Origin"] == page
        foreign = requests.get(url, headers={"Origin": "https://evil.example", "X-API-Key": reader}, timeout=20)
        refused(foreign, "foreign_origin")
