"""Every setting in one table, and the files generated from it: README, ``.env.example``, the settings page."""

from __future__ import annotations

from msgspec import Struct

from services.engine.model.settings import RULE_SETTINGS, RuleSetting
from services.ops.config import PROJECT

GROUPS = {  # with their headings
    "secrets": "secrets: no default, no placeholder is accepted",
    "where": "where",
    "traded": "what is traded",
    "rules": "the rules",
    "notifications": "notifications",
    "bridge": "the bridge",
}
IN_README = ("secrets", "traded", "rules")
TRADED_RULES = ("entry_qty_6pt", "entry_qty_9pt", "scale_in_qty", "stop_points", "points_tp_target")
BEGIN = "<!-- generated: settings -->"
END = "<!-- end: settings -->"


class Setting(Struct, frozen=True):
    """One environment variable: name, default as text, allowed values and meaning."""

    name: str
    group: str
    meaning: str
    default: str = ""
    allowed: str = ""
    is_secret: bool = False
    tighter: str = ""


def _of_rule(row: RuleSetting, variable: str) -> Setting:
    group = "traded" if row.rule in TRADED_RULES else "rules"
    default = str(int(row.default)) if row.kind == "flag" else ("" if row.default is None else str(row.default))
    unit = f", {row.unit}" if row.unit else ""
    return Setting(variable, group, row.help, default, f"{_range(row)}{unit}", tighter=row.tighter or "")


def _range(row: RuleSetting) -> str:
    match row.kind:
        case "whole":
            return f"{row.low} to {row.high}"
        case "decimal":
            return f"above {row.low}, at most {row.high}"
        case "flag":
            return "1 or 0"
        case "choice":
            return " or ".join(row.choices)
        case "clock":
            return "HH:MM"


def _secret(name: str, meaning: str) -> Setting:
    return Setting(name, "secrets", meaning, allowed="8 characters or more", is_secret=True)


_PREVIOUS = "the one before, accepted too while you change it; take it away afterwards"
_KEY = "a service account's JSON key, the text itself; without it this machine's own"
_DATABASE = "the file of the SQLite store; unset: lockstep.sqlite in this checkout's folder in ~/.local/state/lockstep"
_LEDGER = "the bridge's own ledger; unset: bridge.sqlite in the same folder"

SETTINGS = (
    _secret("TV_WEBHOOK_SECRET", 'what TradingView\'s alerts carry as "secret"'),
    _secret("BRIDGE_HEARTBEAT_SECRET", "what a bridge shows"),
    _secret("TV_WEBHOOK_SECRET_PREVIOUS", _PREVIOUS),
    _secret("BRIDGE_HEARTBEAT_SECRET_PREVIOUS", _PREVIOUS),
    _secret("FLASK_SECRET_KEY", "signs the session cookie"),
    _secret("DASHBOARD_PASSWORD", "the operator's password; without one anybody may trade, in DEMO only"),
    Setting(
        "DASHBOARD_PASSWORD_HASH",
        "secrets",
        "instead of the password: what `.venv/bin/flask desk hash-password` prints",
        allowed="argon2, scrypt or pbkdf2; 128 MiB a check at most",
        is_secret=True,
    ),
    _secret("METRICS_TOKEN", "what Prometheus shows at /metrics; without it only a session opens them"),
    Setting("HOST", "where", "address web listens on (make run: 127.0.0.1)", "0.0.0.0"),  # noqa: S104 - platforms need it
    Setting("PORT", "where", "port web listens on", "8000"),
    Setting("STORE", "where", "where the desk is kept", "sqlite", "sqlite or firestore"),
    Setting("SQLITE_PATH", "where", _DATABASE),
    Setting("XDG_STATE_HOME", "where", "the folder instead of ~/.local/state for files whose path is not set"),
    Setting("GOOGLE_CLOUD_PROJECT", "where", "where Firestore is; needed with STORE=firestore"),
    Setting("GOOGLE_CLOUD_CREDENTIALS", "where", _KEY, is_secret=True),
    Setting("FIRESTORE_EMULATOR_HOST", "where", "an emulator instead of Google, such as 127.0.0.1:8790"),
    Setting(
        "TRUSTED_PROXIES",
        "where",
        "proxies in front that set X-Forwarded-For, -Proto, -Host; behind one that ends https it must be 1",
        "0",
        "0 to 9",
    ),
    Setting("ALLOWED_HOSTS", "where", "public hosts, comma between, at which a desk without a password answers, too"),
    Setting("LOG_LEVEL", "where", "the least that is logged", "INFO", "DEBUG, INFO, WARNING or ERROR"),
    Setting("ASSETS", "traded", "assets of the desk, comma between", "ES", "ES NQ YM RTY CL GC US30 EURUSD XAUUSD"),
    Setting("CONTRACT_SIZE", "traded", "MES or ES", "micro", "micro or full"),
    Setting("CONTRACTS", "traded", "contracts whatever the calendar says: ES=MESM6,NQ=MNQM6"),
    *(_of_rule(row, row.variable) for row in RULE_SETTINGS if row.variable is not None),
    Setting(
        "NOTIFY_URLS",
        "notifications",
        "apprise URLs, comma or space between; they hold tokens",
        allowed="10 at most",
        is_secret=True,
    ),
    Setting(
        "NOTIFY_KINDS", "notifications", "changes to the usual kinds (+gate_blocked,-entry_filled) or a whole list"
    ),
    Setting("LOCKSTEP_URL", "bridge", "address of the desk", "http://127.0.0.1:8000"),
    Setting("BRIDGE_OWNER", "bridge", "the name under which orders are claimed", "bridge"),
    Setting("BRIDGE_LEDGER_PATH", "bridge", _LEDGER),
    Setting("BRIDGE_MAX_ORDER_QTY", "bridge", "largest order it sends; exits are never limited", "20", "1 or more"),
    Setting("BRIDGE_MAX_POSITION", "bridge", "largest position it builds", "20", "1 or more"),
    Setting("BRIDGE_MAX_ORDERS_PER_MINUTE", "bridge", "most orders of a minute", "30", "1 or more"),
    Setting("BRIDGE_KILL_SWITCH", "bridge", "refuse every entry; exits are executed", "no", "yes or no"),
    Setting("PAPER_START_BALANCE", "bridge", "USD of the paper account", "50000", "0 or more"),
    Setting("PAPER_SLIPPAGE_TICKS", "bridge", "ticks by which a paper fill is worse", "0", "0 or more"),
    Setting("PAPER_COMMISSION", "bridge", "USD per contract and side", "0", "0 or more"),
)

