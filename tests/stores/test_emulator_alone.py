"""The emulator of Firestore is started before the project's packages are installed."""

from __future__ import annotations

import subprocess
import sys

from tests.support.paths import REPOSITORY


def test_it_needs_nothing_but_python() -> None:
    """`.ci/run` of a clean clone starts it with the machine's own Python, beside `make test`."""
    looks = f"import sys; sys.path.insert(0, {str(REPOSITORY)!r}); import tests.support.emulator"
    alone = subprocess.run([sys.executable, "-I", "-S", "-c", looks], capture_output=True, text=True, check=False)
    assert alone.returncode == 0, alone.stderr
