"""Firestore away: hanging, gone, back without its content, closed to us. On the emulator, which can be all of that."""

import itertools
import secrets
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import requests
from requests import Response

from services.desk.commit_batch import Outcome
from services.desk.manager import StateManager
from services.engine.model.commands import AnyCommand, CloseBrick
from services.stores.firestore.store import FirestoreStore
from services.stores.store import JournalRow, OutcomeUnknown, StoreDown, StoreError
from tests.desk.test_manager import RULES
from tests.desk.test_outage import ANSWERS_WITHIN_SECONDS, seconds_until_refused
from tests.support.desk_process import QUICK, DeskProcess, OperatorCaller, error_of, eventually
from tests.support.emulator import Emulator, NoEmulator, is_needed, warm_up
from tests.support.narrow import of_type
from tests.support.own_time import Stopwatch
from wire.types import Stream

GREEN, RED = CloseBrick("ES", Stream.FOUR, "green"), CloseBrick("ES", Stream.FOUR, "red")
NOBODY_MAY = "rules_version='2'; service cloud.firestore { match /{all=**} { allow read, write: if false; } }"
OWNER = ("authorization", "Bearer owner")
NOT_YET = "the store does not answer yet"


@pytest.fixture
def emulator() -> Iterator[Emulator]:
    """An emulator of the test's own: it will be paused and killed."""
    try:
        with Emulator() as emulator:
            warm_up(emulator.host)
            yield emulator
    except NoEmulator as error:
        if is_needed():
            pytest.fail(str(error))
        pytest.skip(str(error))


def desk_on(emulator: Emulator, folder: Path, **settings: Any) -> DeskProcess:
    project = f"outage-{secrets.token_hex(4)}"
    where = {"STORE": "firestore", "GOOGLE_CLOUD_PROJECT": project, "FIRESTORE_EMULATOR_HOST": emulator.host}
    return DeskProcess(folder, **QUICK, **where, **settings)


def journal_of(desk: DeskProcess) -> list[JournalRow]:
    settings = desk.settings
    store = FirestoreStore(settings["GOOGLE_CLOUD_PROJECT"], emulator_host=settings["FIRESTORE_EMULATOR_HOST"])
    try:
        return list(store.journal())
    finally:
        store.close()


def bricks_in(rows: list[JournalRow]) -> list[bytes]:
    return [row.command for row in rows if row.kind == "CloseBrick" and b"BrickApplied" in row.events]


def store_of(operator: OperatorCaller) -> Any:
    return operator.state()["global"]["store"]


def timed(desk: DeskProcess, ask: Callable[[], Response]) -> Response:
    watch = Stopwatch(desk.process)
    answer = ask()
    assert watch.seconds < ANSWERS_WITHIN_SECONDS
    return answer


@pytest.mark.processes
def test_a_desk_lives_on_firestore_and_a_restart_finds_it(emulator: Emulator, tmp_path: Path) -> None:
    with desk_on(emulator, tmp_path) as desk:
        desk.tradingview().opens_the_ladder()
        operator, bridge = desk.operator(), desk.bridge()
        bridge.fills(operator.enters_when_the_candle_allows(key="click"), 5250.25)
        assert operator.asset()["position"] == 5
        before = operator.state()
        desk.kill()
        desk.start()
        after = desk.operator().state()
        assert after["assets"]["ES"]["position"] == 5
        assert after["version"] > before["version"]
        assert desk.operator().enters(key="click").status_code == 201  # the answer of before, not a second order
        assert after["orders"] == []
        sequences = [row.sequence for row in journal_of(desk)]
        assert sequences == list(range(1, len(sequences) + 1))


@pytest.mark.processes
def test_a_hanging_firestore_is_refused_in_time_and_recovers_by_itself(emulator: Emulator, tmp_path: Path) -> None:
    with desk_on(emulator, tmp_path) as desk:
        alerts, operator = desk.tradingview(), desk.operator()
        alerts.opens_the_ladder()
        emulator.pause()
        for number in range(4):
            answer = timed(desk, partial(alerts.brick, 2.5, "green", bar_id=f"lost {number}"))
            error_of(answer, 503)
            assert answer.headers["Retry-After"]
        with ThreadPoolExecutor(8) as crowd:
            clicks = [lambda key=key: desk.operator().enters(key=key) for key in ["one", "two"] * 4]
            refused = list(crowd.map(lambda click: timed(desk, click), clicks))
        assert {answer.status_code for answer in refused} == {503}
        assert store_of(operator) == "down"
        assert operator.asset()["main_renko_color"] == "green"
        emulator.resume()
        eventually(lambda: store_of(operator) == "up")
        again = [alerts.brick(2.5, "green", bar_id=f"lost {number}").status_code for number in range(4)]
        assert again == [200] * 4
        rows = journal_of(desk)
        assert len([body for body in bricks_in(rows) if b"lost" in body]) == 4
        sequences = [row.sequence for row in rows]
        assert sequences == list(range(1, len(sequences) + 1))


@pytest.mark.processes
def test_a_killed_firestore_that_comes_back_empty_is_not_taken_for_a_new_desk(
    emulator: Emulator, tmp_path: Path
) -> None:
    """Its emulator forgets all when it is killed: the desk keeps what it knows on the page and takes nothing."""
    with desk_on(emulator, tmp_path) as desk:
        alerts, operator = desk.tradingview(), desk.operator()
        alerts.opens_the_ladder()
        emulator.kill()
        error_of(timed(desk, lambda: alerts.brick(4, "green")), 503)
        eventually(lambda: store_of(operator) == "down")
        assert operator.asset()["main_renko_color"] == "green"
        emulator.start()
        warm_up(emulator.host)
        eventually(lambda: "the store is empty" in desk.log())
        error_of(timed(desk, lambda: alerts.brick(4, "green")), 503)
        assert operator.asset()["main_renko_color"] == "green"
        assert journal_of(desk) == []