README = PROJECT / "README.md"
EXAMPLE = PROJECT / ".env.example"
PAGE = PROJECT / "docs" / "reference" / "settings.md"
_PAGE_HEAD = """# Settings

Reference. Every setting, by environment or in `.env`. This page, the table of README and `.env.example` are written by
`.venv/bin/flask desk settings`; a test fails when they are not current. A setting that is a limit may be tightened at
once; loosened it waits for the next trading day.
"""
_EXAMPLE_HEAD = (
    "# Every setting of Lockstep. Copy to .env, or let `.venv/bin/flask desk init` write one with generated secrets.\n"
    "# Written by `.venv/bin/flask desk settings`.\n"
)


def settings_page() -> str:
    """Return ``docs/reference/settings.md``: a table for each group."""
    parts = [f"## {title[0].upper()}{title[1:]}\n\n{_table(group)}\n" for group, title in GROUPS.items()]
    return "\n".join([_PAGE_HEAD, *parts])


def env_example() -> str:
    """Return ``.env.example``: every setting, commented out. A line with a default works without its first ``# ``."""
    lines = [_EXAMPLE_HEAD.rstrip()]
    for group, title in GROUPS.items():
        lines += ["", f"# --- {title} ---"]
        lines += [f"{f'# {row.name}={row.default}':<38} # {_meaning(row)}" for row in SETTINGS if row.group == group]
    return "\n".join(lines) + "\n"


def renewed_readme(text: str) -> str:
    """Return README with its table of settings replaced."""
    head, rest = text.split(BEGIN, 1)
    tail = rest.split(END, 1)[1]
    return f"{head}{BEGIN}\n{_table(*IN_README)}\n{END}{tail}"


def renew_settings() -> None:
    """Regenerate all three files."""
    PAGE.write_text(settings_page(), "utf-8")
    EXAMPLE.write_text(env_example(), "utf-8")
    README.write_text(renewed_readme(README.read_text("utf-8")), "utf-8")


def _meaning(row: Setting) -> str:
    return f"{row.meaning} ({row.allowed})" if row.allowed and not row.is_secret else row.meaning


def _table(*groups: str) -> str:
    lines = ["| name | default | may be | tighter | meaning |", "|---|---|---|---|---|"]
    for row in SETTINGS:
        if row.group in groups:
            default = f"`{row.default}`" if row.default else "none"
            lines.append(f"| `{row.name}` | {default} | {row.allowed} | {row.tighter} | {row.meaning} |")
    return "\n".join(lines)
