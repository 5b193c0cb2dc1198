"""What each call answers. Views build these; the JSON and the API's document come from them.

A field that is sometimes left out is ``UnsetType``; every other one is always there, null where it says so.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Literal

from msgspec import UNSET, Meta, Struct, UnsetType

from wire.asset import AssetState, Facts, Rung
from wire.bridge import OrderTicket
from wire.state import OrderRow, StateDocument
from wire.types import AwareTime, Env, RefusalCode, Side, says

Yes = Annotated[bool, Meta(extra_json_schema={"const": True})]
No = Annotated[bool, Meta(extra_json_schema={"const": False})]


class Problem(Struct, frozen=True, kw_only=True):
    """Every error: a sentence, and what is known besides."""

    ok: No = False
    error: Annotated[str, says("one sentence for the person who asked")]
    field: Annotated[str | UnsetType, says("the field that is wrong")] = UNSET
    code: Annotated[RefusalCode | UnsetType, says("why the desk refused")] = UNSET
    title: Annotated[str | UnsetType | None, says("its headline; null in an answer that was kept earlier")] = UNSET
    detail: Annotated[
        str | UnsetType | None, says("the sentence without its title or field, and without time left")
    ] = UNSET
    facts: Annotated[Facts | UnsetType, says("what the sentence says, as numbers, instants and names")] = UNSET
    gate: Annotated[str | UnsetType, says("the first gate that is closed")] = UNSET
    retry_after_s: Annotated[int | UnsetType | None, says("seconds until it may help, null when unknown")] = UNSET
    ladder: Annotated[tuple[Rung, ...] | UnsetType, says("every gate as it stands")] = UNSET
    oldest: Annotated[int | UnsetType, says("the first event that the journal still holds")] = UNSET
    version: Annotated[int | UnsetType, says("the version of the state")] = UNSET
    writer: Annotated[str | UnsetType, says("of a standby: the process that decides")] = UNSET
    request_id: Annotated[str | UnsetType, says("of a fault of the desk: what its log names it by")] = UNSET


class OkAnswer(Struct, frozen=True, kw_only=True):
    """It is done."""

    ok: Yes = True


class VersionAnswer(OkAnswer, frozen=True, kw_only=True):
    """It is done and durable; ``version`` is the state that holds it."""

    version: int


class ReadyAnswer(OkAnswer, frozen=True, kw_only=True):
    """The desk answers: as the writer, or as a standby that only reads until it has to take over."""

    role: Literal["writer", "standby"]
    store: Literal["up"]


class DeadLetterRow(Struct, frozen=True, kw_only=True):
    """A webhook that could not be read, without its secret."""

    sequence: int
    at: AwareTime
    path: str
    reason: str
    body: str
    can_be_tried_again: bool


class DeadLettersAnswer(OkAnswer, frozen=True, kw_only=True):
    """The newest of them, newest first."""

    dead_letters: tuple[DeadLetterRow, ...]


class SecretAnswer(OkAnswer, frozen=True, kw_only=True):
    """A secret, told to who typed the password once more."""

    secret: str


class SessionAnswer(Struct, frozen=True, kw_only=True):
    """Whether a session is open, and whether a password is needed."""

    authenticated: bool
    password_required: bool


class AssetAnswer(VersionAnswer, frozen=True, kw_only=True):
    """The command took effect; ``asset`` is that asset's new part of the state."""

    asset: AssetState


class PreOrderRow(Struct, frozen=True, kw_only=True):
    """The pre-order as it waits."""

    asset: str
    direction: Side
    status: str


class EntryAnswer(VersionAnswer, frozen=True, kw_only=True):
    """The entry is queued as ``order``, or waits as ``preorder``."""

    order: OrderRow | UnsetType = UNSET
    preorder: PreOrderRow | UnsetType = UNSET
    state: StateDocument


class ExitAnswer(AssetAnswer, frozen=True, kw_only=True):
    """The exit order, or that it is latched behind the open one."""

    order: OrderRow | None
    latched: bool
    already_pending: bool


class ScaleInAnswer(AssetAnswer, frozen=True, kw_only=True):
    """The order that adds to the trade."""

    order: OrderRow


class ExitAllRow(OrderRow, frozen=True, kw_only=True):
    """An exit order, with its id under the contract's name too."""

    order_id: str


class Skip(Struct, frozen=True, kw_only=True):
    """An asset that exit-all left alone, and why."""

    asset: str
    reason: str
    code: RefusalCode


class ExitAllAnswer(VersionAnswer, frozen=True, kw_only=True):
    """What leaves now, which entries were cancelled, what waits, what is locked; ``assets`` are those that changed."""

    orders: tuple[ExitAllRow, ...]
    cancelled: tuple[OrderRow, ...]
    latched: tuple[str, ...]
    skipped: tuple[Skip, ...]
    assets: dict[str, AssetState]


class AutoExitAnswer(AssetAnswer, frozen=True, kw_only=True):
    """The timeframe of the auto-exit, which is fixed."""

    auto_exit_renko: Literal["6pt"]


class TradeCountAnswer(VersionAnswer, frozen=True, kw_only=True):
    """The day's entries, used and left."""

    trades_taken_today: int
    trades_remaining_today: int


class EnvAnswer(VersionAnswer, frozen=True, kw_only=True):
    """The environment that new orders carry."""

    env: Env


class LimitsAnswer(VersionAnswer, frozen=True, kw_only=True):
    """The named limits as they are in force, and all that waits for the next trading day."""

    limits: dict[str, Decimal | int | bool]
    pending: dict[str, str]


class HandoverAnswer(OkAnswer, frozen=True, kw_only=True):
    """The orders that are now this owner's."""

    orders: tuple[OrderTicket, ...]


class ReportAnswer(VersionAnswer, frozen=True, kw_only=True):
    """The report is taken; ``duplicate``: it had been before."""

    duplicate: Yes | UnsetType = UNSET


class SnapshotAnswer(VersionAnswer, frozen=True, kw_only=True):
    """The snapshot is taken; whether the daily stop holds."""

    daily_stop_triggered: bool


class HeartbeatAnswer(VersionAnswer, frozen=True, kw_only=True):
    """The price is noted; ``flagged``: its time lay ahead, so the receipt time stands for it."""

    flagged: Yes | UnsetType = UNSET


class BrickAnswer(VersionAnswer, frozen=True, kw_only=True):
    """What the brick did, or that it was a duplicate or came late."""

    effects: tuple[str, ...] | UnsetType = UNSET
    orders: tuple[OrderRow, ...] | UnsetType = UNSET
    duplicate: Yes | UnsetType = UNSET
    stale: Yes | UnsetType = UNSET


class BrickRow(Struct, frozen=True, kw_only=True):
    """A closed brick; ``open`` and ``close`` are null when no price came with it."""

    n: Annotated[int, says("grows by one with each brick of the series, while the process lives")]
    ts: AwareTime
    color: Literal["green", "red"]
    open: Decimal | None
    close: Decimal | None


class BricksAnswer(VersionAnswer, frozen=True, kw_only=True):
    """The newest bricks of a series, oldest first."""

    asset: str
    size: Annotated[Decimal, says("in points")]
    complete: Annotated[bool, says("false while the past is still being read after a start: ask again")]
    bricks: tuple[BrickRow, ...]


class LevelAnswer(VersionAnswer, frozen=True, kw_only=True):
    """The exit that the level caused, or why there is none."""

    order: OrderRow | UnsetType | None = UNSET
    latched: bool | UnsetType = UNSET
    ignored: str | UnsetType = UNSET
