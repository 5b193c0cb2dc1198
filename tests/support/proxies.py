"""The proxies of docs/how-to/operations.md before a real desk: the page's own blocks, without https."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import requests

from tests.support.desk_process import DeskProcess, eventually
from tests.support.paths import REPOSITORY
from tests.support.ports import free_port

PAGE = (REPOSITORY / "docs" / "how-to" / "operations.md").read_text("utf-8")
TRIES = 5
NOBODY = 9  # a port at which nobody listens


def block(language: str, first: str = "") -> str:
    """Return the page's code block of a language that begins with these words."""
    found = re.findall(rf"^```{language}\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
    [one] = [text for text in found if text.startswith(first)]
    return str(one)


def caddy(folder: Path, port: int, desk: DeskProcess, feeds_port: int) -> list[str]:
    """Write the page's Caddyfile for this desk and these feeds, without https; return the command."""
    text = block("caddyfile").replace("{\n\tservers", "{\n\tadmin off\n\tservers", 1)
    text = text.replace("desk.example.com", f"http://127.0.0.1:{port}")
    text = text.replace("127.0.0.1:8001", f"127.0.0.1:{desk.port}").replace(
        "127.0.0.1:8002", f"127.0.0.1:{free_port()}"
    )
    text = text.replace("127.0.0.1:8765", f"127.0.0.1:{feeds_port}")
    (folder / "Caddyfile").write_text(text)
    return ["caddy", "run", "--config", str(folder / "Caddyfile"), "--adapter", "caddyfile"]


def nginx(folder: Path, port: int, desk: DeskProcess, feeds_port: int) -> list[str]:
    """Write the page's nginx block for both, without https, into a whole configuration; return the command."""
    text = re.sub(r"listen 443.*;", f"listen 127.0.0.1:{port};", block("nginx"))
    text = re.sub(r"\tssl_.*\n", "", text).replace("127.0.0.1:8001", f"127.0.0.1:{desk.port}")
    text = text.replace("127.0.0.1:8765", f"127.0.0.1:{feeds_port}")
    paths = "".join(
        f"{kind}_temp_path {folder}/{kind};\n" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    whole = (
        f"daemon off;\npid {folder}/pid;\nerror_log stderr;\nevents {{}}\nhttp {{\naccess_log off;\n{paths}{text}}}\n"
    )
    (folder / "nginx.conf").write_text(whole)
    return ["nginx", "-e", "stderr", "-p", str(folder), "-c", str(folder / "nginx.conf")]


PROXIES: dict[str, Callable[[Path, int, DeskProcess, int], list[str]]] = {"caddy": caddy, "nginx": nginx}


@contextmanager
def running(name: str, folder: Path, desk: DeskProcess, feeds_port: int = NOBODY) -> Iterator[None]:
    """Run the proxy on a free port; the desk's callers go through it meanwhile. Without a port there are no feeds."""
    for _ in range(TRIES):
        port = free_port()
        with _running(PROXIES[name](folder, port, desk, feeds_port), folder, desk, port) as is_ours:
            if is_ours:
                yield
                return
    raise AssertionError((folder / "log").read_text("utf-8", "replace"))


@contextmanager
def _running(command: list[str], folder: Path, desk: DeskProcess, port: int) -> Iterator[bool]:
    """Run the proxy on this port. Give False when somebody else took the port meanwhile."""
    environment = {"PATH": "/usr/bin:/usr/sbin:/bin", "HOME": str(folder), "XDG_DATA_HOME": str(folder)}
    with (
        (folder / "log").open("wb") as log,
        subprocess.Popen(command, env=environment, stdout=log, stderr=log) as proxy,
    ):
        desk.proxy_port = port

        def answers() -> bool:
            with suppress(requests.ConnectionError):
                return desk.stranger().get("/api/auth/status").status_code == 200
            return proxy.poll() is not None

        try:
            eventually(answers)
            yield proxy.poll() is None
        finally:
            desk.hang_up()
            desk.proxy_port = None
            proxy.terminate()
