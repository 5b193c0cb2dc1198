"""What every test shares: hypothesis takes the time it needs, an overloaded machine is no failure; the emulator."""

import os

import pytest
from hypothesis import HealthCheck, settings

from services.desk import manager
from tests.support.desk_process import PATIENCE_SECONDS
from tests.support.emulator import NoEmulator, is_needed, owner_of_the_run, shared_host, warm_up

settings.register_profile("desk", deadline=None, suppress_health_check=[HealthCheck.too_slow], print_blob=True)
settings.load_profile("desk")


@pytest.fixture(autouse=True)
def patient_desk(monkeypatch):
    """Let a desk inside the test's process wait for its store as long as a busy machine takes.

    A module that measures how soon a command is answered puts a fixture of this name in its place.
    """
    monkeypatch.setattr(manager, "BEGIN_WITHIN_SECONDS", PATIENCE_SECONDS)


@pytest.fixture(scope="session")
def firestore_host(tmp_path_factory):
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
