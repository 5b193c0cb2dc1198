"""TradingView's door over real HTTP (SPEC 3, notes on TradingView)."""

import json
import socket
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from services.market.session import after_session_time
from tests.support.desk_process import QUICK, TV_SECRET, DeskProcess, error_of, eventually, without_the_clock
from tests.support.own_time import Stopwatch

pytestmark = pytest.mark.processes

COLOR_FIELD = {
    "/tv_renko": "renko_color",
    "/tv_renko_two_half": "two_half_renko_color",
    "/tv_renko_main": "main_renko_color",
    "/tv_renko_high": "high_renko_color",
    "/tv_renko_macro": "macro_renko_color",
    "/tv_renko_small": "one_renko_color",
    "/tv_renko_one": "one_renko_color",
}
PATHS = ("/tv_heartbeat", "/tv_level_exit", *COLOR_FIELD)
CONTENT_TYPES = {
    "as text/plain": {"Content-Type": "text/plain; charset=utf-8"},
    "as JSON": {"Content-Type": "application/json"},
    "without a type": {"Content-Type": ""},
    "as a form": {"Content-Type": "application/x-www-form-urlencoded"},
}
BODY_LIMIT = 64 * 1024


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DeskProcess]:
    with DeskProcess(tmp_path_factory.mktemp("webhooks"), **QUICK) as desk:
        yield desk


@pytest.fixture
def own_desk(tmp_path: Path) -> Iterator[DeskProcess]:
    with DeskProcess(tmp_path, **QUICK) as desk:
        yield desk


def a_body(**fields: Any) -> str:
    return json.dumps({"secret": TV_SECRET, "asset": "ES", "color": "green", "price": 5250.25, **fields})


@pytest.mark.parametrize("headers", CONTENT_TYPES.values(), ids=CONTENT_TYPES.keys())
@pytest.mark.parametrize("path", PATHS)
def test_every_path_takes_its_message_whatever_it_is_called(
    desk: DeskProcess, path: str, headers: dict[str, str]
) -> None:
    answer = desk.tradingview().post(path, data=a_body(), headers=headers)
    assert answer.status_code == 200, answer.text
    assert answer.json()["ok"] is True
    if path in COLOR_FIELD:
        assert desk.operator().asset()[COLOR_FIELD[path]] == "green"


def test_a_level_without_a_position_is_ignored(desk: DeskProcess) -> None:
    assert desk.tradingview().sends("/tv_level_exit").json()["ignored"] == "no_position"


# -- who may send --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", PATHS)
def test_a_wrong_secret_is_refused(desk: DeskProcess, path: str) -> None:
    for secret in ("wrong", "", "ключ-не-тот-ключ", "\x00", "x" * 5000, None, 5, True, ["list"], {"an": "object"}):
        error_of(desk.tradingview().post(path, data=a_body(secret=secret)), 401)


@pytest.mark.parametrize("path", PATHS)
def test_a_missing_secret_is_refused_and_nothing_is_kept(desk: DeskProcess, path: str) -> None:
    kept = desk.rows("SELECT count(*) FROM dead_letters")
    error_of(desk.tradingview().post(path, data='{"asset": "ES", "color": "green"}'), 401)
    error_of(desk.tradingview().post(path, data='{"secret": "wrong", "price": NaN}'), 401)
    error_of(desk.tradingview().post(path, data='{"price": NaN}'), 400, 401)
    assert desk.rows("SELECT count(*) FROM dead_letters") == kept


def test_the_secret_counts_in_the_body_only(desk: DeskProcess) -> None:
    body = '{"asset": "ES", "color": "green"}'
    error_of(desk.tradingview().post(f"/tv_renko?secret={TV_SECRET}", data=body), 401)
    error_of(desk.tradingview().post("/tv_renko", data=body, headers={"X-Bridge-Secret": TV_SECRET}), 401)


