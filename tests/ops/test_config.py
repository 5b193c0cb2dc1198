"""Settings: every faulty one is named in one sentence, and no secret is anybody's default."""

import time
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from argon2 import PasswordHasher
from werkzeug.security import generate_password_hash

from services.engine.rules.costs import per_side
from services.ops.config import Config, ConfigError
from services.ops.logs import secrets_of
from tests.support.desk_process import BRIDGE_SECRET, FLASK_KEY, PASSWORD, PATIENCE_SECONDS, TV_SECRET, DeskProcess

SECRETS = {"TV_WEBHOOK_SECRET": TV_SECRET, "BRIDGE_HEARTBEAT_SECRET": BRIDGE_SECRET, "FLASK_SECRET_KEY": FLASK_KEY}
NOON = datetime(2026, 11, 20, 17, 0, tzinfo=UTC)


def config(**settings: Any) -> Config:
    return Config.from_env({**SECRETS, **settings})


def complaint(**settings: Any) -> str:
    """Return the sentence with which these settings are refused."""
    with pytest.raises(ConfigError) as refusal:
        config(**settings)
    sentence = str(refusal.value)
    assert "\n" not in sentence
    return sentence


def test_with_secrets_alone_the_rules_are_those_of_the_spec() -> None:
    desk = config()
    rules = desk.rules_at(NOON)
    assert (desk.assets, desk.store, desk.trusted_proxies, desk.is_open) == (("ES",), "sqlite", 0, True)
    assert (rules.cooldown_seconds, rules.candle_seconds, rules.entry_ttl_seconds) == (180, 300, 30)
    assert (rules.heartbeat_max_age_seconds, rules.max_trades_per_day) == (600, 6)
    assert rules.daily_stop_limit_pct == 2
    assert (rules.entry_qty("6pt"), rules.entry_qty("9pt"), rules.scale_in_qty) == (5, 3, 5)
    assert (rules.stop_points, rules.points_tp_target, rules.two_half_filter, rules.day_roll) == (
        Decimal(15),
        Decimal(15),
        False,
        "18:00",
    )
    assert (rules.contracts["ES"].symbol, rules.contracts["ES"].point_value) == ("MESZ6", Decimal(5))


def test_the_service_secret_may_be_missing_and_opens_nothing_else() -> None:
    assert (config().service_secret, config(SERVICE_SECRET="of-feeds-alone").service_secret) == (None, "of-feeds-alone")
    for other in (TV_SECRET, BRIDGE_SECRET, FLASK_KEY):
        assert "SERVICE_SECRET must be" in complaint(SERVICE_SECRET=other)
        assert "SERVICE_SECRET must be" in complaint(SERVICE_SECRET="of-feeds-alone", SERVICE_SECRET_PREVIOUS=other)
    assert "SERVICE_SECRET must be" in complaint(SERVICE_SECRET=PASSWORD, DASHBOARD_PASSWORD=PASSWORD)
    assert "SERVICE_SECRET must be" in complaint(SERVICE_SECRET="one-of-two", METRICS_TOKEN="one-of-two")
    for weak in ("changeme", "short"):
        assert "SERVICE_SECRET must be 8 characters" in complaint(SERVICE_SECRET=weak)
    hidden = secrets_of(config(SERVICE_SECRET="of-feeds-alone", SERVICE_SECRET_PREVIOUS="of-feeds-before"))
    assert {"of-feeds-alone", "of-feeds-before"} <= {*hidden}


def test_settings_are_taken() -> None:
    desk = config(
        ASSETS=" es, NQ ,ES",
        CONTRACT_SIZE="full",
        COOLDOWN_SECONDS="60",
        CANDLE_SECONDS="900",
        DAILY_STOP_LIMIT_PCT="1.5",
        TWO_HALF_FILTER="yes",
        TRADING_DAY_ROLL="17:00",
        DASHBOARD_PASSWORD=PASSWORD,
    )
    rules = desk.rules_at(NOON)
    assert (desk.assets, desk.is_open) == (("ES", "NQ"), False)
    assert (rules.contracts["NQ"].symbol, rules.contracts["NQ"].point_value) == ("NQZ6", Decimal(20))
    assert (rules.cooldown_seconds, rules.candle_seconds, rules.daily_stop_limit_pct) == (60, 900, Decimal("1.5"))
    assert (rules.two_half_filter, rules.day_roll) == (True, "17:00")


def test_a_pinned_contract_keeps_its_own_money() -> None:
    rules = config(ASSETS="ES,NQ", CONTRACTS="es=mesm6, NQ=NQM6").rules_at(NOON)
    assert (rules.contracts["ES"].symbol, rules.contracts["ES"].point_value) == ("MESM6", Decimal(5))
    assert (rules.contracts["NQ"].symbol, rules.contracts["NQ"].point_value) == ("NQM6", Decimal(20))


