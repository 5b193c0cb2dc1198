"""Rules that hold for many files, as one test: it names every file that breaks one."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterable
from functools import cache
from pathlib import Path

from tests.support.paths import REPOSITORY

Rule = Callable[[Path], None]


def name_of(path: Path) -> str:
    """Return the file's place in the repository."""
    return path.relative_to(REPOSITORY).as_posix()


@cache
def tree_of(path: Path) -> ast.Module:
    """Return the file's syntax tree. It is shared: do not change it."""
    return ast.parse(path.read_text("utf-8"))


class FileRules:
    """Checks of one file each. Three thousand tests of a millisecond would cost more than what they check."""

    def __init__(self) -> None:
        self._rules: list[tuple[Rule, tuple[Path, ...]]] = []

    def for_each(self, paths: Iterable[Path]) -> Callable[[Rule], Rule]:
        """Add a check of these files. It fails by an assertion."""
        checked = tuple(paths)
        assert checked, "there is no file to check"

        def add(rule: Rule) -> Rule:
            self._rules.append((rule, checked))
            return rule

        return add

    def faults(self) -> list[str]:
        """Return which file breaks which rule, and how."""
        return [fault for rule, paths in self._rules for path in paths if (fault := _fault(rule, path)) is not None]


def _fault(rule: Rule, path: Path) -> str | None:
    try:
        rule(path)
    except AssertionError as error:
        return f"{rule.__name__}: {name_of(path)}: {error}"
    return None
