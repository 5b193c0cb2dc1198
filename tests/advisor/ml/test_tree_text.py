"""Texts of LightGBM that would end or hang the process: refused before LightGBM reads them, whatever their hash."""

from __future__ import annotations

import hashlib
import random
import re
from collections.abc import Callable
from functools import cache
from itertools import pairwise

import lightgbm
import numpy
import pytest
from msgspec.structs import replace

from advisor.ml.boosted import COMMON, MODEL_FILES, Boosted, fit_moves
from advisor.ml.features import WIDTHS
from advisor.ml.forecast import NoForecast, RangeModel
from advisor.ml.tree_text import NoTree, checked_text
from advisor.models.files import Stored
from advisor.models.probe import probed
from tests.support.ml_models import quiet_model, quiet_series

Change = Callable[[str], str]


@cache
def boosted(width: int = WIDTHS[0]) -> Boosted:
    """Return a model of rows that say something."""
    dice = random.Random(1)
    rows = [tuple(dice.random() for _ in range(width)) for _ in range(1_000)]
    labels = [(row[0] + dice.random(), row[1] + dice.random()) for row in rows]
    return fit_moves([(0.5, 0.9, 0.5, 0.9)] * len(rows), rows, labels)


def text_of(width: int = WIDTHS[0]) -> str:
    return boosted(width).files()[MODEL_FILES[0]].decode()


def resized(text: str) -> str:
    """Return a text whose sizes of trees are true again: the lie is inside a tree."""
    starts = [match.start() + 1 for match in re.finditer(r"\nTree=", text)]
    ends = [*starts, text.index("end of trees")]
    sizes = " ".join(str(after - before) for before, after in pairwise(ends))
    return re.sub(r"^tree_sizes=.*$", f"tree_sizes={sizes}", text, flags=re.MULTILINE)


def at(key: str, place: int, value: str, tree: int = 2) -> Change:
    """Return a change of one value in one tree."""

    def change(text: str) -> str:
        before, *trees = text.split("\nTree=")
        lines = trees[tree].split("\n")
        line = next(number for number, each in enumerate(lines) if each.startswith(f"{key}="))
        values = lines[line].removeprefix(f"{key}=").split(" ")
        values[place] = value
        lines[line] = f"{key}={' '.join(values)}"
        trees[tree] = "\n".join(lines)
        return resized("\nTree=".join((before, *trees)))

    return change


def instead(old: str, new: str) -> Change:
    """Return a change of the first place where a text says something."""

    def change(text: str) -> str:
        assert old in text
        return resized(text.replace(old, new, 1))

    return change


def sizes_of_another_cut(text: str) -> str:
    """Tell LightGBM to look for the second tree within the first."""
    sizes = [int(size) for size in re.findall(r"^tree_sizes=(.*)$", text, re.MULTILINE)[0].split(" ")]
    told = " ".join(map(str, [sizes[0] - 9, sizes[1] + 9, *sizes[2:]]))
    return re.sub(r"^tree_sizes=.*$", f"tree_sizes={told}", text, flags=re.MULTILINE)


