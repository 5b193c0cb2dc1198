"""A real desk for tests: ``gunicorn app:app`` on a free loopback port, with a SQLite file of its own.

All callers use HTTP: the operator with a session, the bridge and TradingView with their secrets. The process can be
killed, ended and started again on the same file.
"""

import json
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Self

import requests

from services.engine.model.settings import RULE_SETTINGS
from tests.support.paths import REPOSITORY
from tests.support.ports import free_port
from tests.support.processes import Child
from wire.tradingview import STREAMS

__all__ = ["REPOSITORY", "free_port"]  # asked for here by the tests of the desk

TV_SECRET = "tv-secret-of-the-test-desk"
BRIDGE_SECRET = "bridge-secret-of-the-test-desk"
SERVICE_SECRET = "service-secret-of-the-test-desk"
FLASK_KEY = "flask-key-of-the-test-desk-0123456789"
PASSWORD = "correct horse battery staple"
SECRETS = (TV_SECRET, BRIDGE_SECRET, SERVICE_SECRET, FLASK_KEY, PASSWORD)

SETTINGS = {
    "TV_WEBHOOK_SECRET": TV_SECRET,
    "BRIDGE_HEARTBEAT_SECRET": BRIDGE_SECRET,
    "SERVICE_SECRET": SERVICE_SECRET,
    "FLASK_SECRET_KEY": FLASK_KEY,
    "DASHBOARD_PASSWORD": PASSWORD,
    "DASHBOARD_PASSWORD_HASH": "",
    "STORE": "sqlite",
    "ASSETS": "ES,NQ",
    "CONTRACTS": "ES=MESM4,NQ=MNQM4",  # of 2034: no entry passes in a contract that has ended
    "TRUSTED_PROXIES": "0",
    "LOG_LEVEL": "INFO",
    **dict.fromkeys(("FEEDS_URL", "ADVISOR_URL", "AGENT_URL"), "off"),  # not those of whoever runs the tests
    "CORS_ORIGINS": "",
}
UNLISTED = (  # settings that a .env of the checkout must not bring in
    "CONTRACT_SIZE",
    "CANDLE_SECONDS",
    "COOLDOWN_SECONDS",
    "ENTRY_TTL_SECONDS",
    "HEARTBEAT_MAX_AGE_SECONDS",
    "MAX_TRADES_PER_DAY",
    "DAILY_STOP_LIMIT_PCT",
    "ENTRY_QTY_6PT",
    "ENTRY_QTY_9PT",
    "SCALE_IN_QTY",
    "STOP_POINTS",
    "POINTS_TP_TARGET",
    "TWO_HALF_FILTER",
    "TRADING_DAY_ROLL",
    "NEWS_FILE",
    *(row.variable for row in RULE_SETTINGS if row.variable is not None and row.default is None),
    "METRICS_TOKEN",
    "NOTIFY_URLS",
    "NOTIFY_KINDS",
)
QUICK = {
    "CANDLE_SECONDS": "1",
    "COOLDOWN_SECONDS": "0",
    "MAX_TRADES_PER_DAY": "10000",
    "ENTRY_TTL_SECONDS": "600",
    "OVERRIDES_PER_DAY": "100",
}
"""Settings under which one test's trade does not lock the next test's entry."""

PATIENCE_SECONDS = 60.0  # longest wait on a busy machine; this is no promise of the program
BRICK_PATHS = {float(row.points): row.path for row in STREAMS}


def eventually(is_true: Callable[[], Any], within: float = PATIENCE_SECONDS) -> Any:
    """Call ``ask`` until its answer is true, and return it. Fail after so many seconds."""
    deadline = time.monotonic() + within
    while not (answer := is_true()):
        assert time.monotonic() < deadline, f"this did not become true within {within} s"
        time.sleep(0.02)
    return answer


def error_of(answer: requests.Response, *statuses: int) -> str:
    """Return the sentence of an error; fail when the error does not have the contract's form."""
    assert answer.status_code in statuses, f"{answer.status_code}, not {statuses}: {answer.text[:300]}"
    assert answer.headers["Content-Type"].startswith("application/json")
    body = answer.json()
    assert body["ok"] is False
    assert isinstance(body["error"], str)
    assert body["error"]
    assert {"code", "title", "detail", "facts"} <= body.keys()
    sentence: str = body["error"]
    return sentence