# -- secrets ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", SECRETS)
@pytest.mark.parametrize(
    "value", ["", "   ", "short", "changeme", "change-me", "CHANGEME", "password", "placeholder", "your-secret"]
)
def test_no_default_secret_is_accepted(name: str, value: str) -> None:
    assert name in complaint(**{name: value})


def test_every_missing_secret_is_named_at_once() -> None:
    with pytest.raises(ConfigError) as refusal:
        Config.from_env({})
    assert all(name in str(refusal.value) for name in SECRETS)


def test_a_refused_secret_is_not_repeated() -> None:
    assert "hunter2" not in complaint(TV_WEBHOOK_SECRET="hunter2")


@pytest.mark.parametrize("value", ["changeme", "password", "x"])
def test_no_default_password_is_accepted(value: str) -> None:
    assert "DASHBOARD_PASSWORD" in complaint(DASHBOARD_PASSWORD=value)


@pytest.mark.parametrize("value", ["plain words", "$argon2id$broken", "pbkdf2:nosuch:1$salt$00", "md5$salt$00"])
def test_a_hash_that_is_none_is_refused(value: str) -> None:
    assert "DASHBOARD_PASSWORD_HASH" in complaint(DASHBOARD_PASSWORD_HASH=value)


@pytest.mark.parametrize(
    ("hashed", "mebibytes"),
    [
        (f"$argon2id$v=19$m={512 * 1024},t=3,p=4$c2FsdHNhbHQ$aGFzaGhhc2hoYXNoaGFzaA", "512"),
        ("scrypt:262144:8:1$salt$00", "256"),
    ],
)
def test_a_hash_that_takes_too_much_memory_is_refused(hashed: str, mebibytes: str) -> None:
    said = complaint(DASHBOARD_PASSWORD_HASH=hashed)
    assert f"DASHBOARD_PASSWORD_HASH needs {mebibytes} MiB" in said
    assert "at most 128" in said


def test_usual_hashes_are_accepted() -> None:
    for hashed in (PasswordHasher().hash("a password"), generate_password_hash("a password")):
        assert config(DASHBOARD_PASSWORD="", DASHBOARD_PASSWORD_HASH=hashed).dashboard_password_hash == hashed


def test_firestore_needs_a_project_and_takes_a_key_and_an_emulator() -> None:
    assert "GOOGLE_CLOUD_PROJECT is not set" in complaint(STORE="firestore")
    key = '{"type": "service_account"}'
    desk = config(
        STORE="firestore",
        GOOGLE_CLOUD_PROJECT="my-desk-1",
        GOOGLE_CLOUD_CREDENTIALS=key,
        FIRESTORE_EMULATOR_HOST="127.0.0.1:8790",
    )
    assert (desk.store, desk.google_cloud_project, desk.google_cloud_credentials) == ("firestore", "my-desk-1", key)
    assert desk.firestore_emulator_host == "127.0.0.1:8790"
    assert key in secrets_of(desk)
    bare = config(STORE="firestore", GOOGLE_CLOUD_PROJECT="example.com:desk")
    assert (bare.google_cloud_credentials, bare.firestore_emulator_host) == (None, None)


def test_a_refused_key_is_not_repeated() -> None:
    sentence = complaint(GOOGLE_CLOUD_CREDENTIALS='{"private_key": "hunter2"')
    assert "GOOGLE_CLOUD_CREDENTIALS" in sentence
    assert "hunter2" not in sentence


def test_two_doors_never_share_one_secret() -> None:
    assert "BRIDGE_HEARTBEAT_SECRET" in complaint(BRIDGE_HEARTBEAT_SECRET=TV_SECRET)


# -- everything else -------------------------------------------------------------------------------------------------