@pytest.mark.processes
def test_a_killed_firestore_that_is_restored_goes_on_where_it_stood(emulator: Emulator, tmp_path: Path) -> None:
    with desk_on(emulator, tmp_path / "desk") as desk:
        alerts, operator = desk.tradingview(), desk.operator()
        alerts.opens_the_ladder()
        bricks = len(bricks_in(journal_of(desk)))
        project = desk.settings["GOOGLE_CLOUD_PROJECT"]
        kept = export(emulator.host, project, tmp_path / "export")
        emulator.kill()
        error_of(timed(desk, lambda: alerts.brick(4, "green", bar_id="meanwhile")), 503)
        emulator.start()
        restore(emulator.host, project, kept)
        eventually(lambda: store_of(operator) == "up" and operator.state()["global"]["role"] == "writer")
        assert alerts.brick(4, "green", bar_id="meanwhile").status_code == 200
        assert len(bricks_in(journal_of(desk))) == bricks + 1


def export(host: str, project: str, folder: Path) -> Path:
    folder.mkdir()
    asked = {"database": f"projects/{project}/databases/(default)", "export_directory": str(folder)}
    requests.post(f"http://{host}/emulator/v1/projects/{project}:export", json=asked, timeout=60).raise_for_status()
    (found,) = folder.rglob("*.overall_export_metadata")
    return found


def restore(host: str, project: str, kept: Path) -> None:
    asked = {"database": f"projects/{project}/databases/(default)", "export_directory": str(kept)}
    requests.post(f"http://{host}/emulator/v1/projects/{project}:import", json=asked, timeout=60).raise_for_status()


# -- in one process, where the test holds the store's hand -----------------------------------------------------------


@pytest.fixture(autouse=True)
def patient_desk() -> None:
    """How soon a command is answered is what is measured here."""


@pytest.fixture
def manager(firestore_host: str) -> Iterator[StateManager]:
    store = FirestoreStore(f"outage-{secrets.token_hex(4)}", emulator_host=firestore_host)
    manager = StateManager(store, lambda now: RULES)
    yield manager
    manager.stop()


def commits(manager: StateManager, command: AnyCommand, key: str | None) -> None:
    """Ask until the emulator has answered: on a busy machine its first answers take longer than a store waits."""

    def is_done() -> Outcome | None:
        try:
            return manager.submit(command, key)
        except StoreError:
            return None

    eventually(is_done)


def strangers_are_refused(project: str, host: str) -> bool:
    """Whether the emulator goes by its new rules: the first answer by them takes it a while."""
    stranger = FirestoreStore(project, emulator_host=host)
    stranger._wire._metadata.remove(OWNER)
    try:
        stranger.head()
    except StoreDown as error:
        return "PermissionDenied" in str(error)
    finally:
        stranger.close()
    return False


def color(manager: StateManager) -> str | None:
    return manager.snapshot.desk.assets["ES"].stack.four.color


def test_permission_denied_refuses_at_once_and_recovers_when_it_is_given_back(
    manager: StateManager, firestore_host: str
) -> None:
    commits(manager, GREEN, "first")
    wire = of_type(FirestoreStore, manager.store)._wire
    project = wire.database.split("/")[1]
    rules = {"rules": {"files": [{"name": "firestore.rules", "content": NOBODY_MAY}]}}
    url = f"http://{firestore_host}/emulator/v1/projects/{project}:securityRules"
    requests.put(url, json=rules, timeout=60).raise_for_status()
    eventually(lambda: strangers_are_refused(project, firestore_host))
    wire._metadata.remove(OWNER)  # from now on the rules ask who we are
    assert seconds_until_refused(lambda: manager.submit(RED), StoreDown) < ANSWERS_WITHIN_SECONDS
    assert (manager.snapshot.store, color(manager)) == ("down", "green")
    wire._metadata.append(OWNER)
    eventually(lambda: manager.snapshot.store == "up")
    commits(manager, RED, "again")
    assert [row.kind for row in manager.store.journal()].count("CloseBrick") == 2


def test_an_answer_that_came_too_late_is_found_out_and_the_brick_counts_once(
    manager: StateManager, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The write comes through and its answer does not: nobody knows, so the store is asked."""
    wire, sent = of_type(FirestoreStore, manager.store)._wire, itertools.count()
    commit = wire.commit

    def lose_the_first_answer(*args: Any, **more: Any) -> Any:
        marks = commit(*args, **more)
        if next(sent) == 0:
            raise OutcomeUnknown("Firestore: DeadlineExceeded")
        return marks

    monkeypatch.setattr(wire, "commit", lose_the_first_answer)
    with pytest.raises(OutcomeUnknown):
        manager.submit(GREEN, "key")
    eventually(lambda: color(manager) == "green" and manager.snapshot.store == "up")
    assert manager.submit(GREEN, "key").repeated
    assert [row.kind for row in manager.store.journal()].count("CloseBrick") == 1


@pytest.mark.processes
def test_a_start_waits_some_seconds_for_a_store_that_is_starting_too(emulator: Emulator, tmp_path: Path) -> None:
    with desk_on(emulator, tmp_path) as desk:
        desk.tradingview().opens_the_ladder()
        desk.terminate()
        words = len(desk.log())
        emulator.pause()
        desk.spawn()
        eventually(lambda: NOT_YET in desk.log()[words:])
        emulator.resume()
        eventually(lambda: _answers(desk))
        assert desk.operator().asset()["main_renko_color"] == "green"


def _answers(desk: DeskProcess) -> bool:
    try:
        return desk.stranger().get("/healthz").status_code == 200
    except requests.RequestException:
        return False