SEEN_BY_NOBODY = {  # what reaches no desk -> method, body, status, what the reason says
    "a wrong secret": ("POST", '{"secret": "wrong-secret", "asset": "ES"}', 401, "secret is missing or wrong"),
    "no secret": ("POST", '{"asset": "ES"}', 401, "secret is missing or wrong"),
    "a quoted secret": ("POST", json.dumps({"secret": f'"{TV_SECRET}"'}), 401, "secret is missing or wrong"),
    "curly quotes": ("POST", f"{{\u201csecret\u201d: \u201c{TV_SECRET}\u201d}}", 400, "curly quotes"),
    "form fields": ("POST", f"secret={TV_SECRET}&asset=ES", 400, "form fields"),
    "plain text": ("POST", f"ES crossed 5250, {TV_SECRET}", 400, "plain text"),
    "an array": ("POST", f'["{TV_SECRET}"]', 400, "must be an object"),
    "nothing": ("POST", "", 400, "empty"),
    "too much": ("POST", "x" * (BODY_LIMIT + 1), 413, ""),
    "another method": ("GET", "", 405, ""),
}


@pytest.mark.parametrize(("method", "body", "status", "says"), SEEN_BY_NOBODY.values(), ids=SEEN_BY_NOBODY.keys())
def test_a_call_that_reaches_no_desk_leaves_a_line(
    own_desk: DeskProcess, method: str, body: str, status: int, says: str
) -> None:
    caller = own_desk.tradingview()
    for _ in range(3):
        once = {"Connection": "close"}  # gunicorn hangs up after a body that nobody read
        assert caller.request(method, "/tv_renko_main", data=body.encode(), headers=once).status_code == status
    newest = own_desk.operator().state()["logs"]["tradingview"][0]
    assert (newest["kind"], newest["outcome"], newest["count"]) == ("tv_renko_main", f"refused ({status})", 3)
    assert says in newest["text"]
    assert newest["facts"]["address"] == "127.0.0.1"
    if status != 413:
        assert newest["facts"]["size"] == len(body.encode())
    assert TV_SECRET not in json.dumps(newest)
    assert "wrong-secret" not in json.dumps(newest)


@pytest.mark.parametrize("path", ["/tv_renko_mian", "/tv_heartbeat/", "/TV_RENKO", "/tv-heartbeat"])
def test_a_misspelt_path_leaves_a_line(own_desk: DeskProcess, path: str) -> None:
    for _ in range(3):
        error_of(own_desk.tradingview().post(path, data=a_body()), 404)
    newest = own_desk.operator().state()["logs"]["tradingview"][0]
    assert (newest["kind"], newest["outcome"], newest["count"]) == ("tv_unknown", "refused (404)", 3)
    assert f"{path}: no webhook has this path" in newest["text"]
    assert TV_SECRET not in json.dumps(newest)


def test_other_addresses_than_webhooks_leave_no_line(own_desk: DeskProcess) -> None:
    error_of(own_desk.tradingview().post("/nothing", data=a_body()), 404)
    assert own_desk.operator().state()["logs"]["tradingview"] == []


def test_refused_calls_are_counted_though_others_come_between(own_desk: DeskProcess) -> None:
    alerts = own_desk.tradingview()
    for _ in range(3):
        error_of(alerts.post("/tv_renko", data=a_body(secret="wrong")), 401)
        alerts.heartbeat(5250.25)
    refused = [line for line in own_desk.operator().state()["logs"]["tradingview"] if line["code"] == "refused"]
    assert [line["count"] for line in refused] == [3]


# -- what cannot be read ---------------------------------------------------------------------------------------------


NO_NUMBERS = ["NaN", "Infinity", "-Infinity", "1e400"]


@pytest.mark.parametrize("number", NO_NUMBERS)
def test_a_heartbeat_whose_price_is_none_is_a_dead_letter(desk: DeskProcess, number: str) -> None:
    path = "/tv_heartbeat"
    raw = f'{{"secret": "{TV_SECRET}", "asset": "ES", "color": "green", "price": {number}}}'
    error_of(desk.tradingview().post(path, data=raw), 422)
    [(kept_path, reason, body)] = desk.rows(
        "SELECT path, reason, body FROM dead_letters ORDER BY 1 * sequence DESC LIMIT 1"
    )
    assert (kept_path, number in body) == (path, True)
    assert reason
    assert TV_SECRET not in body + reason


@pytest.mark.parametrize("price", [*NO_NUMBERS, '"NaN"', "{{close}}", '"{{close}}"', "na", '"a lot"', "true", "[5250]"])
@pytest.mark.parametrize("path", [*COLOR_FIELD, "/tv_level_exit"])
def test_a_price_that_nobody_can_read_costs_no_brick_and_no_level(desk: DeskProcess, path: str, price: str) -> None:
    raw = f'{{"secret": "{TV_SECRET}", "asset": "ES", "color": "red", "close": {price}}}'
    answer = desk.tradingview().post(path, data=raw)
    assert answer.status_code == 200, answer.text
    if path in COLOR_FIELD:
        assert (answer.json()["flagged"], answer.json()["unread"]) == (True, ["close"])
        assert desk.operator().asset()[COLOR_FIELD[path]] == "red"


