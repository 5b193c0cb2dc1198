"""Who sends: a market for each asset and an operator; the bridge has its script in ``scripted_bridge.py``.

Everybody goes on through a kill and tries again what must be tried again, as the real ones do: TradingView resends
some of its alerts, the operator's page clicks again with the same Idempotency-Key, the bridge repeats its reports.
"""

from __future__ import annotations

import json
import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from random import Random
from typing import Any

from tests.bench.wire import Wire
from tests.crash.books import Books, Note
from tests.crash.killer import Killer
from tests.support.desk_process import BRICK_PATHS, TV_SECRET, DeskProcess

PRICES = {"ES": 5250.25, "NQ": 18400.0, "YM": 41000.0}
TICKS = {"ES": 0.25, "NQ": 0.25, "YM": 1.0}
SWING_TICKS = 6  # up and down: the protective stop, 15 points away, is never reached
ASSETS = tuple(PRICES)
UNSENT, UNANSWERED = -1, 0  # what stands for a status when nobody was there, or went before the answer came
TRY_AGAIN_SECONDS = 0.03
PARKED_WITHIN_SECONDS = 120.0


class Line(Wire):
    """A connection that tells when a request has left and its answer is still to come."""

    def __init__(self, port: int, headers: dict[str, str], on_sent: Callable[[], None]) -> None:
        super().__init__(port, headers)
        self._on_sent = on_sent

    def _answer(self) -> tuple[int, bytes]:
        self._on_sent()
        return super()._answer()


class Floor:
    """Where the load meets: one desk, one set of books, one killer, and a barrier to hold everybody."""

    def __init__(self, desk: DeskProcess, books: Books, killer: Killer) -> None:
        self.desk, self.books, self.killer = desk, books, killer
        self._barrier = threading.Condition()
        self._runs = self.is_over = False
        self._actors: list[Actor] = []

    def enter(self, *actors: Actor) -> None:
        self._actors += actors
        for actor in actors:
            actor.start()

    def go_on(self) -> None:
        with self._barrier:
            self._runs = True
            self._barrier.notify_all()

    def hold(self) -> None:
        """Let everybody finish the command they are at, with its tries, and wait."""
        with self._barrier:
            self._runs = False
            are_parked = self._barrier.wait_for(lambda: all(a.is_parked for a in self._actors), PARKED_WITHIN_SECONDS)
        broken = [actor.name for actor in self._actors if not actor.is_alive()]
        assert are_parked, f"the load could not finish what it began; broken: {broken}, {self.books.surprises}"

    def close(self) -> None:
        self.is_over = True
        self.go_on()
        for actor in self._actors:
            actor.join(60)

    def park(self, actor: Actor) -> bool:
        """Wait here while the load is held; False when it is over."""
        with self._barrier:
            while not self._runs:
                actor.is_parked = True
                self._barrier.notify_all()
                self._barrier.wait()
            actor.is_parked = False
        return not self.is_over


