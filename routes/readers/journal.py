"""The trader's journal: closed trades and their statistics. Notes are written in ``routes/operator``."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable
from datetime import date
from decimal import Decimal
from typing import Annotated, Any, Literal

from flask import Response
from msgspec import structs
from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, WithJsonSchema, model_validator
from pydantic_core import PydanticCustomError

from routes.http.describing import answers
from routes.http.guards import GuardedCalls
from routes.http.parsing import AskedNumber, Moment, Symbol, asks
from routes.http.replies import app_services, fresh, reply
from services.engine.steps.notes import TAG
from services.history.export import cell
from services.journal.days import day_by, day_of, month_of
from services.journal.rows import blocked_row, journal_row
from services.journal.statistics import (
    GROUPINGS,
    Figures,
    Group,
    blocked_by_gate,
    curve_of,
    deepest_fall,
    figures_of,
    groups_of,
)
from services.journal.trades import (
    FIRST_DAY,
    LAST_DAY,
    READ_AT_MOST,
    Cursor,
    JournalTrade,
    Selection,
    page_of,
    read_cursor,
    span_of,
    write_cursor,
)
from services.projections.attempts import attempts_between
from services.projections.entry_gates import GatesAtEntry
from services.projections.equity import PnlSample
from wire.journal import (
    CalendarAnswer,
    CalendarRow,
    CurveRow,
    DayAnswer,
    FiguresRow,
    GroupRow,
    OverrideRow,
    SampleRow,
    StatisticsAnswer,
    TradesAnswer,
)
from wire.types import Env

journal = GuardedCalls("journal", __name__, "journal_reader")

LONGEST_PAGE = 500
DAY_PATTERN = r"^\d{4}-\d{2}-\d{2}$"
MONTH_PATTERN = r"^20\d{2}-(0[1-9]|1[0-2])$"
MANY_DIGITS = Decimal("0.000001")
SHEET_COLUMNS = (
    *("trading_day", "exit_ts", "entry_ts", "asset", "contract", "side", "size", "entry_price", "exit_price"),
    *("pnl_points", "pnl_usd", "commission_usd", "commission_known", "pnl_net_usd", "risk_usd", "r"),
    *("mae_points", "mfe_points", "mae_usd", "mfe_usd", "held_s", "mode", "zone", "reason", "env"),
    *("override", "forced_exit", "exit_by", "tags", "note", "id"),
    *GatesAtEntry.__struct_fields__,
)


def _day(value: object) -> object:
    if not (isinstance(value, str) and re.fullmatch(DAY_PATTERN, value, re.ASCII)):
        raise ValueError("must be a day like 2026-11-20")
    try:
        day = date.fromisoformat(value)
    except ValueError:
        raise ValueError("must be a day of the calendar") from None
    if not FIRST_DAY <= day <= LAST_DAY:
        raise ValueError("must be a day between 2000 and 2100")
    return day


def _cursor(text: str) -> str:
    read_cursor(text)
    return text


def tag_of(text: str) -> str:
    if not TAG.fullmatch(text):
        sentence = "{was} is no tag: 1 to 24 letters a to z, digits or hyphens"
        raise PydanticCustomError("own_sentence", sentence, {"was": repr(text[:40])})
    return text


DAY_WORDS = {"type": "string", "format": "date", "description": "a trading day between 2000 and 2100"}
CURSOR_WORDS = {"type": "string", "pattern": "^1[0-9]{15}-[0-9a-z]{1,60}$", "description": "next of an earlier page"}
Day = Annotated[date, BeforeValidator(_day), WithJsonSchema({**DAY_WORDS, "examples": ["2026-11-20"]})]
Following = Annotated[str, Field(max_length=100), AfterValidator(_cursor), WithJsonSchema(CURSOR_WORDS)]
TagWord = Annotated[str, WithJsonSchema({"type": "string", "pattern": f"^{TAG.pattern}$"})]
Tag = Annotated[TagWord, AfterValidator(tag_of)]
AskedEnv = Literal["DEMO", "LIVE"]


class Asked(BaseModel):
    """A query of the journal. An unknown name is refused: ignored, a misspelt filter would select every trade."""

    model_config = ConfigDict(extra="forbid")


class TradesAsked(Asked):
    """Filters of closed trades: one trading day, or a range of days, and properties of the trades."""

    day: Day | None = None
    first_day: Day | None = None
    last_day: Day | None = None
    asset: Annotated[Symbol, AfterValidator(str.upper)] | None = None
    reason: Annotated[str, Field(min_length=1, max_length=60)] | None = None
    mode: Literal["SCALP", "RUNNER"] | None = None
    env: AskedEnv | None = None
    side: Literal["BUY", "SELL"] | None = None
    tag: Tag | None = None

    @model_validator(mode="after")
    def names_days_once(self) -> TradesAsked:
        if self.day is not None and (self.first_day is not None or self.last_day is not None):
            raise ValueError("day stands alone, without first_day and last_day")
        return self

    @property
    def selection(self) -> Selection:
        return Selection(
            first_day=self.day or self.first_day or FIRST_DAY,
            last_day=self.day or self.last_day or LAST_DAY,
            asset=self.asset,
            reason=self.reason,
            mode=self.mode,
            env=self.env,
            side=self.side,
            tag=self.tag,
        )


class PageAsked(TradesAsked):
    """Filters of closed trades, the most rows of a page, and the trade after which the page begins."""

    limit: Annotated[AskedNumber, Field(ge=1, le=LONGEST_PAGE)] = 100
    before: Following | None = None

    @property
    def cursor(self) -> Cursor | None:
        return None if self.before is None else read_cursor(self.before)


class MonthAsked(Asked):
    month: Annotated[str, Field(pattern=MONTH_PATTERN, examples=["2026-11"])] | None = Field(
        default=None, description="this month when it is not named"
    )
    env: AskedEnv | None = None


class DayAsked(Asked):
    day: Day | None = Field(default=None, description="the present trading day when it is not named")
    env: AskedEnv | None = None
    samples_after: Moment | None = Field(default=None, description="leave out the samples up to this one")


@journal.get("/api/journal/trades")
@answers(TradesAnswer, errors=(503,))
@asks(PageAsked)
def show_trades(query: PageAsked) -> Response:
    """Return closed trades, newest first, page by page.

    A page reads at most 5,000 trades: it may hold few or none and still have a `next`.
    """
    page = page_of(app_services().manager.store, query.selection, roll(), query.limit, query.cursor)
    following = None if page.following is None else write_cursor(page.following)
    return fresh(reply(TradesAnswer(trades=tuple(journal_row(entry) for entry in page.trades), next=following)))


@journal.get("/api/journal/trades.csv")
@answers(None, media="text/csv", errors=(503,))
@asks(TradesAsked)
def show_sheet(query: TradesAsked) -> Response:
    """Return the newest 5,000 selected trades for a spreadsheet, with formulas in texts disabled."""
    page = page_of(app_services().manager.store, query.selection, roll(), READ_AT_MOST)
    response = Response(_sheet(page.trades), mimetype="text/csv")
    response.headers["Content-Disposition"] = 'attachment; filename="lockstep-trades.csv"'
    response.headers["Cache-Control"] = "no-store"
    return response


@journal.get("/api/journal/statistics")
@answers(StatisticsAnswer, errors=(503,))
@asks(TradesAsked)
def show_statistics(query: TradesAsked) -> Response:
    """Return the statistics of the selected trades of one environment, by default the one traded now."""
    store = app_services().manager.store
    rolls_at = roll()
    selection = structs.replace(query.selection, env=query.env or traded_env())
    page = page_of(store, selection, rolls_at, READ_AT_MOST)
    since, until = span_of(selection.first_day, selection.last_day, rolls_at)
    attempts = attempts_between(store, since, until, READ_AT_MOST)
    day_at = day_by(rolls_at)
    curve = curve_of(page.trades)
    of_the_days = (event for at, event in attempts if selection.first_day <= day_at(at) <= selection.last_day)
    body = StatisticsAnswer(
        env=selection.env or traded_env(),
        truncated=page.following is not None,
        figures=_figures(figures_of(page.trades)),
        deepest_fall_usd=deepest_fall(curve),
        curve=tuple(CurveRow(**structs.asdict(point)) for point in curve),
        groups={by: tuple(_group(group) for group in groups_of(page.trades, by)) for by in GROUPINGS},
        blocked_by_gate=blocked_by_gate(of_the_days),
    )
    return fresh(reply(body))


@journal.get("/api/journal/calendar")
@answers(CalendarAnswer, errors=(503,))
@asks(MonthAsked)
def show_calendar(query: MonthAsked) -> Response:
    """Return the trades of one environment and the refused attempts of each trading day of a month."""
    name = query.month or app_services().manager.snapshot.desk.day.trading_day.isoformat()[:7]
    env = query.env or traded_env()
    month = month_of(app_services().manager.store, date.fromisoformat(f"{name}-01"), roll(), env)
    days = tuple(CalendarRow(**structs.asdict(day)) for day in month.days)
    return fresh(reply(CalendarAnswer(env=env, month=name, days=days, truncated=not month.is_whole)))


@journal.get("/api/journal/day")
@answers(DayAnswer, errors=(503,))
@asks(DayAsked)
def show_day(query: DayAsked) -> Response:
    """Return one trading day: equity curve, figures, refused attempts, forced exits."""
    asked = query.day or app_services().manager.snapshot.desk.day.trading_day
    env = query.env or traded_env()
    day = day_of(app_services().manager.store, asked, roll(), env, query.samples_after)
    body = DayAnswer(
        env=env,
        day=day.day,
        figures=_figures(day.figures),
        samples=tuple(_sample(sample) for sample in day.samples),
        blocked_by_gate=day.blocked_by_gate,
        blocked=tuple(blocked_row(at, event) for at, event in day.blocked),
        overrides=tuple(OverrideRow(**structs.asdict(override)) for override in day.overrides),
        forced_exits=tuple(journal_row(entry) for entry in day.forced_exits),
    )
    return fresh(reply(body))


# -- rows -----------------------------------------------------------------------------------------------------------


def roll() -> str:
    """Return the New York time at which the trading day begins."""
    return app_services().manager.snapshot.desk.rules.day_roll


def traded_env() -> Env:
    """Return the environment traded now: results of DEMO and LIVE are never added (SPEC 7.5)."""
    return app_services().manager.snapshot.desk.env


def _figures(figures: Figures) -> FiguresRow:
    return FiguresRow(**structs.asdict(figures))


def _sample(sample: PnlSample) -> SampleRow:
    return SampleRow(
        at=sample.at,
        env=sample.env,
        equity=sample.equity,
        realized_pnl=sample.realized_pnl,
        open_pnl=sample.open_pnl,
    )


def _group(group: Group) -> GroupRow:
    return GroupRow(name=group.name, **structs.asdict(group.figures))


def _sheet(trades: Iterable[JournalTrade]) -> str:
    text = io.StringIO(newline="")
    sheet = csv.writer(text)
    sheet.writerow(SHEET_COLUMNS)
    for entry in trades:
        row = structs.asdict(journal_row(entry))
        gates = structs.asdict(entry.gates) if entry.gates else {}
        row |= {"tags": " ".join(entry.note.tags), **gates}
        sheet.writerow([cell(_short(row.get(name))) for name in SHEET_COLUMNS])
    return text.getvalue()


def _short(value: Any) -> Any:
    """Round an average to six places, which is enough for a spreadsheet."""
    if not isinstance(value, Decimal) or value == value.quantize(MANY_DIGITS):
        return value
    return value.quantize(MANY_DIGITS)