@pytest.mark.parametrize(
    "decoration",
    [
        {"bar_ts": "yesterday"},
        {"time": 10**400},
        {"bar_ts": "{{time}}"},
        {"source": 5},
        {"bar_id": ["b1"]},
        {"bar_id": "x" * 201},
        {"bar_id": 1.5},
        {"price": {"an": "object"}},
    ],
    ids=lambda decoration: str(decoration)[:20],
)
def test_any_decoration_that_cannot_be_read_is_dropped_and_flagged(
    desk: DeskProcess, decoration: dict[str, Any]
) -> None:
    answer = desk.tradingview().sends("/tv_renko_high", asset="ES", color="red", **decoration)
    assert (answer.status_code, answer.json().get("unread")) == (200, list(decoration))
    newest = desk.operator().state()["logs"]["tradingview"][0]
    assert (newest["outcome"], newest["text"]) == ("flagged", f"8pt red, {next(iter(decoration))} not read")


NO_IDS = ["{{time}}", "x}}", "NaN", "nan", "null", "na", "None", "…", "...", "", " "]


@pytest.mark.parametrize(
    "text", [*NO_IDS, "{{time}}|1", "NaN|1", "null|2", " na |3", "…|1", "|1", "NaN/5250.25", "…/5250.25"]
)
def test_a_text_that_is_no_id_makes_no_brick_a_duplicate(desk: DeskProcess, text: str) -> None:
    for _ in range(3):
        answer = desk.tradingview().brick(6, "green", bar_id=text)
        assert answer.json()["unread"] == ["bar_id"]
        assert "duplicate" not in answer.json()


@pytest.mark.parametrize("close", [0, -5250.25, "0"])
@pytest.mark.parametrize("path", COLOR_FIELD)
def test_a_close_at_which_the_market_cannot_trade_costs_no_brick(desk: DeskProcess, path: str, close: object) -> None:
    answer = desk.tradingview().sends(path, asset="NQ", color="red", close=close)
    assert (answer.status_code, answer.json()["unread"]) == (200, ["close"])
    assert desk.operator().asset("NQ")[COLOR_FIELD[path]] == "red"


NO_JSON = {  # bodies that strict JSON refuses, without their end: what is wrong is only decoration
    "a number without a value": '"close": , "bar_ts": }',
    "a comma too many": '"close": 5250.25,}',
    "two lines in a text": '"note": "crossed\n5250"}',
    "a word": '"volume": NaN}',
    "a placeholder": '"volume": {{volume}}}',
}


@pytest.mark.parametrize("end", NO_JSON.values(), ids=NO_JSON.keys())
@pytest.mark.parametrize("path", PATHS)
def test_decoration_that_is_no_json_costs_no_message(desk: DeskProcess, path: str, end: str) -> None:
    for mark in ("", "\ufeff"):
        raw = f'{mark}{{"secret": "{TV_SECRET}", "asset": "ES", "color": "red", {end}'
        answer = desk.tradingview().post(path, data=raw.encode())
        if path == "/tv_heartbeat" and '"close": ,' in end:
            error_of(answer, 422)  # without its price a heartbeat is none
        else:
            assert answer.status_code == 200, answer.text


@pytest.mark.parametrize("source", [5, "x" * 501, ["TradingView"]])
@pytest.mark.parametrize("path", ["/tv_heartbeat", "/tv_level_exit"])
def test_a_wrong_source_costs_no_price_and_no_level(desk: DeskProcess, path: str, source: object) -> None:
    answer = desk.tradingview().sends(path, asset="ES", price=5250.25, source=source)
    assert answer.status_code == 200, answer.text


def test_without_its_id_a_brick_is_still_known_by_its_time(desk: DeskProcess) -> None:
    moment = datetime.now(UTC).isoformat()
    alerts = desk.tradingview()
    assert "duplicate" not in alerts.brick(4, "red", bar_id="NaN", bar_ts=moment, asset="NQ").json()
    assert alerts.brick(4, "red", bar_id="{{time}}", bar_ts=moment, asset="NQ").json()["duplicate"] is True


