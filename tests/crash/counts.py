"""What a campaign counts, and the table of it."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass
class Tally:
    """What a campaign did: the line of the table."""

    title: str
    kills: int = 0
    workers_only: int = 0
    moments: dict[str, int] = field(default_factory=dict)
    acknowledged: int = 0
    in_doubt: int = 0
    came_true: int = 0
    rows: int = 0
    orders: int = 0
    fills: int = 0
    seconds: list[float] = field(default_factory=list)
    bridge_seconds: list[float] = field(default_factory=list)


def table(tallies: list[Tally], seed: int) -> str:
    """Return the counts as a table that can be pasted into the documentation."""
    head = (
        "| victim | kills | of a worker alone | acknowledged | in doubt | of these committed | journal rows | orders | "
        "fills | restart p50 / max |"
    )
    lines = [f"seed {seed}", "", head, "|---" * 10 + "|"]
    for t in tallies:
        first = ", ".join(_times(name, seconds) for name, seconds in (("web", t.seconds), ("bridge", t.bridge_seconds)))
        lines.append(
            f"| {t.title} | {t.kills} | {t.workers_only} | {t.acknowledged:,} | {t.in_doubt} | {t.came_true} | "
            f"{t.rows:,} | {t.orders:,} | {t.fills:,} | {first.strip(', ')} |"
        )
    moments = {name: sum(t.moments.get(name, 0) for t in tallies) for t in tallies for name in t.moments}
    said = ", ".join(f"{name} {times}" for name, times in sorted(moments.items()))
    return "\n".join([*lines, "", f"Moments: {said}."])


def _times(who: str, seconds: list[float]) -> str:
    if not seconds:
        return ""
    return f"{who} {sorted(seconds)[len(seconds) // 2]:.2f} / {max(seconds):.2f} s"
