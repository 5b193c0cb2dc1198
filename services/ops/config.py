"""The settings of web: read once at the start, typed, and refused in one sentence when any is wrong.

Only this module of web reads the environment. ``settings_table`` lists names, defaults and meanings.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping
from datetime import UTC, date, datetime
from pathlib import Path
from types import MappingProxyType
from typing import Literal, cast

from dotenv import dotenv_values
from msgspec import Struct
from msgspec.structs import replace

from services.engine.model.firm import Firm
from services.engine.model.settings import Rules
from services.engine.rules.limits import SMALLEST_STOP_TICKS, smallest_stop
from services.market.contract_dates import dates_of
from services.market.instruments import (
    INSTRUMENTS,
    DataOnly,
    UnknownInstrument,
    contract_for,
    contract_named,
    resolve_asset,
)
from services.market.session import trade_date
from services.notifications.kinds import Notifying, chosen_kinds
from services.ops.beside_settings import address_of
from services.ops.cap_settings import caps_of
from services.ops.commission_settings import commissions_of
from services.ops.firm_profiles import ProfileError, firm_named
from services.ops.host_settings import allowed_hosts, cors_origins
from services.ops.news_file import NewsUnreadable, read_news
from services.ops.notify_settings import notify_kinds, notify_urls
from services.ops.opened_stores import folder_of_opened
from services.ops.settings_reader import Settings, bricks_by_desk, rules_of
from services.ops.unit_settings import units_of
from services.ops.watchdog import Supervisor
from wire.places import NoPlace, place_of
from wire.types import Contract, Price

PROJECT = Path(__file__).resolve().parent.parent.parent
ENV_FILE = PROJECT / ".env"
EARLIER_DATABASE = PROJECT / "var" / "lockstep.sqlite"  # the default place before databases lay outside the checkout
GENERATED = ("SERVICE_SECRET",)  # may be missing; `flask desk init` adds them to a .env of before
SECRETS = ("TV_WEBHOOK_SECRET", "BRIDGE_HEARTBEAT_SECRET", "FLASK_SECRET_KEY")
PROJECT_ID = re.compile(r"[a-z0-9][a-z0-9.:-]{1,61}[a-z0-9]")  # "example.com:desk" is an old kind that still exists
HOST = re.compile(r"[\w.-]+")
HOST_AND_PORT = re.compile(r"[\w.-]+:\d{1,5}")
EVERYWHERE = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - where web listens: where it is reached from here


class ConfigError(Exception):
    """A setting is missing or wrong; the sentence names it and says which values are allowed."""


class Config(Struct, frozen=True):
    """Every setting of web, checked.

    ``opened_folder`` is where this machine keeps which stores it has opened; None where nothing is kept.
    """

    tv_webhook_secret: str
    bridge_secret: str
    flask_secret_key: str
    assets: tuple[str, ...]
    rules: Rules
    contract_size: Literal["micro", "full"] = "micro"
    pinned_contracts: Mapping[str, str] = MappingProxyType({})
    units: Mapping[str, Price] = MappingProxyType({})
    dashboard_password: str | None = None
    dashboard_password_hash: str | None = None
    tv_webhook_secret_previous: str | None = None
    bridge_secret_previous: str | None = None
    metrics_token: str | None = None
    service_secret: str | None = None
    service_secret_previous: str | None = None
    store: str = "sqlite"
    sqlite_path: Path = EARLIER_DATABASE
    google_cloud_project: str | None = None
    google_cloud_credentials: str | None = None
    firestore_emulator_host: str | None = None
    trusted_proxies: int = 0
    allowed_hosts: tuple[str, ...] = ()
    cors_origins: frozenset[str] = frozenset()
    log_level: str = "INFO"
    notify_urls: tuple[str, ...] = ()
    notify_kinds: frozenset[str] = chosen_kinds("")
    news_file: Path | None = None
    feeds_url: str | None = "http://127.0.0.1:8765"
    advisor_url: str | None = "http://127.0.0.1:8002"
    agent_url: str | None = "http://127.0.0.1:8003"
    opened_folder: Path | None = None

    @classmethod
    def from_env(cls, environ: Mapping[str, str] | None = None) -> Config:
        """Read the environment; without an argument that of the process, which takes precedence over ``.env``.

        Raises ConfigError with one sentence that names every missing or wrong setting.
        """
        if environ is not None:
            return _read(Settings(environ))
        settings = Settings({**_dotenv(), **os.environ})
        return replace(_read(settings), opened_folder=_opened_folder(settings))

    @property
    def is_open(self) -> bool:
        """Whether no password is set: then every visitor is the operator, and the desk trades DEMO only (SPEC 8.5)."""
        return self.dashboard_password is None and self.dashboard_password_hash is None

    @property
    def notifying(self) -> Notifying | None:
        """Which notices are queued and for how many targets; None without a target."""
        return Notifying(self.notify_kinds, len(self.notify_urls)) if self.notify_urls else None

    def rules_on(self, day: date) -> Rules:
        """Return the rules with the contracts to trade on that day."""
        contracts = {asset: self._contract(asset, day) for asset in self.assets}
        return replace(self.rules, contracts=contracts)

    def rules_at(self, now: datetime) -> Rules:
        """Return the rules with the contracts of the trading day that ``now`` lies in."""
        return self.rules_on(trade_date(now))

    def _contract(self, asset: str, day: date) -> Contract:
        pinned, unit = self.pinned_contracts.get(asset), self.units.get(asset)
        if pinned is None:
            contract = contract_for(asset, day, self.contract_size, unit)
        else:
            micro = INSTRUMENTS[asset].micro
            size: Literal["micro", "full"] = "micro" if micro and pinned.startswith(micro.root) else "full"
            contract = replace(contract_for(asset, day, size, unit), symbol=pinned)
        return replace(contract, dates=dates_of(asset, contract.symbol, day))


def supervisor() -> Supervisor | None:
    """Return where systemd waits for reports, None where it does not."""
    where = os.environ.get("NOTIFY_SOCKET")
    if not where:
        return None
    settings = Settings({**_dotenv(), **os.environ})
    host = settings.text("HOST", "0.0.0.0")  # noqa: S104 - the default of gunicorn.conf.py
    own = EVERYWHERE.get(host, host)
    port = settings.text("PORT", "8000")
    return Supervisor(where, f"http://[{own}]:{port}/healthz" if ":" in own else f"http://{own}:{port}/healthz")


def _dotenv() -> dict[str, str]:
    values = dotenv_values(ENV_FILE)
    return {name: value for name, value in values.items() if value is not None}


def _read(settings: Settings) -> Config:
    tv_secret, bridge_secret, flask_key = (settings.secret(name) for name in SECRETS)
    size = cast(Literal["micro", "full"], settings.one_of("CONTRACT_SIZE", "micro", ("micro", "full")))
    assets = _assets(settings)
    config = Config(
        tv_webhook_secret=tv_secret,
        bridge_secret=bridge_secret,
        flask_secret_key=flask_key,
        assets=assets,
        rules=_rules(settings, assets),
        contract_size=size,
        pinned_contracts=_pinned_contracts(settings, assets),
        units=units_of(settings),
        dashboard_password=settings.password("DASHBOARD_PASSWORD"),
        dashboard_password_hash=settings.password_hash("DASHBOARD_PASSWORD_HASH"),
        tv_webhook_secret_previous=settings.password("TV_WEBHOOK_SECRET_PREVIOUS"),
        bridge_secret_previous=settings.password("BRIDGE_HEARTBEAT_SECRET_PREVIOUS"),
        metrics_token=_metrics_token(settings, (tv_secret, bridge_secret, flask_key)),
        service_secret=settings.password("SERVICE_SECRET"),
        service_secret_previous=settings.password("SERVICE_SECRET_PREVIOUS"),
        store=settings.one_of("STORE", "sqlite", ("sqlite", "firestore")),
        sqlite_path=_sqlite_path(settings),
        google_cloud_project=_google_cloud_project(settings),
        google_cloud_credentials=_google_cloud_credentials(settings),
        firestore_emulator_host=_emulator_host(settings),
        trusted_proxies=settings.number("TRUSTED_PROXIES", 0, 0, 9),
        allowed_hosts=allowed_hosts(settings),
        cors_origins=cors_origins(settings),
        log_level=settings.one_of("LOG_LEVEL", "INFO", ("DEBUG", "INFO", "WARNING", "ERROR")),
        notify_urls=notify_urls(settings),
        notify_kinds=notify_kinds(settings),
        news_file=_news_file(settings),
        feeds_url=address_of(settings, "FEEDS_URL", "FEEDS_PORT", 8765),
        advisor_url=address_of(settings, "ADVISOR_URL", "ML_PORT", 8002),
        agent_url=address_of(settings, "AGENT_URL", "AGENT_PORT", 8003),
    )
    _refuse_shared_secret(config, settings)
    _refuse_shared_service_secret(config, settings)
    _refuse_tight_stop(config, settings)
    if settings.faults:
        hint = "`.venv/bin/flask desk init` writes a .env with generated secrets"
        raise ConfigError(f"Lockstep cannot start: {'; '.join(settings.faults)}. ({hint}; all settings: .env.example)")
    return config


def _rules(settings: Settings, assets: tuple[str, ...]) -> Rules:
    built = bricks_by_desk(settings, assets)
    return replace(
        rules_of(settings),
        bricks_by_desk=built,
        commissions=commissions_of(settings),
        max_contracts_by_asset=caps_of(settings),
        firm=_firm(settings),
    )


def _firm(settings: Settings) -> Firm | None:
    """Read ``FIRM``: a file of ``firms`` and an account in it."""
    setting = settings.optional("FIRM")
    try:
        return None if setting is None else firm_named(setting)
    except ProfileError as error:
        settings.faults.append(f"FIRM: {error}")
        return None


def _news_file(settings: Settings) -> Path | None:
    """Return the news file; one that cannot be read refuses the start."""
    name = settings.optional("NEWS_FILE")
    if name is None:
        return None
    path = Path(name).expanduser()
    try:
        read_news(path)
    except NewsUnreadable as error:
        settings.faults.append(f"NEWS_FILE: {error}")
    return path


def _sqlite_path(settings: Settings) -> Path:
    if settings.optional("SQLITE_PATH") or settings.text("STORE") == "firestore":
        return Path(settings.text("SQLITE_PATH"))
    try:
        return place_of("lockstep.sqlite", EARLIER_DATABASE, PROJECT, settings.text("XDG_STATE_HOME"))
    except NoPlace as error:
        settings.faults.append(f"SQLITE_PATH is not set, and {error}")
        return EARLIER_DATABASE


def _opened_folder(settings: Settings) -> Path:
    """Return where this machine keeps what it has opened. Raises ConfigError."""
    try:
        return folder_of_opened(PROJECT, settings.text("XDG_STATE_HOME"))
    except NoPlace as error:
        raise ConfigError(f"Lockstep cannot start: XDG_STATE_HOME is not set, and {error}") from error


def _refuse_tight_stop(config: Config, settings: Settings) -> None:
    least = smallest_stop(config.rules_on(datetime.now(UTC).date()).contracts.values())
    stop = config.rules.stop_points
    if stop.is_finite() and 0 < stop < least:  # what is no number is a fault already
        ticks = f"{SMALLEST_STOP_TICKS} ticks of every asset"
        settings.faults.append(f"STOP_POINTS was {stop}, it must be at least {least:f} ({ticks})")


def _google_cloud_project(settings: Settings) -> str | None:
    project = settings.optional("GOOGLE_CLOUD_PROJECT")
    if project is None and settings.text("STORE") == "firestore":
        settings.faults.append("GOOGLE_CLOUD_PROJECT is not set, STORE=firestore needs it")
    elif project is not None and not PROJECT_ID.fullmatch(project):
        settings.faults.append(f"GOOGLE_CLOUD_PROJECT was {project!r}, it must be a project's id such as my-desk-1")
    return project


def _google_cloud_credentials(settings: Settings) -> str | None:
    """Read the JSON text of a service account's key. An error never quotes it."""
    text = settings.optional("GOOGLE_CLOUD_CREDENTIALS")
    try:
        is_key = text is None or isinstance(json.loads(text), dict)
    except ValueError:  # not passed on: its message quotes a part of the key
        is_key = False
    if not is_key:
        settings.faults.append("GOOGLE_CLOUD_CREDENTIALS must be the text of a service account's key, a JSON object")
    return text if is_key else None


