"""Real feeds for tests: ``python -m feeds`` on free ports, with a file of their own, beside a desk."""

from __future__ import annotations

import time
from contextlib import suppress
from pathlib import Path
from typing import Any, Self

import requests

from tests.support.desk_process import PATIENCE_SECONDS, SERVICE_SECRET, DeskProcess, eventually
from tests.support.ports import free_port
from tests.support.processes import Child

METRICS_TOKEN = "metrics-token-of-the-test-feeds"
PORT_SETTINGS = {
    "market": "FEEDS_PORT",
    "consensus": "CONSENSUS_PORT",
    "telemetry": "TELEMETRY_PORT",
    "journal": "JOURNAL_PORT",
    "signals": "ENGINE_PORT",
    "data": "DATA_PORT",
}


class FeedsProcess(Child):
    """One ``python -m feeds``. `on` names the feeds that are switched on; the others have port 0.

    A test desk knows its secret by itself.
    """

    program = "feeds"

    def __init__(
        self, desk: DeskProcess | str, folder: Path, on: tuple[str, ...] = ("market",), **settings: str
    ) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.database = folder / "feeds.sqlite"
        self.ports = {name: free_port() if name in on else 0 for name in PORT_SETTINGS}
        own = {
            "LOCKSTEP_URL": desk if isinstance(desk, str) else desk.url,
            "SERVICE_SECRET": SERVICE_SECRET,
            "METRICS_TOKEN": METRICS_TOKEN,
            "FEEDS_PATH": str(self.database),
            "FEEDS_HOST": "127.0.0.1",
            **{setting: str(self.ports[name]) for name, setting in PORT_SETTINGS.items()},
            "ONE_PORT": "0",
            "CORS_ORIGINS": "",
            "LOCAL_FEEDS_REQUIRE_KEY": "0",
        }
        super().__init__(["-m", self.program], {**own, **settings}, folder / "feeds.log")

    # -- start and end ------------------------------------------------------------------------------------------

    def start(self) -> Self:
        """Start it and wait until a port answers."""
        process = self.spawn()
        deadline = time.monotonic() + PATIENCE_SECONDS
        while True:
            assert process.poll() is None, f"feeds ended at their start: {self.log()}"
            assert time.monotonic() < deadline, f"feeds did not answer: {self.log()}"
            with suppress(requests.ConnectionError, requests.Timeout):
                if self.health() is not None:
                    return self
            time.sleep(0.03)

    def restart(self, **settings: str) -> Self:
        """End it and start it again on the same file and ports, with these settings changed."""
        self.terminate()
        self.settings.update(settings)
        return self.start()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.kill()

    # -- what it says -------------------------------------------------------------------------------------------

    def url(self, feed: str = "market", scheme: str = "http") -> str:
        """Return the address of a feed, without a path."""
        return f"{scheme}://127.0.0.1:{self.ports[feed]}"

    def health(self) -> dict[str, Any]:
        """Return the answer of ``/health`` of the first feed that is switched on."""
        feed = next(name for name, port in self.ports.items() if port)
        answer = requests.get(self.url(feed) + "/health", timeout=PATIENCE_SECONDS)
        assert answer.status_code == 200, answer.text
        document: dict[str, Any] = answer.json()
        return document

    def hears_web(self) -> Self:
        """Wait until it hears web."""
        eventually(lambda: self.health()["web"]["is_up"])
        return self
