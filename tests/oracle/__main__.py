"""``python -m tests.oracle [steps] [seed…]`` prints the shortest story in which engine and SPEC part."""

from __future__ import annotations

import sys

from tests.oracle.dealer import story_of


def main(words: list[str]) -> None:
    steps, *seeds = [int(word) for word in words] or [400]
    for seed in seeds or [0]:
        print(story_of(seed, steps) or f"seed {seed}: {steps} moves, no difference")


if __name__ == "__main__":
    main(sys.argv[1:])