def _emulator_host(settings: Settings) -> str | None:
    host = settings.optional("FIRESTORE_EMULATOR_HOST")
    if host is not None and not HOST_AND_PORT.fullmatch(host):
        settings.faults.append(f"FIRESTORE_EMULATOR_HOST was {host!r}, it must look like 127.0.0.1:8790")
    return host


def _refuse_shared_secret(config: Config, settings: Settings) -> None:
    tradingview = {config.tv_webhook_secret, config.tv_webhook_secret_previous} - {None, ""}
    if tradingview & {config.bridge_secret, config.bridge_secret_previous}:
        settings.faults.append("TV_WEBHOOK_SECRET must not open the bridge's door: it was BRIDGE_HEARTBEAT_SECRET too")


def _refuse_shared_service_secret(config: Config, settings: Settings) -> None:
    own = {config.service_secret, config.service_secret_previous} - {None, ""}
    webhook = {config.tv_webhook_secret, config.tv_webhook_secret_previous}
    bridge = {config.bridge_secret, config.bridge_secret_previous}
    if own & {*webhook, *bridge, config.flask_secret_key, config.metrics_token, config.dashboard_password}:
        settings.faults.append("SERVICE_SECRET must be the services' alone: it was another secret, too")


def _metrics_token(settings: Settings, others: tuple[str, ...]) -> str | None:
    token = settings.password("METRICS_TOKEN")
    if token and token in others:
        settings.faults.append("METRICS_TOKEN must open nothing but the metrics: it was another secret, too")
    return token


