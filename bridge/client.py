"""The desk over HTTP: ask for orders, report, heartbeat, snapshot (contract: Bridge; SPEC 8)."""

import threading
from typing import Any
from urllib.parse import quote

import msgspec
import requests

from wire.bridge import (
    ExecutionReport,
    Heartbeat,
    MalformedOrder,
    OrderTicket,
    PnlSnapshot,
    decode_pending,
    encode,
)

SECRET_HEADER = "X-Bridge-Secret"  # noqa: S105 - the name of a header, not a secret
CONNECT_SECONDS = 3.0
ANSWER_SECONDS = 10.0
LONG_POLL_SECONDS = 25
ORDERS_PER_ASK = 20

ASK_AGAIN_LATER = frozenset({408, 425, 429})


class DeskUnavailable(Exception):
    """The desk did not answer, or cannot now; whether it acted is unknown, asking again is harmless."""


class SecretRefused(DeskUnavailable):
    """The desk does not accept the bridge's secret; somebody has to correct it."""


class RequestRefused(Exception):
    """The desk refuses for good: repeating the request would not help."""

    def __init__(self, status: int, sentence: str) -> None:
        """Keep the HTTP `status` and the desk's `sentence`."""
        super().__init__(f"{status}: {sentence}")
        self.status = status


class DeskClient:
    """One desk. Every thread gets its own connection; answers are bounded in time."""

    def __init__(self, desk_url: str, secret: str, owner: str) -> None:
        """Speak to the desk at `desk_url` as the bridge `owner`."""
        self._desk_url = desk_url.rstrip("/")
        self._secret = secret
        self._owner = owner
        self._local = threading.local()

    def pending_orders(self, wait_seconds: int = LONG_POLL_SECONDS) -> list[OrderTicket | MalformedOrder]:
        """Claim orders, waiting up to `wait_seconds` for one to be queued (SPEC 8.2).

        Raises `DeskUnavailable`, `RequestRefused`.
        """
        asked = {"limit": ORDERS_PER_ASK, "owner": self._owner, "wait": wait_seconds}
        answer = self._send("GET", "/api/orders/pending", wait_seconds + ANSWER_SECONDS, params=asked)
        try:
            return decode_pending(answer)
        except msgspec.DecodeError as error:
            raise DeskUnavailable(f"the answer to the ask for orders is not readable: {error}") from error

    def report(self, order_id: str, report: ExecutionReport) -> None:
        """Report on an order; a repeated report is accepted as well. Raises `DeskUnavailable`, `RequestRefused`."""
        path = f"/api/orders/{quote(order_id, safe='')}/execution-report"
        self._send("POST", path, ANSWER_SECONDS, data=encode(report))

    def heartbeat(self, heartbeat: Heartbeat) -> None:
        """Tell that the bridge lives. Raises `DeskUnavailable`, `RequestRefused`."""
        self._send("POST", "/api/bridge/heartbeat", ANSWER_SECONDS, data=self._with_secret(heartbeat))

    def pnl_snapshot(self, snapshot: PnlSnapshot) -> None:
        """Tell account and positions. Raises `DeskUnavailable`, `RequestRefused`."""
        self._send("POST", "/api/rithmic/pnl-snapshot", ANSWER_SECONDS, data=self._with_secret(snapshot))

    def open_quotes(self, silence_seconds: float) -> requests.Response:
        """Open the desk's stream of prices; reading it raises after `silence_seconds` without a byte.

        Raises `DeskUnavailable`, `RequestRefused`.
        """
        return self._request(
            "GET",
            "/api/stream",
            silence_seconds,
            params={"topics": "quotes"},
            stream=True,
            headers={"Accept": "text/event-stream", "Accept-Encoding": "identity"},
        )

    def _with_secret(self, body: Heartbeat | PnlSnapshot) -> bytes:
        """Put the secret first in the body, where the contract wants it for these two."""
        return b'{"secret":' + msgspec.json.encode(self._secret) + b"," + encode(body)[1:]

    def _send(self, method: str, path: str, answer_seconds: float, **request: Any) -> bytes:
        with self._request(method, path, answer_seconds, **request) as response:
            try:
                return response.content
            except requests.RequestException as error:
                raise DeskUnavailable(f"the desk broke off its answer: {type(error).__name__}") from error

    def _request(self, method: str, path: str, answer_seconds: float, **request: Any) -> requests.Response:
        try:
            response = self._session().request(
                method,
                self._desk_url + path,
                timeout=(CONNECT_SECONDS, answer_seconds),
                allow_redirects=False,
                **request,
            )
        except requests.RequestException as error:
            raise DeskUnavailable(f"the desk does not answer: {type(error).__name__}") from error
        if response.status_code // 100 != 2:
            raise _failure(response)
        return response

    def _session(self) -> requests.Session:
        session: requests.Session | None = getattr(self._local, "session", None)
        if session is None:
            session = requests.Session()
            session.trust_env = False
            session.headers.update({SECRET_HEADER: self._secret, "Content-Type": "application/json"})
            self._local.session = session
        return session


def _failure(response: requests.Response) -> DeskUnavailable | RequestRefused:
    """Say what an answer other than 2xx means for the asker."""
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
