"""A broker that must not be asked. A fake extends it with what its story asks."""

from __future__ import annotations

from datetime import datetime
from typing import NoReturn

from bridge.brokers.broker import AccountStatement, Broker, BrokerListener, BrokerOrder, ProtectiveStop
from wire.bridge import OrderTicket, StopToRest
from wire.types import Env


class UnaskedBroker(Broker):
    """Answers nothing: a question that the story did not foresee fails the test."""

    @property
    def account(self) -> str:
        self._is_asked("account")

    @property
    def trade_route(self) -> str:
        self._is_asked("trade_route")

    @property
    def env(self) -> Env:
        self._is_asked("env")

    @property
    def envs(self) -> tuple[Env, ...]:
        self._is_asked("envs")

    def open(self, listener: BrokerListener) -> None:
        self._is_asked("open")

    def close(self) -> None:
        self._is_asked("close")

    def is_connected(self) -> bool:
        self._is_asked("is_connected")

    def has_market_data(self) -> bool:
        self._is_asked("has_market_data")

    def last_event_at(self) -> datetime | None:
        self._is_asked("last_event_at")

    def submit(self, order: OrderTicket) -> None:
        self._is_asked("submit")

    def cancel(self, client_tag: str, reason: str) -> None:
        self._is_asked("cancel")

    def look_up(self, client_tag: str) -> BrokerOrder | None:
        self._is_asked("look_up")

    def statement(self) -> AccountStatement:
        self._is_asked("statement")

    def rest_stop(self, stop: StopToRest) -> None:
        self._is_asked("rest_stop")

    def protective_stops(self) -> tuple[ProtectiveStop, ...]:
        self._is_asked("protective_stops")

    def on_clock(self, now: datetime) -> None:
        self._is_asked("on_clock")

    def _is_asked(self, what: str) -> NoReturn:
        raise AssertionError(f"{type(self).__name__} was asked for {what}")
