"""Play one world and print its story, or count the worlds of the tests by fault.

``python -m tests.lying 4711`` plays; ``python -m tests.lying`` prints the table of
docs/explanation/what-the-desk-believes.md.
"""

from __future__ import annotations

import sys
import tempfile
from collections import Counter
from pathlib import Path

from tests.lying.channels import FAULTS
from tests.lying.invariants import Violation, plays
from tests.lying.plan import plan_of
from tests.lying.seeds import OFTEN, SOAK_GROUPS, soak_seeds


def counts() -> str:
    """Return the table: each fault, and in how many worlds of ``make test`` and of ``make soak`` it may happen."""
    often = Counter(name for seed in OFTEN for name in plan_of(seed).names)
    soak = Counter(name for group in range(SOAK_GROUPS) for seed in soak_seeds(group) for name in plan_of(seed).names)
    rows = [f"| `{f.name}` | {f.what} | {often[f.name]} | {soak[f.name]} |" for f in FAULTS]
    return "\n".join(["| fault | what happens | `make test` | `make soak` |", "| --- | --- | --- | --- |", *rows])


def main() -> None:
    if len(sys.argv) < 2:
        print(counts())
        return
    with tempfile.TemporaryDirectory() as folder:
        try:
            print("\n".join(plays(int(sys.argv[1]), Path(folder)).story))
        except Violation as violation:
            sys.exit(str(violation))


if __name__ == "__main__":
    main()
