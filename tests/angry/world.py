"""An angry trader's world: a seeded adversary, a market, a true account, and the real desk between them.

What is measured is the account of the simulated broker, never the desk's books.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from itertools import count
from pathlib import Path
from random import Random
from typing import Any

from services.ops.config import ConfigError
from tests.angry.account import START_BALANCE, Account
from tests.angry.acts import ACTS, SECRET, SELDOM_ACTS
from tests.angry.bridge import PaperBridge
from tests.angry.desk import AngryDesk
from tests.angry.market import Market
from tests.lying.desk_app import Clock
from tests.lying.world import WEBHOOKS

ZERO = Decimal(0)
EIGHT_HOURS = timedelta(hours=8)
FIRST_BALANCE_WITHIN = timedelta(seconds=15)
PAUSES = (1, 2, 3, 5, 8)
SLEEPS_AFTER, OVER_AFTER = 15, 4  # acts in vain, and those on a day that is over


@dataclass
class TrueDay:
    """One trading day of the account. ``slack`` is a tick a contract and the commission out, of the most held."""

    name: str
    start: Decimal
    limit_pct: Decimal
    lowest: Decimal
    slack: Decimal = ZERO
    paid: Decimal = ZERO

    @property
    def allowed(self) -> Decimal:
        """The limit in USD. A payout that nobody confirmed does not lower it, nor one that was confirmed later."""
        return max(self.start, self.start - self.paid) * self.limit_pct / 100

    @property
    def loss(self) -> Decimal:
        return self.start - self.lowest

    @property
    def excess(self) -> Decimal:
        """How much more was lost than may be; negative when it was less."""
        return self.loss - self.allowed - self.slack

    def __str__(self) -> str:
        rest = f"and {self.slack:,.2f} for a tick of slippage a contract and the commissions out"
        return f"worst day: {-self.loss:,.2f} of {-self.allowed:,.2f} allowed {rest} ({self.name})"


@dataclass
class Days:
    """The account's days. A loosened limit counts from the next day that begins at least 8 h after it was asked for.

    A tightened one counts from the next day on, too: what was held when it was tightened was risked before.
    """

    current: TrueDay | None = None
    past: list[TrueDay] = field(default_factory=list)
    first_pct: Decimal = Decimal(2)
    asked: list[tuple[datetime, Decimal]] = field(default_factory=list)

    def asks_limit(self, now: datetime, pct: object) -> None:
        """Note a limit that was asked for, by the page or the env file."""
        self.asked.append((now, Decimal(str(pct))))

    def begins(self, name: str, now: datetime, equity: Decimal) -> None:
        if self.current is not None:
            self.past.append(self.current)
        self.current = TrueDay(name, equity, self._limit_at(now), equity)

    def _limit_at(self, start: datetime) -> Decimal:
        in_time = [pct for at, pct in self.asked if at + EIGHT_HOURS <= start]
        late = [pct for at, pct in self.asked if at + EIGHT_HOURS > start]
        return min([in_time[-1] if in_time else self.first_pct, *late])

    def pays(self, amount: Decimal) -> None:
        """Leave what was paid in or out of the day's result."""
        if self.current is not None:
            self.current.start += amount
            self.current.lowest += amount
            self.current.paid += amount

    def sees(self, equity: Decimal, slack: Decimal) -> None:
        if self.current is not None:
            self.current.lowest = min(self.current.lowest, equity)
            self.current.slack = max(self.current.slack, slack)

    @property
    def all(self) -> list[TrueDay]:
        return [*self.past, *([self.current] if self.current else [])]

    @property
    def worst(self) -> TrueDay:
        return max(self.all, key=lambda day: day.excess)


