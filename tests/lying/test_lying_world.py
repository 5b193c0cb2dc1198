"""The desk in lying worlds: whatever lies for a while, the invariants hold (tests/lying/invariants.py).

``.venv/bin/python -m tests.lying 4711`` plays a single world again and prints its story; ``.venv/bin/python -m
tests.lying`` counts the worlds of ``make test`` and ``make soak`` by fault.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.lying.__main__ import counts
from tests.lying.channels import FAULTS
from tests.lying.invariants import NOT_YET, Violation, plays
from tests.lying.plan import plan_of
from tests.lying.seeds import OFTEN, SELDOM, SOAK_GROUPS, WORLDS_OF_A_GROUP, soak_seeds
from tests.support.paths import REPOSITORY

REPLAYED = frozenset((*OFTEN[::4], *SELDOM[::4]))  # a replay takes long


@pytest.mark.parametrize("seed", [*OFTEN, *[pytest.param(seed, marks=pytest.mark.soak) for seed in SELDOM]])
def test_the_desk_finds_the_truth_again(seed: int, tmp_path: Path) -> None:
    world = plays(seed, tmp_path)
    assert seed not in REPLAYED or world.desk.replays_equal()


@pytest.mark.soak
@pytest.mark.parametrize("group", range(SOAK_GROUPS))
def test_the_desk_finds_the_truth_again_in_many_worlds(group: int, tmp_path: Path) -> None:
    failed = []
    for seed in soak_seeds(group):
        folder = tmp_path / str(seed)
        folder.mkdir()
        try:
            plays(seed, folder)
        except Violation as violation:
            failed.append(str(violation))
    assert not failed, f"{len(failed)} of {WORLDS_OF_A_GROUP} worlds\n" + "\n\n".join(failed[:3])


def test_a_seed_always_makes_the_same_world(tmp_path: Path) -> None:
    stories = []
    for name in ("once", "again"):
        (tmp_path / name).mkdir()
        stories.append(plays(OFTEN[0], tmp_path / name).story)
    assert _without_ids(stories[0]) == _without_ids(stories[1])


def _without_ids(story: list[str]) -> list[str]:
    return [" ".join(word for word in line.split() if len(word) < 32) for line in story]


def test_what_is_not_judged_names_faults_of_the_table() -> None:
    names = {fault.name for fault in FAULTS}
    assert all(row.faults <= names for row in NOT_YET)


def test_the_page_has_the_counts_of_these_worlds() -> None:
    """The page's table has one column more: in how many worlds of the last long run the fault happened."""
    page = (REPOSITORY / "docs" / "explanation" / "what-the-desk-believes.md").read_text("utf-8").splitlines()
    missing = [row for row in counts().splitlines() if not any(line.startswith(row) for line in page)]
    assert not missing, "run `.venv/bin/python -m tests.lying` and put the table into the page"


def test_every_fault_happens_in_the_worlds_of_every_day() -> None:
    chosen: set[str] = set()
    for seed in OFTEN:
        chosen |= plan_of(seed).names
    assert chosen == {fault.name for fault in FAULTS}
