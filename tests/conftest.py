"""What every test shares: hypothesis takes the time it needs, the emulator, and no test is skipped unnoticed.

Where nothing may be left out (``CI`` or ``LOCKSTEP_NEEDS_EMULATOR`` is set) a skipped test fails the run.
"""

import os
import sys
from collections.abc import Generator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from services.desk import manager
from tests.support.clock_ends import a_day_lasts
from tests.support.desk_process import PATIENCE_SECONDS
from tests.support.emulator import NoEmulator, is_needed, owner_of_the_run, shared_host, warm_up
from tests.support.processes import Child

FILE_BEFORE = pytest.StashKey[Path]()
Child.may_be_forked = True  # some hundred processes need not import one by one (tests/support/fork_server.py)
settings.register_profile("desk", deadline=None, suppress_health_check=[HealthCheck.too_slow], print_blob=True)
settings.load_profile("desk")


STORY_SECONDS, STORIES_SECONDS = 40, 120  # a test may take; those of a file that share a desk


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, object, object]:
    """Let no trading day end in the middle of a story, or between those of one desk. No time limit runs yet."""
    before = item.session.stash.get(FILE_BEFORE, None)
    a_day_lasts(STORY_SECONDS if before == item.path else STORIES_SECONDS)
    item.session.stash[FILE_BEFORE] = item.path
    return (yield)


@pytest.fixture(autouse=True)
def patient_desk(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a desk inside the test's process wait for its store, and a store for the emulator, as a busy machine takes.

    Only the deadlines of the calls are longer. A module that measures how soon a call is answered puts a fixture of
    this name in its place.
    """
    monkeypatch.setattr(manager, "BEGIN_WITHIN_SECONDS", PATIENCE_SECONDS)
    firestore = sys.modules.get("services.stores.firestore.wire")
    if firestore is None:
        return
    commit, ask = firestore.Wire.commit, firestore.Wire._ask
    patience = PATIENCE_SECONDS
    monkeypatch.setattr(firestore.Wire, "commit", lambda wire, writes, seconds=0.0: commit(wire, writes, patience))
    monkeypatch.setattr(firestore.Wire, "_ask", lambda wire, asks, request, seconds: ask(wire, asks, request, patience))


@pytest.fixture(scope="session")
def firestore_host(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The address of the run's Firestore emulator. Tests keep apart by using projects of their own."""
    base = tmp_path_factory.getbasetemp()
    try:
        host = shared_host(base.parent if "PYTEST_XDIST_WORKER" in os.environ else base, owner_of_the_run())
        warm_up(host)
    except NoEmulator as error:
        if is_needed():
            pytest.fail(str(error))
        pytest.skip(str(error))
    return host


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Fail a run that is else good when a test was skipped where nothing may be left out."""
    if session.exitstatus == pytest.ExitCode.OK and left_out(session.config):
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Name what was skipped where nothing may be left out."""
    for report in left_out(terminalreporter.config):
        terminalreporter.write_line(f"LEFT OUT {report.nodeid}: {reason_of(report)}", red=True)


def left_out(config: pytest.Config) -> list[pytest.TestReport | pytest.CollectReport]:
    """Return the reports of skipped tests; none where they may be skipped, and none in a worker, which has no say."""
    reporter = config.pluginmanager.get_plugin("terminalreporter")
    if reporter is None or not is_needed():
        return []
    skipped: list[pytest.TestReport | pytest.CollectReport] = reporter.stats.get("skipped", [])
    return skipped


def reason_of(report: pytest.TestReport | pytest.CollectReport) -> str:
    """Return why a test was skipped, in the words of who skipped it."""
    return report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
