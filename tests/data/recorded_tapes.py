"""Recorded prices: the extracts that travel with the program, and what ``LOCKSTEP_TAPES`` adds.

The variable names a folder of tapes that may not be shipped. Without it no test is left out: each has generated or
shipped prices of its own. With it, every tape that a test asks for must be there.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

FOLDER_VARIABLE = "LOCKSTEP_TAPES"
FIXTURES = Path(__file__).resolve().parents[1] / "fixtures"
EXTRACT = FIXTURES / "es_ticks_20130901_extract.csv.gz"  # a quiet night: no brick above 1pt
FALL = FIXTURES / "es_ticks_20130903_fall.csv.gz"  # an afternoon that opens an entry


def recorded_tapes(names: Iterable[str]) -> dict[str, Path]:
    """Return the named tapes of the folder by name; none where no folder is named.

    Raises FileNotFoundError for one that the folder lacks: a misspelt folder must not make tests vanish.
    """
    folder = os.environ.get(FOLDER_VARIABLE)
    if not folder:
        return {}
    tapes = {name: Path(folder) / f"{name}.csv.gz" for name in names}
    missing = [path.name for path in tapes.values() if not path.exists()]
    if missing:
        raise FileNotFoundError(f"{FOLDER_VARIABLE}={folder} has no {', '.join(missing)}")
    return tapes
