"""A lying world: one true broker, bridges, TradingView, an operator, and channels to the desk that lie for a while.

A world is made by its seed alone: who trades, what lies and how often. It has three parts: a true beginning, the lies,
and a healthy end in which the desk must find the truth again. ``story`` is what happened, as people read it.
"""

from __future__ import annotations

import heapq
from collections import Counter
from datetime import datetime, timedelta
from decimal import Decimal
from itertools import count
from pathlib import Path
from random import Random
from typing import Any

from services.engine.model.events import AnyEvent
from tests.lying.bridge_models import BridgeModel, ContractBridge, OnAnswer, OurBridge
from tests.lying.broker import TICK, TRADED, Broker
from tests.lying.channels import FAULT, Channel, Delivery, faulty
from tests.lying.desk_app import SETTINGS, Clock, DeskApp
from tests.lying.heard import Heard, PriceSeries, Reading, reading_of
from tests.lying.plan import BEGINNING, END, LIES, Plan

OPERATOR_RESTS = 100.0
WEBHOOKS = {2.5: "/tv_renko_two_half", 4: "/tv_renko", 6: "/tv_renko_main", 8: "/tv_renko_high", 12: "/tv_renko_macro"}


class World:
    """One seeded world. Iterate ``steps``; after each the invariants may be asked."""

    def __init__(self, plan: Plan, folder: Path) -> None:
        self.plan, self.rng = plan, Random(plan.seed + 1)
        self.clock = Clock()
        self.desk = DeskApp(self.clock, folder)
        self.began_at = self.clock.now
        self.lies_from = self.began_at + timedelta(seconds=plan.lies_from)
        self.heals_at = self.began_at + timedelta(seconds=BEGINNING + LIES)
        self.ends_at = self.heals_at + timedelta(seconds=END)
        self.healthy_from = self.heals_at
        self.started_at = self.began_at
        self.broker = Broker(self.rng, plan.balance, plan.manner)
        self.broker.tells = self._broker_tells
        kind = OurBridge if plan.is_ours else ContractBridge
        self.bridge: BridgeModel = kind(self, self.broker, self.rng, plan.env)
        self.second: BridgeModel | None = None
        self.story: list[str] = []
        self.readings: list[Reading] = []
        self.prices = PriceSeries()
        self.events: list[Heard] = []
        self.worst_status = 0
        self.messages = 0
        self.happened: Counter[str] = Counter()
        self._arriving: list[tuple[datetime, int, Any]] = []
        self._numbers = count(1)
        self._bars = count(1)
        self._drift = Decimal(0)
        self._keeps_ledger = True
        self._incidents = [(self.began_at + timedelta(seconds=at), name) for at, name in reversed(plan.incidents)]
        self._next_act_at = self.began_at + timedelta(seconds=6)
        self._due = {"price": self.began_at, "six": self.began_at, "other": self.began_at}
        if plan.env == "LIVE":
            self._goes_live()

    def _goes_live(self) -> None:
        """Switch to LIVE, which needs a bridge that is connected."""
        self.desk.calls("POST", "/api/bridge/heartbeat", self.bridge.heartbeat())
        self.desk.switches("LIVE")
        assert self.desk.desk.env == "LIVE"

    @property
    def now(self) -> datetime:
        return self.clock.now

    @property
    def is_lying(self) -> bool:
        return self.lies_from <= self.now < self.heals_at

    @property
    def is_healthy(self) -> bool:
        return self.now >= self.healthy_from

    def tells(self, line: str) -> None:
        self.story.append(f"{(self.now - self.began_at).total_seconds():7.1f}  {line}")

    # -- time -----------------------------------------------------------------------------------------------------

    def step(self) -> None:
        """Let about a second pass: the market, TradingView, the broker, the bridges, the operator, the desk's clock."""
        self.clock.now += timedelta(seconds=self.rng.uniform(0.9, 1.1))
        if self.must_heal:
            self._heals()
        self._market_moves()
        self._tradingview()
        self._parties_act()
        self.broker.passes_time(self.now)
        self._arrivals()
        for bridge in (self.bridge, self.second):
            if bridge is not None:
                bridge.step(self.now)
        if self.now >= self._next_act_at:
            self._operator()
        self.desk.ticks()
        self._keeps(self.desk.ear.taken())

    @property
    def is_over(self) -> bool:
        return self.now >= self.ends_at

    @property
    def must_heal(self) -> bool:
        """Whether the lies are over and the parties have not been told yet."""
        return self.now >= self.heals_at and (
            not self.bridge.is_up or not self.bridge.is_linked or self.second is not None
        )

    def _heals(self) -> None:
        self.tells("the world is healthy from here on")
        self.second = None
        if not self.bridge.is_up:
            self._bridge_returns()
        self._relinks()
        self.healthy_from = max(self.healthy_from, self.now)

    # -- channels -------------------------------------------------------------------------------------------------

    def sends(self, channel: Channel, method: str, path: str, body: dict[str, Any], on_answer: OnAnswer) -> None:
        """Send a message through its channel, with the faults that happen to it."""
        deliveries = [Delivery(body)]
        happened = []
        for fault in self.plan.faults if self.is_lying else ():
            if fault.channel == channel and self.rng.random() < self.plan.chances[fault.name]:
                deliveries = faulty(deliveries, fault, self.rng)
                happened.append(fault.name)
                self.happened[fault.name] += 1
        if not deliveries:
            self.tells(f"{channel} {_short(path)} {_said(body)} LOST ({', '.join(happened)})")
        for delivery in deliveries:
            arrival = (channel, method, path, delivery, on_answer, tuple(happened))
            if delivery.delay <= 0:
                self._arrives(*arrival)
            else:
                at = self.now + timedelta(seconds=delivery.delay)
                self.healthy_from = max(self.healthy_from, at)
                heapq.heappush(self._arriving, (at, next(self._numbers), arrival))

    def _arrivals(self) -> None:
        while self._arriving and self._arriving[0][0] <= self.now:
            self._arrives(*heapq.heappop(self._arriving)[2])

    def _arrives(
        self,
        channel: Channel,
        method: str,
        path: str,
        delivery: Delivery,
        on_answer: OnAnswer,
        happened: tuple[str, ...],
    ) -> None:
        self._keeps(self.desk.ear.taken())
        reading = reading_of(delivery.body, self.desk.desk, self.readings, self.now) if channel == "snapshot" else None
        status, answer = self.desk.calls(method, path, delivery.body or None)
        self.messages += 1
        self.worst_status = max(self.worst_status, status)
        if reading is not None and status == 200:
            self.readings.append(reading)
            if reading.position and reading.position == self.desk.es.position == self.broker.position():
                self.prices.hears(self.now, is_lie=False)
        if channel == "price" and not answer.get("ignored"):
            self.prices.hears(datetime.fromisoformat(delivery.body["timestamp"]), is_lie="price_times_ten" in happened)
        if channel == "report" and "fill_price" in delivery.body["extra"]:
            self.prices.hears_fill(is_lie="report_price_times_ten" in happened)
        if status >= 400:
            self.tells(f"    answer: {answer}")
        if channel != "claim" or (answer and (answer.get("orders") or answer.get("cancels"))):
            noted = f" ({', '.join(happened)})" if happened else ""
            handed = _handed(answer) if channel == "claim" and status == 200 else ""
            self.tells(f"{channel} {_short(path)} {_said(delivery.body)}{noted} → {status} {handed}")
        self._hears_the_desk(channel)
        if delivery.is_answered:
            on_answer(status, answer)

    def _hears_the_desk(self, channel: Channel | None = None) -> None:
        new = self.desk.ear.taken()
        for event in new:
            self.tells(f"    desk: {_of_event(event)}")
        self._keeps(new, channel)

    def _keeps(self, events: list[AnyEvent], channel: Channel | None = None) -> None:
        self.events += [Heard(event, channel, len(self.readings)) for event in events]

    # -- the market and TradingView -------------------------------------------------------------------------------

    def _market_moves(self) -> None:
        move = TICK * self.rng.randint(-5, 5) + self._drift
        if self.rng.random() < 0.01:
            move += self.rng.choice([-8, 8])
        if self.broker.moves_to(max(Decimal(5000), self.broker.price + move), self.now):
            self.tells(f"the protective stop is filled at {self.broker.price}")

    def _tradingview(self) -> None:
        price, now = float(self.broker.price), self.now
        if now >= self._due["price"]:
            self._due["price"] = now + timedelta(seconds=5)
            self._webhook("price", "/tv_heartbeat", {"symbol": "ES1!", "price": price, "timestamp": now.isoformat()})
        if now >= self._due["six"]:
            first = self.now < self.began_at + timedelta(seconds=3)
            self._due["six"] = now + timedelta(seconds=3 if first else self.rng.uniform(4, 12))
            for size in (12, 8, 6) if first else (6,):
                self._brick(size, "green" if first else self.rng.choice(["green", "green", "red"]))
        if now >= self._due["other"]:
            self._due["other"] = now + timedelta(seconds=self.rng.uniform(10, 40))
            self._brick(self.rng.choice([2.5, 4, 4, 8]), self.rng.choice(["green", "red"]))

    def _brick(self, size: float, color: str) -> None:
        # without a close: these colours are chances, and bricks with one must continue each other
        body = {"asset": "ES", "color": color, "bar_id": f"bar-{next(self._bars)}"}
        self._webhook("brick", WEBHOOKS[size], body)

    def _webhook(self, channel: Channel, path: str, body: dict[str, Any]) -> None:
        self.sends(channel, "POST", path, {"secret": SETTINGS["TV_WEBHOOK_SECRET"], **body}, lambda *_: None)

    # -- the operator ---------------------------------------------------------------------------------------------

    def _operator(self) -> None:
        """Enter when flat, else leave, add, or do nothing, as a restless trader does."""
        self._next_act_at = self.now + timedelta(seconds=self.rng.uniform(2, 9))
        if self.now > self.ends_at - timedelta(seconds=OPERATOR_RESTS):
            return
        roll = self.rng.random()
        if self.desk.es.trade is None and not self.desk.desk.open_orders("ES"):
            side = self.rng.choice(["BUY", "SELL"])
            entry = {"asset": "ES", "trade_mode": self.rng.choice(["SCALP", "RUNNER"]), "direction": side}
            kind = {"order_type": "preorder"} if roll < 0.2 else {"entry_override": True, "override_reason": "restless"}
            self._enters({**entry, **kind})
        elif roll < 0.3:
            self._clicks("/api/exit", {"asset": "ES", "force": True})
        elif roll < 0.4:
            self._clicks("/api/exit-all", {"force": True})
        elif roll < 0.6:
            self._clicks("/api/scale-in", {"asset": "ES"})

    def _enters(self, entry: dict[str, Any]) -> None:
        """Enter; where that is too large, take the size that the refusal says fits, as the page offers it."""
        refusal = self._clicks("/api/orders", entry)
        fits = refusal.get("facts", {}).get("fits", 0) if refusal.get("gate") == "risk" else 0
        if fits:
            self._clicks("/api/orders", {**entry, "qty": fits})

    def _clicks(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        self._keeps(self.desk.ear.taken())
        answer: dict[str, Any]
        status, answer = self.desk.calls("POST", path, body)
        self.worst_status = max(self.worst_status, status)
        gate = answer.get("gate") or ""
        self.tells(f"operator {path} {body.get('direction', '')} → {status} {gate}")
        self._hears_the_desk()
        return answer

    # -- incidents ------------------------------------------------------------------------------------------------

    def _parties_act(self) -> None:
        while self._incidents and self._incidents[-1][0] <= self.now:
            name = self._incidents.pop()[1]
            if name in FAULT and name != "market_falls" and not self.is_lying:
                continue
            if name in FAULT:
                self.tells(f"INCIDENT {name}")
                self.happened[name] += 1
            getattr(self, f"_{name}")()

    def _bridge_lost(self) -> None:
        self._bridge_dies(with_ledger=True)

    def _bridge_lost_empty(self) -> None:
        self._bridge_dies(with_ledger=False)

    def _bridge_dies(self, *, with_ledger: bool) -> None:
        self.bridge.is_up = False
        self._keeps_ledger = with_ledger
        self._later(self.rng.uniform(4, 50), "_bridge_returns")

    def _bridge_returns(self) -> None:
        if not self.bridge.is_up:
            self.tells("the bridge is back")
            self.bridge.comes_back(with_ledger=self._keeps_ledger)

    def _second_bridge(self) -> None:
        kind = OurBridge if self.rng.random() < 0.5 else ContractBridge
        self.second = kind(self, self.broker, self.rng, self.plan.env, name="second")

    def _broker_link_lost(self) -> None:
        self.bridge.is_linked = False
        self._later(self.rng.uniform(5, 30), "_relinks")

    def _relinks(self) -> None:
        if not self.bridge.is_linked:
            self.tells("the bridge has the broker again")
            self.bridge.is_linked = True
            for tag in list(self.bridge.ledger.tickets):
                self.bridge.hears_of(tag)

    def _desk_restarted(self) -> None:
        self.desk.restarts()
        self.started_at = self.now

    def _traded_by_hand(self) -> None:
        self.broker.trades_by_hand(TRADED, self.rng.choice([-5, -3, -1, 1, 2, 5]), self.now)
        self.tells(f"by hand: the broker holds {self.broker.position()}")

    def _foreign_position(self) -> None:
        self.broker.trades_by_hand(self.rng.choice(["MESH7", "ESZ6", "NONSENSE"]), self.rng.choice([-1, 2]), self.now)

    def _market_falls(self) -> None:
        self._drift = Decimal("-0.75")
        self._later(40, "_market_calms")

    def _market_calms(self) -> None:
        self._drift = Decimal(0)

    def _later(self, seconds: float, name: str) -> None:
        self._incidents.append((self.now + timedelta(seconds=seconds), name.removeprefix("_")))
        self._incidents.sort(reverse=True)

    def _broker_tells(self, tag: str) -> None:
        order = self.broker.orders[tag]
        self.tells(f"broker: {order.qty} filled {order.filled} {order.end or ''}, holds {self.broker.position()}")
        for bridge in (self.bridge, self.second):
            if bridge is not None:
                bridge.hears_of(tag)


def _short(path: str) -> str:
    return path.partition("?")[0].replace("/api/", "").replace("execution-report", "report")


def _handed(answer: dict[str, Any]) -> str:
    return ", ".join(f"{order['kind']} {order['side']} {order['qty']}" for order in answer["orders"])


def _said(body: dict[str, Any]) -> str:
    """Return what matters of a body in a story."""
    if "status" in body:
        return f"{body['status']} {body['extra']}"
    if "accountBalance" in body or "realized" in body:
        held = None if body.get("symbols") is None else [(row["symbol"], row["position"]) for row in body["symbols"]]
        return f"holds {held}, balance {body.get('accountBalance')}"
    kept = ("color", "price", "symbol", "tsConnected", "bar_id")
    return " ".join(str(body[name]) for name in kept if name in body)


def _of_event(event: AnyEvent) -> str:
    return str(event)[:200]
