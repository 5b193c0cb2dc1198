"""``python -m tests.angry [acts] [seed…]`` lets angry traders play and prints the worst day of each."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from tests.angry.world import AngryWorld


def main(words: list[str]) -> None:
    acts, *seeds = [int(word) for word in words] or [250]
    for seed in seeds or [0]:
        with tempfile.TemporaryDirectory() as folder:
            world = AngryWorld(seed, Path(folder))
            try:
                world.plays(acts)
            finally:
                world.desk.close()
            print(f"seed {seed}: {world.account.entries} entries, {world.account.stops} stops hit, {world.day.worst}")


if __name__ == "__main__":
    main(sys.argv[1:])