@pytest.mark.parametrize("bar", ["14:30", "2026-01-15T14:30:00Z"])
def test_numbered_bricks_out_of_order_end_on_the_last(own_desk: DeskProcess, bar: str) -> None:
    alerts = own_desk.tradingview()
    alerts.brick(8, "green", bar_id=f"{bar}|1")
    alerts.brick(8, "green", bar_id=f"{bar}|3")
    assert alerts.brick(8, "red", bar_id=f"{bar}|2").json()["stale"] is True
    assert own_desk.operator().asset()["high_renko_color"] == "green"


@pytest.mark.parametrize(("setting", "hours"), [({}, 23), ({"BRICK_MAX_AGE": "5"}, 5)])
def test_a_colour_ages_by_session_time_from_its_receipt(tmp_path: Path, setting: dict[str, str], hours: int) -> None:
    with DeskProcess(tmp_path, **QUICK, **setting) as desk:
        before = datetime.now(UTC)
        desk.tradingview().brick(8, "green", bar_ts=(before - timedelta(hours=30)).isoformat())
        after = datetime.now(UTC)
        assert desk.operator().asset()["high_renko_stale"] is False
        [(stale_at,)] = desk.rows("SELECT command ->> '$.stale_at' FROM journal WHERE kind = 'CloseBrick'")
    age = timedelta(hours=hours)
    assert after_session_time(before, age) <= datetime.fromisoformat(stale_at) <= after_session_time(after, age)


def test_a_numbered_brick_of_an_earlier_bar_is_late(own_desk: DeskProcess) -> None:
    alerts = own_desk.tradingview()
    alerts.brick(8, "green", bar_id="2026-01-15T14:31:00Z|1")
    assert alerts.brick(8, "red", bar_id="2026-01-15T14:30:00Z|9").json()["stale"] is True


DEAD_LETTERS = {
    "cut short": f'{{"secret": "{TV_SECRET}", "asset": "ES", "color": "gre',
    "behind it more": f'{{"secret": "{TV_SECRET}", "asset": "ES", "color": "green"}} and more',
    "secret with spaces": f'{{"secret"  :\n  "{TV_SECRET}", "price": NaN}}',
    "no word for the asset": f'{{"secret": "{TV_SECRET}", "asset": NaN, "color": "green"}}',
    "no asset": json.dumps({"secret": TV_SECRET, "color": "green"}),
    "unknown asset": json.dumps({"secret": TV_SECRET, "asset": "DAX", "color": "green"}),
    "delayed prices": json.dumps({"secret": TV_SECRET, "asset": "CME_MINI_DLY:ES1!", "color": "green"}),
    "a share": json.dumps({"secret": TV_SECRET, "asset": "NYSE:ES", "color": "green"}),
    "data only": json.dumps({"secret": TV_SECRET, "asset": "BINANCE:BTCUSD", "color": "green"}),
}


@pytest.mark.parametrize("body", DEAD_LETTERS.values(), ids=DEAD_LETTERS.keys())
def test_what_cannot_be_read_is_kept_and_shown(desk: DeskProcess, body: str) -> None:
    sentence = error_of(desk.tradingview().post("/tv_renko_main", data=body), 422)
    newest = desk.operator().state()["logs"]["tradingview"][0]
    assert newest["kind"] == "tv_renko_main"
    assert newest["outcome"] == "dead letter (422)"
    assert newest["text"] == sentence
    [(kept,)] = desk.rows("SELECT body FROM dead_letters ORDER BY sequence DESC LIMIT 1")
    assert TV_SECRET not in kept
    assert TV_SECRET not in sentence


def test_a_deep_body_does_not_give_the_secret_away(own_desk: DeskProcess) -> None:
    raw = f'{{"secret": "{TV_SECRET}", "asset": "ES", "color": "green", "x": {"[" * 300}{"]" * 300}}}'
    sentence = error_of(own_desk.tradingview().post("/tv_renko", data=raw), 422)
    shown = json.dumps(own_desk.operator().state()["logs"])
    kept = str(own_desk.rows("SELECT reason, body FROM dead_letters"))
    assert not [text for text in (sentence, shown, kept) if TV_SECRET in text]


