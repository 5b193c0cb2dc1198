"""What makes two bricks the same, and in which order bricks of one base bar came (SPEC 3). All functions are pure.

TradingView gives several bricks of one base bar the same time. Their closes distinguish them, or ids of the form
``…|k`` number them.
"""

from __future__ import annotations

import re
from hashlib import blake2b

from services.engine.model.bricks import APPLIED_BRICKS_KEPT, BaseBar, BrickStream
from services.engine.model.commands import CloseBrick
from wire.types import Instant

NUMBERED = re.compile(r"(?P<bar>.+)\|(?P<number>\d{1,9})", re.ASCII | re.DOTALL)


def digest_of(brick: CloseBrick, *, by_close: bool) -> str | None:
    """Return the brick's identity, None for one without id and time.

    It is the ``bar_id``, else the time, with the colour, and ``by_close`` with the close when it was sent.
    """
    identity = brick.bar_id or (brick.bar_at.isoformat() if brick.bar_at else None)
    if identity is None:
        return None
    close = f"|{brick.close.normalize():f}" if by_close and brick.close is not None else ""
    return blake2b(f"{identity}|{brick.color}{close}".encode(), digest_size=8).hexdigest()


def is_out_of_order(before: BrickStream, brick: CloseBrick) -> bool:
    """Return whether the newest brick applied of the same base bar has a higher number."""
    bar, number = _numbered(brick)
    newest = before.bar
    return newest is not None and bar is not None and newest.name == bar and number < newest.number


def with_brick_counted(
    before: BrickStream, brick: CloseBrick, digest: str | None, bar_at: Instant | None
) -> BrickStream:
    """Return the stream that remembers this brick as applied.

    A brick with a close makes the earlier ones of the other colour and the same time new again: the price came back.
    """
    applied = (*before.applied, digest) if digest else before.applied
    is_same_bar = before.bar is not None and bar_at is not None and before.bar.at == bar_at
    closed = before.bar.closed if before.bar is not None and is_same_bar else {}
    if brick.close is not None and bar_at is not None and digest is not None:
        forgotten = {known for known, color in closed.items() if color != brick.color}
        applied = tuple([known for known in applied if known not in forgotten])
        closed = {**{known: color for known, color in closed.items() if known not in forgotten}, digest: brick.color}
    name, number = _numbered(brick)
    bar = BaseBar(bar_at, name, number, closed)
    return BrickStream(applied=applied[-APPLIED_BRICKS_KEPT:], bar=bar)


def _numbered(brick: CloseBrick) -> tuple[str | None, int]:
    """Return the base bar and the number of an id of the form ``…|k``."""
    numbered = NUMBERED.fullmatch(brick.bar_id) if brick.bar_id else None
    return (numbered["bar"], int(numbered["number"])) if numbered else (None, 0)
