"""The bridge's settings: flags first, then the environment, then ``.env``; a wrong one prevents the start."""

import argparse
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from pathlib import Path
from urllib.parse import urlsplit

from dotenv import dotenv_values

from bridge.limits import HardLimits
from wire.hosts import is_read_on_the_way
from wire.places import NoPlace, place_of

SHORTEST_SECRET = 8
PLACEHOLDERS = frozenset(
    {"changeme", "change-me", "change_me", "secret", "password", "default", "example", "placeholder", "your-secret"}
)

CHECKOUT = Path(__file__).resolve().parent.parent
EARLIER_LEDGER = Path("var/bridge.sqlite")
"""The default ledger of earlier bridges, in the folder in which the bridge is started."""


class SettingsInvalid(Exception):
    """A setting is missing or wrong; the message is one sentence that names it and the reason."""


@dataclass(frozen=True)
class PaperSettings:
    """The paper broker: balance in USD, adverse slippage in ticks, commission in USD per contract and side, tape."""

    start_balance: Decimal
    slippage_ticks: int
    commission: Decimal
    tape: Path | None


@dataclass(frozen=True)
class BridgeSettings:
    """All settings of the bridge. `repr` leaves out the secret, so that no log shows it."""

    broker: str
    desk_url: str
    secret: str = field(repr=False)
    owner: str
    ledger_path: Path
    paper: PaperSettings
    limits: HardLimits


def settings_from(arguments: Sequence[str], environ: Mapping[str, str] | None = None) -> BridgeSettings:
    """Read flags in `arguments` and the environment. Raises `SettingsInvalid`; a wrong flag exits with 2."""
    flags = _flags().parse_args(arguments)
    if environ is None:
        stored = {name: value for name, value in dotenv_values(".env").items() if value is not None}
        environ = {**stored, **os.environ}
    return BridgeSettings(
        broker=flags.broker,
        desk_url=_url(flags.desk_url or environ.get("LOCKSTEP_URL") or "http://127.0.0.1:8000"),
        secret=_secret(environ.get("BRIDGE_HEARTBEAT_SECRET", "")),
        owner=flags.owner or environ.get("BRIDGE_OWNER") or "bridge",
        ledger_path=flags.ledger or _ledger(environ),
        paper=PaperSettings(
            start_balance=_dollars(environ, "PAPER_START_BALANCE", "50000"),
            slippage_ticks=_whole(environ, "PAPER_SLIPPAGE_TICKS", 0, least=0),
            commission=_dollars(environ, "PAPER_COMMISSION", "0"),
            tape=_tape(flags.tape),
        ),
        limits=HardLimits(
            max_order_qty=_whole(environ, "BRIDGE_MAX_ORDER_QTY", 20, least=1),
            max_position=_whole(environ, "BRIDGE_MAX_POSITION", 20, least=1),
            max_orders_per_minute=_whole(environ, "BRIDGE_MAX_ORDERS_PER_MINUTE", 30, least=1),
            kill_switch=_yes_or_no(environ, "BRIDGE_KILL_SWITCH"),
        ),
    )


def _flags() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m bridge", description="Executes the desk's orders.")
    parser.add_argument("--broker", choices=["paper"], default="paper", help="where orders are executed")
    parser.add_argument("--desk-url", metavar="URL", help="address of the desk (LOCKSTEP_URL)")
    parser.add_argument("--owner", metavar="NAME", help="name orders are claimed under (BRIDGE_OWNER)")
    parser.add_argument("--ledger", metavar="FILE", type=Path, help="ledger file (BRIDGE_LEDGER_PATH)")
    parser.add_argument("--tape", metavar="FILE", type=Path, help="prices from a file instead of the desk")
    return parser


def _url(text: str) -> str:
    parts = urlsplit(text)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise SettingsInvalid(f"LOCKSTEP_URL must be an http or https address, was {text!r}.")
    if is_read_on_the_way(text):
        raise SettingsInvalid(
            f"LOCKSTEP_URL must be https for {parts.hostname}: over http everybody on the way reads the secret."
        )
    return text


def _ledger(environ: Mapping[str, str]) -> Path:
    if environ.get("BRIDGE_LEDGER_PATH"):
        return Path(environ["BRIDGE_LEDGER_PATH"])
    try:
        return place_of("bridge.sqlite", EARLIER_LEDGER, CHECKOUT, environ.get("XDG_STATE_HOME", ""))
    except NoPlace as error:
        raise SettingsInvalid(f"BRIDGE_LEDGER_PATH is not set, and {error}.") from error


def _secret(text: str) -> str:
    if not text:
        raise SettingsInvalid("BRIDGE_HEARTBEAT_SECRET is not set: the desk would refuse every call.")
    if text.lower() in PLACEHOLDERS:
        raise SettingsInvalid("BRIDGE_HEARTBEAT_SECRET is still the placeholder: put the desk's secret there.")
    if len(text) < SHORTEST_SECRET or not text.isascii() or not text.isprintable() or text != text.strip():
        raise SettingsInvalid(
            f"BRIDGE_HEARTBEAT_SECRET must be {SHORTEST_SECRET} or more printable ASCII characters"
            " without spaces around them."
        )
    return text


def _dollars(environ: Mapping[str, str], name: str, default: str) -> Decimal:
    text = environ.get(name) or default
    try:
        amount = Decimal(text)
    except InvalidOperation:
        raise SettingsInvalid(f"{name} must be an amount in USD, was {text!r}.") from None
    if not amount.is_finite() or amount < 0:
        raise SettingsInvalid(f"{name} must be an amount of 0 USD or more, was {text!r}.")
    return amount


def _whole(environ: Mapping[str, str], name: str, default: int, *, least: int) -> int:
    text = environ.get(name) or str(default)
    if not (text.isascii() and text.isdigit() and int(text) >= least):
        raise SettingsInvalid(f"{name} must be a whole number of {least} or more, was {text!r}.")
    return int(text)


def _yes_or_no(environ: Mapping[str, str], name: str) -> bool:
    text = (environ.get(name) or "no").strip().lower()
    if text not in ("yes", "no"):
        raise SettingsInvalid(f"{name} must be yes or no, was {text!r}.")
    return text == "yes"


def _tape(path: Path | None) -> Path | None:
    if path is not None and not path.is_file():
        raise SettingsInvalid(f"The tape {path} is not a file.")
    return path
