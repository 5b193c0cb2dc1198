"""One asset, spelled as every platform spells it, at every call of the desk that takes a symbol (SPEC 3, 8)."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from tests.support.desk_process import QUICK, TV_SECRET, DeskProcess, eventually
from tests.support.tv_chart import Chart

pytestmark = pytest.mark.processes

NAMES_THE_ASSET = (
    *[("ES", one) for one in ("ES", "es", "ES1!", "CME_MINI:ES1!", "/ES", "/MES", "ES=F", "/ES:XCME")],
    *[("US30", one) for one in ("US30", "US30USD", "OANDA:US30USD", "us30_usd")],
    *[("EURUSD", one) for one in ("EURUSD", "FX:EURUSD", "EUR/USD", "EURUSD=X", "OANDA:EUR_USD")],
)
CONTINUOUS = ("ES1!", "CME_MINI:ES1!", "/ES", "/MES", "ES=F", "/ES:XCME")  # of another month: the desk's is set by hand
NAMES_THE_CONTRACT = ("MESM4", "MESM34", "MESM2034", "MES 06-34", "CME:MESM4", "/MESM34", "mesm4")
NAMES_ITS_SISTER = ("ESM4", "ESM2034", "ES 06-34", "CME_MINI:ESM2034")
NAMES_ANOTHER_MONTH = ("ES2!", "ESU4", "MES 09-34", "ESM2016", "MESM16")
NAMES_NOTHING = ("NYSE:ES", "CME_MINI_DL:ES1!", "SPX", "US30USDT", "ES 13-34", "E S")


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DeskProcess]:
    folder = tmp_path_factory.mktemp("spellings")
    with DeskProcess(folder, **QUICK, ASSETS="ES,US30,EURUSD", CONTRACTS="ES=MESM4") as desk:
        yield desk


def heard_of(desk: DeskProcess, asset: str) -> Any:
    return desk.operator().asset(asset)["last_heartbeat_ts"]


def tells(desk: DeskProcess, path: str, symbol: str, **fields: Any) -> Any:
    """Send an alert that names its symbol; return the answer."""
    body = {"secret": TV_SECRET, "symbol": symbol, **fields}
    return desk.tradingview().post(path, json=body)


@pytest.mark.parametrize(
    ("asset", "symbol"), [*NAMES_THE_ASSET, *[("ES", one) for one in (*NAMES_THE_CONTRACT, *NAMES_ITS_SISTER)]]
)
def test_tradingviews_alerts_may_spell_it_so(desk: DeskProcess, asset: str, symbol: str) -> None:
    before = heard_of(desk, asset)
    heartbeat = tells(desk, "/tv_heartbeat", symbol)
    assert (heartbeat.status_code, heartbeat.json().get("ignored")) == (200, None), heartbeat.text
    eventually(lambda: heard_of(desk, asset) != before)
    assert tells(desk, "/tv_renko_main", symbol, color="green").status_code == 200
    bar = desk.tradingview().post("/tv", json=Chart(symbol).closes(5000))
    assert bar.status_code == 200, bar.text
    assert bar.json().get("ignored") == ("roll_week" if symbol in CONTINUOUS else None)


@pytest.mark.parametrize("symbol", NAMES_ANOTHER_MONTH)
def test_another_month_freshens_nothing(desk: DeskProcess, symbol: str) -> None:
    before = heard_of(desk, "ES")
    heartbeat = tells(desk, "/tv_heartbeat", symbol, price=5000)
    assert (heartbeat.status_code, heartbeat.json()["ignored"]) == (200, "other_contract")
    assert heard_of(desk, "ES") == before


@pytest.mark.parametrize("symbol", NAMES_NOTHING)
@pytest.mark.parametrize("path", ["/tv_heartbeat", "/tv_renko_main", "/tv"])
def test_what_names_no_asset_for_certain_is_refused(desk: DeskProcess, path: str, symbol: str) -> None:
    fields = Chart(symbol).closes(5000) if path == "/tv" else {"color": "green"}
    assert tells(desk, path, **{**fields, "symbol": symbol}).status_code in (400, 422)


@pytest.mark.parametrize("symbol", NAMES_THE_CONTRACT)
def test_a_bridge_may_spell_the_contract_so(desk: DeskProcess, symbol: str) -> None:
    bridge = desk.bridge()
    now = datetime.now(UTC).isoformat()
    seq = NAMES_THE_CONTRACT.index(symbol)
    ticks = bridge.post("/api/bridge/ticks", json={"symbol": symbol, "ticks": [{"ts": now, "price": 5000, "seq": seq}]})
    assert (ticks.status_code, ticks.json()["taken"]) == (200, 1), ticks.text
    snapshot = {"realized": 0, "unrealized": 0, "symbols": [{"symbol": symbol, "position": 0}]}
    assert bridge.post("/api/rithmic/pnl-snapshot", json=snapshot).status_code == 200
    assert desk.operator().state()["global"]["foreign_positions"] == []


@pytest.mark.parametrize("symbol", [*NAMES_ITS_SISTER, *NAMES_ANOTHER_MONTH, "/ES", "ES=F", "XYZ"])
def test_ticks_of_anything_but_the_contract_are_refused(desk: DeskProcess, symbol: str) -> None:
    now = datetime.now(UTC).isoformat()
    body = {"symbol": symbol, "ticks": [{"ts": now, "price": 5000, "seq": 99}]}
    answer = desk.bridge().post("/api/bridge/ticks", json=body)
    assert (answer.status_code, answer.json()["code"]) == (400, "unknown_asset")


@pytest.mark.parametrize("symbol", ["ESM4", "MES 09-34", "MESH2027"])
def test_a_position_in_another_size_or_month_is_foreign_under_its_own_name(desk: DeskProcess, symbol: str) -> None:
    own = {"ESM4": "ESM4", "MES 09-34": "MESU4", "MESH2027": "MESH7"}[symbol]
    held = {"realized": 0, "unrealized": 0, "symbols": [{"symbol": symbol, "position": 2}]}
    assert desk.bridge().post("/api/rithmic/pnl-snapshot", json=held).status_code == 200
    foreign = desk.operator().state()["global"]["foreign_positions"]
    assert {"symbol": own, "asset": "ES"} in [{"symbol": one["symbol"], "asset": one["asset"]} for one in foreign]
