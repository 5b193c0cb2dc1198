"""SIGKILL at any moment loses nothing, doubles nothing, loosens nothing (docs/reference/crash.md).

``LOCKSTEP_CRASH_SEED`` repeats a run's dice; the machine's own timing is its own.
"""

import os
import random
import uuid
from pathlib import Path

import pytest

from services.stores.firestore.store import FirestoreStore
from tests.crash.campaign import Campaign, Victim
from tests.crash.chaos import Chaos
from tests.crash.counts import table

pytestmark = pytest.mark.processes

FEW: dict[Victim, int] = {"web": 4, "bridge": 3, "both": 3}
MANY: dict[Victim, int] = {"web": 50, "bridge": 30, "both": 25}
MANY_STRIKES = int(os.environ.get("LOCKSTEP_CHAOS_STRIKES") or 72)
MANY_ON_FIRESTORE: dict[Victim, int] = {"web": 20, "both": 10}


@pytest.fixture(scope="module")
def seed() -> int:
    drawn = int(os.environ.get("LOCKSTEP_CRASH_SEED") or random.SystemRandom().randrange(1_000_000))
    print(f"LOCKSTEP_CRASH_SEED={drawn}")
    return drawn


def on_firestore(folder: Path, victim: Victim, seed: int, host: str) -> Campaign:
    project = f"crash-{uuid.uuid4().hex[:12]}"
    settings = {"STORE": "firestore", "GOOGLE_CLOUD_PROJECT": project, "FIRESTORE_EMULATOR_HOST": host}
    return Campaign(folder, victim, seed, settings, lambda desk: FirestoreStore(project, emulator_host=host))


@pytest.mark.parametrize("victim", FEW)
def test_a_few_kills_change_nothing(tmp_path: Path, victim: Victim, seed: int) -> None:
    tally = Campaign(tmp_path, victim, seed).run(FEW[victim])
    print(table([tally], seed))
    assert tally.kills >= FEW[victim]
    assert tally.acknowledged > 50


@pytest.mark.soak
@pytest.mark.timeout(1800)
def test_a_hundred_kills_change_nothing(tmp_path: Path, seed: int, capsys: pytest.CaptureFixture[str]) -> None:
    tallies = []
    for victim, kills in MANY.items():
        tallies.append(Campaign(tmp_path / victim, victim, seed).run(kills))
        with capsys.disabled():
            print("\n" + table(tallies, seed))
    assert sum(tally.kills for tally in tallies) >= 100
    assert all(tally.orders > tally.kills for tally in tallies)


@pytest.mark.soak
@pytest.mark.timeout(1800)
def test_kills_on_firestore_change_nothing(
    tmp_path: Path, seed: int, firestore_host: str, capsys: pytest.CaptureFixture[str]
) -> None:
    tallies = []
    for victim, kills in MANY_ON_FIRESTORE.items():
        tallies.append(on_firestore(tmp_path / victim, victim, seed, firestore_host).run(kills))
        with capsys.disabled():
            print("\n" + table(tallies, seed))


@pytest.mark.soak
@pytest.mark.timeout(1800)
def test_seventy_strikes_of_every_kind_change_nothing(
    tmp_path: Path, seed: int, capsys: pytest.CaptureFixture[str]
) -> None:
    chaos = Chaos(tmp_path, seed)
    tally = chaos.run(MANY_STRIKES)
    with capsys.disabled():
        print("\n" + table([tally], seed))
    assert len(tally.moments) >= chaos.kinds
    assert tally.orders > MANY_STRIKES
