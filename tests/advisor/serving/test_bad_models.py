"""Models that are damaged, lie, are foreign or old: the process lives, the last good one answers, health says why."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import signal
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest

from advisor.models.files import Stored, switch, write_version
from advisor.models.places import Slot, versions_in
from advisor.models.probe import Probed
from advisor.models.prober import ProbeNotMade
from advisor.models.shelf import Shelf
from tests.support.advisor_floor import AdvisorFloor, quiet_after_noise, the_hour
from tests.support.desk_process import eventually
from tests.support.ml_models import quiet_model, rehash, rewrite
from tests.support.processes import Child

STORIES_SECONDS = 120.0  # that these stories may take of an hour
GOOD = Slot("ETHUSD", "1h")
Break = Callable[[Path], None]

pytestmark = pytest.mark.timeout(600)


@pytest.fixture(scope="module")
def floor(tmp_path_factory: pytest.TempPathFactory) -> Iterator[AdvisorFloor]:
    """An advisor that serves a table of ETHUSD."""
    floor = AdvisorFloor(tmp_path_factory.mktemp("bad"))
    good_model(floor.advisor.models)
    with floor:
        floor.stores(quiet_after_noise("ETHUSD", the_hour(STORIES_SECONDS), 14))
        floor.advisor.serves(floor.advisor.card("ETHUSD", "1h")["id"])
        yield floor


def cut_the_table(version: Path) -> None:
    (version / "table.json").write_bytes((version / "table.json").read_bytes()[:-20])


def cut_the_table_and_say_so(version: Path) -> None:
    cut_the_table(version)
    rehash(version)


def lie_about_the_hash(version: Path) -> None:
    rewrite(version, files={"table.json": "0" * 64})


def cut_the_card(version: Path) -> None:
    (version / "card.json").write_bytes((version / "card.json").read_bytes()[:100])


def be_of_another_symbol(version: Path) -> None:
    rewrite(version, symbol="BTCUSD")


def read_other_features(version: Path) -> None:
    rewrite(version, features="range-0")


def say_another_result(version: Path) -> None:
    card = json.loads((version / "card.json").read_text())
    rewrite(version, probe=[[*row[:-1], row[-1] + 0.5] for row in card["probe"]])


def name_a_file_elsewhere(version: Path) -> None:
    card = json.loads((version / "card.json").read_text())
    rewrite(version, files={**card["files"], "../../../../secret": "0" * 64})


def lose_the_table(version: Path) -> None:
    (version / "table.json").unlink()


def grow_beyond_bounds(version: Path) -> None:
    with (version / "table.json").open("r+b") as table:
        table.truncate(2**31)


def lead_the_table_elsewhere(version: Path) -> None:
    """The content is the right one, but who may write it is another question."""
    (version / "table.json").rename(version / "other.json")
    (version / "table.json").symlink_to("other.json")


def make_the_table_a_folder(version: Path) -> None:
    (version / "table.json").unlink()
    (version / "table.json").mkdir()


BROKEN: list[tuple[Break, str]] = [
    (cut_the_table, "hash_differs"),
    (cut_the_table_and_say_so, "unreadable"),
    (lie_about_the_hash, "hash_differs"),
    (cut_the_card, "unreadable"),
    (be_of_another_symbol, "foreign"),
    (read_other_features, "features_differ"),
    (say_another_result, "probe_failed"),
    (name_a_file_elsewhere, "unreadable"),
    (lose_the_table, "missing"),
    (grow_beyond_bounds, "unreadable"),
    (lead_the_table_elsewhere, "unreadable"),
    (make_the_table_a_folder, "unreadable"),
]


def good_model(root: Path) -> tuple[Path, str]:
    """Write a model of ETHUSD and use it; return its slot's folder and its version."""
    card, files = quiet_model()
    name = write_version(root, card, files)
    switch(GOOD.folder(root), name)
    return GOOD.folder(root), name


def next_version(folder: Path, number: int) -> Path:
    """Copy the first version under a later name."""
    version = folder / f"20990101T0000{number:02d}Z"
    version.mkdir()
    for file in (folder / versions_in(folder)[0]).iterdir():
        (version / file.name).write_bytes(file.read_bytes())
    rewrite(version, id=f"copy-{number}")
    return version


def test_no_broken_model_replaces_a_good_one(tmp_path: Path) -> None:
    """Each is switched to while the good one answers; children load what is not refused before."""
    folder, name = good_model(tmp_path)
    shelf = Shelf(tmp_path)

    async def story() -> None:
        await shelf.look()
        [good] = shelf.ids()
        for number, (damage, reason) in enumerate(BROKEN):
            version = next_version(folder, number)
            damage(version)
            switch(folder, version.name)
            await shelf.look()
            assert [one.reason for one in shelf.trouble()] == [reason], damage.__name__
            assert shelf.ids() == (good,), damage.__name__
        switch(folder, name)
        await shelf.look()
        assert (shelf.trouble(), shelf.ids()) == ((), (good,))

    asyncio.run(story())