class AngryWorld:
    """One seeded world. ``plays`` so many acts; ``day`` is what they cost."""

    def __init__(self, seed: int, folder: Path, market: Callable[[Random], Market] = Market) -> None:
        self.seed, self.rng = seed, Random(seed)
        self.clock = Clock()
        self.desk = AngryDesk(self.clock, folder)
        self.market = market(Random(seed + 1))
        self.account = Account(self.market, Random(seed + 2))
        self.env = "LIVE" if seed % 4 == 3 else "DEMO"
        self.bridge = PaperBridge(self.account, self.desk, self.env)
        self.day = Days()
        self.done: Counter[str] = Counter()
        self.faults: list[str] = []
        self.last_gate: str | None = None
        self._bars = count(1)
        self._told_at: dict[str, datetime] = {}
        self._idle = 0
        self._rolled_at = self.now
        self._configured = Decimal(2)
        self._starts()

    def _starts(self) -> None:
        self.day.begins(str(self.desk.desk.day.trading_day), self.now, START_BALANCE)
        self.desk.calls("POST", "/api/bridge/heartbeat", self.bridge.heartbeat())
        if self.env == "LIVE":
            self.desk.switches("LIVE")
        self.passes(3)

    @property
    def now(self) -> datetime:
        return self.clock.now

    @property
    def environ(self) -> dict[str, str]:
        return self.desk.environ

    # -- time -----------------------------------------------------------------------------------------------------

    def passes(self, seconds: float) -> None:
        """Let time pass, a second or two at once while something is open."""
        until = self.now + timedelta(seconds=seconds)
        while self.now < until:
            self.clock.now += timedelta(seconds=self.rng.choice([1.0, 1.5]))
            self._step()

    def _step(self) -> None:
        before = self.account.equity
        self.market.moves()
        self.account.market_moved(self.now)
        self.account.passes_time(self.now)
        self._tells_prices()
        self.desk.ticks()
        self._rolls(before)
        if self.bridge.step(self.now):
            self._first_balance()
        self._measures()

    def _measures(self) -> None:
        self.day.sees(self.account.equity, self.account.slack)

    def _rolls(self, equity: Decimal) -> None:
        name = str(self.desk.desk.day.trading_day)
        if self.day.current is not None and name > self.day.current.name:
            self.day.begins(name, self.now, equity)
            self._rolled_at = self.now
            self._idle = 0

    def _first_balance(self) -> None:
        """Count the day from its first balance, as SPEC 5.6 does, when it comes soon after the roll."""
        day = self.day.current
        if day is not None and day.lowest == day.start and self.now <= self._rolled_at + FIRST_BALANCE_WITHIN:
            day.start = day.lowest = self.account.equity
            self._rolled_at -= FIRST_BALANCE_WITHIN * 2

    def sleeps(self) -> None:
        """Leave the desk until some minutes before or after the next roll."""
        self.clicks("/api/exit-all", {"force": True})
        self.passes(30)
        hour = timedelta(hours=1)
        if self.account.is_flat:
            self.clock.now += self.rng.choice([hour, 4 * hour, 9 * hour])
        self._idle = 0
        self.passes(3)

    # -- what it can do -------------------------------------------------------------------------------------------

    def plays(self, acts: int) -> AngryWorld:
        weights = [weight for weight, _ in ACTS]
        for _ in range(acts):
            act = self.rng.choices([act for _, act in ACTS], weights)[0]
            self.done[act.__name__] += 1
            entries = self.account.entries
            act(self)
            self.passes(self.rng.choice(PAUSES))
            self._idle = 0 if self.account.entries > entries else self._idle + 1
            if self._idle >= (OVER_AFTER if self.desk.desk.day.is_stopped else SLEEPS_AFTER):
                if self.rng.random() < 0.1:
                    SELDOM_ACTS[0](self)
                self.sleeps()
        self.passes(60)
        return self

    def any_asset(self) -> str:
        return self.rng.choice(list(self.desk.desk.assets))

    def held_assets(self) -> list[str]:
        return [symbol for symbol, asset in self.desk.desk.assets.items() if asset.position]

    def clicks(self, path: str, body: dict[str, Any]) -> int:
        status, answer = self.desk.calls("POST", path, body)
        gate = answer.get("gate") or answer.get("code") if isinstance(answer, dict) and status >= 400 else None
        self.last_gate = gate
        self.done[f"{path.partition('/orders/')[0]} {gate or status}"] += 1
        if status >= 500 and not (isinstance(answer, dict) and answer.get("code")):
            self.faults.append(f"{path} {body} answered {status} {answer}")
        self._measures()
        return status

    def webhook(self, path: str, body: dict[str, Any]) -> None:
        status, answer = self.desk.calls("POST", path, {**SECRET, **body})
        if status >= 500:
            self.faults.append(f"{path} {body} answered {status} {answer}")

    def brick(self, asset: str, size: float, color: str) -> None:
        body = {"asset": asset, "color": color, "bar_id": f"bar-{next(self._bars)}"}
        self.webhook(WEBHOOKS[size], body)

    def tells_price(self, asset: str, price: Decimal) -> None:
        body = {"symbol": asset, "price": float(price), "timestamp": self.now.isoformat()}
        self.webhook("/tv_heartbeat", body)

    def _tells_prices(self) -> None:
        for asset, price in self.market.prices.items():
            every = 2 if asset in self.held_assets() else 15
            due = self._told_at.get(asset)
            if asset in self.desk.desk.assets and (due is None or self.now >= due + timedelta(seconds=every)):
                self._told_at[asset] = self.now
                self.tells_price(asset, price)

    def pays(self, amount: Decimal) -> None:
        """Pay money in at the broker, or out when negative."""
        self.account.balance += amount
        self.account.paid += amount
        self.day.pays(amount)

    def restarts(self) -> None:
        """Start the program again with the env file as it is now; one that is refused is taken back."""
        before = dict(self.environ)
        try:
            self.desk.restarts()
        except ConfigError:
            self.environ.clear()
            self.environ.update(before | {"CONTRACTS": "", "CONTRACT_SIZE": "micro", "STOP_POINTS": "15"})
            self.desk.opens()
        configured = self.desk.desk.configured.daily_stop_limit_pct
        if configured != self._configured:
            self.day.asks_limit(self.now, configured)
        self._configured = configured
