"""What is installed: every package with its hashes, and images with digests that somebody fetched."""

import re
import shutil
import subprocess
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, requires
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.support.paths import REPOSITORY

LOCK = (REPOSITORY / "requirements-locked.txt").read_text("utf-8")
LISTED = (REPOSITORY / "requirements.txt").read_text("utf-8")
MAKEFILE = (REPOSITORY / "Makefile").read_text("utf-8")
ENTRY = re.compile(
    r"^([a-z0-9][a-z0-9._-]*)==(\S+)(?: ; [^\\\n]+?)?((?: \\\n    --hash=sha256:[0-9a-f]{64})+)$", re.MULTILINE
)
RENEW = "the lock does not fit requirements.txt: make lock"
DIGEST = "sha256:" + "0123456789abcdef" * 4


def locked() -> dict[str, str]:
    """Return the version of each package in the lock."""
    return {found[1]: found[2] for found in ENTRY.finditer(LOCK)}


def listed() -> list[Requirement]:
    return [Requirement(line) for line in LISTED.splitlines() if line and not line.startswith("#")]


def needed() -> Iterator[Requirement]:
    """Yield what the listed packages need here, directly and through others, as their installed files say."""
    waiting, seen = listed(), set()
    while waiting:
        one = waiting.pop()
        yield one
        if (str(one.name), *one.extras) in seen:
            continue
        seen.add((str(one.name), *one.extras))
        try:
            found = [Requirement(text) for text in requires(one.name) or ()]
        except PackageNotFoundError:
            continue  # only a machine that installed by another list lacks it; the lock is checked all the same
        extras = one.extras or {""}
        waiting += [r for r in found if r.marker is None or any(r.marker.evaluate({"extra": e}) for e in extras)]


def test_every_entry_of_the_lock_has_hashes_and_no_address() -> None:
    entries = [line for line in LOCK.splitlines() if "==" in line and not line.lstrip().startswith("#")]
    assert len(entries) == len(locked()) > 40
    assert "://" not in LOCK
    assert "--index" not in LOCK


def test_the_lock_satisfies_what_is_listed() -> None:
    pinned = {canonicalize_name(one.name): str(one.specifier).removeprefix("==") for one in listed()}
    assert {name: locked().get(name) for name in pinned} == pinned, RENEW


def test_the_lock_has_all_that_the_listed_packages_need() -> None:
    versions = locked()
    for one in needed():
        version = versions.get(canonicalize_name(one.name))
        assert version is not None, f"{one}: {RENEW}"
        assert one.specifier.contains(version, prereleases=True), f"{one}, locked is {version}: {RENEW}"


def test_the_image_and_make_install_by_the_lock() -> None:
    image = (REPOSITORY / "Dockerfile").read_text("utf-8")
    assert re.search(r"^RUN pip install .*--require-hashes -r requirements-locked.txt$", image, re.MULTILINE)
    assert not re.search(r"pip install .*-r requirements.txt", image)
    assert MAKEFILE.count("--require-hashes -r $(LOCK)") == 2  # for a desk, and before the tools of the tests


# -- digests of the images -------------------------------------------------------------------------------------------


def pinned_by(folder: Path, docker: str) -> tuple[int, str]:
    """Run ``make pin`` on a copy, with a docker that is this script. Return its status and the Dockerfile after it."""
    (folder / "bin").mkdir()
    program = folder / "bin" / "docker"
    program.write_text(f"#!/bin/sh\n{docker}\n")
    program.chmod(0o700)
    for name in ("Makefile", "Dockerfile"):
        shutil.copy(REPOSITORY / name, folder / name)
    path = f"{folder / 'bin'}:/usr/bin:/bin"
    ended = subprocess.run(["make", "-s", "pin"], cwd=folder, env={"PATH": path}, capture_output=True, check=False)
    return ended.returncode, (folder / "Dockerfile").read_text("utf-8")


def test_make_pin_writes_the_digests_that_the_registry_says(tmp_path: Path) -> None:
    status, image = pinned_by(tmp_path, f"echo {DIGEST}")
    assert status == 0
    bases = re.findall(r"^FROM (\S+)", image, re.MULTILINE)
    assert len(bases) == 2
    assert all(re.fullmatch(rf"(node|python):[\w.-]+@{DIGEST}", base) for base in bases)
    again = tmp_path / "again"
    again.mkdir()
    assert pinned_by(again, f"echo {DIGEST}")[1] == image


@pytest.mark.parametrize("docker", ["exit 1", "echo", "echo sha256:cut", "echo an error; exit 0"])
def test_make_pin_writes_nothing_that_no_registry_said(tmp_path: Path, docker: str) -> None:
    status, image = pinned_by(tmp_path, docker)
    assert status != 0
    assert image == (REPOSITORY / "Dockerfile").read_text("utf-8")


def test_audit_is_no_part_of_the_tests_and_fails_where_it_cannot_ask() -> None:
    [tests] = re.findall(r"^test: (.*)$", MAKEFILE, re.MULTILINE)
    assert "audit" not in tests
    assert "pip-audit --strict" in MAKEFILE  # without it a package that cannot be asked about counts as well