def test_the_files_of_the_model_in_use_are_looked_at_again_when_they_change(tmp_path: Path) -> None:
    folder, name = good_model(tmp_path)
    shelf = Shelf(tmp_path)

    async def story() -> None:
        await shelf.look()
        good = shelf.range_model("ETHUSD", "1h")
        cut_the_table(folder / name)
        await shelf.look()
        assert [one.reason for one in shelf.trouble()] == ["hash_differs"]
        assert shelf.range_model("ETHUSD", "1h") is good
        shutil.rmtree(tmp_path / "ETHUSD")
        await shelf.look()
        assert [one.reason for one in shelf.trouble()] == ["missing"]
        assert shelf.range_model("ETHUSD", "1h") is good

    asyncio.run(story())


def test_models_that_could_not_be_probed_are_tried_again(tmp_path: Path) -> None:
    good_model(tmp_path)
    answers: list[list[Probed] | ProbeNotMade] = [ProbeNotMade("no child could be started"), [Probed(None)]]

    async def probing(models: Sequence[Stored]) -> list[Probed]:
        answer = answers.pop(0)
        if isinstance(answer, ProbeNotMade):
            raise answer
        return answer

    shelf = Shelf(tmp_path, probing)

    async def story() -> None:
        await shelf.look()
        assert shelf.ids() == ()
        await shelf.look()
        assert len(shelf.ids()) == 1
        await shelf.look()

    asyncio.run(story())
    assert answers == []


@pytest.mark.parametrize("name", ["card.json", "table.json"])
def test_a_pipe_in_place_of_a_file_keeps_nobody_waiting(tmp_path: Path, name: str) -> None:
    """Whoever opens one to read it waits until somebody writes: no model would ever be looked at again."""
    folder, good = good_model(tmp_path)
    pipe = next_version(folder, 1) / name
    pipe.unlink()
    os.mkfifo(pipe)
    shelf = Shelf(tmp_path)

    async def story() -> None:
        await shelf.look()
        [served] = shelf.ids()
        switch(folder, pipe.parent.name)
        looking = asyncio.create_task(shelf.look())
        try:
            await asyncio.wait_for(asyncio.shield(looking), 20)
        finally:
            os.close(os.open(pipe, os.O_RDWR | os.O_NONBLOCK))  # lets go who waits, so that a failure ends
            await looking
        assert [one.reason for one in shelf.trouble()] == ["unreadable"]
        assert shelf.ids() == (served,)
        assert {card.id for card in await asyncio.wait_for(shelf.cards(), 20)} >= {served}
        switch(folder, good)

    asyncio.run(story())


@pytest.mark.processes
def test_a_running_advisor_says_why_and_goes_on_with_the_last_good_model(floor: AdvisorFloor) -> None:
    folder = GOOD.folder(floor.advisor.models)
    good = floor.advisor.card("ETHUSD", "1h")["id"]
    [name] = versions_in(folder)
    version = next_version(folder, 0)
    lie_about_the_hash(version)
    switch(folder, version.name)
    [trouble] = eventually(lambda: floor.advisor.health()["trouble"])
    assert (trouble["symbol"], trouble["target"], trouble["reason"]) == ("ETHUSD", "range", "hash_differs")
    assert floor.advisor.health()["status"] == "degraded"
    assert floor.advisor.get("/api/range/ETHUSD", timeframe="1h").json()["model"] == good
    switch(folder, name)


@pytest.mark.processes
def test_a_training_that_is_killed_midway_leaves_the_model_in_use(floor: AdvisorFloor) -> None:
    advisor = floor.advisor
    before = os.listdir(advisor.slot("ETHUSD", "1h"))
    child = Child(["-m", "tests.support.slow_training"], advisor.settings, advisor.log_path.with_suffix(".slow"))
    child.spawn()
    unfinished = advisor.slot("ETHUSD", "1h", "range")
    eventually(lambda: list(unfinished.glob(".new-*")))
    child.signal(signal.SIGKILL)
    child.spawned.wait(60)
    good = advisor.card("ETHUSD", "1h")["id"]
    assert advisor.get("/api/range/ETHUSD", timeframe="1h").json()["model"] == good
    eventually(lambda: not advisor.health()["trouble"])
    assert advisor.runs("train", "ETHUSD", "--timeframe", "1h").returncode == 0  # and tidies what was left
    assert list(unfinished.glob(".new-*")) == []
    assert set(before) < set(os.listdir(unfinished))


@pytest.mark.processes
def test_a_model_is_switched_to_by_hand_and_a_broken_one_is_not(floor: AdvisorFloor) -> None:
    advisor = floor.advisor
    folder = GOOD.folder(advisor.models)
    first = json.loads((folder / versions_in(folder)[0] / "card.json").read_text())["id"]
    used = advisor.runs("use", first)
    assert (used.returncode, f"{first} is in use" in used.stdout) == (0, True)
    advisor.serves(first)
    broken = next_version(folder, 60)
    cut_the_table(broken)
    refused = advisor.runs("use", "copy-60")
    assert (refused.returncode, "not the file that the card names" in refused.stdout) == (1, True)
    assert advisor.card("ETHUSD", "1h")["id"] == first
