"""What a desk writes to stderr: lines of JSON that can be followed by request, and never a secret."""

import json
import logging
import re
import socket
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from services.ops import logs
from tests.support.desk_process import (
    BRIDGE_SECRET,
    FLASK_KEY,
    PASSWORD,
    QUICK,
    TV_SECRET,
    DeskProcess,
    OperatorCaller,
    error_of,
    eventually,
)
from tests.support.floor import Floor

METRICS_TOKEN = 'metrics "token" of=the/test&desk'
NOTIFY_TOKEN = "987654321:AAnotify-token-of-the-test-desk"
WRONG_PASSWORD = "wrong-password-typed-by-a-tired-trader"
WRONG_SECRET = "wrong-secret-that-was-right-elsewhere"
HIDDEN = (TV_SECRET, BRIDGE_SECRET, FLASK_KEY, PASSWORD, METRICS_TOKEN, NOTIFY_TOKEN, WRONG_PASSWORD, WRONG_SECRET)


def spellings(secret: str) -> set[str]:
    return {secret, json.dumps(secret)[1:-1], quote(secret), quote(secret, safe=""), repr(secret)[1:-1]}


# -- a real desk that lives through everything ------------------------------------------------------------------------


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> str:
    """What a talkative desk wrote while it was used, misused and stopped."""
    settings = {
        **QUICK,
        "LOG_LEVEL": "DEBUG",
        "METRICS_TOKEN": METRICS_TOKEN,
        "NOTIFY_URLS": f"jsons://127.0.0.1:9/{NOTIFY_TOKEN} json://bot:{NOTIFY_TOKEN}@127.0.0.1:9/",
    }
    with DeskProcess(tmp_path_factory.mktemp("logs"), **settings) as desk:
        use(desk)
        misuse(desk)
        misuse_the_wire(desk)
        with desk.locked_store():
            error_of(desk.tradingview().brick(6, "red"), 503)
        eventually(lambda: desk.stranger().get("/readyz").status_code == 200)
        eventually(lambda: "a notice was not taken" in desk.log())
        desk.terminate()
        return desk.log()


def use(desk: DeskProcess) -> None:
    """Trade once, so that every route that matters was walked."""
    floor = Floor(desk).in_a_trade()
    floor.operator.post("/api/exit-all", json={"force": True})
    floor.flat()
    floor.operator.get("/metrics")
    floor.operator.get("/api/docs")


def misuse(desk: DeskProcess) -> None:
    """Knock with wrong secrets, and with right ones in the wrong places."""
    operator, stranger, alerts = OperatorCaller(desk), desk.stranger(), desk.tradingview()
    for password in (WRONG_PASSWORD, TV_SECRET, PASSWORD + "x"):
        error_of(operator.logs_in(password), 401)
    stranger.post("/api/login", data=f'{{"password": "{WRONG_PASSWORD}"')
    stranger.post("/api/login", json={"password": [WRONG_PASSWORD], WRONG_SECRET: PASSWORD})
    for secret in (WRONG_SECRET, TV_SECRET, BRIDGE_SECRET):
        stranger.post("/tv_renko_main", json={"secret": secret, "color": secret, "asset": secret})
        stranger.post(f"/tv_renko_main?secret={secret}", data=f'{{"secret": "{secret}", "color": ')
        stranger.post("/tv_heartbeat", data=f'{{"secret": "{secret}", "price": NaN}}')
        stranger.get("/api/orders/pending", params={"secret": secret, "owner": secret, "limit": secret})
        stranger.post("/api/bridge/heartbeat", json={"secret": secret, "account": secret, secret: secret})
        stranger.post("/api/bridge/heartbeat", json={"account": 5}, headers={"X-Bridge-Secret": secret})
        stranger.post(f"/api/orders/{secret}/execution-report", params={"secret": secret}, json={"status": secret})
        stranger.get(f"/{secret}")
        stranger.get(f"/static/{secret}", headers={"X-Request-Id": f"{secret} {secret}"})
        stranger.get("/metrics", params={"token": METRICS_TOKEN}, headers={"Authorization": f"Bearer {secret}"})
    alerts.brick(6, "purple")
    alerts.sends("/tv_heartbeat", symbol=TV_SECRET, price=1)
    stranger.get("/metrics", headers={"Authorization": f"Bearer {METRICS_TOKEN}"})
    stranger.get("/metrics", headers={"Authorization": f"Basic {METRICS_TOKEN}"})


