"""Web, feeds and the advisor as real processes that know each other, with what a story of the platform needs."""

from __future__ import annotations

import time
from contextlib import closing
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any, NamedTuple, Self

import requests

from feeds.bars.store import BarStore
from feeds.bars.types import Bar
from services.access.keys import make_key, stored
from services.stores.sqlite.store import SqliteStore
from tests.support.advisor_floor import HOUR, AdvisorProcess, quiet_after_noise, the_hour
from tests.support.desk_process import PATIENCE_SECONDS, QUICK, SERVICE_SECRET, DeskProcess, eventually
from tests.support.feeds_process import FeedsProcess
from tests.support.ports import free_port
from wire.keys import SERVICE_HEADER, Scope

FRONT_END = "http://localhost:5173"
PRICES = {"ES": "5250.25", "EURUSD": "1.1005"}
ROWS = ("time,open,high,low,close,volume", "2024-11-18T14:30:00Z,5000,5001,4999,5000,10")
MINUTE = 60


class Answered(NamedTuple):
    """An answer, as far as a table names it."""

    status: int
    code: str | None
    body: Any
    text: str


class Platform:
    """One desk, its feeds with the data service, its advisor with both ports. Their ports are asked of the machine."""

    def __init__(self, folder: Path) -> None:
        drop = folder / "drop"
        drop.mkdir(parents=True)
        (drop / "ES_1m.csv").write_text("\n".join(ROWS) + "\n")
        self.desk = DeskProcess(folder / "desk", **QUICK, ASSETS="ES,NQ,RTY,EURUSD,XAUUSD", CORS_ORIGINS=FRONT_END)
        own = {"CORS_ORIGINS": FRONT_END, "METAAPI_TOKEN": "", "METAAPI_ACCOUNT": "", "MT4_ROUTE": "paper"}
        own |= dict.fromkeys(("METAAPI_URL", "METAAPI_CANDLES_URL"), nowhere())  # no test asks the real one
        self.feeds = FeedsProcess(
            self.desk, folder / "feeds", ("market", "data"), DATA_FOLDER=str(drop), CORS_ORIGINS=FRONT_END
        )
        self.advisor = AdvisorProcess(folder / "advisor", self.feeds.url(), self.desk.url, **own)
        self.agent_url = f"http://127.0.0.1:{self.advisor.agent_port}"
        self.bars_path = folder / "feeds" / "bars.sqlite"
        self.feeds.settings["AGENT_URL"] = self.agent_url
        self.desk.settings |= {
            "FEEDS_URL": self.feeds.url(),
            "ADVISOR_URL": self.advisor.url(),
            "AGENT_URL": self.agent_url,
        }
        self._http = requests.Session()
        self._http.trust_env = False

    def __enter__(self) -> Self:
        self.desk.start()
        self.feeds.start().hears_web()
        self.advisor.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._http.close()
        self.advisor.kill()
        self.feeds.kill()
        self.desk.hang_up()
        self.desk.kill()

    # -- what there is --------------------------------------------------------------------------------------------

    def url_of(self, service: str) -> str:
        """Return the address of ``web``, ``data``, ``ml`` or ``agent``."""
        places = {"web": self.desk.url, "data": self.feeds.url("data"), "ml": self.advisor.url()}
        return places.get(service, self.agent_url)

    def key(self, *scopes: Scope) -> str:
        """Make a key as the command line does, and wait until web knows it."""
        return self.keys(1, *scopes)[0]

    def keys(self, number: int, *scopes: Scope) -> list[str]:
        """Make several keys with the same scopes, and wait until web knows them."""
        made = [make_key("front end", scopes, datetime.now(UTC)) for _ in range(number)]
        with closing(SqliteStore(self.desk.database)) as store:
            for key, _ in made:
                store.put_api_key(stored(key))
        tokens = [token for _, token in made]
        asks, headers = self.desk.stranger(), {SERVICE_HEADER: SERVICE_SECRET}
        eventually(lambda: asks.post("/api/keys/check", json={"token": tokens[-1]}, headers=headers).json()["active"])
        return tokens

    def stores(self, bars: list[Bar]) -> None:
        """Store bars as a sync does."""
        with closing(BarStore(self.bars_path)) as store:
            store.put(bars)

    def learns(self) -> None:
        """Give ETHUSD fourteen days of hours up to the current one, and a model of them."""
        self.stores(quiet_after_noise("ETHUSD", the_hour(3 * MINUTE), 14))
        trained = self.advisor.runs("train", "ETHUSD", "--timeframe", "1h")
        assert trained.returncode == 0, trained.stdout
        eventually(lambda: self.advisor.health()["models"])

    def has_prices(self) -> None:
        """Let ES and EURUSD have a price now, and minutes of the last hour, as open markets have."""
        now = int(time.time()) // MINUTE * MINUTE
        for symbol, text in PRICES.items():
            self.desk.tradingview().heartbeat(float(text), asset=symbol)
            price = Decimal(text)
            starts = range(now - HOUR, now, MINUTE)
            self.stores([Bar(symbol, t, price, price, price, price, Decimal(10), "provider") for t in starts])
        eventually(lambda: all(self.asks("data", "GET", f"/api/snapshot/{one}").status == 200 for one in PRICES))

    # -- calls ----------------------------------------------------------------------------------------------------

    def asks(self, service: str, method: str, path: str, body: Any = None, **headers: str) -> Answered:
        """Call a service as a program does. ``body`` is sent as JSON, bytes as they are."""
        sent = {"data": body} if isinstance(body, bytes) else {"json": body}
        answer = self._http.request(
            method, self.url_of(service) + path, headers=headers, timeout=PATIENCE_SECONDS, **sent
        )
        is_json = answer.headers.get("Content-Type", "").startswith("application/json")
        told = answer.json() if is_json and answer.content else None
        code = told.get("code", told.get("error")) if isinstance(told, dict) and answer.status_code >= 400 else None
        return Answered(answer.status_code, code, told, answer.text)


def nowhere() -> str:
    """Return an address at which nobody listens."""
    return f"http://127.0.0.1:{free_port()}"
