"""Real processes for tests and benchmarks: web under gunicorn and the paper bridge, on loopback, in a folder."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import requests

PROJECT = Path(__file__).resolve().parent.parent
SECRETS = {
    "TV_WEBHOOK_SECRET": "tradingview-test-secret",
    "BRIDGE_HEARTBEAT_SECRET": "bridge-test-secret",
    "FLASK_SECRET_KEY": "session-test-key",
    "DASHBOARD_PASSWORD": "operator-test-password",
}
QUIET = {"NOTIFY_URLS": "", "DASHBOARD_PASSWORD_HASH": ""}  # what a developer's own .env must not bring in
READY_SECONDS = 20.0


def free_port() -> int:
    """Return a port that nobody listens on right now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


class Child:
    """One process of ours; what it says on stderr and stdout is kept in ``log``."""

    def __init__(self, name: str, argv: list[str], env: dict[str, str], folder: Path) -> None:
        self.argv, self.env, self.folder = argv, env, folder
        self.log = folder / f"{name}.log"
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        base = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                self.argv, cwd=PROJECT, env={**base, **self.env}, stdout=log, stderr=log, start_new_session=True
            )

    def signal(self, number: int) -> None:
        """Signal the whole group: gunicorn's master and its worker."""
        if self.process is not None and self.process.poll() is None:
            os.killpg(self.process.pid, number)

    def kill(self) -> None:
        self.signal(signal.SIGKILL)
        self.wait()

    def terminate(self) -> None:
        self.signal(signal.SIGTERM)
        self.wait()

    def wait(self, seconds: float = 15.0) -> int | None:
        return self.process.wait(seconds) if self.process is not None else None


class Web(Child):
    """Web as production starts it: ``gunicorn app:app`` with nothing but its environment."""

    def __init__(self, folder: Path, **settings: str) -> None:
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.store = folder / "desk.sqlite"
        place = {"PORT": str(self.port), "HOST": "127.0.0.1", "SQLITE_PATH": str(self.store)}
        env = {**SECRETS, **QUIET, **place, **settings}
        super().__init__("web", [sys.executable, "-m", "gunicorn", "app:app"], env, folder)

    def start(self) -> None:
        super().start()
        deadline = time.monotonic() + READY_SECONDS
        while time.monotonic() < deadline:
            try:
                if requests.get(f"{self.url}/api/auth/status", timeout=READY_SECONDS).ok:
                    return
            except requests.RequestException:
                time.sleep(0.05)
        raise RuntimeError(f"web did not answer within {READY_SECONDS} s:\n{self.log.read_text()}")

    def operator(self) -> requests.Session:
        """Return a logged-in session."""
        session = requests.Session()
        session.post(f"{self.url}/api/login", json={"password": self.env["DASHBOARD_PASSWORD"]}).raise_for_status()
        return session

    def bridge_session(self) -> requests.Session:
        session = requests.Session()
        session.headers["X-Bridge-Secret"] = self.env["BRIDGE_HEARTBEAT_SECRET"]
        return session

    def webhook(self, path: str, session: requests.Session | None = None, **body: object) -> requests.Response:
        """Post one webhook as TradingView would."""
        message = {"secret": self.env["TV_WEBHOOK_SECRET"], **body}
        return (session or requests).post(f"{self.url}/{path}", json=message, timeout=10)


class PaperBridge(Child):
    """The paper bridge beside that web."""

    def __init__(self, folder: Path, web: Web, **settings: str) -> None:
        self.ledger = folder / "bridge.sqlite"
        env = {
            "LOCKSTEP_URL": web.url,
            "BRIDGE_HEARTBEAT_SECRET": web.env["BRIDGE_HEARTBEAT_SECRET"],
            "BRIDGE_LEDGER_PATH": str(self.ledger),
            **settings,
        }
        super().__init__("bridge", [sys.executable, "-m", "bridge", "--broker", "paper"], env, folder)
