"""The set-up page's server half: what is pasted works, secrets are told to nobody unasked, and can be changed."""

import html
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from services.ops.webhook_tables import PAGES
from tests.support.desk_process import BRIDGE_SECRET, PASSWORD, QUICK, TV_SECRET, DeskProcess, error_of
from wire.tradingview import BRICK_ALERTS, BRICK_MESSAGE, HEARTBEAT_PATH, LEVEL_PATH, STREAMS

OLD_TV, OLD_BRIDGE = "the-tv-secret-of-before", "the-bridge-secret-of-before"

pytestmark = pytest.mark.processes


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DeskProcess]:
    folder = tmp_path_factory.mktemp("setup")
    previous = {"TV_WEBHOOK_SECRET_PREVIOUS": OLD_TV, "BRIDGE_HEARTBEAT_SECRET_PREVIOUS": OLD_BRIDGE}
    with DeskProcess(folder, METRICS_TOKEN="", **previous) as desk:
        yield desk


def test_a_stranger_is_sent_to_log_in(desk: DeskProcess) -> None:
    answer = desk.stranger().get("/setup", allow_redirects=False)
    assert answer.status_code == 303, answer.text
    assert answer.headers["Location"] == "/login"


def as_tradingview_sends(message: str, minute: int, close: str) -> str:
    """Return an alert's message as TradingView sends it, with the secret that the operator put in."""
    placeholders = {
        "YOUR TV_WEBHOOK_SECRET": TV_SECRET,
        "{{ticker}}": "ES1!",
        "{{close}}": close,
        "{{time}}": f"2026-11-20T15:{minute:02}:00Z",
        "{{timenow}}": "2026-11-20T15:59:00Z",
    }
    for name, value in placeholders.items():
        message = message.replace(name, value)
    return message


def messages_of(page: Path) -> dict[str, str]:
    """Return the messages that a document lists, by alert."""
    part = page.read_text("utf-8").split("<!-- generated: messages -->")[1].split("<!-- end: messages -->")[0]
    return dict(re.findall(r"^\| ([\w ]+) \| `(\{.*\})` \|$", part, re.MULTILINE))


def sends(desk: DeskProcess, path: str, text: str) -> dict[str, Any]:
    answer = desk.tradingview().post(path, data=text, headers={"Content-Type": "text/plain"})
    assert answer.status_code == 200, (path, text, answer.text)
    taken: dict[str, Any] = answer.json()
    return taken


def test_every_message_of_the_page_is_taken_by_its_webhook(desk: DeskProcess) -> None:
    page = desk.operator().get("/setup").text
    hooks = re.findall(r'data-path="([^"]+)" data-ts="[^"]*" data-message="([^"]+)"', page)
    assert len(hooks) == 8
    for minute, (path, message) in enumerate(hooks):
        chosen = html.unescape(message).replace("ASSET", "ES").replace("COLOR", "green")
        text = as_tradingview_sends(chosen, minute, "5250.25")
        assert sends(desk, path, text)["ok"]
        assert json.loads(text)["secret"] == TV_SECRET


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_pasted_from_the_documents_up_and_down_bricks_have_their_own_colour(tmp_path: Path, page: Path) -> None:
    messages = messages_of(page)
    assert set(messages) == {"heartbeat", *BRICK_ALERTS, "price level"}
    with DeskProcess(tmp_path) as desk:
        sends(desk, HEARTBEAT_PATH, as_tradingview_sends(messages["heartbeat"], 0, "5250.25"))
        sends(desk, LEVEL_PATH, as_tradingview_sends(messages["price level"], 0, "5250.25"))
        for row in STREAMS:
            for minute, condition in enumerate(BRICK_ALERTS):
                sends(desk, row.path, as_tradingview_sends(messages[condition], minute, "5256"))
                shown = desk.operator().state()["assets"]["ES"]
                assert shown[f"{row.state_name}_color"] == BRICK_ALERTS[condition]


