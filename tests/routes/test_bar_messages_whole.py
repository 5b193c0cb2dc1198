"""Messages of TradingView's one alert at a store that fails, and a whole day of them (SPEC 3)."""

import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient

from app import create_app
from routes.http.replies import AppServices
from services.engine.model.events import BrickApplied
from services.ops.config import Config
from services.stores.codec.documents import read_events
from services.stores.sqlite.store import SqliteStore
from services.stores.store import Commit, Head, StoreDown
from tests.support.desk_process import BRIDGE_SECRET, FLASK_KEY, PASSWORD, QUICK, TV_SECRET, DeskProcess
from tests.support.tv_chart import Chart, as_sent
from tests.tradingview.tapes import BAR_LENGTHS, bars_of, changes_of
from wire.tradingview import STREAM_OF_SIZE

SETTINGS = {
    "TV_WEBHOOK_SECRET": TV_SECRET,
    "BRIDGE_HEARTBEAT_SECRET": BRIDGE_SECRET,
    "FLASK_SECRET_KEY": FLASK_KEY,
    "DASHBOARD_PASSWORD": PASSWORD,
    "ASSETS": "ES",
}


class FailingStore(SqliteStore):
    """A real store that takes so many commits more, and refuses those behind them; None takes all."""

    commits_left: int | None = None

    def commit(self, commit: Commit) -> Head:
        if self.commits_left == 0:
            raise StoreDown("the disk is full")
        if self.commits_left is not None:
            self.commits_left -= 1
        return super().commit(commit)


Desk = tuple[FlaskClient, AppServices, FailingStore]


@pytest.fixture
def failing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Desk]:
    """A desk in this process, because only here a test can say at which commit its store fails."""
    store = FailingStore(tmp_path / "desk.sqlite")
    monkeypatch.setattr("app.open_store", lambda config: store)
    app = create_app(Config.from_env(SETTINGS))
    yield app.test_client(), app.extensions["lockstep"], store
    store.commits_left = None
    app.extensions["lockstep.close"]()


def bricks_applied(services: AppServices) -> list[str]:
    """Return the sizes of the bricks that were applied and stored, in their order."""
    rows = reversed(services.manager.store.last_rows("tradingview", 1000))
    return [event.stream.value for row in rows for event in read_events(row.events) if isinstance(event, BrickApplied)]


def test_a_message_is_stored_whole_or_not_at_all(failing: Desk) -> None:
    client, services, store = failing
    message = Chart(seen=("5250",)).closes(5275.25)
    kept = [brick for brick in message["bricks"] if brick["size"] != 1]  # those of 1pt are only shown
    before = services.manager.snapshot.desk.assets["ES"]
    store.commits_left = 0
    refused = client.post("/tv", data=as_sent(message))
    assert (refused.status_code, refused.get_json()["code"]) == (503, "store_down")
    assert services.manager.snapshot.desk.assets["ES"] == before
    store.commits_left = 1
    said = client.post("/tv", data=as_sent(message)).get_json()
    assert (said["applied"], said["duplicates"], said["late"]) == (len(message["bricks"]), 0, 0)
    assert len(bricks_applied(services)) == len(kept)
    again = client.post("/tv", data=as_sent(message)).get_json()
    assert (again["applied"], again["duplicates"], again["duplicate"]) == (0, len(message["bricks"]), True)
    assert len(bricks_applied(services)) == len(kept)
    stack = services.manager.snapshot.desk.assets["ES"].stack
    assert set(stack.colors().values()) == {"green"}
    assert stack.main.bar_id == f"ES|15S|6|{message['t']}|{sum(brick['size'] == 6 for brick in kept)}"


# -- a whole day -------------------------------------------------------------------------------------------------------


@pytest.mark.processes
def test_a_day_in_one_alert_is_the_day_of_thirteen(tmp_path: Path) -> None:
    messages = a_day_that_ends_now()
    with DeskProcess(tmp_path / "one", **QUICK) as one, DeskProcess(tmp_path / "thirteen", **QUICK) as thirteen:
        alert, alerts = one.tradingview(), thirteen.tradingview()
        for message in messages:
            assert alert.post("/tv", data=as_sent(message)).status_code == 200
            at = datetime.fromtimestamp(message["t"] / 1000, UTC).isoformat()
            for brick in message.get("bricks", ()):
                close = brick["hi" if brick["color"] == "green" else "lo"]
                told = {"bar_id": f"{at}/{close}", "bar_ts": at, "close": close}
                assert alerts.brick(brick["size"], brick["color"], **told).status_code == 200
        assert shown(one) == shown(thirteen)


def a_day_that_ends_now() -> list[dict[str, Any]]:
    """Return the messages of a generated day of 300 bars, moved so that the last bar has just ended."""
    bars = list(bars_of(changes_of("gapped"), BAR_LENGTHS["1"]))[:300]
    later = int(time.time() - bars[-1][0].timestamp() - 60) // 60 * 60
    chart = Chart(tf="1")
    messages = []
    for start, prices in bars:
        chart.t = (int(start.timestamp()) + later) * 1000
        messages.append(chart.closes(prices[-1]))
    assert sum(len(message.get("bricks", ())) for message in messages) > 100
    return messages


def shown(desk: DeskProcess) -> dict[str, Any]:
    """Return each size's bricks and colour as the page shows them, and what follows from them."""
    operator = desk.operator()
    asset = operator.asset()
    colors = {name: value for name, value in asset.items() if name.endswith("renko_color")}
    assert len(colors) == len(STREAM_OF_SIZE)
    bricks = {}
    for size in STREAM_OF_SIZE:
        answer = operator.get(f"/api/bricks?asset=ES&size={size}&limit=500").json()
        bricks[size] = [(brick["color"], brick["open"], brick["close"]) for brick in answer["bricks"]]
    assert all(bricks.values())
    return {**colors, "bricks": bricks, "zone": asset["zone_type"], "tempo": asset["tempo_ready"]}