class Caller(requests.Session):
    """A caller of the desk: takes paths and follows no redirect."""

    def __init__(self, desk: "DeskProcess") -> None:
        super().__init__()
        self.trust_env = False
        self.desk = desk
        desk.callers.append(self)
        adapter = requests.adapters.HTTPAdapter(pool_maxsize=64)
        self.mount("http://", adapter)

    @property
    def session_cookie(self) -> str:
        """The cookie of the session, ``name=value``."""
        (held,) = (cookie for cookie in self.cookies if cookie.name.startswith("lockstep-"))
        return f"{held.name}={held.value}"

    # Its callers name a path and our own words; the whole signature of requests would say nothing more.
    def request(self, method: str, path: str, *args: Any, **kwargs: Any) -> requests.Response:  # type: ignore[override]
        kwargs.setdefault("timeout", PATIENCE_SECONDS)
        kwargs.setdefault("allow_redirects", False)
        return super().request(method, self.desk.public_url + path, *args, **kwargs)


class OperatorCaller(Caller):
    """The operator at the page."""

    def logs_in(self, password: str = PASSWORD) -> requests.Response:
        return self.post("/api/login", json={"password": password})

    def state(self) -> dict[str, Any]:
        document: dict[str, Any] = self.get("/api/state").json()
        return document

    def settled_state(self) -> dict[str, Any]:
        """Return the state after the last lock that ends by time has ended: from then on only calls change it."""

        def settled() -> dict[str, Any] | None:
            document = self.state()
            held = [lock for asset in document["assets"].values() for lock in asset["locks"] if lock["held"]]
            return document if not any(lock["until"] for lock in held) else None

        settled_document: dict[str, Any] = eventually(settled)
        return settled_document

    def asset(self, symbol: str = "ES") -> dict[str, Any]:
        asset: dict[str, Any] = self.state()["assets"][symbol]
        return asset

    def enters(self, asset: str = "ES", key: str | None = None, **more: Any) -> requests.Response:
        """Ask for a market entry; an override with a reason."""
        headers = {"Idempotency-Key": key} if key is not None else {}
        if more.get("entry_override"):
            more = {"override_reason": "what the test needs", **more}
        body = {"asset": asset, "trade_mode": "RUNNER", "order_type": "market", "entry_size_mode": "6pt", **more}
        return self.post("/api/orders", json=body, headers=headers)

    def enters_when_the_candle_allows(self, asset: str = "ES", **more: Any) -> dict[str, Any]:
        """Retry until the short candle of a quick desk is over; return the order."""
        for _ in range(60):
            answer = self.enters(asset, **more)
            if answer.status_code == 201:
                order: dict[str, Any] = answer.json()["order"]
                return order
            assert answer.json().get("gate") == "candle_lock", answer.text
            time.sleep(0.05)
        raise AssertionError(f"the candle never ended: {answer.text}")


class BridgeCaller(Caller):
    """The bridge beside the broker."""

    def __init__(self, desk: "DeskProcess", owner: str = "bridge") -> None:
        super().__init__(desk)
        self.owner = owner
        self.headers["X-Bridge-Secret"] = BRIDGE_SECRET

    def claims(self, **query: Any) -> list[dict[str, Any]]:
        answer = self.get("/api/orders/pending", params={"owner": self.owner, **query})
        assert answer.status_code == 200, answer.text
        handed: list[dict[str, Any]] = answer.json()["orders"]
        return handed

    def reports(self, order_id: str, status: str, **extra: Any) -> requests.Response:
        return self.post(f"/api/orders/{order_id}/execution-report", json={"status": status, "extra": extra})

    def fills(self, order: dict[str, Any], price: float) -> requests.Response:
        """Claim an order and fill it completely."""
        self.claims()
        return self.reports(order["id"], "FILLED", fill_price=price, qty=order["qty"])

    def snapshots(self, balance: float | None = None, **positions: int) -> requests.Response:
        """Send a snapshot with these positions: ``MESM4=5``. The realized result is what the balance is off 50,000."""
        symbols = [{"symbol": symbol, "position": position} for symbol, position in positions.items()]
        realized = 0 if balance is None else round(balance - 50_000, 2)
        body = {"realized": realized, "unrealized": 0, "symbols": symbols}
        if balance is not None:
            body["accountBalance"] = balance
        return self.post("/api/rithmic/pnl-snapshot", json=body)


class TradingViewCaller(Caller):
    """TradingView's alerts."""

    def sends(self, path: str, **fields: Any) -> requests.Response:
        """Send one alert as TradingView does: JSON in a body called text/plain."""
        body = {"secret": TV_SECRET, "asset": "ES", **fields}
        return self.post(path, data=json.dumps(body), headers={"Content-Type": "text/plain; charset=utf-8"})

    def brick(self, size: float, color: str | int, **fields: Any) -> requests.Response:
        return self.sends(BRICK_PATHS[size], color=color, **fields)

    def heartbeat(self, price: float = 5250.25, **fields: Any) -> requests.Response:
        return self.sends("/tv_heartbeat", price=price, **fields)

    def opens_the_ladder(self, asset: str = "ES", color: str = "green") -> None:
        """Send what an entry needs: a heartbeat, structure and a tempo token."""
        for answer in (
            self.heartbeat(asset=asset),
            *(self.brick(size, color, asset=asset) for size in (8, 12, 6)),
        ):
            assert answer.status_code == 200, answer.text


