"""The answers of the API. Views build these Structs; the JSON and the OpenAPI document come from them.

A field that may be left out is ``UnsetType``. Every other field is always present; its description names when it is
null.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Any, Literal

from msgspec import UNSET, Meta, Struct, UnsetType

from wire.asset import AssetState, Facts, Rung
from wire.bridge import OrderTicket, StopToRest
from wire.state import LIMIT_VALUE, OrderRow, StateDocument
from wire.types import AwareTime, Env, ErrorCode, FillRefusal, RefusalCode, Side, TickRefusal, says

Yes = Annotated[bool, Meta(extra_json_schema={"const": True})]
No = Annotated[bool, Meta(extra_json_schema={"const": False})]


class Problem(Struct, frozen=True, kw_only=True):
    """Every error: a sentence for people, its code and facts for programs, and the known details."""

    ok: No = False
    error: Annotated[str, says("one sentence for the person who asked")]
    field: Annotated[str | UnsetType, says("the field that is wrong")] = UNSET
    code: Annotated[Literal[RefusalCode, ErrorCode], says("why: a refusal of the desk, or a call that failed")]
    title: Annotated[str | None, says("its headline; null in an answer that was kept earlier")]
    detail: Annotated[str | None, says("the sentence without its title or field, and without time left")]
    facts: Annotated[Facts, says("what the sentence says, as numbers, instants and names")]
    gate: Annotated[str | UnsetType, says("the first gate that is closed")] = UNSET
    retry_after_s: Annotated[int | UnsetType | None, says("seconds until it may help, null when unknown")] = UNSET
    ladder: Annotated[tuple[Rung, ...] | UnsetType, says("every gate as it stands")] = UNSET
    oldest: Annotated[int | UnsetType, says("the first event that the journal still holds")] = UNSET
    version: Annotated[int | UnsetType, says("the version of the state")] = UNSET
    writer: Annotated[str | UnsetType, says("of a standby: the process that decides")] = UNSET
    timestamp: Annotated[AwareTime | UnsetType, says("of the calls for front ends: when it was answered")] = UNSET
    request_id: Annotated[str | UnsetType, says("of a fault of the desk: what its log names it by")] = UNSET


class OkAnswer(Struct, frozen=True, kw_only=True):
    """The call succeeded."""

    ok: Yes = True


class VersionAnswer(OkAnswer, frozen=True, kw_only=True):
    """The call succeeded and its effect is durable. ``version`` is the first state with the effect."""

    version: int


class ReadyAnswer(OkAnswer, frozen=True, kw_only=True):
    """The desk is ready: as the writer, or as a standby that only reads until it takes over."""

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
    """The newest dead letters, newest first."""

    dead_letters: tuple[DeadLetterRow, ...]


class SecretAnswer(OkAnswer, frozen=True, kw_only=True):
    """A secret, shown after the password was entered again."""

    secret: str


class SessionAnswer(Struct, frozen=True, kw_only=True):
    """Whether a session is open, and whether a password is needed."""

    authenticated: bool
    password_required: bool


class AssetAnswer(VersionAnswer, frozen=True, kw_only=True):
    """The command took effect. ``asset`` is the asset's new state."""

    asset: AssetState


class PreOrderRow(Struct, frozen=True, kw_only=True):
    """The waiting pre-order."""

    asset: str
    direction: Side
    status: str


class EntryAnswer(VersionAnswer, frozen=True, kw_only=True):
    """The entry is queued as ``order``, or waits as ``preorder``."""

    order: OrderRow | UnsetType = UNSET
    preorder: PreOrderRow | UnsetType = UNSET
    state: StateDocument


class ExitAnswer(AssetAnswer, frozen=True, kw_only=True):
    """The exit order; ``latched`` is true while the exit waits for the open order to end."""

    order: OrderRow | None
    latched: bool
    already_pending: bool


class ScaleInAnswer(AssetAnswer, frozen=True, kw_only=True):
    """The order that adds to the trade."""

    order: OrderRow


class ExitAllRow(OrderRow, frozen=True, kw_only=True):
    """An exit order. ``order_id`` repeats its id."""

    order_id: str


class Skip(Struct, frozen=True, kw_only=True):
    """An asset that exit-all skipped, and why."""

    asset: str
    reason: str
    code: RefusalCode


class ExitAllAnswer(VersionAnswer, frozen=True, kw_only=True):
    """The exits queued, the entries cancelled, the exits latched, the assets skipped, and the changed ``assets``."""

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
    """The named limits now in force, and all changes that wait for a later trading day."""

    limits: dict[str, Annotated[Any, LIMIT_VALUE]]
    pending: dict[str, str]
    pending_from: Annotated[dict[str, AwareTime], says("when each of them comes into force")]


