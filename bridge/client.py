"""The desk over HTTP: ask for orders, report, heartbeat, snapshot (contract: Bridge; SPEC 8)."""

import threading
from typing import Any
from urllib.parse import quote

import msgspec
import requests

from bridge.clock import DeskTime
from wire.bridge import (
    BRIDGE_TIME_HEADER,
    ExecutionReport,
    FillsReport,
    HandedOut,
    Heartbeat,
    PnlSnapshot,
    TicksReport,
    decode_pending,
)
from wire.encoding import encode
from wire.program import agent_of

SECRET_HEADER = "X-Bridge-Secret"  # noqa: S105 - the name of a header, not a secret
CONNECT_SECONDS = 3.0
ANSWER_SECONDS = 10.0
LONG_POLL_SECONDS = 25
ORDERS_PER_ASK = 20

ASK_AGAIN_LATER = frozenset({408, 425, 429})


class DeskUnavailable(Exception):
    """The desk gave no usable answer. Whether it acted is unknown; repeating the request is harmless."""


class SecretRefused(DeskUnavailable):
    """The desk does not accept the bridge's secret; an operator must correct it."""


class RequestRefused(Exception):
    """The desk refuses the request for good: repeating it would not help."""

    def __init__(self, status: int, sentence: str) -> None:
        """Keep the HTTP `status` and the desk's `sentence`."""
        super().__init__(f"{status}: {sentence}")
        self.status = status


class RefusedFill(msgspec.Struct, frozen=True):
    """A fill that the desk refuses for good."""

    exec_id: str
    code: str = ""


class FillsAnswer(msgspec.Struct, frozen=True):
    """The desk's answer to a report of fills; all others were taken or are known."""

    refused: tuple[RefusedFill, ...] = ()


_fills_decoder = msgspec.json.Decoder(FillsAnswer)


class DeskClient:
    """Calls one desk. Every thread has its own connection; every answer has a time limit."""

    def __init__(
        self, desk_url: str, secret: str, owner: str, instance: str | None = None, clock: DeskTime | None = None
    ) -> None:
        """Call the desk at `desk_url` as the bridge `owner`, whose ledger has the id `instance`.

        `clock` learns the desk's time from every answer.
        """
        self._desk_url = desk_url.rstrip("/")
        self._secret = secret
        self._owner = owner
        self._instance = instance
        self._clock = clock or DeskTime()
        self._local = threading.local()

    def pending_orders(self, wait_seconds: int = LONG_POLL_SECONDS) -> HandedOut:
        """Claim orders, waiting up to `wait_seconds` for one to be queued (SPEC 8.2).

        Raises `DeskUnavailable`, `RequestRefused`.
        """
        asked: dict[str, str | int] = {"limit": ORDERS_PER_ASK, "owner": self._owner, "wait": wait_seconds}
        if self._instance is not None:
            asked["instance"] = self._instance
        answer = self._send("GET", "/api/orders/pending", wait_seconds + ANSWER_SECONDS, params=asked)
        try:
            return decode_pending(answer)
        except msgspec.DecodeError as error:
            raise DeskUnavailable(f"the answer to the ask for orders is not readable: {error}") from error

    def report(self, order_id: str, report: ExecutionReport) -> None:
        """Report on an order; the desk accepts a repeated report too. Raises `DeskUnavailable`, `RequestRefused`."""
        path = f"/api/orders/{quote(order_id, safe='')}/execution-report"
        self._send("POST", path, ANSWER_SECONDS, data=encode(report))

    def heartbeat(self, heartbeat: Heartbeat) -> None:
        """Send a heartbeat. Raises `DeskUnavailable`, `RequestRefused`."""
        self._send("POST", "/api/bridge/heartbeat", ANSWER_SECONDS, data=self._with_secret(heartbeat))

    def pnl_snapshot(self, snapshot: PnlSnapshot) -> None:
        """Send account and positions. Raises `DeskUnavailable`, `RequestRefused`."""
        self._send("POST", "/api/rithmic/pnl-snapshot", ANSWER_SECONDS, data=self._with_secret(snapshot))

    def report_fills(self, report: FillsReport) -> FillsAnswer:
        """Report fills that no order caused (SPEC 8.3). Raises `DeskUnavailable`, `RequestRefused`."""
        answer = self._send("POST", "/api/bridge/fills", ANSWER_SECONDS, data=self._with_secret(report))
        try:
            return _fills_decoder.decode(answer)
        except msgspec.DecodeError as error:
            raise DeskUnavailable(f"the answer to the report of fills is not readable: {error}") from error

    def report_ticks(self, report: TicksReport) -> None:
        """Tell ticks of the market. Raises `DeskUnavailable`, `RequestRefused` (404 from a desk that knows none)."""
        self._send("POST", "/api/bridge/ticks", ANSWER_SECONDS, data=self._with_secret(report))

    def open_quotes(self, silence_seconds: float) -> requests.Response:
        """Open the desk's stream of prices; reading it fails after `silence_seconds` without a byte.

        Raises `DeskUnavailable`, `RequestRefused`.
        """
        return self._request(
            "GET",
            "/api/stream",
            silence_seconds,
            params={"topics": "quotes"},
            stream=True,
            more={"Accept": "text/event-stream", "Accept-Encoding": "identity"},
        )

    def _with_secret(self, body: Heartbeat | PnlSnapshot | FillsReport | TicksReport) -> bytes:
        """Encode the body with the secret in it: the contract wants it there for all but orders and reports."""
        return b'{"secret":' + msgspec.json.encode(self._secret) + b"," + encode(body)[1:]

    def _send(self, method: str, path: str, answer_seconds: float, **request: Any) -> bytes:
        with self._request(method, path, answer_seconds, **request) as response:
            try:
                return response.content
            except requests.RequestException as error:
                raise DeskUnavailable(f"the desk broke off its answer: {type(error).__name__}") from error

    def _request(
        self, method: str, path: str, answer_seconds: float, more: dict[str, str] | None = None, **request: Any
    ) -> requests.Response:
        headers = {BRIDGE_TIME_HEADER: self._clock.machine().isoformat(), **(more or {})}
        try:
            response = self._session().request(
                method,
                self._desk_url + path,
                timeout=(CONNECT_SECONDS, answer_seconds),
                allow_redirects=False,
                headers=headers,
                **request,
            )
        except requests.RequestException as error:
            raise DeskUnavailable(f"the desk does not answer: {type(error).__name__}") from error
        self._clock.hear(response.headers)
        if response.status_code // 100 != 2:
            raise _failure(response)
        return response

    def _session(self) -> requests.Session:
        session: requests.Session | None = getattr(self._local, "session", None)
        if session is None:
            session = requests.Session()
            session.trust_env = False
            session.headers.update(
                {SECRET_HEADER: self._secret, "Content-Type": "application/json", "User-Agent": agent_of("bridge")}
            )
            self._local.session = session
        return session


def _failure(response: requests.Response) -> DeskUnavailable | RequestRefused:
    """Return the exception that an answer other than 2xx means."""
    status = response.status_code
    with response:
        sentence = _sentence(response)
    if status in (401, 403):
        return SecretRefused(f"the desk refuses the bridge's secret ({status})")
    if 400 <= status < 500 and status not in ASK_AGAIN_LATER:
        return RequestRefused(status, sentence)
    return DeskUnavailable(f"the desk answers {status}: {sentence}")


def _sentence(response: requests.Response) -> str:
    try:
        body = msgspec.json.decode(response.content)
    except (msgspec.DecodeError, requests.RequestException):
        return response.reason or ""
    return str(body.get("error", body)) if isinstance(body, dict) else str(body)