def test_an_escaped_key_does_not_give_the_secret_away(own_desk: DeskProcess) -> None:
    raw = f'{{"\\u0073ecret": "{TV_SECRET}", "asset": "DAX", "color": "green"}}'
    error_of(own_desk.tradingview().post("/tv_renko", data=raw), 422)
    assert TV_SECRET not in str(own_desk.rows("SELECT reason, body FROM dead_letters"))


def test_an_unknown_colour_is_refused_and_changes_nothing(desk: DeskProcess) -> None:
    desk.tradingview().brick(4, "green")
    for color in ("blue", "", None, 2, True, 1.5, ["green"], "GREENISH"):
        error_of(desk.tradingview().sends("/tv_renko", color=color), 400)
    error_of(desk.tradingview().sends("/tv_renko"), 400, 422)
    assert desk.operator().asset()["renko_color"] == "green"


def test_dead_letters_survive_a_restart(own_desk: DeskProcess) -> None:
    error_of(own_desk.tradingview().sends("/tv_renko", asset="DAX", color="green"), 422)
    kept = own_desk.rows("SELECT * FROM dead_letters")
    own_desk.restart()
    assert own_desk.rows("SELECT * FROM dead_letters") == kept
    assert len(kept) == 1


def test_a_dead_letter_still_looks_like_one_after_a_restart(own_desk: DeskProcess) -> None:
    error_of(own_desk.tradingview().sends("/tv_renko", asset="DAX", color="green"), 422)
    own_desk.restart()
    [line] = [line for line in own_desk.operator().state()["logs"]["tradingview"] if line["kind"] == "tv_renko"]
    assert "dead letter" in line["outcome"]
    assert "DAX" in line["text"]


# -- size ------------------------------------------------------------------------------------------------------------


def test_64_kib_are_taken_and_one_byte_more_is_not(desk: DeskProcess) -> None:
    body = a_body(note="")
    fitting = a_body(note="x" * (BODY_LIMIT - len(body)))
    assert len(fitting) == BODY_LIMIT
    assert desk.tradingview().post("/tv_renko", data=fitting).status_code == 200
    error_of(desk.tradingview().post("/tv_renko", data=fitting + " "), 413)


def test_an_oversized_body_without_a_length_is_refused(desk: DeskProcess) -> None:
    def in_pieces() -> Iterator[bytes]:
        yield a_body().encode()
        for _ in range(80):
            yield b" " * 1024
        yield b"and then something else"

    error_of(desk.tradingview().post("/tv_renko", data=in_pieces()), 413)


# -- words -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("word", "color"),
    [
        *((word, "green") for word in ("green", "GREEN", " Green ", "up", "Up", "buy", "BUY", "1", 1)),
        *((word, "red") for word in ("red", "Red", "down", "sell", "-1", -1)),
        *((word, "neutral") for word in ("neutral", "Neutral")),
    ],
)
def test_every_word_for_a_colour(desk: DeskProcess, word: str | int, color: str) -> None:
    desk.tradingview().brick(2.5, {"green": "red", "red": "green", "neutral": "red"}[color])
    assert desk.tradingview().brick(2.5, word).status_code == 200
    assert desk.operator().asset()["two_half_renko_color"] == color


@pytest.mark.parametrize(
    "symbol",
    [
        "ES",
        "es",
        "ES1!",
        "CME_MINI:ES1!",
        "CME:ES1!",
        "ESZ2026",
        "ESZ6",
        "ESZ26",
        "MES1!",
        "CME_MINI:MES1!",
        "MESZ2026",
        "/ES",
        "/MESZ26",
        "ES=F",
        "MES 12-26",
    ],
)
@pytest.mark.parametrize("field", ["asset", "symbol", "ticker"])
def test_every_form_of_a_symbol(desk: DeskProcess, field: str, symbol: str) -> None:
    body = json.dumps({"secret": TV_SECRET, field: symbol, "color": "green"})
    assert desk.tradingview().post("/tv_renko_one", data=body).status_code == 200


# -- time ------------------------------------------------------------------------------------------------------------


