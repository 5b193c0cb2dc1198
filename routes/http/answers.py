"""What each call answers, as models: only described by them, never built through them (``routes/http/openapi.py``).

The desk's answers are plain documents (``services/views/``); schemathesis and the tests of the document
compare them with these models.
"""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, Field

from routes.http.state_answers import AssetState, Facts, OrderRow, Rung, StateDocument
from routes.http.words import Instant, Number
from services.engine.model.replies import RefusalCode
from wire.types import Env, OrderKind, Side


class Problem(BaseModel):
    """Every error: a sentence, and what is known besides."""

    ok: Literal[False]
    error: str = Field(description="one sentence for the person who asked")
    field: str | None = Field(None, description="the field that is wrong")
    code: RefusalCode | None = Field(None, description="why the desk refused")
    title: str | None = Field(None, description="its headline; null in an answer that an earlier version kept")
    detail: str | None = Field(None, description="the sentence without its title or field, and without time left")
    facts: Facts | None = Field(None, description="what the sentence says, as numbers, instants and names")
    gate: str | None = Field(None, description="the first gate that is closed")
    retry_after_s: int | None = Field(None, description="seconds until asking again may help, null when unknown")
    ladder: list[Rung] | None = Field(None, description="every gate as it stands")
    version: int | None = Field(None, description="the version of the state")
    request_id: str | None = Field(None, description="of a fault of the desk: what its log names it by")


class OkAnswer(BaseModel):
    """It is done."""

    ok: Literal[True]


class VersionAnswer(OkAnswer):
    """It is done and durable; ``version`` is the state that holds it."""

    version: int


class ReadyAnswer(OkAnswer):
    """The desk answers: as the writer, or as a standby that only reads until it has to take over."""

    role: Literal["writer", "standby"]
    store: Literal["up"]


class DeadLetterRow(BaseModel):
    """A webhook that could not be read, without its secret."""

    sequence: int
    at: Instant
    path: str
    reason: str
    body: str
    can_be_tried_again: bool


class DeadLettersAnswer(OkAnswer):
    """The newest of them, newest first."""

    dead_letters: list[DeadLetterRow]


class SecretAnswer(OkAnswer):
    """A secret, told to who typed the password once more."""

    secret: str


class SessionAnswer(BaseModel):
    """Whether a session is open, and whether a password is needed."""

    authenticated: bool
    password_required: bool


class AssetAnswer(VersionAnswer):
    """The command took effect; ``asset`` is that asset's new part of the state."""

    asset: AssetState


class PreOrderRow(BaseModel):
    """The pre-order as it waits."""

    asset: str
    direction: Side
    status: str


class EntryAnswer(VersionAnswer):
    """The entry is queued as ``order``, or waits as ``preorder``."""

    order: OrderRow | None = None
    preorder: PreOrderRow | None = None
    state: StateDocument


class ExitAnswer(AssetAnswer):
    """The exit order, or that it is latched behind the open one."""

    order: OrderRow | None
    latched: bool
    already_pending: bool


class ScaleInAnswer(AssetAnswer):
    """The order that adds to the trade."""

    order: OrderRow


class ExitAllRow(OrderRow):
    """An exit order, with its id under the contract's name too."""

    order_id: str


class Skip(BaseModel):
    """An asset that exit-all left alone, and why."""

    asset: str
    reason: str
    code: RefusalCode


class ExitAllAnswer(VersionAnswer):
    """What leaves now, which entries were cancelled, what waits, what is locked; ``assets`` are those that changed."""

    orders: list[ExitAllRow]
    cancelled: list[OrderRow]
    latched: list[str]
    skipped: list[Skip]
    assets: dict[str, AssetState]


class AutoExitAnswer(AssetAnswer):
    """The timeframe of the auto-exit, which is fixed."""

    auto_exit_renko: Literal["6pt"]


class TradeCountAnswer(VersionAnswer):
    """The day's entries, used and left."""

    trades_taken_today: int
    trades_remaining_today: int


class EnvAnswer(VersionAnswer):
    """The environment that new orders carry."""

    env: Env


class LimitsAnswer(VersionAnswer):
    """The named limits as they are in force, and all that waits for the next trading day."""

    limits: dict[str, Number | bool]
    pending: dict[str, str]


class HandedOrder(BaseModel):
    """An order as a bridge reads it: ``asset`` is the contract, ``root`` the operator's symbol."""

    id: str
    client_order_id: str
    asset: str
    root: str
    exchange: str
    side: Side
    qty: int
    mode: str
    env: Env
    kind: OrderKind
    source: str
    stop_points: Number | None
    tick_size: Number
    point_size: Number
    point_value: Number
    created_at: Instant
    expires_at: Instant | None
    redelivered: bool


class HandoverAnswer(OkAnswer):
    """The orders that are now this owner's."""

    orders: list[HandedOrder]


class ReportAnswer(VersionAnswer):
    """The report is taken; ``duplicate``: it had been before."""

    duplicate: Literal[True] | None = None


class SnapshotAnswer(VersionAnswer):
    """The snapshot is taken; whether the daily stop holds."""

    daily_stop_triggered: bool


class HeartbeatAnswer(VersionAnswer):
    """The price is noted; ``flagged``: its time lay ahead, so the receipt time stands for it."""

    flagged: Literal[True] | None = None


class BrickAnswer(VersionAnswer):
    """What the brick did, or that it was a duplicate or came late."""

    effects: list[str] | None = None
    orders: list[OrderRow] | None = None
    duplicate: Literal[True] | None = None
    stale: Literal[True] | None = None


class BrickRow(BaseModel):
    """A closed brick; ``open`` and ``close`` are null when no price came with it."""

    n: int = Field(description="grows by one with each brick of the series, while the process lives")
    ts: Instant
    color: Literal["green", "red"]
    open: Number | None
    close: Number | None


class BricksAnswer(VersionAnswer):
    """The newest bricks of a series, oldest first."""

    asset: str
    size: Number = Field(description="in points")
    complete: bool = Field(description="false while the past is still being read after a start: ask again")
    bricks: list[BrickRow]


class LevelAnswer(VersionAnswer):
    """The exit that the level caused, or why there is none."""

    order: OrderRow | None = None
    latched: bool | None = None
    ignored: str | None = None