class Actor(threading.Thread, ABC):
    """Somebody who sends one command after the other."""

    pace_seconds = 0.015

    def __init__(self, floor: Floor, name: str, seed: str, **headers: str) -> None:
        super().__init__(name=name, daemon=True)
        self.floor, self.books, self.dice = floor, floor.books, Random(f"{seed} {name}")
        self.headers = headers
        self.is_parked = False
        self._line: Line | None = None
        self._kind, self._has_left = "", False

    def run(self) -> None:
        try:
            while self.floor.park(self):
                self.turn()
                time.sleep(self.pace_seconds * self.dice.uniform(0.2, 1.8))
        except Exception as error:
            self.books.surprise(f"{self.name} broke down: {error!r}")
            raise
        finally:
            self._hang_up()

    @abstractmethod
    def turn(self) -> None:
        """Do one thing to the desk, and write down what it answered."""

    def tells(self, note: Note, path: str, body: object, *, good: tuple[int, ...], again: bool, **more: str) -> Note:
        """Send a command; one that gets no answer, or 503, is sent again until it gets one if ``again``."""
        while True:
            status, answer = self._call(note.kind, "POST", path, body, more)
            if status in (UNSENT, UNANSWERED, 503):
                if self.floor.is_over:
                    return note
                if status != UNSENT:
                    note.is_lost_at(datetime.now(UTC))
                if not again:
                    return note
                time.sleep(TRY_AGAIN_SECONDS)
                continue
            if status not in good:
                self.books.surprise(f"{note.kind} {note.name} was answered {status}: {answer}")
            self.books.close(note, status, answer)
            self.floor.killer.happens("answered", note.kind)
            return note

    def reads(self, path: str) -> dict[str, Any] | None:
        """Return what the desk answers, None when it does not."""
        status, answer = self._call("read", "GET", path, None, {})
        return answer if status == 200 else None

    def _call(self, kind: str, method: str, path: str, body: object, more: dict[str, str]) -> tuple[int, Any]:
        self._kind, self._has_left = kind, False
        try:
            line = self._line_with(more)
            status, said = line.call(method, path, body)
            return status, json.loads(said)
        except (OSError, ValueError, StopIteration):
            self._hang_up()
            return UNANSWERED if self._has_left else UNSENT, {}
        finally:
            if more:
                self._hang_up()

    def _line_with(self, more: dict[str, str]) -> Line:
        if self._line is None or more:
            self._hang_up()
            self._line = Line(self.floor.desk.port, {**self.headers, **more}, self._sent)
        return self._line

    def _sent(self) -> None:
        self._has_left = True
        if self._kind != "read":
            self.floor.killer.happens("sent", self._kind)

    def _hang_up(self) -> None:
        if self._line is not None:
            with suppress(OSError):
                self._line.close()
            self._line = None


class Market(Actor):
    """TradingView's alerts for one asset: bricks of all sizes, each with its own id and price, and heartbeats."""

    sizes = (1, 2.5, 4, 6, 8, 12)
    weights = (2, 2, 3, 4, 0.5, 0.3)

    def __init__(self, floor: Floor, asset: str, seed: str, number: int = 1) -> None:
        super().__init__(floor, f"market {asset} {number}", seed)
        self.asset = asset
        self.structure = self.dice.choice(("green", "red"))
        self._opening: list[float] = [0, 12, 8, 6]

    def turn(self) -> None:
        size = self._opening.pop(0) if self._opening else self._next_size()
        if size == 0:
            self._heartbeat()
        else:
            self._brick(size)

    def _next_size(self) -> float:
        return 0 if self.dice.random() < 0.2 else self.dice.choices(self.sizes, self.weights)[0]

    def _heartbeat(self) -> None:
        price = PRICES[self.asset] + self.dice.randint(-SWING_TICKS, SWING_TICKS) * TICKS[self.asset]
        note = self.books.open("heartbeat", f"{self.asset} {self.books.number('heartbeat')}", self.asset)
        body = {"secret": TV_SECRET, "symbol": self.asset, "price": price}
        self.tells(note, "/tv_heartbeat", body, good=(200,), again=False)

    def _brick(self, size: float) -> None:
        number = self.books.number("brick")
        if size >= 8 and self.dice.random() < 0.25:
            self.structure = "red" if self.structure == "green" else "green"
        color = self.structure if size >= 8 or self.dice.random() < 0.6 else self.dice.choice(("green", "red"))
        kind = "live brick" if size == 1 else "brick"
        note = self.books.open(kind, f"{self.asset}-{size}-{number}", self.asset, close=100_000 + number * 0.25)
        body = {"secret": TV_SECRET, "asset": self.asset, "color": color, "bar_id": note.name, **note.facts}
        resent = self.dice.random() < 0.6
        self.tells(note, BRICK_PATHS[size], body, good=(200,), again=resent)
        if resent and note.lost == 0 and self.dice.random() < 0.03:
            self._says_it_twice(note, BRICK_PATHS[size], body)

    def _says_it_twice(self, note: Note, path: str, body: object) -> None:
        status, answer = self._call("read", "POST", path, body, {})
        if status == 200 and not answer.get("duplicate"):
            self.books.surprise(f"brick {note.name} was taken twice")


