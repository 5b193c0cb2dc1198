"""Parts of the state document: what gate ``window`` looks at, and why another store may know more."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Struct

from wire.types import AwareTime, Usd, says


class StoreDoubtState(Struct, frozen=True):
    """Why this store may not know the whole day (SPEC 5.9): in LIVE gate `account` is closed until it is confirmed."""

    code: Literal["newer_store", "older_copy", "unreadable"]
    detail: str
    since: AwareTime


class WindowState(Struct, frozen=True, kw_only=True):
    """What the gate ``window`` looks at beside the markets: lockout, flat time, week, losing trades, news."""

    lockout_until: Annotated[Literal["session", "day", "week"] | None, says("null: entries are not locked")]
    lockout_ends_ts: Annotated[AwareTime | None, says("null: entries are not locked")]
    flat_by_ts: Annotated[AwareTime | None, says("when everything is flattened next, or was; null: FLAT_BY is off")]
    flat_until_ts: Annotated[AwareTime | None, says("when entries pass again after that; null: FLAT_BY is off")]
    flat_by_remaining_s: Annotated[int | None, says("seconds until then, 0 while it holds; null: FLAT_BY is off")]
    week_began_ts: Annotated[AwareTime, says("Sunday's roll")]
    week_net_usd: Annotated[Usd, says("the week's net result with what is open, in this environment")]
    week_left_usd: Annotated[Usd | None, says("what the week may still lose; null: no weekly loss is set")]
    trades_this_week: int
    day_best_usd: Annotated[Usd, says("the best that the day's books have shown")]
    losses_in_a_row: int
    news_title: Annotated[str | None, says("the next news time, or the one that is near; null: none is known")]
    news_from_ts: Annotated[AwareTime | None, says("from when no entry passes because of it; null: none is known")]
    news_until_ts: Annotated[AwareTime | None, says("until when; null: none is known")]
    news_fault: Annotated[str | None, says("why the news file cannot be read; null: it can, or there is none")]