def test_every_form_of_a_time_is_the_same_instant(desk: DeskProcess) -> None:
    base = datetime.now(UTC).replace(microsecond=0) - timedelta(seconds=100)
    forms: tuple[Callable[[datetime], str | float], ...] = (
        lambda at: at.isoformat(),
        lambda at: at.strftime("%Y-%m-%dT%H:%M:%SZ"),
        lambda at: at.strftime("%Y-%m-%dT%H:%M:%S"),
        lambda at: at.astimezone().isoformat(),
        lambda at: int(at.timestamp()),
        lambda at: int(at.timestamp() * 1000),
        lambda at: at.timestamp() + 0.0,
        lambda at: str(int(at.timestamp())),
        lambda at: str(int(at.timestamp() * 1000)),
    )
    for number, form in enumerate(forms):
        at = base + timedelta(seconds=number)
        answer = desk.tradingview().heartbeat(asset="NQ", timestamp=form(at))
        assert answer.status_code == 200, answer.text
        shown = datetime.fromisoformat(desk.operator().asset("NQ")["last_heartbeat_ts"])
        assert shown == at, form(at)


def test_a_heartbeat_never_moves_back_and_one_from_the_future_is_flagged(own_desk: DeskProcess) -> None:
    alerts, operator = own_desk.tradingview(), own_desk.operator()
    now = datetime.now(UTC).replace(microsecond=0)
    alerts.heartbeat(5250.25, timestamp=now.isoformat())
    alerts.heartbeat(4000.00, timestamp=(now - timedelta(minutes=20)).isoformat())
    asset = operator.asset()
    assert datetime.fromisoformat(asset["last_heartbeat_ts"]) == now
    assert asset["last_price"] == 5250.25
    flagged = alerts.heartbeat(5251.00, timestamp=(now + timedelta(hours=1)).isoformat())
    assert flagged.json()["flagged"] is True
    heard_at = datetime.fromisoformat(operator.asset()["last_heartbeat_ts"])
    assert abs(heard_at - datetime.now(UTC)) < timedelta(seconds=5)


def test_delayed_heartbeats_leave_the_gate_closed(own_desk: DeskProcess) -> None:
    own_desk.tradingview().opens_the_ladder()
    own_desk.tradingview().heartbeat(asset="NQ", timestamp=int(time.time()) - 601)
    ladder = {rung["gate"]: rung["state"] for rung in own_desk.operator().asset("NQ")["ladder"]}
    assert ladder["heartbeat"] == "closed"


@pytest.mark.parametrize(
    "symbol", ["ESH2027", "CME_MINI:ESH2027", "MESH7", "ES2!", "MES2!", "ESZ2016", "ESZ16", "/ESH27"]
)
def test_a_heartbeat_of_another_contract_is_ignored(own_desk: DeskProcess, symbol: str) -> None:
    alerts, operator = own_desk.tradingview(), own_desk.operator()
    alerts.heartbeat(5250.25)
    heard_at = operator.asset()["last_heartbeat_ts"]
    answer = alerts.heartbeat(5251.25, asset=symbol)
    assert answer.status_code == 200
    assert {**answer.json(), "version": 0} == {"ok": True, "version": 0, "flagged": True, "ignored": "other_contract"}
    asset = operator.asset()
    assert (asset["last_price"], asset["last_heartbeat_ts"]) == (5250.25, heard_at)
    newest = operator.state()["logs"]["tradingview"][0]
    assert (newest["outcome"], newest["code"]) == ("ignored: other_contract", "ignored")


def test_in_roll_week_a_continuous_price_only_freshens(tmp_path: Path) -> None:
    with DeskProcess(
        tmp_path, **{**QUICK, "CONTRACTS": "ES=MESM9"}
    ) as desk:  # a month that the calendar never gives now
        alerts, operator = desk.tradingview(), desk.operator()
        answer = alerts.heartbeat(5310.25, asset="CME_MINI:ES1!").json()
        assert {**answer, "version": 0} == {"ok": True, "version": 0, "flagged": True, "ignored": "roll_week"}
        asset = operator.asset()
        assert asset["last_price"] is None
        assert datetime.now(UTC) - datetime.fromisoformat(asset["last_heartbeat_ts"]) < timedelta(seconds=30)
        assert operator.state()["logs"]["tradingview"][0]["outcome"] == "ignored: roll_week"
        assert "ignored" not in alerts.heartbeat(5250.25, asset="ES").json()


def test_a_suspect_price_is_shown_beside_the_last_good_one(own_desk: DeskProcess) -> None:
    alerts, operator = own_desk.tradingview(), own_desk.operator()
    alerts.heartbeat(5250.25)
    assert alerts.heartbeat(52502.5).json()["suspect"] is True
    asset = operator.asset()
    assert (asset["last_price"], asset["suspect_price"]) == (5250.25, 52502.5)
    assert operator.state()["logs"]["tradingview"][0]["outcome"] == "suspect"


