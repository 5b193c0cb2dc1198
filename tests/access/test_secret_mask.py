"""No secret of the desk is kept, wherever it stood in what was refused and however it was written."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote, quote_plus, unquote, unquote_plus

import pytest

from services.access.secret_mask import SecretMask
from tests.support.desk_process import BRIDGE_SECRET, FLASK_KEY, PASSWORD, QUICK, TV_SECRET, DeskProcess, eventually

TV_BEFORE = 'tv "previous" 50%/sécret'
BRIDGE_BEFORE = "bridge+previous\\secret&more"
METRICS = "metrics_token_of_the_desk"
SECRETS = (TV_SECRET, TV_BEFORE, BRIDGE_SECRET, BRIDGE_BEFORE, FLASK_KEY, PASSWORD, METRICS)
PATHS = ("/tv", "/tv_heartbeat", "/tv_level_exit", "/tv_renko_main", "/tv_renko_one")


def in_unicode_escapes(text: str) -> str:
    return "".join(f"\\u{ord(character):04x}" for character in text)


def spellings(secret: str) -> list[str]:
    """Return the secret as texts that programs and people write it."""
    return [
        secret,
        quote(secret),
        quote(secret, safe=""),
        quote_plus(secret),
        quote(quote(secret, safe=""), safe=""),
        "".join(f"%{byte:02x}" for byte in secret.encode()),
        json.dumps(secret)[1:-1],
        json.dumps(json.dumps(secret))[3:-3],
        quote(json.dumps(secret)[1:-1], safe=""),
        in_unicode_escapes(secret),
        in_unicode_escapes(secret).upper().replace("\\U", "\\u"),
    ]


def readings(text: str) -> Iterator[str]:
    """Yield the text, and what becomes of it when escapes and percent encodings are taken away, more than once."""
    found = {text}
    for _ in range(3):
        yield from found
        found = {
            reading
            for known in found
            for reading in (unquote(known), unquote_plus(known), without_escapes(known), known.replace("\\\\", "\\"))
        }
    yield from found


def without_escapes(text: str) -> str:
    plain = re.sub(r"\\+u([0-9a-fA-F]{4})", lambda digits: chr(int(digits[1], 16)), text)
    return re.sub(r"\\+([\"\\/])", r"\1", plain)


def secrets_in(text: str) -> set[str]:
    return {secret for reading in readings(text) for secret in SECRETS if secret in reading}


@pytest.fixture(scope="module")
def mask() -> SecretMask:
    mask = SecretMask()
    mask.learn(SECRETS)
    return mask


@pytest.mark.parametrize("secret", SECRETS)
def test_every_spelling_of_a_secret_is_masked_and_the_rest_is_left(mask: SecretMask, secret: str) -> None:
    for spelling in spellings(secret):
        masked = mask.masked(f"before <{spelling}> after")
        assert masked == "before <***> after", spelling


@pytest.mark.parametrize("text", ['{"color": "purple", "note": "50% of it\\n"}', "C:\\temp\\new", "a+b=c", "%41%42"])
def test_a_text_without_secrets_stays_as_it_is(mask: SecretMask, text: str) -> None:
    assert mask.masked(text) == text


@pytest.mark.parametrize("character", ["\\", "%25", "%5c", "+", "lk_", "secret="])
@pytest.mark.timeout(20)
def test_the_longest_body_is_masked_in_time_whatever_is_repeated_in_it(mask: SecretMask, character: str) -> None:
    mask.masked(character * (64 * 1024 // len(character)))


def test_a_masked_json_is_still_json(mask: SecretMask) -> None:
    for secret in SECRETS:
        for text in (json.dumps({secret: [secret, f"C:\\{secret}"]}), f'{{"a": "{in_unicode_escapes(secret)}"}}'):
            assert "***" in json.dumps(json.loads(mask.masked(text)))


@pytest.mark.processes
def test_what_was_refused_is_kept_without_any_secret(tmp_path: Path) -> None:
    """Dead letters, alerts, events, the page's log and the log lines of a desk that got secrets in wrong places."""
    rotated = {"TV_WEBHOOK_SECRET_PREVIOUS": TV_BEFORE, "BRIDGE_HEARTBEAT_SECRET_PREVIOUS": BRIDGE_BEFORE}
    with DeskProcess(tmp_path, **QUICK, **rotated, METRICS_TOKEN=METRICS, LOG_LEVEL="DEBUG") as desk:
        for secret in SECRETS:
            misdirect(desk, secret)
        operator = desk.operator()
        letters = operator.get("/api/dead-letters").json()["dead_letters"]
        assert len(letters) > 20
        kept = {path: operator.get(path).text for path in ("/api/state", "/api/events?limit=500", "/log")}
        kept |= {"dead letters": json.dumps(letters, ensure_ascii=False), "store": everything_stored(desk)}
        eventually(lambda: "webhook refused" in desk.log())
        kept["log"] = desk.log()
    assert {place: secrets_in(text) for place, text in kept.items()} == {place: set() for place in kept}
    assert "***" in kept["dead letters"]


def misdirect(desk: DeskProcess, secret: str) -> None:
    """Send one secret in every place where it does not belong, by callers who know another one."""
    alerts, bridge = desk.tradingview(), desk.bridge()
    written = [secret, quote(secret, safe=""), in_unicode_escapes(secret)]
    for number, spelling in enumerate(written):
        path = PATHS[number % len(PATHS)]
        alerts.sends(path, asset=spelling, color=spelling, price=spelling)
        alerts.sends("/tv_renko_main", color=f"{'x' * 30}{spelling}{'x' * 30}", comment=[{spelling: spelling}])
        alerts.post(path, data=f'{{"secret": "{TV_SECRET}", "note": "{spelling}", "color": }} trailing'.encode())
    for shown in (TV_BEFORE, TV_SECRET):
        alerts.post("/tv_heartbeat", json={"secret": shown, "asset": "ES", "price": {"is": secret}})
    alerts.post(f"/tv_renko_main/{quote(secret, safe='')}", json={"secret": secret})
    bad: dict[str, Any] = {"tsConnected": secret, "account": {secret: secret}}
    bridge.post("/api/bridge/heartbeat", json=bad)
    bridge.post("/api/bridge/fills", json={"instance": 5, "fills": secret})
    bridge.post("/api/rithmic/pnl-snapshot", json={"symbols": secret})
    bridge.post(f"/api/orders/{quote(secret, safe='')}/execution-report", json={"status": secret})
    bridge.reports(quote(secret, safe=""), "FILLED", fill_price=5250, qty=1)


def everything_stored(desk: DeskProcess) -> str:
    """Return every row of every table as one text, without the settings that the desk was given."""
    tables = [name for (name,) in desk.rows("SELECT name FROM sqlite_master WHERE type = 'table'")]
    rows = [row for table in tables for row in desk.rows(f"SELECT * FROM {table}")]  # noqa: S608 - its own names
    return "\n".join(
        value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value) for row in rows for value in row
    )
