"""The engine against a second reading of SPEC 4 to 7 (``tests/oracle``): after each move both have the same facts.

``.venv/bin/python -m tests.oracle 400 17`` plays seed 17 and prints the shortest story in which they part.
"""

from __future__ import annotations

import ast
from collections import Counter
from pathlib import Path

import pytest

from services.engine.model.commands import ConsumeTrade
from tests.oracle import acts
from tests.oracle.dealer import played, story_of
from tests.oracle.facts import Closed

MOVES = 400
GROUPS, SEEDS_OF_A_GROUP = 10, 5  # 20,000 moves
SOAK_GROUPS, SEEDS_OF_A_SOAK_GROUP = 10, 125  # 500,000 moves
MAY_IMPORT = ("services.engine.model.commands", "services.engine.model.window_commands")
RULES_OF_SPEC = ("gates", "exits", "acts", "model", "facts", "dollars", "window", "week", "doors")


@pytest.mark.parametrize("group", range(GROUPS))
def test_engine_and_spec_agree(group: int) -> None:
    for seed in range(group * SEEDS_OF_A_GROUP, (group + 1) * SEEDS_OF_A_GROUP):
        story = story_of(seed, MOVES)
        assert not story, f"the shortest story:\n{story}"


@pytest.mark.soak
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("group", range(SOAK_GROUPS))
def test_engine_and_spec_agree_at_length(group: int) -> None:
    first = 10_000 + group * SEEDS_OF_A_SOAK_GROUP
    for seed in range(first, first + SEEDS_OF_A_SOAK_GROUP):
        story = story_of(seed, MOVES)
        assert not story, f"the shortest story:\n{story}"


def test_the_moves_reach_every_exit() -> None:
    """What is never reached is never compared. `flat_by` is not: stories hold it."""
    games = [played(seed, MOVES) for seed in range(GROUPS * SEEDS_OF_A_GROUP)]
    reasons = Counter(closed.reason for game in games for closed in game.oracle.closed)
    automatic = {
        "daily_stop",
        "level",
        "points_tp",
        "protect",
        "four_pt_invalidation",
        "signal_tp",
        "main_flip",
    }
    assert set(reasons) == automatic | {"high_next_bar", "structure", "manual", "exit_all", "PROTECTIVE_STOP"}
    assert sum(game.entries for game in games) > 60  # many more are refused: every gate is asked after each move


def test_the_oracle_shares_no_rule_with_the_engine() -> None:
    for name in RULES_OF_SPEC:
        tree = ast.parse((Path(__file__).parent / f"{name}.py").read_text("utf-8"))
        imported = {node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) and node.module}
        plain = {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
        ours = {module for module in imported | plain if module.startswith(("services", "wire"))}
        assert ours <= {*MAY_IMPORT, "wire.types"}, f"{name} imports {ours}"


def test_a_difference_makes_a_short_story(monkeypatch: pytest.MonkeyPatch) -> None:
    """The table can fail, and says where: a slot that SPEC does not take is found and told in few moves."""
    monkeypatch.setitem(acts.ACTS, ConsumeTrade, lambda oracle, command, now: None)
    story = next(filter(None, (story_of(seed, MOVES) for seed in range(20))))
    lines = story.splitlines()
    assert "trades taken" in lines[-1]
    assert len(lines) <= 6


def test_a_closed_trade_is_told_in_dollars() -> None:
    game = next(game for game in (played(seed, MOVES) for seed in range(20)) if game.oracle.closed)
    last: Closed = game.oracle.closed[-1]
    assert last.pnl == game.closed[-1].pnl_usd