def misuse_the_wire(desk: DeskProcess) -> None:
    """Send what is no HTTP: the front answers, and logs that it could not read it."""
    for line in (f"GET /api/orders/pending?secret={BRIDGE_SECRET} HTTP/9.9", f"{BRIDGE_SECRET}\x01 / HTTP/1.1"):
        with socket.create_connection(("127.0.0.1", desk.port), timeout=5) as wire:
            wire.sendall(f"{line}\r\nX-Bridge-Secret {BRIDGE_SECRET}\r\n\r\n".encode())
            wire.recv(1024)


@pytest.fixture(scope="module")
def lines(written: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in written.splitlines()]


@pytest.mark.processes
@pytest.mark.parametrize("secret", HIDDEN)
def test_no_secret_is_ever_written(written: str, secret: str) -> None:
    for spelled in spellings(secret):
        found = [line for line in written.splitlines() if spelled in line]
        assert found == []


@pytest.mark.processes
def test_every_line_is_json_with_its_time_its_level_and_what_happened(lines: list[dict[str, Any]]) -> None:
    assert len(lines) > 50
    for line in lines:
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d+Z", line["timestamp"]), line
        assert line["level"] in ("debug", "info", "warning", "error", "critical"), line
        assert isinstance(line["event"], str), line
        assert line["event"], line


@pytest.mark.processes
def test_gunicorn_speaks_json_too(lines: list[dict[str, Any]]) -> None:
    own = [line for line in lines if line.get("logger") == "gunicorn.error"]
    assert any(line["event"].startswith("Starting gunicorn") for line in own)


@pytest.mark.processes
def test_what_is_no_request_is_told_with_its_address(lines: list[dict[str, Any]]) -> None:
    [line] = [line for line in lines if line["event"].startswith("Invalid request")]  # one a second at most
    assert (line["level"], line["address"], line["requests"]) == ("warning", "127.0.0.1", 1)


@pytest.mark.processes
def test_every_line_of_a_request_carries_its_id(lines: list[dict[str, Any]]) -> None:
    of_requests = [line for line in lines if "route" in line]
    assert {line["event"] for line in of_requests} >= {"request", "login", "request failed"}
    assert all(re.fullmatch(r"[0-9a-f]{16}", line["request_id"]) for line in of_requests)
    assert len({line["request_id"] for line in of_requests}) == len(of_requests)


@pytest.mark.processes
def test_lines_outside_of_requests_carry_no_id_of_one(lines: list[dict[str, Any]]) -> None:
    for line in lines:
        if line.get("logger") == "gunicorn.error":
            assert "request_id" not in line, line


@pytest.mark.processes
def test_a_login_is_told_with_its_address_and_how_it_ended(lines: list[dict[str, Any]]) -> None:
    logins = [(line["level"], line["status"], line["address"]) for line in lines if line["event"] == "login"]
    assert ("info", 200, "127.0.0.1") in logins
    assert ("info", 401, "127.0.0.1") in logins


@pytest.mark.processes
def test_a_webhook_that_was_not_stored_is_told(lines: list[dict[str, Any]]) -> None:
    [line] = [line for line in lines if line["event"] == "request failed" and line["route"] == "/tv_renko_main"]
    assert (line["level"], line["status"], line["method"]) == ("warning", 503, "POST")


@pytest.mark.processes
def test_a_webhook_that_was_refused_is_told(lines: list[dict[str, Any]]) -> None:
    refused = [line for line in lines if line["event"] == "webhook refused"]
    assert {(line["path"], line["status"]) for line in refused} >= {("/tv_renko_main", 401), ("/tv_heartbeat", 401)}
    assert all(line["address"] == "127.0.0.1" and line["reason"] for line in refused)
    assert {line["status"] for line in refused if line["size"] == 0} == {404}  # a misspelt path, called without a body