FAULTS = {
    "ASSETS": ("DAX", "ES,DAX", ",", "ES;NQ", "'; DROP", "BTCUSD", "ES,ETHUSD"),
    "CONTRACT_SIZE": ("mini", "MICRO"),
    "CONTRACTS": ("ES", "ES=", "=MESM6", "NQ=MNQM6", "ES=MES M6", "ES=../x"),
    "STORE": ("postgres", "SQLITE", "Firestore"),
    "GOOGLE_CLOUD_PROJECT": ("My Desk", "x", "desk/1", "-desk", "projects/desk-1"),
    "GOOGLE_CLOUD_CREDENTIALS": ("{", "key.json", "[]", "7", '"text"'),
    "FIRESTORE_EMULATOR_HOST": ("localhost", "http://localhost:8790", "127.0.0.1:", ":8790", "a b:1"),
    "TRUSTED_PROXIES": ("-1", "10", "one", "1.5"),
    "LOG_LEVEL": ("LOUD",),
    "CANDLE_SECONDS": ("0", "-300", "7", "3601", "five", "300.0", "1e2", "NaN"),
    "COOLDOWN_SECONDS": ("-1", "86401", "long"),
    "ENTRY_TTL_SECONDS": ("0", "601", """ """ + "x"),
    "HEARTBEAT_MAX_AGE_SECONDS": ("0", "86401"),
    "MAX_TRADES_PER_DAY": ("0", "10001", "many"),
    "DAILY_STOP_LIMIT_PCT": ("0", "-1", "100.1", "NaN", "sNaN", "Infinity", "two", "2%"),
    "ENTRY_QTY_6PT": ("0", "1001", "2.5"),
    "ENTRY_QTY_9PT": ("0", "x"),
    "SCALE_IN_QTY": ("0", "x"),
    "STOP_POINTS": ("0", "-15", "1001", "NaN", "0.99"),
    "POINTS_TP_TARGET": ("0", "200.1", "NaN", "-inf"),
    "TWO_HALF_FILTER": ("on", "2", "maybe"),
    "TRADING_DAY_ROLL": ("24:00", "18", "6pm", "18:00:00", "02:30", "01:00", "-1:00"),
}


@pytest.mark.parametrize(("name", "value"), [(name, value) for name, values in FAULTS.items() for value in values])
def test_a_faulty_setting_is_named(name: str, value: str) -> None:
    assert name in complaint(**{name: value})


def test_every_fault_is_named_at_once() -> None:
    sentence = complaint(CANDLE_SECONDS="7", STOP_POINTS="none", TV_WEBHOOK_SECRET="")
    assert all(name in sentence for name in ("CANDLE_SECONDS", "STOP_POINTS", "TV_WEBHOOK_SECRET"))


@pytest.mark.parametrize(
    ("assets", "least"),
    [("ES", "1"), ("RTY", "0.667"), ("ES,YM", "1"), ("YM", "0.5"), ("CL", "2"), ("EURUSD", "0.4"), ("GC", "0.5")],
)
def test_a_stop_is_four_ticks_of_every_asset_at_least(assets: str, least: str) -> None:
    assert config(ASSETS=assets, STOP_POINTS=least).rules.stop_points == Decimal(least)
    assert "STOP_POINTS" in complaint(ASSETS=assets, STOP_POINTS=str(Decimal(least) - Decimal("0.001")))


@pytest.mark.parametrize("asset", ["BTCUSD", "ETHUSD"])
def test_an_asset_without_trading_is_refused_with_its_reason(asset: str) -> None:
    assert f"ASSETS: {asset} is known for its data only" in complaint(ASSETS=f"ES,{asset}")


@pytest.mark.parametrize(
    "pair",
    ["ES=MNQM6", "ES=FOO", "ES=NQZ6", "ES=MES", "ES=ES1!", "ES=/MES", "ES=MES=F", "ES=NYSE:ESZ6", "ES=", "NQ=NQZ6"],
)
def test_a_pinned_contract_must_be_one_of_the_asset(pair: str) -> None:
    assert "CONTRACTS" in complaint(CONTRACTS=pair)


@pytest.mark.parametrize("spelling", ["MESZ6", "MESZ26", "mesz2026", "CME:MESZ6", "MES 12-26", "/MESZ26"])
def test_a_pinned_contract_is_kept_under_its_own_name(spelling: str) -> None:
    contract = config(ASSETS="ES", CONTRACTS=f"ES={spelling}").rules_at(NOON).contracts["ES"]
    assert contract.symbol == "MESZ6"
    assert contract.point_value == 5


# -- the start of a real desk ----------------------------------------------------------------------------------------


def words_of_a_start(folder: Path, **settings: Any) -> tuple[int | None, str]:
    """Start a desk that cannot; return its exit status (None: it never gave up) and what it said."""
    desk = DeskProcess(folder, **settings)
    process = desk.spawn()
    deadline = time.monotonic() + PATIENCE_SECONDS
    while process.poll() is None and time.monotonic() < deadline and desk.log().count("Booting worker") < 3:
        time.sleep(0.05)
    status = process.poll()
    desk.kill()
    return status, desk.log()


@pytest.mark.processes
def test_without_secrets_the_desk_says_one_sentence(tmp_path: Path) -> None:
    _, words = words_of_a_start(tmp_path, **dict.fromkeys(SECRETS, ""))
    assert "Traceback" not in words
    sentence = next(line for line in words.splitlines() if "cannot start" in line)
    assert all(name in sentence for name in SECRETS)
    assert not (tmp_path / "desk.sqlite").exists()


@pytest.mark.processes
def test_without_secrets_the_desk_does_not_start_again_and_again(tmp_path: Path) -> None:
    status, words = words_of_a_start(tmp_path, **dict.fromkeys(SECRETS, ""))
    assert status not in (0, None)
    assert words.count("cannot start") == 1