class DeskProcess(Child):
    """One gunicorn with its file. ``settings`` are laid over ``SETTINGS``."""

    def __init__(self, folder: Path, **settings: str) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self.database = folder / "desk.sqlite"
        self.port = free_port()
        place = {"SQLITE_PATH": str(self.database), "HOST": "127.0.0.1", "PORT": str(self.port)}
        place["XDG_STATE_HOME"] = str(folder.absolute() / "state")  # else all tests' desks know of each other
        said = {**dict.fromkeys(UNLISTED, ""), **SETTINGS, **place, **settings}
        super().__init__(["-m", "gunicorn", "app:app"], said, folder / "stderr.txt")
        self.proxy_port: int | None = None
        """Where a proxy before it listens: its callers then go through the proxy."""

        self.callers: list[Caller] = []  # their connections are closed with the process

    def trades_at_any_hour(self) -> Self:
        """Let its markets always trade, for what LIVE does: its own gate closes with the market's session."""
        self.arguments = ["-m", "gunicorn", "tests.support.open_market_desk:app"]
        return self

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def public_url(self) -> str:
        """Where its callers find it."""
        return f"http://127.0.0.1:{self.proxy_port or self.port}"

    # -- start and end --------------------------------------------------------------------------------------

    def start(self) -> Self:
        """Start it and wait until it answers."""
        process = self.spawn()
        deadline = time.monotonic() + PATIENCE_SECONDS
        while True:
            assert process.poll() is None, f"the desk ended at its start: {self.log()}"
            assert time.monotonic() < deadline, f"the desk did not answer: {self.log()}"
            with suppress(requests.ConnectionError, requests.Timeout):
                if requests.get(self.url + "/api/auth/status", timeout=2).status_code == 200:
                    return self
            time.sleep(0.03)

    def terminate(self) -> float:
        """Send SIGTERM, wait for the end, and return how many seconds that took."""
        self.hang_up()
        return super().terminate()

    def restart(self, **settings: str) -> Self:
        """End it and start it again on the same file, with these settings changed."""
        self.terminate()
        self.settings.update(settings)
        return self.start()

    def hang_up(self) -> None:
        """Close the idle connections of all callers, because gunicorn would wait for them."""
        for caller in self.callers:
            caller.close()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.hang_up()
        self.kill()

    # -- its callers ----------------------------------------------------------------------------------------

    def stranger(self) -> Caller:
        return Caller(self)

    def operator(self, password: str = PASSWORD) -> OperatorCaller:
        """Return an operator who has logged in."""
        operator = OperatorCaller(self)
        answer = operator.logs_in(password)
        assert answer.status_code == 200, answer.text
        return operator

    def bridge(self, owner: str = "bridge") -> BridgeCaller:
        return BridgeCaller(self, owner)

    def tradingview(self) -> TradingViewCaller:
        return TradingViewCaller(self)

    # -- its file -------------------------------------------------------------------------------------------

    def rows(self, query: str, *values: object) -> list[tuple[Any, ...]]:
        """Read rows from the desk's file while the desk runs."""
        with closing_connection(self.database) as connection:
            return connection.execute(query, values).fetchall()

    @contextmanager
    def locked_store(self) -> Iterator[None]:
        """Block the desk's writes: lock its file from outside."""
        with closing_connection(self.database) as connection:
            connection.execute("BEGIN EXCLUSIVE")
            try:
                yield
            finally:
                connection.execute("ROLLBACK")


@contextmanager
def closing_connection(path: Path) -> Iterator[sqlite3.Connection]:
    connection = sqlite3.connect(path, timeout=5, isolation_level=None)
    try:
        yield connection
    finally:
        connection.close()


def without_the_clock(document: dict[str, Any]) -> dict[str, Any]:
    """Return the fields of a state document that time alone does not change."""
    kept = {name: value for name, value in document.items() if name not in ("version", "now", "logs", "alerts")}
    pruned: dict[str, Any] = _without_countdowns(kept)
    pruned.get("global", {}).pop("candle", None)
    return pruned


def _without_countdowns(value: Any) -> Any:
    if isinstance(value, list):
        return [_without_countdowns(item) for item in value]
    if not isinstance(value, dict):
        return value
    return {
        name: _without_countdowns(inner)
        for name, inner in value.items()
        if not name.endswith("_s")
        and inner is not None
        and not (name == "sentence" and value.get("reopens_at") is not None)
    }
