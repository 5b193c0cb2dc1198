"""Pages of other origins: a listed one reads what is for front ends, with a key, and is never the operator."""

import re
from collections.abc import Iterator

import pytest
import requests

from routes.http.guards import FRONT_END_DOORS
from services.access.keys import make_key, stored
from services.ops.config import Config, ConfigError
from services.stores.sqlite.store import SqliteStore
from tests.access.test_keys import GUARD_OF, NOON, bearer
from tests.support.desk_process import QUICK, SETTINGS, DeskProcess, OperatorCaller, error_of, eventually
from wire.origins import origins_of

PAGE = "http://localhost:5173"
ORIGIN = "Access-Control-Allow-Origin"
OPEN = sorted(route for route, guard in GUARD_OF.items() if guard in FRONT_END_DOORS)


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DeskProcess]:
    with DeskProcess(tmp_path_factory.mktemp("cors"), **QUICK, CORS_ORIGINS=f"{PAGE}, https://desk.example") as desk:
        yield desk


@pytest.fixture(scope="module")
def operator(desk: DeskProcess) -> OperatorCaller:
    return desk.operator()


def a_key(desk: DeskProcess, *scopes: str) -> str:
    store = SqliteStore(desk.database)
    key, token = make_key("front end", scopes, NOON)
    store.put_api_key(stored(key))
    store.close()
    caller = desk.stranger()
    path = "/api/ml/models" if "signals:read" in scopes else "/api/explain"
    eventually(lambda: caller.get(path, headers=bearer(token)).status_code != 401)
    return token


def asks_beforehand(desk: DeskProcess, route: str, origin: str) -> requests.Response:
    """Ask as a browser does before it sends a key to another origin."""
    method, path = route.split()
    headers = {
        "Origin": origin,
        "Access-Control-Request-Method": method,
        "Access-Control-Request-Headers": "x-api-key",
    }
    return desk.stranger().options(re.sub("<.*?>", "ES", path), headers=headers)


def told(answer: requests.Response) -> dict[str, str]:
    return {name.lower(): value for name, value in answer.headers.items() if name.lower().startswith("access-control")}


@pytest.mark.processes
@pytest.mark.parametrize("route", GUARD_OF)
def test_only_what_is_for_front_ends_answers_a_page_beforehand(desk: DeskProcess, route: str) -> None:
    answer = asks_beforehand(desk, route, PAGE)
    if route in OPEN:
        assert answer.status_code == 204
        assert told(answer) == {
            "access-control-allow-origin": PAGE,
            "access-control-allow-methods": "GET, POST",
            "access-control-allow-headers": "Authorization, X-API-Key, Content-Type",
            "access-control-max-age": "600",
        }
        assert "Origin" in answer.headers["Vary"]
        assert told(asks_beforehand(desk, route, "http://localhost:5174")) == {}
    else:
        assert told(answer) == {}


@pytest.mark.processes
def test_a_page_reads_with_a_key_and_never_as_the_operator(desk: DeskProcess, operator: OperatorCaller) -> None:
    token = a_key(desk, "signals:read")
    for path in ("/api/ml/models", "/api/ml/signals/active?symbols=undefined"):
        for caller in (desk.stranger(), operator):
            answer = caller.get(path, headers={"Origin": PAGE, **bearer(token)})
            assert answer.json()["code"] == "advisor_away"  # admitted: nobody answers behind it
            assert answer.headers[ORIGIN] == PAGE
            assert "Access-Control-Allow-Credentials" not in answer.headers
            without_key = caller.get(path, headers={"Origin": PAGE})
            assert "no session counts" in error_of(without_key, 401)
            assert without_key.headers[ORIGIN] == PAGE  # so that the page can say why
    assert operator.get("/api/ml/models").status_code == 503


@pytest.mark.processes
def test_a_page_asks_the_agent_with_a_key_alone(desk: DeskProcess, operator: OperatorCaller) -> None:
    token = a_key(desk, "agent:chat")
    question = {"message": "why?"}
    asked = operator.post("/api/chat", json=question, headers={"Origin": PAGE, **bearer(token)})
    assert asked.json()["code"] == "advisor_away"
    assert asked.headers[ORIGIN] == PAGE
    without_key = operator.post("/api/chat", json=question, headers={"Origin": PAGE})
    assert "no session counts" in error_of(without_key, 401)


@pytest.mark.processes
def test_a_page_that_is_not_listed_reads_nothing(desk: DeskProcess, operator: OperatorCaller) -> None:
    token = a_key(desk, "signals:read")
    for origin in ("http://localhost:5174", "https://localhost:5173", "null", "http://evil.example"):
        answer = operator.get("/api/ml/models", headers={"Origin": origin, **bearer(token)})
        assert ORIGIN not in answer.headers
        assert "Origin" in answer.headers["Vary"]
        assert operator.get("/api/ml/models", headers={"Origin": origin}).status_code == 401
    no_origin = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "no-cors"}  # an image of another site
    assert operator.get("/api/portfolio/history", headers=no_origin).status_code == 401


@pytest.mark.processes
def test_the_operators_calls_answer_no_page_of_another_origin(desk: DeskProcess, operator: OperatorCaller) -> None:
    for path in ("/api/orders", "/api/exit", "/api/exit-all"):
        answer = operator.post(path, json={}, headers={"Origin": PAGE})
        assert "another origin" in error_of(answer, 403)
        assert told(answer) == {}


@pytest.mark.parametrize(
    "origins",
    ["*", "http://localhost:5173/page", "localhost:5173", "http://a@b", "http://b:0", "http://a b", "http://a*"],
)
def test_a_list_that_names_no_origin_prevents_the_start(origins: str) -> None:
    with pytest.raises(ConfigError, match="CORS_ORIGINS must list origins"):
        Config.from_env({**SETTINGS, "SQLITE_PATH": ":memory:", "CORS_ORIGINS": origins})


@pytest.mark.parametrize(
    ("written", "sent"),
    [
        ("http://LocalHost:05173/", "http://localhost:5173"),
        ("http://a:80", "http://a"),
        ("https://[::1]:443", "https://[::1]"),
    ],
)
def test_an_origin_is_listed_as_a_browser_sends_it(written: str, sent: str) -> None:
    assert origins_of(written) == {sent}