class Operator(Actor):
    """Clicks what the ladder allows and often what it does not; each entry with a key, until it is answered."""

    pace_seconds = 0.02

    def __init__(self, floor: Floor, cookie: str, seed: str) -> None:
        super().__init__(floor, "operator", seed, Cookie=cookie)
        self._seed = seed

    def turn(self) -> None:
        known = self.books.newest_version
        state = self.reads("/api/state")
        if state is None:
            time.sleep(TRY_AGAIN_SECONDS)
            return
        if state["version"] < known:  # what is shown later is never older than what was answered
            self.books.surprise(f"version {state['version']} was shown after {known} was answered")
        symbol = self.dice.choice(ASSETS)
        asset = state["assets"][symbol]
        if asset["may_enter"]:
            self._enters(symbol, self.dice.choice(asset["may_enter"]))
        elif asset["position"]:
            self._manages(symbol, asset)
        else:
            self._fidgets(symbol)

    def _enters(self, asset: str, direction: str, order_type: str = "market") -> None:
        key = f"{order_type}-{self._seed}-{self.books.number('click')}"
        note = self.books.open("click" if order_type == "market" else "preorder", key, asset)
        note.facts = {
            "asset": asset,
            "trade_mode": self.dice.choice(("SCALP", "RUNNER")),
            "order_type": order_type,
            "direction": direction,
            "entry_size_mode": self.dice.choice(("6pt", "9pt")),
        }
        self.tells(note, "/api/orders", note.facts, good=(201, 409), again=True, **{"Idempotency-Key": key})

    def _manages(self, symbol: str, asset: dict[str, Any]) -> None:
        draw = self.dice.random()
        if draw < 0.12:
            self._asks("exit", "/api/exit", symbol, force=True)
        elif draw < 0.25 and asset["scale_in_available"]:
            self._asks("scale-in", "/api/scale-in", symbol, good=(201, 409))
        elif draw < 0.35:
            self._asks("toggle main_flip_exit_enabled", "/api/main-flip-exit", symbol)
        elif draw < 0.42:
            self._asks("toggle four_pt_invalidation_enabled", "/api/four-pt-invalidation", symbol)
        elif draw < 0.60:
            target = round(60 + self.books.number("target") * 0.001, 3)
            note = self.books.open("target", f"{target:g}", symbol)
            body = {"asset": symbol, "enabled": True, "target": target}
            self.tells(note, "/api/points-take-profit", body, good=(200, 409, 423), again=False)

    def _fidgets(self, symbol: str) -> None:
        draw = self.dice.random()
        if draw < 0.08:
            self._enters(symbol, self.dice.choice(("BUY", "SELL")))  # blocked, and journaled
        elif draw < 0.12:
            self._enters(symbol, self.dice.choice(("BUY", "SELL")), "preorder")
        elif draw < 0.17:
            limit = round(99.9 - self.books.number("limit") * 0.0001, 4)
            note = self.books.open("limit", f"{limit:g}")
            self.tells(
                note, "/api/limits", {"daily_stop_limit_pct": limit}, good=(200,), again=self.dice.random() < 0.5
            )
        elif draw < 0.20:
            note = self.books.open("consume", str(self.books.number("consume")))
            self.tells(note, "/api/trade-limit/consume", {}, good=(200,), again=False)

    def _asks(self, kind: str, path: str, asset: str, good: tuple[int, ...] = (200, 409), **more: Any) -> None:
        note = self.books.open(kind, f"{asset} {self.books.number(kind)}", asset)
        self.tells(note, path, {"asset": asset, **more}, good=good, again=False)