def test_a_price_of_zero_is_no_price(own_desk: DeskProcess) -> None:
    alerts, operator = own_desk.tradingview(), own_desk.operator()
    alerts.heartbeat(5250.25)
    assert alerts.heartbeat(0).json()["ignored"] == "impossible_price"
    assert operator.asset()["last_price"] == 5250.25


def test_a_heartbeat_that_freshens_nothing_is_logged_so(own_desk: DeskProcess) -> None:
    alerts, operator = own_desk.tradingview(), own_desk.operator()
    answer = alerts.heartbeat(5250.25, timestamp=int(time.time()) - 5 * 3600)
    assert (answer.status_code, answer.json()["stale"]) == (200, True)
    newest = operator.state()["logs"]["tradingview"][0]
    assert (newest["outcome"], newest["code"]) == ("too old", "too_old")


HOSTILE_TIMES = ["0001-01-01T00:00:00+05:00", "9999-12-31T23:59:59-05:00"]


@pytest.mark.parametrize("text", HOSTILE_TIMES)
def test_a_time_at_the_edge_of_the_calendar_is_a_dead_letter(own_desk: DeskProcess, text: str) -> None:
    error_of(own_desk.tradingview().heartbeat(timestamp=text), 422)
    assert own_desk.tradingview().brick(6, "green", bar_id=text).status_code in (200, 422)


# -- duplicates and late bricks --------------------------------------------------------------------------------------


def test_a_brick_sent_twice_is_applied_once(own_desk: DeskProcess) -> None:
    alerts = own_desk.tradingview()
    assert "duplicate" not in alerts.brick(6, "green", bar_id="one").json()
    before = own_desk.operator().state()
    again = alerts.brick(6, "green", bar_id="one")
    assert (again.status_code, again.json()["duplicate"]) == (200, True)
    assert without_the_clock(own_desk.operator().state()) == without_the_clock(before)
    assert "duplicate" not in alerts.brick(6, "red", bar_id="one").json()
    assert "duplicate" not in alerts.brick(4, "green", bar_id="one").json()
    assert "duplicate" not in alerts.brick(6, "green", bar_id="one", asset="NQ").json()
    assert alerts.brick(6, "green", bar_id="one").json()["duplicate"] is True


def test_without_name_and_time_every_post_is_a_new_brick(desk: DeskProcess) -> None:
    answers = [desk.tradingview().brick(6, "green").json() for _ in range(3)]
    assert not any("duplicate" in answer for answer in answers)


def test_a_duplicate_is_one_of_the_last_256(own_desk: DeskProcess) -> None:
    alerts = own_desk.tradingview()
    for number in range(257):
        alerts.brick(2.5, "green", bar_id=f"brick {number}")
    assert alerts.brick(2.5, "green", bar_id="brick 1").json().get("duplicate") is True
    assert "duplicate" not in alerts.brick(2.5, "green", bar_id="brick 0").json()


def test_duplicates_are_known_after_a_restart(own_desk: DeskProcess) -> None:
    own_desk.tradingview().brick(6, "green", bar_id="one")
    own_desk.restart()
    assert own_desk.tradingview().brick(6, "green", bar_id="one").json()["duplicate"] is True


@pytest.mark.parametrize("field", ["bar_ts", "time", "bar_id"])
def test_a_late_brick_is_journaled_and_changes_nothing(own_desk: DeskProcess, field: str) -> None:
    alerts, operator = own_desk.tradingview(), own_desk.operator()
    now = datetime.now(UTC)
    alerts.brick(6, "green", **{field: now.isoformat()})
    before, rows = operator.state(), own_desk.rows("SELECT max(sequence) FROM journal")[0][0]
    late = alerts.brick(6, "red", **{field: (now - timedelta(seconds=1)).isoformat()})
    assert (late.status_code, late.json()["stale"]) == (200, True)
    assert without_the_clock(operator.state()) == without_the_clock(before)
    [(events,)] = own_desk.rows(
        "SELECT CAST(events AS TEXT) FROM journal WHERE sequence > ? AND kind = 'CloseBrick'", rows
    )
    assert "LateBrickIgnored" in events
    same_time = alerts.brick(6, "red", **{field: now.isoformat()})
    assert "stale" not in same_time.json()
    assert operator.asset()["main_renko_color"] == "red"