HARMFUL: dict[str, Change] = {
    "a child beyond the nodes": at("left_child", 0, "500000000"),
    "a leaf beyond the leaves": at("right_child", -1, "-500000000"),
    "a child that is the root": at("right_child", -1, "0"),
    "a child twice": at("left_child", 0, "2"),
    "a feature beyond the row": at("split_feature", 0, "18"),
    "a feature below none": at("split_feature", 0, "-1"),
    "a category": at("decision_type", 0, "1"),
    "fewer children than nodes": at("left_child", -1, ""),
    "more leaves than it has": at("num_leaves", 0, "16"),
    "no leaves": at("num_leaves", 0, "0"),
    "a leaf that is no number": at("leaf_value", 0, "nan"),
    "a leaf without bound": at("leaf_value", 0, "1e999"),
    "a threshold that is none": at("threshold", 0, "1_0"),
    "categories": at("num_cat", 0, "1"),
    "linear leaves": at("is_linear", 0, "1"),
    "a key twice": instead("\nshrinkage=", "\nnum_leaves=2\nshrinkage="),
    "a key that is not there": instead("\nis_linear=0\n", "\n"),
    "several classes": instead("num_class=1", "num_class=3"),
    "trees side by side": instead("num_tree_per_iteration=1", "num_tree_per_iteration=2"),
    "a width that no program gives": instead("max_feature_idx=17", "max_feature_idx=16"),
    "averages": instead("\nmax_feature_idx", "\naverage_output\nmax_feature_idx"),
    "trees cut elsewhere": sizes_of_another_cut,
    "no sizes": lambda text: re.sub(r"^tree_sizes=.*\n", "", text, flags=re.MULTILINE),
    "a leaf of 1e300": at("leaf_value", 0, "1e300"),
    "a leaf of 101 ATR": at("leaf_value", 0, "-101"),
    "cut off": lambda text: text[: len(text) // 2],
    "a sign that ends texts": instead("\nnum_leaves", "\0\nnum_leaves"),
    "nothing": lambda text: "",
}


@pytest.mark.parametrize("width", WIDTHS)
def test_what_this_program_writes_is_read(width: int) -> None:
    for content in boosted(width).files().values():
        checked_text(content.decode())
    assert Boosted.from_files(boosted(width).files()).width == width


def test_a_tree_without_a_split_is_read() -> None:
    """A market where nothing can be learned gives constants."""
    rows = numpy.zeros((300, WIDTHS[0]))
    model = lightgbm.train({**COMMON, "objective": "quantile"}, lightgbm.Dataset(rows, numpy.ones(300)), 3)
    checked_text(model.model_to_string())


@pytest.mark.parametrize("harm", HARMFUL)
def test_a_text_that_would_do_harm_is_refused(harm: str) -> None:
    changed = HARMFUL[harm](text_of())
    assert changed != text_of()
    with pytest.raises(NoTree):
        checked_text(changed)


def test_nodes_that_lead_back_are_refused() -> None:
    """Each node and each leaf is led to once, and each node but the root leads to itself."""
    tree = re.search(r"\nleft_child=(.*)\nright_child=(.*)\n", text_of())
    assert tree is not None
    nodes = len(tree[1].split(" "))
    left = " ".join(map(str, [-1, *range(1, nodes)]))
    right = " ".join(str(-2 - node) for node in range(nodes))
    assert nodes > 1
    with pytest.raises(NoTree, match="leads back"):
        checked_text(resized(text_of().replace(tree[0], f"\nleft_child={left}\nright_child={right}\n", 1)))


def test_random_damage_is_refused_or_harmless() -> None:
    """Two hundred texts with one changed sign: whatever is not refused still answers."""
    dice = random.Random(3)
    text = text_of()
    trees = text.index("Tree=0"), text.index("end of trees")
    rows = [[dice.random() for _ in range(WIDTHS[0])] for _ in range(50)]
    taken = 0
    for _ in range(200):
        place = dice.randrange(*trees)
        changed = text[:place] + dice.choice("0123456789-. =e\n") + text[place + 1 :]
        try:
            checked_text(changed)
        except NoTree:
            continue
        taken += 1
        if taken % 10 == 0:
            assert numpy.isfinite(lightgbm.Booster(model_str=changed).predict(numpy.array(rows))).all()
    assert 0 < taken < 200


@pytest.mark.parametrize(
    "tail", ["", "num_threads", "[a: b", "[input_model: /dev/zero]", "pandas_categorical:" + "[" * 9_000]
)
def test_what_follows_the_trees_is_never_read(tail: str) -> None:
    """A parameter without a colon ends the process that loads it; lists of pandas are parsed by recursion."""
    text = text_of()
    ends = text.index("end of trees\n") + len("end of trees\n")
    assert checked_text(f"{text[:ends]}\nparameters:\n{tail}\nend of parameters\n") == checked_text(text) == text[:ends]
    rows = numpy.array([[0.5] * WIDTHS[0]])
    whole, bare = (lightgbm.Booster(model_str=one).predict(rows) for one in (text, checked_text(text)))
    assert whole == bare


def test_a_leaf_may_be_false_and_then_nothing_is_forecast() -> None:
    """Many leaves that each may be so high add up to a range that cannot be."""
    card, files = quiet_model()
    text = boosted().files()[MODEL_FILES[1]].decode()
    high = re.sub(r"(?<=\nleaf_value=).*", lambda line: " ".join(["99"] * len(line[0].split(" "))), text)
    lied = {**files, **boosted().files(), MODEL_FILES[1]: resized(high).encode()}
    hashes = {name: hashlib.sha256(content).hexdigest() for name, content in lied.items()}
    model = RangeModel.from_files(replace(card, verdict="model", files=hashes), lied)
    with pytest.raises(NoForecast, match="cannot be"):
        model.outlook(quiet_series())


def test_a_lie_with_a_true_hash_is_unreadable_and_never_loaded() -> None:
    """The leaf that no probe row visits: the child that probes says so, and nobody loads it."""
    card, files = quiet_model()
    lied = {**files, **boosted().files()}
    lied[MODEL_FILES[1]] = at("right_child", -1, "0")(lied[MODEL_FILES[1]].decode()).encode()
    hashes = {name: hashlib.sha256(content).hexdigest() for name, content in lied.items()}
    answer = probed(Stored(replace(card, verdict="model", files=hashes), lied))
    assert answer.reason == "unreadable"
    assert MODEL_FILES[1] in answer.detail


def test_files_of_different_widths_are_refused() -> None:
    mixed = {**boosted().files(), MODEL_FILES[3]: boosted(WIDTHS[1]).files()[MODEL_FILES[3]]}
    with pytest.raises(ValueError, match="different widths"):
        Boosted.from_files(mixed)
