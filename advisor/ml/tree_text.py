"""Whether a text of LightGBM can be read without harm.

LightGBM trusts its text: a child that is no node is read beyond the tree, and one that lies before its parent is walked
for ever; both only when a bar comes that way. So each tree is checked first, and whatever this program does not write
(categories, linear leaves, several classes) is refused.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from math import inf, isfinite
from types import MappingProxyType

from advisor.ml.features import WIDTHS
from advisor.ml.table import MOST_ATR

MOST_TREES = 1_000
MOST_LEAVES = 255
END_OF_TREES = "end of trees\n"
CLASSES = ("num_class", "num_tree_per_iteration", "objective")
FEATURES = ("max_feature_idx", "feature_names", "feature_infos")
HEADER = frozenset(("version", "label_index", "tree_sizes", *CLASSES, *FEATURES))
NODE_KEYS = ("split_feature", "threshold", "decision_type", "left_child", "right_child")
NODE_NOTES = ("split_gain", "internal_value", "internal_weight", "internal_count")
LEAF_NOTES = ("leaf_weight", "leaf_count")
ONE_VALUE = ("num_leaves", "num_cat", "is_linear", "shrinkage")
TREE_KEYS = frozenset((*NODE_KEYS, *NODE_NOTES, *LEAF_NOTES, *ONE_VALUE, "leaf_value"))
MOST_LEAF: Mapping[str, float] = MappingProxyType({"quantile": MOST_ATR, "binary": 20.0})
"""How far one tree may move a forecast, by objective: ATR of a range, log odds of a chance."""

DECISIONS = frozenset(("0", "2", "4", "6", "8", "10"))
"""Comparisons of numbers. An odd one would be a category, and read a list that is not there."""
WHOLE = re.compile(r"-?\d{1,9}", re.ASCII)
NUMBER = re.compile(r"-?\d{1,30}(\.\d{0,30})?(e[+-]?\d{1,3})?", re.ASCII)

Fields = Mapping[str, str]


class NoTree(ValueError):
    """The text is not one that this program would have written."""


def checked_text(text: str) -> str:
    """Look at every tree of a model, and return the text up to their end. Raises NoTree.

    What follows (parameters, importances, what pandas told) says nothing of the model, and a line of it that LightGBM
    does not expect ends the process: it is left out.
    """
    if not text.isascii() or not text.replace("\n", "").isprintable():
        raise NoTree("it holds signs that no model has")
    head, first, _ = text.partition("\nTree=0\n")
    if not first or not head.startswith("tree\n"):
        raise NoTree("it has no tree")
    header = _fields(head.removeprefix("tree\n").strip("\n"), HEADER, HEADER)
    width = _width(header)
    begins = len(head) + 1
    trees = _trees(text, begins, header["tree_sizes"])
    most = MOST_LEAF[header["objective"].split(" ")[0]]
    for number, tree in enumerate(trees):
        _check(number, tree, width, most)
    return text[: begins + sum(map(len, trees))] + END_OF_TREES


def _fields(lines: str, known: frozenset[str], needed: frozenset[str]) -> Fields:
    """Return the values by key. Each key once: of two, nobody knows which one LightGBM takes."""
    fields: dict[str, str] = {}
    for line in lines.split("\n"):
        key, is_pair, value = line.partition("=")
        if not is_pair or key not in known or key in fields or "=" in value:
            raise NoTree(f"the line {line[:40]!r} is none of a model")
        fields[key] = value
    if not needed <= fields.keys():
        raise NoTree(f"it lacks {', '.join(sorted(needed - fields.keys()))}")
    return fields


def _width(header: Fields) -> int:
    if (header["num_class"], header["num_tree_per_iteration"]) != ("1", "1"):
        raise NoTree("it is of several classes")
    if header["objective"].split(" ")[0] not in MOST_LEAF:
        raise NoTree(f"its objective is {header['objective'][:40]!r}")
    width = _whole(header["max_feature_idx"]) + 1
    if width not in WIDTHS:
        raise NoTree(f"it reads {width} features, this program gives {' or '.join(map(str, WIDTHS))}")
    if not len(header["feature_names"].split(" ")) == len(header["feature_infos"].split(" ")) == width:
        raise NoTree("its features are not named one by one")
    return width


def _trees(text: str, begins: int, sizes: str) -> list[str]:
    """Return the trees where LightGBM looks for them: by their sizes, one right after the other."""
    trees: list[str] = []
    for size in sizes.split(" "):
        ends = begins + _whole(size)
        if not begins < ends <= len(text) or len(trees) == MOST_TREES:
            raise NoTree("its trees are not as long as it says, or too many")
        trees.append(text[begins:ends])
        begins = ends
    if not text.startswith(END_OF_TREES, begins) or "\nTree=" in text[begins:]:
        raise NoTree("its trees are not as long as it says")
    return trees


def _check(number: int, tree: str, width: int, most: float) -> None:
    name, _, lines = tree.partition("\n")
    if name != f"Tree={number}" or not lines.endswith("\n\n\n"):
        raise NoTree(f"tree {number} is not where it should be")
    fields = _fields(lines.removesuffix("\n\n\n"), TREE_KEYS, TREE_KEYS)
    leaves = _whole(fields["num_leaves"])
    if not 1 <= leaves <= MOST_LEAVES or (fields["num_cat"], fields["is_linear"]) != ("0", "0"):
        raise NoTree(f"tree {number} has {leaves} leaves, or categories, or linear leaves")
    _numbers(fields["leaf_value"], leaves, most)
    _numbers(fields["shrinkage"], 1)
    if leaves == 1:
        return  # a constant: LightGBM reads nothing else of it
    for key in NODE_NOTES:
        _numbers(fields[key], leaves - 1)
    for key in LEAF_NOTES:
        _numbers(fields[key], leaves)
    _check_nodes(number, fields, leaves - 1, width)


def _check_nodes(number: int, fields: Fields, nodes: int, width: int) -> None:
    _numbers(fields["threshold"], nodes)
    if not all(0 <= feature < width for feature in _wholes(fields["split_feature"], nodes)):
        raise NoTree(f"tree {number} splits by a feature that there is not")
    decisions = fields["decision_type"].split(" ")
    if len(decisions) != nodes or not set(decisions) <= DECISIONS:
        raise NoTree(f"tree {number} decides by something else than a number")
    left, right = _wholes(fields["left_child"], nodes), _wholes(fields["right_child"], nodes)
    if sorted((*left, *right)) != [*range(-nodes - 1, 0), *range(1, nodes)]:
        raise NoTree(f"tree {number} does not lead to each node and each leaf once")
    if any(0 < child <= parent for side in (left, right) for parent, child in enumerate(side)):
        raise NoTree(f"tree {number} leads back")


def _wholes(values: str, count: int) -> list[int]:
    told = values.split(" ")
    if len(told) != count:
        raise NoTree(f"it has {len(told)} values where {count} belong")
    return [_whole(value) for value in told]


def _whole(value: str) -> int:
    if not WHOLE.fullmatch(value):
        raise NoTree(f"{value[:40]!r} is no whole number")
    return int(value)


def _numbers(values: str, count: int, most: float = inf) -> None:
    told = values.split(" ")
    if len(told) != count or not all(NUMBER.fullmatch(value) and isfinite(float(value)) for value in told):
        raise NoTree(f"it has other values than {count} numbers")
    if any(abs(float(value)) > most for value in told):
        raise NoTree(f"a leaf moves more than {most:g}")