# -- never a redirect ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("form", ["{}/", "/{}", "//{}", "{}//", "/.{}", "{}?a=b", "{}%2f"])
def test_no_path_is_ever_redirected(desk: DeskProcess, path: str, form: str) -> None:
    answer = desk.tradingview().post(form.format(path), data=a_body())
    assert answer.status_code in (200, 404)
    assert "Location" not in answer.headers
    if answer.status_code == 404:
        error_of(answer, 404)


@pytest.mark.parametrize("method", ["GET", "PUT", "PATCH", "DELETE", "HEAD"])
@pytest.mark.parametrize("path", PATHS)
def test_a_wrong_method_is_said(desk: DeskProcess, path: str, method: str) -> None:
    answer = desk.stranger().request(method, path)
    assert answer.status_code == 405
    if method != "HEAD":
        error_of(answer, 405)


def test_a_wrong_method_names_the_right_one(desk: DeskProcess) -> None:
    assert "POST" in desk.stranger().get("/tv_renko").headers.get("Allow", "")


# -- callers that stay on the line ------------------------------------------------------------------------------------


def test_a_caller_who_does_not_hang_up_holds_up_no_webhook(own_desk: DeskProcess) -> None:
    alerts = own_desk.tradingview()
    alerts.brick(6, "green")
    with socket.create_connection(("127.0.0.1", own_desk.port)) as stays:
        stays.sendall(b"GET /login HTTP/1.0\r\n\r\n")
        assert stays.recv(16)
        slowest, ends_at, watch = 0.0, time.monotonic() + 1, Stopwatch(own_desk.process)
        while time.monotonic() < ends_at:
            watch.restart()
            alerts.brick(6, "green")
            slowest = max(slowest, watch.seconds)
    assert slowest < 1


# -- a store that cannot commit --------------------------------------------------------------------------------------


def test_a_locked_store_refuses_changes_nothing_and_comes_back(own_desk: DeskProcess) -> None:
    alerts, operator = own_desk.tradingview(), own_desk.operator()
    alerts.opens_the_ladder()
    before, head = operator.state(), own_desk.rows("SELECT sequence, version FROM desk")
    with own_desk.locked_store():
        brick = alerts.brick(8, "red")
        assert "NOT STORED" in error_of(brick, 503)
        assert (brick.json()["code"], brick.json()["title"]) == ("store_down", "NOT STORED")
        assert brick.json()["detail"].startswith("nothing was changed: ")
        assert int(brick.headers["Retry-After"]) > 0
        during = operator.state()
        assert during["global"]["store"] == "down"
        assert without_the_clock(during)["assets"] == without_the_clock(before)["assets"]
        error_of(operator.enters(), 503)
        assert operator.state()["orders"] == []
    assert own_desk.rows("SELECT sequence, version FROM desk") == head
    assert alerts.brick(8, "red").status_code == 200
    after = operator.state()
    assert after["global"]["store"] == "up"
    assert after["assets"]["ES"]["high_renko_color"] == "red"


def test_what_was_refused_is_not_taken_for_a_duplicate(own_desk: DeskProcess) -> None:
    alerts = own_desk.tradingview()
    with own_desk.locked_store():
        error_of(alerts.brick(6, "green", bar_id="one"), 503)
        error_of(alerts.sends("/tv_renko", asset="DAX", color="green"), 503)
    again = alerts.brick(6, "green", bar_id="one")
    assert again.status_code == 200
    assert "duplicate" not in again.json()


def test_a_refusal_comes_before_tradingview_hangs_up(own_desk: DeskProcess) -> None:
    def sends_after(delay: float) -> float:
        time.sleep(delay)
        watch = Stopwatch(own_desk.process)
        error_of(own_desk.tradingview().brick(6, "green"), 503)
        return watch.seconds

    with own_desk.locked_store(), ThreadPoolExecutor(4) as alerts:
        waits = list(alerts.map(sends_after, (0, 0.1, 0.2, 0.3)))
    assert max(waits) < 2.8


def test_a_store_that_came_back_is_seen_without_another_command(own_desk: DeskProcess) -> None:
    operator = own_desk.operator()
    with own_desk.locked_store():
        error_of(own_desk.tradingview().brick(6, "green"), 503)
    eventually(lambda: operator.state()["global"]["store"] == "up")
