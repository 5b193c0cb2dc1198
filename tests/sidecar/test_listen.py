"""Ports that feeds bind themselves: a taken one is said and waited for, the others serve meanwhile."""

from __future__ import annotations

import socket
import time
from pathlib import Path

import pytest
import requests

from tests.support.desk_process import PATIENCE_SECONDS, eventually
from tests.support.feeds_process import FeedsProcess
from tests.support.ports import free_port

pytestmark = pytest.mark.processes
NO_DESK = "http://127.0.0.1:9"


def port_of(feeds: FeedsProcess, name: str) -> dict[str, object]:
    [port] = [port for port in feeds.health()["ports"] if port["name"] == name]
    return dict(port)


def test_both_loopbacks_are_served_and_switched_off_ports_are_not(tmp_path: Path) -> None:
    with FeedsProcess(NO_DESK, tmp_path, ("market",)) as feeds:
        number = feeds.ports["market"]
        for address in (f"http://127.0.0.1:{number}", f"http://[::1]:{number}", f"http://localhost:{number}"):
            assert requests.get(f"{address}/health", timeout=PATIENCE_SECONDS).status_code == 200
        health = feeds.health()
        assert {port["name"]: port["state"] for port in health["ports"]} == {
            "market": "listening",
            "consensus": "off",
            "telemetry": "off",
            "journal": "off",
            "signals": "off",
            "data": "off",
        }
        assert health["status"] == "degraded"  # no desk is heard
        eventually(lambda: feeds.health()["web"]["why"] == "unreachable")
        assert feeds.terminate() < 4.0


@pytest.mark.parametrize("address", ["127.0.0.1", "::1"])
def test_a_taken_port_is_one_line_and_is_served_once_it_is_free(tmp_path: Path, address: str) -> None:
    feeds = FeedsProcess(NO_DESK, tmp_path, ("market", "consensus"))
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with socket.socket(family) as other:
        other.bind((address, feeds.ports["consensus"]))
        other.listen()
        with feeds:
            eventually(lambda: port_of(feeds, "consensus")["state"] == "taken")
            time.sleep(0.2)
            assert feeds.health()["status"] == "degraded"
            assert feeds.log().count("a port is taken") == 1
            other.close()
            eventually(lambda: port_of(feeds, "consensus")["state"] == "listening")


def test_an_address_that_the_machine_does_not_have_ends_nothing(tmp_path: Path) -> None:
    feeds = FeedsProcess(NO_DESK, tmp_path, ("market", "consensus"), FEEDS_HOST="192.0.2.7")
    feeds.spawn()
    try:
        eventually(lambda: "a port is taken" in feeds.log())
        assert feeds.spawned.poll() is None
        assert feeds.terminate() < 4.0
    finally:
        feeds.kill()


def test_a_wrong_setting_and_a_used_file_end_the_start_with_a_sentence(tmp_path: Path) -> None:
    wrong = FeedsProcess(NO_DESK, tmp_path / "wrong", FEEDS_PORT="no")
    assert wrong.spawn().wait(PATIENCE_SECONDS) == 1
    assert "FEEDS_PORT must be a port" in wrong.log()
    with FeedsProcess(NO_DESK, tmp_path / "one") as first:
        second = FeedsProcess(NO_DESK, tmp_path / "two", FEEDS_PATH=str(first.database))
        assert second.spawn().wait(PATIENCE_SECONDS) == 1
        assert "already running" in second.log()


def test_on_a_host_with_one_port_only_what_may_be_served_outside_is_there(tmp_path: Path) -> None:
    feeds = FeedsProcess(NO_DESK, tmp_path, ("market", "consensus", "telemetry", "journal", "signals"))
    one = free_port()
    feeds.settings["ONE_PORT"] = str(one)
    feeds.ports["market"] = one
    with feeds:
        assert [port["name"] for port in feeds.health()["ports"] if port["state"] != "off"] == ["market"]
        assert (
            requests.get(f"http://127.0.0.1:{one}/api/market/v1/instruments", timeout=PATIENCE_SECONDS).status_code
            == 401
        )
        for path in ("/ws/consensus", "/api/journal", "/connect"):
            assert requests.get(f"http://127.0.0.1:{one}{path}", timeout=PATIENCE_SECONDS).status_code == 404
        for name in ("consensus", "telemetry", "journal", "signals"):
            with pytest.raises(requests.ConnectionError):
                requests.get(feeds.url(name), timeout=PATIENCE_SECONDS)
