"""The connection to the desk: posts messages over one kept-alive connection and loses none.

TradingView gives up a message after three tries; a tape must not. After a server error, a broken connection or a 429 it
sends the *same* message again until the desk accepts it (its ``bar_id`` makes a second arrival a duplicate). Any other
refusal (4xx) ends the tape, because a retry cannot help.
"""

from __future__ import annotations

import time
from http import HTTPStatus

import requests

from tape.controls import Controls
from tape.messages import Message
from wire.program import agent_of

CONNECT_SECONDS = 3.0
ANSWER_SECONDS = 10.0
FIRST_RETRY_SECONDS = 0.1
LONGEST_RETRY_SECONDS = 5.0
DOUBLINGS = 10
RETRIES_IN_SILENCE = 3
NO_ANSWER = (requests.ConnectionError, requests.Timeout, requests.exceptions.ChunkedEncodingError)
JSON = {"Content-Type": "application/json"}
LONGEST_REASON = 200
REFUSALS: dict[int, str] = {
    HTTPStatus.UNAUTHORIZED: "the desk refused TV_WEBHOOK_SECRET",
    HTTPStatus.FORBIDDEN: "the desk refused TV_WEBHOOK_SECRET",
    HTTPStatus.NOT_FOUND: "there is no such webhook: is this the desk's address?",
}


class DeskRefused(Exception):
    """The desk refused a message for good. A retry does not help."""

    def __init__(self, webhook: str, status: int, answer: str) -> None:
        reason = REFUSALS.get(status) or answer[:LONGEST_REASON] or "no reason given"
        super().__init__(f"{webhook} answered {status}: {reason}")
        self.status = status


class DeskLine:
    """One kept-alive HTTP connection to the desk's webhooks at ``url``."""

    def __init__(self, url: str, controls: Controls) -> None:
        self._url = url.rstrip("/")
        self._controls = controls
        self._http = requests.Session()
        self._http.headers["User-Agent"] = agent_of("tape")
        self._http.trust_env = False  # no proxy of the environment, and no reading of .netrc for each message

    def deliver(self, message: Message) -> int:
        """Post a message until the desk accepts it; return the number of retries.

        Raises DeskRefused when the desk refuses it for good, and TapeStopped when the operator ends the tape.
        """
        retries = 0
        while (answer := self._post(message)) is None or _asks_for_patience(answer):
            if retries == RETRIES_IN_SILENCE:
                self._controls.say(f"The desk {_complaint(answer)}: the tape waits and sends again.")
            self._controls.rest(_backoff(retries))
            retries += 1
        if answer.status_code >= HTTPStatus.MULTIPLE_CHOICES:
            raise DeskRefused(message.webhook, answer.status_code, answer.text)
        return retries

    def wait_until_up(self, patience_seconds: float) -> bool:
        """Wait until the desk answers at all; False when it did not within the time."""
        gives_up_at = time.monotonic() + patience_seconds
        tries = 0
        while not self._answers():
            wait = _backoff(tries)
            if time.monotonic() + wait > gives_up_at:
                return False
            self._controls.rest(wait)
            tries += 1
        return True

    def close(self) -> None:
        """Close the connection."""
        self._http.close()

    def _answers(self) -> bool:
        try:
            self._http.get(self._url, timeout=CONNECT_SECONDS, allow_redirects=False)
        except NO_ANSWER:
            return False
        return True

    def _post(self, message: Message) -> requests.Response | None:
        """Post once; return ``None`` without a complete answer."""
        try:
            return self._http.post(
                self._url + message.webhook,
                data=message.body,
                headers=JSON,
                timeout=(CONNECT_SECONDS, ANSWER_SECONDS),
                allow_redirects=False,
            )
        except NO_ANSWER:
            return None


def _asks_for_patience(answer: requests.Response) -> bool:
    status = answer.status_code
    return status >= HTTPStatus.INTERNAL_SERVER_ERROR or status == HTTPStatus.TOO_MANY_REQUESTS


def _complaint(answer: requests.Response | None) -> str:
    return "does not answer" if answer is None else f"answers {answer.status_code} and takes no message"


def _backoff(failures: int) -> float:
    doublings = min(failures, DOUBLINGS)
    return float(min(FIRST_RETRY_SECONDS * 2**doublings, LONGEST_RETRY_SECONDS))