def test_quotes_around_a_secret_are_told_at_the_start(tmp_path: Path) -> None:
    with DeskProcess(tmp_path, **QUICK, METRICS_TOKEN="'a token in quotes'") as desk:
        told = [json.loads(line) for line in desk.log().splitlines() if "quotes around a secret" in line]
    assert [line["setting"] for line in told] == ["METRICS_TOKEN"]
    assert "a token" not in str(told)


def test_a_quiet_desk_says_nothing_of_what_goes_well(tmp_path: Path) -> None:
    with DeskProcess(tmp_path, **QUICK) as desk:
        Floor(desk).in_a_trade().flat()
        said = [json.loads(line) for line in desk.log().splitlines()]
    assert {line["event"] for line in said if "route" in line} == {"login"}


# -- the last step of every line --------------------------------------------------------------------------------------


@pytest.fixture
def blackout() -> logs.Blackout:
    cover = logs.Blackout()
    cover.learn(["topsecret-1", 'quoted "secret" 2', "slash/and space&3", ""])
    return cover


@pytest.mark.parametrize(
    "line",
    [
        "topsecret-1",
        '{"event": "quoted \\"secret\\" 2"}',
        "GET /?q=slash/and%20space%263",
        "GET /?q=slash%2Fand+space%263",
        "GET /x?secret=nobody-knows-this-one&owner=x",
        '{"secret": "nobody-knows-this-one"}',
        '{\\"secret\\": \\"nobody-knows-this-one\\"}',
        "{'password': 'nobody-knows-this-one'}",
        "Authorization: Bearer nobody-knows-this-one",
        "X-API-Key: lk_0123456789abcdef_nobody-knows-this-one",
        "GET /api/state?api_key=lk%5F0123456789abcdef%5Fnobody-knows-this-one",
        '{"error": "unknown key lk_nobody-knows-this-one"}',
        # pragma: allowlist nextline secret
        '"key": "-----BEGIN RSA PRIVATE KEY-----\\nnobody+knows/this\\none=\\n-----END RSA PRIVATE KEY-----\\n"',
        # pragma: allowlist nextline secret
        '"key": "-----BEGIN PRIVATE KEY-----\\nnobody+knows/this", "cut": true',
    ],
)
def test_a_secret_is_blacked_out_however_it_is_written(blackout: logs.Blackout, line: str) -> None:
    shown = blackout(None, "info", line)
    assert "***" in shown
    for word in ("topsecret", "quoted", "slash", "nobody"):
        assert word not in shown


@pytest.mark.parametrize(
    "line",
    [
        '{"event": "the bridge secret is missing or wrong", "secret": 5, "token": null}',
        "a password: none",
        "bulk_operations and lk_",
    ],
)
def test_an_ordinary_line_stays_as_it_is(blackout: logs.Blackout, line: str) -> None:
    assert blackout(None, "info", line) == line


def test_the_tokens_of_a_notification_url_are_known() -> None:
    url = "tgram://123456789:AAabcdefghijklmnopqrstuvwxyz/42?format=text"
    assert logs.parts_of_url(url) == [url, "AAabcdefghijklmnopqrstuvwxyz"]


def test_what_a_library_logs_is_one_line_of_json() -> None:
    formatter = logs.for_libraries()["formatters"]["lines"]["()"]()
    try:
        raise ValueError("two\nlines")
    except ValueError as error:
        fault = (type(error), error, error.__traceback__)
    record = logging.LogRecord("somebody", logging.ERROR, "", 1, "it %s", ("broke",), fault)
    told = formatter.format(record)
    assert "\n" not in told
    line = json.loads(told)
    assert (line["event"], line["level"], line["logger"]) == ("it broke", "error", "somebody")
    assert "two\nlines" in line["exception"]
