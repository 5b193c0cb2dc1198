"""The query of a call: a name that is given twice is refused wherever a query is read."""

from collections.abc import Iterator
from urllib.parse import urlencode

import pytest

from tests.support.api_document import document
from tests.support.desk_process import BRIDGE_SECRET, QUICK, DeskProcess, OperatorCaller, error_of

pytestmark = pytest.mark.processes

ASKED = [
    (path, parameter["name"])
    for path, methods in document()["paths"].items()
    for parameter in methods.get("get", {}).get("parameters", [])
    if parameter["in"] == "query"
]


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DeskProcess]:
    with DeskProcess(tmp_path_factory.mktemp("queries"), **QUICK) as desk:
        yield desk


@pytest.fixture(scope="module")
def operator(desk: DeskProcess) -> OperatorCaller:
    return desk.operator()


def test_the_document_has_queries() -> None:
    assert ("/api/journal/trades", "asset") in ASKED
    assert ("/api/orders/pending", "owner") in ASKED


@pytest.mark.parametrize(("path", "name"), ASKED)
def test_a_name_given_twice_is_refused(desk: DeskProcess, operator: OperatorCaller, path: str, name: str) -> None:
    address = path.replace("{trade_id}", "nobody") + "?" + urlencode([(name, "1"), (name, "1")])
    answer = operator.get(address, headers={"X-Bridge-Secret": BRIDGE_SECRET})
    assert error_of(answer, 400) == f"{name}: was given 2 times, must be given once"
    assert (answer.json()["code"], answer.json()["field"]) == ("request_invalid", name)


def test_a_name_that_no_call_knows_is_not_taken_twice_either(operator: OperatorCaller) -> None:
    error_of(operator.get("/api/events?cache=1&cache=2"), 400)


def test_a_bridge_shows_one_secret(desk: DeskProcess) -> None:
    twice = urlencode([("secret", BRIDGE_SECRET), ("secret", "another")])
    for address in (f"/api/orders/pending?{twice}", f"/api/stream?{twice}"):
        error_of(desk.stranger().get(address), 400)
    error_of(desk.stranger().post(f"/api/bridge/heartbeat?{twice}", json={"tsConnected": True}), 400)
    assert desk.stranger().get(f"/api/orders/pending?secret={BRIDGE_SECRET}").status_code == 200


# -- a stop that is none ---------------------------------------------------------------------------------------------


def test_a_stop_nearer_than_four_ticks_is_refused_and_changes_nothing(operator: OperatorCaller) -> None:
    """Once tightened it could not be loosened before tomorrow, and every entry would be taken out at once."""
    before = operator.state()["global"]["limits"]
    refused = operator.post("/api/limits", json={"stop_points": 0.75, "max_trades_per_day": 5})
    assert error_of(refused, 400) == "the stop was 0.75 points, it must be at least 1.00: 4 ticks"
    assert (refused.json()["code"], refused.json()["facts"]["lowest"]) == ("setting_invalid", 1)
    assert operator.state()["global"]["limits"] == before
    assert operator.post("/api/limits", json={"stop_points": 1}).status_code == 200
    assert operator.state()["global"]["limits"]["stop_points"] == 1