class LockoutAnswer(VersionAnswer, frozen=True, kw_only=True):
    """Entries are locked until ``ends_at``: by this call, or by an earlier one that lasts as long."""

    until: Literal["session", "day", "week"]
    since: AwareTime
    ends_at: AwareTime


class HandoverAnswer(OkAnswer, frozen=True, kw_only=True):
    """The orders that this owner has claimed.

    ``cancels`` are the ids of its entries whose rest it is asked to take back; left out when there are none (SPEC 7.2).
    ``stops`` are those it is asked to rest for adopted trades, until it tells that they rest (SPEC 8.4).
    """

    orders: tuple[OrderTicket, ...]
    cancels: tuple[str, ...] | UnsetType = UNSET
    stops: tuple[StopToRest, ...] | UnsetType = UNSET


class ReportAnswer(VersionAnswer, frozen=True, kw_only=True):
    """The report was applied. ``duplicate`` is true when it had been applied before.

    ``late_fill`` is true when it carried a fill after the end of its order, or more than was ordered (SPEC 8.1).
    """

    duplicate: Yes | UnsetType = UNSET
    late_fill: Yes | UnsetType = UNSET


class RefusedFillRow(Struct, frozen=True, kw_only=True):
    """A fill that was not booked, and why."""

    exec_id: str
    code: FillRefusal


class TicksAnswer(OkAnswer, frozen=True, kw_only=True):
    """What became of ticks: how many were published, how many came before, how many were left out, by reason."""

    taken: int
    repeated: int
    left_out: dict[TickRefusal, int]


class FillsAnswer(VersionAnswer, frozen=True, kw_only=True):
    """How many fills were booked, how many were known before, and which were refused (SPEC 8.3)."""

    taken: int
    duplicates: int
    refused: tuple[RefusedFillRow, ...]


class SnapshotAnswer(VersionAnswer, frozen=True, kw_only=True):
    """The snapshot was applied. ``daily_stop_triggered`` is true while the daily stop holds."""

    daily_stop_triggered: bool


class HeartbeatAnswer(VersionAnswer, frozen=True, kw_only=True):
    """What became of the heartbeat.

    ``flagged`` is true when its time or its price was not believed: the receipt time was used, or the price is
    ``suspect`` until a later one agrees. ``stale`` is true when it is too old to freshen anything. ``ignored`` says why
    nothing of it was used: ``other_contract`` or ``impossible_price``; ``roll_week`` says that its price was not used.
    ``outranked`` is true when its price is not looked at, because a bridge's tick of the contract is 10 s old at most.
    """

    flagged: Yes | UnsetType = UNSET
    stale: Yes | UnsetType = UNSET
    suspect: Yes | UnsetType = UNSET
    ignored: str | UnsetType = UNSET
    outranked: Yes | UnsetType = UNSET


class BrickAnswer(VersionAnswer, frozen=True, kw_only=True):
    """The effects of the brick, or that it was a duplicate or late.

    ``flagged`` is true when decoration could not be read; ``unread`` names those fields. ``ignored`` says why it is no
    brick of the desk: ``other_source``, the one alert makes them; ``built_by_desk``, the desk does.
    """

    effects: tuple[str, ...] | UnsetType = UNSET
    orders: tuple[OrderRow, ...] | UnsetType = UNSET
    duplicate: Yes | UnsetType = UNSET
    stale: Yes | UnsetType = UNSET
    flagged: Yes | UnsetType = UNSET
    unread: tuple[str, ...] | UnsetType = UNSET
    ignored: str | UnsetType = UNSET


class BarAnswer(HeartbeatAnswer, frozen=True, kw_only=True):
    """What became of a bar: of its price, as of a heartbeat's, and of its bricks.

    ``applied``, ``duplicates`` and ``late`` count the bricks; ``duplicate`` is true when all had come before.
    ``differs`` names the sizes that stood elsewhere on the desk than the message says, ``adopted`` those whose last
    brick was taken over from it. ``ignored`` says why nothing of it was used, ``other_source`` that another alert makes
    the bricks.
    """

    applied: int
    duplicates: int
    late: int
    effects: tuple[str, ...]
    orders: tuple[OrderRow, ...]
    duplicate: Yes | UnsetType = UNSET
    differs: tuple[str, ...] | UnsetType = UNSET
    adopted: tuple[str, ...] | UnsetType = UNSET


class BrickRow(Struct, frozen=True, kw_only=True):
    """A closed brick. ``open`` and ``close`` are null when it came without a price."""

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
    """The exit that the level caused, or why it caused none."""

    order: OrderRow | UnsetType | None = UNSET
    latched: bool | UnsetType = UNSET
    ignored: str | UnsetType = UNSET