def _assets(settings: Settings) -> tuple[str, ...]:
    names = [name.strip().upper() for name in settings.text("ASSETS", "ES").split(",")]
    try:
        for name in names:
            contract_for(name, datetime.now(UTC).date())
    except (UnknownInstrument, DataOnly) as error:
        settings.faults.append(f"ASSETS: {error}")
        return ()
    return tuple(dict.fromkeys(names))


def _pinned_contracts(settings: Settings, assets: tuple[str, ...]) -> dict[str, str]:
    """Read ``CONTRACTS``, e.g. ``ES=MESM6,NQ=MNQM6``: contracts that replace those of the roll calendar."""
    pinned: dict[str, str] = {}
    for pair in filter(None, (part.strip() for part in settings.text("CONTRACTS").split(","))):
        asset, _, contract = (word.strip().upper() for word in pair.partition("="))
        own_name = _own_name(contract, asset) if asset in assets else None
        if own_name is None:
            settings.faults.append(f"CONTRACTS was {pair!r}, it must look like ES=MESM6: an asset and its contract")
            continue
        pinned[asset] = own_name
    return pinned


def _own_name(symbol: str, asset: str) -> str | None:
    """Return the own name of the asset's one contract that a symbol names in any spelling, None when it names none.

    Snapshots and reports are read under that name, too: orders and positions of one contract must agree.
    """
    named = contract_named(symbol, datetime.now(UTC).date())
    return named.symbol if named is not None and resolve_asset(symbol, [asset]) == asset else None