def test_every_asset_has_a_unit_of_its_own_that_may_be_set() -> None:
    assert units_of(config(ASSETS="ES,NQ,CL")) == {"ES": Decimal(1), "NQ": Decimal(4), "CL": Decimal("0.02")}
    assert units_of(config(ASSETS="ES,NQ", POINT_UNIT_NQ="2.5", POINT_UNIT_CL="0.04")) == {
        "ES": Decimal(1),
        "NQ": Decimal("2.5"),
    }
    pinned = config(ASSETS="NQ", CONTRACTS="NQ=NQZ6", POINT_UNIT_NQ="2")
    assert units_of(pinned) == {"NQ": Decimal(2)}


def units_of(desk: Config) -> dict[str, Decimal]:
    return {asset: contract.point for asset, contract in desk.rules_at(NOON).contracts.items()}


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({"POINT_UNIT_ES": "0.25"}, "POINT_UNIT_ES was 0.25, half of it must be a whole number of ES's ticks of 0.25"),
        ({"POINT_UNIT_ES": "one"}, "POINT_UNIT_ES was 'one', it must be a number"),
        ({"POINT_UNIT_ES": "0,5"}, "POINT_UNIT_ES was '0,5', it must be a number"),
        ({"POINT_UNIT_ES": "0"}, "POINT_UNIT_ES was 0, it must be above 0"),
        ({"POINT_UNIT_CL": "0.01"}, "POINT_UNIT_CL was 0.01, half of it"),  # also where it is not traded now
        ({"POINT_UNIT_NG": "1"}, "POINT_UNIT_NG names no asset that can be traded"),
        ({"POINT_UNIT_BTCUSD": "1"}, "POINT_UNIT_BTCUSD names no asset that can be traded"),
        ({"POINT_UNIT_es": "1"}, "POINT_UNIT_es names no asset that can be traded"),
    ],
)
def test_a_unit_that_cannot_be_is_refused_by_its_name(settings: dict[str, str], sentence: str) -> None:
    assert sentence in complaint(**settings)


def test_a_commission_is_set_by_product_and_is_unknown_elsewhere() -> None:
    rules = config(ASSETS="ES,XAUUSD", COMMISSION_MES="0.62", COMMISSION_XAUUSD="0").rules_at(NOON)
    assert rules.commissions == {"MES": Decimal("0.62"), "XAUUSD": Decimal(0)}
    assert per_side(rules, rules.contracts["ES"]) == Decimal("0.62")
    assert per_side(rules, rules.contracts["XAUUSD"]) == 0
    full = config(ASSETS="ES", CONTRACT_SIZE="full", COMMISSION_MES="0.62").rules_at(NOON)
    assert per_side(full, full.contracts["ES"]) is None


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({"COMMISSION_MES": "-0.62"}, "COMMISSION_MES was '-0.62', it must be a number"),
        ({"COMMISSION_MES": "0,62"}, "COMMISSION_MES was '0,62', it must be a number"),
        ({"COMMISSION_MES": "NaN"}, "COMMISSION_MES was 'NaN', it must be a number"),
        ({"COMMISSION_AAPL": "1"}, "COMMISSION_AAPL names no product that can be traded"),
        ({"COMMISSION_BTCUSD": "1"}, "COMMISSION_BTCUSD names no product that can be traded"),
    ],
)
def test_a_commission_that_cannot_be_is_refused_by_its_name(settings: dict[str, str], sentence: str) -> None:
    assert sentence in complaint(**settings)


def test_tradingview_builds_the_bricks_unless_the_desk_is_asked_to() -> None:
    assert config(ASSETS="ES,NQ,YM").rules.bricks_by_desk == ()
    assert config(ASSETS="ES,NQ,YM", BRICKS="desk").rules.bricks_by_desk == ("ES", "NQ", "YM")
    assert config(ASSETS="ES,NQ,YM", BRICKS="desk", BRICKS_NQ="tradingview").rules.bricks_by_desk == ("ES", "YM")
    assert config(ASSETS="ES,NQ", BRICKS_NQ="desk", BRICKS_YM="desk").rules.bricks_by_desk == ("NQ",)


def test_a_builder_of_bricks_that_nobody_knows_stops_the_start() -> None:
    assert "BRICKS was 'desks', it must be one of tradingview, desk" in complaint(BRICKS="desks")
    assert "BRICKS_ES was 'Desk', it must be one of" in complaint(BRICKS_ES="Desk")
    assert "BRICKS_EZ names no asset: known are ES, NQ" in complaint(BRICKS_EZ="desk")
    assert "BRICKS_BTCUSD names no asset" in complaint(BRICKS_BTCUSD="desk")