def test_two_bricks_of_one_base_bar_are_two_and_an_alert_sent_twice_is_one(tmp_path: Path) -> None:
    message = BRICK_MESSAGE.replace("ASSET", "ES").replace("COLOR", "green")
    with DeskProcess(tmp_path) as desk:
        first, second = (as_tradingview_sends(message, 30, close) for close in ("5256", "5262"))
        answers = [sends(desk, "/tv_renko_main", text) for text in (first, second, second)]
        assert ["BrickApplied" in answer.get("effects", ()) for answer in answers] == [True, True, False]
        assert answers[2]["duplicate"] is True


def test_the_page_holds_no_secret(desk: DeskProcess) -> None:
    page = desk.operator().get("/setup").text
    assert not [secret for secret in (TV_SECRET, BRIDGE_SECRET, OLD_TV, OLD_BRIDGE, PASSWORD) if secret in page]


def test_the_secret_is_told_to_who_types_the_password_once_more(desk: DeskProcess) -> None:
    operator = desk.operator()
    assert "wrong" in error_of(operator.post("/api/setup/webhook-secret", json={"password": "nonsense"}), 403)
    answer = operator.post("/api/setup/webhook-secret", json={"password": PASSWORD})
    assert answer.json()["secret"] == TV_SECRET
    assert answer.headers["Cache-Control"] == "no-store"
    assert error_of(desk.stranger().post("/api/setup/webhook-secret", json={"password": PASSWORD}), 401)


def test_tries_are_counted_with_those_of_the_login(tmp_path: Path) -> None:
    with DeskProcess(tmp_path) as desk:
        operator = desk.operator()
        for _ in range(5):
            operator.post("/api/setup/webhook-secret", json={"password": "nonsense"})
        assert "too many" in error_of(operator.post("/api/setup/webhook-secret", json={"password": PASSWORD}), 429)


def test_without_a_password_the_secret_is_told_to_nobody(tmp_path: Path) -> None:
    with DeskProcess(tmp_path, DASHBOARD_PASSWORD="") as desk:
        answer = desk.stranger().post("/api/setup/webhook-secret", json={"password": ""})
        assert "DASHBOARD_PASSWORD" in error_of(answer, 403)
        assert TV_SECRET not in desk.stranger().get("/setup").text


def test_the_secret_before_is_taken_too_and_the_page_says_who_still_uses_it(desk: DeskProcess) -> None:
    operator = desk.operator()
    assert operator.get("/setup").text.count("not used since web was started") == 2
    body = {"secret": OLD_TV, "asset": "ES", "price": 5250}
    assert desk.stranger().post("/tv_heartbeat", json=body).status_code == 200
    sign_of_life = {"tsConnected": True, "mdConnected": True, "repoOk": True}
    beat = desk.stranger().post("/api/bridge/heartbeat", json=sign_of_life, headers={"X-Bridge-Secret": OLD_BRIDGE})
    assert beat.status_code == 200
    assert operator.get("/setup").text.count("still in use, 0 min ago") == 2
    assert desk.stranger().post("/tv_heartbeat", json={**body, "secret": OLD_BRIDGE}).status_code == 401


def test_no_secret_of_before_opens_the_other_door(tmp_path: Path) -> None:
    desk = DeskProcess(tmp_path, TV_WEBHOOK_SECRET_PREVIOUS=BRIDGE_SECRET)
    assert desk.spawn().wait(60) != 0
    assert "must not open the bridge's door" in desk.log()


def test_a_level_exit_that_took_a_trade_out_is_known_after_a_restart(tmp_path: Path) -> None:
    with DeskProcess(tmp_path, **QUICK) as desk:
        operator, alerts = desk.operator(), desk.tradingview()
        assert operator.state()["level_exit_ts"] == {}
        alerts.opens_the_ladder()
        desk.bridge().fills(operator.enters_when_the_candle_allows(), 5250.25)
        assert alerts.sends("/tv_level_exit", asset="ES").ok
        heard = operator.state()
        assert heard["level_exit_ts"] == {"ES": heard["logs"]["tradingview"][0]["ts"]}
        desk.restart()
        again = desk.operator().state()
        assert set(again["level_exit_ts"]) == {"ES"}
        assert ("tv_level_exit", "ES", "exit") in [
            (line["kind"], line["asset"], line["outcome"]) for line in again["logs"]["tradingview"]
        ]
