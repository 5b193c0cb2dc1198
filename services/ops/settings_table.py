"""Every setting in one table, and the files generated from it: README, ``.env.example``, the settings page."""

from __future__ import annotations

from msgspec import Struct

from services.engine.model.rule_setting import RuleSetting
from services.engine.model.settings import RULE_SETTINGS
from services.market.instruments import INSTRUMENTS, TRADABLE
from services.ops.cap_settings import PREFIX as CAP
from services.ops.commission_settings import PREFIX as COMMISSION
from services.ops.commission_settings import PRODUCTS
from services.ops.config import PROJECT
from services.ops.unit_settings import PREFIX

GROUPS = {  # with their headings
    "secrets": "secrets: no default, no placeholder is accepted",
    "where": "where",
    "traded": "what is traded",
    "units": "the price of one point: bricks, stops, targets and thresholds are counted in it",
    "commissions": "what a contract costs to buy or to sell; where it is not set, only what the broker tells counts",
    "caps": "the most contracts of one asset",
    "rules": "the rules",
    "notifications": "notifications",
    "bridge": "the bridge",
    "feeds": "feeds",
    "advisor": "the advisor: ranges, signals, models, the agent",
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
        case "hours":
            return "HH:MM-HH:MM, comma between"


def _commission(product: str) -> Setting:
    meaning = f"commission of {product}, USD per contract and side"
    return Setting(f"{COMMISSION}{product}", "commissions", meaning, "", "0 to 1000")


def _cap(asset: str) -> Setting:
    meaning = f"contracts of {asset} at once, positions and working orders, whatever their size; unset: no cap"
    return Setting(f"{CAP}{asset}", "caps", meaning, "", "0 to 10000")


def _unit(asset: str) -> Setting:
    row = INSTRUMENTS[asset]
    allowed = f"multiples of {2 * row.tick_size:f}, two ticks"
    return Setting(f"{PREFIX}{asset}", "units", f"price of one point of {asset}", f"{row.unit:f}", allowed)


def _secret(name: str, meaning: str) -> Setting:
    return Setting(name, "secrets", meaning, allowed="8 characters or more", is_secret=True)


_PREVIOUS = "the one before, accepted too while you change it; take it away afterwards"
_KEY = "a service account's JSON key, the text itself; without it this machine's own"
_DATABASE = "the file of the SQLite store; unset: lockstep.sqlite in this checkout's folder in ~/.local/state/lockstep"
_LEDGER = "the bridge's own ledger; unset: bridge.sqlite in the same folder"
_FEEDS = "http://127.0.0.1:8765"
_ML = "http://127.0.0.1:8002"
_AGENT = "http://127.0.0.1:8003"
_OR_OFF = "an address, or off"
_AS_BRICKS = "tradingview or desk; unset: as BRICKS"
_PING = "1 to 120, s"
_FRONT_ENDS = (
    "pages of other origins, comma between: http://localhost:5173. They may use the ports of feeds and the advisor "
    "on this machine, and with an API key web's calls for front ends"
)
_FLAG = "1 or 0"
_ROUTE = "paper or desk"
_PORT = "1 to 65535, 0 is off"
_PROVIDER_URL = "an OpenAI-compatible server: http://127.0.0.1:8080/v1; needed with AGENT_PROVIDER=openai"

SETTINGS = (
    _secret("TV_WEBHOOK_SECRET", 'what TradingView\'s alerts carry as "secret"'),
    _secret("BRIDGE_HEARTBEAT_SECRET", "what a bridge shows"),
    _secret("TV_WEBHOOK_SECRET_PREVIOUS", _PREVIOUS),
    _secret("BRIDGE_HEARTBEAT_SECRET_PREVIOUS", _PREVIOUS),
    _secret("SERVICE_SECRET", "what feeds and other programs beside web show; without it they are not admitted"),
    _secret("SERVICE_SECRET_PREVIOUS", _PREVIOUS),
    _secret("FLASK_SECRET_KEY", "signs the session cookie"),
    _secret("DASHBOARD_PASSWORD", "the operator's password; without one anybody may trade, in DEMO only"),
    Setting(
        "DASHBOARD_PASSWORD_HASH",
        "secrets",
        "instead of the password: what `.venv/bin/flask desk hash-password` prints",
        allowed="argon2, scrypt or pbkdf2; 128 MiB a check at most",
        is_secret=True,
    ),
    _secret("METRICS_TOKEN", "what Prometheus shows at /metrics; without it only a session opens web's"),
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
    Setting("CORS_ORIGINS", "where", _FRONT_ENDS),
    Setting("LOG_LEVEL", "where", "the least that is logged", "INFO", "DEBUG, INFO, WARNING or ERROR"),
    Setting("ASSETS", "traded", "assets of the desk, comma between", "ES", " ".join(TRADABLE)),
    Setting("CONTRACT_SIZE", "traded", "MES or ES", "micro", "micro or full"),
    Setting("CONTRACTS", "traded", "contracts whatever the calendar says: ES=MESM6,NQ=MNQM6"),
    Setting(
        "BRICKS",
        "traded",
        "who builds the bricks: TradingView's script, or the desk of the prices that it hears; a change begins anew",
        "tradingview",
        "tradingview or desk",
    ),
    *(Setting(f"BRICKS_{asset}", "traded", "the same of this asset", "", _AS_BRICKS) for asset in TRADABLE),
    *(_of_rule(row, row.variable) for row in RULE_SETTINGS if row.variable is not None),
    *(_cap(asset) for asset in TRADABLE),
    Setting(
        "FIRM",
        "rules",
        "a trading firm's rules that the desk keeps too: a file of firms/ and an account in it, such as topstep:50k",
        tighter="set",
    ),
    Setting("NEWS_FILE", "rules", "a file of news times around which no entry passes: docs/how-to/window.md"),
    *(_unit(asset) for asset in TRADABLE),
    *(_commission(product) for product in PRODUCTS),
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
    Setting("FEEDS_URL", "feeds", "where web asks feeds how it is; unset: this machine, FEEDS_PORT", _FEEDS, _OR_OFF),
    Setting("FEEDS_HOST", "feeds", "address the market feed listens on; the others are loopback", "127.0.0.1"),
    Setting("FEEDS_PORT", "feeds", "the market feed: WebSocket, REST, /health, /metrics", "8765", _PORT),
    Setting("CONSENSUS_PORT", "feeds", "the consensus feed", "8080", _PORT),
    Setting("TELEMETRY_PORT", "feeds", "session telemetry", "8081", _PORT),
    Setting("JOURNAL_PORT", "feeds", "the journal export", "8082", _PORT),
    Setting("ENGINE_PORT", "feeds", "the engine's signals", "52000", _PORT),
    Setting("DATA_PORT", "feeds", "the data service: bars, snapshots, syncs, stream", "8001", _PORT),
    Setting(
        "DATA_FILL",
        "feeds",
        "providers that fill a symbol's empty store of bars at the start, comma between (make run: tapes)",
        allowed="folder, massive, crypto, tapes",
    ),
    Setting(
        "ONE_PORT",
        "feeds",
        "for a host that gives one port: the market feed, or all of the advisor, is there",
        "0",
        _PORT,
    ),
    Setting(
        "FEEDS_PING_SECONDS", "feeds", "how often a market socket is pinged; silent as long again, it ends", "20", _PING
    ),
    Setting("LOCAL_FEEDS_REQUIRE_KEY", "feeds", "the local feeds ask for an API key, too", "0", "1 or 0"),
    Setting("FEEDS_PATH", "feeds", "what feeds has read and told; unset: feeds.sqlite in the folder of the others"),
    Setting("DATA_FOLDER", "feeds", "the folder of price files of your own: docs/how-to/data.md; unset: none"),
    Setting("MASSIVE_API_KEY", "feeds", "your key of Massive (Polygon); unset: it is not asked", is_secret=True),
    Setting("MASSIVE_URL", "feeds", "where Massive is asked", "https://api.massive.com"),
    Setting("CRYPTO_SPOT", "feeds", "the exchange that is asked for BTCUSD and ETHUSD; unset: none", "", "coinbase"),
    Setting("CRYPTO_URL", "feeds", "where that exchange is asked", "https://api.exchange.coinbase.com"),
    Setting("BARS_PATH", "feeds", "the bars of a minute; unset: bars.sqlite beside the file of feeds"),
    Setting("ADVISOR_URL", "advisor", "where web asks the ML engine; unset: this machine, ML_PORT", _ML, _OR_OFF),
    Setting("AGENT_URL", "advisor", "where web and feeds ask the agent; unset: AGENT_PORT here", _AGENT, _OR_OFF),
    Setting("ADVISOR_HOST", "advisor", "address it listens on; on any but loopback each call needs a key", "127.0.0.1"),
    Setting("ML_PORT", "advisor", "the ML engine: ranges, signals, phases, model cards", "8002", _PORT),
    Setting("AGENT_PORT", "advisor", "the agent: chat and explanations", "8003", _PORT),
    Setting("ADVISOR_PATH", "advisor", "its forecasts and what became of them; unset: advisor.sqlite in that folder"),
    Setting("MODELS_PATH", "advisor", "the folder of models; unset: models in the folder of the others"),
    Setting("MODELS_NIGHTLY", "advisor", "train what has new sessions at 17:10 in New York", "1", "1 or 0"),
    Setting("AGENT_PROVIDER", "advisor", "who words the agent's answers", "rules", "rules, ollama or openai"),
    Setting("AGENT_MODEL", "advisor", "the model of that provider: llama3.2:3b"),
    Setting("OLLAMA_HOST", "advisor", "where Ollama is asked", "http://127.0.0.1:11434"),
    Setting("OPENAI_BASE_URL", "advisor", _PROVIDER_URL),
    Setting("OPENAI_API_KEY", "advisor", "the key of that server, where it asks for one", is_secret=True),
    Setting("AGENT_FALLBACK", "advisor", "the rules answer while the provider is away", "1", "1 or 0"),
    Setting("MT4_ROUTE", "advisor", "where a trade of the MT4 calls goes: paper money, or a proposal", "paper", _ROUTE),
    Setting("MT4_ALLOW_REAL", "advisor", "an MT4 account with real money may be connected, to a LIVE desk", "0", _FLAG),
    Setting("METAAPI_TOKEN", "advisor", "your token of MetaApi; unset: each connection sends one", is_secret=True),
    Setting("METAAPI_ACCOUNT", "advisor", "the account at MetaApi that the token opens; unset: each of yours"),
    Setting("METAAPI_REGION", "advisor", "where MetaApi keeps your accounts", "new-york"),
    Setting("METAAPI_URL", "advisor", "where MetaApi is asked; unset: its host of the region"),
    Setting("METAAPI_CANDLES_URL", "advisor", "where MetaApi is asked for candles; unset: its host of the region"),
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
