"""The table of settings is what web reads, and what README, .env.example and the settings page say."""

from __future__ import annotations

import re
from io import StringIO

import pytest
from dotenv import dotenv_values

from bridge.config import settings_from
from feeds.config import FeedsConfig
from services.engine.model.rule_setting import RuleSetting
from services.engine.model.settings import RULE_SETTINGS, Rules
from services.market.instruments import TRADABLE
from services.ops.commission_settings import PRODUCTS
from services.ops.config import Config
from services.ops.settings_reader import Settings, rules_of
from services.ops.settings_table import (
    EXAMPLE,
    PAGE,
    README,
    SETTINGS,
    env_example,
    renewed_readme,
    settings_page,
)
from tests.support.paths import REPOSITORY

READERS = (
    "services/ops/config.py",
    "services/ops/host_settings.py",
    "services/ops/notify_settings.py",
    "services/ops/settings_reader.py",
    "bridge/config.py",
    "feeds/config.py",
    "feeds/providers/settings.py",
    "sidecar/settings.py",
    "advisor/config.py",
    "advisor/agent/settings.py",
    "advisor/mt4/settings.py",
    "gunicorn.conf.py",
)
A_VARIABLE = re.compile(r"[\"\']([A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+|STORE|BRICKS|HOST|PORT|ASSETS|CONTRACTS|FIRM)[\"\']")
OF_SYSTEMD = {"NOTIFY_SOCKET"}  # systemd sets it for what it starts: nobody else does
DEFAULTS = {row.name: row.default for row in SETTINGS}


def test_the_files_are_current() -> None:
    hint = "run: .venv/bin/flask desk settings"
    assert PAGE.read_text("utf-8") == settings_page(), hint
    assert EXAMPLE.read_text("utf-8") == env_example(), hint
    readme = README.read_text("utf-8")
    assert readme == renewed_readme(readme), hint


def test_a_line_of_the_example_that_is_uncommented_gives_the_default() -> None:
    lines = [line.removeprefix("# ") for line in env_example().splitlines() if re.match(r"# [A-Z_0-9]+=", line)]
    values = dotenv_values(stream=StringIO("\n".join(lines)))
    assert set(values) == set(DEFAULTS)
    assert {name: value for name, value in values.items() if DEFAULTS[name]} == {n: d for n, d in DEFAULTS.items() if d}


def test_every_variable_that_a_program_reads_is_a_row_and_every_row_is_read() -> None:
    read = {name for path in READERS for name in A_VARIABLE.findall((REPOSITORY / path).read_text("utf-8"))}
    read |= {row.variable for row in RULE_SETTINGS if row.variable is not None}
    read |= {f"POINT_UNIT_{asset}" for asset in TRADABLE} | {f"COMMISSION_{product}" for product in PRODUCTS}
    read |= {f"MAX_CONTRACTS_{asset}" for asset in TRADABLE}
    read |= {f"BRICKS_{asset}" for asset in TRADABLE}
    assert read - OF_SYSTEMD == {row.name for row in SETTINGS}


def test_every_rule_but_the_contracts_is_a_row() -> None:
    assert {row.rule for row in RULE_SETTINGS} == set(Rules.__struct_fields__) - {
        "contracts",
        "bricks_by_desk",
        "commissions",
        "max_contracts_by_asset",
        "firm",
    }


def test_without_settings_the_rules_are_the_defaults_that_the_table_shows() -> None:
    settings = Settings({})
    assert (rules_of(settings), settings.faults) == (Rules(contracts={}), [])
    shown = Settings({row.variable: DEFAULTS[row.variable] for row in RULE_SETTINGS if row.variable is not None})
    assert (rules_of(shown), shown.faults) == (Rules(contracts={}), [])


@pytest.mark.parametrize("row", [row for row in RULE_SETTINGS if row.kind == "whole" and row.variable], ids=str)
def test_a_rule_takes_its_range_and_nothing_beyond(row: RuleSetting) -> None:
    for value, is_taken in ((row.low - 1, False), (row.low, True), (row.high, True), (row.high + 1, False)):
        settings = Settings({str(row.variable): str(value)})
        rules_of(settings)
        assert (not settings.faults) is is_taken, f"{row.variable}={value}: {settings.faults}"


def test_without_settings_web_is_set_as_the_table_shows() -> None:
    secrets = dict.fromkeys(("TV_WEBHOOK_SECRET", "FLASK_SECRET_KEY"), "a-secret-of-web") | {
        "BRIDGE_HEARTBEAT_SECRET": "a-secret-of-the-bridge"
    }
    shown = {row.name: row.default for row in SETTINGS if row.default}
    assert Config.from_env(secrets) == Config.from_env(shown | secrets)


def test_the_bridges_defaults_are_those_that_the_table_shows() -> None:
    bridge = settings_from([], {"BRIDGE_HEARTBEAT_SECRET": "a-secret-of-the-desk"})
    assert [bridge.desk_url, bridge.owner] == [DEFAULTS[name] for name in ("LOCKSTEP_URL", "BRIDGE_OWNER")]
    limits = [DEFAULTS[f"BRIDGE_MAX_{name}"] for name in ("ORDER_QTY", "POSITION", "ORDERS_PER_MINUTE")]
    numbers = [name for name in bridge.limits.__dataclass_fields__ if name != "kill_switch"]
    assert [str(getattr(bridge.limits, name)) for name in numbers] == limits
    assert ("yes" if bridge.limits.kill_switch else "no") == DEFAULTS["BRIDGE_KILL_SWITCH"]
    paper = bridge.paper
    assert [str(paper.start_balance), str(paper.slippage_ticks), str(paper.commission)] == [
        DEFAULTS[f"PAPER_{name}"] for name in ("START_BALANCE", "SLIPPAGE_TICKS", "COMMISSION")
    ]


def test_the_feeds_defaults_are_those_that_the_table_shows() -> None:
    feeds = FeedsConfig.from_env({"FEEDS_PATH": "/nowhere"})
    shown = {row.name: row.default for row in SETTINGS if row.group == "feeds" and row.default}
    shown.pop("FEEDS_URL")  # web reads it
    assert FeedsConfig.from_env({"FEEDS_PATH": "/nowhere", **shown}) == feeds
    ports = {
        "FEEDS": feeds.market_port,
        "CONSENSUS": feeds.consensus_port,
        "TELEMETRY": feeds.telemetry_port,
        "JOURNAL": feeds.journal_port,
        "ENGINE": feeds.engine_port,
        "DATA": feeds.data_port,
    }
    assert {name: str(port) for name, port in ports.items()} == {name: shown[f"{name}_PORT"] for name in ports}
